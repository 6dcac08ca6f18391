"""From the metrics of batches to those of a validation, or of a stretch of training."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Reducer(enum.Enum):
    """How the values of a metric, one for each batch, become one. AVG gives each batch the same weight."""

    AVG = 1
    SUM = 2
    MAX = 3
    MIN = 4


def reduced(values: list[Any], reducer: Reducer = Reducer.AVG) -> Any:
    """One value for those of all batches; arrays element by element. `values` has at least one."""
    if reducer is Reducer.MAX:
        return max(values)
    if reducer is Reducer.MIN:
        return min(values)
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total / len(values) if reducer is Reducer.AVG else total


class MetricReducer:
    """A metric that is no average: gathers what the program tells it, and gives one value for all of it.

    `reset` begins anew, `per_slot_reduce` gives what this process has gathered, `cross_slot_reduce` gets a list of
    these, one for each process: here one.
    """

    def reset(self) -> None:
        """Nothing is gathered yet."""
        raise NotImplementedError

    def per_slot_reduce(self) -> Any:
        """What was gathered since `reset`."""
        raise NotImplementedError

    def cross_slot_reduce(self, per_slot_metrics: list[Any]) -> Any:
        """The metric, of what each process gathered; a dict of several where the reducer was wrapped without a name."""
        raise NotImplementedError


class FunctionReducer(MetricReducer):
    """Gives all values passed to `update` to a function."""

    def __init__(self, function: Callable[[list[Any]], Any]) -> None:
        self._function = function
        self._values: list[Any] = []

    def update(self, value: Any) -> None:
        """One more value."""
        self._values.append(value)

    def reset(self) -> None:
        """No values."""
        self._values = []

    def per_slot_reduce(self) -> Any:
        """All values."""
        return self._values

    def cross_slot_reduce(self, per_slot_metrics: list[Any]) -> Any:
        """What the function gives for them."""
        return self._function([value for values in per_slot_metrics for value in values])


class Wrapped:
    """The reducers of a trial: which of them count for training, which for validation."""

    def __init__(self) -> None:
        self._all: list[tuple[MetricReducer, str | None, bool, bool]] = []

    def wrap(self, reducer: Any, name: str | None, *, for_training: bool, for_validation: bool) -> MetricReducer:
        """The reducer, or one for the function, whose value is reported as `name`. Raises `ValueError`, `TypeError`."""
        if any(name is not None and name == other for _, other, _, _ in self._all):
            raise ValueError(f"there are two reducers for the metric {name!r}: give each a name of its own")
        if not isinstance(reducer, MetricReducer) and not callable(reducer):
            raise TypeError(f"wrap_reducer() takes a MetricReducer or a function, got {reducer!r:.60}")
        wrapped = reducer if isinstance(reducer, MetricReducer) else FunctionReducer(reducer)
        self._all.append((wrapped, name, for_training, for_validation))
        return wrapped

    def reset(self, *, training: bool) -> None:
        """Those that count for this begin anew."""
        for reducer, *_ in self._of(training):
            reducer.reset()

    def metrics(self, *, training: bool) -> dict[str, Any]:
        """What they gathered since. Raises `ValueError` where one without a name gives no dict."""
        found: dict[str, Any] = {}
        for reducer, name in self._of(training):
            value = reducer.cross_slot_reduce([reducer.per_slot_reduce()])
            if name is not None:
                found[name] = value
            elif isinstance(value, dict):
                found.update(value)
            else:
                raise ValueError(f"a reducer without a name must give a dict of metrics, got {value!r:.60}")
        return found

    def _of(self, training: bool) -> list[tuple[MetricReducer, str | None]]:
        return [(reducer, name) for reducer, name, train, valid in self._all if (train if training else valid)]
