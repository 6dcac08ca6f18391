"""What people ask for through the page."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from rung.api.creation import create, created_event
from rung.api.handle import Handle
from rung.model import Budget, Objective, Parameter, RunSettings, SearchSpec, StudySpec
from rung.runner.log import read
from rung.server.routes.actions import surface_of
from rung.server.site import Site
from rung.study import events as ev

pytestmark = pytest.mark.xdist_group("server actions")  # its tests share a study, in their order
Act = Callable[..., Any]
PROGRAM = "sleep 0.05; echo loss: 1; while [ ! -e go ]; do sleep 0.05; done"


@pytest.fixture(scope="module")
def study(site: Site) -> Iterator[Handle]:
    """A study whose trials run until the file `go` is there; nobody runs it yet. No runner is left of it."""
    spec = StudySpec(
        name="digits", command=("/bin/sh", "-c", PROGRAM, "trial"), budget=Budget(trials=4),
        parameters=(
            Parameter(name="x", type="float", min=0.0, max=1.0),
            Parameter(name="opt", type="choice", values=("sgd", "adam")),
        ),
        objectives=(Objective(metric="loss"),), search=SearchSpec(method="random", seed=1),
        run=RunSettings(cwd=str(site.project), grace_s=5.0),
    )  # fmt: skip
    event = created_event(spec, runs=site.places.runs, cwd=site.project, command_line=[], surface="test")
    handle = create(site.store, event, stem="")
    yield handle
    handle.refresh()
    for runner in handle.state.runners.values():
        os.kill(runner.pid, signal.SIGTERM)
    until(lambda: handle.status() in {"interrupted", "complete", "failed"})


@pytest.fixture(scope="module")
def act(client: TestClient[Any], study: Handle) -> Act:
    """Asks something of the study; the answer has this status."""

    def ask(action: str, code: int = 200, *, name: str = study.name, **fields: Any) -> Any:
        answer = client.post(f"/api/studies/{name}/actions", json={"action": action, **fields})
        assert answer.status_code == code, answer.text
        return answer.json() if code == 200 else answer.json()["detail"]

    return ask


def until(holds: Callable[[], object], limit: float = 20.0) -> None:
    """Waits for a condition."""
    end = time.monotonic() + limit
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


def newest(handle: Handle, kind: type[ev.Event]) -> Any:
    """The last event of that kind in the log."""
    return [event for _, event in read(handle.store, handle.name) if isinstance(event, kind)][-1]


def test_who_and_from_where_is_in_the_log(act: Act, study: Handle) -> None:
    found = act("pause")
    assert found["did"] == "study digits starts no new trials"
    assert newest(study, ev.PauseRequested).who.startswith("page:")
    assert act("unpause")["state"] == "interrupted"


@pytest.mark.parametrize(
    ("host", "surface"),
    [("127.0.0.1", "page"), ("::1", "page"), ("testclient", "page"), ("10.1.2.3", "page(10.1.2.3)"), (None, "page")],
)
def test_another_machine_is_named(host: str | None, surface: str) -> None:
    class Client:
        client = None if host is None else type("Address", (), {"host": host})

    assert surface_of(Client()) == surface  # type: ignore[arg-type]


def test_without_a_runner_it_is_said_what_to_do(act: Act, study: Handle) -> None:
    found = act("enqueue", params={"x": 0.25})
    assert found["did"] == "enqueued: x=0.25 opt=sgd"
    assert found["advice"] == "no runner is attached: it is done when the study is resumed"
    assert found["resume"] == f"rung resume digits --store {study.store.url}"


def test_a_study_of_a_python_program_is_gone_on_with_there(act: Act, client: TestClient[Any]) -> None:
    assert "has no command" in act("resume", 400, name="score-1")


@pytest.mark.parametrize(
    ("action", "fields", "said"),
    [
        ("enqueue", {"params": {"x": 7}}, "x"),
        ("enqueue", {"params": {"y": 1}}, "y"),
        ("stop_trial", {"trial": 99}, "has no trial 99"),
        ("pause_trial", {"trial": -1}, "has no trial -1"),
        ("unpause_trial", {"trial": 99}, "has no trial 99"),
        ("retry", {"trials": []}, "has no failed trial"),
        ("retry", {"trials": [99]}, "has no trial 99"),
        ("tell", {"trial": 0, "values": {}}, "at least one metric"),
        ("note", {"tag": [""]}, "expected a word"),
        ("note", {"tag": ["a,b"]}, "expected a word"),
        ("note", {"note": "x" * 20_001}, "at most 20000 characters"),
        ("note", {"trial": 99, "note": "x"}, "has no trial 99"),
        ("edit", {"settings": []}, "1 to 1000 settings"),
        ("edit", {"settings": [["objective.metric", "x"]]}, "only budget"),
        ("edit", {"settings": [["parameters.x.max", "-5"]]}, "x"),
        ("resume", {"workers": 0}, "from 1 to"),
    ],
)
def test_what_cannot_be_granted_is_one_line(
    act: Act, study: Handle, action: str, fields: dict[str, Any], said: str
) -> None:
    study.refresh()
    before = study.state.seq
    line = act(action, 400, **fields)
    assert said in line
    assert "\n" not in line
    study.refresh()
    assert study.state.seq == before


@pytest.mark.parametrize(
    "setting",
    [
        ["run.executor", "inline"],
        ["run.executor", "./mine.py"],
        ["run.cwd", "/tmp"],
        ["run.inject", "source"],
        ["run.mirrors", "[mlflow:http://elsewhere]"],
        ["run", "{cwd: /tmp, workers: 2}"],
        ["command", "[rm, -r, /]"],
        ["function", "os:abort"],
        ["search.method", "./mine.py"],
    ],
)
def test_a_browser_never_says_what_is_run(act: Act, study: Handle, setting: list[str]) -> None:
    act("edit", 400, settings=[setting], dry=False)
    study.refresh()
    assert not study.state.changes


@pytest.mark.parametrize(
    "body",
    [
        {"action": "format_disk"},
        {"action": "stop", "now": "yes"},
        {"action": "pause", "command": "rm"},
        {"action": "stop_trial"},
        {"action": "retry", "trials": ["1"]},
        {},
        [],
    ],
)
def test_bodies_that_are_no_action(client: TestClient[Any], study: Handle, body: Any) -> None:
    assert client.post(f"/api/studies/{study.name}/actions", json=body).status_code == 400


def test_who_may_only_look_asks_for_nothing(reader: TestClient[Any], study: Handle) -> None:
    before = study.store.position(study.name)
    answer = reader.post(f"/api/studies/{study.name}/actions", json={"action": "pause"})
    assert answer.status_code == 403
    assert study.store.position(study.name) == before


# --------------------------------------------------------------------------------------------------------------- edits


def test_an_edit_is_looked_at_before_it_is_accepted(act: Act, study: Handle) -> None:
    before = study.store.position(study.name)
    found = act("edit", settings=[["parameters.x.min", "1e-6"], ["budget.trials", "5"]], dry=True)
    assert {change["path"]: change["new"] for change in found["changes"]} == {
        "parameters.x.min": "1e-06", "budget.trials": "5",
    }  # fmt: skip
    assert any("scale" in finding for finding in found["findings"]), found["findings"]
    assert study.store.position(study.name) == before


def test_what_an_edit_leaves_out_is_counted(act: Act, study: Handle) -> None:
    before = act("edit", settings=[["parameters.x.min", "0.5"]], dry=True)["dropped"]
    act("enqueue", params={"x": 0.25})
    found = act("edit", settings=[["parameters.x.min", "0.5"]], dry=True)
    assert found["dropped"] == before + 1  # the configuration that waits
    assert found["left_out"] == 0


def test_an_edit_is_done(act: Act, study: Handle) -> None:
    found = act("edit", settings=[["budget.trials", "3"]])
    assert found["did"] == "study digits is changed: budget.trials"
    study.refresh()
    assert study.state.spec.budget.trials == 3
    assert newest(study, ev.SpecChanged).who.startswith("page:")
    assert act("edit", settings=[["budget.trials", "3"]])["did"] == "study digits has these settings already"


# --------------------------------------------------------------------------------------------------------------- notes


def test_notes_and_tags(act: Act, client: TestClient[Any], study: Handle) -> None:
    act("note", note="first try", tag=["digits", "new"])
    act("note", untag=["new"], archived=True)
    found = client.get("/api/studies/digits").json()
    assert (found["note"], found["tags"], found["archived"]) == ("first try", ["digits"], True)
    assert act("note", archived=False)["did"] == "study digits is not archived any more"


# -------------------------------------------------------------------------------------------------------------- a run


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


@pytest.mark.slow
def test_a_study_is_resumed_and_acted_on_from_the_page(act: Act, site: Site, study: Handle) -> None:
    """One runner, from its start in a process of its own to the end of the study."""
    found = act("resume")
    assert found["state"] == "running"
    assert found["advice"] is None
    study.refresh()
    [runner] = study.state.runners.values()
    assert f"process {runner.pid}" in found["did"]
    assert os.getsid(runner.pid) == runner.pid  # it outlives the server
    assert (site.places.runs / "digits" / "runner.log").exists()
    assert "attached" in act("resume", 400)

    def live() -> dict[int, Any]:
        study.refresh()
        return {number: one for number, one in study.state.live.items() if one.pid}

    until(lambda: live().get(0) is not None and live()[0].tracks)
    act("edit", settings=[["run.workers", "2"]])  # obeyed at once
    until(lambda: live().get(1) is not None)
    pid = live()[1].pid
    assert act("stop_trial", trial=1)["did"] == "trial 1 is to end"
    until(lambda: gone(pid))
    act("note", trial=0, note="odd", tag=["odd"])
    until(lambda: study.refresh() or study.state.notes[0].tags == ("odd",))
    assert act("stop", now=True)["did"] == "study digits ends now"
    until(lambda: study.refresh() is None or study.status() in {"complete", "failed"})
    assert newest(study, ev.TrialStopRequested).who.startswith("page:")
    until(lambda: gone(runner.pid))


@pytest.mark.slow
def test_a_runner_that_ends_at_once_says_why(act: Act, site: Site, study: Handle, monkeypatch: Any) -> None:
    from rung.api import runners

    act("retry", trials=[0])
    monkeypatch.setattr(runners, "PROGRAM", "import sys; sys.exit('rung: the disk is full')")
    assert act("resume", 409) == "the runner ended at once (exit code 1): the disk is full"
