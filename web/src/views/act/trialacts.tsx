import { Button, Group, Menu, Stack } from "@mantine/core";
import { useRef, useState } from "react";
import { useStudy, useTrial, type StudyDetail } from "../../shared/details.ts";
import { Down } from "../../shared/icons.tsx";
import { reportedAt } from "../../shared/offline.ts";
import { useReadOnly } from "../../shared/session.tsx";
import type { components } from "../../api/schema.ts";
import { useAsk, type Acted } from "./asking.ts";
import { EnqueueForm } from "./enqueue.tsx";
import { NoteForm } from "./notes.tsx";
import { Act, Asked, Dialog, Item } from "./parts.tsx";
import { TellForm } from "./tell.tsx";

type TrialDetail = components["schemas"]["TrialDetail"];
type Open = "clone" | "tell" | "note" | null;

const FINAL = ["complete", "pruned", "failed"];

/** What can be asked of a trial: each button says why it cannot be, where it cannot. */
export function TrialActs({ study, trial }: { study: string; trial: number }) {
  const whole = useStudy(study);
  const one = useTrial(study, trial);
  if (whole.data === undefined || one.data === undefined || reportedAt() !== null) return null;
  return <Acts study={whole.data} trial={one.data} />;
}

function Acts({ study, trial }: { study: StudyDetail; trial: TrialDetail }) {
  const { number, state, params, values } = trial.record;
  const [open, setOpen] = useState<Open>(null);
  const [acted, setActed] = useState<Acted>();
  const back = useRef<HTMLButtonElement>(null);
  const asking = useAsk(study.name);
  const why = useReadOnly();
  const over = why ?? (FINAL.includes(state) ? `Trial ${number} is over (${state})` : null);
  const held = study.held.includes(number);
  const metrics = [...study.objectives, ...study.outcomes].map(({ metric }) => metric);
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
      <Group gap={6} role="toolbar" aria-label={`What to do with trial ${number}`}>
        {held ? (
          <Act why={over} onClick={() => say({ action: "unpause_trial", trial: number })}>
            Unpause
          </Act>
        ) : (
          <Act
            why={over ?? (state === "paused" ? "The schedule holds it, and says when it goes on" : null)}
            onClick={() => say({ action: "pause_trial", trial: number })}
          >
            Pause
          </Act>
        )}
        <Act why={over} onClick={() => say({ action: "stop_trial", trial: number })}>
          Stop
        </Act>
        <Act
          why={why ?? (FINAL.includes(state) ? null : "Only a trial that ended can be retried")}
          onClick={() => say({ action: "retry", trials: [number] })}
        >
          Retry
        </Act>
        <Menu position="bottom-end" returnFocus>
          <Menu.Target>
            <Button ref={back} variant="default" rightSection={<Down />}>
              More
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Item why={why} onClick={() => setOpen("clone")}>
              Enqueue one like it…
            </Item>
            <Item
              why={why ?? (metrics.length === 0 ? "The study has no metric that could be told" : null)}
              onClick={() => setOpen("tell")}
            >
              Tell its values…
            </Item>
            <Menu.Divider />
            <Item why={why} onClick={() => setOpen("note")}>
              Note and tags…
            </Item>
            <Item
              why={why}
              onClick={() =>
                say({ action: "note", trial: number, tag: [], untag: [], archived: !trial.archived })
              }
            >
              {trial.archived ? "Take out of the archive" : "Archive"}
            </Item>
          </Menu.Dropdown>
        </Menu>
      </Group>
      <Asked acted={acted} error={asking.error} />
      <Dialog
        title={`Enqueue one like trial ${number}`}
        opened={open === "clone"}
        onClose={close}
        back={back}
        size="lg"
      >
        <EnqueueForm study={study} from={params} onDone={done} />
      </Dialog>
      <Dialog title={`Tell trial ${number} its values`} opened={open === "tell"} onClose={close} back={back}>
        <TellForm study={study.name} trial={number} metrics={metrics} values={values} onDone={done} />
      </Dialog>
      <Dialog title={`Note and tags of trial ${number}`} opened={open === "note"} onClose={close} back={back}>
        <NoteForm study={study.name} trial={number} note={trial.notes} tags={trial.tags} onDone={done} />
      </Dialog>
    </Stack>
  );
}
