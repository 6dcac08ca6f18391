import { memo, type CSSProperties, type ReactNode } from "react";
import { parsed, type Look, type Piece } from "./ansi.ts";
import { places } from "./logtext.ts";

/** The characters of one line, coloured as its program wanted, with what is sought marked. */
export const LogLine = memo(function LogLine(props: { text: string; look: Look; sought: string }) {
  const { pieces } = parsed(props.text, props.look);
  const found = props.sought === "" ? [] : places(pieces.map((piece) => piece.text).join(""), props.sought);
  if (found.length === 0) return pieces.map((piece, at) => <Drawn key={at} piece={piece} />);
  return marked(pieces, found).map(([piece, hit], at) => {
    const drawn = <Drawn key={at} piece={piece} />;
    return hit ? <mark key={at}>{drawn}</mark> : drawn;
  });
});

function Drawn({ piece }: { piece: Piece }): ReactNode {
  const style = styled(piece.look);
  return style === null ? piece.text : <span style={style}>{piece.text}</span>;
}

/** The pieces cut where something that is sought begins and ends. */
function marked(pieces: readonly Piece[], found: readonly [number, number][]): [Piece, boolean][] {
  const cut: [Piece, boolean][] = [];
  let at = 0;
  for (const { text, look } of pieces) {
    let from = 0;
    for (const [begin, end] of found) {
      const [low, high] = [Math.max(begin - at, from), Math.min(end - at, text.length)];
      if (low >= high) continue;
      if (low > from) cut.push([{ text: text.slice(from, low), look }, false]);
      cut.push([{ text: text.slice(low, high), look }, true]);
      from = high;
    }
    if (from < text.length) cut.push([{ text: text.slice(from), look }, false]);
    at += text.length;
  }
  return cut;
}

function colour(name: string | null): string | undefined {
  if (name === null) return undefined;
  return name.startsWith("#") ? name : `var(--ansi-${name})`;
}

function styled(look: Look): CSSProperties | null {
  const { bold, dim, italic, underline, strike, inverse } = look;
  if (!bold && !dim && !italic && !underline && !strike && !inverse && look.fg === null && look.bg === null) {
    return null;
  }
  const [fg, bg] = [colour(look.fg), colour(look.bg)];
  const ground = "var(--mantine-color-body)";
  return {
    color: inverse ? (bg ?? ground) : (fg ?? (bg === undefined ? undefined : ground)),
    backgroundColor: inverse ? (fg ?? "currentColor") : bg,
    ...(inverse && fg === undefined && { color: ground, backgroundColor: "var(--mantine-color-text)" }),
    fontWeight: bold ? 700 : undefined,
    opacity: dim ? 0.7 : undefined,
    fontStyle: italic ? "italic" : undefined,
    textDecoration:
      [underline ? "underline" : "", strike ? "line-through" : ""].join(" ").trim() || undefined,
  };
}
