/** The clock that a pace goes by: replaced in tests. */
export type Clock = { now: () => number; later: (what: () => void, ms: number) => unknown };

const CLOCK: Clock = { now: () => performance.now(), later: (what, ms) => setTimeout(what, ms) };

/**
 * A function that has `act` called soon: at once when it was not for `gap` ms, else as soon as that is over; many calls
 * meanwhile are one. While `busy` holds (answers to the last time are still on their way) it waits on.
 */
export function paced(
  act: () => void,
  gap: number,
  busy: () => boolean = () => false,
  clock = CLOCK,
): () => void {
  let last = -Infinity;
  let planned = false;
  const look = () => {
    const left = last + gap - clock.now();
    if (left > 0 || busy()) {
      planned = true;
      clock.later(look, Math.max(left, gap / 4));
      return;
    }
    planned = false;
    last = clock.now();
    act();
  };
  return () => {
    if (!planned) look();
  };
}
