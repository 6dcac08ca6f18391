"""The stream as a browser has it: server-sent events over a socket."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlencode

import pytest

from rung.server import feed as feeds

pytestmark = pytest.mark.xdist_group("server stream")  # its tests share a study, in their order


class Stream:
    """An event stream on a connection of its own."""

    def __init__(self, live: Any, headers: dict[str, str] | None = None, **query: Any) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=20)
        authorization = {"Authorization": f"Bearer {live.access.tokens.read}"}
        self.connection.request("GET", f"/api/stream?{urlencode(query)}", headers={**authorization, **(headers or {})})
        self.answer = self.connection.getresponse()

    def events(self) -> Iterator[dict[str, str]]:
        """Each event as its fields, as they come."""
        fields: dict[str, str] = {}
        while True:
            line = self.answer.readline().decode().rstrip("\n")
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif fields:
                yield fields
                fields = {}

    def close(self) -> None:
        self.answer.close()
        self.connection.close()


def test_a_page_is_told_how_a_study_stands(live: Any) -> None:
    with closing(Stream(live, study="score-1")) as stream:
        assert stream.answer.status == 200
        assert stream.answer.getheader("content-type") == "text/event-stream; charset=utf-8"
        assert stream.answer.getheader("cache-control") == "no-store"
        events = stream.events()
        assert next(events) == {"retry": "1000"}
        event = next(events)
        delta = json.loads(event["data"])
        assert event["event"] == "delta"
        assert event["id"].startswith(f"{delta['seq']}-")
        assert (delta["study"], delta["state"], delta["ended"], delta["changed"]) == ("score-1", "complete", True, None)


@pytest.mark.parametrize("how", ["header", "query"])
def test_where_one_left_off(live: Any, how: str) -> None:
    with closing(Stream(live, study="score-1")) as stream:
        known = next(event["id"] for event in stream.events() if "id" in event)
    headers = {"Last-Event-ID": known} if how == "header" else None
    query = {"last": known} if how == "query" else {}
    with closing(Stream(live, headers, study="score-1", **query)) as stream:
        event = next(event for event in stream.events() if event.get("event"))
        assert event["event"] == "delta"
        assert json.loads(event["data"])["changed"] == []


def test_a_study_that_there_is_not(live: Any) -> None:
    with closing(Stream(live, study="nope")) as stream:
        event = next(event for event in stream.events() if event.get("event"))
        assert event["event"] == "gone"
        assert json.loads(event["data"])["study"] == "nope"


def test_too_many_are_sent_away(live: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MOST_LISTENERS", 0)
    with closing(Stream(live)) as stream:
        assert stream.answer.status == 503
        assert stream.answer.getheader("retry-after") == "10"
        assert "listen already" in json.loads(stream.answer.read())["detail"]


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {"Authorization": ""}, 401),
        ("GET", {"Authorization": "Bearer x"}, 401),
        ("GET", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("GET", {"Sec-Fetch-Site": "same-site"}, 403),
        ("GET", {"Origin": "null"}, 403),
        ("GET", {"Origin": "http://localhost:1"}, 403),
        ("GET", {"Host": "evil.example"}, 403),
        ("HEAD", {}, 405),
        ("POST", {"Authorization": "control"}, 405),
        ("OPTIONS", {"Origin": "http://evil.example", "Access-Control-Request-Method": "GET"}, 405),
    ],
)
def test_who_gets_no_stream(live: Any, method: str, headers: dict[str, str], status: int) -> None:
    given = {"Authorization": f"Bearer {live.access.tokens.read}", **headers}
    if given["Authorization"] == "control":
        given |= live.headers
    elif not given["Authorization"]:
        del given["Authorization"]
    with closing(http.client.HTTPConnection("127.0.0.1", live.port, timeout=20)) as connection:
        connection.request(method, "/api/stream?study=score-1", headers=given)
        answer = connection.getresponse()
        assert answer.status == status
        assert answer.getheader("content-type") == "application/json"
        assert answer.getheader("access-control-allow-origin") is None
        assert method == "HEAD" or json.loads(answer.read())["status_code"] == status


@pytest.mark.parametrize("last", ["9" * 30, "-1", "3-\u0664", "\u0663", "1\nevent: x", "x" * 5_000, "0-\x00"])
def test_an_id_that_was_never_given_is_answered_with_how_things_stand(live: Any, last: str) -> None:
    with closing(Stream(live, study="score-1", last=last)) as stream:
        events = stream.events()
        first = next(event for event in events if event.get("event"))
        assert first == {"event": "reset", "data": '{"study":"score-1"}'}
        assert json.loads(next(events)["data"])["changed"] is None


@pytest.mark.parametrize("name", ["../..", "\x00", "a\nevent: x", "<script>", "x" * 5_000])
def test_a_name_is_a_text_in_the_stream_too(live: Any, name: str) -> None:
    with closing(Stream(live, study=name, log=0)) as stream:
        event = next(event for event in stream.events() if event.get("event"))
        assert (event["event"], json.loads(event["data"])["study"]) == ("gone", name)


def test_bad_words_in_the_address(live: Any) -> None:
    for query in ({"log": "x"}, {"log": -1}, {"output": "else"}):
        with closing(Stream(live, study="score-1", **query)) as stream:
            assert stream.answer.status == 400
