"""What is tuned: tables of learning curves, each a data set with its configurations, losses and times.

Three kinds: LCBench (real networks, through a surrogate), networks and boosted trees that are trained on the spot, and
made-up curves on which who ends best begins badly.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rung.model import Parameter
from rung.space import Space

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ROOT = Path(__file__).resolve().parents[2]
LCBENCH = ROOT.parent / "shared" / "data" / "lcbench_curves.npz"  # beside the project
SCRATCH = ROOT / "bench" / "results" / "scratch" / "fidelity"
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


# ------------------------------------------------------------------------------------------------------------ made up


def crossing(seed: int = 1, count: int = 600, epochs: int = 50) -> Table:
    """Made-up curves that cross late: who ends lower falls more slowly, as with a small learning rate, so that the best
    one is behind half of the others for a third of its time; losses have noise."""
    space = Space([Parameter(name=name, type="float", min=0.0, max=1.0) for name in ("rate", "size", "decay", "width")])
    rng = np.random.default_rng(seed)
    units = rng.random((count, 4))
    centre = np.array([0.25, 0.7, 0.4, 0.6])
    floor = 0.1 + ((units - centre) ** 2 @ np.array([1.5, 1.0, 0.6, 0.2])) + 0.02 * rng.standard_normal(count) ** 2
    speed = 0.04 + 0.5 * units[:, 0] ** 1.5 + 0.2 * np.maximum(floor - 0.2, 0.0)
    steps = np.arange(1, epochs + 1)
    losses = floor[:, None] + 2.0 * np.exp(-speed[:, None] * steps) + 0.003 * rng.standard_normal((count, epochs))
    pace = np.exp(1.5 * units[:, 1] + 0.1 * rng.standard_normal(count))
    return table("made up: crossing late", space, space.decode(units), losses, pace[:, None] * steps)


# ------------------------------------------------------------------------------------------------- trained on the spot


def network(count: int = 150, epochs: int = 27) -> Table:
    """A multilayer perceptron on handwritten digits, really trained: errors on held back digits after each pass."""
    from sklearn.datasets import load_digits
    from sklearn.neural_network import MLPClassifier

    space = Space(
        [
            Parameter(name="rate", type="float", min=1e-4, max=1e-1, scale="log"),
            Parameter(name="units", type="int", min=8, max=128, scale="log"),
            Parameter(name="batch", type="int", min=8, max=256, scale="log"),
            Parameter(name="alpha", type="float", min=1e-6, max=1.0, scale="log"),
        ]
    )
    x, y = load_digits(return_X_y=True)
    x = x / 16.0

    def train(params: dict[str, Any], seed: int) -> list[float]:
        net = MLPClassifier(
            hidden_layer_sizes=(params["units"],), learning_rate_init=params["rate"], batch_size=params["batch"],
            alpha=params["alpha"], random_state=seed,
        )  # fmt: skip
        return [
            1.0 - net.partial_fit(x[:900], y[:900], classes=range(10)).score(x[900:], y[900:]) for _ in range(epochs)
        ]

    return _trained("network on digits", space, train, count)


def boosting(count: int = 150, rounds: int = 40) -> Table:
    """Boosted trees on the breast cancer data, really trained: log loss on held back cases after each tree."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.metrics import log_loss

    space = Space(
        [
            Parameter(name="rate", type="float", min=0.01, max=1.0, scale="log"),
            Parameter(name="depth", type="int", min=1, max=8),
            Parameter(name="subsample", type="float", min=0.2, max=1.0),
            Parameter(name="features", type="float", min=0.1, max=1.0),
        ]
    )
    x, y = load_breast_cancer(return_X_y=True)

    def train(params: dict[str, Any], seed: int) -> list[float]:
        model = GradientBoostingClassifier(
            n_estimators=rounds, learning_rate=params["rate"], max_depth=params["depth"], random_state=seed,
            subsample=params["subsample"], max_features=params["features"],
        ).fit(x[::2], y[::2])  # fmt: skip
        return [float(log_loss(y[1::2], p)) for p in model.staged_predict_proba(x[1::2])]

    return _trained("boosted trees", space, train, count)


def _trained(name: str, space: Space, train: Any, count: int) -> Table:
    """The table of `count` random configurations, kept beside the results; seconds are those of this machine."""
    kept = SCRATCH / f"{name.replace(' ', '-')}.npz"
    units = np.random.default_rng(5).random((count, len(space.names)))
    params = space.decode(units)
    if not kept.exists():
        losses, seconds = [], []
        for i, one in enumerate(params):
            start = time.process_time()
            losses.append(train(one, i))
            seconds.append((time.process_time() - start) * np.arange(1, len(losses[-1]) + 1) / len(losses[-1]))
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, losses=np.array(losses), seconds=np.array(seconds))
    with np.load(kept) as file:
        return table(name, space, params, file["losses"], file["seconds"])


def every() -> list[Table]:
    """All of them."""
    return [*lcbench(), crossing(), network(), boosting()]
