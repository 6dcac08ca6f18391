"""The studies of `rung asme`: what template and search make of each other, and what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rung.dialects.hyperopt.asme import Wanted, optimize_study, search_study
from rung.dialects.hyperopt.settings import files, handed_over, patched, plain_settings, settings_of
from rung.model import BadInput

SEARCH = {"m": {"a": {"hyper_opt": {"suggest": "int", "params": {"low": 1, "high": 3}}}, "b": {"fixed": 7, "n": None}}}


def wanted(folder: Path, **changed: Any) -> Wanted:
    given: dict[str, Any] = {
        "study": "s", "storage": None, "metric": "r", "goal": "maximize", "trials": 20, "command": ("x",), "cwd": folder,
    }  # fmt: skip
    return Wanted(**(given | changed))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "search.json").write_text(json.dumps(SEARCH))
    (tmp_path / "base.json").write_text(json.dumps({"m": {"a": 9, "b": 8, "k": [1]}, "e": 1e400, "command": "fit"}))
    return tmp_path


def test_the_resolved_search_is_laid_over_the_template(folder: Path) -> None:
    spec = search_study("base.json", "search.json", wanted(folder, storage="redis://r"))
    (objective,) = spec.objectives
    assert (objective.metric, objective.goal, objective.value) == ("r", "maximize", "best")
    assert (spec.name, spec.budget.trials, spec.run.mirrors) == ("s", 20, ("optuna:redis://r",))
    expected = {"m": {"a": 2, "b": {"fixed": 7, "n": None}, "k": [1]}, "e": float("inf"), "command": "fit"}
    found = files(settings_of(spec.program), {"m.a": 2})
    assert json.loads(found["config.json"]) == expected
    assert json.loads(found["hyperopt_trial.json"]) == {"m": {"a": 2, "b": {"fixed": 7, "n": None}}}


def test_the_settings_come_back_from_the_log_as_they_were(folder: Path) -> None:
    spec = search_study("base.json", "search.json", wanted(folder))
    again = msgspec.json.decode(msgspec.json.encode(spec), type=type(spec))
    assert again.program == spec.program
    assert plain_settings(settings_of(again.program)) == plain_settings(settings_of(spec.program))


def test_a_search_file_may_be_jsonnet_whatever_it_is_called(folder: Path) -> None:
    (folder / "search.conf").write_text(
        "// a comment\n{m: {a: {hyper_opt: {suggest: 'int', params: {low: 1, high: 1}}}}}"
    )
    spec = search_study("base.json", "search.conf", wanted(folder))
    assert [p.name for p in spec.parameters] == ["m.a"]


def test_a_template_is_rendered_with_the_resolved_search(folder: Path) -> None:
    (folder / "t.j2").write_text('{"a": {{ m.a }}, "b": {{ m.b | tojson }}, "c": {% if gone %}1{% else %}2{% endif %}}')
    spec = optimize_study("t.j2", "search.json", wanted(folder))
    assert handed_over(settings_of(spec.program), {"m.a": 3}) == {"a": 3, "b": {"fixed": 7, "n": None}, "c": 2}


def test_the_program_may_stand_in_the_template(folder: Path) -> None:
    (folder / "t.j2").write_text('{"a": {{ m.a }}, "command": ["./fit", "{config}", "{m.a}"]}')
    spec = optimize_study("t.j2", "search.json", wanted(folder, command=()))
    assert settings_of(spec.program).command == ("./fit", "{config}", "{m.a}")
    assert handed_over(settings_of(spec.program), {"m.a": 3}) == {"a": 3}


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ nothing }}", "t.j2: the template cannot be rendered: 'nothing' is undefined"),
        ("{% if %}", "t.j2: the template cannot be read: line 1: "),
        ("{\n'a': {{ m.a }}}", "t.j2: the rendered template is not JSON: .* in line 2"),
        ("", "t.j2: the rendered template is not JSON"),
        ("{{ ''.__class__.__mro__ }}", "t.j2: the template cannot be rendered: access to attribute '__class__'"),
        ("{{ m.update({'x': 1}) }}", "t.j2: the template cannot be rendered: .* is unsafe|not safely callable"),
        ("{% for i in range(999999999) %}{% endfor %}", "t.j2: the template cannot be rendered: Range too big"),
        ("{{ 1 / 0 }}", "t.j2: the template cannot be rendered: division by zero"),
    ],
)
def test_bad_templates(folder: Path, template: str, said: str) -> None:
    (folder / "t.j2").write_text(template)
    with pytest.raises(BadInput, match=said) as raised:
        optimize_study("t.j2", "search.json", wanted(folder))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"study": "12"}, "^STUDY_NAME: "),
        ({"study": "a/b"}, "^STUDY_NAME: "),
        ({"command": ("python", "none.py")}, "the script none.py does not exist"),
        ({"command": ("x", "{m.b}")}, "unknown placeholder `{m.b}`; did you mean `m.a`"),
    ],
)
def test_bad_words(folder: Path, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        search_study("base.json", "search.json", wanted(folder, **changed))


def test_bad_files(folder: Path) -> None:
    with pytest.raises(BadInput, match=r"base.json: has no `hyper_opt`"):
        search_study("search.json", "base.json", wanted(folder))
    with pytest.raises(BadInput, match=r"none.json: cannot be read"):
        search_study("none.json", "search.json", wanted(folder))
    (folder / "base.json").write_text("{}")
    with pytest.raises(BadInput, match="which program"):
        search_study("base.json", "search.json", wanted(folder, command=()))


def test_patching_merges_by_path_and_keeps_nulls() -> None:
    assert patched({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": None, "x": {"y": 1}}, "d": [2]}) == {
        "a": {"b": None, "c": 2, "x": {"y": 1}}, "d": [2],
    }  # fmt: skip
    assert patched(3, {"a": 1}) == {"a": 1}
