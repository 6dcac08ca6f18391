"""Configuration spaces made easier to search: a log scale for wide ranges, a range for lists of numbers."""

from __future__ import annotations

import math

from ..config_space import (
    Categorical,
    Domain,
    Float,
    Integer,
    finrange,
    is_log_space,
    is_reverse_log_space,
    logfinrange,
    logordinal,
    lograndint,
    loguniform,
    ordinal,
)  # fmt: skip

TYPE_CHECKING = False  # importing typing costs every trial 3 ms
if TYPE_CHECKING:
    from typing import Any

SMALLEST = 1e-20
WIDE = 100
"""A range whose ends differ by more than this factor is searched on a log scale."""
FITTING = 0.995
"""From this coefficient of determination on, a line through the numbers stands for them."""


def fit_to_regular_grid(x: Any) -> dict[str, float]:
    """The regular grid `a * i + b` that stands for the `n > 1` increasing numbers.

    `a` is the mean step, `b` what is left on average, `r2` the share of the variance that the grid explains: 1 where
    it meets all numbers.
    """
    values = [float(value) for value in x]
    a = (values[-1] - values[0]) / (len(values) - 1)
    rests = [value - a * index for index, value in enumerate(values)]
    return {"r2": 1 - _variance(rests) / _variance(values), "a": a, "b": _mean(rests)}


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def _variance(values: list[float]) -> float:
    mean = _mean(values)
    return _mean([(value - mean) ** 2 for value in values])


def convert_choice_domain(domain: Categorical, name: str | None = None) -> Domain:  # noqa: ARG001 - theirs
    """A choice among more than two numbers as a finite range, or an ordinal of the nearest where no grid fits; else
    itself."""
    values = sorted(domain.categories) if domain.value_type in (int, float) else []
    if len(set(values)) < max(3, len(values)):
        return domain
    best, on_log = fit_to_regular_grid(values), False
    if values[0] >= SMALLEST:
        log = fit_to_regular_grid([math.log(value) for value in values])
        on_log = log["r2"] > best["r2"]
        best = log if on_log else best
    if best["r2"] < FITTING:
        return logordinal(values) if on_log else ordinal(values, kind="nn")
    ends = best["b"], best["b"] + best["a"] * (len(values) - 1)
    lower, upper = (math.exp(end) for end in ends) if on_log else ends
    return (logfinrange if on_log else finrange)(lower, upper, len(values), cast_int=domain.value_type is int)


def convert_linear_to_log_domain(domain: Any, name: str | None = None) -> Any:  # noqa: ARG001 - theirs
    """A linear range whose ends are further apart than a factor of 100, on a log scale; else itself."""
    if is_log_space(domain) or is_reverse_log_space(domain):
        return domain
    if domain.lower < SMALLEST or domain.upper <= WIDE * domain.lower:
        return domain
    return (lograndint if isinstance(domain, Integer) else loguniform)(domain.lower, domain.upper)


def convert_domain(domain: Any, name: str | None = None) -> Any:
    """The domain that is easier to search, or itself."""
    if isinstance(domain, (Float, Integer)):
        return convert_linear_to_log_domain(domain, name)
    return convert_choice_domain(domain, name) if isinstance(domain, Categorical) else domain


def streamline_config_space(
    config_space: dict[str, Any], exclude_names: list[str] | None = None, verbose: bool = False
) -> dict[str, Any]:
    """The space with each domain that is easier to search another way so declared, but for `exclude_names`."""
    found = {}
    for name, domain in config_space.items():
        keep = not isinstance(domain, Domain) or name in (exclude_names or ())
        found[name] = domain if keep else convert_domain(domain, name)
        if verbose and not keep and found[name] is not domain:
            print(f"{name}: {domain!r} is searched as {found[name]!r}")  # noqa: T201
    return found
