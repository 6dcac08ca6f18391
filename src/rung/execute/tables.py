"""Tables of learning curves: runs that were made once, looked up instead of trained.

A study may propose any configuration of its space; the table answers with the curve of the nearest one that it holds,
by Euclidean distance in the unit cube of the study's space (values of a choice are equal or at distance 1, and so are
an active and an inactive parameter; the first row wins a tie).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rung.model import BadInput, Parameter
from rung.space import SpaceError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from rung.execute.simulation.curves import Curve, Floats, Params
    from rung.space import Space

_NAMED = 8  # names that a message lists


class Table:
    """Configurations and their curves: `curves[i]` is that of `configs[i]`. `place` names the file in errors."""

    def __init__(
        self, configs: Sequence[dict[str, Any]], curves: Sequence[Curve], *, metrics: Sequence[str], place: str
    ) -> None:
        if not configs:
            raise BadInput("holds no configuration", place=place)
        self.configs, self.curves, self.place = configs, curves, place
        self.metrics = tuple(metrics)
        self.parameters = tuple(dict.fromkeys(name for config in configs for name in config))

    def __len__(self) -> int:
        return len(self.configs)

    def __repr__(self) -> str:
        return f"Table({self.place!r}, {len(self)} configurations)"

    def space(self, *, log: Collection[str] = (), finite: Collection[str] = ()) -> tuple[Parameter, ...]:
        """The parameters of a study over all of the table: a range for numbers (on a logarithmic scale for those in
        `log`), an ordinal of the values that there are for those in `finite`, a choice for the rest.

        Raises `BadInput` for names that are no column, and for a logarithmic scale over numbers that are not above 0.
        """
        for name in (*log, *finite):
            if name not in self.parameters:
                raise BadInput(f"has no parameter {name!r}; it has {_listed(self.parameters)}", place=self.place)
        return tuple(self._domain(name, log=name in log, finite=name in finite) for name in self.parameters)

    def _domain(self, name: str, *, log: bool, finite: bool) -> Parameter:
        found = [config[name] for config in self.configs if name in config]
        values = list(dict.fromkeys(found))
        if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
            return Parameter(name=name, type="choice", values=tuple(sorted(values, key=str)))
        low, high = min(values), max(values)
        if finite or low == high:
            return Parameter(name=name, type="ordinal", values=tuple(sorted(values)))
        if log and low <= 0:
            raise BadInput(f"holds {low:g}: a logarithmic scale needs numbers above 0", place=self.place, key=name)
        whole = all(isinstance(value, int) for value in values)
        return Parameter(
            name=name, type="int" if whole else "float", min=low, max=high, scale="log" if log else "linear"
        )

    def over(self, space: Space, metrics: Collection[str] = ()) -> Nearest:
        """The table as the curves of a study that searches `space` and needs `metrics`. Raises `BadInput` saying which
        column is missing, or that none of the configurations is in the space."""
        for name in metrics:
            if name not in self.metrics:
                raise BadInput(f"holds no metric {name!r}; it has {_listed(self.metrics)}", place=self.place)
        return Nearest(self, space)


class Nearest:
    """The curves of the table's configurations that are in `space`, each for all that are nearer to it than to any
    other. `rows`: the places in the table of those that are in the space."""

    def __init__(self, table: Table, space: Space) -> None:
        self.table, self.space = table, space
        self._check_columns()
        self.rows: list[int] = []
        inside: list[dict[str, Any]] = []
        outside = ""
        for row, config in enumerate(table.configs):
            try:
                inside.append(self._own(config))
                self.rows.append(row)
            except SpaceError as error:
                outside = outside or f"configuration {row + 1}: {error}"
        if not inside:
            raise BadInput(
                f"none of its {len(table)} configurations is in the study's space ({outside})", place=table.place
            )
        self._units = self._placed(inside)
        self._active = ~np.isnan(self._units)
        self._units = np.where(self._active, self._units, 0.0)
        self._ordered = np.array([axis.ordered for axis in space.axes], dtype=bool)

    def _check_columns(self) -> None:
        """Each searched parameter is a column, and each column that tells configurations apart is a parameter."""
        known = {*self.space.names, *self.space.constants}
        for name in self.space.names:
            if name not in self.table.parameters:
                have = _listed(self.table.parameters)
                raise BadInput(f"has no column for the parameter {name!r}; it has {have}", place=self.table.place)
        for name in self.table.parameters:
            if name not in known and len({config.get(name) for config in self.table.configs}) > 1:
                raise BadInput(
                    f"its column {name!r} is no parameter of the study: search it too, or fix it as a constant",
                    place=self.table.place,
                )

    def _own(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The configuration as one of the space. Raises `SpaceError` for one that is not."""
        for name, value in self.space.constants.items():
            if name in config and config[name] != value:
                raise SpaceError(f"is {config[name]!r}, and {value!r} in the study", parameter=name)
        return self.space.adopt({name: config[name] for name in self.space.names if name in config})

    def _placed(self, configs: Sequence[Params]) -> Floats:
        """(n, d) places in the unit cube, NaN where inactive. Not by `encode`, which takes ten times as long to
        find a place that decodes to the very same number."""
        space = self.space
        if any(parameter.times is not None for parameter in space.parameters):
            return space.encode(configs)
        units = space.to_rows(configs)
        for column, axis in enumerate(space.axes):
            active = ~np.isnan(units[:, column])
            units[active, column] = axis.units(units[active, column])
        return units

    def row(self, params: Params) -> int:
        """The place in the table of the configuration nearest to `params`."""
        unit = self._placed([params])[0]
        active = ~np.isnan(unit)
        apart: Floats = np.square(self._units - np.where(active, unit, 0.0))
        apart = np.where(self._ordered, apart, apart > 0)
        apart = np.where(self._active & active, apart, self._active != active)
        return self.rows[int(np.argmin(apart.sum(axis=1)))]

    def curve(self, params: Params, seed: int) -> Curve:
        """The curve of the nearest configuration; the seed changes nothing."""
        return self.table.curves[self.row(params)]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


__all__ = ["Nearest", "Table"]
