import { Group, Paper, Text, Title } from "@mantine/core";
import { useId, type ReactNode } from "react";

/** A titled part of the page. */
export function Section(props: { title: string; name: string; aside?: ReactNode; children: ReactNode }) {
  const titled = useId();
  return (
    <Paper
      component="section"
      withBorder
      p="sm"
      aria-labelledby={titled}
      data-testid={`trial-${props.name}`}
      style={{ minWidth: 0 }}
    >
      <Group justify="space-between" gap="xs" mb={6} wrap="wrap">
        <Title order={2} size="h5" id={titled}>
          {props.title}
        </Title>
        {props.aside !== undefined && <Group gap="sm">{props.aside}</Group>}
      </Group>
      {props.children}
    </Paper>
  );
}

/** Why a part of the page is empty, and what would fill it. */
export function Nothing({ children }: { children: ReactNode }) {
  return (
    <Text size="sm" c="dimmed" py="xs">
      {children}
    </Text>
  );
}
