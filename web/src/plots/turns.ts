/** A plot's drawing, in steps that are taken in this order. */
const STEPS = ["option", "zoom", "cursor", "area", "spans"] as const;
type Step = (typeof STEPS)[number];
type Steps = Partial<Record<Step, () => void>>;

/** Calls back when there is a moment to draw in, once for each call. */
type AskForMoment = (callback: () => void) => unknown;

/**
 * Drawings that wait for their turn, one plot a moment: a change that concerns all plots of a page costs no frame much
 * more than its dearest plot. What a plot has not drawn yet is replaced by what it is to draw now.
 */
export class Turns {
  private readonly waiting = new Map<object, Steps>();
  private asked = false;
  private readonly askForMoment: AskForMoment;

  constructor(askForMoment: AskForMoment) {
    this.askForMoment = askForMoment;
  }

  /** The plot will take this step at its turn, in place of one of this kind that still waits. */
  add(plot: object, step: Step, take: () => void): void {
    this.waiting.set(plot, { ...this.waiting.get(plot), [step]: take });
    this.ask();
  }

  /** The plot is gone: its steps are forgotten. */
  drop(plot: object): void {
    this.waiting.delete(plot);
  }

  private ask(): void {
    if (this.asked || this.waiting.size === 0) return;
    this.asked = true;
    this.askForMoment(() => {
      this.asked = false;
      const [first] = this.waiting;
      if (first === undefined) return;
      const [plot, steps] = first;
      this.waiting.delete(plot);
      this.ask(); // before the drawing: one that fails must not stop the others
      for (const step of STEPS) steps[step]?.();
    });
  }
}
