import { useEffect } from "react";

/** The browser's tab and whoever hears the page are told what is shown. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title === "" ? "Rung" : `${title} · Rung`;
  }, [title]);
}
