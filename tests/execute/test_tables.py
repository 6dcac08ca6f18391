from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.execute.simulation.curves import Curve
from rung.execute.tables import Table
from rung.model import BadInput, Parameter
from rung.space import Space

LR = Parameter(name="lr", type="float", min=1e-4, max=1.0, scale="log")
OPT = Parameter(name="opt", type="choice", values=("sgd", "adam", "rms"))
WIDTH = Parameter(name="width", type="int", min=1, max=9)


def table(*configs: dict[str, Any]) -> Table:
    curves = [Curve(np.array([1.0]), np.array([1.0]), {"loss": np.array([float(i)])}) for i in range(len(configs))]
    return Table(configs, curves, metrics=["loss"], place="t.csv")


def test_a_proposal_gets_the_nearest_configuration_in_the_unit_cube() -> None:
    found = table({"lr": 1e-3}, {"lr": 0.1}).over(Space([LR]))
    assert [found.row({"lr": lr}) for lr in (1e-4, 1e-3, 9e-3, 1.1e-2, 0.5)] == [0, 0, 0, 1, 1]
    assert found.curve({"lr": 0.3}, seed=5).metrics["loss"].tolist() == [1]


def test_values_of_a_choice_are_equal_or_far_apart() -> None:
    found = table({"opt": "sgd", "lr": 1e-4}, {"opt": "rms", "lr": 0.9}).over(Space([OPT, LR]))
    assert found.row({"opt": "adam", "lr": 0.8}) == 1  # not nearer to sgd for standing beside it
    assert found.row({"opt": "sgd", "lr": 0.8}) == 0


def test_the_first_of_equally_near_ones_is_taken() -> None:
    assert table({"opt": "rms"}, {"opt": "sgd"}).over(Space([OPT])).row({"opt": "adam"}) == 0


def test_inactive_parameters_count_as_a_value_of_their_own() -> None:
    momentum = Parameter(name="momentum", type="float", min=0.0, max=1.0, when="opt == 'sgd'")
    space = Space([OPT, momentum])
    found = table(
        {"opt": "sgd", "momentum": 0.0}, {"opt": "sgd", "momentum": 1.0}, {"opt": "adam", "momentum": 0.3}
    ).over(space)
    assert found.row({"opt": "sgd", "momentum": 0.8}) == 1
    assert found.row({"opt": "adam"}) == 2


def test_a_factor_is_taken_into_account() -> None:
    heads = Parameter(name="heads", type="int", min=1, max=4)
    hidden = Parameter(name="hidden", type="int", min=2, max=8, step=2, times="heads")
    found = table({"heads": 4, "hidden": 32}, {"heads": 4, "hidden": 8}).over(Space([heads, hidden]))
    assert found.row({"heads": 4, "hidden": 24}) == 0


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(1e-4, 1), st.integers(1, 9), st.sampled_from(["sgd", "adam", "rms"])),
        min_size=1,
        max_size=12,
        unique=True,
    ),
    st.integers(0, 99),
)
def test_the_nearest_is_found_as_by_comparing_one_by_one(rows: list[tuple[float, int, str]], seed: int) -> None:
    space = Space([LR, WIDTH, OPT])
    configs = [{"lr": lr, "width": width, "opt": opt} for lr, width, opt in rows]
    found = table(*configs).over(space)
    proposal = space.decode(space.sample(np.random.default_rng(seed)))[0]

    def apart(config: dict[str, Any]) -> float:
        here, there = space.encode([proposal])[0], space.encode([config])[0]
        return float((here[0] - there[0]) ** 2 + (here[1] - there[1]) ** 2 + (proposal["opt"] != config["opt"]))

    assert apart(configs[found.row(proposal)]) == pytest.approx(min(apart(config) for config in configs), abs=1e-12)
    assert [configs[found.row(config)] for config in configs] == configs


def test_only_configurations_of_the_space_are_looked_at() -> None:
    narrow = Parameter(name="width", type="int", min=4, max=6)
    found = table({"width": 1}, {"width": 5}, {"width": 9}).over(Space([narrow]))
    assert found.rows == [1]
    fixed = Parameter(name="opt", type="constant", value="adam")
    both = table({"width": 5, "opt": "sgd"}, {"width": 8, "opt": "adam"}).over(Space([WIDTH, fixed]))
    assert both.rows == [1]
    assert both.row({"width": 5, "opt": "adam"}) == 1


@pytest.mark.parametrize(
    ("parameters", "metrics", "says"),
    [
        ([WIDTH], ["accuracy"], "t.csv: holds no metric 'accuracy'; it has loss"),
        ([LR, WIDTH], ["loss"], "t.csv: has no column for the parameter 'lr'; it has width, opt"),
        ([WIDTH], [], "t.csv: its column 'opt' is no parameter of the study: search it too, or fix it as a constant"),
    ],
)
def test_a_table_that_does_not_fit_the_study_is_refused(
    parameters: list[Parameter], metrics: list[str], says: str
) -> None:
    with pytest.raises(BadInput) as error:
        table({"width": 5, "opt": "sgd"}, {"width": 8, "opt": "adam"}).over(Space(parameters), metrics)
    assert str(error.value) == says


def test_a_table_outside_of_the_space_is_refused() -> None:
    narrow = Parameter(name="width", type="int", min=4, max=6)
    with pytest.raises(
        BadInput, match=r"t.csv: none of its 2 configurations is in the study's space \(configuration 1: .*width.*4"
    ):
        table({"width": 1}, {"width": 9}).over(Space([narrow]))
    with pytest.raises(BadInput, match=r"t.csv: holds no configuration"):
        table()


def test_a_space_over_all_of_a_table() -> None:
    found = table(
        {"lr": 0.001, "width": 3, "opt": "sgd", "layers": 2, "bias": True, "fixed": 1.5},
        {"lr": 0.1, "width": 8, "opt": "adam", "layers": 8, "bias": False, "fixed": 1.5},
    ).space(log=["lr"], finite=["layers"])
    assert found == (
        Parameter(name="lr", type="float", min=0.001, max=0.1, scale="log"),
        Parameter(name="width", type="int", min=3, max=8),
        Parameter(name="opt", type="choice", values=("adam", "sgd")),
        Parameter(name="layers", type="ordinal", values=(2, 8)),
        Parameter(name="bias", type="choice", values=(False, True)),
        Parameter(name="fixed", type="ordinal", values=(1.5,)),
    )
    Space(found)


def test_a_space_that_cannot_be_is_refused() -> None:
    with pytest.raises(BadInput, match=r"t.csv: has no parameter 'rate'; it has width"):
        table({"width": 1}, {"width": 2}).space(log=["rate"])
    with pytest.raises(BadInput, match=r"t.csv: width: holds 0: a logarithmic scale needs numbers above 0"):
        table({"width": 0}, {"width": 2}).space(log=["width"])
