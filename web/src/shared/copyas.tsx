import { Button, Code, Group, Popover, Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { CopyTexts } from "./copytexts.ts";

const WAYS = [
  ["cli", "Command line"],
  ["python", "Python"],
  ["rest", "REST"],
] as const;

/** The menu "Copy as": three texts, any of which gives the same data as the view when it is run. */
export function CopyAs({ texts, of }: { texts: CopyTexts; of: string }) {
  const [copied, setCopied] = useState<string | null>(null);
  const copy = async (way: keyof CopyTexts) => {
    await navigator.clipboard.writeText(texts[way]);
    setCopied(way);
  };
  return (
    <Popover
      width="min(34rem, 92vw)"
      position="bottom-end"
      withArrow
      shadow="md"
      onClose={() => setCopied(null)}
      trapFocus
    >
      <Popover.Target>
        <Button variant="subtle" size="compact-xs" color="gray" aria-label={`Copy as: ${of}`}>
          Copy as
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="sm">
          {WAYS.map(([way, name]) => (
            <div key={way}>
              <Group justify="space-between" mb={2}>
                <Text size="xs" fw={600}>
                  {name}
                </Text>
                {navigator.clipboard !== undefined && (
                  <Button
                    variant="default"
                    size="compact-xs"
                    aria-label={`Copy as ${name}`}
                    onClick={() => void copy(way)}
                  >
                    {copied === way ? "Copied" : "Copy"}
                  </Button>
                )}
              </Group>
              <Code
                block
                data-testid={`copy-${way}`}
                tabIndex={0}
                style={{ whiteSpace: "pre-wrap", wordBreak: "break-all" }}
              >
                {texts[way]}
              </Code>
            </div>
          ))}
          <Text size="xs" c="dimmed">
            RUNG_TOKEN is the token that this page was opened with.
          </Text>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
