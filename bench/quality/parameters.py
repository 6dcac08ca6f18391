"""Search spaces as plain data, so that every tuner's adapter can build its own from the same declaration.

Standard library only: this file is also imported where nothing of ours is installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

Kind = Literal["float", "int", "choice", "ordinal"]


class Param(NamedTuple):
    """One parameter: bounds (inclusive) for numbers, values for the others; ordinal values ascend.

    `when` names an earlier parameter and the values of it under which this one is active.
    """

    name: str
    kind: Kind
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    values: tuple[Any, ...] = ()
    when: tuple[str, tuple[Any, ...]] | None = None


def floats(name: str, low: float, high: float, *, log: bool = False, when: Any = None) -> Param:
    """A real number in low..high."""
    return Param(name, "float", low, high, log, when=when)


def ints(name: str, low: int, high: int, *, log: bool = False, when: Any = None) -> Param:
    """A whole number in low..high."""
    return Param(name, "int", low, high, log, when=when)


def choice(name: str, *values: Any, when: Any = None) -> Param:
    """One of these, in no order."""
    return Param(name, "choice", values=values, when=when)


def ordinal(name: str, *values: Any, when: Any = None) -> Param:
    """One of these, which ascend."""
    return Param(name, "ordinal", values=values, when=when)


def is_active(param: Param, params: Mapping[str, Any]) -> bool:
    """Whether a parameter is active beside the earlier parameters `params`."""
    return param.when is None or (param.when[0] in params and params[param.when[0]] in param.when[1])


def active_part(space: Sequence[Param], params: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration without the parameters that are not active in it: some tuners know no conditions."""
    found: dict[str, Any] = {}
    for param in space:
        if is_active(param, found):
            found[param.name] = params[param.name]
    return found


def draw(space: Sequence[Param], rng: random.Random) -> dict[str, Any]:
    """A random configuration: every active parameter uniform on its own scale."""
    found: dict[str, Any] = {}
    for param in space:
        if is_active(param, found):
            found[param.name] = draw_value(param, rng)
    return found


def draw_value(param: Param, rng: random.Random) -> Any:
    """A value of one parameter, uniform on its scale; of a logarithmic integer every value has its share of it."""
    if param.values:
        return rng.choice(param.values)
    half = 0.5 if param.kind == "int" else 0.0
    low, high = param.low - half, param.high + half
    value = low * (high / low) ** rng.random() if param.log else rng.uniform(low, high)
    if param.kind == "float":
        return min(max(value, low), high)
    return int(min(max(round(value), param.low), param.high))
