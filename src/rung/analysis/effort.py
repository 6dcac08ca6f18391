"""How much work a study is, from the brackets that its scheduler plans and what a unit of its resource takes."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from rung.analysis.records import whole
from rung.analysis.trajectories import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.schedule.base import Bracket


class Work(msgspec.Struct, frozen=True):
    """Resource that all trials use together: as `planned`, and in `full` where each went to the top of its bracket."""

    planned: float
    full: float


class Speed(msgspec.Struct, frozen=True):
    """What one trial took: `startup`, seconds that do not depend on how far it goes (until its first step begins, and
    after its last one), and `unit`, seconds a unit of resource; 0 where it did not report enough to tell."""

    startup: float
    unit: float

    def seconds(self, trials: float, resource: float) -> float:
        """Of so many trials that use so much resource together."""
        return self.startup * trials + self.unit * resource


def bracket_records(brackets: Sequence[Bracket]) -> list[dict[str, Any]]:
    """The brackets as `rung plan --json` shows them: `rungs` are the resources, `levels` say how many trials reach
    each."""
    return [
        {
            "trials": bracket.trials,
            "rungs": [whole(level.resource) for level in bracket.levels],
            "levels": [{"trials": level.trials, "resource": whole(level.resource)} for level in bracket.levels],
        }
        for bracket in brackets
    ]


def work_of(brackets: Sequence[Bracket]) -> Work | None:
    """What the brackets use if a trial that goes on goes on from where it was; None where no rungs are planned."""
    leveled = [bracket for bracket in brackets if bracket.levels]
    if not leveled:
        return None
    planned = sum(
        level.trials * (level.resource - before)
        for bracket in leveled
        for before, level in zip([0.0, *(one.resource for one in bracket.levels)], bracket.levels, strict=False)
    )
    return Work(planned, sum(bracket.trials * bracket.levels[-1].resource for bracket in leveled))


def bracket_lines(brackets: Sequence[Bracket], unit: str) -> list[str]:
    """A line a bracket: `24 trials to 64 batches, 6 to 256, 2 to 1024`; equal ones in a row are one line. `unit`: what
    the schedule counts in, in the singular."""
    lines = []
    for bracket, equal in itertools.groupby(bracket for bracket in brackets if bracket.levels):
        count = len(list(equal))
        first, *rest = bracket.levels
        trials = f"{first.trials} trial{'s' * (first.trials != 1)}"
        words = [f"{trials} to {whole(first.resource)} {unit if first.resource == 1 else plural(unit)}"]
        words += [f"{level.trials} to {whole(level.resource)}" for level in rest]
        lines.append((f"{count} x " if count > 1 else "") + ", ".join(words))
    return lines


def speed_of(steps: Sequence[float], seconds: Sequence[float], *, duration: float) -> Speed:
    """The speed of a trial of so many seconds that reported these `steps`, so many `seconds` after its start: the slope
    of the least-squares line through them."""
    x, y = np.asarray(steps, dtype=np.float64), np.asarray(seconds, dtype=np.float64)
    if len(x) < 2 or np.ptp(x) == 0:
        return Speed(duration, 0.0)
    spread = x - x.mean()
    unit = max(0.0, float(spread @ y / (spread @ spread)))
    return Speed(max(0.0, duration - unit * float(x.max())), unit)


def mean_speed(speeds: Sequence[Speed]) -> Speed:
    """Of several trials the mean of both."""
    return Speed(float(np.mean([s.startup for s in speeds])), float(np.mean([s.unit for s in speeds])))
