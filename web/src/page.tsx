import {
  ActionIcon,
  Anchor,
  AppShell,
  Badge,
  Button,
  Code,
  Kbd,
  Loader,
  Menu,
  Modal,
  Stack,
  Table,
  Text,
  Title,
  Tooltip,
  useMantineColorScheme,
} from "@mantine/core";
import { lazy, Suspense, useEffect, useEffectEvent, useRef, useState } from "react";
import { Link, Route, Switch, useLocation } from "wouter";
import { Connection } from "./shared/connection.tsx";
import { Boundary } from "./shared/failure.tsx";
import { moment } from "./shared/format.ts";
import { Half, Mark, Moon, Sun } from "./shared/icons.tsx";
import { reportedAt } from "./shared/offline.ts";
import { logOut, useMe, useReadOnly } from "./shared/session.tsx";
import { useTitle } from "./shared/title.ts";
import { takesKeys } from "./shared/keys.ts";

const Studies = lazy(() => import("./views/studies/studies.tsx"));
const Comparison = lazy(() => import("./views/studies/comparison.tsx"));
const loadStudy = () => import("./views/study/study.tsx");
const loadTrial = () => import("./views/trial/trial.tsx");
const Study = lazy(loadStudy);
const Trial = lazy(loadTrial);
const NewStudy = lazy(() => import("./views/new/new.tsx"));

// The code of the page that was asked for comes while the session is looked at, not after it.
if (/^\/studies\/[^/]+$/.test(window.location.pathname)) void loadStudy();
if (/^\/studies\/[^/]+\/trials\//.test(window.location.pathname)) void loadTrial();

/** The frame around every page, and which page an address leads to. */
export function Page() {
  const [place] = useLocation();
  const [helping, setHelping] = useState(false);
  useKeys(() => setHelping(true));
  useMovedFocus(place);
  return (
    <AppShell header={{ height: 48 }} padding="md">
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <AppShell.Header>
        <Header place={place} onHelp={() => setHelping(true)} />
      </AppShell.Header>
      <AppShell.Main id="main" tabIndex={-1} style={{ outline: "none" }}>
        <div className="main">
          <Boundary of={place}>
            <Suspense fallback={<Loading />}>
              <Switch>
                <Route path="/" component={Studies} />
                <Route path="/compare" component={Comparison} />
                <Route path="/new" component={NewStudy} />
                <Route path="/studies/:study" component={Study} />
                <Route path="/studies/:study/trials/:number" component={Trial} />
                <Route component={Nowhere} />
              </Switch>
            </Suspense>
          </Boundary>
        </div>
      </AppShell.Main>
      <Help opened={helping} onClose={() => setHelping(false)} />
    </AppShell>
  );
}

function Header({ place, onHelp }: { place: string; onHelp: () => void }) {
  const { project } = useMe();
  const here = (path: string) => (place === path ? "page" : undefined);
  return (
    <div className="header">
      <Link href="/" className="brand" aria-label="Rung: all studies">
        <Mark />
        <span>Rung</span>
      </Link>
      <Tooltip label={project}>
        <span className="project">{project.split("/").filter(Boolean).at(-1) ?? project}</span>
      </Tooltip>
      <nav className="navigation" aria-label="Pages">
        <Link href="/" aria-current={here("/")}>
          Studies
        </Link>
        <Link href="/new" aria-current={here("/new")}>
          New study
        </Link>
      </nav>
      <div style={{ flex: 1 }} />
      {reportedAt() === null ? (
        <>
          <Connection />
          <Role />
        </>
      ) : (
        <Text size="xs" c="dimmed">
          report of {moment(reportedAt())}
        </Text>
      )}
      <Scheme />
      <Tooltip label="Keys and help">
        <ActionIcon onClick={onHelp} aria-label="Keys and help">
          ?
        </ActionIcon>
      </Tooltip>
    </div>
  );
}

function Role() {
  const why = useReadOnly();
  if (why === null) return null;
  return (
    <Tooltip label={why}>
      <Badge variant="outline" color="gray" tabIndex={0} style={{ flex: "none" }}>
        read-only
      </Badge>
    </Tooltip>
  );
}

const SCHEMES = [
  { value: "auto", label: "As the system", icon: <Half /> },
  { value: "light", label: "Light", icon: <Sun /> },
  { value: "dark", label: "Dark", icon: <Moon /> },
] as const;

function Scheme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const now = SCHEMES.find(({ value }) => value === colorScheme) ?? SCHEMES[0];
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon aria-label={`Colours: ${now.label}`}>{now.icon}</ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Colours</Menu.Label>
        {SCHEMES.map(({ value, label, icon }) => (
          <Menu.Item
            key={value}
            leftSection={icon}
            onClick={() => setColorScheme(value)}
            aria-checked={value === colorScheme}
            role="menuitemradio"
            fw={value === colorScheme ? 600 : undefined}
          >
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Loading() {
  return (
    <Stack align="center" py="xl">
      <Loader size="sm" aria-label="Loading" />
    </Stack>
  );
}

function Nowhere() {
  useTitle("Not found");
  return (
    <Stack gap="xs" py="xl" maw={560}>
      <Title order={1}>There is no such page</Title>
      <Text>
        The address may be of a newer version of Rung, or mistyped. All studies are on{" "}
        <Anchor component={Link} href="/">
          the first page
        </Anchor>
        .
      </Text>
    </Stack>
  );
}

const KEYS: readonly [readonly string[], string][] = [
  [["/"], "search, or write a filter"],
  [["g", "s"], "go to the studies"],
  [["g", "n"], "go to New study"],
  [["?"], "show this; on a study's page also the keys of its views"],
];

function Help({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { version, project, role } = useMe();
  return (
    <Modal opened={opened} onClose={onClose} title="Keys and help">
      <Stack gap="sm">
        <Table verticalSpacing={4}>
          <Table.Tbody>
            {KEYS.map(([keys, does]) => (
              <Table.Tr key={does}>
                <Table.Td w={80}>
                  {keys.map((key) => (
                    <Kbd key={key} mr={4}>
                      {key}
                    </Kbd>
                  ))}
                </Table.Td>
                <Table.Td>{does}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
        <Text size="sm">
          All that this page shows and does is on the command line too: <Code>rung --help</Code>. What the
          REST API offers is described at{" "}
          <Anchor href="/api/schema/openapi.json">/api/schema/openapi.json</Anchor>.
        </Text>
        <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
          Rung {version}, started in {project}; you may {role === "control" ? "look and act" : "look"}.
        </Text>
        {reportedAt() === null && (
          <Button variant="default" style={{ alignSelf: "flex-start" }} onClick={() => void logOut()}>
            Log out
          </Button>
        )}
      </Stack>
    </Modal>
  );
}

const PATIENCE_MS = 1200;

/** The keys of every page. Those of a study's page, which it hears itself, are left to it. */
function useKeys(onHelp: () => void): void {
  const [place, go] = useLocation();
  const before = useRef({ key: "", at: 0 });
  const press = useEffectEvent((event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || takesKeys(event.target))
      return;
    const last = event.timeStamp - before.current.at < PATIENCE_MS ? before.current.key : "";
    before.current = { key: event.key, at: event.timeStamp };
    const study = /^\/studies\/[^/]+\/?$/.test(place);
    if (event.key === "?" && !study) onHelp();
    else if (event.key === "/" && !study) {
      const search = document.querySelector<HTMLInputElement>("[data-search]");
      if (search === null) return;
      event.preventDefault();
      search.focus();
    } else if (last === "g" && event.key === "s") go("/");
    else if (last === "g" && event.key === "n") go("/new");
  });
  useEffect(() => {
    const heard = (event: KeyboardEvent) => press(event);
    window.addEventListener("keydown", heard);
    return () => window.removeEventListener("keydown", heard);
  }, []);
}

/** A new page begins at its top, and whoever hears pages is put there; not on the first one. */
function useMovedFocus(place: string): void {
  const first = useRef(place);
  useEffect(() => {
    if (first.current === place) return;
    first.current = "";
    window.scrollTo(0, 0);
    document.getElementById("main")?.focus({ preventScroll: true });
  }, [place]);
}
