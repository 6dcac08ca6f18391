"""Optuna: `with_optuna.py tpe` with its default sampler, `gp` with `GPSampler`. Ordinal values are given as their
places (it has none), conditions by asking for what is active."""

import sys

import optuna
from serve import serve

from bench.quality.parameters import is_active

optuna.logging.set_verbosity(optuna.logging.ERROR)
SAMPLERS = {"tpe": optuna.samplers.TPESampler, "gp": optuna.samplers.GPSampler}


class Optuna:
    """A study in memory."""

    def __init__(self, space, seed, trials, workers):
        self.space = space
        self.study = optuna.create_study(sampler=SAMPLERS[sys.argv[1]](seed=seed))

    def ask(self):
        """The next trial, defined by running."""
        trial = self.study.ask()
        params = {}
        for param in self.space:
            if is_active(param, params):
                params[param.name] = suggest(trial, param)
        return params, trial

    def tell(self, trial, loss):
        """Its result, or that it failed."""
        if loss is None:
            self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            self.study.tell(trial, loss)


def suggest(trial, param):
    """A value of one parameter."""
    if param.kind == "choice":
        return trial.suggest_categorical(param.name, param.values)
    if param.kind == "ordinal":
        return param.values[trial.suggest_int(param.name, 0, len(param.values) - 1)]
    kind = trial.suggest_float if param.kind == "float" else trial.suggest_int
    return kind(param.name, param.low, param.high, log=param.log)


if __name__ == "__main__":
    serve(Optuna, version=optuna.__version__)
