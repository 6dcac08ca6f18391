import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./page.css";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Page } from "./page.tsx";
import { studyQuery } from "./shared/details.ts";
import { nonce } from "./shared/nonce.ts";
import { SessionGate } from "./shared/session.tsx";
import { theme, variables } from "./shared/theme.ts";

const queries = new QueryClient({
  defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY, retry: 1, refetchOnWindowFocus: false } },
});

// What keeps the page still behind a dialog adds a style of its own, and takes the nonce from this name.
Object.assign(window, { __webpack_nonce__: nonce() });

// Somebody who comes back to a study's page is logged in already: it is asked for at once.
const study = /^\/studies\/([^/]+)$/.exec(window.location.pathname)?.[1];
if (study !== undefined && window.location.hash === "") {
  void queries.prefetchQuery(studyQuery(decodeURIComponent(study)));
}

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={variables}
      defaultColorScheme="auto"
      getStyleNonce={nonce}
    >
      <Notifications position="bottom-right" limit={4} />
      <QueryClientProvider client={queries}>
        <SessionGate>
          <Page />
        </SessionGate>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
