"""One mirror, and the thread that keeps it in step with the log."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import threading
import time
from typing import TYPE_CHECKING

from rung.analysis.estimates import winners
from rung.api.handle import Handle
from rung.execute.shares import lock_whole
from rung.mirrors.address import kind_of, shown
from rung.mirrors.base import Record, Refused, Subject, key_of
from rung.model import BadInput
from rung.plugins import find, open_store
from rung.study import events as ev
from rung.study.transitions import FINAL

if TYPE_CHECKING:
    from pathlib import Path

    from rung.mirrors.base import Mirror
    from rung.runner.loop import Say
    from rung.store.base import Store
    from rung.study.state import State

PATIENCE_S = 3.0  # after which it is said that the end waits
STUCK_S = 10.0  # so long the end waits for a mirror that does not get on
AWAY_S = 2.0  # and for one that is away
RETRY_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)  # between attempts to reach a tool that is away
FOLLOW_S = 0.5  # how often a runner that does not keep the mirror looks whether it should
SAID_AFTER = 2  # failures in a row: the first may be another process that was making the same tables

LONGEST_LINE = 240  # characters of an error

CHANGES_OF_A_TRIAL = (ev.TrialCompleted, ev.TrialTold, ev.TrialRetried)
CHANGES = (*CHANGES_OF_A_TRIAL, ev.StudyCompleted)


def make(address: str) -> Mirror:
    """The mirror at an address, not connected. Raises `BadInput`."""
    kind = kind_of(address)
    try:
        kept: Mirror = find("mirror", kind)(address)
    except BadInput as error:
        place = f"--mirror {shown(address)}"
        raise error if error.place else BadInput(error.message, place=place) from None
    return kept


def subject(name: str | None, created: ev.StudyCreated) -> Subject:
    """The study as mirrors know it."""
    spec = created.spec
    return Subject(name=name, uid=created.uid, objectives=spec.objectives, outcomes=spec.outcomes)


def line(error: BaseException) -> str:
    """What an error says, on one line of bearable length, without a password or a statement in SQL."""
    text = re.split(r"\s*(?:\[SQL: |\(Background on this error)", str(error))[0]
    text = shown(" ".join(text.split()))
    return (text if len(text) <= LONGEST_LINE else f"{text[: LONGEST_LINE - 1]}…") or type(error).__name__


class Follower:
    """One mirror, and the thread that keeps it in step with the log."""

    def __init__(self, handle: Handle, address: str, *, folder: Path, say: Say) -> None:
        self.shown, self._address, self._say = shown(address), address, say
        self._study_name, self._store = handle.name, handle.store
        self._own_store: Store | None = None
        self._lock_path = folder / f".mirror-{hashlib.sha256(address.encode()).hexdigest()[:12]}.lock"
        self._lock: int | None = None
        self._study: Handle | None = None  # folded by the thread alone
        self._mirror: Mirror | None = None  # joined, unless None
        self._held: set[str] = set()  # keys of the records that the other tool holds
        self._refused: set[str] = set()
        self._pending: set[int] = set()  # trials that it may lack
        self._marked = False
        self._failures, self._trouble = 0, ""
        self._ending = self._left = False
        self.hint = threading.Event()
        self.tried, self.over = threading.Event(), threading.Event()
        self.failed: BadInput | None = None
        self.looked_at = 0  # trials, so that whoever waits sees that it gets on
        self._thread = threading.Thread(target=self._run, name="rung-mirror", daemon=True)

    # --------------------------------------------------------------------------------------------- for the runner

    def start(self) -> None:
        """The thread runs. Raises `BadInput` for an address that cannot be one."""
        make(self._address).close()
        if not self._store.url.startswith("memory:"):
            self._own_store = self._store = open_store(
                self._store.url
            )  # a connection that the runner does not wait for
        self._thread.start()

    def end(self) -> None:
        """The thread ends once the mirror holds what the log does now."""
        self._ending = True
        self.hint.set()

    def wait(self, limit: float) -> None:
        """The thread has ended, or took longer than `limit` seconds, or does not get on."""
        begun = moved_at = time.monotonic()
        seen, told = self.looked_at, False
        while not self.over.wait(0.05):
            now = time.monotonic()
            if self.looked_at != seen:
                seen, moved_at = self.looked_at, now
            if now - begun > limit or now - moved_at > (AWAY_S if self._trouble else STUCK_S):
                return
            if now - begun > PATIENCE_S and not told:
                told = True
                self._say(f"mirror {self.shown}: it is brought up to date (Ctrl-C leaves that to the next time)")

    def leave(self, *, quietly: bool) -> None:
        """The thread is not waited for; what it has not done has been said."""
        self._left = True
        self.hint.set()
        missing = len(self._pending)
        if quietly or self.failed is not None or (self.over.is_set() and not missing):
            return
        what = f"{missing} trial{'s' * (missing != 1)} not mirrored yet" if missing else "it is not known to be in step"
        why = f" ({self._trouble})" if self._trouble else ""
        self._say(f"mirror {self.shown}: {what}{why}; rung resume {self._study_name} catches up")

    # ------------------------------------------------------------------------------------------------ the thread

    def _run(self) -> None:
        try:
            while not self._left and not self._step():
                pass
        finally:
            self._drop()
            if self._lock is not None:
                os.close(self._lock)
            if self._own_store is not None:
                self._own_store.close()
            self.tried.set()
            self.over.set()

    def _step(self) -> bool:
        """One look at the log, and a rest. True: there is nothing left to do."""
        ending = self._ending  # asked first: what was logged before is seen below
        self.hint.clear()
        try:
            keeps = self._turn()
        except BadInput as error:
            self.failed = error
            if self.tried.is_set():
                self._say(f"mirror {self.shown}: {error.message}; it is not kept in step any more")
            return True
        except Exception as error:  # noqa: BLE001 - drivers of other tools raise what they like
            self._away(error)
            self.hint.wait(RETRY_S[0] if self._ending else RETRY_S[min(self._failures, len(RETRY_S)) - 1])
            return False
        self._is_well()
        if ending and (keeps or self._state.switches.completed is None):
            return True
        if not self._ending:
            self.hint.wait(None if keeps else FOLLOW_S)
        elif not keeps:
            self.over.wait(0.05)  # the runner that keeps it is about to end too
        return False

    def _turn(self) -> bool:
        """The mirror is in step with the log as it is now; False: that is another runner's to do."""
        self._follow()
        if self._lock is None:  # it is the system's, so it is free when its holder is gone, however that went
            self._lock_path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = lock_whole(self._lock_path)
        if self._lock is None:
            return False
        mirror = self._mirror or self._joined()
        for number in sorted(self._pending):
            if self._left:
                return True
            self._add(mirror, number)
            self._pending.discard(number)
            self.looked_at += 1
        if not self._marked:
            mirror.mark([number for number, _ in winners(self._state)])
            self._marked = True
        return True

    @property
    def _state(self) -> State:
        assert self._study is not None
        return self._study.state

    def _follow(self) -> None:
        """What is new in the log is known."""
        if self._study is None:
            self._study = Handle(self._store, self._study_name)
            self._pending = set(range(len(self._state)))
        for event in self._study.refresh():
            if isinstance(event, CHANGES):
                self._marked = False
            if isinstance(event, CHANGES_OF_A_TRIAL):
                self._pending.add(event.trial)
        self._pending = {number for number in self._pending if self._state.phase(number) in FINAL}

    def _joined(self) -> Mirror:
        """Connected, and it is known what the other tool holds: so again whenever that may have changed unseen."""
        mirror = make(self._address)
        try:
            self._held = set(mirror.join(subject(self._study_name, self._state.created)))
        except BaseException:
            _close(mirror)
            raise
        self._mirror, self._marked = mirror, False
        self._pending = {number for number in range(len(self._state)) if self._state.phase(number) in FINAL}
        return mirror

    def _add(self, mirror: Mirror, number: int) -> None:
        assert self._study is not None
        key = key_of(self._state.trial(number))
        if key in self._held or key in self._refused:
            return
        try:
            mirror.add(record(self._study, number))
        except Refused as error:
            self._refused.add(key)
            self._say(f"mirror {self.shown}: it does not take {line(error)}")
        else:
            self._held.add(key)

    def _away(self, error: Exception) -> None:
        self._drop()
        self._failures += 1
        self._trouble = line(error)
        if self._failures == SAID_AFTER:
            self._say(f"mirror {self.shown}: {self._trouble}; it is tried again, and nothing is lost meanwhile")
            self.tried.set()

    def _is_well(self) -> None:
        if self._failures >= SAID_AFTER:
            self._say(f"mirror {self.shown}: it is in step again")
        self._failures, self._trouble = 0, ""
        self.tried.set()

    def _drop(self) -> None:
        """What was known of the other tool is not relied on any more."""
        mirror, self._mirror = self._mirror, None
        if mirror is not None:
            _close(mirror)


def _close(mirror: Mirror) -> None:
    with contextlib.suppress(Exception):  # it may be the connection that is broken
        mirror.close()


def record(study: Handle, number: int) -> Record:
    """A trial that is over, as mirrors are told of it."""
    state = study.state
    trial = state.trial(number)
    spec, space = state.spec, state.spaces.versions[int(state.table["space"][number]) - 1]
    values = tuple(float(value) for value in state.table["values"][number, : len(spec.objectives)])
    return Record(
        trial=trial,
        parameters=space.parameters,
        values=None if trial.state == "failed" else values,
        violations=tuple(outcome.violation(trial.values.get(outcome.metric)) for outcome in spec.outcomes),
        reports=tuple(study.reports(number)),
    )
