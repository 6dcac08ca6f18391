import { Group, Text, Tooltip } from "@mantine/core";
import type { CSSProperties } from "react";
import { countsInWords, MEANING, stateColour, TRIAL_STATES } from "./states.ts";

/** A state as a coloured dot and its name; the name says it to whoever sees no colours. */
export function StateBadge({ state, size = "sm" }: { state: string; size?: "xs" | "sm" | "md" }) {
  const meaning = (MEANING as Readonly<Record<string, string>>)[state];
  return (
    <Tooltip label={meaning} disabled={meaning === undefined}>
      <Group gap={6} wrap="nowrap" component="span" display="inline-flex" data-state={state}>
        <span
          className="dot"
          data-alive={state === "running" || undefined}
          data-hollow={["waiting", "interrupted"].includes(state) || undefined}
          style={{ "--colour": stateColour(state) } as CSSProperties}
        />
        <Text span size={size}>
          {state}
        </Text>
      </Group>
    </Tooltip>
  );
}

/** Trials by state as one stacked bar; the part up to `of` that has not begun stays empty. */
export function StateBar(given: { counts: Readonly<Record<string, number>>; of?: number | null }) {
  const { counts, of } = given;
  const there = TRIAL_STATES.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
  const whole = Math.max(there, of ?? 0, 1);
  const words = countsInWords(counts) + (of ? ` of ${of.toLocaleString("en")}` : "");
  return (
    <Tooltip label={words}>
      <div className="bar" role="img" aria-label={words}>
        {TRIAL_STATES.map((state) => {
          const share = (counts[state] ?? 0) / whole;
          return share === 0 ? null : (
            <span
              key={state}
              style={{ "--colour": stateColour(state), width: `${share * 100}%` } as CSSProperties}
            />
          );
        })}
      </div>
    </Tooltip>
  );
}
