"""Nevergrad's NGOpt. It knows no conditions: inactive parameters are left out of what it proposed."""

import nevergrad as ng
from serve import WorstSeen, serve

from bench.quality.parameters import active_part


class Nevergrad:
    """An optimizer that knows its budget."""

    def __init__(self, space, seed, trials, workers):
        self.space, self.seen = space, WorstSeen()
        parametrization = ng.p.Dict(**{param.name: instrument(param) for param in space})
        parametrization.random_state.seed(seed % 2**32)
        self.optimizer = ng.optimizers.NGOpt(parametrization, budget=trials, num_workers=workers)

    def ask(self):
        """A candidate."""
        candidate = self.optimizer.ask()
        params = {p.name: value(p, candidate.value[p.name]) for p in self.space}
        return active_part(self.space, params), candidate

    def tell(self, candidate, loss):
        """Its loss."""
        self.optimizer.tell(candidate, self.seen.loss(loss))


def instrument(param):
    """One parameter."""
    if param.kind == "choice":
        return ng.p.Choice(list(param.values))
    if param.kind == "ordinal":
        return ng.p.TransitionChoice(list(param.values))
    scalar = (
        ng.p.Log(lower=param.low, upper=param.high) if param.log else ng.p.Scalar(lower=param.low, upper=param.high)
    )
    return scalar.set_integer_casting() if param.kind == "int" else scalar


def value(param, found):
    """The value within its bounds (a logarithm's round trip may leave them by a bit)."""
    if param.values:
        return found
    number = min(max(found, param.low), param.high)
    return int(number) if param.kind == "int" else float(number)


if __name__ == "__main__":
    serve(Nevergrad, version=ng.__version__)
