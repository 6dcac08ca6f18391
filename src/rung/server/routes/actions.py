"""What people ask of a study and its trials: each is an event in its log, with who and from where."""

from __future__ import annotations

import ipaddress
import shlex
from typing import Any, Union

import msgspec
from litestar import Request, post
from litestar.datastructures import State as Shared

from rung.analysis.wording import assigned, shown
from rung.api import runners
from rung.api.edits import Preview, edited, preview
from rung.api.handle import Handle
from rung.model import FINAL_STATES, BadInput, StudySpec, StudyState, WireNumber, from_wire
from rung.plugins import plugin_files
from rung.server.site import Site

Asked = Request[Any, Any, Any]
RUN_KEYS = ("workers", "gpus", "cpus", "timeout_s", "grace_s", "retries", "price")  # what the page may change of `run`
MOST = 1_000  # trials, tags, settings of one request


class _Action(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="action"):
    """Something that somebody wants."""


class Pause(_Action, frozen=True, kw_only=True, tag="pause"):
    """No new trials start until `unpause`."""


class Unpause(_Action, frozen=True, kw_only=True, tag="unpause"):
    """New trials start again."""


class Stop(_Action, frozen=True, kw_only=True, tag="stop"):
    """The study ends after its running trials, or `now`."""

    now: bool = False


class Resume(_Action, frozen=True, kw_only=True, tag="resume"):
    """A runner works on the study, in a process of its own on the server's machine. `workers`: how many trials it runs
    at once, whatever the study's number is changed to; null: as many as the study says."""

    workers: int | None = None


class Retry(_Action, frozen=True, kw_only=True, tag="retry"):
    """These trials run again, each as another attempt; without any, all that failed."""

    trials: tuple[int, ...] = ()


class StopTrial(_Action, frozen=True, kw_only=True, tag="stop_trial"):
    """The trial ends."""

    trial: int


class PauseTrial(_Action, frozen=True, kw_only=True, tag="pause_trial"):
    """The trial is held until `unpause_trial`."""

    trial: int


class UnpauseTrial(_Action, frozen=True, kw_only=True, tag="unpause_trial"):
    """The trial goes on."""

    trial: int


class Enqueue(_Action, frozen=True, kw_only=True, tag="enqueue"):
    """This configuration runs next; what it leaves open takes its default or middle."""

    params: dict[str, Any]


class Tell(_Action, frozen=True, kw_only=True, tag="tell"):
    """The trial has these values, whatever it reported."""

    trial: int
    values: dict[str, WireNumber]


class Edit(_Action, frozen=True, kw_only=True, tag="edit"):
    """Budget, space and how trials are run become these: pairs of a dotted path and the text of a value, as
    `rung edit --set` takes them. `dry`: only say what that would do."""

    settings: tuple[tuple[str, str], ...]
    dry: bool = False


class Annotate(_Action, frozen=True, kw_only=True, tag="note"):
    """What is kept beside the trial, or (null) the study, is changed as far as it is given."""

    trial: int | None = None
    note: str | None = None
    tag: tuple[str, ...] = ()
    untag: tuple[str, ...] = ()
    archived: bool | None = None


Action = Union[  # noqa: UP007 - Litestar resolves it at run time on Python 3.10 too
    Pause, Unpause, Stop, Resume, Retry, StopTrial, PauseTrial, UnpauseTrial, Enqueue, Tell, Edit, Annotate
]


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """One field of the spec that differs, both values as text."""

    path: str
    old: str
    new: str


class Acted(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for, in a sentence; the study does it as soon as a runner sees it.

    `advice`: what else is to be done, where no runner is attached that would obey; `resume`: the command that attaches
    one. `state` and `seq`: where the study stood then. Of an edit: what differs, what the linter says of the edited
    space, how many trials the search goes on without, how many configurations that waited will not run.
    """

    did: str
    state: StudyState
    seq: int
    advice: str | None = None
    resume: str | None = None
    changes: list[Changed] = []
    findings: list[str] = []
    left_out: int = 0
    dropped: int = 0


@post("/api/studies/{study:str}/actions", status_code=200, sync_to_thread=True)
def act(study: str, data: Action, request: Asked, state: Shared) -> Acted:
    """The request is in the study's log."""
    site: Site = state.site
    surface = surface_of(request)
    if isinstance(data, Resume):
        return _resume(Handle(site.store, study), data)
    with site.study(study).read() as handle:
        if isinstance(data, Edit):
            return _edit(handle, data, surface)
        needs_runner = not isinstance(data, Annotate)  # a note is kept as soon as it is in the log
        return _acted(handle, _asked(handle, data, surface), advise=needs_runner)


def surface_of(request: Asked) -> str:
    """From where somebody asks: `page`, with the address of another machine."""
    host = request.client.host if request.client is not None else ""
    try:
        near = ipaddress.ip_address(host).is_loopback
    except ValueError:  # a socket without an address
        near = True
    return "page" if near else f"page({host})"


def _asked(handle: Handle, wish: Action, surface: str) -> str:
    """The wish is in the log; returns it as a sentence. Raises `BadInput` for one that cannot be granted."""
    name = handle.name
    match wish:
        case Pause():
            handle.pause(surface=surface)
            return f"study {name} starts no new trials"
        case Unpause():
            handle.unpause(surface=surface)
            return f"study {name} starts trials again"
        case Stop(now=now):
            over = handle.state.switches.completed
            if over is not None:
                raise BadInput(f"study {name} is over already ({over.state})")
            handle.stop(now=now, surface=surface)
            return f"study {name} ends now" if now else f"study {name} ends after its running trials"
        case StopTrial(trial=number):
            handle.stop_trial(number, surface=surface)
            return f"trial {number} is to end"
        case PauseTrial(trial=number):
            handle.pause_trial(number, surface=surface)
            return f"trial {number} is to be held"
        case UnpauseTrial(trial=number):
            handle.unpause_trial(number, surface=surface)
            return f"trial {number} may go on"
        case Retry(trials=numbers):
            return _retry(handle, numbers, surface)
        case Enqueue(params=params):
            return f"enqueued: {assigned(handle.enqueue(params, surface=surface))}"
        case Tell(trial=number, values=values):
            if not values:
                raise BadInput("expected a value for at least one metric", key="values")
            handle.tell(number, {metric: from_wire(value) for metric, value in values.items()}, surface=surface)
            return f"trial {number} has {', '.join(f'{metric} {shown(value)}' for metric, value in values.items())}"
        case Annotate():
            return _annotate(handle, wish, surface)
    raise BadInput("expected something to do", key="action")


def _retry(handle: Handle, numbers: tuple[int, ...], surface: str) -> str:
    """All trials named are looked at before the first is asked for: a wrong one changes nothing."""
    if len(numbers) > MOST:
        raise BadInput(f"expected at most {MOST} trials, got {len(numbers)}", key="trials")
    wanted = list(dict.fromkeys(numbers)) or [t.number for t in handle.state.trials() if t.state == "failed"]
    if not wanted:
        raise BadInput(f"study {handle.name} has no failed trial; name the trial to run again", key="trials")
    for number in wanted:
        if handle.trial(number).state not in FINAL_STATES:
            raise BadInput(f"trial {number} is not over: only a trial that ended can be retried")
    for number in wanted:
        handle.retry_trial(number, surface=surface)
    return f"trial {wanted[0]} runs again" if len(wanted) == 1 else f"{len(wanted)} trials run again"


def _annotate(handle: Handle, wish: Annotate, surface: str) -> str:
    if len(wish.tag) + len(wish.untag) > MOST:
        raise BadInput(f"expected at most {MOST} tags", key="tag")
    handle.annotate(wish.trial, text=wish.note, tag=wish.tag, untag=wish.untag, archived=wish.archived, surface=surface)
    what = f"study {handle.name}" if wish.trial is None else f"trial {wish.trial}"
    if wish.archived is not None:
        return f"{what} is archived" if wish.archived else f"{what} is not archived any more"
    return f"{what} has this note" if wish.note is not None else f"{what} has these tags"


def _acted(handle: Handle, did: str, found: Preview | None = None, *, advise: bool = True) -> Acted:
    """What the page is told, with what to do where no runner is attached that would obey."""
    handle.refresh()
    status = handle.status()
    alone = status == "interrupted" and advise
    advice = resume = None
    if alone and not handle.state.spec.runs_something:
        advice = "no program is attached: it is done when the Python program that made the study runs again"
    elif alone:
        advice = "no runner is attached: it is done when the study is resumed"
        resume = shlex.join(["rung", "resume", handle.name, "--store", handle.store.url])
    found = found or Preview()
    return Acted(
        did=did, state=status, seq=handle.state.seq, advice=advice, resume=resume, findings=list(found.findings),
        changes=[Changed(path=c.path, old=shown(c.old), new=shown(c.new)) for c in found.changes],
        left_out=found.left_out, dropped=found.dropped + found.points,
    )  # fmt: skip


def _resume(handle: Handle, wish: Resume) -> Acted:
    if wish.workers is not None and not 1 <= wish.workers <= MOST:
        raise BadInput(f"expected a number from 1 to {MOST}, got {wish.workers}", key="workers")
    started = runners.resume(handle, workers=wish.workers)
    return _acted(handle, f"a runner works on study {handle.name} (process {started.pid}; {started.log})")


def _edit(handle: Handle, wish: Edit, surface: str) -> Acted:
    """Refused or done as a whole. What is said of it is what `dry` says."""
    settings = list(wish.settings)
    if not 0 < len(settings) <= MOST:
        raise BadInput(f"expected 1 to {MOST} settings, got {len(settings)}", key="settings")
    if plugin_files(handle.state.created.spec) and any(_is_of_space(path) for path, _ in settings):
        raise BadInput(
            f"study {handle.name} searches with a plug-in, whose code the page does not run: edit its space with "
            f"rung edit {handle.name}"
        )
    spec = edited(handle.state, settings)
    check_harmless(handle.state.spec, spec)
    found = preview(handle.state, spec)
    if wish.dry:
        return _acted(handle, f"{len(found.changes)} settings would change", found, advise=False)
    if not found.changes:
        return _acted(handle, f"study {handle.name} has these settings already", advise=False)
    changes = handle.edit(settings, surface=surface)
    return _acted(handle, f"study {handle.name} is changed: {', '.join(change.path for change in changes)}", found)


def _is_of_space(path: str) -> bool:
    return path.partition(".")[0] in {"parameters", "constraints"}


def check_harmless(old: StudySpec, new: StudySpec) -> None:
    """How a trial is started stays as it is: a browser never says what is run, where, or what is told to whom. Raises
    `BadInput`."""
    for name in old.run.__struct_fields__:
        if name not in RUN_KEYS and getattr(old.run, name) != getattr(new.run, name):
            raise BadInput("the page does not change how trials are started; rung edit does", place=f"--set run.{name}")


HANDLERS: tuple[Any, ...] = (act,)

__all__ = ["HANDLERS", "Acted", "act", "check_harmless", "surface_of"]
