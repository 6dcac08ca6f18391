"""Syne Tune's configuration spaces as parameters of ours, and its points to evaluate as a study's first points."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from rung.dialects.names import shown
from rung.dialects.positions import dotted
from rung.dialects.synetune.stand_in import config_space as syne
from rung.dialects.synetune.stand_in import points
from rung.model import BadInput, Parameter
from rung.space import Space

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LARGEST = 2**53
_SAME = 1e-9
_REFUSALS = (ValueError, TypeError, KeyError, AttributeError, AssertionError, ArithmeticError)


def domains_of(config_space: Mapping[str, Any]) -> dict[str, Any]:
    """The space with each domain, or the JSON of one, as a domain of our stand-in; constants as plain JSON.

    Raises `BadInput` naming the entry that is neither.
    """
    found: dict[str, Any] = {}
    for name, value in config_space.items():
        if not isinstance(name, str) or not name:
            raise BadInput(f"a name in a configuration space is a text, got {shown(name)}")
        try:
            found[name] = _domain(value)
        except _REFUSALS as error:
            raise BadInput(_said(error), key=dotted((name,))) from None
    return found


def _said(error: Exception) -> str:
    text = f"expected a field {error}" if isinstance(error, KeyError) else str(error)
    return " ".join(text.split()) or type(error).__name__


def _domain(value: Any) -> Any:
    if isinstance(value, syne.Domain):
        return value
    if isinstance(value, dict) and "domain_cls" in value:
        return syne.from_dict(value)
    if hasattr(value, "get_sampler") and hasattr(value, "kwargs"):  # the same class, loaded by another path
        sampler = value.get_sampler()
        inner = getattr(sampler, "sampler", sampler)
        plain = {
            "domain_cls": type(value).__name__, "domain_kwargs": value.kwargs(),
            "sampler_cls": type(inner).__name__, "sampler_kwargs": dict(vars(inner)),
        }  # fmt: skip
        return syne.from_dict({**plain, "q": sampler.q} if hasattr(sampler, "q") else plain)
    return plain_value(value)


def plain_value(value: Any) -> Any:
    """The value as JSON has it: a tuple is a list. Raises `TypeError` for what JSON cannot say."""
    try:
        return json.loads(json.dumps(value))
    except ValueError:
        raise TypeError(f"expected a value that JSON can say, got {value!r:.60}") from None
    except TypeError:
        raise TypeError(f"expected a domain, or a value that JSON can say, got {type(value).__name__}") from None


def to_parameters(config_space: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """The parameters in the space's order, each with Syne Tune's default value as its default.

    `config_space`: names to domains (objects or their JSON) and constants. Every value of an ordinal has the same
    chance, also where Syne Tune would draw a number and take the nearest.

    Raises `BadInput` naming the entry that has no counterpart, and saying what to write.
    """
    return tuple(_parameter(name, domain) for name, domain in domains_of(config_space).items())


def _parameter(name: str, domain: Any) -> Parameter:
    if not isinstance(domain, syne.Domain):
        return Parameter(name=name, type="constant", value=domain)
    return Parameter(name=name, default=_default(name, domain), **_fields(name, domain))


def _default(name: str, domain: Any) -> Any:
    try:
        value = _plain(name, [points.default_value(domain)])[0]
    except _REFUSALS as error:
        raise BadInput(_said(error), key=dotted((name,))) from None
    step = _step(domain)
    return value if step is None else domain.cast(round(value / step) * step)


def _step(domain: Any) -> float | None:
    """What values are multiples of; None where they are any within the bounds."""
    sampler = domain.get_sampler()
    if not isinstance(sampler, syne.Quantized) or (domain.value_type is int and sampler.q == 1):
        return None
    step: float = sampler.q
    return step


def _fields(name: str, domain: Any) -> dict[str, Any]:
    if isinstance(domain, syne.Categorical):
        kind = "ordinal" if isinstance(domain, syne.Ordinal) else "choice"
        return {"type": kind, "values": tuple(_plain(name, domain.categories))}
    whole = domain.value_type is int
    fields = {"type": "int" if whole else "float", **_bounds(name, domain, whole=whole), "scale": _scale(domain)}
    if isinstance(domain, syne.FiniteRange):
        return _finite(name, domain, {**fields, "count": domain.size})
    step = _step(domain)
    return fields if step is None else {**fields, "step": step}


def _finite(name: str, domain: Any, fields: dict[str, Any]) -> dict[str, Any]:
    """A range of so many numbers where ours has the same (but for a rounding), else the numbers themselves."""
    values = sorted(set(domain.values))
    ours = Space((Parameter(name=name, **fields),)).values(name) or []
    same = len(ours) == len(values) and all(map(_close, ours, values))
    return fields if same else {"type": "ordinal", "values": tuple(values)}


def _close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=_SAME)


def _bounds(name: str, domain: Any, *, whole: bool) -> dict[str, Any]:
    """The bounds; of a range of whole numbers those that are reached."""
    reached = whole and isinstance(domain, syne.FiniteRange)
    low, high = (domain.values[0], domain.values[-1]) if reached else (domain.lower, domain.upper)
    if max(abs(low), abs(high)) > _LARGEST and whole:
        raise BadInput(f"whole numbers beyond 2**53 are not exact: narrow {domain!r}", key=dotted((name,)))
    return {"min": low if whole else float(low), "max": high if whole else float(high)}


def _scale(domain: Any) -> str:
    if syne.is_reverse_log_space(domain):
        return "reverselog"
    return "log" if syne.is_log_space(domain) else "linear"


def _plain(name: str, values: Sequence[Any]) -> list[Any]:
    try:
        return [plain_value(value) for value in values]
    except TypeError as error:
        raise BadInput(str(error), key=dotted((name,))) from None


def first_points(
    points_to_evaluate: Sequence[Mapping[str, Any]] | None, config_space: Mapping[str, Any]
) -> tuple[dict[str, Any], ...]:
    """The study's first points: those given in order, what they leave out being the defaults, equal ones once. None:
    the default configuration; an empty list: none.

    Raises `BadInput` for a point that is not of the space.
    """
    if points_to_evaluate is not None and not isinstance(points_to_evaluate, (list, tuple)):
        raise BadInput(f"expected a list of configurations, got {shown(points_to_evaluate)}", key="points_to_evaluate")
    given = None if points_to_evaluate is None else list(points_to_evaluate)
    for point in given or ():
        if not isinstance(point, dict):
            raise BadInput(f"expected a configuration, got {shown(point)}", key="points_to_evaluate")
    try:
        found = points.impute_points_to_evaluate(given, domains_of(config_space))
    except AssertionError as error:
        raise BadInput(_said(error), key="points_to_evaluate") from None
    return tuple({name: plain_value(value) for name, value in point.items()} for point in found)
