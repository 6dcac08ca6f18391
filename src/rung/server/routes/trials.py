"""One trial: everything about it, its curves, its log, its checkpoints."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Iterator
from typing import Annotated, Any, Literal

from litestar import get
from litestar.datastructures import State as Shared
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from rung.analysis.stories import Deed, story
from rung.api.artifacts import NoArtifact, download_of, named_by, safe_name
from rung.api.handle import Handle
from rung.api.trialcurves import MOST_MARKS, USUAL_MARKS, TrialCurve, trial_curve
from rung.api.trialdetail import CheckpointRecord, TrialDetail, checkpoints_of, trial_detail
from rung.api.triallogs import LONGEST_SEARCH, MOST_BYTES, USUAL_BYTES, LogWindow, log_of
from rung.model import UnknownStudy
from rung.server.chunks import Held, sent
from rung.server.errors import Refusal
from rung.server.security import Refuse
from rung.server.site import Site

PATH = "/api/studies/{study:str}/trials/{number:int}"
MISSING = {404: ResponseSpec(Refusal, generate_examples=False, description="There is no such study, trial or file.")}
FARTHEST = 2**53  # an offset that JavaScript can still count to

Offset = Annotated[
    int,
    Parameter(ge=-FARTHEST, le=FARTHEST, description="A byte of the log; negative: from its end."),
]
Limit = Annotated[int, Parameter(ge=1, le=MOST_BYTES, description="At most so many bytes.")]
Search = Annotated[
    str | None,
    Parameter(max_length=LONGEST_SEARCH, description="Where this stands, instead of the text itself."),
]
Attempt = Annotated[int | None, Parameter(ge=1, le=FARTHEST, description="[the last]")]
StreamName = Literal["stdout", "stderr"]
Marks = Annotated[int, Parameter(ge=2, le=MOST_MARKS, description="At most so many values, all metrics together.")]


@contextlib.contextmanager
def _trial(state: Shared, study: str, number: int) -> Iterator[Handle]:
    """The study of a trial that there is; nobody else changes it meanwhile."""
    site: Site = state.site
    with site.study(study).read() as handle:
        if not 0 <= number < len(handle.state):
            have = f"0 to {len(handle.state) - 1}" if len(handle.state) else "none yet"
            raise Refuse(404, f"study {study} has no trial {number} (it has {have})")
        yield handle


@get(PATH, sync_to_thread=True, responses=MISSING)
def show_trial(state: Shared, study: str, number: int) -> TrialDetail:
    """Everything that is known of one trial."""
    with _trial(state, study, number) as handle:
        return trial_detail(handle, number, clock=time.time())


@get(PATH + "/curve", sync_to_thread=True, responses=MISSING)
def show_curve(state: Shared, study: str, number: int, marks: Marks = USUAL_MARKS) -> TrialCurve:
    """All metrics of the trial over steps and time, and the rungs that it met."""
    with _trial(state, study, number) as handle:
        return trial_curve(handle, number, marks=marks)


@get(PATH + "/decisions", sync_to_thread=True, responses=MISSING)
def show_decisions(state: Shared, study: str, number: int) -> list[Deed]:
    """What was decided on the trial, and what happened in between; as `rung why STUDY TRIAL --json`."""
    with _trial(state, study, number) as handle:
        return list(story(handle.story(number), begun=handle.state.created.at, whole=False))


@get(PATH + "/checkpoints", sync_to_thread=True, responses=MISSING)
def show_checkpoints(state: Shared, study: str, number: int) -> list[CheckpointRecord]:
    """The checkpoints that the trial ever saved, with the ids of those that can be downloaded."""
    with _trial(state, study, number) as handle:
        return checkpoints_of(handle, number, (event for _, event in handle.story(number)))


@get(PATH + "/log", sync_to_thread=True, responses=MISSING)
def show_log(
    state: Shared,
    study: str,
    number: int,
    attempt: Attempt = None,
    stream: StreamName = "stdout",
    offset: Offset = 0,
    limit: Limit = USUAL_BYTES,
    search: Search = None,
) -> LogWindow:
    """A part of what an attempt wrote, or where a text stands in it."""
    with _trial(state, study, number) as handle:
        log = log_of(handle, number, attempt, stream)
    return log.search(search, offset) if search else log.window(offset, limit)


@get(
    PATH + "/output",
    sync_to_thread=True,
    media_type="application/octet-stream",
    responses=MISSING | {200: ResponseSpec(
        data_container=bytes, media_type="application/octet-stream", generate_examples=False,
        description="The bytes, as many as there are now.",
    )},
)  # fmt: skip
def download_output(
    state: Shared, study: str, number: int, attempt: Attempt = None, stream: StreamName = "stdout"
) -> Held:
    """All that an attempt wrote, byte for byte, as a file to be saved; as `rung logs` prints it."""
    with _trial(state, study, number) as handle:
        log = log_of(handle, number, attempt, stream)
    whole = log.whole()
    if whole is None:
        raise Refuse(404, log.absent())
    return _saved(f"{study}-trial-{number}-{stream}.log", *whole)


def _saved(name: str, size: int, chunks: Generator[bytes]) -> Held:
    """A file that a browser saves, and never shows."""
    headers = {"Content-Disposition": f'attachment; filename="{safe_name(name)}"', "Content-Length": str(size)}
    return Held(sent(chunks), media_type="application/octet-stream", headers=headers)


@get(
    "/api/artifacts/{identity:str}",
    sync_to_thread=True,
    media_type="application/octet-stream",
    responses=MISSING,
)
def download_artifact(state: Shared, identity: str) -> Held:
    """A checkpoint as a file to be saved: the file itself where it is one, else a tar archive."""
    site: Site = state.site
    try:
        named = named_by(identity)
        with site.study(named.study).read() as handle:
            found = download_of(handle, named)
    except (NoArtifact, UnknownStudy) as error:
        raise Refuse(404, error.message) from None
    return _saved(found.name, found.size, found.chunks)


HANDLERS: tuple[Any, ...] = (
    show_trial, show_curve, show_decisions, show_checkpoints, show_log, download_output, download_artifact,
)  # fmt: skip
