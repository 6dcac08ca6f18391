import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "../page.css";
import "./report.css";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Router } from "wouter";
import { useHashLocation } from "wouter/use-hash-location";
import { answerFrom } from "../api/client.ts";
import { Page } from "../page.tsx";
import { becomeReport } from "../shared/offline.ts";
import { SessionGate } from "../shared/session.tsx";
import { theme, variables } from "../shared/theme.ts";
import { answering, type Embedded } from "./answers.ts";

const found = document.getElementById("rung-report")?.textContent ?? "";
const data = JSON.parse(found) as Embedded;
const answer = answering(data);

answerFrom((where, how) => {
  if ((how.method ?? "GET") !== "GET") {
    return new Response('{"detail":"nothing can be changed from this file"}', { status: 405 });
  }
  const said = answer(where);
  if ("json" in said) return new Response(JSON.stringify(said.json));
  if ("bytes" in said) return new Response(said.bytes.slice().buffer);
  return new Response(JSON.stringify({ detail: said.detail }), { status: said.status });
});
becomeReport(data.made);

/** A stream on which nothing ever comes: the file stays as it was made. */
class Silence extends EventTarget {
  readonly readyState = 1;
  constructor() {
    super();
    setTimeout(() => this.dispatchEvent(new Event("open")));
  }
  close() {
    return;
  }
}
window.EventSource = Silence as unknown as typeof EventSource;

document.documentElement.dataset.report = "";
if (window.location.hash === "" || window.location.hash === "#/") {
  window.history.replaceState(null, "", `#/studies/${encodeURIComponent(data.study)}`);
}

const queries = new QueryClient({
  defaultOptions: {
    queries: { staleTime: Number.POSITIVE_INFINITY, retry: false, refetchOnWindowFocus: false },
  },
});
const root = document.getElementById("root");
if (root === null) throw new Error("the report has no #root");
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
      <Notifications position="bottom-right" limit={4} />
      <QueryClientProvider client={queries}>
        <Router hook={useHashLocation}>
          <SessionGate>
            <Page />
          </SessionGate>
        </Router>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
