"""Rung: `with_rung.py METHOD`, a registered searcher or `module:Class`, driven by its own protocol as a study does.

METHOD may end in `?{...}`: options as JSON.
"""

import importlib
import json
import sys

from serve import serve

from rung.model import Budget, Objective, Parameter, SearchSpec
from rung.plugins import searcher_class
from rung.search.base import Exhausted, Problem, Proposed, Result
from rung.space import Space
from rung.study.policy import Taken
from rung.study.seeds import generator


class Rung:
    """A searcher and what the engine does with it."""

    def __init__(self, space, seed, trials, workers):
        name, _, options = sys.argv[1].partition("?")
        search = SearchSpec(method=name, seed=seed, options=json.loads(options or "{}"))
        self.problem = Problem(
            space=Space(tuple(declared(param) for param in space)), seed=seed, search=search,
            objectives=(Objective(metric="loss"),), budget=Budget(trials=trials), workers=workers,
        )  # fmt: skip
        self.searcher = found_class(name)(self.problem)
        self.taken, self.pending, self.number = Taken(self.problem.space, 1), [], 0

    def ask(self):
        """The searcher's suggestion; it has seen that it was taken up."""
        number = self.number
        rng = generator(self.problem.seed, "search", number)
        found = self.searcher.suggest(number, tuple(self.pending), self.taken, rng)
        if isinstance(found, Exhausted):
            return None
        memo = None if found.memo is None else json.loads(json.dumps(found.memo))
        self.taken.add(found.params)
        self.pending.append(number)
        self.number += 1
        self.searcher.observe([Proposed(number, found.params, memo)])
        return found.params, number

    def tell(self, number, loss):
        """The result; a failed trial has no losses."""
        self.pending.remove(number)
        self.searcher.observe([Result(number, None if loss is None else (loss,))])


def found_class(name):
    """The searcher's class."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute) if attribute else searcher_class(name)


def declared(param):
    """The parameter in Rung's words."""
    when = None
    if param.when is not None:
        when = " or ".join(f"{param.when[0]} == {literal(one)}" for one in param.when[1])
    if param.values:
        return Parameter(name=param.name, type=param.kind, values=param.values, when=when)
    low, high = (int(param.low), int(param.high)) if param.kind == "int" else (param.low, param.high)
    return Parameter(
        name=param.name, type=param.kind, min=low, max=high, scale="log" if param.log else "linear", when=when
    )


def literal(value):
    """A value in the language of conditions."""
    return json.dumps(value) if not isinstance(value, str) else f"'{value}'"


if __name__ == "__main__":
    serve(Rung, version="")
