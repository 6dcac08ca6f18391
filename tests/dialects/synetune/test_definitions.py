"""Benchmark definitions: which functions are called to find out, and the studies that they make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rung.api.returned import names_of_function, read_function
from rung.api.targets import Options, resolve
from rung.dialects.base import Asked
from rung.model import BadInput, Objective

DEFINITION = """
from pathlib import Path
from syne_tune.config_space import loguniform, randint
from syne_tune.experiments.benchmark_definitions.common import RealBenchmarkDefinition, SurrogateBenchmarkDefinition


def mine(sagemaker_backend: bool = False, **kwargs):
    print("a line that is no answer")
    found = dict(
        script=Path(__file__).parent / "train it.py",
        config_space={"lr": loguniform(1e-4, 1), "n": randint(1, 5), "epochs": 27, "data": "./"},
        max_wallclock_time=3600, n_workers=4, instance_type="ml", metric="acc", mode="max", max_resource_attr="epochs",
        resource_attr="epoch", framework="PyTorch",
    )
    return RealBenchmarkDefinition(**{**found, **kwargs})


def strict():
    return mine(points_to_evaluate=[{"lr": 0.5}, {}, {"lr": 0.5}], max_num_evaluations=9)


def several(**kwargs):
    return {"a": mine(**kwargs), "b": mine(config_space={"m": randint(0, 1)})}


def table():
    return SurrogateBenchmarkDefinition(60, 4, "time", "loss", "min", "nasbench201", "cifar10")


def broken(**kwargs):
    raise RuntimeError("no such thing")


def other():
    Path("called").write_text("")
    return 3


def objective(params):
    return 1.0
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a definition, and the script that it names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("rung.dialects.shims._absent", lambda *_: True)
    (tmp_path / "definition.py").write_text(DEFINITION)
    (tmp_path / "train it.py").write_text("add_config_json_to_argparse(parser)")
    return tmp_path


def read(folder: Path, function: str, **values: str) -> Any:
    asked = Asked(values={name: (value,) for name, value in values.items()})
    return read_function(f"definition.py:{function}", cwd=folder, asked=asked)


@pytest.mark.slow
def test_a_definition_is_a_study(folder: Path) -> None:
    spec = read(folder, "mine")
    assert [(p.name, p.type) for p in spec.parameters] == [
        ("lr", "float"), ("n", "int"), ("epochs", "constant"), ("data", "constant"),
    ]  # fmt: skip
    assert spec.objectives == (Objective(metric="acc", goal="maximize", value="best"),)
    assert (spec.budget.time_s, spec.run.workers, spec.schedule.resource) == (3600, 4, "epoch")
    assert spec.start == ({"lr": pytest.approx(0.01), "n": 3},)
    assert spec.program.settings["script"] == str(folder / "train it.py")
    assert (spec.program.settings["json"], spec.program.settings["max_resource"]) == (True, "epochs")


@pytest.mark.slow
def test_options_overrule_it(folder: Path) -> None:
    given = {
        "max_wallclock_time": "600",
        "n_workers": "2",
        "metric": "loss",
        "mode": "min",
        "lr": "0.1,0.2",
        "data": "a:b,c",
    }
    names = names_of_function("definition.py:mine", cwd=folder)
    assert names is not None
    assert set(given) <= set(names)
    spec = read(folder, "mine", **given)
    assert (spec.budget.time_s, spec.run.workers) == (600, 2)
    assert spec.objectives == (Objective(metric="loss", value="best"),)
    assert spec.parameters[0].values == (0.1, 0.2)
    assert spec.parameters[3].value == "a:b,c"


@pytest.mark.slow
def test_a_function_without_keywords_is_overruled_all_the_same(folder: Path) -> None:
    spec = read(folder, "strict", n_workers="3", points_to_evaluate="[]")
    assert (spec.run.workers, spec.start) == (3, "random")
    spec = read(folder, "strict")
    assert [point["lr"] for point in spec.start] == [0.5, pytest.approx(0.01)]
    assert spec.program.settings["remarks"] == ["max_num_evaluations=9 counts reports and is not used: say -n TRIALS"]


@pytest.mark.slow
def test_of_several_definitions_one_is_chosen(folder: Path) -> None:
    names = names_of_function("definition.py:several", cwd=folder)
    assert names is not None
    assert {"benchmark", "lr", "m"} <= set(names)
    assert [p.name for p in read(folder, "several", benchmark="b").parameters] == ["m"]
    with pytest.raises(BadInput, match=r"gives 2 definitions: choose with --benchmark a \| b"):
        read(folder, "several")
    with pytest.raises(BadInput, match="--benchmark: unknown benchmark 'c'"):
        read(folder, "several", benchmark="c")


@pytest.mark.slow
@pytest.mark.parametrize(("function", "values", "says"), [
    ("table", {}, r"definition\.py:table: is a definition on the table 'nasbench201'; `rung simulate"),
    ("broken", {}, r"definition\.py:broken: importing it failed: RuntimeError: no such thing"),
    ("mine", {"n_workers": "many"}, "--n_workers: expected a number above 0, got 'many'"),
    ("mine", {"n_workers": "1.5"}, "n_workers: expected a whole number, got 1.5"),
    ("mine", {"mode": "up"}, 'mode: expected min or max, got "up"'),
    ("mine", {"script": "gone.py"}, "script: no such file: .*gone.py"),
    ("mine", {"points_to_evaluate": '[{"x": 1}]'}, "points_to_evaluate: 'x' in points_to_evaluate is not in"),
])  # fmt: skip
def test_what_makes_no_study_says_so(folder: Path, function: str, values: dict[str, str], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        read(folder, function, **values)


@pytest.mark.slow
def test_a_definition_in_a_package_finds_its_neighbours(folder: Path) -> None:
    package = folder / "problems"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "shared.py").write_text(DEFINITION)
    (package / "train it.py").write_text("")
    (package / "mine.py").write_text("# benchmarking\nfrom .shared import mine\n")
    for target in ("problems/mine.py:mine", "problems.mine:mine"):
        spec = read_function(target, cwd=folder)
        assert spec is not None
        assert spec.run.workers == 4


def test_a_function_that_is_not_there_is_said_first(folder: Path) -> None:
    with pytest.raises(BadInput, match="has no function 'minee'; did you mean `mine`"):
        resolve("definition.py:minee", [], Options(), cwd=folder)


def test_a_function_that_needs_arguments_is_not_called(folder: Path) -> None:
    assert read(folder, "objective") is None
    assert names_of_function("definition.py:objective", cwd=folder) is None


def test_a_function_that_returns_something_else_is_like_any_other(folder: Path) -> None:
    assert read(folder, "other") is None
    found = resolve("definition.py:other", [], Options(metrics=("x",)), cwd=folder)
    assert found.spec.function == f"{folder / 'definition.py'}:other"


def test_nothing_is_called_in_a_file_that_has_nothing_to_do_with_it(folder: Path) -> None:
    (folder / "plain.py").write_text("def train(lr=1):\n    open('called', 'w')\n")
    assert read_function("plain.py:train", cwd=folder) is None
    assert not (folder / "called").exists()
    assert names_of_function("nowhere:train", cwd=folder) is None
    assert names_of_function("gone.py:train", cwd=folder) is None
