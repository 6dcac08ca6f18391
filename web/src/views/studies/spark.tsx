import { number } from "../../shared/format.ts";
import { steps } from "./sparkline.ts";
import type { Row } from "./rows.ts";

const WIDTH = 110;
const HEIGHT = 24;

/** How the best value came down, or up, over the trials. */
export function Spark({ study }: { study: Row }) {
  const path = steps(study.line, WIDTH, HEIGHT);
  if (path === "") return <span className="faint">–</span>;
  const [from, to] = [study.line[0], study.line.at(-1)];
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      style={{ flex: "0 1 auto", minWidth: 0 }}
      role="img"
      aria-label={`best ${study.metric ?? "value"} so far: from ${number(from)} to ${number(to)}`}
    >
      <path d={path} fill="none" stroke="var(--state-running)" strokeWidth="1.5" strokeLinejoin="round" />
    </svg>
  );
}
