"""Configuration spaces: a dictionary of domains and constants, and what can be done with one.

Stands in for the module of that name: the same names, bounds (inclusive), defaults and JSON form.
"""

from __future__ import annotations

from ._domains import (
    Categorical,
    Domain,
    FiniteRange,
    Float,
    Integer,
    Ordinal,
    OrdinalNearestNeighbor,
    is_increasing,
)  # fmt: skip
from ._samplers import BaseSampler, LogUniform, Quantized, ReverseLogUniform, Sampler, Uniform

TYPE_CHECKING = False  # importing typing costs every trial 3 ms
if TYPE_CHECKING:
    import argparse
    from typing import Any

MAX_SIZE = 2**20
_KINDS = ("equal", "nn", "nn-log")
_CLASSES: dict[str, type[Domain]] = {
    kind.__name__: kind for kind in (Float, Integer, Categorical, Ordinal, OrdinalNearestNeighbor, FiniteRange)
}
_SCALES = {"_LogUniform": "loguniform", "_ReverseLogUniform": "reverseloguniform"}

__all__ = [
    "BaseSampler",
    "Categorical",
    "Domain",
    "FiniteRange",
    "Float",
    "Integer",
    "LogUniform",
    "Ordinal",
    "OrdinalNearestNeighbor",
    "Quantized",
    "ReverseLogUniform",
    "Sampler",
    "Uniform",
    "add_to_argparse",
    "cast_config_values",
    "choice",
    "config_space_from_json_dict",
    "config_space_size",
    "config_space_to_json_dict",
    "config_to_match_string",
    "finrange",
    "from_dict",
    "is_log_space",
    "is_reverse_log_space",
    "is_uniform_space",
    "logfinrange",
    "logordinal",
    "lograndint",
    "loguniform",
    "non_constant_hyperparameter_keys",
    "ordinal",
    "postprocess_config",
    "qlograndint",
    "qloguniform",
    "qrandint",
    "quniform",
    "randint",
    "randn",
    "remove_constant_and_cast",
    "restrict_domain",
    "reverseloguniform",
    "search_space_size",
    "to_dict",
    "uniform",
]  # fmt: skip


# ----------------------------------------------------------------------------------------------------- constructors


def uniform(lower: float, upper: float) -> Float:
    """Real numbers, all with the same density."""
    return Float(lower, upper).uniform()


def loguniform(lower: float, upper: float) -> Float:
    """Real numbers whose logarithm is uniform; `lower` is above 0."""
    return Float(lower, upper).loguniform()


def reverseloguniform(lower: float, upper: float) -> Float:
    """Real numbers in [0, 1) that crowd towards 1: the logarithm of `1 - x` is uniform."""
    return Float(lower, upper).reverseloguniform()


def randint(lower: int, upper: int) -> Integer:
    """Whole numbers, both bounds among them."""
    return Integer(lower, upper).uniform()


def lograndint(lower: int, upper: int) -> Integer:
    """Whole numbers whose logarithm is uniform; `lower` is at least 1."""
    return Integer(lower, upper).loguniform()


def quniform(lower: float, upper: float, q: float) -> Float:
    """As `uniform`, rounded to multiples of `q`."""
    return Float(lower, upper).uniform().quantized(q)


def qloguniform(lower: float, upper: float, q: float) -> Float:
    """As `loguniform`, rounded to multiples of `q`."""
    return Float(lower, upper).loguniform().quantized(q)


def qrandint(lower: int, upper: int, q: int = 1) -> Integer:
    """As `randint`, rounded to multiples of `q`."""
    return Integer(lower, upper).uniform().quantized(q)


def qlograndint(lower: int, upper: int, q: int = 1) -> Integer:
    """As `lograndint`, rounded to multiples of `q`."""
    return Integer(lower, upper).loguniform().quantized(q)


def randn(mean: float = 0.0, sd: float = 1.0) -> Domain:
    """Raises `ValueError`: domains have bounds, and a normal distribution has none."""
    raise ValueError(
        f"randn({mean}, {sd}): a domain needs finite bounds, which a normal distribution has not; "
        f"write uniform({mean - 3 * sd}, {mean + 3 * sd})"
    )


def choice(categories: Any) -> Categorical:
    """One of a list of values of the same type."""
    return Categorical(categories).uniform()  # type: ignore[no-any-return]


def ordinal(categories: Any, kind: str | None = None) -> Ordinal:
    """One of a list of values in an order.

    `kind`: "equal" (all have the same chance), "nn" (a real number, rounded to the nearest value), "nn-log" (so in the
    logarithm); None: "nn" for at least two increasing numbers, else "equal".
    """
    values = list(categories)
    kind = ("nn" if is_increasing(values) else "equal") if kind is None else kind
    if kind not in _KINDS:
        raise ValueError(f"the kind of an ordinal is one of {', '.join(_KINDS)}, got {kind!r}")
    return Ordinal(values) if kind == "equal" else OrdinalNearestNeighbor(values, log_scale=kind == "nn-log")


def logordinal(categories: Any) -> Ordinal:
    """One of a list of increasing numbers: a number uniform in the logarithm, rounded to the nearest of them."""
    return ordinal(categories, kind="nn-log")


def finrange(lower: float, upper: float, size: int, cast_int: bool = False) -> FiniteRange:
    """`size` numbers from `lower` to `upper`, evenly apart; rounded to whole numbers with `cast_int`."""
    return FiniteRange(lower, upper, size, log_scale=False, cast_int=cast_int)


def logfinrange(lower: float, upper: float, size: int, cast_int: bool = False) -> FiniteRange:
    """`size` numbers from `lower` to `upper`, evenly apart in the logarithm."""
    return FiniteRange(lower, upper, size, log_scale=True, cast_int=cast_int)


# -------------------------------------------------------------------------------------------------- about a domain


def is_log_space(domain: Any) -> bool:
    """Whether values are drawn on a log scale."""
    if isinstance(domain, (FiniteRange, OrdinalNearestNeighbor)):
        return domain.log_scale
    return isinstance(domain, Domain) and domain.has_sampler(LogUniform) and not is_reverse_log_space(domain)


def is_reverse_log_space(domain: Any) -> bool:
    """Whether the distance from 1 is drawn on a log scale."""
    return isinstance(domain, Domain) and domain.has_sampler(ReverseLogUniform)


def is_uniform_space(domain: Any) -> bool:
    """Whether numbers are drawn on the linear scale."""
    if isinstance(domain, FiniteRange):
        return not domain.log_scale
    return isinstance(domain, (Float, Integer)) and domain.has_sampler(Uniform)


def restrict_domain(numerical_domain: Any, lower: float, upper: float) -> Any:
    """The same domain between `lower` and `upper`; a finite range keeps those of its values that are."""
    low, high = numerical_domain.cast(lower), numerical_domain.cast(upper)
    if low > high:
        raise ValueError(f"the lower bound {low} is above the upper bound {high}")
    if isinstance(numerical_domain, FiniteRange):
        first, last = numerical_domain.position(low), numerical_domain.position(high)
        values = numerical_domain.values
        return FiniteRange(
            values[first], values[last], last - first + 1,
            log_scale=numerical_domain.log_scale, cast_int=numerical_domain.cast_int,
        )  # fmt: skip
    low, high = max(low, numerical_domain.lower), min(high, numerical_domain.upper)
    made = type(numerical_domain)(low, high)
    made.set_sampler(numerical_domain.get_sampler())
    return made


def to_dict(x: Domain) -> dict[str, Any]:
    """The domain as plain JSON."""
    sampler = x.get_sampler()
    inner = sampler.get_sampler() if isinstance(sampler, Quantized) else sampler
    found = {
        "domain_cls": type(x).__name__,
        "domain_kwargs": x.kwargs(),
        "sampler_cls": type(inner).__name__,
        "sampler_kwargs": dict(vars(inner)),
    }
    return {**found, "q": sampler.q} if isinstance(sampler, Quantized) else found


def from_dict(d: dict[str, Any]) -> Domain:
    """The domain that `to_dict` wrote."""
    name = d["domain_cls"]
    if name not in _CLASSES:
        raise ValueError(f"unknown kind of domain {name!r}; known: {', '.join(_CLASSES)}")
    kind = _CLASSES[name]
    made = kind(**d["domain_kwargs"])
    name = d.get("sampler_cls") or ""
    sampler = getattr(kind, name, None)
    if name in _SCALES and hasattr(kind, _SCALES[name]):
        made = getattr(made, _SCALES[name])()
    elif isinstance(sampler, type) and issubclass(sampler, Sampler):
        made.set_sampler(sampler(), allow_override=True)
    return made.quantized(d["q"]) if "q" in d else made  # type: ignore[attr-defined]


# --------------------------------------------------------------------------------------------------- about a space


def non_constant_hyperparameter_keys(config_space: dict[str, Any]) -> list[str]:
    """The names whose values are searched for."""
    return [name for name, domain in config_space.items() if isinstance(domain, Domain)]


def config_space_size(config_space: dict[str, Any], upper_limit: int = MAX_SIZE) -> int | None:
    """How many configurations there are; None where there is no end of them, or more than `upper_limit`."""
    size = 1
    for name in non_constant_hyperparameter_keys(config_space):
        size *= len(config_space[name])
        if not 0 < size <= upper_limit:
            return None
    return size


search_space_size = config_space_size


def config_to_match_string(config: dict[str, Any], config_space: dict[str, Any], keys: Any) -> str:
    """A text that is equal for configurations that count as the same."""
    return ",".join(f"{key}:{config_space[key].match_string(config[key])}" for key in keys)


def cast_config_values(config: dict[str, Any], config_space: dict[str, Any]) -> dict[str, Any]:
    """The configuration, each value cast by its domain."""
    return {
        name: config_space[name].cast(value) if isinstance(config_space.get(name), Domain) else value
        for name, value in config.items()
    }


def postprocess_config(config: dict[str, Any], config_space: dict[str, Any]) -> dict[str, Any]:
    """The configuration with its values cast, and the constants of the space added."""
    constants = {name: value for name, value in config_space.items() if not isinstance(value, Domain)}
    return {**constants, **cast_config_values(config, config_space)}


def remove_constant_and_cast(config: dict[str, Any], config_space: dict[str, Any]) -> dict[str, Any]:
    """What of the configuration is searched for, cast."""
    return {name: config_space[name].cast(config[name]) for name in non_constant_hyperparameter_keys(config_space)}


def config_space_to_json_dict(config_space: dict[str, Any]) -> dict[str, Any]:
    """The space as plain JSON; constants stay as they are."""
    return {name: to_dict(domain) if isinstance(domain, Domain) else domain for name, domain in config_space.items()}


def config_space_from_json_dict(config_space_dict: dict[str, Any]) -> dict[str, Any]:
    """The space that `config_space_to_json_dict` wrote."""
    return {
        name: from_dict(value) if isinstance(value, dict) and "domain_cls" in value else value
        for name, value in config_space_dict.items()
    }


def add_to_argparse(parser: argparse.ArgumentParser, config_space: dict[str, Any]) -> None:
    """Every name of the space is a required option, of its domain's value type (a constant: of its own).

    A `bool` is made by `bool(text)`, so that "False" is true: give such an entry to
    `parser.add_argument(..., type=syne_tune.utils.parse_bool)` yourself.
    """
    for name, domain in config_space.items():
        kind = domain.value_type if isinstance(domain, Domain) else type(domain)
        parser.add_argument(f"--{name}", type=kind, required=True)
