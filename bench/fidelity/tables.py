"""What is tuned: tables of learning curves, each a data set with its configurations, losses and times.

Three kinds: LCBench (real networks, through a surrogate), networks and boosted trees that are trained on the spot, and
made-up curves on which who ends best begins badly.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rung.model import Parameter
from rung.space import Space

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LCBENCH = Path("/work/shared/data/lcbench_curves.npz")
PARTS = (0.01, 0.001)  # of the best: what is to be come within


class Table(NamedTuple):
    """N configurations of `space`, `params` (N) and `units` (N, d); `losses` (N, T) to minimise after each epoch and
    `seconds` (N, T) since the start; `targets`: losses that are within PARTS of the best."""

    name: str
    space: Space
    params: list[dict[str, Any]]
    units: Floats
    losses: Floats
    seconds: Floats
    targets: tuple[float, ...]

    @property
    def epochs(self) -> int:
        """How many epochs a trial has."""
        return self.losses.shape[1]

    @property
    def best(self) -> float:
        """The least loss at the end."""
        return float(self.losses[:, -1].min())


def table(name: str, space: Space, params: list[dict[str, Any]], losses: Floats, seconds: Floats) -> Table:
    """A table whose targets are a part of the best loss's size away from it, where it is an accuracy (below 0), else of
    the distance from the median."""
    best = float(losses[:, -1].min())
    unit = -best if best < 0 else float(np.median(losses[:, -1])) - best
    return Table(
        name, space, params, space.encode(params), losses, seconds, tuple(best + part * unit for part in PARTS)
    )


def lcbench_space() -> Space:
    """The seven parameters of LCBench."""
    return Space(
        [
            Parameter(name="batch_size", type="int", min=16, max=512, scale="log"),
            Parameter(name="learning_rate", type="float", min=1e-4, max=0.1, scale="log"),
            Parameter(name="max_dropout", type="float", min=0.0, max=1.0),
            Parameter(name="max_units", type="int", min=64, max=1024, scale="log"),
            Parameter(name="momentum", type="float", min=0.1, max=0.99),
            Parameter(name="num_layers", type="int", min=1, max=5),
            Parameter(name="weight_decay", type="float", min=1e-5, max=0.1),
        ]
    )


def lcbench(names: list[str] | None = None) -> list[Table]:
    """The data sets of the file, or some of them."""
    space, found = lcbench_space(), []
    with np.load(LCBENCH) as file:
        columns, configs = [str(name) for name in file["columns"]], file["configs"]
        ints = {p.name for p in space.parameters if p.type == "int"}
        params = [
            {n: round(float(x)) if n in ints else float(x) for n, x in zip(columns, row, strict=True)}
            for row in configs
        ]
        for key in file.files:
            name, _, what = key.partition("|")
            if what == "accuracy" and (names is None or name in names):
                accuracy, seconds = file[key].astype(float), file[f"{name}|seconds"].astype(float)
                found.append(table(name, space, params, -accuracy, seconds))
    return found
