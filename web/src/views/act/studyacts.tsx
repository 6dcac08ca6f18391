import { Button, Group, Menu, Stack, Text } from "@mantine/core";
import { memo, useRef, useState } from "react";
import { useStudy, type StudyDetail } from "../../shared/details.ts";
import { counted } from "../../shared/format.ts";
import { Down } from "../../shared/icons.tsx";
import { reportedAt } from "../../shared/offline.ts";
import { useReadOnly } from "../../shared/session.tsx";
import { useAsk, type Acted } from "./asking.ts";
import { EnqueueForm } from "./enqueue.tsx";
import { NoteForm } from "./notes.tsx";
import { Act, Asked, AskFirst, Dialog, Item } from "./parts.tsx";
import { BudgetForm, SpaceForm } from "./settings.tsx";

type Open = "stop" | "budget" | "space" | "enqueue" | "note" | null;

/** What can be asked of a study: each button says why it cannot be, where it cannot. */
export const StudyActs = memo(function StudyActs({ study }: { study: string }) {
  const { data } = useStudy(study);
  return data === undefined || reportedAt() !== null ? null : <Acts study={data} />;
});

function Acts({ study }: { study: StudyDetail }) {
  const [open, setOpen] = useState<Open>(null);
  const [acted, setActed] = useState<Acted>();
  const back = useRef<HTMLButtonElement>(null);
  const asking = useAsk(study.name);
  const why = useReadOnly();
  const over = study.state === "complete" || study.state === "failed";
  const ended = why ?? (over ? `The study is over: ${study.reason ?? study.state}` : null);
  const running = study.counts.running ?? 0;
  const failed = study.counts.failed ?? 0;
  const close = () => setOpen(null);
  const done = (found: Acted) => {
    setActed(found);
    close();
  };
  const say = (action: Parameters<typeof asking.mutate>[0]) => {
    setActed(undefined);
    asking.mutate(action, { onSuccess: setActed });
  };
  return (
    <Stack gap={6} className="acts">
      <Group gap={6} role="toolbar" aria-label={`What to do with study ${study.name}`}>
        {study.resumable && (
          <Act
            variant="filled"
            why={why}
            loading={asking.isPending && asking.variables.action === "resume"}
            onClick={() => say({ action: "resume", workers: null })}
          >
            Resume
          </Act>
        )}
        {study.paused && !over ? (
          <Act why={ended} onClick={() => say({ action: "unpause" })}>
            Unpause
          </Act>
        ) : (
          <Act why={ended} onClick={() => say({ action: "pause" })}>
            Pause
          </Act>
        )}
        <Act
          why={ended ?? (study.stopping ? "It is ending already" : null)}
          onClick={() => say({ action: "stop", now: false })}
        >
          {study.stopping ? "Ending…" : "Stop"}
        </Act>
        <Menu position="bottom-end" returnFocus>
          <Menu.Target>
            <Button ref={back} variant="default" rightSection={<Down />}>
              More
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Item why={why} onClick={() => setOpen("budget")}>
              Budget and workers…
            </Item>
            <Item why={why} onClick={() => setOpen("space")}>
              Edit the space…
            </Item>
            <Item why={why} onClick={() => setOpen("enqueue")}>
              Enqueue a configuration…
            </Item>
            <Item
              why={why ?? (failed === 0 ? "No trial has failed" : null)}
              onClick={() => say({ action: "retry", trials: [] })}
            >
              {failed === 0 ? "Retry failed trials" : `Retry ${counted(failed, "failed trial")}`}
            </Item>
            <Menu.Divider />
            <Item why={why} onClick={() => setOpen("note")}>
              Note and tags…
            </Item>
            <Item
              why={why}
              onClick={() =>
                say({ action: "note", trial: null, tag: [], untag: [], archived: !study.archived })
              }
            >
              {study.archived ? "Take out of the archive" : "Archive"}
            </Item>
            <Menu.Divider />
            <Item why={ended} color="red" onClick={() => setOpen("stop")}>
              Stop now…
            </Item>
          </Menu.Dropdown>
        </Menu>
      </Group>
      <Asked acted={acted} error={asking.error} />
      <AskFirst
        title={`Stop ${study.name} now?`}
        opened={open === "stop"}
        onClose={close}
        back={back}
        does="Stop now"
        onDo={() => asking.mutate({ action: "stop", now: true }, { onSuccess: done })}
        busy={asking.isPending}
        error={asking.error}
      >
        <Text size="sm">
          {running === 0
            ? "No trial runs. The study is over then; a larger budget opens it again."
            : `${counted(running, "running trial")} will be ended before ${running === 1 ? "it is" : "they are"} done. ` +
              "What was reported stays. Stop (without now) lets them run to their end."}
        </Text>
      </AskFirst>
      <Dialog title="Budget and workers" opened={open === "budget"} onClose={close} back={back} size="lg">
        <BudgetForm study={study} onDone={done} />
      </Dialog>
      <Dialog title="Edit the space" opened={open === "space"} onClose={close} back={back} size="xl">
        <SpaceForm study={study} onDone={done} />
      </Dialog>
      <Dialog
        title="Enqueue a configuration"
        opened={open === "enqueue"}
        onClose={close}
        back={back}
        size="lg"
      >
        <EnqueueForm study={study} from={study.winners[0]?.params ?? {}} onDone={done} />
      </Dialog>
      <Dialog title={`Note and tags of ${study.name}`} opened={open === "note"} onClose={close} back={back}>
        <NoteForm study={study.name} trial={null} note={study.note} tags={study.tags} onDone={done} />
      </Dialog>
    </Stack>
  );
}
