"""HEBO. It knows no conditions: inactive parameters are left out. Ordinal values are given as their places."""

import importlib.metadata
import random

import numpy as np
import torch
from hebo.design_space.design_space import DesignSpace
from hebo.optimizers.hebo import HEBO
from serve import WorstSeen, serve

from bench.quality.parameters import active_part

torch.set_num_threads(1)


class Hebo:
    """Draws from the global generators, which are seeded with the run's seed."""

    def __init__(self, space, seed, trials, workers):
        random.seed(seed)
        np.random.seed(seed % 2**32)  # the library draws from the global generator
        torch.manual_seed(seed)
        self.space, self.seen = space, WorstSeen()
        self.optimizer = HEBO(DesignSpace().parse([declared(param) for param in space]), scramble_seed=seed)

    def ask(self):
        """A configuration."""
        frame = self.optimizer.suggest(n_suggestions=1)
        row = frame.iloc[0]
        return active_part(self.space, {p.name: value(p, row[p.name]) for p in self.space}), frame

    def tell(self, frame, loss):
        """Its loss."""
        self.optimizer.observe(frame, np.array([[self.seen.loss(loss)]]))


def declared(param):
    """One parameter."""
    if param.kind == "choice":
        return {"name": param.name, "type": "cat", "categories": [str(one) for one in param.values]}
    if param.kind == "ordinal":
        return {"name": param.name, "type": "int", "lb": 0, "ub": len(param.values) - 1}
    kind = {("float", False): "num", ("float", True): "pow", ("int", False): "int", ("int", True): "pow_int"}
    return {"name": param.name, "type": kind[param.kind, param.log], "lb": param.low, "ub": param.high, "base": 10}


def value(param, found):
    """The value as the problem knows it."""
    if param.kind == "choice":
        return next(one for one in param.values if str(one) == found)
    if param.kind == "ordinal":
        return param.values[int(found)]
    number = min(max(found, param.low), param.high)
    return int(number) if param.kind == "int" else float(number)


if __name__ == "__main__":
    serve(Hebo, version=importlib.metadata.version("HEBO"))
