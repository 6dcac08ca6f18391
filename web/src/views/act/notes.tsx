import { Button, Group, Stack, TagsInput, Textarea } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useAsk, type Acted } from "./asking.ts";
import { tagChange } from "./fields.ts";
import { Trouble } from "./parts.tsx";

type Given = {
  study: string;
  /** The trial, or null for the study itself. */
  trial: number | null;
  note: string;
  tags: readonly string[];
  onDone: (acted: Acted) => void;
};

/** The text and the tags that are kept beside a study or a trial. */
export function NoteForm({ study, trial, note, tags, onDone }: Given) {
  const [text, setText] = useState(note);
  const [words, setWords] = useState<string[]>([...tags]);
  const asking = useAsk(study);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const changedText = text === note ? null : text;
    asking.mutate(
      { action: "note", trial, note: changedText, archived: null, ...tagChange(tags, words) },
      { onSuccess: onDone },
    );
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Textarea
          label="Note"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          autosize
          minRows={4}
          maxRows={16}
          data-autofocus
        />
        <TagsInput
          label="Tags"
          description="Enter or a comma ends a tag"
          size="xs"
          value={words}
          onChange={setWords}
          splitChars={[","]}
          acceptValueOnBlur
        />
        <Trouble error={asking.error} />
        <Group justify="flex-end">
          <Button type="submit" loading={asking.isPending}>
            Keep
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
