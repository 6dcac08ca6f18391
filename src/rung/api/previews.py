"""The form "New study": what would be started, from the function that `rung plan` shows; and starting it."""

from __future__ import annotations

import hashlib
import shlex
import time
from typing import TYPE_CHECKING, Any

import msgspec

from rung.analysis.records import wired
from rung.analysis.wording import shown
from rung.api import runners
from rung.api.advice import check_machine, check_program
from rung.api.creation import create, created_event
from rung.api.formtargets import found
from rung.api.planning import described, domain_text, planned
from rung.api.submissions import Fault, Submission, said
from rung.api.targets import budgeted, resolve
from rung.dialects import to_yaml
from rung.model import BadInput
from rung.space import Space, SpaceError
from rung.store.errors import StoreMissing
from rung.study import events as ev

if TYPE_CHECKING:
    from pathlib import Path

    from rung.api.handle import Handle
    from rung.api.submissions import Said
    from rung.api.targets import Target as Resolved
    from rung.model import Parameter
    from rung.store.base import Store

SHOWN_VALUES = 1_000
SHOWN_COMMANDS = 3
ELIDED = 12  # values, of which fewer are told whole
EXISTS = "study {} exists; take another name"
ADVISED = 30  # evaluations, below which a search that learns has next to nothing to learn from
_OPTIONS = {
    "--name": "name", "--time": "time", "-n": "trials", "--trials": "trials", "-w": "workers", "--workers": "workers",
    "--seed": "seed", "-m": "metric", "--search": "search", "--schedule": "schedule",
}  # fmt: skip
_KEYS = {
    "search": "search", "schedule": "schedule", "objective": "metric", "objectives": "metric", "budget": "trials",
    "run": "workers", "name": "name",
}  # fmt: skip


class RowPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a row means: its values in order (the first 1,000 of `count`), or the domain that is sampled from."""

    name: str
    domain: str
    values: list[Any] | None = None
    count: int | None = None


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What would be started. `total` and what follows are None or empty while there are faults. `plan` is what `rung
    plan --json` prints for the same `words`; `yaml` is the study file that says the same, `digest` is made from it."""

    rows: list[RowPreview]
    faults: list[Fault] = []
    total: int | None = None
    size: int | None = None
    line: str = ""
    warnings: list[str] = []
    remarks: list[str] = []
    search: str = ""
    schedule: str = ""
    ends: str = ""
    first: list[str] = []
    words: list[str] = []
    cli: str = ""
    yaml: str = ""
    digest: str = ""
    plan: dict[str, Any] | None = None


def preview(folder: Path, asked: Submission, *, taken: frozenset[str] = frozenset()) -> Preview:
    """What `asked` would start. What is wrong with it is among the `faults`; `taken` are names of studies that exist.

    Raises `BadInput` for a target that is not in the folder, and for names that it does not have.
    """
    words, target = _resolved(folder, asked, taken)
    if target is None:
        return Preview(rows=[_row(parameter) for parameter in words.parameters.values()], faults=words.faults)
    spec, _ = budgeted(target.spec)
    event = ev.StudyCreated(at=time.time(), uid="preview", spec=spec, seed=spec.search.seed or 0)
    try:
        plan = planned(event)
    except BadInput as error:
        rows = [_row(parameter) for parameter in words.parameters.values()]
        return Preview(rows=rows, faults=[_placed(error, words)])
    meant = {**words.parameters, **{parameter.name: parameter for parameter in spec.parameters}}
    yaml = to_yaml(spec)
    remarks = [text for text in target.remarks if not text.startswith("Will create a total of")]
    warned = [text.removeprefix("warning: ") for text in remarks if text.startswith("warning: ")]
    return Preview(
        rows=[_row(parameter) for parameter in meant.values()],
        total=plan["trials"],
        size=plan["size"],
        line=total_line(plan["trials"], plan["size"]),
        warnings=[*warned, *plan["warnings"], *_too_few(asked, plan, warned)],
        remarks=[text for text in remarks if not text.startswith("warning: ")],
        search=plan["search"],
        schedule=plan["schedule"],
        ends=plan["ends"],
        first=[shlex.join(each["command"]) for each in plan["first"][:SHOWN_COMMANDS]],
        words=words.words,
        cli=shlex.join(["rung", "run", *words.words]),
        yaml=yaml,
        digest=_digest(yaml),
        plan={name: value for name, value in plan.items() if name != "lines"},
    )


def names_in(store: Store) -> frozenset[str]:
    """The names of the studies in the store; none where it is yet to be made."""
    try:
        return frozenset(row.name for row in store.studies())
    except StoreMissing:
        return frozenset()


def start(folder: Path, asked: Submission, *, store: Store, runs: Path, surface: str, seen: str = "") -> Handle:
    """The study that `asked` describes is in the store, and a runner works on it in a process of its own. `seen`: the
    digest of the preview that was looked at; what has become another study since is not started.

    Raises `BadInput` with the first thing that is wrong; `RungError` when no runner could be started for the study,
    which exists then.
    """
    words, target = _resolved(folder, asked, names_in(store))
    if target is None:
        fault = words.faults[0]
        raise BadInput(fault.message, place=fault.row, key=fault.field)
    spec, _ = budgeted(target.spec)
    if seen and seen != _digest(to_yaml(spec)):
        raise BadInput(
            "has changed since it was shown; look at what it is now, and start that", place=asked.target.file
        )
    line = ["rung", "run", *words.words]
    event = created_event(spec, runs=runs, cwd=folder, command_line=line, surface=surface)
    try:
        handle = create(store, event, stem=target.stem)
    except BadInput:
        name = _taken(asked, names_in(store))  # by somebody who was quicker
        if name is None:
            raise
        raise BadInput(EXISTS.format(name), key="name") from None
    if asked.tags:
        handle.annotate(tag=asked.tags, surface=surface)
    runners.resume(handle)
    return handle


def _taken(asked: Submission, taken: frozenset[str]) -> str | None:
    """The name that was given, where a study has it."""
    name = None if asked.name is None else asked.name.strip()
    return name if name in taken else None


def _digest(yaml: str) -> str:
    return hashlib.sha256(yaml.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _resolved(folder: Path, asked: Submission, taken: frozenset[str]) -> tuple[Said, Resolved | None]:
    """The words, and the study that they mean; None where something is wrong, which is noted in the words."""
    words = said(found(folder, asked.target), asked)
    if words.faults:
        return words, None
    name = _taken(asked, taken)
    if name is not None:
        words.fault("name", EXISTS.format(name))
        return words, None
    try:
        target = resolve(words.target, words.arguments, words.as_options(), cwd=folder.resolve())
        check_machine(target.spec)
        check_program(target.spec)
    except BadInput as error:
        words.faults.append(_placed(error, words))
        return words, None
    return words, target


def total_line(total: int | None, size: int | None) -> str:
    """How many trials there will be, as the foot of the form says it."""
    if total is None:
        return "Will create as many trials as the budget allows."
    of = ""
    if size is None:
        of = ", out of infinitely many configurations"
    elif size > total:
        of = f", out of {size:,} configurations"
    return f"Will create a total of {total} trial{'s' * (total != 1)}{of}."


def _too_few(asked: Submission, plan: dict[str, Any], warned: list[str]) -> list[str]:
    total, size = plan["trials"], plan["size"]
    if asked.kind != "bayesian" or warned or total is None or total >= ADVISED or size == total:
        return []
    return [
        f"fewer than {ADVISED} evaluations: Bayesian search has little to learn from, and is hardly more than random"
    ]


def _row(parameter: Parameter) -> RowPreview:
    alone = msgspec.structs.replace(parameter, when=None, times=None)
    try:
        found = described(alone, Space((alone,), ()))
    except SpaceError:
        return RowPreview(name=parameter.name, domain="")
    values = found["values"]
    if values is None:
        return RowPreview(name=parameter.name, domain=domain_text(found))
    kept = wired(values[:SHOWN_VALUES])
    if len(values) <= ELIDED:
        return RowPreview(name=parameter.name, domain=domain_text(found), count=len(values), values=kept)
    some = ", ".join(shown(value) for value in values[: ELIDED - 1])
    return RowPreview(name=parameter.name, domain=f"{some}, …, {shown(values[-1])}", count=len(values), values=kept)


def _placed(error: BadInput, words: Said) -> Fault:
    """Where on the form the complaint about a command line belongs."""
    place, message = error.place, error.message
    if place in _OPTIONS:
        return Fault(field=_OPTIONS[place], message=message)
    row = getattr(error, "parameter", "") or _named(place)
    if row in words.parameters:
        return Fault(row=row, field=getattr(error, "field", ""), message=message)
    parts = [part for part in error.key.split(".") if part]
    if parts[:1] == ["parameters"] and len(parts) > 1 and parts[1] in words.parameters:
        return Fault(row=parts[1], field=".".join(parts[2:]), message=message)
    named = ".".join(parts) or place.removeprefix("--set ").partition("=")[0]
    if named in words.fields:
        return Fault(field=named, message=message)
    key = named.partition(".")[0]
    whole = ": ".join(part for part in (error.key, message) if part)
    return Fault(field=_KEYS.get(key, ""), message=whole if key not in _KEYS else message)


def _named(place: str) -> str:
    """The parameter that `-p x=…`, `--style x` or `--x` speaks of."""
    for flag in ("-p ", "--style ", "--"):
        if place.startswith(flag):
            return place.removeprefix(flag).partition("=")[0]
    return ""
