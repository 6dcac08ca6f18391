import {
  Alert,
  Button,
  Code,
  Group,
  Menu,
  Modal,
  Stack,
  Text,
  Tooltip,
  type ButtonProps,
} from "@mantine/core";
import type { ReactNode, RefObject } from "react";
import type { Acted } from "./asking.ts";

type ActProps = ButtonProps & { children: ReactNode; onClick: () => void; why: string | null };

/** A button that says why it cannot be used, where it cannot; it stays in the order of focus, so that one can ask. */
export function Act({ children, onClick, why, ...more }: ActProps) {
  const button = (
    <Button
      variant="default"
      {...more}
      data-disabled={why !== null || undefined}
      aria-disabled={why !== null || undefined}
      onClick={(event) => (why === null ? onClick() : event.preventDefault())}
    >
      {children}
    </Button>
  );
  return why === null ? button : <Tooltip label={why}>{button}</Tooltip>;
}

/** The same as a line of a menu. */
export function Item(given: {
  children: ReactNode;
  onClick: () => void;
  why: string | null;
  color?: string;
}) {
  const { children, onClick, why, color } = given;
  return (
    <Menu.Item
      color={color}
      disabled={why !== null}
      onClick={onClick}
      aria-description={why ?? undefined}
      title={why ?? undefined}
    >
      {children}
    </Menu.Item>
  );
}

type DialogProps = {
  title: string;
  opened: boolean;
  onClose: () => void;
  /** Where focus goes when it is closed. */
  back: RefObject<HTMLElement | null>;
  children: ReactNode;
  size?: string;
};

/** A dialog that gives focus back to the button it came from. */
export function Dialog({ title, opened, onClose, back, children, size = "md" }: DialogProps) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={title}
      size={size}
      returnFocus={false}
      onExitTransitionEnd={() => back.current?.focus()}
    >
      {opened && children}
    </Modal>
  );
}

type AskFirstProps = Omit<DialogProps, "children"> & {
  children: ReactNode;
  does: string;
  onDo: () => void;
  busy: boolean;
  error: Error | null;
};

/** Asks before something that cannot be undone; what it does stands on the button. */
export function AskFirst({ children, does, onDo, busy, error, ...dialog }: AskFirstProps) {
  return (
    <Dialog {...dialog}>
      <Stack gap="sm">
        {children}
        <Trouble error={error} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={dialog.onClose} data-autofocus>
            Leave it
          </Button>
          <Button color="red" onClick={onDo} loading={busy}>
            {does}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

/** Why something was refused, where it was asked for. */
export function Trouble({ error }: { error: Error | null }) {
  if (error === null) return null;
  return (
    <Alert color="red" variant="light" role="alert" p="xs">
      <Text size="sm" style={{ overflowWrap: "anywhere" }}>
        {error.message}
      </Text>
    </Alert>
  );
}

/** What was asked for last: it is only asked, until the study's log says that it was done. */
export function Asked({ acted, error }: { acted: Acted | undefined; error: Error | null }) {
  return (
    <div aria-live="polite" style={{ maxWidth: "26rem" }}>
      <Trouble error={error} />
      {error === null && acted !== undefined && (
        <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
          Asked: {acted.did}
          {acted.advice ? `; ${acted.advice}` : "."} {acted.resume ? <Code>{acted.resume}</Code> : null}
        </Text>
      )}
    </div>
  );
}
