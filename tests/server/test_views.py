from __future__ import annotations

import contextlib
import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

import rung
from rung.analysis.views import views
from rung.api.places import Places
from rung.cli.main import main
from rung.server.answers import KEPT, Answers
from rung.server.site import Site

Client = TestClient[Any]
ASKED: list[tuple[str, dict[str, Any]]] = [
    ("progress", {}),
    ("progress", {"work": False}),
    ("history", {"over": "time", "marks": 4}),
    ("history", {"states": ["complete", "failed"], "where": "width > 20"}),
    ("curves", {"top": 3, "metric": "size", "x": "time"}),
    ("curves", {"trials": [1, 0]}),
    ("edf", {}),
    ("pareto", {"objectives": ["loss"]}),
    ("rungs", {"acts": ["stopped", "paused"]}),
    ("timeline", {"begin": 0.5, "where": "number < 5"}),
]


def as_text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def called(*words: str) -> Any:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(words) == 0
    return json.loads(out.getvalue())


@pytest.mark.parametrize(("name", "options"), ASKED)
def test_all_doors_give_the_same(client: Client, places: Places, name: str, options: dict[str, Any]) -> None:
    query = {key: as_text(value) for key, value in options.items()}
    answer = client.get(f"/api/studies/score-1/views/{name}", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    settings = [word for key, text in query.items() for word in ("--set", f"{key}={text}")]
    said = called("view", "score-1", name, *settings, "--store", places.store, "--json")
    assert answer.json() == said
    assert rung.load("score-1", store=places.store).view(name, **options) == said


def test_every_view_answers_with_its_defaults(client: Client) -> None:
    listed = client.get("/api/views").json()
    assert [view["name"] for view in listed] == list(views())
    for view in listed:
        answer = client.get(f"/api/studies/score-1/views/{view['name']}")
        assert answer.status_code == 200, (view, answer.text)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (
            "score-1/views/history?over=tim",
            "view history: over: expected trial, time, wall or cost, got 'tim' (did you mean 'time'?)",
        ),
        ("score-1/views/history?ovr=time", "view history: no option 'ovr' (did you mean 'over'?)"),
        ("score-1/views/history?marks=many", "view history: marks: expected a whole number from 1 to 5000, got 'many'"),
        ("score-1/views/history?marks=5001", "view history: marks: expected a whole number from 1 to 5000, got '5001'"),
        ("score-1/views/history?over=time&over=cost", "view history: over: is given twice"),
        ("score-1/views/history?where=nosuch>1", "nosuch"),
        ("score-1/views/curves?trials=99", "there is no trial 99"),
        ("score-1/views/histry", "no view 'histry' (did you mean 'history'?)"),
    ],
)
def test_bad_options_are_one_clear_line(client: Client, path: str, line: str) -> None:
    answer = client.get(f"/api/studies/{path}")
    assert answer.status_code == 400
    assert line in answer.json()["detail"]
    assert "\n" not in answer.json()["detail"]


def test_an_unknown_study_is_not_found(client: Client) -> None:
    assert client.get("/api/studies/score-9/views/history").status_code == 404


def test_the_description_has_every_option_and_result(client: Client) -> None:
    from rung.server.openapi import document

    paths = json.loads(document())["paths"]
    for view in views().values():
        described = paths[f"/api/studies/{{study}}/views/{view.name}"]["get"]
        query = {p["name"]: p for p in described["parameters"] if p["in"] == "query"}
        assert set(query) == {option.name for option in view.options}
        for option in view.options:
            assert option.about in query[option.name]["description"]
            assert not query[option.name]["required"]
            if option.words and not option.many:
                assert [word for word in query[option.name]["schema"]["enum"] if word is not None] == list(option.words)
        schema = described["responses"]["200"]["content"]["application/json"]["schema"]
        assert "$ref" in schema


def test_a_page_that_looks_sees_what_was_told_since(client: Client, places: Places) -> None:
    study = rung.Study({"x": rung.uniform(0, 1)}, store=places.store, name="grows", search="random", seed=1)
    assert client.get("/api/studies/grows/views/history").json()["of"] == 0
    study.tell(study.ask(), 1.0)
    assert client.get("/api/studies/grows/views/history").json()["value"] == [1.0]


def test_a_study_made_again_shows_nothing_of_the_one_before(client: Client, places: Places) -> None:
    """It has as many events, so that the place in the log does not tell them apart."""
    for value in (1.0, 2.0):
        study = rung.Study({"x": rung.uniform(0, 1)}, store=places.store, name="again", search="random", seed=1)
        study.tell(study.ask(), value)
        assert client.get("/api/studies/again/views/history").json()["value"] == [value]
        study._handle.store.delete("again")


def test_an_answer_is_computed_once_for_all_who_ask() -> None:
    answers, begun, go_on, made = Answers(), threading.Event(), threading.Event(), []

    def make() -> bytes:
        made.append(1)
        begun.set()
        assert go_on.wait(10)
        return b"1"

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(answers.once, (1, 1, "v", b""), make)
        assert begun.wait(10)
        others = [pool.submit(answers.once, (1, 1, "v", b""), make) for _ in range(3)]
        go_on.set()
        assert [future.result(10) for future in [first, *others]] == [b"1"] * 4
    assert made == [1]
    assert answers.once((1, 2, "v", b""), lambda: b"2") == b"2"


def test_an_answer_that_failed_is_not_kept() -> None:
    answers = Answers()

    def fail() -> bytes:
        raise ValueError("once")

    with pytest.raises(ValueError, match="once"):
        answers.once((1, 1, "v", b""), fail)
    assert answers.once((1, 1, "v", b""), lambda: b"now") == b"now"


def test_answers_are_kept_up_to_a_number() -> None:
    answers, made = Answers(), list[int]()

    def make(place: int) -> bytes:
        made.append(place)
        return b""

    for place in [*range(KEPT + 1), KEPT, 0]:
        answers.once((1, place, "v", b""), partial(make, place))
    assert made == [*range(KEPT + 1), 0], "the oldest is made again, the newest is not"


def test_a_long_computation_does_not_hold_the_study(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    watched = site.study("score-1")
    computing, go_on = threading.Event(), threading.Event()

    def slow(study: Any) -> Any:
        computing.set()
        assert go_on.wait(10)
        return {"seq": study.state.seq}

    from rung.analysis.views import View

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(Answers().answer, watched, View("slow", "", slow), {})
        assert computing.wait(10)
        assert watched.lock.acquire(timeout=5), "who asks for something else need not wait"
        watched.lock.release()
        go_on.set()
        assert json.loads(answer.result(10))["seq"] == watched.handle.state.seq
