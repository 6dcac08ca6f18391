/** The clock that a pace goes by: replaced in tests. */
export type Clock = { now: () => number; later: (what: () => void, ms: number) => unknown };

const CLOCK: Clock = { now: () => performance.now(), later: (what, ms) => setTimeout(what, ms) };

/** How often `act` is called: `least` ms apart, and `rest` times as long as it took apart, up to `most` ms. */
export type Gaps = { least: number; most: number; rest: number };

/**
 * A function that has `act` called soon: at once when it was not for a while, else as soon as that is over; many calls
 * meanwhile are one. What takes long is done less often, so that it never takes more than a part of the machine.
 * `ready` is waited for first, and does not count.
 */
export function paced(
  act: () => Promise<unknown>,
  { least, most, rest }: Gaps,
  ready: () => Promise<unknown> = () => Promise.resolve(),
  clock = CLOCK,
): () => void {
  let next = -Infinity;
  let acting = false;
  let wanted = false;
  const done = (began: number) => () => {
    acting = false;
    next = began + Math.min(most, Math.max(least, rest * (clock.now() - began)));
    if (wanted) look();
  };
  const look = () => {
    wanted = true;
    if (acting) return;
    acting = true;
    const left = next - clock.now();
    if (left > 0) clock.later(start, left);
    else start();
  };
  const start = () => {
    void ready().then(() => {
      wanted = false;
      const end = done(clock.now());
      return act().then(end, end);
    });
  };
  return look;
}
