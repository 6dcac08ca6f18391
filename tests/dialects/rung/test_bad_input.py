"""Every way to get a study file wrong that its reader can meet, and the line that the user is given."""

from __future__ import annotations

import pytest

from rung.dialects import RungDialect
from rung.model import BadInput

PARAMETERS = "parameters:\n  lr: {type: float, min: 0.1, max: 1.0}\n"

_TABLE = [
    # the whole file
    ("", "s.yaml: expected a mapping with `command`, `parameters`, `objective` and so on, got nothing"),
    ("- a\n", 's.yaml:1: expected a mapping with `command`, `parameters`, `objective` and so on, got ["a"]'),
    ("name: a\nparamters: {}\n", "s.yaml:2: paramters: unknown key `paramters`; did you mean `parameters`?"),
    ("script: t.py\n", "s.yaml:1: script: unknown key `script`; known: `name`, `command`, `function`, `program`, `parameters`, `constraints`, `objective`, `outcomes`, `start`, `search`, `schedule`, `checkpoint`, `budget`, `run`"),
    # name
    ("name: ../x\n", 's.yaml:1: name: "../x" cannot name a study; use letters, digits, `-`, `_` and single dots, beginning with a letter or digit'),
    ("name: 'a b'\n", 's.yaml:1: name: "a b" cannot name a study; use letters, digits, `-`, `_` and single dots, beginning with a letter or digit'),
    ("\nname: " + "x" * 300, "s.yaml:2: name: a study's name has at most 100 characters, this one has 300"),
    ("name: '12'\n", 's.yaml:1: name: "12" cannot name a study: a bare number is a trial; add a letter'),
    ("name: 1e5\n", "s.yaml:1: name: expected a study's name, got 1e5; write \"1e5\" in quotes if it is meant as text"),
    ("name: [a]\n", "s.yaml:1: name: expected a study's name, got [\"a\"]"),
    # command and function
    ("command: 't \"a'\n", "s.yaml:1: command: cannot be split into arguments: No closing quotation; close the quotes, or give a list"),
    ("command: ''\n", 's.yaml:1: command: expected a command: text, or a list of arguments, got ""'),
    ("command: []\n", "s.yaml:1: command: expected a command: text, or a list of arguments, got []"),
    ("command: true\n", "s.yaml:1: command: expected a command: text, or a list of arguments, got true"),
    ("command: [t, [a]]\n", 's.yaml:1: command[1]: expected text, got ["a"]'),
    ("command: t {lrr}\n" + PARAMETERS, "s.yaml:1: command: unknown placeholder `{lrr}`; did you mean `lr`? (`{{lrr}}` stands for the text itself)"),
    ("command:\n- t\n- '{lrr}'\n" + PARAMETERS, "s.yaml:3: command[1]: unknown placeholder `{lrr}`; did you mean `lr`? (`{{lrr}}` stands for the text itself)"),
    ("command: t a{\n", "s.yaml:1: command: a single `{` in 'a{'; write `{{` for a brace"),
    ("command: t x={rest}\n", "s.yaml:1: command: `{rest}` must be an argument of its own, not part of 'x={rest}'"),
    ('command: [t, "\\0"]\n', "s.yaml:1: command: holds a NUL character, which no argument can"),
    ("function: train\n", 's.yaml:1: function: expected module:function or file.py:function, got "train"'),
    ("function: train:a b\n", 's.yaml:1: function: expected module:function or file.py:function, got "train:a b"'),
    ("command: t\nfunction: m:f\n", "s.yaml:2: function: give either `command` or `function`, not both"),
    # objective
    ("objective: 3\n", "s.yaml:1: objective: expected a metric's name, a mapping with `metric` and `goal`, or a list of these, got 3"),
    ("objective:\n  goal: minimize\n", "s.yaml:1: objective.metric: missing; give the name of the metric"),
    ("objective:\n  metric: a\n  goal: minimise\n", 's.yaml:3: objective.goal: unknown goal "minimise"; did you mean `minimize`?'),
    ("objective: {metric: a, goal: min}\n", 's.yaml:1: objective.goal: unknown goal "min"; did you mean `minimize`?'),
    ("objective: {metric: a, goal: 1}\n", "s.yaml:1: objective.goal: expected `minimize`, `maximize`, or {approach: NUMBER}, got 1"),
    ("objective: {metric: a, goal: {approach: x}}\n", 's.yaml:1: objective.goal.approach: expected a number, got "x"'),
    ("objective: {metric: a, goal: {}}\n", "s.yaml:1: objective.goal.approach: missing; give the number to come near to"),
    ("objective: {metric: a, value: first}\n", 's.yaml:1: objective.value: unknown value "first"; known: `last`, `best`, `min`, `max`'),
    ("objective: {metric: a, value: no}\n", 's.yaml:1: objective.value: unknown value "no"; known: `last`, `best`, `min`, `max`'),
    ("objective:\n- a\n- metric: a\n", 's.yaml:3: objective[1]: the metric "a" is an objective already; give it once'),
    ("objective: {metric: a, gaol: minimize}\n", "s.yaml:1: objective.gaol: unknown key `gaol`; did you mean `goal`?"),
    # outcomes
    ("outcomes: {metric: a}\n", 's.yaml:1: outcomes: expected a list of mappings with `metric` and `at_most`, got {"metric": "a"}'),
    ("outcomes:\n- metric: a\n", "s.yaml:2: outcomes[0]: expected `at_most`, `at_least` or both"),
    ("outcomes: [{metric: a, at_most: 1, at_least: 2}]\n", "s.yaml:1: outcomes[0].at_least: must not be above at_most (1.0), got 2.0"),
    ("outcomes: [{metric: a, at_most: .nan}]\n", "s.yaml:1: outcomes[0].at_most: expected a number, got .nan"),
    ('objective: "a\\0b"\n', "s.yaml:1: objective: holds a NUL character"),
    ("objective: ''\n", 's.yaml:1: objective: expected a metric\'s name, a mapping with `metric` and `goal`, or a list of these, got ""'),
    ("objective: {metric: a, goal: {approach: " + "9" * 400 + "}}\n", "s.yaml:1: objective.goal.approach: expected a number, got " + "9" * 60),
    # search, schedule
    ("search: [a]\n", 's.yaml:1: search: expected the name of a searcher, or a mapping with `method`, got ["a"]'),
    ("search: {seed: -1}\n", "s.yaml:1: search.seed: expected a whole number of at least 0, got -1"),
    ("search: {seed: 0.5}\n", "s.yaml:1: search.seed: expected a whole number of at least 0, got 0.5"),
    ("search: {seed: " + "9" * 30 + "}\n", "s.yaml:1: search.seed: expected a number of at most 63 bits, got " + "9" * 30),
    ("search: {batch: 0}\n", "s.yaml:1: search.batch: expected a whole number of at least 1, got 0"),
    ("search: {batch: 2, lag: 1}\n", "s.yaml:1: search.lag: has no meaning beside `batch`, whose trials all wait for the batch before; leave it out"),
    ("search: {repeats: 0}\n", "s.yaml:1: search.repeats: expected a whole number of at least 1, got 0"),
    ("schedule: {method: 3}\n", 's.yaml:1: schedule.method: expected the name of a method, got 3; write "3" in quotes if it is meant as text'),
    # budget
    ("budget: 100\n", "s.yaml:1: budget: expected a mapping, got 100"),
    ("budget: {trials: many}\n", 's.yaml:1: budget.trials: expected a whole number of at least 1, got "many"'),
    ("budget: {trials: true}\n", "s.yaml:1: budget.trials: expected a whole number of at least 1, got true"),
    ("budget: {time: 2x}\n", 's.yaml:1: budget.time: expected a duration such as 2h30m, 90s or a number of seconds, got "2x"'),
    ("budget: {time: 0}\n", "s.yaml:1: budget.time: expected a duration such as 2h30m, 90s or a number of seconds, got 0"),
    ("budget: {target: .inf}\n", "s.yaml:1: budget.target: expected a number, got .inf"),
    ("budget:\n  trails: 5\n", "s.yaml:2: budget.trails: unknown key `trails`; did you mean `trials`?"),
    ("budget: {stop: accuracy >=}\n", "s.yaml:1: budget.stop: `accuracy >=`, column 1: cannot be read here; a name with other characters than letters, digits, _ and . stands in `backticks`"),
    ("budget: {stop: 3 > 2}\n", "s.yaml:1: budget.stop: names no metric; write something like accuracy >= 0.99"),
    ("budget: {stop: exit(1) > loss}\n", "s.yaml:1: budget.stop: `exit(1) > loss`, column 1: calls are not allowed; use comparisons, and/or/not and arithmetic"),
    ("budget: {patience: 0}\n", "s.yaml:1: budget.patience: expected a whole number of at least 1, got 0"),
    ("budget: {cost: -1}\n", "s.yaml:1: budget.cost: expected a number of at least 0, got -1"),
    ("budget: {on_failure: maybe}\n", 's.yaml:1: budget.on_failure: unknown answer to a failure "maybe"; known: `continue`, `fail`, `stop`'),
    ("budget:\n  improvement: x\n", 's.yaml:2: budget.improvement: expected a number of at least 0, got "x"'),
    ("run: {price: free}\n", 's.yaml:1: run.price: expected a number of at least 0, got "free"'),
    # checkpoint
    ("checkpoint: 5\n", "s.yaml:1: checkpoint: expected true, false or a mapping, got 5"),
    ("checkpoint: {best: 1}\n", "s.yaml:1: checkpoint.best: unknown key `best`; known: `enabled`, `study_best`, `trial_best`, `trial_latest`, `disk`"),
    ("checkpoint: {trial_latest: -1}\n", "s.yaml:1: checkpoint.trial_latest: expected a whole number of at least 0, got -1"),
    ("checkpoint: {enabled: 1}\n", "s.yaml:1: checkpoint.enabled: expected true or false, got 1"),
    ("checkpoint:\n  disk: 5 pounds\n", 's.yaml:2: checkpoint.disk: expected a size such as 500MB, 20GB, 1.5TB or a number of bytes, got "5 pounds"'),
    ("checkpoint: {disk: 0}\n", "s.yaml:1: checkpoint.disk: expected a size such as 500MB, 20GB, 1.5TB or a number of bytes, got 0"),
    # run
    ("run: {workers: 0}\n", "s.yaml:1: run.workers: expected a whole number of at least 1, got 0"),
    ("run: {gpus: -1}\n", "s.yaml:1: run.gpus: expected a number of at least 0, got -1"),
    ("run: {timeout: [1]}\n", "s.yaml:1: run.timeout: expected a duration such as 2h30m, 90s or a number of seconds, got [1]"),
    ("run: {inject: 5}\n", "s.yaml:1: run.inject: expected one of `args`, `env`, `file`, `source`, got 5"),
    ("run: {inject: arg}\n", 's.yaml:1: run.inject: unknown way to inject "arg"; did you mean `args`?'),
    ("run: {executor: ''}\n", 's.yaml:1: run.executor: expected the name of an executor, got ""'),
    ("run:\n  gpu: 1\n", "s.yaml:2: run.gpu: unknown key `gpu`; did you mean `gpus`?"),
    # start
    (PARAMETERS + "start: middel\n", 's.yaml:3: start: unknown start "middel"; did you mean `middle`?'),
    (PARAMETERS + "start: {lr: 1}\n", 's.yaml:3: start: expected `default`, `middle`, `random`, or a list of configurations, got {"lr": 1}'),
    (PARAMETERS + "start:\n- lr: 1\n- ler: 1\n", "s.yaml:5: start[1].ler: unknown parameter `ler`; did you mean `lr`?"),
    # parameters, what their section itself can tell
    ("parameters: [a]\n", 's.yaml:1: parameters: expected a mapping from names to domains, got ["a"]'),
    ("parameters:\n  a: 1\n  a: 2\n", "s.yaml:3: parameters.a: duplicate key, first given on line 2; keep one"),
    ("parameters:\n  1: 2\n", 's.yaml:2: parameters: the key 1 is not text; write "1" in quotes'),
    ("parameters:\n  rest: 1\n", "s.yaml:2: parameters.rest: 'rest' is reserved for command templates; choose another name"),
    ("parameters:\n  params: 1\n", "s.yaml:2: parameters.params: 'params' is reserved for command templates; choose another name"),
    ("constraints: 5\n", "s.yaml:1: constraints: expected an expression such as a * b <= 256, or a list of them, got 5"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), _TABLE)
def test_the_user_is_told_where_what_and_how(text: str, line: str) -> None:
    with pytest.raises(BadInput) as caught:
        RungDialect().read(text, file="s.yaml")
    assert str(caught.value) == line


_TWO = "parameters:\n  a: {type: int, min: 1, max: 4}\n  b: {type: int, min: 1, max: 4}\n"
_SPACE = [
    ("parameters:\n  lr: {type: float, min: 1.0, max: 0.1}\n", "s.yaml:2: parameters.lr.min: must be below max (0.1), got 1.0"),
    ("parameters:\n  lr:\n    type: float\n    max: 1\n    min: 0\n    scale: log\n", "s.yaml:5: parameters.lr.min: must be above 0 on a log scale, got 0"),
    ("parameters:\n  lr: {type: float, min: -1, max: 1, scale: log}\n", "s.yaml:2: parameters.lr.min: must be above 0 on a log scale, got -1"),
    ("parameters:\n  n: {type: int, min: 1, max: 4, step: 8}\n", "s.yaml:2: parameters.n.step: must not be larger than the range (3), got 8"),
    ("parameters:\n  n: {type: bool, when: n}\n", "s.yaml:2: parameters.n.when: parameters depend on each other in a circle: n -> n"),
    ("parameters:\n  n: {type: bool, when: m > 2}\n", "s.yaml:2: parameters.n.when: `m > 2`, column 1: unknown name 'm'"),
    (_TWO + "  k: {type: bool, when: f(a)}\n", "s.yaml:4: parameters.k.when: `f(a)`, column 1: calls are not allowed"),
    (_TWO + "  k: {type: bool, when: a.real > 1}\n", "s.yaml:4: parameters.k.when: `a.real > 1`, column 1: unknown name 'a.real'"),
    ("parameters:\n  g: {n: 1}\n  g.n: 2\n", "s.yaml:3: parameters.g.n: declared twice"),
    ("parameters:\n  g:\n    lr: {type: float, min: no, max: 2}\n", "s.yaml:3: parameters.g.lr.min: expected a number, got the text 'no'"),
    ("parameters:\n  lr: {type: flaot, min: 1, max: 2}\n", "s.yaml:2: parameters.lr.type: expected one of float, int,"),
    ("parameters:\n  lr: {type: float, mni: 1, max: 2}\n", "s.yaml:2: parameters.lr.mni: unknown key (did you mean 'min'?)"),
    ("parameters:\n  o: {type: choice, values: []}\n", "s.yaml:2: parameters.o.values: expected at least one value"),
    ("parameters:\n  x: {type: float, min: .nan, max: 1}\n", "s.yaml:2: parameters.x.min: expected a "),
    (_TWO + "constraints: open('x')\n", "s.yaml:4: constraints: `open('x')`, column 1: calls are not allowed"),
    (_TWO + "constraints:\n- a < b\n- c < b\n", "s.yaml:6: constraints[1]: `c < b`, column 1: unknown name 'c'"),
    (_TWO + "constraints: [a > 4]\nstart: middle\n", "s.yaml:5: start: `a > 4` does not hold at a="),
    (_TWO + "constraints: [a > 4]\nstart: default\n", "s.yaml:5: start: `a > 4` does not hold at a="),
    (_TWO + "start:\n- a: 1\n  b: 9\n", "s.yaml:6: start[0].b: expected an integer between 1 and 4, got 9"),
    (_TWO + "constraints: [a > b]\nstart: [{a: 1, b: 2}]\n", "s.yaml:5: start[0]: `a > b` does not hold at a=1, b=2"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), _SPACE)
def test_what_the_space_refuses_has_its_line(text: str, line: str) -> None:
    """The words are the space's own; its remedies after them may change."""
    with pytest.raises(BadInput) as caught:
        RungDialect().read(text, file="s.yaml")
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_a_toml_error_names_the_key_even_without_a_line() -> None:
    with pytest.raises(BadInput) as caught:
        RungDialect().read('[run]\nworkers = 2\n"gpu\\u0073" = -1\n', file="s.toml")
    assert str(caught.value) == "s.toml:1: run.gpus: expected a number of at least 0, got -1"
