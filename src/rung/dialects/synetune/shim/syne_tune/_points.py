"""First configurations: the default value of each domain, and points to evaluate with what they leave out."""

from __future__ import annotations

import math

from ._domains import Categorical, Domain, Float, Integer, Ordinal, OrdinalNearestNeighbor
from .config_space import config_to_match_string, is_log_space, non_constant_hyperparameter_keys

TYPE_CHECKING = False  # importing typing costs every trial 3 ms
if TYPE_CHECKING:
    from typing import Any


def default_value(domain: Domain) -> Any:
    """The value of a domain in a default configuration.

    The middle of numbers, on a log scale where values are drawn on one, cast to a value of the domain; the first value
    of a choice, the middle one of an ordinal without nearest values.
    """
    if isinstance(domain, Categorical) and not isinstance(domain, OrdinalNearestNeighbor):
        return domain.categories[len(domain) // 2 if isinstance(domain, Ordinal) else 0]
    low, high = _ends(domain)
    middle = math.exp((math.log(low) + math.log(high)) / 2) if is_log_space(domain) else (low + high) / 2
    value = domain.cast(middle)
    return min(max(value, low), high) if isinstance(domain, (Float, Integer)) else value


def _ends(domain: Any) -> tuple[float, float]:
    if isinstance(domain, Categorical):
        return domain.categories[0], domain.categories[-1]
    return domain.lower, domain.upper


def impute_points_to_evaluate(
    points_to_evaluate: list[dict[str, Any]] | None, config_space: dict[str, Any]
) -> list[dict[str, Any]]:
    """The points in order, each with the default of every name that it leaves out, equal ones once. None: one point,
    all of defaults; constants are in none.

    Raises `AssertionError` for a name or a value that the space does not have.
    """
    keys = non_constant_hyperparameter_keys(config_space)
    found: dict[str, dict[str, Any]] = {}
    for point in [{}] if points_to_evaluate is None else points_to_evaluate:
        whole = _whole(point, config_space, keys)
        found.setdefault(config_to_match_string(whole, config_space, keys), whole)
    return list(found.values())


def _whole(point: dict[str, Any], config_space: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    for name, value in point.items():
        if name not in config_space:
            raise AssertionError(f"{name!r} in points_to_evaluate is not in the configuration space")
        own = config_space[name]
        if name not in keys and value != own:
            raise AssertionError(f"{name!r} is the constant {own!r}, not {value!r} as in points_to_evaluate")
    return {
        name: _checked(name, point[name], config_space[name]) if name in point else default_value(config_space[name])
        for name in keys
    }


def _checked(name: str, value: Any, domain: Domain) -> Any:
    if isinstance(domain, Categorical):
        if value not in domain.categories:
            raise AssertionError(f"{name}: {value!r} is none of the values {domain.categories}")
        return domain.categories[domain.categories.index(value)]
    try:
        found = domain.cast(value)
    except (TypeError, ValueError):
        raise AssertionError(f"{name}: {value!r} is no value of {domain!r}") from None
    if not domain.is_valid(found):
        raise AssertionError(f"{name}: {value!r} is not within {domain!r}")
    return found
