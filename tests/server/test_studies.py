"""The list of studies, one study, and its end."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient

from rung.api import describing
from rung.api.creation import create, created_event
from rung.api.describing import StudySummary
from rung.api.handle import Handle
from rung.model import Budget, Objective, Parameter, SearchSpec, StudySpec
from rung.runner.log import entry
from rung.server.routes import studies
from rung.server.site import Site
from rung.store.base import LeaseOwner

pytestmark = pytest.mark.xdist_group("server studies")  # its tests share a study, in their order
Make = Callable[..., Handle]


@pytest.fixture(scope="module")
def make(site: Site) -> Make:
    """Makes a study of a command that nobody runs yet."""

    def made(name: str, *, method: str = "random") -> Handle:
        (site.project / "train.py").write_text("print('loss: 1')\n")
        spec = StudySpec(
            name=name, command=("python", "train.py", "{rest}"), budget=Budget(trials=3),
            parameters=(Parameter(name="x", type="float", min=0.0, max=1.0, default=0.5),),
            objectives=(Objective(metric="loss"),), search=SearchSpec(method=method, seed=1),
        )  # fmt: skip
        event = created_event(spec, runs=site.places.runs, cwd=site.project, command_line=[], surface="test")
        return create(site.store, event, stem="")

    return made


def names(client: TestClient[Any]) -> list[str]:
    return [study["name"] for study in client.get("/api/studies").json()]


def test_the_list_has_what_a_row_shows(client: TestClient[Any]) -> None:
    [found] = [study for study in client.get("/api/studies").json() if study["name"] == "score-1"]
    assert found["state"] == "complete"
    assert found["counts"]["failed"] == 1
    assert (found["metric"], found["goal"]) == ("loss", "minimize")
    assert found["line"][-1] == found["best"]
    assert len(found["line"]) == 8


def test_the_newest_study_is_first(client: TestClient[Any], make: Make) -> None:
    make("newer")
    assert names(client)[:1] == ["newer"]


def test_nothing_is_opened_again_that_has_not_changed(
    client: TestClient[Any], site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get("/api/studies")
    made: list[str] = []

    def summary(handle: Handle) -> StudySummary:
        made.append(handle.name)
        return before(handle)

    before = describing.summary
    monkeypatch.setattr(studies, "summary", summary)
    client.get("/api/studies")
    assert made == []
    Handle(site.store, "score-1").annotate(tag=["seen"])
    found = {study["name"]: study["tags"] for study in client.get("/api/studies").json()}
    assert made == ["score-1"]
    assert found["score-1"] == ["seen"]


def test_a_runner_that_died_is_seen_though_the_log_says_nothing(
    client: TestClient[Any], site: Site, make: Make
) -> None:
    make("left")
    owner = LeaseOwner("r", "elsewhere", "boot", 1, 1)
    lease = site.store.acquire("left", owner)

    def state() -> str:
        return str({study["name"]: study["state"] for study in client.get("/api/studies").json()}["left"])

    assert state() == "running"
    site.store.release(lease)
    assert state() == "interrupted"


def test_one_study_whole(client: TestClient[Any]) -> None:
    found = client.get("/api/studies/score-1").json()
    assert found["winners"][0]["state"] == "complete"
    assert [parameter["name"] for parameter in found["parameters"]] == ["lr", "width", "opt"]
    assert found["parameters"][2]["values"] == ["sgd", "adam"]
    assert found["objectives"] == [{"metric": "loss", "goal": "minimize", "value": "last"}]
    assert found["search"].startswith("random: ")
    assert found["schedule"].startswith("no early stopping")
    assert found["reason"] == "8 trials evaluated"
    assert not found["runs"]
    assert not found["resumable"]
    assert "packages" not in found["code"]
    assert "packages" in client.get("/api/studies/score-1", params={"full": True}).json()["code"]


def test_a_study_that_a_runner_may_attach_to(client: TestClient[Any], make: Make) -> None:
    make("waits")
    found = client.get("/api/studies/waits").json()
    assert (found["state"], found["runs"], found["resumable"]) == ("interrupted", True, True)
    assert found["parameters"][0]["default"] == 0.5


def test_a_script_that_changed_is_said(client: TestClient[Any], site: Site, make: Make) -> None:
    make("changed")
    assert client.get("/api/studies/changed").json()["code_changed"] == []
    (site.project / "train.py").write_text("print('loss: 2')\n# other\n")
    [line] = client.get("/api/studies/changed").json()["code_changed"]
    assert "train.py has changed since" in line


def test_looking_at_a_study_loads_no_plugin(client: TestClient[Any], site: Site, make: Make) -> None:
    """A store may come from anywhere: what it names is not run by whoever looks."""
    trap, sprung = site.project / "trap.py", site.project / "sprung"
    trap.write_text(f"open({str(sprung)!r}, 'w')\n")
    event = make("plain").state.created
    spec = msgspec.structs.replace(event.spec, search=SearchSpec(method=str(trap)))
    site.store.create("plugged", [entry(msgspec.structs.replace(event, spec=spec))], at=event.at)
    assert client.get("/api/studies/plugged").json()["search"] == f"{trap}: a plug-in"
    edit = {"action": "edit", "settings": [["parameters.x.max", "2"]], "dry": True}
    answer = client.post("/api/studies/plugged/actions", json=edit)
    assert answer.status_code == 400
    assert "whose code the page does not run" in answer.json()["detail"]
    assert not sprung.exists()


@pytest.mark.parametrize("path", ["/api/studies/no-such", "/api/studies/%3Cb%3E"])
def test_unknown_studies(client: TestClient[Any], path: str) -> None:
    for method in ("GET", "DELETE"):
        answer = client.request(method, path)
        assert answer.status_code == 404
        assert answer.json()["detail"].startswith("no study")


# ----------------------------------------------------------------------------------------------------------- the end


def test_a_study_is_removed_with_its_folder(client: TestClient[Any], site: Site, make: Make) -> None:
    make("gone")
    folder = site.places.runs / "gone"
    (folder / "00000").mkdir(parents=True)
    answer = client.delete("/api/studies/gone")
    assert answer.json() == {"name": "gone", "trials": 0, "folder": str(folder)}
    assert not folder.exists()
    assert "gone" not in names(client)
    assert client.get("/api/studies/gone").status_code == 404


def test_a_folder_that_cannot_be_removed_is_one_line(
    client: TestClient[Any], site: Site, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("stuck")
    (site.places.runs / "stuck" / "00000").mkdir(parents=True)

    def rmdir(*_: Any, **__: Any) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy")

    with monkeypatch.context() as patch:
        patch.setattr(os, "rmdir", rmdir)
        answer = client.delete("/api/studies/stuck")
    assert answer.status_code == 409
    assert "is removed, but what is left of its folder is not (Device or resource busy)" in answer.json()["detail"]
    assert "stuck" not in names(client)


def test_a_name_that_is_used_again_is_another_study(client: TestClient[Any], site: Site, make: Make) -> None:
    make("again")
    client.get("/api/studies/again")
    Handle(site.store, "again").annotate(text="the first")
    client.get("/api/studies")
    client.delete("/api/studies/again")
    make("again")
    assert client.get("/api/studies/again").json()["note"] == ""
    assert {study["name"]: study["note"] for study in client.get("/api/studies").json()}["again"] == ""


def test_a_link_in_the_place_of_a_folder_is_not_followed(client: TestClient[Any], site: Site, make: Make) -> None:
    make("linked")
    kept: Path = site.project / "kept"
    kept.mkdir()
    site.places.runs.mkdir(exist_ok=True)
    (site.places.runs / "linked").symlink_to(kept)
    assert client.delete("/api/studies/linked").json()["folder"] is None
    assert kept.is_dir()


def test_a_study_that_is_worked_on_stays(client: TestClient[Any], site: Site, make: Make) -> None:
    make("busy")
    lease = site.store.acquire("busy", LeaseOwner("r", "elsewhere", "boot", 1, 1))
    answer = client.delete("/api/studies/busy")
    assert answer.status_code == 409
    assert answer.json()["detail"] == "a runner is attached to study busy; stop it first"
    site.store.release(lease)
    assert client.delete("/api/studies/busy").status_code == 200


def test_who_may_only_look_removes_nothing(reader: TestClient[Any], client: TestClient[Any]) -> None:
    assert reader.delete("/api/studies/score-1").status_code == 403
    assert "score-1" in names(client)
