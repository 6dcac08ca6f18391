"""Hyperopt's TPE with its defaults, driven as `fmin` drives it. Ordinal values are given as their places; conditions
as nested choices."""

import importlib.metadata

import numpy as np
from hyperopt import JOB_STATE_DONE, STATUS_FAIL, STATUS_OK, Trials, hp, space_eval, tpe
from hyperopt.base import Domain
from hyperopt.pyll import scope
from serve import serve

from bench.quality.parameters import active_part


class Hyperopt:
    """A `Trials` whose documents are completed by `tell`."""

    def __init__(self, space, seed, trials, workers):
        self.space, self.expression = space, nested(space)
        self.domain = Domain(lambda params: 0.0, self.expression)
        self.trials, self.rng = Trials(), np.random.default_rng(seed)

    def ask(self):
        """The next document."""
        ids = self.trials.new_trial_ids(1)
        self.trials.refresh()
        document = tpe.suggest(ids, self.domain, self.trials, int(self.rng.integers(2**31 - 1)))[0]
        self.trials.insert_trial_docs([document])
        self.trials.refresh()
        drawn = {name: values[0] for name, values in document["misc"]["vals"].items() if values}
        found = flat(space_eval(self.expression, drawn))
        params = {p.name: value(p, found[p.name]) for p in self.space if p.name in found}
        return active_part(self.space, params), ids[0]

    def tell(self, token, loss):
        """The document is done."""
        document = next(one for one in self.trials._dynamic_trials if one["tid"] == token)
        document["result"] = {"status": STATUS_FAIL} if loss is None else {"status": STATUS_OK, "loss": loss}
        document["state"] = JOB_STATE_DONE
        self.trials.refresh()


def nested(space, parent=None, branch=None):
    """The parameters whose condition is this branch of this parent (none: without condition)."""
    found = {}
    for param in space:
        if (parent is None and param.when is None) or (
            param.when is not None and param.when[0] == parent and branch in param.when[1]
        ):
            found[param.name] = expression(space, param, suffix="" if branch is None else f"@{branch}")
    return found


def expression(space, param, *, suffix):
    """One parameter; a branching one carries what it switches on."""
    label = param.name + suffix
    switched = [other for other in space if other.when is not None and other.when[0] == param.name]
    options = param.values or tuple(range(int(param.low), int(param.high) + 1)) if switched else param.values
    if switched:
        return hp.choice(label, [{"": one, **nested(space, param.name, one)} for one in options])
    if param.kind == "choice":
        return hp.choice(label, list(options))
    if param.kind == "ordinal":
        return scope.int(hp.quniform(label, -0.5 + 1e-9, len(options) - 0.5 - 1e-9, 1))
    half = 0.5 - 1e-9 if param.kind == "int" else 0.0
    low, high = param.low - half, param.high + half
    if param.kind == "int":
        return scope.int(
            hp.qloguniform(label, np.log(low), np.log(high), 1) if param.log else hp.quniform(label, low, high, 1)
        )
    return hp.loguniform(label, np.log(low), np.log(high)) if param.log else hp.uniform(label, low, high)


def flat(found):
    """The nested configuration by name alone."""
    params = {}
    for name, one in found.items():
        if isinstance(one, dict):
            params[name] = one[""]
            params.update(flat({key: inner for key, inner in one.items() if key}))
        else:
            params[name] = one
    return params


def value(param, found):
    """The value as the problem knows it, within its bounds."""
    if param.kind == "ordinal":
        return param.values[min(max(int(found), 0), len(param.values) - 1)]
    if param.kind == "choice":
        return found
    number = min(max(found, param.low), param.high)
    return int(number) if param.kind == "int" else float(number)


if __name__ == "__main__":
    serve(Hyperopt, version=importlib.metadata.version("hyperopt"))
