"""The problems, by family, and the rule they were chosen by.

The rule: nothing was chosen by how any tuner does on it. BBOB and mixed-integer functions and their instances are the
first of a shuffle with a fixed seed; tables are the FCNet ones and the first of a shuffle of the others; the trained
models are the four kinds that the goal names, each with the ranges a user would give it; the made-up ones have
optima drawn at random. `check.py` leaves out what random search solves. Standard library only.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any, NamedTuple

from bench.quality.parameters import Param, choice, floats, ints, ordinal

SCALES = Path(__file__).with_name("scales.json")
SHUFFLE_SEED = 20
REVISION = 1


class Problem(NamedTuple):
    """Something to minimise. `maker` names the function of `objectives.py` that builds it from `arguments`.

    `noise`: "" for none, "gauss" for a normal error of a tenth of what separates the best from the median, "draw"
    when the objective itself is drawn (a training run of a table, a split of the data).
    """

    name: str
    family: str
    maker: str
    arguments: dict[str, Any]
    space: tuple[Param, ...]
    noise: str = ""

    def key(self) -> str:
        """What its results depend on: another key is another problem."""
        return json.dumps([REVISION, self.maker, self.arguments, self.noise, [list(p) for p in self.space]])


def _shuffled(things: list[Any], salt: str) -> list[Any]:
    random.Random(f"{SHUFFLE_SEED}/{salt}").shuffle(things)
    return things


# ---------------------------------------------------------------------------------------------------------- tables

_NETWORK = (
    choice("activation_fn_1", "relu", "tanh"),
    choice("activation_fn_2", "relu", "tanh"),
    ordinal("batch_size", 8, 16, 32, 64),
    ordinal("dropout_1", 0.0, 0.3, 0.6),
    ordinal("dropout_2", 0.0, 0.3, 0.6),
    ordinal("init_lr", 5e-4, 1e-3, 5e-3, 1e-2, 5e-2, 1e-1),
    choice("lr_schedule", "cosine", "const"),
    ordinal("n_units_1", 16, 32, 64, 128, 256, 512),
    ordinal("n_units_2", 16, 32, 64, 128, 256, 512),
)
_PERCEPTRON = (
    ordinal("alpha", 1e-8, 7.742637e-8, 5.994842e-7, 4.641589e-6, 3.5938137e-5, 2.7825593e-4, 2.1544348e-3,
            1.6681006e-2, 1.2915497e-1, 1),
    ordinal("batch_size", 4, 6, 10, 16, 25, 40, 64, 101, 161, 256),
    ordinal("depth", 1, 2, 3),
    ordinal("learning_rate_init", 1e-5, 3.5938137e-5, 1.2915497e-4, 4.641589e-4, 1.6681006e-3, 5.9948424e-3,
            2.1544347e-2, 7.742637e-2, 2.7825594e-1, 1),
    ordinal("width", 16, 25, 40, 64, 101, 161, 256, 406, 645, 1024),
)  # fmt: skip
_CELL = tuple(choice(f"Op{edge}", 0, 1, 2, 3, 4) for edge in range(6))


def _table(name: str, collection: str, dataset: str, space: tuple[Param, ...]) -> Problem:
    return Problem(name, "tables", "table", {"collection": collection, "dataset": dataset}, space)


def _tables() -> list[Problem]:
    perceptron = _shuffled(["car", "phoneme", "vehicle", "australian", "kc1", "segment", "credit_g"], "perceptron")[0]
    cell = _shuffled(["cifar10", "cifar100", "imagenet"], "cell")[0]
    fcnet = {"naval": "naval_propulsion", "protein": "protein_structure", "slice": "slice_localization"}
    return [
        *(_table(f"fcnet-{name}", "hpolib", dataset, _NETWORK) for name, dataset in fcnet.items()),
        _table(f"mlp-table-{perceptron}", "hpobench", perceptron, _PERCEPTRON),
        _table(f"nas-{cell}", "nasbench201", cell, _CELL),
    ]


# ------------------------------------------------------------------------------------------------------------ BBOB


def _cube(dimension: int) -> tuple[Param, ...]:
    return tuple(floats(f"x{i}", -5.0, 5.0) for i in range(dimension))


def _bbob() -> list[Problem]:
    functions = _shuffled(list(range(1, 25)), "bbob")
    found = []
    for place, dimension in enumerate((2, 2, 5, 5, 20, 20)):
        arguments = {"function": functions[place], "instance": 1 + place, "dimension": dimension}
        found.append(Problem(f"bbob-f{functions[place]:02}-{dimension}d", "bbob", "bbob", arguments, _cube(dimension)))
    return found


def _mixed_cube(dimension: int) -> tuple[Param, ...]:
    """The mixed-integer suite: a fifth of the variables each with 2, 4, 8, 16 values, and a fifth continuous."""
    share = dimension // 5
    sizes = [size for size in (2, 4, 8, 16) for _ in range(share)]
    numbers = [ints(f"x{i}", 0, size - 1) for i, size in enumerate(sizes)]
    return (*numbers, *(floats(f"x{i}", -5.0, 5.0) for i in range(4 * share, dimension)))


def _mixint() -> list[Problem]:
    functions = _shuffled(list(range(1, 25)), "mixint")
    found = []
    for place, dimension in enumerate((5, 5, 20)):
        arguments = {"function": functions[place], "instance": 1 + place, "dimension": dimension}
        name = f"mixint-f{functions[place]:02}-{dimension}d"
        found.append(Problem(name, "mixint", "mixint", arguments, _mixed_cube(dimension)))
    return found


# -------------------------------------------------------------------------------------------------- trained models

_SVM = (
    choice("kernel", "rbf", "sigmoid", "poly"),
    floats("c", 1e-3, 1e4, log=True),
    floats("gamma", 1e-5, 10.0, log=True),
    floats("epsilon", 1e-3, 1.0, log=True),
)
_FOREST = (
    ints("trees", 3, 24, log=True),
    ints("depth", 1, 16),
    floats("features", 0.05, 1.0),
    ints("leaf", 1, 20, log=True),
    choice("criterion", "gini", "entropy"),
    choice("bootstrap", True, False),
)
_BOOSTING = (
    floats("rate", 0.005, 1.0, log=True),
    ints("trees", 4, 40, log=True),
    ints("depth", 1, 6),
    floats("subsample", 0.2, 1.0),
    floats("features", 0.1, 1.0),
    ints("leaf", 1, 40, log=True),
    choice("loss", "squared_error", "huber"),
)
_MLP = (
    ints("width", 4, 48, log=True),
    floats("rate", 1e-4, 0.5, log=True),
    floats("alpha", 1e-7, 1.0, log=True),
    ordinal("batch", 32, 64, 128),
    choice("activation", "relu", "tanh", "logistic"),
    choice("solver", "adam", "sgd"),
    floats("momentum", 0.0, 0.99),
)


def _trained() -> list[Problem]:
    return [
        Problem("svm-diabetes", "sklearn", "svm", {}, _SVM),
        Problem("forest-cancer", "sklearn", "forest", {}, _FOREST),
        Problem("boosting-diabetes", "sklearn", "boosting", {}, _BOOSTING),
        Problem("mlp-digits", "sklearn", "mlp", {}, _MLP),
    ]


# ----------------------------------------------------------------------------------------------------- conditional

_BRANCHES = (
    choice("branch", "a", "b", "c", "d"),
    floats("shared", 0.0, 1.0),
    *(floats(f"{b}{i}", 0.0, 1.0, when=("branch", (b,))) for b, n in zip("abcd", (1, 2, 3, 4), strict=True)
      for i in range(n)),
)  # fmt: skip
_LAYERS = (
    choice("optimizer", "sgd", "adam", "rmsprop"),
    floats("lr", 1e-5, 1.0, log=True),
    floats("momentum", 0.0, 0.999, when=("optimizer", ("sgd", "rmsprop"))),
    floats("beta", 1e-4, 0.5, log=True, when=("optimizer", ("adam",))),
    ints("layers", 1, 3),
    ints("units1", 8, 512, log=True),
    ints("units2", 8, 512, log=True, when=("layers", (2, 3))),
    ints("units3", 8, 512, log=True, when=("layers", (3,))),
    choice("dropout", True, False),
    floats("drop_rate", 0.0, 0.9, when=("dropout", (True,))),
)
_MODELS = (
    choice("model", "svm", "forest", "boosting", "ridge", "neighbours"),
    floats("c", 1e-3, 1e4, log=True, when=("model", ("svm",))),
    floats("gamma", 1e-5, 10.0, log=True, when=("model", ("svm",))),
    ints("trees", 4, 24, log=True, when=("model", ("forest", "boosting"))),
    ints("depth", 1, 10, when=("model", ("forest", "boosting"))),
    floats("features", 0.05, 1.0, when=("model", ("forest", "boosting"))),
    floats("rate", 0.005, 1.0, log=True, when=("model", ("boosting",))),
    floats("alpha", 1e-4, 1e4, log=True, when=("model", ("ridge",))),
    ints("neighbours", 1, 60, log=True, when=("model", ("neighbours",))),
    choice("weights", "uniform", "distance", when=("model", ("neighbours",))),
)


def _conditional() -> list[Problem]:
    return [
        Problem("branches", "conditional", "branches", {"seed": SHUFFLE_SEED}, _BRANCHES),
        Problem("layers", "conditional", "layers", {"seed": SHUFFLE_SEED}, _LAYERS),
        Problem("models-diabetes", "conditional", "models", {}, _MODELS),
    ]


# ----------------------------------------------------------------------------------------------------------- noisy


def _noisy() -> list[Problem]:
    function = _shuffled(list(range(1, 25)), "noisy")[0]
    sphere = {"function": function, "instance": 1, "dimension": 5}
    parkinsons = {"collection": "hpolib", "dataset": "parkinsons_telemonitoring"}
    return [
        Problem(f"noisy-bbob-f{function:02}-5d", "noisy", "bbob", sphere, _cube(5), noise="gauss"),
        Problem("noisy-fcnet-parkinsons", "noisy", "table", parkinsons, _NETWORK, noise="draw"),
        Problem("noisy-svm-diabetes", "noisy", "svm", {"splits": 3}, _SVM, noise="draw"),
    ]


# -------------------------------------------------------------------------------------------------------- approach

APPROACH = "approach"


def _approach() -> list[Problem]:
    """The distance of a test function to a target that it crosses: a quantile of random configurations."""
    functions, found = _shuffled(list(range(1, 25)), APPROACH), []
    for place, (dimension, quantile) in enumerate(((2, 0.2), (2, 0.5), (5, 0.1), (5, 0.3), (5, 0.6))):
        arguments = {"function": functions[place], "instance": 1, "dimension": dimension, "quantile": quantile}
        name = f"approach-f{functions[place]:02}-{dimension}d"
        found.append(Problem(name, APPROACH, "crossing", arguments, _cube(dimension)))
    return found


def _all() -> dict[str, Problem]:
    found = [*_tables(), *_bbob(), *_mixint(), *_trained(), *_conditional(), *_noisy(), *_approach()]
    return {problem.name: problem for problem in found}


PROBLEMS = _all()
FAMILIES = tuple(dict.fromkeys(problem.family for problem in PROBLEMS.values()))
RANKED = tuple(name for name, problem in PROBLEMS.items() if problem.family != APPROACH)  # it has a table of its own


def of_families(names: list[str]) -> list[str]:
    """The problems that are named, or whose family is; without names, all that are ranked.

    Raises `KeyError` with the words to use.
    """
    found = [p.name for p in PROBLEMS.values() if p.name in names or p.family in names] if names else list(RANKED)
    unknown = set(names) - set(PROBLEMS) - set(FAMILIES)
    if unknown:
        raise KeyError(f"no problem or family {sorted(unknown)}; families: {FAMILIES}; problems: {tuple(PROBLEMS)}")
    return found
