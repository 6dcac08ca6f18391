"""The project folder over HTTP: who may start what, and what a browser cannot say."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from rung.api import runners
from rung.api.handle import Handle
from rung.server.site import Site

pytestmark = pytest.mark.xdist_group("server project")  # its tests share a study, in their order
STUDY = """
command: [sh, -c, "echo loss: {x}", "{x}"]
parameters:
  x: {type: ordinal, values: [1, 2, 3]}
objective: loss
search: {method: grid}
"""
ASKED = {"target": {"file": "study.yaml"}, "kind": "grid", "metric": "loss"}


@pytest.fixture(scope="module", autouse=True)
def files(project: Path) -> None:
    """A study file, and one outside of the folder."""
    (project / "study.yaml").write_text(STUDY)
    (project.parent / "outside.yaml").write_text(STUDY)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The studies that a runner would have been started for; none is."""
    names: list[str] = []
    lock = threading.Lock()

    def resume(handle: Handle) -> None:
        with lock:
            names.append(handle.name)

    monkeypatch.setattr(runners, "resume", resume)
    return names


def test_what_there_is(client: TestClient[Any], project: Path) -> None:
    found = client.get("/api/project").json()
    assert found["folder"] == str(project)
    assert [(c["file"], c["dialect"], c["parameters"]) for c in found["choices"]] == [("study.yaml", "rung", 1)]
    form = client.get("/api/project/form", params={"file": "study.yaml"}).json()
    assert form["rows"][0]["start"] == {"mode": "multiple", "name": "x", "values": [1, 2, 3]}


def test_who_may_only_look_sees_the_preview_and_starts_nothing(reader: TestClient[Any], started: list[str]) -> None:
    found = reader.post("/api/project/preview", json=ASKED)
    assert (found.status_code, found.json()["line"]) == (200, "Will create a total of 3 trials.")
    refused = reader.post("/api/project/start", json={"study": ASKED})
    assert (refused.status_code, "read-only" in refused.json()["detail"]) == (403, True)
    assert started == []


def test_a_stranger_sees_nothing(stranger: TestClient[Any]) -> None:
    assert stranger.get("/api/project").status_code == 401
    assert stranger.post("/api/project/preview", json=ASKED).status_code == 401
    assert stranger.post("/api/project/start", json={"study": ASKED}).status_code == 401


def test_a_start_makes_the_study_that_was_previewed(client: TestClient[Any], site: Site, started: list[str]) -> None:
    asked = {**ASKED, "name": "made", "workers": 2, "tags": ["first"], "seed": 3}
    preview = client.post("/api/project/preview", json=asked).json()
    answer = client.post("/api/project/start", json={"study": asked})
    assert (answer.status_code, answer.json()) == (200, {"study": "made"})
    assert started == ["made"]
    with site.study("made").read() as study:
        assert (study.state.spec.budget.trials, study.state.spec.run.workers, study.state.seed) == (3, 2, 3)
        assert study.state.created.provenance["command_line"] == ["rung", "run", *preview["words"]]
        assert study.state.created.provenance["who"].startswith("page")
        assert tuple(study.state.notes[None].tags) == ("first",)
    again = client.post("/api/project/preview", json=asked).json()
    assert [fault["field"] for fault in again["faults"]] == ["name"]


def test_two_clicks_start_one_study(client: TestClient[Any], started: list[str]) -> None:
    body = {"study": ASKED, "key": "click"}
    answers: list[Any] = []
    clicks = [threading.Thread(target=lambda: answers.append(client.post("/api/project/start", json=body).json())) for _ in range(4)]  # fmt: skip
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    assert len(started) == 1
    assert answers == [{"study": started[0]}] * 4
    other = client.post("/api/project/start", json={"study": {**ASKED, "workers": 2}, "key": "click"})
    assert (other.status_code, len(started)) == (400, 1)
    client.post("/api/project/start", json={"study": ASKED, "key": "another"})
    assert len(set(started)) == 2


def at_once(client: TestClient[Any], *bodies: Any) -> list[Any]:
    """The answers to starts that are asked for at the same time."""
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda body=body: answers.append(client.post("/api/project/start", json=body))) for body in bodies]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_two_browsers_that_start_at_once_start_two_studies(client: TestClient[Any], started: list[str]) -> None:
    answers = at_once(client, *({"study": ASKED, "key": f"browser {n}"} for n in range(3)))
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({answer.json()["study"] for answer in answers} & set(started)) == 3
    named = at_once(client, *({"study": {**ASKED, "name": "wanted"}, "key": f"named {n}"} for n in range(3)))
    assert sorted(answer.status_code for answer in named) == [200, 400, 400]
    assert all("exists" in answer.json()["detail"] for answer in named if answer.status_code == 400)
    assert started.count("wanted") == 1


def test_a_file_that_changed_since_the_preview_is_not_started(
    client: TestClient[Any], project: Path, started: list[str]
) -> None:
    shown = client.post("/api/project/preview", json=ASKED).json()
    (project / "study.yaml").write_text(STUDY.replace("echo loss: {x}", "echo loss: 7"))
    body = {"study": ASKED, "key": "seen", "seen": shown["digest"]}
    refused = client.post("/api/project/start", json=body)
    assert (refused.status_code, "study.yaml: has changed" in refused.json()["detail"], started) == (400, True, [])
    (project / "study.yaml").write_text(STUDY)
    assert client.post("/api/project/start", json=body).status_code == 200
    assert len(started) == 1


def test_a_start_that_failed_may_be_tried_again(client: TestClient[Any], started: list[str]) -> None:
    rows = [{"mode": "multiple", "name": "x", "values": []}]
    body: dict[str, Any] = {"study": {**ASKED, "rows": rows}, "key": "again"}
    for _ in range(2):
        refused = client.post("/api/project/start", json=body)
        assert (refused.status_code, "give one value a line" in refused.json()["detail"]) == (400, True)
    assert started == []


@pytest.mark.parametrize(
    "file",
    ["/etc/passwd.yaml", "../outside.yaml", "runs/../../outside.yaml", "link.yaml", "linked/outside.yaml", "nothing.yaml"],
)  # fmt: skip
def test_files_that_are_not_in_the_folder(
    client: TestClient[Any], project: Path, started: list[str], file: str
) -> None:
    if not (project / "link.yaml").is_symlink():
        (project / "link.yaml").symlink_to(project.parent / "outside.yaml")
        (project / "linked").symlink_to(project.parent)
    study = {**ASKED, "target": {"file": file}}
    answers = [
        client.get("/api/project/form", params={"file": file}),
        client.post("/api/project/preview", json=study),
        client.post("/api/project/start", json={"study": study}),
    ]
    for answer in answers:
        assert answer.status_code == 400
        assert "project folder" in answer.json()["detail"]
    assert started == []
    assert [choice["file"] for choice in client.get("/api/project").json()["choices"]] == ["study.yaml"]


def test_a_file_that_became_a_link_since_it_was_listed(
    client: TestClient[Any], project: Path, started: list[str]
) -> None:
    (project / "changing.yaml").write_text(STUDY)
    study = {**ASKED, "target": {"file": "changing.yaml"}}
    assert "changing.yaml" in [choice["file"] for choice in client.get("/api/project").json()["choices"]]
    assert client.post("/api/project/preview", json=study).json()["total"] == 3
    (project / "changing.yaml").unlink()
    (project / "changing.yaml").symlink_to(project.parent / "outside.yaml")
    refused = client.post("/api/project/start", json={"study": study})
    assert (refused.status_code, "links are not followed" in refused.json()["detail"]) == (400, True)
    assert started == []
    (project / "changing.yaml").unlink()


@pytest.mark.parametrize("field", ["command", "interpreter", "cwd", "env", "mirrors", "plugin", "settings", "executor"])
def test_a_browser_cannot_say_what_is_run(client: TestClient[Any], started: list[str], field: str) -> None:
    for study in (
        {**ASKED, field: ["sh", "-c", "true"]},
        {**ASKED, "target": {"file": "study.yaml", field: "x"}},
        {**ASKED, "rows": [{"mode": "single", "name": "x", "value": 1, field: "x"}]},
    ):
        refused = client.post("/api/project/start", json={"study": study})
        assert (refused.status_code, "unknown field" in refused.json()["detail"]) == (400, True)
    assert client.post("/api/project/start", json={"study": ASKED, field: "x"}).status_code == 400
    assert started == []
