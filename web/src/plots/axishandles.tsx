import {
  ActionIcon,
  Box,
  Button,
  Checkbox,
  Group,
  Popover,
  ScrollArea,
  Stack,
  Text,
  UnstyledButton,
} from "@mantine/core";
import { useState, type KeyboardEvent, type PointerEvent } from "react";
import { moved, toggled } from "./axisorder.ts";
import { heading, valueColumn } from "./columns.ts";
import { useWatching } from "./watching.tsx";

/** Pixels left and right of the outermost axes. */
export const PARALLEL_SIDE = 46;

type Handle = { column: string; label: string };
type HandlesProps = {
  axes: readonly Handle[];
  onMove: (from: number, to: number) => void;
};

/** The axes' names above a parallel plot: dragging one, or the arrow keys, move its axis. */
export function AxisHandles({ axes, onMove }: HandlesProps) {
  const [drag, setDrag] = useState<{ at: number; from: number; by: number } | null>(null);
  const gap = (event: PointerEvent<HTMLElement>) => {
    const width = event.currentTarget.parentElement?.clientWidth ?? 0;
    return (width - 2 * PARALLEL_SIDE) / Math.max(1, axes.length - 1);
  };
  const press = (event: KeyboardEvent, at: number) => {
    const step = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    if (step === 0) return;
    event.preventDefault();
    onMove(at, at + step);
  };
  return (
    <Box pos="absolute" top={0} left={0} right={0} h={24} style={{ zIndex: 1 }}>
      {axes.map((axis, at) => (
        <UnstyledButton
          key={axis.column}
          pos="absolute"
          title={axis.label}
          aria-label={`Axis ${axis.label}, ${at + 1} of ${axes.length}: the arrow keys move it`}
          onKeyDown={(event) => press(event, at)}
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            setDrag({ at, from: event.clientX, by: 0 });
          }}
          onPointerMove={(event) => drag && setDrag({ ...drag, by: event.clientX - drag.from })}
          onPointerCancel={() => setDrag(null)}
          onPointerUp={(event) => {
            const steps = drag === null ? 0 : Math.round(drag.by / gap(event));
            setDrag(null);
            if (steps !== 0) onMove(at, at + steps);
          }}
          style={{
            left: place(at, axes.length),
            transform: `translateX(calc(-50% + ${drag?.at === at ? drag.by : 0}px))`,
            maxWidth: 88,
            cursor: drag?.at === at ? "grabbing" : "grab",
            touchAction: "none",
            zIndex: drag?.at === at ? 2 : 1,
          }}
        >
          <Text size="xs" fw={600} truncate>
            {axis.label}
          </Text>
        </UnstyledButton>
      ))}
    </Box>
  );
}

function place(at: number, count: number): string {
  if (count === 1) return "50%";
  return `calc(${PARALLEL_SIDE}px + (100% - ${2 * PARALLEL_SIDE}px) * ${at / (count - 1)})`;
}

type PickProps = {
  axes: readonly string[];
  onAxes: (axes: readonly string[]) => void;
  flipped: readonly string[];
  onFlipped: (columns: readonly string[]) => void;
};

/** Which axes a parallel plot has, in which order, and which of them have the other scale than their own. */
export function AxesPick({ axes, onAxes, flipped, onFlipped }: PickProps) {
  const { parameters, objectives } = useWatching();
  const all = [
    ...parameters.map((name) => `params.${name}`),
    ...objectives.map((name) => valueColumn(name, objectives)),
  ];
  const shown = axes.length > 0 ? axes : all;
  const rows = [
    ...shown.filter((column) => all.includes(column)),
    ...all.filter((column) => !shown.includes(column)),
  ];
  return (
    <Popover width={330} position="bottom-start" withArrow shadow="md" trapFocus>
      <Popover.Target>
        <Button size="xs" variant="default">
          {axes.length > 0 ? `Axes: ${axes.length}` : "Axes"}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <ScrollArea.Autosize mah={320} type="auto">
          <Stack gap={4}>
            {rows.map((column) => {
              const name = column === "value" ? (objectives[0] ?? "value") : heading(column);
              const at = shown.indexOf(column);
              return (
                <Group key={column} gap={4} wrap="nowrap">
                  <Checkbox
                    size="xs"
                    style={{ flex: 1, minWidth: 0 }}
                    label={<span style={{ overflowWrap: "anywhere" }}>{name}</span>}
                    checked={at >= 0}
                    onChange={() => onAxes(toggled(shown, column))}
                  />
                  <Button
                    size="compact-xs"
                    variant={flipped.includes(column) ? "light" : "subtle"}
                    aria-pressed={flipped.includes(column)}
                    aria-label={`${name}: the other scale`}
                    title="log or linear: the other scale"
                    onClick={() => onFlipped(toggled(flipped, column))}
                  >
                    log
                  </Button>
                  <ActionIcon
                    size="xs"
                    variant="subtle"
                    aria-label={`${name}: to the left`}
                    disabled={at <= 0}
                    onClick={() => onAxes(moved(shown, at, at - 1))}
                  >
                    ←
                  </ActionIcon>
                  <ActionIcon
                    size="xs"
                    variant="subtle"
                    aria-label={`${name}: to the right`}
                    disabled={at < 0 || at === shown.length - 1}
                    onClick={() => onAxes(moved(shown, at, at + 1))}
                  >
                    →
                  </ActionIcon>
                </Group>
              );
            })}
          </Stack>
        </ScrollArea.Autosize>
        {(axes.length > 0 || flipped.length > 0) && (
          <Button
            size="compact-xs"
            variant="subtle"
            mt={6}
            onClick={() => {
              onAxes([]);
              onFlipped([]);
            }}
          >
            As at first
          </Button>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}
