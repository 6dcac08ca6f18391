"""The studies of a store: the list, one of them whole, and its end."""

from __future__ import annotations

import threading
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
from litestar import delete, get
from litestar.datastructures import State as Shared

from rung.api.describing import (
    StudySummary,
    summary,
)
from rung.api.handle import Handle
from rung.api.removal import check_removable, remove
from rung.api.studydetail import StudyDetail, detail
from rung.model import UnknownStudy
from rung.server.site import Site
from rung.store.base import StudyRow
from rung.store.errors import StoreMissing


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """What is gone."""

    name: str
    trials: int
    folder: str | None


class Summaries:
    """The summaries of a store's studies, each made anew only when its log has grown."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[float, int], StudySummary]] = {}
        self._lock = threading.Lock()

    def all(self, site: Site) -> list[StudySummary]:
        """Those of all studies, the newest first."""
        try:
            rows = site.store.studies()
        except StoreMissing:  # it is made with the first study
            return []
        with self._lock:
            found = [made for row in reversed(rows) if (made := self._one(site, row)) is not None]
            self._known = {study.name: self._known[study.name] for study in found}
        return found

    def _one(self, site: Site, row: StudyRow) -> StudySummary | None:
        """None for a study that is gone since it was listed."""
        known = self._known.get(row.name)
        at = (row.created, row.seq)
        if known is None or known[0] != at:
            try:
                made = self._made(site, row.name)
            except UnknownStudy:
                return None
        elif known[1].state in {"complete", "failed"}:
            return known[1]
        else:
            made = _standing(site, known[1])
        self._known[row.name] = (at, made)
        return made

    def _made(self, site: Site, name: str) -> StudySummary:
        """One that is over is opened once and not kept: there may be thousands of them."""
        known = self._known.get(name)
        if known is not None and known[1].state not in {"complete", "failed"}:
            with site.study(name).read() as study:
                return summary(study)
        return summary(Handle(site.store, name))


def _standing(site: Site, known: StudySummary) -> StudySummary:
    """The same study: whether a runner is still attached is not in its log when the runner has died."""
    with site.study(known.name).read() as study:
        return known if study.status() == known.state else summary(study)


_summaries: WeakKeyDictionary[Site, Summaries] = WeakKeyDictionary()
_lock = threading.Lock()


@get("/api/studies", sync_to_thread=True)
def list_studies(state: Shared) -> list[StudySummary]:
    """All studies, the newest first."""
    site: Site = state.site
    with _lock:
        summaries = _summaries.setdefault(site, Summaries())
    return summaries.all(site)


@get("/api/studies/{study:str}", sync_to_thread=True)
def show_study(study: str, state: Shared, full: bool = False) -> StudyDetail:
    """One study. `full`: with the diff of the working tree that it began in, and the packages that were installed."""
    site: Site = state.site
    with site.study(study).read() as handle:
        return detail(handle, full=full)


@delete("/api/studies/{study:str}", status_code=200, sync_to_thread=True)
def remove_study(study: str, state: Shared) -> Removed:
    """The study and the folder of its trials are gone. One that is running is refused."""
    site: Site = state.site
    with site.study(study).read() as handle:
        check_removable(handle, remedy="stop it first")
        trials, folder = len(handle.state), remove(handle)
    site.forget(study)
    return Removed(name=study, trials=trials, folder=None if folder is None else str(folder))


HANDLERS: tuple[Any, ...] = (list_studies, show_study, remove_study)
