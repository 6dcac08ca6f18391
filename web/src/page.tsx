import { AppShell, Group, Title } from "@mantine/core";
import { lazy, Suspense } from "react";
import { Link, Route, Switch } from "wouter";

const Studies = lazy(() => import("./views/studies/studies.tsx"));
const Study = lazy(() => import("./views/study/study.tsx"));
const Trial = lazy(() => import("./views/trial/trial.tsx"));
const NewStudy = lazy(() => import("./views/new/new.tsx"));

/** The frame around every page, and which page an address leads to. */
export function Page() {
  return (
    <AppShell header={{ height: 52 }} padding="md">
      <AppShell.Header>
        <Group h="100%" px="md">
          <Title order={1} size="h4">
            <Link href="/">Rung</Link>
          </Title>
        </Group>
      </AppShell.Header>
      <AppShell.Main>
        <Suspense fallback={null}>
          <Switch>
            <Route path="/" component={Studies} />
            <Route path="/new" component={NewStudy} />
            <Route path="/studies/:study" component={Study} />
            <Route path="/studies/:study/trials/:number" component={Trial} />
          </Switch>
        </Suspense>
      </AppShell.Main>
    </AppShell>
  );
}
