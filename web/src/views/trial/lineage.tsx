import { Text, useComputedColorScheme } from "@mantine/core";
import { Link } from "wouter";
import { palette } from "../../plots/palette.ts";
import { familyTree, type Tree } from "./familytree.ts";
import { Section } from "./section.tsx";
import type { Detail, Wire } from "./types.ts";
import { number } from "./words.ts";

const WIDTH = 132;
const GAP = 34;
const HEIGHT = 40;
const ROW = 50;

/** Where the trial came from and what came from it. */
export function Lineage({ detail }: { detail: Detail }) {
  const { lineage, record } = detail;
  const tree = familyTree(detail);
  const { origin, promotions } = lineage;
  return (
    <Section title="Lineage" name="lineage">
      <Text size="sm" style={{ overflowWrap: "anywhere" }}>
        {lineage.by === "" ? "" : `Proposed by ${lineage.by}: ${lineage.why}.`}
        {origin !== null && ` It began from checkpoint ${origin.checkpoint} of trial ${origin.trial}.`}
        {tree === null && " It was cloned from no other trial, and none was cloned from it."}
      </Text>
      {promotions.length > 0 && (
        <Text size="sm" mt={4}>
          Let go on {promotions.length === 1 ? "once" : `${promotions.length} times`}:{" "}
          {promotions
            .slice(-12)
            .map((one) => (one.to === null ? "to its end" : `to ${detail.resource} ${number(one.to)}`))
            .join(", then ")}
          .
        </Text>
      )}
      {tree !== null && (
        <Drawn tree={tree} study={detail.study} label={`The family of trial ${record.number}`} />
      )}
    </Section>
  );
}

function Drawn({ tree, study, label }: { tree: Tree; study: string; label: string }) {
  const colours = palette(useComputedColorScheme("light"));
  const left = (column: number) => column * (WIDTH + GAP) + 1;
  const top = (row: number) => row * ROW + 1;
  const width = tree.columns * (WIDTH + GAP) - GAP + 2;
  return (
    <nav aria-label={label} style={{ overflowX: "auto" }} tabIndex={0}>
      <div style={{ position: "relative", width, height: tree.rows * ROW, marginTop: 8 }}>
        <svg width={width} height={tree.rows * ROW} aria-hidden style={{ position: "absolute", inset: 0 }}>
          {tree.links.map(([from, to]) => {
            const [one, other] = [tree.kin[from], tree.kin[to]];
            if (one === undefined || other === undefined) return null;
            const [x0, y0] = [left(one.column) + WIDTH, top(one.row) + HEIGHT / 2];
            const [x1, y1] = [left(other.column), top(other.row) + HEIGHT / 2];
            const middle = (x0 + x1) / 2;
            return (
              <path
                key={`${from}-${to}`}
                d={`M${x0} ${y0}C${middle} ${y0} ${middle} ${y1} ${x1} ${y1}`}
                fill="none"
                stroke={colours.faint}
              />
            );
          })}
        </svg>
        {tree.kin.map((one) => (
          <Link
            key={`${one.column}-${one.number}`}
            href={`/studies/${encodeURIComponent(study)}/trials/${one.number}`}
            aria-current={one.me ? "page" : undefined}
            style={{
              position: "absolute",
              left: left(one.column),
              top: top(one.row),
              width: WIDTH,
              height: HEIGHT,
              padding: "1px 8px",
              fontSize: 12,
              lineHeight: "18px",
              borderRadius: 4,
              textDecoration: "none",
              color: colours.ink,
              background: colours.ground,
              border: `${one.me ? 2 : 1}px solid ${colours.states[one.state] ?? colours.faint}`,
              overflow: "hidden",
              whiteSpace: "nowrap",
              textOverflow: "ellipsis",
            }}
          >
            <strong>trial {one.number}</strong>
            <br />
            {one.state}
            {one.value === null ? "" : `, ${number(one.value as Wire)}`}
          </Link>
        ))}
      </div>
      {tree.more !== "" && (
        <Text size="xs" c="dimmed">
          {tree.more}
        </Text>
      )}
    </nav>
  );
}
