import {
  ActionIcon,
  Button,
  Checkbox,
  Group,
  Popover,
  ScrollArea,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { useState } from "react";
import { moved, PINNED, type ColumnInfo } from "./trialcells.ts";

type ColumnPickerProps = {
  infos: readonly ColumnInfo[];
  /** The names of those that are shown, in order. */
  shown: readonly string[];
  /** Others are shown; none means the usual ones. */
  onShown: (names: readonly string[]) => void;
};

/** Chooses which columns a table shows, and in which order. */
export function ColumnPicker({ infos, shown, onShown }: ColumnPickerProps) {
  const [wanted, setWanted] = useState("");
  const known = new Map(infos.map((info) => [info.name, info]));
  const found = (info: ColumnInfo) => info.name.toLowerCase().includes(wanted.trim().toLowerCase());
  const first = shown.flatMap((name) => known.get(name) ?? []).filter(found);
  const others = infos.filter((info) => !shown.includes(info.name)).filter(found);
  return (
    <Popover width="min(23rem, 92vw)" position="bottom-end" withArrow shadow="md" trapFocus>
      <Popover.Target>
        <Button size="compact-xs" variant="default">
          Columns
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="xs">
          <TextInput
            size="xs"
            aria-label="Find a column"
            placeholder="Find a column"
            value={wanted}
            onChange={(event) => setWanted(event.currentTarget.value)}
          />
          <ScrollArea.Autosize mah="50vh" type="auto" offsetScrollbars>
            <Stack gap={4}>
              {first.map((info) => (
                <Group key={info.name} justify="space-between" wrap="nowrap" gap={4}>
                  <Choice
                    info={info}
                    checked
                    onChange={() => onShown(shown.filter((name) => name !== info.name))}
                  />
                  {!PINNED.includes(info.name) && (
                    <Group gap={2} wrap="nowrap">
                      <Mover info={info} to="left" onMove={() => onShown(moved(shown, info.name, -1))} />
                      <Mover info={info} to="right" onMove={() => onShown(moved(shown, info.name, 1))} />
                    </Group>
                  )}
                </Group>
              ))}
              {others.map((info) => (
                <Choice
                  key={info.name}
                  info={info}
                  checked={false}
                  onChange={() => onShown([...shown, info.name])}
                />
              ))}
              {first.length + others.length === 0 && (
                <Text size="xs" c="dimmed">
                  No column has “{wanted}” in its name.
                </Text>
              )}
            </Stack>
          </ScrollArea.Autosize>
          <Group justify="space-between">
            <Button size="compact-xs" variant="subtle" onClick={() => onShown([])}>
              The usual ones
            </Button>
            <Button
              size="compact-xs"
              variant="subtle"
              onClick={() => onShown(infos.map((info) => info.name))}
            >
              All {infos.length}
            </Button>
          </Group>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

function Choice({ info, checked, onChange }: { info: ColumnInfo; checked: boolean; onChange: () => void }) {
  return (
    <Checkbox
      size="xs"
      label={info.name}
      checked={checked}
      disabled={PINNED.includes(info.name)}
      onChange={onChange}
      styles={{ label: { overflowWrap: "anywhere" } }}
    />
  );
}

function Mover({ info, to, onMove }: { info: ColumnInfo; to: "left" | "right"; onMove: () => void }) {
  return (
    <ActionIcon
      size="xs"
      variant="subtle"
      color="gray"
      aria-label={`Move ${info.name} to the ${to}`}
      onClick={onMove}
    >
      {to === "left" ? "←" : "→"}
    </ActionIcon>
  );
}
