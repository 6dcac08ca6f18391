let made: string | null = null;

/** From now on the page is a report: a file without a server, made at that time. */
export function becomeReport(at: string): void {
  made = at;
}

/** When the report was made that this page is (ISO 8601); null where a server answers. */
export function reportedAt(): string | null {
  return made;
}
