"""Why a trial is held, ended, or goes on, in words: numbers as the user knows them, in the direction of the metric."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rung.model import Reason, to_wire
from rung.schedule.ranking import BROKEN, FEASIBLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.model import Objective
    from rung.schedule.base import Contest
    from rung.schedule.rungs import Rung

MOST_NAMED = 5


def shown(objective: Objective, loss: float) -> float:
    """A loss as it was reported: a maximised metric with its own sign, a metric with a target as its distance to it.
    NaN for +inf, which stands for whatever is no usable number."""
    if loss == math.inf:
        return math.nan
    return 0.0 - loss if objective.goal == "maximize" else loss


def named(objective: Objective, loss: float) -> str:
    """The metric and its value: `accuracy 0.93`, `loss no number`, `|loss - 0.5| 0.02`."""
    metric = objective.metric
    if not isinstance(objective.goal, str):
        metric = f"|{metric} - {objective.goal:g}|"
    return f"{metric} {figure(shown(objective, loss))}"


def figure(value: float) -> str:
    """A number with as many digits as are read at a glance."""
    return "no number" if value != value else f"{value:.6g}"


def trials(numbers: Sequence[int]) -> str:
    """`trial 3`, `trials 3, 7`."""
    return ("trial " if len(numbers) == 1 else "trials ") + ", ".join(map(str, numbers))


class Verdicts:
    """The reasons of one rule that compares trials at rungs. `rule`: its name, `resource`: what the study counts in."""

    def __init__(self, contest: Contest, rule: str) -> None:
        self.rule, self.objectives = rule, contest.objectives
        self.resource = contest.schedule.resource or "step"

    def cut(
        self, rung: Rung, number: int, step: float, losses: Sequence[float], *, bracket: int = 0, then: str = ""
    ) -> Reason:
        """The trial is not among those of the rung that go on; `then` is what becomes of it, if it is not ended."""
        ahead = rung.ranking.best(min(MOST_NAMED, rung.ranking.place(number)))
        text = f"{self._where(rung, step)}: {self._behind(rung, number, losses)}"
        if ahead:
            text += f"; {'behind' if then else 'lost to'} {trials(ahead)}"
        if then:
            text += f"; {then}"
        return self._reason(text, self._data(rung, losses, bracket, lost_to=ahead))

    def waits(
        self, rung: Rung, number: int, step: float, losses: Sequence[float], *, bracket: int, then: str
    ) -> Reason:
        """The trial is in the rung; what it is worth will be known when others are: `then` says when."""
        place = rung.ranking.place(number)
        text = (
            f"{self._where(rung, step)}: {self._values(losses)} is {_ordinal(place + 1)} of {len(rung)} so far; {then}"
        )
        ahead = rung.ranking.best(min(MOST_NAMED, place))
        return self._reason(text, self._data(rung, losses, bracket, lost_to=ahead))

    def kept(self, rung: Rung, number: int, losses: Sequence[float], to: float | None, *, bracket: int = 0) -> Reason:
        """The trial is, and goes on up to `to`."""
        place, count = rung.ranking.place(number) + 1, len(rung)
        until = "to its end" if to is None else f"to {self.resource} {to:g}"
        text = f"{self.resource} {rung.level:g} of rung {rung.index}: {_ordinal(place)} of {count}, goes on {until}"
        return self._reason(text, self._data(rung, losses, bracket))

    def on(self, to: float | None) -> Reason:
        """The trial was held short of its rung, and goes on to it."""
        until = "to its end" if to is None else f"to {self.resource} {to:g}"
        return self._reason(f"was held on its way; goes on {until}", {"rule": self.rule, "resource": to})

    def full(self, step: float, top: float) -> Reason:
        """The trial has had all the resource that there is."""
        data = {"rule": self.rule, "resource": step, "max": top}
        return self._reason(f"at {self.resource} {step:g}: has had all of the {top:g} that a trial gets", data)

    def _values(self, losses: Sequence[float]) -> str:
        return ", ".join(named(o, loss) for o, loss in zip(self.objectives, losses, strict=True))

    def _where(self, rung: Rung, step: float) -> str:
        return f"at {self.resource} {step:g} of rung {rung.index}"

    def _behind(self, rung: Rung, number: int, losses: Sequence[float]) -> str:
        best = f"the best {rung.share:.0%} of {len(rung)}"
        key, threshold = rung.ranking.key(number), rung.threshold()
        if key.tier == BROKEN:
            return f"breaks its bounds by {key.value:.6g}, not among {best}"
        if len(self.objectives) > 1 or threshold is None:
            place = rung.ranking.place(number) + 1
            return f"{self._values(losses)} is {_ordinal(place)}, not among {best}"
        objective = self.objectives[0]
        if key.tier != FEASIBLE or threshold == math.inf or losses[0] <= threshold:
            return f"{named(objective, losses[0])} is not among {best}"
        side = "below" if objective.goal == "maximize" else "above"
        return f"{named(objective, losses[0])} is {side} {figure(shown(objective, threshold))}, {best}"

    def _data(
        self, rung: Rung, losses: Sequence[float], bracket: int, *, lost_to: Sequence[int] | None = None
    ) -> dict[str, Any]:
        values = [to_wire(shown(o, loss)) for o, loss in zip(self.objectives, losses, strict=True)]
        threshold = rung.threshold()
        data: dict[str, Any] = {
            "rule": self.rule,
            "bracket": bracket,
            "rung": rung.index,
            "resource": rung.level,
            "value": values[0] if len(values) == 1 else values,
            "threshold": None if threshold is None else to_wire(shown(self.objectives[0], threshold)),
        }
        return data if lost_to is None else {**data, "lost_to": list(lost_to)}

    def _reason(self, text: str, data: dict[str, Any]) -> Reason:
        return Reason(by=self.rule, text=text, data=data)


def _ordinal(place: int) -> str:
    ending = "th" if place % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending}"
