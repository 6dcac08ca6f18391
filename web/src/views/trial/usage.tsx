import { Text } from "@mantine/core";
import { Fragment } from "react";
import { seconds } from "../../plots/numbers.ts";
import { Section } from "./section.tsx";
import type { Detail } from "./types.ts";
import { number, size } from "./words.ts";

/** Time, devices and money that the trial used; of one that runs here also what it takes now. */
export function Resources({ detail, now }: { detail: Detail; now: number | null }) {
  const { usage, record, folder } = detail;
  const running = record.state === "running" && now !== null ? now : 0;
  const rows: [string, string][] = [["Time", seconds(usage.seconds + running) + attempts(detail)]];
  if (usage.devices.length > 0) rows.push(["Devices", usage.devices.join(", ")]);
  if (usage.gpus > 0) rows.push(["GPUs a trial", number(usage.gpus)]);
  if (usage.cpus > 0) rows.push(["CPUs a trial", number(usage.cpus)]);
  if (usage.reported_cost !== null) rows.push(["Cost, as it said", number(usage.reported_cost)]);
  if (usage.priced_cost !== null) rows.push(["Cost, by run.price", number(usage.priced_cost)]);
  if (usage.now !== null) {
    const { processes, cpu_seconds: cpu, memory_bytes: memory } = usage.now;
    rows.push(["CPU time so far", seconds(cpu)]);
    rows.push(["Memory now", `${size(memory)} in ${processes} process${processes === 1 ? "" : "es"}`]);
  }
  if (folder !== null) rows.push(["Folder", folder]);
  return (
    <Section title="Resources" name="resources">
      <dl style={{ display: "grid", gridTemplateColumns: "max-content 1fr", gap: "2px 16px", margin: 0 }}>
        {rows.map(([name, text]) => (
          <Fragment key={name}>
            <Text component="dt" size="sm" c="dimmed">
              {name}
            </Text>
            <Text component="dd" size="sm" m={0} style={{ overflowWrap: "anywhere" }}>
              {text}
            </Text>
          </Fragment>
        ))}
      </dl>
    </Section>
  );
}

function attempts({ attempts: all }: Detail): string {
  return all.length > 1 ? ` in ${all.length} attempts` : "";
}
