"""The feed: what happens in a store reaches those who listen, once, in order, and whatever becomes of the store."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import rung
from rung.api.places import find_places
from rung.inside.wire import STDOUT
from rung.plugins import open_store
from rung.server import feed as feeds
from rung.server import listeners
from rung.server import site as sites
from rung.server.feed import Feed
from rung.server.listeners import Busy, Listener
from rung.server.site import Site, Touched
from rung.store.base import Store
from rung.study import events as ev

pytestmark = pytest.mark.xdist_group("server feed")  # its tests share a study, in their order
LIMIT_S = 20.0


class Page:
    """Somebody who listens, and takes what comes."""

    def __init__(self, feed: Feed, **wants: Any) -> None:
        self.listener = Listener(**wants)
        self.frames = self.listener.frames(feed)
        self.waiting: list[tuple[str, Any, str]] = []

    async def here(self) -> Page:
        """It listens."""
        assert (await anext(self.frames)).startswith(b"retry:")
        return self

    async def event(self) -> tuple[str, Any, str]:
        """The next event: its name, its data, its id."""
        while not self.waiting:
            for block in (await asyncio.wait_for(anext(self.frames), LIMIT_S)).decode().strip().split("\n\n"):
                fields = dict(line.partition(": ")[::2] for line in block.split("\n"))
                if "event" in fields and fields["event"] != "ping":
                    self.waiting.append((fields["event"], json.loads(fields["data"]), fields.get("id", "")))
        return self.waiting.pop(0)

    async def until(self, name: str, holds: Callable[[Any], bool] = lambda _: True) -> tuple[Any, str]:
        """The next event of that name for which `holds` is true."""
        while True:
            event, data, known = await self.event()
            if event == name and holds(data):
                return data, known

    async def leave(self) -> None:
        await self.frames.aclose()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store on disk that others write to through connections of their own."""
    store = open_store(f"sqlite:///{tmp_path}/rung.db")
    yield store
    store.close()


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    site = Site(store, find_places(store=store.url, directory=str(tmp_path / "runs")), tmp_path)
    yield site
    site.feed.close()
    for thread in threading.enumerate():
        if thread.name == "rung-feed":
            thread.join(LIMIT_S)
            assert not thread.is_alive()


def study(store: Store, name: str = "s", **given: Any) -> rung.Study:
    """A study in the same store, by another connection, as another process would have it."""
    return rung.Study({"x": rung.uniform(0, 1)}, search="random", seed=1, store=store.url, name=name, **given)


def played(test: Callable[[], Awaitable[None]]) -> None:
    """The test ran in an event loop."""

    async def bounded() -> None:
        await asyncio.wait_for(test(), LIMIT_S)

    asyncio.run(bounded())


def test_how_things_stand_and_then_every_change(site: Site, store: Store) -> None:
    made = study(store)
    first = made.ask()

    async def test() -> None:
        page = Page(site.feed, study="s")
        delta, known = await page.until("delta")
        assert (delta["study"], delta["trials"], delta["changed"]) == ("s", 1, None)
        assert [one["number"] for one in delta["running"]] == [0]
        first.report(value=3.0)
        delta, _ = await page.until("delta", lambda d: d["running"][0]["value"] == 3.0)
        assert delta["running"][0]["step"] == 1.0
        made.tell(first, 0.5)
        delta, newest = await page.until("delta", lambda d: d["counts"]["complete"] == 1)
        assert delta["best"] == {"number": 0, "value": 0.5}
        rows = {row["number"]: row for row in delta["changed"]}
        assert (rows[0]["state"], rows[0]["value"]) == ("complete", 0.5)
        assert int(newest.partition("-")[0]) == delta["seq"] > int(known.partition("-")[0])
        await page.leave()

    played(test)


def test_all_pages_are_told_the_same_bytes_in_the_same_order(site: Site, store: Store) -> None:
    made = study(store)

    async def test() -> None:
        pages = [Page(site.feed, study="s") for _ in range(20)]
        for page in pages:
            before = (await page.until("delta"))[0]["seq"]
        for value in (0.5, 0.25, 0.125):
            made.tell(made.ask(), value)
        heard = []
        for page in pages:
            events: list[dict[str, Any]] = []
            while not events or events[-1]["counts"]["complete"] < 3:
                events.append((await page.until("delta", lambda d: d["seq"] > before))[0])
            heard.append(events)
        assert all(events == heard[0] for events in heard)
        seqs = [event["seq"] for event in heard[0]]
        assert seqs == sorted(seqs)
        assert {row["number"] for event in heard[0] for row in event["changed"]} == {0, 1, 2}

    played(test)


def test_who_comes_back_is_told_what_was_missed(site: Site, store: Store) -> None:
    made = study(store)
    made.tell(made.ask(), 1.0)

    async def test() -> None:
        stays = Page(site.feed, study="s")
        _, known = await stays.until("delta")
        made.tell(made.ask(), 2.0)
        await stays.until("delta", lambda d: d["counts"]["complete"] == 2)
        again = Page(site.feed, study="s", last=known)
        delta, _ = await again.until("delta")
        assert [row["number"] for row in delta["changed"]] == [1]
        for forged in ("999999-x", "1-another", "nonsense", "-", "9" * 40):
            lost = Page(site.feed, study="s", last=forged)
            assert (await lost.event())[0] == "reset", forged
            assert (await lost.event())[1]["changed"] is None

    played(test)


def test_a_study_that_is_deleted_and_made_again(site: Site, store: Store) -> None:
    made = study(store)
    for _ in range(3):
        made.tell(made.ask(), 1.0)

    async def test() -> None:
        page, overview = Page(site.feed, study="s"), await Page(site.feed).here()
        await page.until("delta", lambda d: d["trials"] == 3)
        store.delete("s")
        gone, _ = await page.until("gone")
        assert gone["study"] == "s"
        assert "no study" in gone["why"]
        news, _ = await overview.until("studies", lambda d: "s" in d["deleted"])
        assert news["of"] == 0
        late = Page(site.feed, study="s")
        assert (await late.until("gone"))[0]["study"] == "s"
        again = study(store)
        again.tell(again.ask(), 7.0)
        for one in (page, late):
            await one.until("reset")
            delta, _ = await one.until("delta", lambda d: d["counts"]["complete"] == 1)
            assert delta["best"]["value"] == 7.0
        await overview.until("studies", lambda d: "s" in [*d["created"], *d["changed"]])

    played(test)


def test_one_that_is_replaced_between_two_looks_is_the_new_one(site: Site, store: Store) -> None:
    made = study(store)
    made.tell(made.ask(), 1.0)
    watched = site.study("s")
    with watched.read() as handle:
        assert len(handle.state) == 1
    store.delete("s")
    again = study(store)
    for _ in range(4):
        again.tell(again.ask(), 2.0)
    with watched.read() as handle:
        assert (len(handle.state), handle.state.switches.best_loss) == (4, 2.0)


def test_a_store_that_is_put_back_as_it_was_is_read_anew(site: Site, store: Store, tmp_path: Path) -> None:
    made = study(store)
    made.tell(made.ask(), 1.0)
    made._handle.store.close()
    store.close()
    before = {file.name: file.read_bytes() for file in tmp_path.glob("rung.db*")}

    async def test() -> None:
        page = Page(site.feed, study="s")
        assert (await page.until("delta"))[0]["trials"] == 1
        site.study("s").handle.annotate(text="more")
        await page.until("delta", lambda d: d["seq"] > 1)
        store.close()
        for file in tmp_path.glob("rung.db*"):
            file.unlink()
        for name, data in before.items():
            (tmp_path / name).write_bytes(data)
        await page.until("reset")
        delta, _ = await page.until("delta")
        assert delta["changed"] is None
        with site.study("s").read() as handle:
            assert handle.state.seq == delta["seq"]
            assert not handle.state.notes

    played(test)


def test_a_store_that_vanishes_and_comes_back(
    site: Site, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "AWAY_S", 0.01)
    made = study(store)
    made.tell(made.ask(), 1.0)
    made._handle.store.close()

    async def test() -> None:
        page = Page(site.feed, study="s")
        await page.until("delta")
        hidden = tmp_path / "hidden"
        hidden.mkdir()
        store.close()
        for file in tmp_path.glob("rung.db*"):
            file.rename(hidden / file.name)
        gone, _ = await page.until("gone")
        assert gone["study"] is None
        late = Page(site.feed, study="s")
        assert (await late.until("gone"))[0]["study"] is None
        for file in hidden.iterdir():
            file.rename(tmp_path / file.name)
        for one in (page, late):
            delta, _ = await one.until("delta")
            assert delta["trials"] == 1

    played(test)


def test_a_slow_reader_is_dropped_and_nobody_waits_for_it(
    site: Site, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "MOST_WAITING", 4)
    monkeypatch.setattr(feeds, "DELTA_S", 0.0)
    made = study(store)

    async def test() -> None:
        slow, quick = await Page(site.feed, study="s").here(), Page(site.feed, study="s")
        for count in range(1, 8):
            made.tell(made.ask(), 1.0)
            await quick.until("delta", lambda d, count=count: d["counts"]["complete"] == count)  # type: ignore[misc]
        assert slow.listener.over
        with pytest.raises(StopAsyncIteration):
            await anext(slow.frames)
        assert slow.listener not in site.feed._listeners

    played(test)


def test_under_load_deltas_are_joined(site: Site, store: Store) -> None:
    made = study(store)

    async def test() -> None:
        page = Page(site.feed, study="s")
        await page.until("delta")
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for _ in range(30):
            made.tell(made.ask(), 1.0)
        took = loop.time() - begun
        told = 0
        numbers: set[int] = set()
        complete = 0
        while complete < 30:
            delta, _ = await page.until("delta")
            told, complete = told + 1, delta["counts"]["complete"]
            numbers |= {row["number"] for row in delta["changed"]}
        assert numbers == set(range(30))
        assert told <= took / feeds.DELTA_S + 3

    played(test)


def test_without_listeners_nobody_looks(site: Site, store: Store) -> None:
    study(store)

    async def test() -> None:
        page = Page(site.feed, study="s")
        await page.until("delta")
        thread = site.feed._thread
        assert thread is not None
        await page.leave()
        await asyncio.to_thread(thread.join, LIMIT_S)
        assert not thread.is_alive()
        assert site.feed._thread is None
        again = Page(site.feed, study="s")
        await again.until("delta")

    played(test)


def test_there_is_room_for_so_many(site: Site, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MOST_LISTENERS", 2)
    study(store)

    async def test() -> None:
        pages = [await Page(site.feed).here(), await Page(site.feed).here()]
        with pytest.raises(Busy, match="2 pages listen already"):
            site.feed.check()
        with pytest.raises(StopAsyncIteration):  # who came at the same moment
            await Page(site.feed).here()
        await pages[0].leave()
        await Page(site.feed).here()
        site.feed.close()
        with pytest.raises(Busy, match="about to stop"):
            site.feed.check()

    played(test)


def test_a_log_is_told_as_it_is_written(
    site: Site, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = study(store)
    made.ask()
    folder = tmp_path / "runs" / "s" / "00000" / "1"
    folder.mkdir(parents=True)
    log = folder / STDOUT
    log.write_text("early\n")

    async def test() -> None:
        page = Page(site.feed, study="s", log=0)
        begun, _ = await page.until("log")
        assert (begun["offset"], begun["text"], begun["size"]) == (6, "", 6)
        other = Page(site.feed, study="s", log=0)
        await other.until("log")
        with log.open("a") as file:
            file.write("now ü\n")
        for one in (page, other):
            window, _ = await one.until("log")
            assert (window["offset"], window["text"]) == (6, "now ü\n")
        await Page(site.feed, study="s", log=77).until("delta")

    played(test)


def test_what_was_touched_is_known_for_the_last_trials_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sites, "REMEMBERED", 3)

    def event(trial: int) -> ev.AnyEvent:
        return ev.TrialStopRequested(at=0.0, who="test", trial=trial)

    touched = Touched(10)
    touched.note([event(0), ev.PauseRequested(at=0.0, who="test"), event(1)], 13)
    assert touched.since(10, 5) == [0, 1]
    assert touched.since(11, 5) == [1]
    assert touched.since(13, 5) == []
    assert touched.since(9, 5) is None
    assert touched.since(10, 1) is None
    touched.note([event(0), event(2), event(3)], 16)
    assert touched.since(13, 5) == [0, 2, 3]
    assert touched.since(10, 5) is None  # trial 1 was dropped, and changed after 10


def test_studies_that_nobody_looks_at_are_let_go(site: Site, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sites, "MOST_STUDIES", 2)
    for name in "abcd":
        study(store, name)

    async def test() -> None:
        page = Page(site.feed, study="a")
        await page.until("delta")
        for name in "bcd":
            site.study(name)
        assert site.opened("a"), "somebody listens to it"
        assert site.opened("d")
        assert not site.opened("b")
        assert site.study("b").name == "b"

    played(test)
