"""Who imports whom, and what no module may do (ARCHITECTURE rules 12 to 14)."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from rung import Study, uniform

PURE_ROOMS = ("space", "search", "schedule", "study")
NOT_IN_PURE_ROOMS = {"time", "random", "os", "asyncio", "socket", "threading"}
UNSAFE_MODULES = {"pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle"}
UNSAFE_CALLS = {"print", "eval", "exec", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "os.system", "os.popen"}
RESULTS = {"pandas", "matplotlib", "tensorboardX"}  # what launchers get their results as, from functions alone
pytestmark = pytest.mark.xdist_group("imports")  # the modules are read once
BRIDGE = "dialects/bridge/rung/__init__.py"  # the package's own text, under its own name in another interpreter
HEAVY = {"numpy", "scipy", "asyncio", "rich", "pandas", "sklearn", "psutil"}


def imported(node: ast.AST) -> Iterator[str]:
    """The top-level packages that a node imports itself."""
    if isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0:
        yield (node.module or "").partition(".")[0]


def unsafe(node: ast.AST) -> Iterator[str]:
    """What a node calls that runs, unpickles or prints what it should not, with its line."""
    if not isinstance(node, ast.Call):
        return
    called = dotted(node.func)
    said_where = called == "print" and any(keyword.arg == "file" for keyword in node.keywords)
    if called in UNSAFE_CALLS and not said_where:  # stdout is data: nobody prints there by habit
        yield f"{node.lineno}: {called}"
    for keyword in node.keywords:
        if keyword.arg == "shell" and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False):
            yield f"{node.lineno}: {called} with shell={ast.unparse(keyword.value)}"


def dotted(function: ast.expr) -> str:
    """The name that a call goes by; "" for one that has none."""
    if isinstance(function, ast.Name):
        return function.id
    return f"{dotted(function.value)}.{function.attr}" if isinstance(function, ast.Attribute) else ""


class Scan(NamedTuple):
    """What the tests look for in a module, anywhere in it."""

    imported: frozenset[str]
    unsafe: tuple[str, ...]


def scan(tree: ast.Module) -> Scan:
    """What is found in one walk."""
    nodes = list(ast.walk(tree))
    return Scan(
        frozenset(n for node in nodes for n in imported(node)), tuple(n for node in nodes for n in unsafe(node))
    )


@pytest.fixture(scope="module")
def sources(root: Path) -> Mapping[str, Scan]:
    """What was found in every module of the package, by its path below `src/rung`."""
    home = root / "src" / "rung"
    found = {
        path.relative_to(home).as_posix(): scan(ast.parse(path.read_text())) for path in sorted(home.rglob("*.py"))
    }
    assert "model.py" in found
    return found


def test_rooms_import_only_rooms_above_them(root: Path) -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=root, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_pure_rooms_know_no_clock_no_chance_and_no_system(sources: Mapping[str, Scan]) -> None:
    rooms = {path: module for path, module in sources.items() if path.partition("/")[0] in PURE_ROOMS}
    assert len(rooms) > 20
    found = {path: bad for path, module in rooms.items() if (bad := NOT_IN_PURE_ROOMS & module.imported)}
    assert not found, found


def test_nothing_is_unpickled(sources: Mapping[str, Scan]) -> None:
    found = {path: bad for path, module in sources.items() if (bad := UNSAFE_MODULES & module.imported)}
    assert not found, found


def test_nothing_untrusted_is_executed_and_nothing_is_printed(sources: Mapping[str, Scan]) -> None:
    ours = {path: module for path, module in sources.items() if "/shim/" not in path and path != BRIDGE}
    found = {path: module.unsafe for path, module in ours.items() if module.unsafe}
    assert not found, found


def test_shims_need_nothing_but_the_standard_library(sources: Mapping[str, Scan]) -> None:
    shims = {path: module for path, module in sources.items() if "/shim/" in path}
    allowed = (
        set(sys.stdlib_module_names) | {"rung", "torch", "numpy"} | {path.split("/")[3] for path in shims} | RESULTS
    )
    found = {path: bad for path, module in shims.items() if (bad := module.imported - allowed)}
    assert not found, found


def test_the_scans_find_what_they_look_for() -> None:
    tree = ast.parse(
        "import os.path\nfrom random import choice\nprint(1)\nrun('x', shell=True)\nyaml.load(f)\nprint(2, file=err)\n"
    )
    assert scan(tree).imported == {"os", "random"}
    assert [line.partition(":")[0] for line in scan(tree).unsafe] == ["3", "4", "5"]


def test_inside_imports_nothing_but_the_standard_library(sources: Mapping[str, Scan]) -> None:
    rooms = {path: module for path, module in sources.items() if path.startswith("inside/")}
    found = {p: bad for p, m in rooms.items() if (bad := m.imported - set(sys.stdlib_module_names) - {"rung"})}
    assert rooms
    assert not found, found


IMPORT_RUNG = "import rung"
ASK_FOR_HELP = """
from rung.cli.main import main
assert main(["--help"]) == 0
"""
LIST = """
from rung.cli.main import main
assert main(["ls"]) == 0
"""
RUN = """
from rung.cli.main import main
assert main(["run", "--name", "other", "-n", "2", "study.yaml"]) == 0
"""
STUDY = """
command: sh -c 'echo loss={x}'
parameters:
  x: {type: float, min: 0, max: 1}
objective: loss
"""
FOR_OTHERS = {"yaml", "tomllib", "email", "asyncio", "subprocess", "scipy", "rich", "psutil", "rung.search.auto"}
FOR_LATER = {
    "tomllib",
    "scipy",
    "rich",
    "psutil",
    "rung.dialects.valohai",
    "rung.dialects.determined",
    "rung.schedule.asha",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a study in its store, and a study file."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "runs").mkdir()
    (folder / "study.yaml").write_text(STUDY)
    study = Study({"x": uniform(0, 1)}, metric="loss", store=f"sqlite:///{folder}/runs/rung.db", name="mine")
    study.tell(study.ask(), 1.0)
    return folder


@pytest.mark.parametrize(
    ("what", "heavy"),
    [(IMPORT_RUNG, HEAVY), (ASK_FOR_HELP, HEAVY), (LIST, FOR_OTHERS), (RUN, FOR_LATER)],
    ids=["import rung", "rung --help", "rung ls", "the first trials of rung run"],
)
def test_the_door_is_light(what: str, heavy: set[str], environment: dict[str, str], project: Path) -> None:
    script = f"import sys\n{what}\nimport json\nsys.stderr.write(json.dumps(sorted(sys.modules)))"
    measured = {name: value for name, value in environment.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=project,
        env=measured,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stderr.splitlines()[-1]))
    assert "rung" in loaded
    assert not heavy & loaded
