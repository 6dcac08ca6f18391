"""Syne Tune's conformal quantile regression. It knows no conditions: inactive parameters are left out."""

import importlib.metadata
import logging

from serve import WorstSeen, serve
from syne_tune import config_space as cs
from syne_tune.optimizer.schedulers.searchers.conformal.conformal_quantile_regression_searcher import (
    ConformalQuantileRegression,
)

from bench.quality.parameters import active_part

logging.disable(logging.WARNING)


class SyneTune:
    """The searcher, driven as its scheduler does."""

    def __init__(self, space, seed, trials, workers):
        self.space, self.seen, self.number = space, WorstSeen(), -1
        self.searcher = ConformalQuantileRegression({param.name: domain(param) for param in space}, random_seed=seed)

    def ask(self):
        """A configuration."""
        config = self.searcher.suggest()
        if config is None:
            return None
        self.number += 1
        params = {p.name: value(p, config[p.name]) for p in self.space}
        return active_part(self.space, params), (self.number, config)

    def tell(self, token, loss):
        """Its loss."""
        number, config = token
        self.searcher.on_trial_complete(number, config, self.seen.loss(loss))


def domain(param):
    """One parameter."""
    if param.kind == "choice":
        return cs.choice([str(value) for value in param.values])
    if param.kind == "ordinal":
        return cs.randint(0, len(param.values) - 1)
    if param.kind == "int":
        return (cs.lograndint if param.log else cs.randint)(int(param.low), int(param.high))
    return (cs.loguniform if param.log else cs.uniform)(param.low, param.high)


def value(param, found):
    """The value as the problem knows it."""
    if param.kind == "choice":
        return next(one for one in param.values if str(one) == found)
    if param.kind == "ordinal":
        return param.values[int(found)]
    return int(found) if param.kind == "int" else float(found)


if __name__ == "__main__":
    serve(SyneTune, version=importlib.metadata.version("syne-tune"))
