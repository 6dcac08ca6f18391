from __future__ import annotations

import pytest

from rung.dialects import RungDialect, edit_spec, spec_to_tree
from rung.dialects.base import Asked
from rung.model import BadInput, Objective, StudySpec

TEXT = """\
command: t {rest}
parameters:
  net: {lr: {type: float, min: 0.1, max: 1.0}, depth: 3}
  a.b: 1
objective: loss
search: sobol
budget: {trials: 10}
outcomes: [{metric: a, at_most: 1}]
"""


def read(*overrides: tuple[str, str]) -> StudySpec:
    return RungDialect().read(TEXT, file="s.yaml", asked=Asked(settings=overrides))


@pytest.mark.parametrize(
    ("path", "value", "tree"),
    [
        ("budget.trials", "200", {"budget": {"trials": 200}}),
        ("budget.trials", "1e3", {"budget": {"trials": 1000}}),
        ("budget.time", "2h30m", {"budget": {"trials": 10, "time": "2h30m"}}),
        ("budget.trials", "null", {"budget": None}),
        ("search.seed", "0", {"search": {"method": "sobol", "seed": 0}}),
        ("search.scramble", "no", {"search": {"method": "sobol", "scramble": "no"}}),
        ("search", "{method: grid, order: [a, 1]}", {"search": {"method": "grid", "order": ["a", 1]}}),
        ("search", "", {"search": None}),
        ("objective.goal", "maximize", {"objective": {"metric": "loss", "goal": "maximize"}}),
        ("run.workers", "3", {"run": {"workers": 3}}),
        ("outcomes[0].at_most", "5", {"outcomes": [{"metric": "a", "at_most": 5.0}]}),
        ("outcomes.0.at_most", "5", {"outcomes": [{"metric": "a", "at_most": 5.0}]}),
        ("command", "u --x {net.lr}", {"command": ["u", "--x", "{net.lr}"]}),
        ("command", "[u, '{rest}']", {"command": ["u", "{rest}"]}),
        ("name", "'x'", {"name": "x"}),
    ],
)
def test_a_value_set(path: str, value: str, tree: dict[str, object]) -> None:
    expected = {**spec_to_tree(read()), **tree}
    assert spec_to_tree(read((path, value))) == {key: item for key, item in expected.items() if item is not None}


def test_parameters_are_reached_through_groups_and_dotted_keys() -> None:
    spec = read(("parameters.net.lr.max", "5"), ("parameters.a.b", "on"), ("parameters.new", "7"))
    values = {parameter.name: parameter.value for parameter in spec.parameters}
    assert values == {"net.lr": None, "net.depth": 3, "a.b": "on", "new": 7}
    assert spec.parameters[0].max == 5


def test_the_last_of_several_counts() -> None:
    assert read(("budget.trials", "1"), ("budget", "{trials: 2}"), ("budget.trials", "3")).budget.trials == 3


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("budget.trails", "1", "--set budget.trails: unknown key `trails`; did you mean `trials`?"),
        ("budget.trials", "x", '--set budget.trials: expected a whole number of at least 1, got "x"'),
        ("budget", "{trials: x}", '--set budget: budget.trials: expected a whole number of at least 1, got "x"'),
        ("budget", "[1", "--set budget: not valid YAML: did not find expected ',' or ']' (while parsing a flow sequence)"),
        ("budgte.trials", "1", "--set budgte.trials: unknown key `budgte`; did you mean `budget`?"),
        ("command.x", "1", '--set command.x: `command` is "t {rest}", which has no keys'),
        ("outcomes[7].metric", "x", "--set outcomes[7].metric: expected the index of an item, 0 to 0, got 7"),
        ("outcomes.first", "x", '--set outcomes.first: expected the index of an item, 0 to 0, got "first"'),
        ("", "x", "--set: expected KEY.PATH=VALUE, such as budget.trials=200"),
        ("budget.trials", "9" * 5000, "--set budget.trials: a number of 5000 digits is too long"),
    ],
)  # fmt: skip
def test_errors_name_the_option(path: str, value: str, line: str) -> None:
    with pytest.raises(BadInput) as caught:
        read((path, value))
    assert str(caught.value) == line


def test_other_errors_keep_their_line() -> None:
    asked = Asked(settings=(("budget.trials", "3"),))
    with pytest.raises(BadInput, match=r"^s.yaml:1: command: unknown placeholder `{ne.lr}`"):
        RungDialect().read(TEXT.replace("{rest}", "{ne.lr}"), file="s.yaml", asked=asked)


def test_editing_a_spec() -> None:
    spec = read()
    edited = edit_spec(spec, [("objective.goal", "{approach: 0.5}"), ("parameters.net.depth", "4")])
    assert edited.objectives == (Objective(metric="loss", goal=0.5),)
    assert [parameter.value for parameter in edited.parameters] == [None, 4, 1]
    assert edit_spec(spec, []) == spec
