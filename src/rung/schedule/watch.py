"""The base of the rules that look at each report of a running trial and end it or let it go on.

A rule says in `judge` what follows from a report, and keeps there whatever it wants to know of it. The base sees that a
trial is told once, that nobody is ended who has had all the resource (there is nothing left to save), and who ran past
the most resource there is ends as complete.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from rung.model import Continue, Pause, Reason, Stop, to_wire
from rung.schedule.base import Ask, Bracket, Ended, Progress
from rung.schedule.options import Options
from rung.schedule.reasons import Verdicts, named, shown, trials
from rung.schedule.rungs import limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from rung.schedule.base import Contest, Delta, Next


class Watch(ABC):
    """A scheduler that ends running trials by a rule."""

    rule: ClassVar[str]
    options: ClassVar[dict[str, Any]]

    def __init__(self, contest: Contest) -> None:
        self.objectives = contest.objectives
        self.unit = contest.schedule.resource or "step"
        self.top = limit(contest)
        self._verdicts = Verdicts(contest, self.rule)
        self._told: dict[int, Stop] = {}

    @abstractmethod
    def judge(self, progress: Progress) -> Stop | None:
        """The report is part of the rule's state; the stop that follows from it, if any."""

    @abstractmethod
    def forget(self, ended: Ended) -> None:
        """The trial is final: what is kept of a running one can go."""

    def observe(self, deltas: Sequence[Delta]) -> list[Stop | Pause | Continue]:
        """The stops that the reports call for, each trial told once."""
        found: dict[int, Stop] = {}
        for delta in deltas:
            if isinstance(delta, Progress):
                stop = self._beyond(delta, self.judge(delta))
                if stop is not None and delta.number not in self._told:
                    found[delta.number] = self._told[delta.number] = stop
            elif isinstance(delta, Ended):
                self.forget(delta)
                found.pop(delta.number, None)
                self._told.pop(delta.number, None)  # a user may try it again
        return list(found.values())

    def cut_short(self, number: int) -> bool:
        """Whether the trial, which ends now, was told to do so before it was complete."""
        return number in self._told and not self._told[number].complete

    def next(self, number: int, rng: np.random.Generator) -> Next:
        """Whatever the searcher proposes; it may run to the top."""
        return Ask(resource=self.top)

    def levels(self) -> Sequence[float]:
        """There are no rungs: results are compared wherever they are reported."""
        return ()

    def brackets(self, trials: int | None) -> list[Bracket]:
        """All trials begin alike, and nothing says beforehand who is ended."""
        return [] if trials is None else [Bracket(trials, ())]

    @abstractmethod
    def describe(self) -> str:
        """One sentence for `rung plan`."""

    def _beyond(self, progress: Progress, stop: Stop | None) -> Stop | None:
        if self.top is None or progress.step < self.top or (stop is not None and stop.complete):
            return stop
        if progress.step == self.top:  # a program ends there by itself
            return None
        return Stop(trial=progress.number, reason=self._verdicts.full(progress.step, self.top), complete=True)

    def stop(
        self,
        progress: Progress,
        text: str,
        *,
        value: Sequence[float],
        threshold: Sequence[float] | None,
        lost_to: Sequence[int] = (),
        complete: bool = False,
        **more: float | str | None,
    ) -> Stop:
        """The trial ends here, for a reason that names all its parts. `value` and `threshold`: in the direction of the
        metric, one number an objective that was looked at; `more` goes to the reason's data."""
        text = f"at {self.unit} {progress.step:g}: {text}"
        if lost_to:
            text += f"; lost to {trials(lost_to)}"
        data = {
            "rule": self.rule,
            "rung": None,
            "resource": progress.step,
            "value": _wire(value),
            "threshold": None if threshold is None else _wire(threshold),
            "lost_to": list(lost_to),
            **more,
        }
        return Stop(trial=progress.number, reason=Reason(by=self.rule, text=text, data=data), complete=complete)

    def shown(self, losses: Sequence[float]) -> list[float]:
        """The losses of all objectives as they were reported."""
        return [shown(o, loss) for o, loss in zip(self.objectives, losses, strict=True)]

    def named(self, losses: Sequence[float]) -> str:
        """All objectives with their values."""
        return ", ".join(named(o, loss) for o, loss in zip(self.objectives, losses, strict=True))

    def worse(self, objective: int) -> str:
        """The word for a worse value of this objective, as the user sees it."""
        return "below" if self.objectives[objective].goal == "maximize" else "above"


def _wire(values: Sequence[float]) -> Any:
    return to_wire(values[0]) if len(values) == 1 else [to_wire(value) for value in values]


class WatchOne(Watch):
    """A rule that looks at one objective, which the option `metric` names (the first by default), in no comparison with
    other trials. `grace`: the resource from which on it holds."""

    def __init__(self, contest: Contest) -> None:
        super().__init__(contest)
        options = Options(contest)
        known = [objective.metric for objective in contest.objectives]
        self.index = known.index(options.word("metric", known[0], known))
        self.objective = self.objectives[self.index]
        self.grace = options.number("grace", 0, least=0)


def losses_of(progress: Progress) -> tuple[float, ...] | None:
    """The objectives in this very report; None when one is missing: it neither counts nor decides."""
    found = tuple(math.inf if loss is None or loss != loss else loss for loss in progress.losses)
    return None if None in progress.losses or not found else found


__all__ = ["Watch", "WatchOne", "losses_of"]
