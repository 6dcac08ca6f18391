from __future__ import annotations

import importlib.util
import json
import math
import sys
from typing import Any

import pytest

from rung.model import BadInput, Parameter
from rung.plugins import find, searcher_class
from rung.search.base import Earlier, Proposed, Result, Suggestion
from rung.search.optuna import Optuna
from rung.space import Space
from rung.study.seeds import generator
from rung.testing.searchers import Drive, Make, SearcherConformance, problem

BOWL = (
    (
        Parameter(name="x", type="float", min=-5, max=5),
        Parameter(name="y", type="float", min=1e-4, max=1, scale="log"),
    ),
    (),
)


class OptunaConformance(SearcherConformance):
    proposals = 14
    spaces_each = 1

    @pytest.mark.parametrize("size", [1, 1000])
    def test_histories(self, make: Make, size: int) -> None:
        """Optuna takes more than a millisecond to learn of a trial."""
        super().test_histories(make, size)


class TestTPE(OptunaConformance):
    @pytest.fixture
    def make(self) -> Make:
        return Optuna.named("TPESampler")


class TestCmaEs(OptunaConformance):
    @pytest.fixture
    def make(self) -> Make:
        return Optuna.named("CmaEsSampler")

    @pytest.mark.skip(reason="Optuna's CmaEsSampler has no several objectives")
    def test_several_objectives(self, make: Make) -> None:
        raise AssertionError


class TestNsga(OptunaConformance):
    @pytest.fixture
    def make(self) -> Make:
        return Optuna.named("NSGAIISampler")


class TestQmc(OptunaConformance):
    @pytest.fixture
    def make(self) -> Make:
        return Optuna.named("QMCSampler")


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="GPSampler needs torch, which is not installed")
def test_the_sampler_that_fits_a_gaussian_process() -> None:
    """The whole suite, with its thousand pending trials, is too much for it: a proposal takes it a second."""
    asked = problem(BOWL, trials=14)
    drive = Drive(Optuna.named("GPSampler")(asked), asked)
    losses = []
    for number in range(14):
        params = drive.propose()
        assert params is not None
        asked.space.check(params)
        losses.append(bowl(params))
        drive.finish(number, losses[-1])
    assert min(losses[10:]) < min(losses[:10])


def bowl(params: dict[str, Any]) -> float:
    return float((params["x"] - 1) ** 2 + (math.log10(params["y"]) + 2) ** 2)


@pytest.mark.parametrize(
    ("name", "known"), [("TPESampler", {}), ("CmaEsSampler", {}), ("NSGAIISampler", {"population_size": 10})]
)
def test_it_finds_what_random_does_not(name: str, known: dict[str, Any]) -> None:
    def best(sampler: str, options: dict[str, Any]) -> float:
        asked = problem(BOWL, trials=70)
        asked.search.options.update(options)
        drive = Drive(Optuna.named(sampler)(asked), asked)
        losses = []
        for number in range(70):
            losses.append(bowl(drive.propose() or {}))
            drive.finish(number, losses[-1])
        return sum(losses[-20:]) / 20

    assert best(name, known) < 0.5 * best("RandomSampler", {})


def test_every_domain_is_told_to_optuna_as_it_is() -> None:
    import optuna

    dist = optuna.distributions
    parameters = (
        Parameter(name="linear", type="float", min=-1, max=2),
        Parameter(name="log", type="float", min=1e-5, max=0.1, scale="log"),
        Parameter(name="stepped", type="float", min=0, max=1, step=0.25),
        Parameter(name="int", type="int", min=3, max=9),
        Parameter(name="log int", type="int", min=1, max=1024, scale="log"),
        Parameter(name="choice", type="choice", values=({"a": [1]}, None, "b")),
        Parameter(name="ordinal", type="ordinal", values=("s", "m", "l")),
        Parameter(name="normal", type="normal", mean=0.0, sd=1.0),
        Parameter(name="reverse", type="float", min=0.5, max=0.999, scale="reverselog"),
    )
    asked = problem((parameters, ()))
    searcher = Optuna.named("RandomSampler")(asked)
    quantile = dist.FloatDistribution(2.0**-30, 1 - 2.0**-30)
    assert {name: one.distribution for name, one in searcher.sampling.dimensions.items()} == {
        "linear": dist.FloatDistribution(-1, 2),
        "log": dist.FloatDistribution(1e-5, 0.1, log=True),
        "stepped": dist.IntDistribution(0, 4),
        "int": dist.IntDistribution(0, 6),
        "log int": dist.IntDistribution(1, 1024, log=True),
        "choice": dist.CategoricalDistribution([0, 1, 2]),
        "ordinal": dist.IntDistribution(0, 2),
        "normal": quantile,
        "reverse": quantile,
    }


@pytest.mark.parametrize("name", ["mixed", "nested"])
def test_what_is_told_is_what_was_evaluated(name: str) -> None:
    """There and back: Optuna's own parameters of a trial decode to the configuration that was proposed."""
    declared = SearcherConformance.SPACES[name]
    asked = problem(declared)
    searcher = Optuna.named("RandomSampler")(asked)
    sampling, space = searcher.sampling, asked.space
    for row in space.sample(generator(1, "there", 0), 40):
        params = space.decode(row[None, :])[0]
        number = sampling.begin(params)
        trial = sampling.study.trials[number]
        assert set(trial.params) == set(params)
        for key, value in trial.params.items():
            row[space.names.index(key)] = sampling.dimensions[key].unit(value)
        back = space.decode(row[None, :])[0]
        assert {k: v for k, v in back.items() if not isinstance(v, float)} == {
            k: v for k, v in params.items() if not isinstance(v, float)
        }
        assert all(v == pytest.approx(params[k], rel=1e-6) for k, v in back.items() if isinstance(v, float))


@pytest.mark.parametrize("name", ["TPESampler", "NSGAIISampler"])
def test_bounds_on_outcomes_reach_the_sampler(name: str) -> None:
    asked = problem(BOWL, outcomes=1)
    drive = Drive(Optuna.named(name)(asked), asked)
    for number in range(4):
        drive.propose()
        drive.observe(Result(number, (1.0,), ((0.0,) if number % 2 else (3.0,))))
    drive.suggest()
    searcher: Any = drive.searcher
    study = (searcher.sampling if name == "TPESampler" else searcher._life.object).study
    told = [trial.system_attrs["constraints"] for trial in study.trials if trial.state.name == "COMPLETE"]
    assert [tuple(one) for one in told] == [(3.0,), (0.0,), (3.0,), (0.0,)]


def test_failed_trials_and_earlier_ones() -> None:
    asked = problem(BOWL)
    searcher = Optuna.named("TPESampler")(asked)
    one, two = asked.space.decode(asked.space.sample(generator(1, "x", 0), 2))
    searcher.observe([Earlier(0, one, (0.5,)), Proposed(0, two), Result(0, None)])
    assert [(trial.state.name, trial.values) for trial in searcher.sampling.study.trials] == [
        ("COMPLETE", [0.5]),
        ("FAIL", None),
    ]


def test_a_restart_of_a_sampler_that_remembers() -> None:
    """CMA-ES keeps its distribution in Optuna's study, which is gone; it is asked and told again."""
    asked = problem(BOWL, trials=60)
    lived = Drive(Optuna.named("CmaEsSampler")(asked), asked)
    for number in range(40):
        lived.finish(number, bowl(lived.propose() or {}))
    again = Drive(Optuna.named("CmaEsSampler")(asked), asked)
    again.observe(*lived.deltas)
    for number in range(40, 50):
        found = lived.suggest()
        assert isinstance(found, Suggestion)
        assert found == again.suggest()
        assert json.loads(json.dumps(found.memo)) == {"seen": 2 * number, "asks": 1}
        loss = bowl(lived.propose() or {})
        again.propose()
        lived.finish(number, loss)
        again.finish(number, loss)


def test_by_its_name_on_the_command_line() -> None:
    kind = searcher_class("optuna:TPESampler")
    assert kind.options["n_startup_trials"] == 10
    assert {"seed", "constraints_func"}.isdisjoint(kind.options)
    with pytest.raises(BadInput, match=r"optuna has no sampler 'Tpe'; it has .*TPESampler"):
        searcher_class("optuna:Tpe")
    with pytest.raises(BadInput, match="optuna is a family: give one of it as optuna:NAME"):
        searcher_class("optuna")
    with pytest.raises(BadInput, match="the searcher random takes no name after it"):
        find("search", "random:x")


def test_a_sampler_that_needs_an_option() -> None:
    with pytest.raises(BadInput, match="GridSampler needs a value for `search_space`"):
        Optuna.named("GridSampler")(problem(BOWL))


def test_without_optuna(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(BadInput, match=r"optuna is not installed: pip install 'rung\[optuna\]'"):
        searcher_class("optuna:TPESampler")


def test_a_constraint_that_hardly_anything_keeps() -> None:
    asked = problem(
        (
            (Parameter(name="x", type="int", min=0, max=99), Parameter(name="y", type="int", min=0, max=99)),
            ("x + y <= 4",),
        )
    )
    drive = Drive(Optuna.named("RandomSampler")(asked), asked)
    found = [drive.propose() for _ in range(16)]
    assert None not in found[:15]
    assert found[15] is None
    assert Space(asked.space.parameters, asked.space.constraints).size == 15
