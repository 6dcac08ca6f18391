"""The kinds of domains: what values they hold, how they draw, cast and compare them.

All bounds are inclusive. `len(domain)` is the number of values, 0 where there is no end of them: so a domain may be
false as a condition.
"""

from __future__ import annotations

import math
import sys

from ._samplers import BaseSampler, LogUniform, Quantized, ReverseLogUniform, Sampler, Uniform, between, unit

TYPE_CHECKING = False  # importing typing costs every trial 3 ms
if TYPE_CHECKING:
    from typing import Any, TypeVar

    _Kind = TypeVar("_Kind", bound="_Bounded")

MOST_VALUES = 10**6
_CLOSE = 0.01  # a float that differs from a category by less than this share of itself is that category


class Domain:
    """A set of values with a way to draw from it."""

    sampler: Sampler | None = None
    default_sampler_cls: type[Sampler] | None = None

    @property
    def value_type(self) -> type:
        """The Python type of the values."""
        raise NotImplementedError

    def cast(self, value: Any) -> Any:
        """The value of this domain that `value` means."""
        return self.value_type(value)

    def is_valid(self, value: Any) -> bool:
        """Whether `value` is in the domain."""
        raise NotImplementedError

    def match_string(self, value: Any) -> str:
        """A text that is equal for values that count as the same."""
        raise NotImplementedError

    def set_sampler(self, sampler: Sampler, allow_override: bool = False) -> None:
        """The domain draws with that sampler."""
        if self.sampler is not None and not allow_override:
            raise ValueError(f"{self!r} has a sampler already; pass allow_override=True to replace it")
        self.sampler = sampler

    def get_sampler(self) -> Sampler:
        """The sampler in use."""
        if self.sampler is not None:
            return self.sampler
        return self.default_sampler_cls() if self.default_sampler_cls is not None else BaseSampler()

    def has_sampler(self, cls: type) -> bool:
        """Whether the sampler, or the one that a quantiser holds, is of that class."""
        sampler = self.get_sampler()
        return isinstance(sampler.get_sampler() if isinstance(sampler, Quantized) else sampler, cls)

    def is_grid(self) -> bool:
        """Whether all values are to be tried: never."""
        return False

    def is_function(self) -> bool:
        """Whether values are computed: never."""
        return False

    def sample(self, spec: Any = None, size: int = 1, random_state: Any = None) -> Any:
        """One value, or a list of `size` values where that is not 1."""
        return self.get_sampler().sample(self, spec=spec, size=size, random_state=random_state)

    @property
    def domain_str(self) -> str:
        """The domain as text."""
        return repr(self)

    def __len__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Domain) or type(self) is not type(other):
            return False
        return self.kwargs() == other.kwargs() and self.get_sampler() == other.get_sampler()

    def __hash__(self) -> int:
        return hash(repr(self))

    def kwargs(self) -> dict[str, Any]:
        """What the class is called with to make an equal domain, less the sampler."""
        return {name: value for name, value in vars(self).items() if name != "sampler" and not name.startswith("_")}


def _scaled(name: str, domain: Any) -> str:
    """The name of the constructor for the domain's scale and step: `uniform` as `loguniform` or `quniform`."""
    sampler = domain.get_sampler()
    quantised = isinstance(sampler, Quantized)
    log = domain.has_sampler(LogUniform) and not domain.has_sampler(ReverseLogUniform)
    name = f"{'log' if log else ''}{name}"
    bounds = f"{domain.lower}, {domain.upper}"
    return f"q{name}({bounds}, {sampler.q})" if quantised else f"{name}({bounds})"


class _Bounded(Domain):
    """Numbers between two bounds, both of which belong to it."""

    def __init__(self, lower: Any, upper: Any) -> None:
        for bound in (lower, upper):
            if isinstance(bound, bool) or not hasattr(bound, "__float__"):
                raise ValueError(f"a bound must be a number, got {bound!r}")
            if not math.isfinite(bound):
                raise ValueError(f"a bound must be finite, got {bound}; write the largest value that makes sense")
        if lower > upper:
            raise ValueError(f"the lower bound {lower} is above the upper bound {upper}")
        self.lower = lower
        self.upper = upper

    def is_valid(self, value: Any) -> bool:
        """Whether `value` is within the bounds."""
        return bool(self.lower <= value <= self.upper)

    def _with(self: _Kind, sampler: Sampler) -> _Kind:  # noqa: PYI019 - Self is of Python 3.11
        made = type(self)(self.lower, self.upper)
        made.set_sampler(sampler)
        return made

    def quantized(self: _Kind, q: float) -> _Kind:  # noqa: PYI019 - see `_with`
        """This domain, draws rounded to multiples of `q`, of which both bounds must be one."""
        for bound in (self.lower, self.upper):
            if not math.isclose(bound / q, round(bound / q), abs_tol=1e-9):
                raise ValueError(f"the bound {bound} is no multiple of {q}: both bounds must be")
        return self._with(Quantized(self.get_sampler(), q))


def _positive(domain: _Bounded, name: str, linear: str) -> None:
    """Raises where the lower bound has no logarithm."""
    if domain.lower > 0:
        return
    low, high = domain.lower, domain.upper
    small = 1 if linear == "randint" else f"{high / 1e6:g}" if high > 0 else "1e-6"
    raise ValueError(
        f"{name}({low}, {high}): a log scale has no {low}; write the smallest value that matters as the lower bound, "
        f"as in {name}({small}, {high}), or {linear}({low}, {high})"
    )


class Float(_Bounded):
    """Real numbers."""

    class _Uniform(Uniform):
        def draw(self, domain: Any, random_state: Any = None) -> float:
            return between(domain.lower, domain.upper, random_state)

    class _LogUniform(LogUniform):
        def draw(self, domain: Any, random_state: Any = None) -> float:
            drawn = math.exp(between(math.log(domain.lower), math.log(domain.upper), random_state))
            return min(max(drawn, float(domain.lower)), float(domain.upper))

    class _ReverseLogUniform(ReverseLogUniform):
        def draw(self, domain: Any, random_state: Any = None) -> float:
            low, high = -math.log1p(-domain.lower), -math.log1p(-domain.upper)
            drawn = -math.expm1(-between(low, high, random_state))
            return min(max(drawn, float(domain.lower)), float(domain.upper))

    default_sampler_cls = _Uniform

    @property
    def value_type(self) -> type:
        """`float`."""
        return float

    def uniform(self) -> Float:
        """This domain with uniform draws."""
        return self._with(Float._Uniform())

    def loguniform(self) -> Float:
        """This domain with draws uniform in the logarithm. Raises `ValueError` unless the lower bound is above 0."""
        _positive(self, "loguniform", "uniform")
        return self._with(Float._LogUniform())

    def reverseloguniform(self) -> Float:
        """This domain with draws log-uniform in the distance from 1. Raises `ValueError` unless 0 <= low, high < 1."""
        if not 0 <= self.lower <= self.upper < 1:
            raise ValueError(
                f"reverseloguniform({self.lower}, {self.upper}): the bounds must be at least 0 and below 1"
            )
        return self._with(Float._ReverseLogUniform())

    def match_string(self, value: Any) -> str:
        """The number to seven digits."""
        return f"{value:.6e}"

    def __len__(self) -> int:
        return 1 if self.lower == self.upper else 0

    def __repr__(self) -> str:
        return _scaled("uniform", self)


class Integer(_Bounded):
    """Whole numbers; a bound between two is rounded."""

    class _Uniform(Uniform):
        def draw(self, domain: Any, random_state: Any = None) -> int:
            return int(domain.lower) + int(unit(random_state) * (int(domain.upper) - int(domain.lower) + 1))

    class _LogUniform(LogUniform):
        """Every value has the share that its cell (value - 1/2, value + 1/2) has in the logarithm, the ends too."""

        def draw(self, domain: Any, random_state: Any = None) -> int:
            low, high = math.log(domain.lower - 0.5), math.log(domain.upper + 0.5)
            drawn = round(math.exp(between(low, high, random_state)))
            return int(min(max(drawn, domain.lower), domain.upper))

    default_sampler_cls = _Uniform

    def __init__(self, lower: int, upper: int) -> None:
        super().__init__(lower, upper)
        self.lower, self.upper = self.cast(lower), self.cast(upper)

    @property
    def value_type(self) -> type:
        """`int`."""
        return int

    def cast(self, value: Any) -> int:
        """The nearest whole number; halves go to the even one."""
        whole: int = value if isinstance(value, int) else round(float(value))
        return int(whole)

    def is_valid(self, value: Any) -> bool:
        """Whether `value` is a whole number within the bounds."""
        return bool(self.lower <= value <= self.upper and value == int(value))

    def uniform(self) -> Integer:
        """This domain with uniform draws."""
        return self._with(Integer._Uniform())

    def loguniform(self) -> Integer:
        """This domain with draws uniform in the logarithm. Raises `ValueError` unless the lower bound is above 0."""
        _positive(self, "lograndint", "randint")
        return self._with(Integer._LogUniform())

    def match_string(self, value: Any) -> str:
        """The number."""
        return str(value)

    def __len__(self) -> int:
        count: int = self.upper - self.lower + 1
        return min(count, sys.maxsize)

    def __repr__(self) -> str:
        return _scaled("randint", self)


class Categorical(Domain):
    """A list of values of one type."""

    class _Uniform(Uniform):
        def draw(self, domain: Any, random_state: Any = None) -> Any:
            values = domain.categories
            return values[int(unit(random_state) * len(values))]

    default_sampler_cls: type[Sampler] = _Uniform

    def __init__(self, categories: Any) -> None:
        self.categories = list(categories)
        if not self.categories:
            raise ValueError("a choice needs at least one value")
        kinds = {type(value) for value in self.categories}
        if len(kinds) > 1:
            names = ", ".join(sorted(kind.__name__ for kind in kinds))
            raise ValueError(f"the values of a choice must be of one type, got {names}: {self.categories}")

    @property
    def value_type(self) -> type:
        """The type of the values."""
        return type(self.categories[0])

    def uniform(self) -> Any:
        """This domain with uniform draws."""
        made = type(self)(**self.kwargs())
        made.set_sampler(Categorical._Uniform())
        return made

    def cast(self, value: Any) -> Any:
        """The category that `value` means. Raises `AssertionError` where it means none."""
        value = self.value_type(value)
        if value in self.categories:
            return value
        near = min(self.categories, key=lambda entry: abs(entry - value)) if isinstance(value, float) else None
        if near is None or abs(near - value) > _CLOSE * abs(value):
            raise AssertionError(f"{value!r} is none of the values {self.categories}")
        return near

    def is_valid(self, value: Any) -> bool:
        """Whether `value` is one of the values."""
        return value in self.categories

    def match_string(self, value: Any) -> str:
        """The position of `value` in the list."""
        return str(self.categories.index(value))

    def __len__(self) -> int:
        return len(self.categories)

    def __getitem__(self, item: int) -> Any:
        return self.categories[item]

    def __repr__(self) -> str:
        return f"choice({self.categories})"


class Ordinal(Categorical):
    """A list of values in an order; each has the same chance, and neighbours are alike."""

    def __repr__(self) -> str:
        return f"ordinal({self.categories}, kind='equal')"


class OrdinalNearestNeighbor(Ordinal):
    """Increasing numbers, drawn as a real number (or its logarithm) and rounded to the nearest of them.

    `lower_int` and `upper_int`: the range that is drawn from, half a mean gap wider than the values at both ends.
    """

    class _Uniform(Uniform):
        def draw(self, domain: Any, random_state: Any = None) -> Any:
            return domain.cast_int(between(domain.lower_int, domain.upper_int, random_state))

    default_sampler_cls: type[Sampler] = _Uniform

    def __init__(self, categories: Any, log_scale: bool = False) -> None:
        super().__init__(categories)
        self.log_scale = log_scale
        if not is_increasing(self.categories):
            raise ValueError(f"the nearest value is found among at least two increasing numbers, got {self.categories}")
        if log_scale and self.categories[0] <= 0:
            raise ValueError(
                f"logordinal({self.categories}): a log scale has no {self.categories[0]}; begin with a value above 0, "
                f"or write ordinal({self.categories})"
            )
        self._points = [math.log(value) for value in self.categories] if log_scale else self.categories
        half = (self._points[-1] - self._points[0]) / (len(self._points) - 1) / 2
        self._ends = (self._points[0] - half, self._points[-1] + half)

    @property
    def lower_int(self) -> float:
        """Where the range that is drawn from begins."""
        return self._ends[0]

    @property
    def upper_int(self) -> float:
        """Where the range that is drawn from ends."""
        return self._ends[1]

    @property
    def categories_int(self) -> list[float]:
        """The values on the scale that is drawn from."""
        return list(self._points)

    def cast_int(self, value_int: float) -> Any:
        """The value that is nearest on the scale that is drawn from; the smaller one of two."""
        return self.categories[min(range(len(self)), key=lambda index: abs(self._points[index] - value_int))]

    def cast(self, value: Any) -> Any:
        """The nearest value."""
        if not self.log_scale:
            return self.cast_int(float(value))
        return self.cast_int(math.log(value)) if value > 0 else self.categories[0]

    def __repr__(self) -> str:
        return f"logordinal({self.categories})" if self.log_scale else f"ordinal({self.categories}, kind='nn')"


def is_increasing(values: list[Any]) -> bool:
    """Whether these are at least two numbers, each above the one before."""
    numeric = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
    return numeric and len(values) > 1 and all(a < b for a, b in zip(values, values[1:]))  # noqa: B905, RUF007 - Python 3.9 has neither


class FiniteRange(Domain):
    """`size` numbers from `lower` to `upper`, evenly apart, or so in their logarithms."""

    class _Uniform(Uniform):
        def draw(self, domain: Any, random_state: Any = None) -> Any:
            return domain.values[int(unit(random_state) * domain.size)]

    default_sampler_cls = _Uniform

    def __init__(self, lower: float, upper: float, size: int, log_scale: bool = False, cast_int: bool = False) -> None:
        if lower > upper:
            raise ValueError(f"the lower bound {lower} is above the upper bound {upper}")
        if size < 1 or size != int(size):
            raise ValueError(f"a finite range has a whole number of values, at least one, got {size}")
        if size > MOST_VALUES:
            raise ValueError(f"a finite range has at most {MOST_VALUES} values, got {size}; write uniform(...)")
        if log_scale and lower <= 0:
            raise ValueError(
                f"logfinrange({lower}, {upper}, {size}): a log scale has no {lower}; write the smallest value that "
                f"matters as the lower bound, or finrange({lower}, {upper}, {size})"
            )
        self.lower, self.upper, self.size = lower, upper, int(size)
        self.log_scale, self.cast_int = log_scale, cast_int
        low, high = (math.log(lower), math.log(upper)) if log_scale else (lower, upper)
        self._begin, self._gap = low, (high - low) / (size - 1) if size > 1 else 0.0
        self._values = [self._at(index) for index in range(self.size)]

    def _at(self, index: int) -> Any:
        internal = index * self._gap + self._begin
        value = float(min(max(math.exp(internal) if self.log_scale else internal, self.lower), self.upper))
        return round(value) if self.cast_int else value

    @property
    def values(self) -> list[Any]:
        """All values, ascending."""
        return self._values

    @property
    def value_type(self) -> type:
        """`int` where values are rounded to whole numbers, else `float`."""
        return int if self.cast_int else float

    def uniform(self) -> FiniteRange:
        """This domain with uniform draws."""
        made = type(self)(**self.kwargs())
        made.set_sampler(FiniteRange._Uniform())
        return made

    def position(self, value: Any) -> int:
        """The index of the value that is nearest on the scale."""
        if not self._gap:
            return 0
        inside = min(max(value, self.lower), self.upper)
        internal = math.log(inside) if self.log_scale else inside
        return min(max(round((internal - self._begin) / self._gap), 0), self.size - 1)

    def cast(self, value: Any) -> Any:
        """The nearest value."""
        return self._values[self.position(value)]

    def is_valid(self, value: Any) -> bool:
        """Whether `value` is one of the values."""
        return value in self._values

    def match_string(self, value: Any) -> str:
        """The index of `value`."""
        return str(self.position(value))

    def __len__(self) -> int:
        return self.size

    def __repr__(self) -> str:
        return f"{'log' if self.log_scale else ''}finrange([{','.join(map(str, self._values))}])"
