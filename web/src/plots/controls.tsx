import { Button, NativeSelect, SegmentedControl, Switch } from "@mantine/core";
import { useUrlChoice, useUrlFlag, useUrlState } from "../shared/urlstate.ts";
import { areaOf, areaText, type Area } from "./marks.ts";
import type { Drag } from "./chart.tsx";

/** A choice among a few words, all of which are seen. */
export function Choose<T extends string>(props: {
  label: string;
  value: T;
  choices: readonly { value: T; label: string }[];
  onChange: (value: T) => void;
}) {
  return (
    <SegmentedControl
      size="xs"
      aria-label={props.label}
      value={props.value}
      data={[...props.choices]}
      onChange={props.onChange}
    />
  );
}

/** A choice among many names. */
export function Pick(props: {
  label: string;
  value: string;
  choices: readonly (string | { value: string; label: string })[];
  onChange: (value: string) => void;
}) {
  return (
    <NativeSelect
      size="xs"
      aria-label={props.label}
      maw={200}
      value={props.value}
      data={[...props.choices]}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
  );
}

/** A switch that stands in the address. */
export function UrlSwitch({
  name,
  label,
  initial = false,
}: {
  name: string;
  label: string;
  initial?: boolean;
}) {
  const [on, set] = useUrlFlag(name, initial);
  return (
    <Switch size="xs" label={label} checked={on} onChange={(event) => set(event.currentTarget.checked)} />
  );
}

const DRAGS = [
  { value: "select", label: "Select" },
  { value: "zoom", label: "Zoom" },
  { value: "move", label: "Move" },
] as const;

// A finger that moves over a plot scrolls the page, unless its owner asked for something else.
const FIRST: Drag =
  typeof window !== "undefined" && window.matchMedia("(pointer: coarse)").matches ? "none" : "select";

/** What dragging over the plot `name` does, and what part of it is seen: both stand in the address. */
export function useDragging(name: string, able: readonly Drag[] = ["select", "zoom", "move"]) {
  const first = able.includes("select") || FIRST === "none" ? FIRST : "none";
  const [drag, setDrag] = useUrlChoice<Drag>(`${name}.drag`, ["select", "zoom", "move", "none"], first);
  const [zoomText, setZoom] = useUrlState(`${name}.zoom`);
  const zoom = areaOf(zoomText);
  const choices = [
    ...(first === "none" ? [{ value: "none" as const, label: "Look" }] : []),
    ...DRAGS.filter((choice) => able.includes(choice.value)),
  ];
  return {
    drag,
    zoom,
    onZoom: (area: Area) => setZoom(areaText(area)),
    controls: (
      <>
        {choices.length > 1 && (
          <Choose<Drag> label="What dragging does" value={drag} choices={choices} onChange={setDrag} />
        )}
        {zoomText !== "" && (
          <Button size="compact-xs" variant="default" onClick={() => setZoom("")}>
            Reset zoom
          </Button>
        )}
      </>
    ),
  };
}
