/** The three texts that give the data a view shows. */
export type CopyTexts = { cli: string; python: string; rest: string };

/** An option of a view; empty ones are left out of every text. */
export type Options = Record<string, string | number | boolean | null | undefined>;

const PLAIN = /^[A-Za-z0-9_@%+=:,./][A-Za-z0-9_@%+=:,./-]*$/;

/** A word as any POSIX shell reads it back. */
export function shellQuoted(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A text as a literal of Python. JSON's escapes are all Python's too. */
export function pythonQuoted(text: string): string {
  // JSON leaves a lone half of a surrogate pair escaped and everything else readable.
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029]/g, (mark) => {
    return `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function python(value: string | number | boolean): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "number" ? String(value) : pythonQuoted(value);
}

function set(options: Options): [string, string | number | boolean][] {
  return Object.entries(options).filter(
    (entry): entry is [string, string | number | boolean] =>
      entry[1] !== undefined && entry[1] !== null && entry[1] !== "",
  );
}

function curl(origin: string, path: string, options: Options): string {
  const words = new URLSearchParams(set(options).map(([name, value]) => [name, String(value)])).toString();
  const address = shellQuoted(`${origin}${path}${words ? `?${words}` : ""}`);
  return `curl -sS -H "Authorization: Bearer $RUNG_TOKEN" ${address}`;
}

// A name that begins with a dash would be read as an option.
function operands(...words: string[]): string {
  return (words.some((word) => word.startsWith("-")) ? ["--", ...words] : words).map(shellQuoted).join(" ");
}

/** How to get a view's data elsewhere. */
export function viewTexts(study: string, view: string, options: Options, origin: string): CopyTexts {
  const given = set(options);
  const words = given.map(([name, value]) => ` --set ${shellQuoted(`${name}=${String(value)}`)}`).join("");
  const keywords = given.map(([name, value]) => `, ${name}=${python(value)}`).join("");
  return {
    cli: `rung view${words} --json ${operands(study, view)}`,
    python: `import rung\n\nrung.load(${pythonQuoted(study)}).view(${pythonQuoted(view)}${keywords})`,
    rest: curl(
      origin,
      `/api/studies/${encodeURIComponent(study)}/views/${encodeURIComponent(view)}`,
      options,
    ),
  };
}

/** How to get the table's rows elsewhere. */
export function trialsTexts(study: string, where: string, sort: string, origin: string): CopyTexts {
  const options: [string, string][] = [];
  if (where) options.push(["where", where]);
  if (sort) options.push(["sort", sort]);
  // With "=" a value that begins with a dash stays a value.
  const words = options.map(([name, value]) => ` --${name}=${shellQuoted(value)}`).join("");
  const keywords = options.map(([name, value]) => `${name}=${pythonQuoted(value)}`).join(", ");
  return {
    cli: `rung trials${words} --json ${operands(study)}`,
    python: `import rung\n\nrung.load(${pythonQuoted(study)}).rows(${keywords})`,
    rest: curl(origin, `/api/studies/${encodeURIComponent(study)}/trials`, { where, sort }),
  };
}

/** How to get what is known of a study elsewhere. */
export function studyTexts(study: string, origin: string): CopyTexts {
  return {
    cli: `rung show --json ${operands(study)}`,
    python: `import subprocess\n\nsubprocess.run(["rung", "show", "--json", "--", ${pythonQuoted(study)}])`,
    rest: curl(origin, `/api/studies/${encodeURIComponent(study)}`, {}),
  };
}
