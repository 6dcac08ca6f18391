"""SMAC3's facade for hyperparameters (random forest, initial Sobol design), by ask and tell."""

import importlib.metadata
import tempfile

import ConfigSpace
from ConfigSpace.conditions import InCondition
from serve import WorstSeen, serve
from smac import HyperparameterOptimizationFacade, Scenario
from smac.runhistory.dataclasses import TrialValue


class Smac:
    """A scenario that knows its budget. What it writes goes to a folder that is removed."""

    def __init__(self, space, seed, trials, workers):
        self.space, self.seen = space, WorstSeen()
        self.folder = tempfile.TemporaryDirectory()
        scenario = Scenario(
            configspace(space, seed), output_directory=self.folder.name, deterministic=True, n_trials=trials,
            seed=seed % 2**31,
        )  # fmt: skip
        self.facade = HyperparameterOptimizationFacade(
            scenario, lambda config, seed=0: 0.0, overwrite=True, logging_level=40
        )

    def ask(self):
        """A configuration."""
        info = self.facade.ask()
        config = dict(info.config)
        names = {param.name: param for param in self.space}
        return {name: value(param, config[name]) for name, param in names.items() if name in config}, info

    def tell(self, info, loss):
        """Its loss."""
        self.facade.tell(info, TrialValue(cost=self.seen.loss(loss)))


def configspace(space, seed):
    """The space with its conditions."""
    built = ConfigSpace.ConfigurationSpace(seed=seed % 2**31)
    for param in space:
        built.add(hyperparameter(param))
    for param in space:
        if param.when is not None:
            parent, values = param.when
            known = {p.name: p for p in space}[parent]
            shown = [as_shown(known, one) for one in values]
            built.add(InCondition(built[param.name], built[parent], shown))
    return built


def hyperparameter(param):
    """One parameter."""
    if param.kind == "choice":
        return ConfigSpace.CategoricalHyperparameter(param.name, [str(one) for one in param.values])
    if param.kind == "ordinal":
        return ConfigSpace.OrdinalHyperparameter(param.name, [str(one) for one in param.values])
    if param.kind == "int":
        return ConfigSpace.UniformIntegerHyperparameter(param.name, int(param.low), int(param.high), log=param.log)
    return ConfigSpace.UniformFloatHyperparameter(param.name, param.low, param.high, log=param.log)


def as_shown(param, one):
    """A value as the library knows it."""
    return str(one) if param.values else one


def value(param, found):
    """The value as the problem knows it."""
    if param.values:
        return next(one for one in param.values if str(one) == found)
    return int(found) if param.kind == "int" else float(found)


if __name__ == "__main__":
    serve(Smac, version=importlib.metadata.version("smac"))
