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


def test_bad_words_in_the_address(live: Any) -> None:
    for query in ({"log": "x"}, {"log": -1}, {"output": "else"}):
        with closing(Stream(live, study="score-1", **query)) as stream:
            assert stream.answer.status == 400
