import { Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { read } from "../../api/client.ts";

/** The list of all studies. */
export default function Studies() {
  const { data, error } = useQuery({ queryKey: ["studies"], queryFn: () => read("/api/studies") });
  if (error) return <Text c="red">{error.message}</Text>;
  return (
    <Table>
      <Table.Tbody>
        {(data ?? []).map((study) => (
          <Table.Tr key={study.name}>
            <Table.Td>
              <Link href={`/studies/${study.name}`}>{study.name}</Link>
            </Table.Td>
            <Table.Td>{study.state}</Table.Td>
            <Table.Td>{study.trials}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
