"""The reasons for what a bracket decides: values as they were reported; rungs and brackets are counted from 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rung.model import Reason, to_wire
from rung.schedule.ranking import BROKEN
from rung.schedule.reasons import named, shown, trials

if TYPE_CHECKING:
    from rung.schedule.adaptive.bracket import Dropped, Parked, Promoted, Standing
    from rung.schedule.adaptive.brackets import Shape
    from rung.schedule.adaptive.order import Mark
    from rung.schedule.base import Contest

RULE = "adaptive"


class Words:
    """How one scheduler speaks of its brackets, which have these `shapes`. `resource`: what the study counts in."""

    def __init__(self, contest: Contest, shapes: list[Shape]) -> None:
        self.objectives, self.shapes = contest.objectives, shapes
        self.resource = contest.schedule.resource or "step"

    def complete(self, top: float) -> Reason:
        """The trial had everything."""
        text = f"at {self.resource} {top:g}: has had all that a trial gets"
        return Reason(by=RULE, text=text, data={"rule": RULE, "resource": top})

    def dropped(self, bracket: int, move: Dropped) -> Reason:
        """It is ended."""
        return self._behind(bracket, move.standing, "lost to", "")

    def parked(self, bracket: int, move: Parked) -> Reason:
        """It is held until it is known whether it goes on."""
        return self._behind(bracket, move.standing, "behind", "; held until more is known")

    def promoted(self, bracket: int, move: Promoted) -> Reason:
        """It goes on."""
        to = self.shapes[bracket].units[move.rung]
        text = f"{self._place(bracket, move.standing)}; goes on to {self.resource} {to}"
        return Reason(by=RULE, text=text, data=self._data(bracket, move.standing))

    def invalid(self) -> Reason:
        """Its program says that it cannot be run with these parameters."""
        return Reason(by=RULE, text="its parameters are not valid: another trial takes its place", data={"rule": RULE})

    def on_its_way(self) -> Reason:
        """It was held, though nothing was against it."""
        return Reason(by=RULE, text="goes on: it was held on its way to its next rung", data={"rule": RULE})

    def _behind(self, bracket: int, standing: Standing, how: str, then: str) -> Reason:
        ahead = list(standing.ahead)
        text = self._place(bracket, standing) + (f"; {how} {trials(ahead)}" if ahead else "") + then
        return Reason(by=RULE, text=text, data={**self._data(bracket, standing), "lost_to": ahead})

    def _place(self, bracket: int, standing: Standing) -> str:
        units = self.shapes[bracket].units[standing.rung]
        start = f"at {self.resource} {units} of rung {standing.rung}: {self._value(standing.mark)}"
        if standing.keep == 0:
            return f"{start} is one of {standing.of}, too few to let one go on"
        number = f"{start} is number {standing.place + 1} of {standing.of}"
        best = "the best goes on" if standing.keep == 1 else f"the best {standing.keep} go on"
        if standing.planned is not None and standing.of < standing.planned:
            return f"{number} so far; of {standing.planned} {best}"
        upto = "" if standing.threshold is None else f", up to {self._value(standing.threshold)}"
        return f"{number}, of which {best}{upto}"

    def _value(self, mark: Mark) -> str:
        if mark.tier == BROKEN:
            return f"bounds broken by {mark.violation:.6g}"
        if len(mark.losses) != len(self.objectives):
            return "no result"
        return ", ".join(named(o, loss) for o, loss in zip(self.objectives, mark.losses, strict=True))

    def _data(self, bracket: int, standing: Standing) -> dict[str, Any]:
        return {
            "rule": RULE,
            "bracket": bracket,
            "rung": standing.rung,
            "resource": self.shapes[bracket].units[standing.rung],
            "value": self._numbers(standing.mark),
            "threshold": None if standing.threshold is None else self._numbers(standing.threshold),
        }

    def _numbers(self, mark: Mark) -> Any:
        """The values as they were reported: one number, or a list where there are several objectives."""
        values = [to_wire(shown(o, loss)) for o, loss in zip(self.objectives, mark.losses, strict=False)]
        return values[0] if len(self.objectives) == 1 and values else values
