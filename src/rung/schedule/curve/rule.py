"""Ends a trial that has next to no chance of ending among the best, judged by its learning curve."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import numpy as np

from rung.model import MethodOption, defaults
from rung.schedule.curve.calibration import is_measured, measured_share
from rung.schedule.curve.record import Finished, Prospect, Record
from rung.schedule.curve.track import Track, looks
from rung.schedule.options import MAX, Options
from rung.schedule.rungs import result
from rung.schedule.watch import Watch

if TYPE_CHECKING:
    from rung.model import Stop
    from rung.schedule.base import Contest, Ended, Progress
    from rung.schedule.curve.model import Array


class _Runner(msgspec.Struct):
    """A trial that may run: the curve of each objective, whether it is let run to the end in any case, and by how much
    it broke its bounds when it last reported."""

    tracks: list[Track]
    measured: bool
    violation: float = 0.0

    def shows(self) -> Array:
        """What it showed at its last look, (objectives, FEATURES)."""
        return np.array([track.seen[-1] for track in self.tracks])


class Curve(Watch):
    """Learning-curve extrapolation: ends a trial that has next to no chance of ending among the `top` best.

    At up to 18 looks, evenly in log resource from 1/64 of `max` on, the value at `max` is predicted (`extrapolate`,
    `model`). The trial ends when its chance to be, there, among the `top` best of the finished trials is under a level
    that is calibrated on the study's own record (`calibration`): of the trials that would, run to the end, be among the
    `top` best of the study at that moment, a share of at most `alpha` is stopped. (The share of wrong stops among all
    stops is far smaller.) `population`: so many trials must have been run to the end before any is stopped. `measure`:
    this share of the first trials, and less and less of later ones, is never stopped, so that the record knows of those
    that it would have stopped.

    A curve is what the objective's `value:` picks as the trial goes on: with `value: best` the best so far. Several
    objectives: a trial ends when it is as certain as that, that `top` finished ones will dominate it. Bounds never end
    a trial, since they may yet be kept: it is judged by its objectives; trials that broke one stand in nobody's way.
    """

    rule: ClassVar[str] = "curve"
    declared: ClassVar[dict[str, MethodOption]] = {
        "max": MAX,
        "alpha": MethodOption(0.05, "Of the trials that would end among the best, the share that may be ended"),
        "top": MethodOption(1, "How many count as the best"),
        "population": MethodOption(10, "So many trials must have run to the end before any is ended"),
        "measure": MethodOption(0.1, "The share of the first trials that is never ended, to learn from"),
    }
    options: ClassVar[dict[str, Any]] = defaults(declared)

    def __init__(self, contest: Contest) -> None:
        super().__init__(contest)
        options = Options(contest)
        if self.top is None:
            raise options.error("max", "how far a trial can go must be known, to predict where it ends: give `max`")
        self.maximum = float(self.top)
        self.alpha = options.number("alpha", 0.05, above=0, below=1)
        self.count = options.whole("top", 1)
        self.population = options.whole("population", 10, least=4)
        self.measure = options.number("measure", 0.1, least=0, most=1)
        self.seed = contest.seed
        self.at = looks(self.maximum)
        self.record = Record(self.alpha, self.count, len(self.objectives))
        self._runners: dict[int, _Runner] = {}

    def judge(self, progress: Progress) -> Stop | None:
        """The trial's curve is longer; where it passed a look it is judged there."""
        losses = result(progress)
        if losses is None:
            return None
        runner = self._runners.get(progress.number)
        if runner is None:
            measured = is_measured(self.measure, progress.number, self.seed)
            runner = _Runner([Track(self.maximum, self.at) for _ in losses], measured)
            self._runners[progress.number] = runner
        runner.violation = progress.violation
        passed = [track.add(progress.step, loss) for track, loss in zip(runner.tracks, losses, strict=True)]
        level = self._level() if passed[0] and not runner.measured else 0.0
        if level == 0:
            return None
        look, shown = len(runner.tracks[0].seen) - 1, runner.shows()
        prospect = self.record.prospect(look, shown)
        if prospect.chance >= level:
            return None
        return self._end(progress, losses, prospect, self.record.expected(look, shown))

    def forget(self, ended: Ended) -> None:
        """A trial that ended by itself joins the record."""
        runner = self._runners.pop(ended.number, None)
        if runner is None or ended.losses is None or self.cut_short(ended.number):
            return
        trial = Finished(
            ended.number,
            ended.losses,
            np.array([track.to_the_end() for track in runner.tracks]),
            1 / measured_share(self.measure, ended.number) if runner.measured else 1.0,
            0.0 if runner.measured else self._level(),
            runner.violation == 0 and all(map(math.isfinite, ended.losses)),
        )
        self.record.add(trial)

    def _level(self) -> float:
        """The chance below which a trial is stopped; 0 before enough have finished."""
        return self.record.level() if self.record.count >= self.population else 0.0

    def _end(self, progress: Progress, losses: tuple[float, ...], prospect: Prospect, expected: list[float]) -> Stop:
        level = self.record.level()
        last = prospect.ahead[-1]
        best = "the best" if self.count == 1 else f"the best {self.count}"
        text = (
            f"{self.named(losses)}, expected to end at {self.named(expected)} where {best} of "
            f"{self.record.count} finished reached {self.named(last.losses)}; its chance of {prospect.chance:.2g} is "
            f"under {level:.2g}, which keeps wrong stops under {self.alpha:g}"
        )
        return self.stop(
            progress,
            text,
            value=self.shown(losses),
            threshold=self.shown(last.losses),
            lost_to=[trial.number for trial in prospect.ahead[:5]],
            chance=prospect.chance,
            level=level,
            alpha=self.alpha,
        )

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        best = "the best" if self.count == 1 else f"the best {self.count}"
        return (
            f"curve: ends a trial whose learning curve has next to no chance of ending among {best} by {self.unit} "
            f"{self.maximum:g}; of those that would, at most {self.alpha:.0%} are lost; the first {self.population} "
            "run to the end"
        )


__all__ = ["Curve"]
