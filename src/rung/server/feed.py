"""What happens in the store, told to the pages that listen.

One thread follows the store while anybody listens: a cheap hint (`Store.changed`) twenty times a second, so that it
works across processes and file systems, and costs a runner nothing. What is new is folded once, encoded once, and the
same bytes go to all who want them; under load deltas are joined, at most ten a second for each study. A reader that is
too slow is dropped, and never waited for.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from rung.model import LogError, RungError, UnknownStudy
from rung.server.deltas import Delta, Gone, Reset, StudiesChanged, delta
from rung.server.listeners import Busy, Listener, frame
from rung.server.tails import Tails

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rung.server.site import Site, Watched

TICK_S = 0.05
DELTA_S = 0.1
STUDIES_S = 1.0
STATUS_S = 1.0  # how often a study is looked at whose log stands still: its runner may be gone
AWAY_S = 1.0  # a store that cannot be read is tried again after so long
MOST_LISTENERS = 224  # fewer than there may be connections: whoever listens leaves room for those who act


log = logging.getLogger("rung.server")


class Channel:
    """A study that somebody listens to. Belongs to the feed's thread."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.listeners: set[Listener] = set()
        self.coming: list[Listener] = []  # who is to be told first how things stand
        self.opening: Future[Watched] | None = None
        self.uid = ""
        self.seq: int | None = None  # all listeners know it up to here
        self.status = ""
        self.gone = ""
        self.dirty = True
        self.sent_at = self.looked_at = -1e9


class Feed:
    """See above. `join`, `leave` and `close` may be called from any thread that runs an event loop."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._listeners: set[Listener] = set()
        self._joining: list[Listener] = []
        self._leaving: list[Listener] = []
        self._closed = False
        # The rest belongs to the feed's thread.
        self._channels: dict[str, Channel] = {}
        self._tails = Tails(site)
        self._rows: dict[str, tuple[float, int]] | None = None
        self._news: dict[str, str] = {}  # study -> created, deleted, changed: what `studies` events are to tell
        self._news_at = -1e9
        self._away = ""
        self._due: list[tuple[Listener, bytes]] = []

    # ------------------------------------------------------------------------------------------------- for routes

    def check(self) -> None:
        """Raises `Busy` where nobody more can join."""
        if self._closed:
            raise Busy("the server is about to stop")
        if len(self._listeners) >= MOST_LISTENERS:
            raise Busy(f"{MOST_LISTENERS} pages listen already; close some of them")

    def join(self, listener: Listener) -> None:
        """It is told how things stand, and then of every change. Raises `Busy`."""
        with self._lock:
            self.check()
            self._listeners.add(listener)
            self._joining.append(listener)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="rung-feed", daemon=True)
                self._thread.start()
        self._wake.set()

    def leave(self, listener: Listener) -> None:
        """It is told nothing any more."""
        with self._lock:
            self._listeners.discard(listener)
            self._leaving.append(listener)
        self._wake.set()

    def followed(self) -> set[str]:
        """The studies that somebody listens to."""
        with self._lock:
            return {listener.study for listener in self._listeners if listener.study is not None}

    def close(self) -> None:
        """All streams end, and no new ones begin: the server stops."""
        with self._lock:
            self._closed = True
            listeners, thread = list(self._listeners), self._thread
        for listener in listeners:
            _soon(listener, listener.end)
        self._wake.set()
        if thread is not None:
            thread.join(5.0)

    # -------------------------------------------------------------------------------------------------- the thread

    def _run(self) -> None:
        with ThreadPoolExecutor(2, thread_name_prefix="rung-open") as pool:
            while self._goes_on():
                try:
                    self._turn(pool)
                except RungError as error:  # the store is gone, or busy for long: it may come back
                    self._is_away(str(error))
                except Exception:  # no page is to wait for ever because of one mistake of ours
                    log.exception("the feed failed, and goes on")
                    self._is_away("the server could not read the store; its own log says why")
                self._deliver()
                self._wake.wait(AWAY_S if self._away else TICK_S)
                self._wake.clear()

    def _goes_on(self) -> bool:
        """Whether anybody listens; who came and who went is known."""
        with self._lock:
            joining, self._joining = self._joining, []
            leaving, self._leaving = self._leaving, []
            if not self._listeners or self._closed:
                self._channels, self._tails, self._rows = {}, Tails(self.site), None
                self._thread = None
                return False
        for listener in joining:
            self._arrives(listener)
        for listener in leaving:
            self._departs(listener)
        return True

    def _arrives(self, listener: Listener) -> None:
        if self._away:
            self._due.append((listener, frame("gone", Gone(study=None, why=self._away))))
        if listener.study is not None:
            channel = self._channels.setdefault(listener.study, Channel(listener.study))
            channel.coming.append(listener)
            channel.dirty = True

    def _departs(self, listener: Listener) -> None:
        channel = self._channels.get(listener.study or "")
        self._tails.leave(listener)
        if channel is not None:
            channel.listeners.discard(listener)
            channel.coming = [other for other in channel.coming if other is not listener]
            if not channel.listeners and not channel.coming:
                del self._channels[channel.name]

    def _turn(self, pool: ThreadPoolExecutor) -> None:
        now = time.monotonic()
        if self.site.store.changed() or self._rows is None or self._away:
            self._look()
        for channel in list(self._channels.values()):
            self._look_at(channel, now, pool)
        if self._news and now - self._news_at >= STUDIES_S:
            self._tell_studies(now)
        self._due += self._tails.look(now)

    def _look(self) -> None:
        """Which studies there are, and which of them went on."""
        rows = {row.name: (row.created, row.seq) for row in self.site.store.studies()}
        before, self._rows = self._rows, rows
        if self._away:
            self._away = ""
            self._tell_all(frame("studies", StudiesChanged(created=[], deleted=[], changed=[], of=len(rows))))
            for channel in self._channels.values():
                channel.dirty = True
        if before is None:
            return
        for name in before.keys() - rows.keys():
            self._news[name] = "deleted"
            self.site.forget(name)
            self._mark(name)
        for name, row in rows.items():
            if before.get(name) != row:
                self._news[name] = "changed" if name in before else "created"
                self._mark(name)

    def _mark(self, name: str) -> None:
        if name in self._channels:
            self._channels[name].dirty = True
            self._tails.stale(name)

    def _tell_studies(self, now: float) -> None:
        news, self._news, self._news_at = self._news, {}, now
        found = {
            kind: sorted(name for name, what in news.items() if what == kind)
            for kind in ("created", "deleted", "changed")
        }
        self._tell_all(frame("studies", StudiesChanged(**found, of=len(self._rows or ()))))

    def _tell_all(self, data: bytes) -> None:
        with self._lock:
            self._due += [(listener, data) for listener in self._listeners]

    # ---------------------------------------------------------------------------------------------------- one study

    def _look_at(self, channel: Channel, now: float, pool: ThreadPoolExecutor) -> None:
        """Its listeners know how it stands, as far as it is time to tell them."""
        if not channel.dirty and now - channel.looked_at < STATUS_S:
            return
        if channel.dirty and not channel.coming and now - channel.sent_at < DELTA_S:
            return
        try:
            watched = self._opened(channel, pool)
            if watched is None:
                return
            channel.looked_at = now
            self._tell(channel, watched, now)
        except (UnknownStudy, LogError) as error:
            self._is_gone(channel, error)

    def _opened(self, channel: Channel, pool: ThreadPoolExecutor) -> Watched | None:
        """The study; None while it is being opened, which may take long, and nobody else waits for it here."""
        if channel.opening is None and self.site.opened(channel.name):
            return self.site.study(channel.name)
        if channel.opening is None:
            channel.opening = pool.submit(self.site.study, channel.name)
            channel.opening.add_done_callback(lambda _: self._wake.set())
        if not channel.opening.done():
            return None
        opening, channel.opening = channel.opening, None
        return opening.result()

    def _tell(self, channel: Channel, watched: Watched, now: float) -> None:
        with watched.read() as handle:
            uid = handle.state.created.uid
            # The same study with less in its log: the store was put back as it once was.
            same = uid == channel.uid and (channel.seq is None or channel.seq <= handle.state.seq)
            known = channel.seq if same else None
            if not same and channel.listeners:
                self._tell_channel(channel, frame("reset", Reset(study=channel.name)))
            news = None
            if channel.dirty or handle.state.seq != known or handle.status() != channel.status:
                news = delta(watched, handle, since=known)
            arrived = [(listener, self._greeting(listener, watched, uid)) for listener in channel.coming]
        channel.dirty, channel.gone, channel.uid = False, "", uid
        if news is not None:
            channel.seq, channel.status = news.seq, news.state
            if channel.listeners:
                channel.sent_at = now
                self._tell_channel(channel, _framed(news, uid))
        for listener, data in arrived:
            channel.listeners.add(listener)
            self._due.append((listener, data))
            if listener.log is not None:
                self._due += self._tails.join(listener)
        channel.coming = []

    def _greeting(self, listener: Listener, watched: Watched, uid: str) -> bytes:
        """What it missed, and how things stand now."""
        seq, _, known_uid = (listener.last or "").partition("-")
        since = int(seq) if seq.isdecimal() and len(seq) < 18 else None
        state = watched.handle.state
        if since is not None and (since > state.seq or known_uid not in {"", uid}):
            since = None
        news = delta(watched, watched.handle, since=since)
        lost = listener.last is not None and news.changed is None
        return (frame("reset", Reset(study=watched.name)) if lost else b"") + _framed(news, uid)

    def _is_gone(self, channel: Channel, error: RungError) -> None:
        """Its listeners know that there is no such study; they stay, since it may be made (again)."""
        self.site.forget(channel.name)
        told = frame("gone", Gone(study=channel.name, why=str(error)))
        if not channel.gone:
            self._tell_channel(channel, told)
        self._due += [(listener, told) for listener in channel.coming]
        channel.listeners.update(channel.coming)
        channel.coming, channel.dirty, channel.gone = [], False, str(error)
        channel.looked_at, channel.uid, channel.seq = time.monotonic(), "?", None

    def _is_away(self, why: str) -> None:
        if not self._away:
            self._tell_all(frame("gone", Gone(study=None, why=why)))
        self._away = why
        self._rows = self._rows or {}

    def _tell_channel(self, channel: Channel, data: bytes) -> None:
        self._due += [(listener, data) for listener in channel.listeners]

    # ----------------------------------------------------------------------------------------------------- delivery

    def _deliver(self) -> None:
        """What is due stands in the queues of those it is for: one hand-over to each event loop."""
        due, self._due = self._due, []
        for loop in {listener.loop for listener, _ in due}:
            some = [(listener, data) for listener, data in due if listener.loop is loop]
            _soon(some[0][0], lambda some=some: _put(some))


def _framed(news: Delta, uid: str) -> bytes:
    return frame("delta", news, id=f"{news.seq}-{uid}")


def _put(due: Iterable[tuple[Listener, bytes]]) -> None:
    for listener, data in due:
        listener.put(data)


def _soon(listener: Listener, what: object) -> None:
    """`what` is called in the listener's event loop; not at all where that is closed: nobody is there any more."""
    try:
        listener.loop.call_soon_threadsafe(what)  # type: ignore[arg-type]
    except RuntimeError:
        listener.over = True
