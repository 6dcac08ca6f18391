"""Who imports whom, and what no module may do (ARCHITECTURE rules 12 to 14)."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

PURE_ROOMS = ("space", "search", "schedule", "study")
NOT_IN_PURE_ROOMS = {"time", "random", "os", "asyncio", "socket", "threading"}
UNSAFE_MODULES = {"pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle"}
UNSAFE_CALLS = {"print", "eval", "exec", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "os.system", "os.popen"}
RESULTS = {"pandas", "matplotlib", "tensorboardX"}  # what launchers get their results as, from functions alone
BRIDGE = "dialects/bridge/rung/__init__.py"  # the package's own text, under its own name in another interpreter
HEAVY = {"numpy", "scipy", "asyncio", "rich", "pandas", "sklearn", "psutil"}


def imported(tree: ast.Module) -> Iterator[str]:
    """The top-level packages that a module imports, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield (node.module or "").partition(".")[0]


def unsafe(tree: ast.Module) -> Iterator[str]:
    """The calls in a module that run, unpickle or print what they should not, with their lines."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        said_where = called == "print" and any(keyword.arg == "file" for keyword in node.keywords)
        if called in UNSAFE_CALLS and not said_where:  # stdout is data: nobody prints there by habit
            yield f"{node.lineno}: {called}"
        for keyword in node.keywords:
            if keyword.arg == "shell" and not (
                isinstance(keyword.value, ast.Constant) and keyword.value.value is False
            ):
                yield f"{node.lineno}: {called} with shell={ast.unparse(keyword.value)}"


def test_rooms_import_only_rooms_above_them(root: Path) -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=root, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_pure_rooms_know_no_clock_no_chance_and_no_system(sources: Mapping[str, ast.Module]) -> None:
    rooms = {path: tree for path, tree in sources.items() if path.partition("/")[0] in PURE_ROOMS}
    assert len(rooms) > 20
    found = {path: bad for path, tree in rooms.items() if (bad := NOT_IN_PURE_ROOMS & set(imported(tree)))}
    assert not found, found


def test_nothing_is_unpickled(sources: Mapping[str, ast.Module]) -> None:
    found = {path: bad for path, tree in sources.items() if (bad := UNSAFE_MODULES & set(imported(tree)))}
    assert not found, found


def test_nothing_untrusted_is_executed_and_nothing_is_printed(sources: Mapping[str, ast.Module]) -> None:
    ours = {path: tree for path, tree in sources.items() if "/shim/" not in path and path != BRIDGE}
    found = {path: bad for path, tree in ours.items() if (bad := list(unsafe(tree)))}
    assert not found, found


def test_shims_need_nothing_but_the_standard_library(sources: Mapping[str, ast.Module]) -> None:
    shims = {path: tree for path, tree in sources.items() if "/shim/" in path}
    allowed = (
        set(sys.stdlib_module_names) | {"rung", "torch", "numpy"} | {path.split("/")[3] for path in shims} | RESULTS
    )
    found = {path: bad for path, tree in shims.items() if (bad := set(imported(tree)) - allowed)}
    assert not found, found


def test_the_scans_find_what_they_look_for() -> None:
    tree = ast.parse(
        "import os.path\nfrom random import choice\nprint(1)\nrun('x', shell=True)\nyaml.load(f)\nprint(2, file=err)\n"
    )
    assert set(imported(tree)) == {"os", "random"}
    assert [line.partition(":")[0] for line in unsafe(tree)] == ["3", "4", "5"]


def test_inside_imports_nothing_but_the_standard_library(sources: Mapping[str, ast.Module]) -> None:
    rooms = {path: tree for path, tree in sources.items() if path.startswith("inside/")}
    found = {p: bad for p, t in rooms.items() if (bad := set(imported(t)) - set(sys.stdlib_module_names) - {"rung"})}
    assert rooms
    assert not found, found


IMPORT_RUNG = "import rung"
ASK_FOR_HELP = """
from rung.cli.main import main
assert main(["--help"]) == 0
"""


@pytest.mark.parametrize("what", [IMPORT_RUNG, ASK_FOR_HELP], ids=["import rung", "rung --help"])
def test_the_door_is_light(what: str, environment: dict[str, str]) -> None:
    script = f"import sys\n{what}\nimport json\nsys.stderr.write(json.dumps(sorted(sys.modules)))"
    measured = {name: value for name, value in environment.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=measured,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    loaded = {name.partition(".")[0] for name in json.loads(done.stderr.splitlines()[-1])}
    assert "rung" in loaded
    assert not HEAVY & loaded
