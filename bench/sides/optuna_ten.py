"""The ten parameters as Optuna asks for them, and its storages."""

from __future__ import annotations

import optuna
from ten import CHOICES, FLOATS, INTS, LOGS

optuna.logging.set_verbosity(optuna.logging.ERROR)


def suggest(trial: optuna.Trial) -> None:
    """Every parameter of `ten` has a value in this trial."""
    for name, bounds in FLOATS.items():
        trial.suggest_float(name, *bounds)
    for name, bounds in LOGS.items():
        trial.suggest_float(name, *bounds, log=True)
    for name, low_high in INTS.items():
        trial.suggest_int(name, *low_high)
    for name, values in CHOICES.items():
        trial.suggest_categorical(name, values)


def storage(kind: str, folder: str) -> optuna.storages.BaseStorage:
    """A new or existing storage in `folder`: `sqlite`, `journal` or `memory`; each as Optuna sets it up by itself."""
    if kind == "sqlite":
        return optuna.storages.RDBStorage(f"sqlite:///{folder}/optuna.db")
    if kind == "journal":
        backend = optuna.storages.journal.JournalFileBackend(f"{folder}/optuna.journal")
        return optuna.storages.JournalStorage(backend)
    return optuna.storages.InMemoryStorage()
