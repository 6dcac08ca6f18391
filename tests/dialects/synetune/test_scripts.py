"""Training scripts that declare their space: found, read without being run where they are plain, else imported."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.api.studyfiles import script_dialect
from rung.dialects.base import Asked
from rung.dialects.synetune.reader import SyneTuneDialect
from rung.dialects.synetune.scripts import declares_space, read_script
from rung.model import BadInput, Objective, StudySpec

DIALECT = SyneTuneDialect()
SCRIPT = """
import argparse
from syne_tune import Reporter
from syne_tune.config_space import loguniform as lu, randint, choice, add_to_argparse
import syne_tune.config_space as cs

METRIC_NAME, METRIC_MODE = "val_loss", "max"
RESOURCE_ATTR = "epoch"
MAX_RESOURCE_ATTR = "epochs"
LOW = 10 ** -6
_base = {"momentum": cs.uniform(0, 0.99)}
_config_space = {
    **_base,
    "lr": lu(LOW, 1e-1),
    f"batch_{'size'}": randint(2 * 8, upper=48),
    "opt": choice(["sgd", "adam"]),
    "d_model": 256,
    "offset": -1.5,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--" + MAX_RESOURCE_ATTR, type=int, required=True)
    parser.add_argument(f"--{unknown}", type=int, required=True)
    parser.add_argument("-d", "--dataset_path", type=str, default="./")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--st_checkpoint_dir", type=str)
    add_to_argparse(parser, _config_space)
"""


def read(text: str, **values: str) -> StudySpec:
    return DIALECT.read(text, file="train.py", asked=Asked(values={name: (value,) for name, value in values.items()}))


def test_a_plain_script_is_read_and_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rung.dialects.synetune.importing._asked", None)
    spec = read(SCRIPT, epochs="40", lr="0.01,0.1", dataset_path="data:1,2")
    found = {parameter.name: parameter for parameter in spec.parameters}
    assert list(found) == ["momentum", "lr", "batch_size", "opt", "d_model", "offset", "epochs", "dataset_path"]
    assert (found["momentum"].min, found["momentum"].max) == (0.0, 0.99)
    assert found["lr"].values == (0.01, 0.1)
    assert (found["batch_size"].type, found["batch_size"].min, found["batch_size"].max) == ("int", 16, 48)
    assert found["opt"].values == ("sgd", "adam")
    assert [found[name].value for name in ("d_model", "offset", "epochs")] == [256, -1.5, 40]
    assert found["dataset_path"].value == "data:1,2"
    assert spec.objectives == (Objective(metric="val_loss", goal="maximize", value="best"),)
    assert (spec.schedule.resource, spec.start) == ("epoch", "default")
    assert spec.program is not None
    assert spec.program.settings["max_resource"] == "epochs"
    assert spec.run.cwd == str(Path.cwd())


def test_its_options_are_those_of_its_space_and_of_its_parser() -> None:
    assert DIALECT.names(SCRIPT, file="train.py") == [
        "momentum", "lr", "batch_size", "opt", "d_model", "offset", "epochs", "dataset_path",
    ]  # fmt: skip


def test_what_its_parser_requires_is_asked_for() -> None:
    with pytest.raises(BadInput, match=r"train\.py:\d+: --epochs: the script requires it: give it after the script"):
        read(SCRIPT)


@pytest.mark.parametrize("text", [
    "import torch\nprint(_config_space)",
    "_config_space = {}",
    "# from syne_tune import Reporter\n_config_space = {'lr': 1}",
    "'syne_tune'\n_config_space = {'lr': 1}",
    "from syne_tune import Reporter\n# _config_space = {}\n",
    "from syne_tune import Reporter\ndef f():\n    _config_space = {}\n",
    "from syne_tune import Reporter\n_config_space: dict\n",
    "from .syne_tune import Reporter\n_config_space = {}\n",
    "from syne_tune import Reporter\n_config_space = {",
    "from syne_tune_x import Reporter\n_config_space = {}",
    "\0syne_tune _config_space",
    "",
])  # fmt: skip
def test_plain_scripts_are_left_alone(text: str, tmp_path: Path) -> None:
    assert not declares_space(text)
    path = tmp_path / "train.py"
    path.write_text(text)
    assert not DIALECT.detect(path, text, None)
    assert script_dialect(path) is None


@pytest.mark.parametrize(("body", "takes"), [
    ("p = ArgumentParser()\na, _ = p.parse_known_args()", True),
    ("p = ArgumentParser()\np.add_argument('--st_checkpoint_dir')\na = p.parse_args()", True),
    ("p = ArgumentParser()\nadd_config_json_to_argparse(p)\na = p.parse_args()", True),
    ("config = options.read()", True),
    ("p = ArgumentParser()\na = p.parse_args()", False),
])  # fmt: skip
def test_a_script_without_a_space_is_started_in_their_way(body: str, takes: bool) -> None:
    text = f"from syne_tune import Reporter\nMAX_RESOURCE_ATTR = 'epochs'\n{body}\n"
    program = DIALECT.program_of(Path("train.py"), text)
    assert program is not None
    assert program.settings == {"max_resource": "epochs", "json": "config_json" in body, "checkpoints": takes}
    assert not DIALECT.detect(Path("train.py"), text, None)


def test_other_scripts_are_started_as_any_program() -> None:
    assert DIALECT.program_of(Path("train.py"), "import torch\nprint('syne_tune')") is None
    assert DIALECT.program_of(Path("train.py"), "syne_tune (") is None
    assert DIALECT.program_of(Path("launch.py"), "from syne_tune import Tuner, StoppingCriterion") is None


def test_only_python_files_are_scripts(tmp_path: Path) -> None:
    assert DIALECT.detect(tmp_path / "train.py", SCRIPT, None)
    assert not DIALECT.detect(tmp_path / "train.txt", SCRIPT, None)


@pytest.mark.parametrize(("entry", "says"), [
    ('"lr": lu(0, 1)', r"train\.py:4: _config_space\.lr: loguniform\(0, 1\): a log scale has no 0; write"),
    ('"lr": lu(1)', r"train\.py:4: _config_space\.lr: .*upper"),
    ('"a": 1,\n"lr": lu(2, 1)', r"train\.py:5: _config_space\.lr: the lower bound 2 is above"),
    ('"lr": lu("a", 1)', r"_config_space\.lr: a bound must be a number"),
])  # fmt: skip
def test_a_domain_that_cannot_be_is_an_error_at_its_line(entry: str, says: str) -> None:
    text = f"from syne_tune.config_space import loguniform as lu\nMETRIC_NAME = 'x'\n_config_space = {{\n{entry}\n}}\n"
    with pytest.raises(BadInput, match=says):
        read(text)


@pytest.mark.parametrize("body", [
    "_config_space = make()",
    "_config_space = {'lr': cs.uniform(0, np.exp(1))}",
    "_config_space = {'lr': cs.uniform(0, 1)}\n_config_space['more'] = cs.randint(1, 2)",
    "_config_space = {'lr': cs.uniform(0, 1)}\n_config_space.update(more=cs.randint(1, 2))",
    "_config_space = {'lr': cs.uniform(0, 1)}\nif True:\n    _config_space = {}",
    "_config_space = {'lr': cs.uniform(*bounds)}",
    "_config_space = {'lr': cs.uniform(0, 10 ** 10 ** 10)}",
    "_config_space = {'lr': " + "-" * 2000 + "1}",
    "_config_space = {**other.space}",
])  # fmt: skip
def test_what_is_not_plain_is_left_to_an_import(body: str) -> None:
    assert read_script(f"import syne_tune.config_space as cs\n{body}\n", file="train.py").space is None


@pytest.mark.slow
def test_a_space_that_is_computed_is_found_by_importing_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "neighbour.py").write_text("WIDTH = 8\n")
    path = tmp_path / "my train.py"
    path.write_text(
        "from syne_tune.config_space import choice, logordinal\nimport math, neighbour\nprint('noise')\n"
        "METRIC_NAME = 'lo' + 'ss'\n_config_space = {'n': choice([neighbour.WIDTH, 16]), 'm': math.floor(2.5)}\n"
        "if __name__ == '__main__':\n    raise SystemExit('it was run')\n"
    )
    text, asked = path.read_text(), Asked(folder=tmp_path)
    assert list(DIALECT.names(text, file="my train.py", asked=asked)) == ["n", "m"]
    spec = DIALECT.read(text, file="my train.py", asked=asked)
    assert [(p.values, p.value) for p in spec.parameters] == [((8, 16), None), (None, 2)]
    assert spec.objectives[0].metric == "loss"
    path.write_text(text.replace("print('noise')", "raise RuntimeError('no data here')"))
    with pytest.raises(BadInput, match=r"my train\.py: importing it failed: RuntimeError: no data here"):
        DIALECT.read(path.read_text(), file="my train.py", asked=asked)


@pytest.mark.slow
def test_names_that_come_from_a_neighbour_are_found_by_importing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "names.py").write_text("METRIC_NAME, MAX_RESOURCE_ATTR = 'acc', 'epochs'\n")
    text = (
        "from syne_tune.config_space import randint\nfrom names import METRIC_NAME, MAX_RESOURCE_ATTR\n"
        "_config_space = {'n': randint(1, 2)}\n"
        "def options(parser):\n    parser.add_argument(f'--{MAX_RESOURCE_ATTR}', required=True)\n"
    )
    (tmp_path / "train.py").write_text(text)
    asked = Asked(folder=tmp_path, values={"epochs": ("3",)})
    assert DIALECT.names(text, file="train.py", asked=asked) == ["n", "epochs"]
    spec = DIALECT.read(text, file="train.py", asked=asked)
    assert spec.objectives[0].metric == "acc"
    assert spec.program is not None
    assert spec.program.settings["max_resource"] == "epochs"


def test_a_script_that_states_no_metric_leaves_it_to_the_command_line() -> None:
    assert read("from syne_tune.config_space import randint\n_config_space = {'n': randint(1, 2)}\n").objectives == ()


def test_a_mode_is_min_or_max() -> None:
    with pytest.raises(BadInput, match="expected a mode of min or max, got 'up'"):
        read(SCRIPT.replace('"val_loss", "max"', '"val_loss", "up"'), epochs="1")


@pytest.mark.parametrize("text", ["0..3", "small", "0.1,big"])
def test_a_word_for_a_number_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match=rf"--lr: expected a number, or a range such as .*, got '{re.escape(text)}'"):
        read(SCRIPT, epochs="1", lr=text)


def test_a_value_given_twice_is_refused() -> None:
    with pytest.raises(BadInput, match="--lr: is given twice"):
        DIALECT.read(SCRIPT, file="t.py", asked=Asked(values={"lr": ("1", "2"), "epochs": ("1",)}))


@pytest.mark.parametrize(("text", "value"), [
    ("40", 40), ("1e-3", 0.001), ("true", True), ("False", False), ("None", None), ("[1, 2]", [1, 2]), ("007", "007"),
    ("NaN", "NaN"), ("a b", "a b"), ("", ""), ('"x"', "x"), ("./data", "./data"),
])  # fmt: skip
def test_values_of_its_options(text: str, value: Any) -> None:
    (parameter,) = [p for p in read(SCRIPT, epochs="1", dataset_path=text).parameters if p.name == "dataset_path"]
    assert parameter.value == value
    assert type(parameter.value) is type(value)


_TOKENS = st.sampled_from(
    ["_config_space", "=", "{", "}", "'lr'", ":", "lu", "(", ")", "0", "1e400", ",", "\n", "**", "-", "cs.uniform", "[",
     "]", "None", "f'{x}'", "dict", "1j", "...", "*", "10", "lambda: 1", "{**{}}", "'\\0'", " if 1 else 2", "METRIC_NAME"]
)  # fmt: skip


@settings(max_examples=75, deadline=None)
@given(st.lists(_TOKENS, max_size=25))
def test_any_text_is_read_or_refused_in_one_line(tokens: list[str]) -> None:
    head = "from syne_tune.config_space import loguniform as lu\nimport syne_tune.config_space as cs\n"
    text = f"{head}_config_space = {''.join(tokens)}\n"
    declares_space(text)
    said = refused(text)
    assert said is None or re.fullmatch(r"fuzz\.py(:\d+)?: .+", said)


def refused(text: str) -> str | None:
    """What a script is refused with; None for one that is read, or that only importing it could tell."""
    try:
        if read_script(text, file="fuzz.py").space is not None:
            DIALECT.read(text, file="fuzz.py")
    except BadInput as error:
        return str(error)
    return None
