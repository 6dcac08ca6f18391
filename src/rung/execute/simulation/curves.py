"""What a job would report and when: a function of its parameters, tabulated or computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from rung.model import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Params = Mapping[str, Any]
Measure = Callable[[Params, float], Mapping[str, float]]
Seconds = Callable[[Params, float], float]


class Curve(NamedTuple):
    """One run from its beginning to its end. `steps`: (n,), increasing. `seconds`: (n,), from the start until the step
    is reported, at full speed; never falling. `metrics`: of each (n,); NaN and the infinities are allowed."""

    steps: Floats
    seconds: Floats
    metrics: Mapping[str, Floats]


class Curves(Protocol):
    """Every run that there could be."""

    def curve(self, params: Params, seed: int) -> Curve:
        """The run of a trial with these parameters and this seed; the same arguments give the same curve.

        Raises `BadInput` where there can be none.
        """
        ...


class Functions:
    """Curves that are computed: `measure(params, step)` gives the metrics at a step.

    `seconds(params, step)` is how long after its start a program reports `step`, in seconds; a number is how long each
    unit of the resource takes. `steps`: those that are reported, increasing and above 0; a number means 1 to that.
    """

    def __init__(self, measure: Measure, seconds: Seconds | float, steps: Sequence[float] | int) -> None:
        self.measure, self.seconds = measure, seconds
        self.steps = np.asarray(range(1, steps + 1) if isinstance(steps, int) else steps, dtype=np.float64)
        if not len(self.steps):
            raise BadInput("expected at least one step, got none", key="steps")

    def curve(self, params: Params, seed: int) -> Curve:
        """The run, computed step by step. Raises `BadInput` for one that cannot be."""
        steps = self.steps.tolist()
        measured = [self.measure(params, step) for step in steps]
        names = list(measured[0])
        if any(list(one) != names for one in measured):
            raise BadInput("expected the same metrics at every step", key="curves")
        metrics = {name: np.asarray([one[name] for one in measured], dtype=np.float64) for name in names}
        return checked(Curve(self.steps, self._seconds(params, steps), metrics), "curves")

    def _seconds(self, params: Params, steps: list[float]) -> Floats:
        if callable(self.seconds):
            return np.asarray([self.seconds(params, step) for step in steps], dtype=np.float64)
        return self.steps * self.seconds


def checked(curve: Curve, place: str) -> Curve:
    """The curve. Raises `BadInput` at `place` naming the first step at which it cannot be."""
    steps, seconds, metrics = curve
    for name, values in {"seconds": seconds, **metrics}.items():
        if np.shape(values) != np.shape(steps):
            raise BadInput(f"{name} has {np.size(values)} values for {np.size(steps)} steps", place=place)
    wrong = _first(~(np.diff(steps, prepend=0.0) > 0))
    if wrong is not None:
        before = float(steps[wrong - 1]) if wrong else 0
        raise BadInput(f"steps must increase and be above 0, got {steps[wrong]:g} after {before:g}", place=place)
    late = _first(~(np.diff(seconds, prepend=0.0) >= 0) | ~np.isfinite(seconds))
    if late is not None:
        before = float(seconds[late - 1]) if late else 0.0
        raise BadInput(
            f"seconds count from the start and must not fall, got {seconds[late]:g} after {before:g} at step "
            f"{steps[late]:g}",
            place=place,
        )
    return curve


def _first(wrong: NDArray[np.bool_]) -> int | None:
    return int(np.argmax(wrong)) if wrong.any() else None
