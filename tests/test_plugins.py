from __future__ import annotations

import os
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rung import plugins
from rung.model import BadInput, Budget, ScheduleSpec, SearchSpec
from rung.plugins import is_foreign, located, plugin_files, policy_for, scheduler_class, searcher_class
from rung.search.asktell import AskTell
from rung.search.random import Random
from rung.study import events as ev
from rung.study.policy import Combined
from rung.study.state import State
from rung.testing.studies import BEGIN, study_spec

OURS = """
class Mine:
    options = {"speed": 1}
    def __init__(self, problem): self.space = problem.space
    def observe(self, deltas): pass
    def suggest(self, number, pending, taken, rng): raise NotImplementedError
    def describe(self): return "mine"
"""
FIELD = """
from __future__ import annotations
import dataclasses

@dataclasses.dataclass
class Point:
    x: float

class Climber:
    def __init__(self, space, seed, step=0.5, *, slope): pass
    def ask(self): return None
    def tell(self, params, loss): pass
"""


def write(folder: Path, text: str, name: str = "mine.py") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def begun(search: SearchSpec) -> State:
    event = ev.StudyCreated(at=BEGIN, uid="0123456789abcdef", spec=study_spec(search=search), seed=1)
    return State.begin(event, seq=1)


def limit(search: SearchSpec) -> float | None:
    policy = policy_for(begun(search))
    assert isinstance(policy, Combined)
    assert policy.guard.lazy == (policy.limit_s is not None)
    return policy.limit_s


def test_a_class_of_our_protocol(tmp_path: Path) -> None:
    path = write(tmp_path, OURS)
    assert searcher_class(path).__name__ == "Mine"
    assert searcher_class(path) is searcher_class(path)
    assert limit(SearchSpec(method=path, options={"speed": 2})) == 60
    with pytest.raises(BadInput, match=r"has no option `sped` \(did you mean `speed`\?\)|has no option `sped`"):
        policy_for(begun(SearchSpec(method=path, options={"sped": 2})))


def test_a_file_that_was_changed_is_read_again(tmp_path: Path) -> None:
    path = write(tmp_path, OURS)
    before = searcher_class(path)
    write(tmp_path, OURS.replace("Mine", "Other"))
    os.utime(path, ns=(1, 1))
    assert (before.__name__, searcher_class(path).__name__) == ("Mine", "Other")


def test_a_class_of_the_field(tmp_path: Path) -> None:
    path = write(tmp_path, FIELD)
    kind = searcher_class(path)
    assert issubclass(kind, AskTell)
    assert kind.options == {"step": 0.5, "slope": None}
    with pytest.raises(BadInput, match="Climber needs a value for `slope`"):
        policy_for(begun(SearchSpec(method=path)))
    assert limit(SearchSpec(method=path, options={"slope": 1})) == 60
    assert limit(SearchSpec(method=path, options={"slope": 1}, timeout_s=2.5)) == 2.5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "expected a class with `suggest`, or with `ask` and `tell`, found none"),
        (OURS + OURS.replace("Mine", "Other"), r"expected one class with `suggest`, found 2 \(Mine, Other\)"),
        (
            "class A:\n    def ask(self): pass\n",
            "expected a class with `suggest`, or with `ask` and `tell`, found none",
        ),
        ("import nothing_of_this_name", "cannot be loaded: it raised ModuleNotFoundError: No module named"),
        ("def f(:", "cannot be loaded: it raised SyntaxError"),
        ("raise SystemExit", "cannot be loaded: it raised SystemExit"),
        (
            "class A:\n    def ask(self): pass\n    def tell(self): pass\n",
            r"A.tell takes 0 arguments; expected tell\(params, loss\)",
        ),
    ],
)
def test_a_file_that_is_no_plug_in(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        searcher_class(write(tmp_path, text))
    with pytest.raises(BadInput, match="no such file"):
        searcher_class(str(tmp_path / "other.py"))


def test_a_constructor_that_raises(tmp_path: Path) -> None:
    path = write(tmp_path, OURS.replace("self.space = problem.space", "raise OSError('no licence')"))
    with pytest.raises(BadInput, match="cannot be made: it raised OSError: no licence"):
        policy_for(begun(SearchSpec(method=path)))


def test_ours_have_no_limit_unless_the_study_gives_one() -> None:
    assert limit(SearchSpec(method="random")) is None
    assert limit(SearchSpec(method="random", timeout_s=3.0)) == 3.0
    assert not is_foreign(Random)
    assert scheduler_class("none").__module__.startswith("rung.")


def test_what_is_usual_is_an_entry_point_too() -> None:
    for group, known in plugins.USUAL.items():
        for name, (module, attribute) in known.items():
            assert plugins.names(group)[name].value == f"{module}:{attribute}"


def test_a_package_registers_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    points = {
        "theirs": EntryPoint("theirs", "test_plugins:Theirs", "rung.search"),
        "nothing": EntryPoint("nothing", "test_plugins:write", "rung.search"),
    }
    monkeypatch.setattr(plugins, "names", lambda group: points)
    monkeypatch.setitem(
        __import__("sys").modules, "test_plugins", __import__("types").SimpleNamespace(Theirs=Theirs, write=write)
    )
    assert searcher_class("theirs").__name__ == "Theirs"
    assert is_foreign(searcher_class("theirs"))
    with pytest.raises(BadInput, match="nothing is no searcher"):
        searcher_class("nothing")
    with pytest.raises(BadInput, match=r"unknown searcher 'their'.*theirs"):
        searcher_class("their")


class Theirs:
    def __init__(self, space: Any, seed: int) -> None: ...

    def ask(self) -> None: ...

    def tell(self, params: Any, loss: float) -> None: ...


def test_files_are_named_in_full(tmp_path: Path) -> None:
    spec = study_spec(search=SearchSpec(method="./mine.py"), budget=Budget(trials=1))
    full = located(msgspec.structs.replace(spec, schedule=ScheduleSpec(method="s.py")), tmp_path)
    assert plugin_files(full) == [tmp_path / "mine.py", tmp_path / "s.py"]
    assert located(full, Path("/elsewhere")) == full
    assert plugin_files(study_spec()) == []
