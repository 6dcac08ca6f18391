/** The token in the fragment of an address, and the fragment without it; the token is "" where there is none. */
export function tokenIn(hash: string): { token: string; rest: string } {
  const words = new URLSearchParams(hash.replace(/^#/, ""));
  const token = words.get("token") ?? "";
  words.delete("token");
  const rest = words.toString();
  return { token, rest: token === "" ? hash : rest === "" ? "" : `#${rest}` };
}

/** The token that somebody means who pastes it, or the whole address that holds it. */
export function tokenMeant(text: string): string {
  const words = text.trim();
  const fragment = words.indexOf("#");
  return fragment < 0 ? words : tokenIn(words.slice(fragment)).token;
}
