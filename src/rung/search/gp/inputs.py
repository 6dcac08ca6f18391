"""Unit rows as the kernel sees them: features that have an order, codes that have none, and which study they are from.

A parameter that may be inactive stands at the middle when it is, and an indicator of its activity is one more feature:
so active and inactive rows are a learned distance apart, two inactive ones none, and the distance stays Euclidean,
which keeps the kernel positive definite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rung.search.history import columns_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from rung.space import Space
    from rung.space.scales import Floats

    Integers = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

INACTIVE = -1.0  # the code of an inactive choice: unlike every value, like itself
WARPED_FROM = 5  # values an ordered column needs before its warping can be told from noise
WARPED_UP_TO = 10  # columns with an order; of more, the warpings would be told by too few results


class Shape(NamedTuple):
    """How the d columns of unit rows become features.

    `smooth`: columns with an order; `choices`: columns without one, of `sizes` values; `groups`: for each set of smooth
    columns that are active together, one of them; `warped`: places in `smooth` whose input is warped; `tasks`: how
    many earlier studies there are.
    """

    smooth: Integers
    choices: Integers
    sizes: Integers
    groups: Integers
    warped: Integers
    tasks: int = 0

    @property
    def features(self) -> int:
        """How many features have an order: f."""
        return len(self.smooth) + len(self.groups)

    @property
    def lengths(self) -> int:
        """How many lengthscales there are: one a feature and one a choice."""
        return self.features + len(self.choices)


class Inputs(NamedTuple):
    """n rows: `features` (n, f), the smooth columns first, not warped yet; `codes` (n, c); `task` (n,), 0 is ours."""

    features: Floats
    codes: Floats
    task: Integers

    def take(self, rows: Integers) -> Inputs:
        """Those of some rows."""
        return Inputs(self.features[rows], self.codes[rows], self.task[rows])


def shape_of(space: Space, tasks: int = 0, *, warp: bool = True) -> Shape:
    """The shape of the rows of `space`; without `warp` no column is warped."""
    columns = columns_of(space)
    smooth = [j for j, column in enumerate(columns) if column.kind != "categorical"]
    choices = [j for j, column in enumerate(columns) if column.kind == "categorical"]
    sizes = [column.size or 0 for column in columns]
    warp = warp and len(smooth) <= WARPED_UP_TO
    warped = [place for place, j in enumerate(smooth) if warp and (sizes[j] == 0 or sizes[j] >= WARPED_FROM)]
    return Shape(
        _whole(smooth),
        _whole(choices),
        _whole([sizes[j] for j in choices]),
        _groups(space, smooth),
        _whole(warped),
        tasks,
    )


def _whole(numbers: list[int]) -> Integers:
    return np.array(numbers, dtype=np.int64)


def _groups(space: Space, smooth: list[int]) -> Integers:
    declared = {parameter.name: parameter for parameter in space.parameters}
    found: dict[tuple[str | None, str | None], int] = {}
    for j in smooth:
        parameter = declared[space.names[j]]
        factor = None if parameter.times in space.constants else parameter.times
        if parameter.when is not None or factor is not None:
            found.setdefault((parameter.when, factor), j)
    return np.array(sorted(found.values()), dtype=np.int64)


def inputs_of(shape: Shape, rows: Floats, task: Integers | None = None) -> Inputs:
    """The (n, d) unit rows as the kernel sees them; `task` 0 (ours) where it is not given."""
    ordered = rows[:, shape.smooth]
    active = ~np.isnan(rows[:, shape.groups])
    features = np.concatenate([np.where(np.isnan(ordered), 0.5, ordered), active], axis=1)
    chosen = rows[:, shape.choices]
    codes = np.where(np.isnan(chosen), INACTIVE, np.floor(np.nan_to_num(chosen) * shape.sizes))
    return Inputs(features, codes, np.zeros(len(rows), dtype=np.int64) if task is None else task)
