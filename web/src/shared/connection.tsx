import { Button, Group, Text, Tooltip } from "@mantine/core";
import { useEffect, useRef, useState, type CSSProperties } from "react";
import { useConnection, useStudiesLive } from "./live.ts";

const PATIENCE_MS = 1500; // a moment without a connection is nobody's business

const SAID = {
  open: ["live", "What is shown moves as the studies do", "--state-complete"],
  connecting: ["connecting", "The page asks the server to tell what changes", "--state-waiting"],
  waiting: ["not connected", "The server does not answer; studies go on without it", "--state-failed"],
  resting: ["resting", "Nobody looked; it goes on at once when somebody does", "--state-waiting"],
  closed: ["not live", "What is shown may be old: load the page again", "--state-waiting"],
} as const;

/** Whether what is shown is what there is. */
export function Connection() {
  useStudiesLive();
  const { connection, away, retry } = useConnection();
  const shown = useSettled(connection);
  const [word, about, colour] = SAID[shown];
  return (
    <Group gap={6} wrap="nowrap" role="status" data-connection={connection}>
      <Tooltip label={away ?? about}>
        <Group gap={6} wrap="nowrap" tabIndex={0}>
          <span
            className="dot"
            style={{ "--colour": `var(${away === null ? colour : "--state-failed"})` } as CSSProperties}
          />
          <Text
            size="xs"
            c={shown === "waiting" || away !== null ? undefined : "dimmed"}
            style={{ whiteSpace: "nowrap" }}
          >
            {away === null ? word : "no store"}
          </Text>
        </Group>
      </Tooltip>
      {shown === "waiting" && (
        <Button variant="subtle" size="compact-xs" onClick={retry}>
          Try now
        </Button>
      )}
    </Group>
  );
}

/** A good connection at once; another only after a moment, and not each of the tries that begin and fail meanwhile. */
function useSettled(value: keyof typeof SAID): keyof typeof SAID {
  const [settled, setSettled] = useState(value);
  const newest = useRef(value);
  const open = value === "open";
  useEffect(() => {
    newest.current = value;
  }, [value]);
  useEffect(() => {
    const look = () => setSettled(newest.current);
    const timer = open ? setTimeout(look, 0) : setInterval(look, PATIENCE_MS);
    return () => clearInterval(timer);
  }, [open]);
  return settled;
}
