"""The project folder, the form "New study", and starting what it describes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
from litestar import get, post
from litestar.datastructures import State as Shared

from rung.api import previews
from rung.api.forms import Form, form
from rung.api.formtargets import Target
from rung.api.previews import Preview
from rung.api.projects import Project, project
from rung.api.submissions import Submission
from rung.model import BadInput
from rung.server.routes.actions import Asked, surface_of
from rung.server.site import Site

KEPT = 1_000  # starts that are remembered, so that one that is asked for again is not done again
LONGEST_KEY = 100


class Start(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A study to start. `key` is any text of the asker's: what is asked for twice with one key is started once. `seen`
    is the `digest` of the preview that was looked at; without it, whatever the file says by now is started."""

    study: Submission
    key: str = ""
    seen: str = ""


class StudyStarted(msgspec.Struct, frozen=True, kw_only=True):
    """The study that was started, now or when it was first asked for with this key."""

    study: str


@get("/api/project", sync_to_thread=True)
def list_project(state: Shared) -> Project:
    """The study files and scripts of the folder that the server was started in."""
    site: Site = state.site
    return project(site.project, besides=[site.places.runs])


@get("/api/project/form", sync_to_thread=True)
def show_form(state: Shared, file: str, step: str | None = None, task: str | None = None) -> Form:
    """The form of one of them."""
    site: Site = state.site
    return form(site.project, Target(file=file, step=step, task=task))


@post("/api/project/preview", status_code=200, sync_to_thread=True)
def preview(state: Shared, data: Submission) -> Preview:
    """What a study would do, as `rung plan` says it. Nothing is started, nothing is kept."""
    site: Site = state.site
    return previews.preview(site.project, data, taken=previews.names_in(site.store))


@post("/api/project/start", status_code=200, sync_to_thread=True)
def start(state: Shared, data: Start, request: Asked) -> StudyStarted:
    """The study exists, and a runner of its own works on it, whatever becomes of this server."""
    site: Site = state.site
    if len(data.key) > LONGEST_KEY:
        raise BadInput(f"expected at most {LONGEST_KEY} characters, got {len(data.key)}", key="key")

    def begin() -> str:
        return previews.start(
            site.project, data.study, store=site.store, runs=site.places.runs, surface=surface_of(request),
            seen=data.seen,
        ).name  # fmt: skip

    return StudyStarted(study=_begun(site).once(data.key, data.study, begin))


class _Begun:
    """What was started lately, by the key that it was asked for with."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[Submission, Future[str]]] = OrderedDict()

    def once(self, key: str, asked: Submission, begin: Any) -> str:
        """The name of the study; who asks again with the same key gets the same. A start that failed may be tried
        again."""
        if not key:
            return str(begin())
        with self._lock:
            found = self._kept.get(key)
            mine = found is None
            if found is None:
                found = self._kept[key] = (asked, Future())
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        if found[0] != asked:
            raise BadInput("was used for another study; take another one", key="key")
        if mine:
            try:
                found[1].set_result(begin())
            except BaseException as error:  # noqa: BLE001 - whatever it is, who waits for it must be told
                with self._lock:
                    self._kept.pop(key, None)
                found[1].set_exception(error)
        return found[1].result()


_begun_by_site: WeakKeyDictionary[Site, _Begun] = WeakKeyDictionary()
_lock = threading.Lock()


def _begun(site: Site) -> _Begun:
    with _lock:
        return _begun_by_site.setdefault(site, _Begun())


HANDLERS: tuple[Any, ...] = (list_project, show_form, preview, start)
