import { Button, Code, Group, Kbd, Pill, Popover, Stack, Text, TextInput } from "@mantine/core";
import { useState, type Ref } from "react";
import { Refused } from "../../api/client.ts";
import { readMask } from "./mask.ts";

type FilterBoxProps = {
  study: string;
  where: string;
  onWhere: (where: string) => void;
  sel: string;
  onClear: () => void;
  /** How many trials are singled out, and what is wrong with the expression. */
  selected: { count: number | null; error: Error | null };
  columns: readonly string[];
  field: Ref<HTMLInputElement>;
};

/** Which trials the page shows, and which of them are singled out. */
export function FilterBox(props: FilterBoxProps) {
  const { study, where, onWhere, sel, onClear, selected, columns, field } = props;
  const [text, setText] = useState(where);
  const [said, setSaid] = useState(where);
  const [fault, setFault] = useState("");
  if (said !== where) {
    // The address changed elsewhere, by the back button say.
    setSaid(where);
    setText(where);
    setFault("");
  }
  const apply = async (wanted: string) => {
    try {
      if (wanted !== "") await readMask(study, wanted);
      setFault("");
      onWhere(wanted);
    } catch (error) {
      setFault(error instanceof Refused ? error.message : "the server did not answer; try again");
    }
  };
  return (
    <Stack gap={6} component="search">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void apply(text.trim());
        }}
      >
        <Group gap="xs" align="start">
          <TextInput
            ref={field}
            data-testid="filter"
            style={{ flex: "1 1 220px", minWidth: 0 }}
            size="xs"
            aria-label="Filter: which trials the plots and the table show"
            placeholder="Filter, for example: lr < 0.01 and state == 'complete'"
            value={text}
            error={fault || undefined}
            spellCheck={false}
            autoComplete="off"
            styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          <Button type="submit" size="xs" variant="default" disabled={text.trim() === where && fault === ""}>
            Filter
          </Button>
          <Help columns={columns} />
        </Group>
      </form>
      {(where !== "" || sel !== "") && (
        <Group gap={6} data-testid="chips">
          {where !== "" && <Chip kind="Showing" text={where} onClear={() => onWhere("")} />}
          {sel !== "" && (
            <span data-testid="selection">
              <Chip
                kind={
                  selected.count === null ? "Selected" : `Selected ${selected.count.toLocaleString("en")}`
                }
                text={sel}
                onClear={onClear}
              />
            </span>
          )}
          {sel !== "" && selected.error === null && (
            <Button
              size="compact-xs"
              variant="subtle"
              onClick={() => {
                const narrowed = where === "" ? sel : `(${where}) and (${sel})`;
                onClear();
                onWhere(narrowed);
              }}
            >
              Show only these
            </Button>
          )}
        </Group>
      )}
      {selected.error && (
        <Text size="xs" c="red" role="alert">
          The selection cannot be read: {selected.error.message}
        </Text>
      )}
    </Stack>
  );
}

function Chip({ kind, text, onClear }: { kind: string; text: string; onClear: () => void }) {
  return (
    <Pill
      withRemoveButton
      onRemove={onClear}
      removeButtonProps={{ "aria-label": `Clear: ${kind}`, "aria-hidden": false, tabIndex: 0 }}
      size="md"
      maw="min(60rem, 90vw)"
    >
      <b>{kind}:</b> <span style={{ fontFamily: "var(--mantine-font-family-monospace)" }}>{text}</span>
    </Pill>
  );
}

function Help({ columns }: { columns: readonly string[] }) {
  return (
    <Popover width="min(30rem, 92vw)" position="bottom-end" withArrow shadow="md" trapFocus>
      <Popover.Target>
        <Button size="xs" variant="default" aria-label="How to write a filter">
          ?
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap={6}>
          <Text size="sm">
            An expression, as in a parameter’s <Code>when:</Code>. Trials for which it holds are shown.
          </Text>
          <Code block>
            {
              "lr < 0.01 and opt in ['sgd', 'adam']\nstate == 'complete' or value < 0.3\nnumber in [1, 5]\n`odd name` >= 2"
            }
          </Code>
          <Text size="xs">Names here:</Text>
          <Text size="xs" ff="monospace" style={{ overflowWrap: "anywhere" }}>
            {columns.join("  ")}
          </Text>
          <Text size="xs" c="dimmed">
            Press <Kbd size="xs">/</Kbd> anywhere to come here.
          </Text>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
