"""`optuna_study.py URL TRIALS`: the study of `study.py` as one of Optuna's, for its dashboard: the same ten parameters
and the same planted loss, 30 intermediate values for one trial in a hundred. Runs in the dashboard's environment."""

from __future__ import annotations

import math
import sys
from datetime import datetime, timedelta

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

REPORTS = 30
OPT = ["sgd", "adam", "adamw", "lion"]
SPACE = {
    "lr": FloatDistribution(1e-5, 1.0, log=True),
    "width": IntDistribution(16, 1024, log=True),
    "opt": CategoricalDistribution(OPT),
    "dropout": FloatDistribution(0.0, 0.8),
    "momentum": FloatDistribution(0.0, 0.99),
    "weight_decay": FloatDistribution(1e-8, 0.1, log=True),
    "batch_size": CategoricalDistribution([16, 32, 64, 128, 256]),
    "depth": IntDistribution(1, 12),
    "warmup": IntDistribution(0, 2000),
    "smoothing": FloatDistribution(0.0, 0.3),
}


def value_of(name: str, unit: float) -> object:
    """The value at a place in 0..1 along the parameter's scale."""
    kind = SPACE[name]
    if isinstance(kind, CategoricalDistribution):
        return kind.choices[min(int(unit * len(kind.choices)), len(kind.choices) - 1)]
    if kind.log:
        value = math.exp(math.log(kind.low) + unit * (math.log(kind.high) - math.log(kind.low)))
    else:
        value = kind.low + unit * (kind.high - kind.low)
    return round(value) if isinstance(kind, IntDistribution) else value


def trials(count: int) -> list[FrozenTrial]:
    """So many complete trials."""
    rng = np.random.default_rng(0)
    begun, found = datetime(2026, 5, 28), []
    for number, u in enumerate(rng.random((count, len(SPACE)))):
        params = {name: value_of(name, float(unit)) for name, unit in zip(SPACE, u, strict=True)}
        if params["opt"] != "sgd":
            del params["momentum"]
        lr, width = u[0], u[1]
        loss = 0.1 + 1.1 * (lr - 0.6) ** 2 + 0.5 * (width - 0.7) ** 2 - 0.5 * (lr - 0.5) * (width - 0.5)
        loss += [0.0, 0.03, 0.07, 0.12][OPT.index(str(params["opt"]))] + 0.12 * u[3] + rng.normal(0, 0.02)
        steps = range(1, REPORTS + 1) if number % 100 == 0 else []
        trial = create_trial(
            state=TrialState.COMPLETE, value=float(loss), params=params,
            distributions={name: SPACE[name] for name in params},
            intermediate_values={step: float(loss + 0.8 * (step**-0.7 - REPORTS**-0.7)) for step in steps},
        )  # fmt: skip
        trial.datetime_start = begun + timedelta(seconds=number / 2)
        trial.datetime_complete = trial.datetime_start + timedelta(seconds=4)
        found.append(trial)
    return found


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(storage=sys.argv[1], study_name="large", load_if_exists=True)
    done = len(study.trials)
    study.add_trials(trials(int(sys.argv[2]))[done:])
