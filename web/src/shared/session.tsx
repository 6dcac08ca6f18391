import { Alert, Button, Center, Code, Loader, Paper, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useState } from "react";
import type { FormEvent, ReactNode } from "react";
import { answered, read, Refused } from "../api/client.ts";
import type { components } from "../api/schema.ts";
import { tokenIn, tokenMeant } from "./login.ts";

/** Who is logged in, and to what. */
export type Me = components["schemas"]["Me"];

const ME = ["me"];
const Session = createContext<Me | null>(null);
let offered = false; // whether somebody came with a token, and so wants to hear why it is not enough

/** The token in the address, once: it is removed from there, so that it is in no history and no copied link. */
function taken(): string {
  const { token, rest } = tokenIn(window.location.hash);
  if (token !== "") {
    window.history.replaceState(null, "", `${window.location.pathname}${window.location.search}${rest}`);
  }
  return token;
}

async function logIn(token: string): Promise<Me> {
  const response = await answered("/api/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
  });
  return (await response.json()) as Me;
}

/** Who is logged in, after a token in the address was handed in. An old link is no reason to end a session. */
async function entered(): Promise<Me> {
  const token = taken();
  offered = token !== "";
  if (!offered) return read("/api/me");
  try {
    return await logIn(token);
  } catch (refusal) {
    return read("/api/me").catch(() => {
      throw refusal;
    });
  }
}

/** This browser has forgotten its session; the page asks for a token again. */
export async function logOut(): Promise<void> {
  await answered("/api/session", { method: "DELETE" });
  window.location.assign("/");
}

/** Shows what is inside to whoever is logged in, and asks everybody else for a token. */
export function SessionGate({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  const me = useQuery({ queryKey: ME, queryFn: entered, retry: false });

  useEffect(() => {
    // A link with a token may be opened in this very tab, and a session may end while its page is open.
    const again = () => {
      if (tokenIn(window.location.hash).token !== "") void queries.refetchQueries({ queryKey: ME });
    };
    window.addEventListener("hashchange", again);
    const stop = queries.getQueryCache().subscribe((event) => {
      if (event.type !== "updated" || event.action.type !== "error") return;
      const [subject] = event.query.queryKey as readonly unknown[];
      const error: unknown = event.query.state.error;
      if (subject !== ME[0] && error instanceof Refused && error.status === 401) {
        void queries.resetQueries({ queryKey: ME });
      }
    });
    return () => {
      window.removeEventListener("hashchange", again);
      stop();
    };
  }, [queries]);

  if (me.data !== undefined) return <Session.Provider value={me.data}>{children}</Session.Provider>;
  if (me.isPending) return <Waiting />;
  if (me.error instanceof Refused && [401, 403, 429].includes(me.error.status)) {
    return (
      <LoginForm refusal={me.error} offered={offered} onLogin={(found) => queries.setQueryData(ME, found)} />
    );
  }
  return <Unreachable onRetry={() => void me.refetch()} />;
}

/** Who is logged in; inside a `SessionGate` alone. */
export function useMe(): Me {
  const me = useContext(Session);
  if (me === null) throw new Error("useMe is for what stands inside SessionGate");
  return me;
}

/** What one may do here: everything (`control`), or look (`read`). */
export function useRole(): Me["role"] {
  return useMe().role;
}

/** Why controls are disabled, or null where they are not. */
export function useReadOnly(): string | null {
  return useRole() === "read"
    ? "Read-only: log in with the address that `rung ui` prints to change anything"
    : null;
}

function Waiting() {
  return (
    <Center h="100vh">
      <Loader aria-label="Logging in" />
    </Center>
  );
}

function Unreachable({ onRetry }: { onRetry: () => void }) {
  return (
    <Framed title="The server does not answer">
      <Text>
        It may have been ended. Start it again with <Code>rung ui</Code> in the folder of the project; studies
        go on without it.
      </Text>
      <Button onClick={onRetry}>Try again</Button>
    </Framed>
  );
}

function LoginForm(given: { refusal: Refused; offered: boolean; onLogin: (me: Me) => void }) {
  const { refusal, offered, onLogin } = given;
  const [text, setText] = useState("");
  const [said, setSaid] = useState(offered ? refusal.message : "");
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    try {
      onLogin(await logIn(tokenMeant(text)));
    } catch (error) {
      setSaid(error instanceof Refused ? error.message : "the server does not answer");
      setBusy(false);
    }
  }

  return (
    <Framed title="Log in to Rung">
      <Text>
        <Code>rung ui</Code> prints an address that ends in <Code>#token=…</Code> Open it, or paste it here.
        While the server runs, the token is also in the file <Code>.ui/control</Code> of the folder that the
        studies are in (<Code>runs</Code>, if you have named no other).
      </Text>
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <input type="text" autoComplete="username" value="rung" readOnly hidden />
          <PasswordInput
            label="Address or token"
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            autoComplete="current-password"
            autoFocus
            required
          />
          {said !== "" && (
            <Alert color="red" role="alert">
              {said}
            </Alert>
          )}
          <Button type="submit" loading={busy} disabled={tokenMeant(text) === ""}>
            Log in
          </Button>
        </Stack>
      </form>
    </Framed>
  );
}

function Framed({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Center component="main" mih="100vh" p="md">
      <Paper withBorder p="lg" maw={480} w="100%">
        <Stack>
          <Title order={1} size="h3">
            {title}
          </Title>
          {children}
        </Stack>
      </Paper>
    </Center>
  );
}
