import { Alert, Anchor, Button, Code, Group, Stack, Text } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { Link } from "wouter";
import { Refused } from "../api/client.ts";

/** What went wrong, in a sentence, and what to do about it. */
export function Failure({ error, onRetry }: { error: Error; onRetry?: () => void }) {
  const gone = error instanceof Refused && error.status === 404;
  const unreachable = error instanceof TypeError;
  return (
    <Alert
      color={gone ? "gray" : "red"}
      variant="light"
      role="alert"
      title={gone ? "It is not there" : unreachable ? "The server does not answer" : "This did not work"}
    >
      <Stack gap="xs" align="flex-start">
        <Text size="sm" style={{ overflowWrap: "anywhere" }}>
          {unreachable
            ? "It may have been ended: start it again with rung ui. Studies go on without it."
            : error.message}
        </Text>
        {onRetry !== undefined && (
          <Button variant="default" onClick={onRetry}>
            Try again
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

/** Says of a study that somebody looks at that it was removed meanwhile. */
export function Gone(more: { mb?: string }) {
  return (
    <Alert color="orange" variant="light" title="This study is not there any more" {...more}>
      It was removed. What you see is how it was last.{" "}
      <Anchor component={Link} href="/" size="sm">
        All studies
      </Anchor>
    </Alert>
  );
}

// What Chromium, Firefox and Safari say of code that did not come.
const NOT_LOADED = /dynamically imported module|importing a module script failed/i;

type Caught = { error: Error | null };

/** Where a part of the page cannot be drawn, says so in its place; the rest of the page stays. */
export class Boundary extends Component<{ children: ReactNode; of: string }, Caught> {
  override state: Caught = { error: null };

  static getDerivedStateFromError(error: unknown): Caught {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override componentDidUpdate(before: { of: string }) {
    if (before.of !== this.props.of && this.state.error !== null) this.setState({ error: null });
  }

  override render() {
    const { error } = this.state;
    if (error === null) return this.props.children;
    if (NOT_LOADED.test(error.message)) return <NotLoaded />;
    return (
      <Alert color="red" variant="light" role="alert" title="This page cannot be shown">
        <Stack gap="xs" align="flex-start">
          <Text size="sm">
            That is a fault of the page, not of the study, which goes on. Loading it again helps where the
            server is newer than this tab; the same is on the command line: <Code>rung show</Code>.
          </Text>
          <Code block>{`${error.name}: ${error.message}`}</Code>
          <Group gap="xs">
            <Button onClick={() => window.location.reload()}>Load the page again</Button>
            <Button variant="default" onClick={() => this.setState({ error: null })}>
              Try again
            </Button>
          </Group>
        </Stack>
      </Alert>
    );
  }
}

function NotLoaded() {
  return (
    <Alert color="red" variant="light" role="alert" title="The code of this part did not come">
      <Stack gap="xs" align="flex-start">
        <Text size="sm">
          The server does not answer, or is newer than this tab. Start it with <Code>rung ui</Code> if it was
          ended, then load the page again; studies go on without it.
        </Text>
        <Button onClick={() => window.location.reload()}>Load the page again</Button>
      </Stack>
    </Alert>
  );
}
