"""Why a trial goes on, waits, ends or begins, in words and numbers; losses as the user knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rung.model import Reason, to_wire
from rung.schedule.reasons import figure, named, shown, trials

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.schedule.base import Contest

RULE = "auto"


class Forecast:
    """What is predicted of one trial: the `loss` it ends with, its standard deviation `sd`, and the `chance` that it is
    better than the best so far."""

    def __init__(self, loss: float, sd: float, chance: float) -> None:
        self.loss, self.sd, self.chance = loss, sd, chance


class Words:
    """The reasons of this rule."""

    def __init__(self, contest: Contest) -> None:
        self.objective = contest.objectives[0]
        self.resource = contest.schedule.resource or "step"

    def first(self, step: float, loss: float, known: int, initial: int) -> Reason:
        """Held, since too little is known to choose."""
        text = f"at {self.resource} {step:g}: waits until {initial} configurations have been looked at, {known} are"
        return Reason(by=RULE, text=text, data=self._data(step, loss, None, (), None))

    def on(self, step: float, to: float, forecast: Forecast, best: float) -> Reason:
        """It goes on."""
        text = f"at {self.resource} {step:g}: {self._expects(forecast)}; goes on to {self.resource} {to:g}"
        return Reason(by=RULE, text=text, data=self._data(step, None, best, (), forecast))

    def held(
        self, step: float, loss: float, forecast: Forecast, best: float, ahead: Sequence[int], new: bool
    ) -> Reason:
        """Others are worth more."""
        given = " and ".join([trials(ahead)] * bool(ahead) + ["a new configuration"] * new)
        text = f"at {self.resource} {step:g}: {self._expects(forecast)}; gives way to {given}"
        return Reason(by=RULE, text=text, data=self._data(step, loss, best, ahead, forecast))

    def ended(self, step: float, loss: float, forecast: Forecast, best: float, holder: Sequence[int]) -> Reason:
        """It has hardly a chance."""
        against = f"; lost to {trials(holder)}, {named(self.objective, best)}" if holder else ""
        text = f"at {self.resource} {step:g}: {self._expects(forecast)}{against}"
        return Reason(by=RULE, text=text, data=self._data(step, loss, best, holder, forecast))

    def full(self, step: float, top: float) -> Reason:
        """The trial has had all the resource that there is."""
        text = f"at {self.resource} {step:g}: has had all of the {top:g} that a trial gets"
        return Reason(by=RULE, text=text, data={"rule": RULE, "resource": step, "max": top})

    def short(self, to: float) -> Reason:
        """It was held before it reported enough to be judged."""
        text = f"was held before anything is known of it; goes on to {self.resource} {to:g}"
        return Reason(by=RULE, text=text, data={"rule": RULE, "resource": to})

    def new(self, forecast: Forecast, best: float, held: int) -> Reason:
        """A new configuration is worth more than any that waits."""
        against = f"; worth more than the {held} that wait" if held else ""
        text = f"{self._expects(forecast)}{against}"
        return Reason(by=RULE, text=text, data=self._data(0.0, None, best, (), forecast))

    def _expects(self, forecast: Forecast) -> str:
        spread = figure(forecast.sd)
        ending = f"expected to end at {named(self.objective, forecast.loss)} ± {spread}"
        return f"{ending}, a chance of {forecast.chance:.2g} to be the best"

    def _data(
        self, step: float, loss: float | None, best: float | None, ahead: Sequence[int], forecast: Forecast | None
    ) -> dict[str, Any]:
        data: dict[str, Any] = {
            "rule": RULE,
            "rung": None,
            "resource": step,
            "value": None if loss is None else to_wire(shown(self.objective, loss)),
            "threshold": None if best is None else to_wire(shown(self.objective, best)),
            "lost_to": list(ahead),
        }
        if forecast is not None:
            data["predicted"] = to_wire(shown(self.objective, forecast.loss))
            data["sd"], data["chance"] = to_wire(forecast.sd), float(f"{forecast.chance:.4g}")
        return data
