"""`optuna_make.py FOLDER TRIALS REPORTS`: a finished study in SQLite, by Optuna's own `add_trials`."""

from __future__ import annotations

import random
import sys

import optuna
from optuna_ten import storage
from ten import CHOICES, FLOATS, INTS, LOGS

DISTRIBUTIONS: dict[str, optuna.distributions.BaseDistribution] = (
    {name: optuna.distributions.FloatDistribution(*bounds) for name, bounds in FLOATS.items()}
    | {name: optuna.distributions.FloatDistribution(*bounds, log=True) for name, bounds in LOGS.items()}
    | {name: optuna.distributions.IntDistribution(*low_high) for name, low_high in INTS.items()}
    | {name: optuna.distributions.CategoricalDistribution(values) for name, values in CHOICES.items()}
)


def finished(rng: random.Random, reports: int) -> optuna.trial.FrozenTrial:
    """A complete trial with that many intermediate values."""
    params = (
        {name: rng.uniform(*bounds) for name, bounds in (FLOATS | LOGS).items()}
        | {name: rng.randint(*low_high) for name, low_high in INTS.items()}
        | {name: rng.choice(values) for name, values in CHOICES.items()}
    )
    losses = [rng.random() for _ in range(reports)]
    return optuna.trial.create_trial(
        value=losses[-1], params=params, distributions=DISTRIBUTIONS, intermediate_values=dict(enumerate(losses))
    )


if __name__ == "__main__":
    folder, trials, reports = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    study = optuna.create_study(storage=storage("sqlite", folder), study_name="large")
    rng = random.Random(0)
    study.add_trials([finished(rng, reports) for _ in range(trials)])
