import { Button, Checkbox, Popover, ScrollArea, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { useUrlList } from "../shared/urlstate.ts";
import { useWatching } from "./watching.tsx";

/** Which parameters a plot shows; none ticked: those that explain most. */
export function ParametersPick({ name, most = 12 }: { name: string; most?: number }) {
  const { parameters } = useWatching();
  const [ticked, setTicked] = useUrlList(name);
  const [text, setText] = useState("");
  const found = parameters.filter((one) => one.toLowerCase().includes(text.toLowerCase()));
  return (
    <Popover width={260} position="bottom-start" withArrow shadow="md" trapFocus>
      <Popover.Target>
        <Button size="xs" variant="default">
          {ticked.length === 0 ? "Parameters: most important" : `Parameters: ${ticked.length}`}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="xs">
          {parameters.length > 8 && (
            <TextInput
              size="xs"
              aria-label="Find a parameter"
              placeholder="Find"
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
            />
          )}
          <ScrollArea.Autosize mah={280} type="auto">
            <Stack gap={6}>
              {found.map((parameter) => (
                <Checkbox
                  key={parameter}
                  size="xs"
                  label={<span style={{ overflowWrap: "anywhere" }}>{parameter}</span>}
                  checked={ticked.includes(parameter)}
                  disabled={!ticked.includes(parameter) && ticked.length >= most}
                  onChange={(event) =>
                    setTicked(
                      event.currentTarget.checked
                        ? [...ticked, parameter]
                        : ticked.filter((one) => one !== parameter),
                    )
                  }
                />
              ))}
            </Stack>
          </ScrollArea.Autosize>
          {ticked.length > 0 && (
            <Button size="compact-xs" variant="subtle" onClick={() => setTicked([])}>
              The most important
            </Button>
          )}
          {ticked.length >= most && (
            <Text size="xs" c="dimmed">
              At most {most} at once.
            </Text>
          )}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
