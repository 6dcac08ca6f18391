import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answered, address } from "../../api/client.ts";
import type { components, paths } from "../../api/schema.ts";

/** Something that is asked of a study. */
export type Action =
  paths["/api/studies/{study}/actions"]["post"]["requestBody"]["content"]["application/json"];

/** What the server says of it. */
export type Acted = components["schemas"]["Acted"];

/** Asks; the study changes when its log says so. Throws `Refused`. */
export async function ask(study: string, action: Action): Promise<Acted> {
  const response = await answered(address("/api/studies/{study}/actions", { study }), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(action),
  });
  return (await response.json()) as Acted;
}

/** Asking from a component: what was asked last, whether it is under way, what came of it. */
export function useAsk(study: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (action: Action) => ask(study, action),
    onSuccess: async (_, action) => {
      if (action.action === "edit" && action.dry) return;
      await Promise.all([
        queries.invalidateQueries({ queryKey: ["study", study] }),
        queries.invalidateQueries({ queryKey: ["studies"] }),
      ]);
    },
  });
}

/** The study and the folder of its trials are gone. Throws `Refused`. */
export async function removeStudy(study: string): Promise<void> {
  await answered(address("/api/studies/{study}", { study }), { method: "DELETE" });
}
