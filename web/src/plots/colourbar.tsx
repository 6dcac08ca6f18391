import { Group, Text } from "@mantine/core";
import { sixDigits } from "./numbers.ts";

/** What the colours of a plot mean, from the least to the most. */
export function ColourBar(props: { colours: readonly string[]; low: number; high: number; label: string }) {
  return (
    <Group gap={6} wrap="nowrap" justify="flex-end" mt={2}>
      <Text size="xs" c="dimmed" truncate maw={220}>
        {props.label}
      </Text>
      <Text size="xs" style={{ fontVariantNumeric: "tabular-nums" }}>
        {sixDigits(props.low)}
      </Text>
      <div
        aria-hidden
        style={{
          width: 90,
          height: 9,
          borderRadius: 2,
          flex: "none",
          background: `linear-gradient(to right, ${props.colours.join(", ")})`,
        }}
      />
      <Text size="xs" style={{ fontVariantNumeric: "tabular-nums" }}>
        {sixDigits(props.high)}
      </Text>
    </Group>
  );
}
