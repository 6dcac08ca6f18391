"""What the original was observed to do: commands built, messages of its linter, and its own example files.

Each module run prints how many cases passed, how many deviate and why, and how many were skipped (`pytest -s`).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rung.api.creation import check_startable, created_event
from rung.api.planning import planned
from rung.api.targets import Options, budgeted, resolve
from rung.dialects.valohai.blueprints import read_blueprints
from rung.dialects.valohai.commands import build_command
from rung.dialects.valohai.lint import lint
from rung.dialects.valohai.parameters import read_parameter
from rung.model import BadInput

SHARED = Path(__file__).parents[4] / "shared"
EXAMPLES = SHARED / "examples" / "valohai"
RECORDED = EXAMPLES / "vy_expected_lint_messages.ambr"

DEVIATIONS: dict[str, str] = {}
"""Case -> why it differs; the same as in docs/migrate/valohai.md. None does."""
COUNTS: dict[str, Counter[str]] = {}


@pytest.fixture(scope="module", autouse=True)
def _told() -> Iterator[None]:
    yield
    for kind, counted in sorted(COUNTS.items()):
        print(f"\nvalohai {kind}: {counted['passed']} passed, {len(DEVIATIONS)} deviate, {counted['skipped']} skipped")


def passed(kind: str, outcome: str = "passed") -> None:
    COUNTS.setdefault(kind, Counter())[outcome] += 1


def absent(what: str) -> Any:
    return pytest.param(None, marks=pytest.mark.skip(reason=f"{what} are not beside this project"), id="absent")


def vectors(name: str) -> list[Any]:
    found = []
    for path in sorted((SHARED / "vectors").glob(f"{name}*.json")):
        content = json.loads(path.read_text())
        items = content.items() if isinstance(content, dict) else enumerate(content)
        found += [pytest.param(case, id=f"{path.stem}-{key}") for key, case in items]
    return found or [absent(f"the vectors {name}*.json")]


def examples() -> list[Any]:
    found = [pytest.param(path, id=path.name) for path in sorted(EXAMPLES.glob("*.yaml"))]
    return found or [absent("Valohai's example files")]


def recorded(name: str) -> list[tuple[str, str]] | None:
    """Level and message of each line that the original printed for one of its files, sorted; None without a record."""
    kept = re.sub(r"^vy_(?:err|warn)_|^vy_", "", name)
    for title, body in re.findall(r"# name: \S+\[(.+?)\]\n  '''\n(.*?)\n  '''", RECORDED.read_text(), re.DOTALL):
        if title == kept:
            lines = re.findall(r"^  (error|warning|hint): (.*)$", body, re.MULTILINE)
            return sorted(lines)
    return None


@pytest.mark.parametrize("case", vectors("valohai_command"))
def test_commands(case: dict[str, Any]) -> None:
    parameters = [read_parameter(item) for item in case["parameters"]]
    found = build_command(case["command"], parameters, case["values"], source_path=case.get("source-path"))
    assert found == case["result"]
    passed("commands")


@pytest.mark.parametrize("case", vectors("valohai_lint"))
def test_lint(case: dict[str, Any]) -> None:
    found = [[each.level, each.message] for each in lint(json.dumps(case["yaml"]), file="valohai.yaml")]
    assert found == case["messages"]
    passed("lint")


@pytest.mark.parametrize("path", examples())
def test_recorded_messages(path: Path) -> None:
    expected = recorded(path.name)
    found = sorted((each.level, each.message) for each in lint(path.read_text(), file=path.name))
    assert found == ([] if expected is None else expected)
    passed("recorded messages")


# What the original's command line, or its reading of the file, says instead of running.
REFUSED = {
    "vy_err_invalid-YAML-indentation.yaml": "not valid YAML: mapping values are not allowed here",
    "vy_err_step-missing-required-properties.yaml": "True is not of type 'string'",
    "vy_err_step-with-error-tasks.yaml": "None is not of type 'object'",
    "vy_err_task-stop-condition.yaml": "`stop-condition` is not a valid expression",
}
DISTRIBUTED = "are not run by Rung"


@pytest.mark.parametrize("path", examples())
def test_every_step_and_task_is_planned(path: Path) -> None:
    if path.name.startswith("vy_err"):
        with pytest.raises(BadInput, match=re.escape(REFUSED[path.name])) as refused:
            resolve(str(path), [], Options(), cwd=path.parent)
        assert re.match(rf"{re.escape(str(path))}:\d+$", refused.value.place)
        passed("examples")
        return
    blueprints = read_blueprints(path.read_text(), file=path.name)
    for step in blueprints.steps.values():
        required = [item.name for item in step.parameters if item.is_required]
        if required:
            with pytest.raises(BadInput, match="Required parameters missing: ") as missing:
                resolve(str(path), [], Options(step=(step.name,)), cwd=path.parent)
            assert all(repr(name) in missing.value.message for name in required)
        values: dict[str, tuple[str, ...]] = dict.fromkeys(required, ("3",))
        found = plan(path, Options(step=(step.name,), values=values))
        assert found["trials"] == 1
        assert len(found["first"]) == 1
    for task in blueprints.tasks.values():
        if task.type == "distributed":
            with pytest.raises(BadInput, match=DISTRIBUTED):
                resolve(str(path), [], Options(task=(task.name,)), cwd=path.parent)
        else:
            assert plan(path, Options(task=(task.name,)))["trials"] == EXECUTIONS[path.name, task.name]
    passed("examples")


EXECUTIONS = {
    ("vy_task-example.yaml", "task 1 single"): 1,
    ("vy_task-example.yaml", "task 2 linear"): 1,
    ("vy_task-example.yaml", "task 3 multiple"): 2,
    ("vy_task-example.yaml", "task 4 logspace"): 420,
    ("vy_task-example.yaml", "parameter sets"): 3,
    ("vy_pipeline-with-task-blueprint-example.yaml", "my-sweep"): 3,
}


def plan(path: Path, options: Options) -> dict[str, Any]:
    target = resolve(str(path), [], options, cwd=path.parent)
    event = created_event(
        budgeted(target.spec)[0], runs=path.parent, cwd=path.parent, command_line=[], surface="cli"
    )  # fmt: skip
    check_startable(event)
    return planned(event)
