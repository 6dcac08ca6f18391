import { Alert, Button, Container, Skeleton, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { Link } from "wouter";
import { useSearch } from "wouter/use-browser-location";
import { read } from "../../api/client.ts";
import { word } from "../../shared/querywords.ts";
import { Chooser } from "./chooser.tsx";
import { NewStudyForm } from "./form.tsx";

/** The page on which a study is described and started: first what to start, then how to vary its parameters. */
export default function NewStudy() {
  const search = useSearch();
  const [file, step, task] = ["file", "step", "task"].map((key) => word(search, key, ""));
  useEffect(() => {
    document.title = file ? `New study: ${file} – Rung` : "New study – Rung";
  }, [file]);
  return (
    <Container size="lg" px={0} pb={120}>
      {file ? <Described key={search} file={file} step={step ?? ""} task={task ?? ""} /> : <Chooser />}
    </Container>
  );
}

function Described({ file, step, task }: { file: string; step: string; task: string }) {
  const query = { file, step: step || undefined, task: task || undefined };
  const form = useQuery({
    queryKey: ["project", "form", file, step, task],
    queryFn: ({ signal }) => read("/api/project/form", { query, signal }),
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
  if (form.data !== undefined) return <NewStudyForm form={form.data} />;
  if (form.isPending) {
    return (
      <Stack aria-busy="true" aria-label="Reading the file">
        <Skeleton h={40} w="50%" />
        <Skeleton h={120} />
        <Skeleton h={120} />
      </Stack>
    );
  }
  return (
    <Alert color="red" title={`${file} cannot be started from here`} role="alert">
      <Stack align="start" gap="sm">
        {form.error.message}
        <Button component={Link} href="/new" variant="default">
          Choose another file
        </Button>
      </Stack>
    </Alert>
  );
}
