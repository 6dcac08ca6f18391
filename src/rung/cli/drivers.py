"""Launchers: scripts of another tuner that run a whole tuning themselves, under `rung run` and `rung plan`.

A launcher becomes this process: its Python with the stand-ins on its path, and the words of our command line in one
variable. What stands in for its tuner then makes the study (`opened`) and works on it here (`worked_on`), so that it is
an ordinary study, in the ordinary store.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shlex
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import msgspec

from rung.api.targets import Options, with_options
from rung.cli.options import find, place_flags, say
from rung.dialects.shims import shim_path
from rung.model import BadInput, StudySpec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rung.api.creation import Opened
    from rung.api.handle import Handle
    from rung.execute.base import Executor
    from rung.inside.call import Objective
    from rung.runner.loop import Runner
    from rung.runner.seat import Observer
    from rung.study import events as ev

VARIABLE = "RUNG_LAUNCHER"


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """What `rung run` or `rung plan` was told, for the launcher that it became. `path`: PYTHONPATH before that."""

    verb: Literal["run", "plan"] = "run"
    form: str = "table"
    options: Options = msgspec.field(default_factory=Options)
    store: str | None = None
    directory: str | None = None
    deterministic: bool = False
    warm_start: tuple[str, ...] = ()
    command_line: tuple[str, ...] = ()
    path: str | None = None
    by_command: bool = False

    @property
    def flags(self) -> str:
        """What leads to the same store again, after another verb."""
        return place_flags(self.directory, self.store)


def launcher_of(given: Mapping[str, Any]) -> Path | None:
    """The launcher that TARGET is; None where it is anything else."""
    words = given["words"]
    if given["dashed"] or not words or not words[0].endswith(".py") or not Path(words[0]).is_file():
        return None
    from rung.dialects.synetune.driver_scripts import is_launcher

    path = Path(words[0])
    return path if is_launcher(path.read_text("utf-8", "replace")) else None


def hand_over(
    launcher: Path,
    given: Mapping[str, Any],
    *,
    verb: Literal["run", "plan"],
    form: str,
    store: str | None,
    directory: str | None,
    command_line: Sequence[str],
) -> NoReturn:
    """This process becomes the launcher. The words after it are its own."""
    options = Options(**{name: given[name] for name in Options.__struct_fields__ if name in given})
    for name in ("step", "task", "style", "config"):
        if getattr(options, name):
            raise BadInput("is for files of other tuners; this TARGET is a launcher", place=f"--{name}")
    handed = Handed(
        verb=verb, form=form, options=options, store=store, directory=directory, deterministic=given["deterministic"],
        warm_start=tuple(given["warm_start"]), command_line=tuple(command_line), path=os.environ.get("PYTHONPATH"),
        by_command=True,
    )  # fmt: skip
    parts = [shim_path("synetune"), *([handed.path] if handed.path else [])]
    environment = os.environ | {VARIABLE: msgspec.json.encode(handed).decode(), "PYTHONPATH": os.pathsep.join(parts)}
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, str(launcher), *given["words"][1:]], environment)  # noqa: S606 - no shell


@cache
def handed() -> Handed:
    """What this launcher was handed, read once; a trial's environment is without it again."""
    text = os.environ.pop(VARIABLE, None)
    if text is None:
        return Handed()
    found = msgspec.json.decode(text, type=Handed)
    if found.path is None:
        os.environ.pop("PYTHONPATH", None)
    else:
        os.environ["PYTHONPATH"] = found.path
    return found


_names_given: list[str] = []
_opened: list[str] = []


def name_asked_for() -> str | None:
    """The name that `--name` gives to the next study of this launcher: NAME, then NAME-2, ...; None without it."""
    from rung.dialects import check_study_name

    name = handed().options.name
    if name is None:
        return None
    check_study_name(name, place="--name")
    _names_given.append(name if not _names_given else f"{name}-{len(_names_given) + 1}")
    return _names_given[-1]


def planned_here(spec: StudySpec) -> None:
    """The plan of the study is on stdout; nothing runs."""
    from rung.api.planning import planned
    from rung.cli.plan import print_plan

    print_plan(planned(_event(spec)), None, handed().form)


def opened(spec: StudySpec, *, stem: str) -> Opened:
    """The study, made or found, in the store that the command line or the environment names. Raises `BadInput`."""
    from rung.api.advice import check_machine
    from rung.api.creation import create_or_continue
    from rung.plugins import open_store

    check_machine(spec)
    event = _event(spec)
    store = open_store(find(handed().directory, handed().store).store)
    atexit.register(store.close)
    if spec.run.mirrors:
        from rung.api.mirroring import check_new

        check_new(event, store)
    found = create_or_continue(store, event, stem=stem, warm_start=handed().warm_start)
    if found.how == "created":
        say(f"study {found.handle.name}")
    elif found.how == "continued":
        say(f"study {found.handle.name} goes on")
    _opened.append(found.handle.name)
    for text in found.notes:
        say(text)
    for change in found.changes:
        say(f"changed {change.path}: {change.old} -> {change.new}")
    return found


def trials_are_set() -> bool:
    """Whether the command line says how many trials there are."""
    options = handed().options
    return options.trials is not None or any(text.startswith("budget.trials=") for text in options.settings)


def asked_for(spec: StudySpec) -> StudySpec:
    """The spec with what the command line says, and nothing in it that could not run. Raises `BadInput`."""
    from rung.space import Space

    spec = with_options(spec, msgspec.structs.replace(handed().options, name=None))
    Space(spec.parameters, spec.constraints)
    return spec


def _event(spec: StudySpec) -> ev.StudyCreated:
    from rung.api.creation import created_event

    told = handed()
    return created_event(
        spec, runs=find(told.directory, told.store).runs, cwd=Path.cwd(), surface="cli",
        command_line=told.command_line or sys.argv, deterministic=told.deterministic,
    )  # fmt: skip


def worked_on(
    handle: Handle,
    *,
    observe: Callable[[Any, Sequence[Any]], None],
    attached: Callable[[Runner], None],
    objective: Objective | None = None,
) -> str:
    """The study has been worked on here, watched on stderr, until it was over or a signal came; returns why it ended.
    `objective`: what a trial calls, in a fork of this process; None: the study says how a trial is started."""
    from rung.cli.panel import Lines, Panel, watched

    workers = handed().options.workers
    view = Panel(handle) if watched() and objective is None else Lines(handle)

    def both(state: Any, events: Sequence[Any]) -> None:
        view.observe(state, events)
        observe(state, events)

    with view:
        if objective is None:
            from rung.api.attachment import attach

            why = attach(handle, workers=workers, observe=both, say=view.say, made=attached)
        else:
            why = _forked(handle, objective, both, view.say, attached, workers)
    handle.refresh()
    return why


def _forked(
    handle: Handle, objective: Objective, observe: Observer, say_: Callable[[str], None],
    attached: Callable[[Runner], None], workers: int | None,
) -> str:  # fmt: skip
    from rung.api.attachment import run_forked
    from rung.api.mirroring import Mirroring
    from rung.api.places import runs_directory
    from rung.plugins import policy_for
    from rung.runner.loop import Runner, Settings

    runs = runs_directory(handle)
    settings = Settings(study=handle.name, runs=runs, workers=workers)
    mirroring = Mirroring(handle, runs=runs, say=say_)
    why = "error"

    def make(executor: Executor) -> Runner:
        mirroring.start()  # not earlier: objectives are forked from a process without threads
        runner = Runner(handle.store, executor, policy_for, settings, observe=mirroring.beside(observe), say=say_)
        attached(runner)
        return runner

    try:
        why = run_forked(objective, make)
    finally:
        mirroring.finish(why)
    return why


def _again(study: str) -> str:
    """The command that goes on with this study of the launcher's."""
    told = handed()
    if not told.by_command or len(_opened) > 1:
        return f"rung resume {study}{told.flags}"
    name = [] if told.options.name is not None else ["--name", study]
    program, verb, *words = told.command_line
    return shlex.join([program, verb, *name, *words])


def said_how_it_ended(handle: Handle, why: str) -> int | None:
    """How the study stands is on stderr, and under `rung run` its best on stdout; returns the exit code of a launcher
    that must end now, None for one that goes on with results."""
    from rung.cli.panel import counted
    from rung.cli.run_verbs import ENDED, say_over
    from rung.cli.winners import print_best

    told = handed()
    if why in ENDED:
        with contextlib.suppress(OSError):  # after a hangup there is no terminal to say it on
            say(f"study {handle.name} is {why}: {counted(handle.state)}")
            say(f"go on with: {_again(handle.name)}")
        return ENDED[why]
    say_over(handle)
    if told.by_command and handle.best():
        print_best(handle, form=told.form)
    completed = handle.state.switches.completed
    return 3 if completed is not None and completed.state == "failed" else None
