import { Alert, Badge, Code, Group, Paper, Skeleton, Stack, Text, TextInput, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { address, read } from "../../api/client.ts";
import type { components } from "../../api/schema.ts";
import classes from "./new.module.css";

type Choice = components["schemas"]["Choice"];

const FORMATS: Record<string, string> = {
  script: "Python script",
  rung: "Rung",
  valohai: "Valohai",
  determined: "Determined",
  synetune: "Syne Tune",
  studioml: "StudioML",
  wandb: "W&B sweep",
  raytune: "Ray Tune",
  nni: "NNI",
  katib: "Katib",
  hydra: "Hydra",
  "optuna-space": "Optuna",
  hyperopt: "hyper_opt",
};

/** What there is to start in the project folder. */
export function Chooser() {
  const [search, setSearch] = useState("");
  const found = useQuery({
    queryKey: ["project"],
    queryFn: ({ signal }) => read("/api/project", { signal }),
    staleTime: 0,
  });
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const all = found.data?.choices ?? [];
  const shown = all.filter((choice) => words.every((text) => said(choice).includes(text)));
  return (
    <Stack>
      <div>
        <Title order={1} size="h2">
          New study
        </Title>
        <Text c="dimmed">
          Choose what to run: a study file or a script in <Code>{found.data?.folder ?? "…"}</Code>
        </Text>
      </div>
      {found.isPending && (
        <Skeleton h={160} aria-busy="true" aria-label="Looking through the project folder" />
      )}
      {found.isError && (
        <Alert color="red" title="The project folder cannot be read" role="alert">
          {found.error.message}
        </Alert>
      )}
      {found.data !== undefined && all.length === 0 && <Empty folder={found.data.folder} />}
      {all.length > 0 && (
        <>
          <TextInput
            label="Search"
            placeholder="name, format, step or task"
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
            maw={420}
          />
          <Stack
            component="ul"
            gap="xs"
            m={0}
            p={0}
            className={classes.choices}
            aria-label="What can be started"
          >
            {shown.map((choice) => (
              <li key={`${choice.file}\n${choice.step ?? ""}\n${choice.task ?? ""}`}>
                <Offer choice={choice} />
              </li>
            ))}
          </Stack>
          <Text size="sm" c="dimmed" role="status">
            {shown.length === 0 ? `Nothing here is called "${search}".` : ""}
            {found.data?.left_out
              ? "There are more files than are shown: start `rung ui` in a smaller folder."
              : ""}
          </Text>
        </>
      )}
    </Stack>
  );
}

function said(choice: Choice): string {
  const format = FORMATS[choice.dialect] ?? choice.dialect;
  return [choice.file, choice.step, choice.task, format, choice.kind].join(" ").toLowerCase();
}

function Offer({ choice }: { choice: Choice }) {
  const { file, step, task, problem, parameters } = choice;
  const inside = (
    <Group justify="space-between" wrap="wrap" gap="xs">
      <Text component="span" fw={600} className={classes.long}>
        {file}
        {choice.kind === "step" && <Part what="step" name={step} />}
        {choice.kind === "task" && <Part what="task" name={task} />}
      </Text>
      <Group gap="xs">
        {!problem && parameters > 0 && (
          <Text component="span" size="sm" c="dimmed">
            {parameters} parameter{parameters === 1 ? "" : "s"}
          </Text>
        )}
        <Badge variant="light" color={problem ? "gray" : undefined} tt="none" className={classes.badge}>
          {FORMATS[choice.dialect] ?? choice.dialect}
        </Badge>
      </Group>
    </Group>
  );
  if (problem) {
    return (
      <Paper withBorder p="sm">
        {inside}
        <Text size="sm" className={classes.long} mt={4}>
          {problem}
        </Text>
      </Paper>
    );
  }
  const href = address("/new", {}, { file, step: choice.kind === "step" ? step : undefined, task });
  return (
    <Paper withBorder p="sm" component={Link} href={href} className={classes.offer}>
      {inside}
    </Paper>
  );
}

function Part({ what, name }: { what: string; name?: string | null }) {
  return (
    <Text component="span" fw={400}>
      {" "}
      · {what} <b>{name}</b>
    </Text>
  );
}

function Empty({ folder }: { folder: string }) {
  return (
    <Alert title="Nothing to start here yet" variant="light">
      <Stack gap="xs">
        <Text size="sm">
          <Code>rung ui</Code> was started in <Code>{folder}</Code>, and found no study file and no script in
          it. Put one of these there, or start <Code>rung ui</Code> where they are:
        </Text>
        <ul className={classes.list}>
          <li>
            a Python script that takes its parameters with <Code>argparse</Code>, <Code>click</Code> or{" "}
            <Code>rung.params</Code>, and prints lines such as <Code>loss: 0.3</Code>;
          </li>
          <li>
            a study file such as <Code>study.yaml</Code>, for any other program;
          </li>
          <li>
            a file of another tuner: <Code>valohai.yaml</Code>, an experiment of Determined, a sweep of
            W&amp;B, …
          </li>
        </ul>
      </Stack>
    </Alert>
  );
}
