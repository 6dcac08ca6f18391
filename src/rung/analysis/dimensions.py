"""Parameters as axes that one can draw and calculate with: range, scale and categories of each, and where its trials
lie in 0..1 along it.

The space of a study may have been edited: an axis reaches over the bounds of all its versions, and has the values that
any of them offered. A parameter with a factor (`times`) has no bounds of its own: its axis reaches over what was tried.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from rung.analysis.trialtable import column
from rung.model import BadInput
from rung.space.errors import did_you_mean
from rung.space.scales import Linear, Log, ReverseLog, Scale

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rung.model import Parameter
    from rung.space.axes import Axis
    from rung.study.state import State

Floats = npt.NDArray[np.float64]
LONGEST_LABEL = 200


class ParameterAxis(msgspec.Struct, frozen=True, kw_only=True):
    """How a parameter is drawn. Of a number `low` and `high` are where the axis ends; of a category values are indices
    into `categories`, and the axis reaches from 0 to the last of them. `ordered`: whether their order matters."""

    name: str
    kind: Literal["number", "integer", "category"]
    scale: Literal["linear", "log", "reverselog"]
    low: float
    high: float
    ordered: bool = True
    categories: list[str] | None = None


class Dimension(NamedTuple):
    """One parameter of all n trials. `numbers` (n,): its values, indices of categories; `units` (n,): where they lie
    along `axis`, in 0..1, categories in the middle of equal bins; both NaN where the parameter was inactive. `prior`
    (n,): the quantiles under what the space draws from; the units, but for a normal distribution."""

    axis: ParameterAxis
    numbers: Floats
    units: Floats
    prior: Floats

    @property
    def name(self) -> str:
        """The parameter's name."""
        return self.axis.name

    @property
    def varies(self) -> bool:
        """Whether any two trials differ in it, or only some have it."""
        present = ~np.isnan(self.numbers)
        some = self.numbers[present]
        return bool(len(some)) and (not present.all() or bool((some != some[0]).any()))

    def points(self, units: Floats) -> Floats:
        """The numbers that lie at these places of a number's axis."""
        return np.asarray(_scale(self.axis.scale, self.axis.low, self.axis.high).point(units), dtype=np.float64)

    def places(self, points: Floats) -> Floats:
        """Where these numbers lie along a number's axis, in units."""
        return np.asarray(_scale(self.axis.scale, self.axis.low, self.axis.high).place(points), dtype=np.float64)

    def rows(self, chosen: npt.NDArray[np.int64]) -> Dimension:
        """The dimension of these trials alone."""
        return self._replace(numbers=self.numbers[chosen], units=self.units[chosen], prior=self.prior[chosen])


def dimensions(state: State, names: Sequence[str] = ()) -> list[Dimension]:
    """The searched parameters of these names (without any: all), in the order of declaration. Raises `BadInput`."""
    known = [parameter.name for parameter in state.spec.parameters if parameter.type != "constant"]
    for name in names:
        if name not in known:
            what = "is a constant" if name in state.space.constants else "is no parameter of the study"
            have = ", ".join(known) or "none"
            raise BadInput(f"{name!r} {what}{did_you_mean(name, known)}; the searched ones: {have}", key="parameter")
    return [dimension(state, name) for name in (names or known)]


def dimension(state: State, name: str) -> Dimension:
    """The searched parameter of that name, of all trials."""
    found = column(state, f"params.{name}")
    place = state.space.names.index(name)
    newest = state.space.axes[place]
    if found.categories is not None:
        numbers = np.where(found.values < 0, np.nan, found.values.astype(np.float64))
        labels = [label(value) for value in found.categories]
        units = (numbers + 0.5) / max(1, len(labels))
        axis = ParameterAxis(
            name=name, kind="category", scale="linear", low=0.0, high=float(max(0, len(labels) - 1)),
            ordered=newest.ordered, categories=labels,
        )  # fmt: skip
        return Dimension(axis, numbers, units, units)
    numbers = np.asarray(found.values, dtype=np.float64)
    parameter = next(p for p in state.spec.parameters if p.name == name)
    axes = [space.axes[place] for space in state.spaces.versions]
    low, high = _range(parameter, axes, numbers)
    scale = _scale_of(parameter, low, high)
    axis = ParameterAxis(
        name=name, kind="integer" if parameter.type == "int" else "number", scale=scale, low=low, high=high
    )
    units = np.clip(np.asarray(_scale(scale, low, high).place(numbers), dtype=np.float64), 0.0, 1.0)
    return Dimension(axis, numbers, units, _prior(parameter, newest, numbers, units))


def label(value: object) -> str:
    """A category as people read it: words as they are, the rest as JSON; cut where it is very long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"


def _range(parameter: Parameter, axes: Sequence[Axis], numbers: Floats) -> tuple[float, float]:
    """From the lowest to the highest that could be drawn, or was."""
    tried = numbers[np.isfinite(numbers)]
    ends = [float(tried.min()), float(tried.max())] if len(tried) else []
    if parameter.times is None:
        ends += [float(limit) for axis in axes for limit in axis.limits if math.isfinite(limit)]
    return (min(ends), max(ends)) if ends else (0.0, 1.0)


def _scale_of(parameter: Parameter, low: float, high: float) -> Literal["linear", "log", "reverselog"]:
    wanted = "log" if parameter.type == "lognormal" else parameter.scale
    if (wanted == "log" and low > 0) or (wanted == "reverselog" and low >= 0 and high < 1):
        return wanted
    return "linear"


def _scale(name: str, low: float, high: float) -> Scale:
    kinds: dict[str, Callable[[float, float], Scale]] = {"linear": Linear, "log": Log, "reverselog": ReverseLog}
    return kinds[name](low, high)


def _prior(parameter: Parameter, newest: Axis, numbers: Floats, units: Floats) -> Floats:
    if parameter.type not in {"normal", "lognormal"} or parameter.times is not None:
        return units
    found = np.full(len(numbers), np.nan)
    there = ~np.isnan(numbers)
    found[there] = newest.units(numbers[there])
    return found
