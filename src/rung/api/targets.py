"""What a command line's TARGET means: a study file, a script, a function, or a command; and what options add to it."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from rung.api.functions import check_function
from rung.api.returned import read_function
from rung.api.studyfiles import (
    OF_DIALECTS,
    is_study_file,
    read_study_file,
    remarks_on,
    script_program,
    setting,
    with_parameters,
)
from rung.dialects import check_study_name, edit_spec, parse_duration
from rung.dialects.base import Asked
from rung.dialects.names import did_you_mean, nearest
from rung.execute.source import script_in
from rung.model import BadInput, Objective, StudySpec
from rung.plugins import find, located
from rung.space import Space, template

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WHOLE_GRID = 1000  # a finite space of at most so many points is evaluated whole when no budget is given
DEFAULT_TRIALS = 100


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `run` and `plan`, as text where the user wrote text."""

    params: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    search: str | None = None
    schedule: str | None = None
    trials: int | None = None
    time: str | None = None
    target: float | None = None
    workers: int | None = None
    gpus: float | None = None
    cpus: float | None = None
    timeout: str | None = None
    max_failures: int | None = None
    retries: int | None = None
    executor: str | None = None
    seed: int | None = None
    name: str | None = None
    inject: str | None = None
    settings: tuple[str, ...] = ()
    mirrors: tuple[str, ...] = ()
    step: tuple[str, ...] = ()
    task: tuple[str, ...] = ()
    style: tuple[str, ...] = ()
    config: tuple[str, ...] = ()
    values: dict[str, tuple[str, ...]] = {}
    """What was given after a study file for names that it defines."""
    command: tuple[str, ...] = ()
    """The words after a study file and `--`, where its dialect takes a command."""


class Target(msgspec.Struct, frozen=True):
    """What is to be searched. `stem` names the study when the user does not; `remarks` are lines to say first."""

    spec: StudySpec
    stem: str
    remarks: tuple[str, ...] = ()


def resolve(target: str | None, arguments: Sequence[str], options: Options, *, cwd: Path) -> Target:
    """The study that a command line describes. Raises `BadInput` where it cannot be one.

    `target` None means that `arguments` are a command (`-- CMD...`).
    """
    if target is None or not is_study_file(target, cwd=cwd):
        _check_no_dialect(options)
    spec, stem = _read(target, list(arguments), options, cwd)
    spec = _with_options(spec, options)
    if options.settings and not is_study_file(target, cwd=cwd):  # a study file was read with them
        spec = _set(spec, options.settings)
    if not spec.run.cwd:
        spec = msgspec.structs.replace(spec, run=msgspec.structs.replace(spec.run, cwd=str(cwd)))
    spec = located(spec, cwd)
    _check(spec, place=target if target is not None and is_study_file(target, cwd=cwd) else "")
    return Target(spec, re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_") or "study", remarks_on(spec))


def _check_no_dialect(options: Options) -> None:
    for name in OF_DIALECTS:
        if getattr(options, name):
            raise BadInput("is for files of other tuners; this TARGET is none", place=f"--{name}")


def _read(target: str | None, arguments: list[str], options: Options, cwd: Path) -> tuple[StudySpec, str]:
    if target is None:
        if not arguments:
            raise BadInput("expected a command after `--`, such as: rung run -p lr=1e-4:l5:1 -m loss -- ./train {lr}")
        program = cwd / arguments[0] if "/" in arguments[0] else Path(arguments[0])
        return _command(arguments), Path(program).stem
    path = cwd / target
    if is_study_file(target, cwd=cwd):
        return _study_file(path, target, options), path.stem if path.stem != "study" else path.parent.name or "study"
    if path.is_file():
        return _script(path, target, arguments, inject=options.inject), path.stem
    if path.is_dir():
        raise BadInput("is a directory; name a study file or a script in it", place=target)
    module, colon, function = target.rpartition(":")
    if colon and function.isidentifier() and "/" not in function:
        spec = read_function(target, cwd=cwd, asked=asked_for(options))
        return spec or _function(module, function, cwd), function
    raise BadInput(f"no such file{_near_file(path)}; expected a study file, a script, or module:function", place=target)


def asked_for(options: Options) -> Asked:
    """What the options say to the dialect of a study file."""
    return Asked(
        settings=tuple(setting(text) for text in options.settings),
        options={name: getattr(options, name) for name in OF_DIALECTS if getattr(options, name)},
        values=options.values,
        command=options.command,
    )


def _near_file(path: Path) -> str:
    """The file beside it that is most likely meant, as the end of a message."""
    folder = path.parent
    guess = nearest(path.name, [p.name for p in folder.iterdir() if p.is_file()]) if folder.is_dir() else None
    return "" if guess is None else f"; did you mean `{guess}`?"


def _study_file(path: Path, shown: str, options: Options) -> StudySpec:
    spec = read_study_file(path, shown, asked_for(options))
    if not spec.run.cwd:
        spec = msgspec.structs.replace(spec, run=msgspec.structs.replace(spec.run, cwd=str(path.parent.absolute())))
    spec = located(spec, path.parent.absolute())
    _check_command(spec.command, Path(spec.run.cwd), place=shown)
    if spec.command is not None and spec.program is None:
        spec = msgspec.structs.replace(spec, command=tuple(template.with_rest(spec.command)))
    return spec


def _script(path: Path, shown: str, arguments: list[str], *, inject: str | None) -> StudySpec:
    program = None
    if path.suffix == ".py":
        program = script_program(path) if inject in {None, "args"} else None
        argv = ["python" if shutil.which("python") else "python3", str(path.absolute())]
    elif os.access(path, os.X_OK):
        argv = [str(path.absolute())]
    else:
        raise BadInput(f"cannot be executed: run `chmod +x {shown}`, or write -- INTERPRETER {shown}", place=shown)
    command = tuple(template.with_rest([template.escaped(a) for a in argv + arguments]))
    return StudySpec(command=command, program=program)


def _command(arguments: list[str]) -> StudySpec:
    return StudySpec(command=tuple(template.with_rest(arguments)))


def _function(module: str, function: str, cwd: Path) -> StudySpec:
    if module.endswith(".py"):
        if not (cwd / module).is_file():
            raise BadInput(f"no such file{_near_file(cwd / module)}", place=module)
        return StudySpec(function=f"{(cwd / module).absolute()}:{function}")
    return StudySpec(function=f"{module}:{function}")


def _check_command(command: Sequence[str] | None, cwd: Path, *, place: str) -> None:
    """A script that is not there is said now, not by every trial."""
    for word in (command or ())[:2]:
        path = cwd / word
        if "{" not in word and word.endswith((".py", ".sh")) and not path.is_file():
            raise BadInput(f"the script {word} does not exist in {cwd}{_near_file(path)}", place=place, key="command")
        if word == (command or ("",))[0] and "/" in word and path.is_file() and not os.access(path, os.X_OK):
            raise BadInput(f"{word} cannot be executed: run `chmod +x {path}`", place=place, key="command")


# ---------------------------------------------------------------------------------------------------------- options


def _with_options(spec: StudySpec, options: Options) -> StudySpec:
    spec = with_parameters(spec, options.params)
    if options.metrics:
        spec = msgspec.structs.replace(spec, objectives=_picked(_objectives(options.metrics), spec))
    if options.search is not None:
        spec = msgspec.structs.replace(spec, search=msgspec.structs.replace(spec.search, method=options.search))
    if _at_least(options.seed, 0, "--seed") is not None:
        spec = msgspec.structs.replace(spec, search=msgspec.structs.replace(spec.search, seed=options.seed))
    if options.schedule is not None:
        spec = msgspec.structs.replace(spec, schedule=msgspec.structs.replace(spec.schedule, method=options.schedule))
    return msgspec.structs.replace(
        spec,
        name=spec.name if options.name is None else check_study_name(options.name, place="--name"),
        budget=_replaced(
            spec.budget,
            trials=_at_least(options.trials, 1, "--trials"),
            time_s=_duration(options.time, "--time"),
            target=options.target,
            max_failures=_at_least(options.max_failures, 0, "--max-failures"),
        ),
        run=_replaced(
            spec.run,
            workers=_at_least(options.workers, 1, "--workers"),
            gpus=options.gpus,
            cpus=options.cpus,
            timeout_s=_duration(options.timeout, "--trial-timeout"),
            retries=_at_least(options.retries, 0, "--retries"),
            executor=options.executor,
            inject=options.inject,
            mirrors=options.mirrors or None,
        ),
    )


def with_options(spec: StudySpec, options: Options) -> StudySpec:
    """The spec that a program of another tuner made, with what the command line says. Raises `BadInput`."""
    return _set(_with_options(spec, options), options.settings)


def _set(spec: StudySpec, settings: Iterable[str]) -> StudySpec:
    return edit_spec(spec, [setting(text) for text in settings])


def _replaced(record: Any, **given: Any) -> Any:
    return msgspec.structs.replace(record, **{name: value for name, value in given.items() if value is not None})


def _at_least(value: int | None, least: int, option: str) -> int | None:
    if value is not None and value < least:
        raise BadInput(f"must be {least} or more, got {value}", place=option)
    if value is not None and value >= 2**63:
        raise BadInput(f"must be less than 2**63, got {value}", place=option)
    return value


def _duration(text: str | None, option: str) -> float | None:
    if text is None:
        return None
    try:
        seconds = parse_duration(text)
    except BadInput as error:
        raise BadInput(error.message, place=option) from None
    if seconds == 0:
        raise BadInput(f"must be above 0, got {text!r}", place=option)
    return seconds


def _objectives(texts: Sequence[str]) -> tuple[Objective, ...]:
    objectives: dict[str, Objective] = {}
    for text in texts:
        objective = _objective(text)
        if objective.metric in objectives:
            raise BadInput(f"{objective.metric} is given twice; give it once", place="-m")
        objectives[objective.metric] = objective
    return tuple(objectives.values())


def _picked(objectives: tuple[Objective, ...], spec: StudySpec) -> tuple[Objective, ...]:
    """The objectives with the report that counts in the format of the study's program."""
    if spec.program is None:
        return objectives
    pick = find("dialects", spec.program.dialect).picks
    return tuple(msgspec.structs.replace(objective, value=pick) for objective in objectives)


def _objective(text: str) -> Objective:
    name, colon, goal = text.rpartition(":")
    if not colon and text.strip():
        return Objective(metric=text)
    goals = {"min": "minimize", "max": "maximize", "minimize": "minimize", "maximize": "maximize"}
    if goal not in goals or not name:
        raise BadInput(f"expected NAME, NAME:min or NAME:max, got {text!r}", place="-m")
    return Objective(metric=name, goal=goals[goal])  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------------------ checks


def _check(spec: StudySpec, *, place: str) -> None:
    """What must hold before anything is started or written. `place` is the study file, "" without one."""
    if not spec.runs_something:
        raise BadInput(
            "there is nothing to run: give `command` or `function` (for another tuner's file, the command after `--`)",
            place=place,
            key="command",
        )
    if spec.function is not None:
        check_function(spec.function, cwd=Path(spec.run.cwd))
    if not spec.objectives and not _only_evaluates(spec):
        raise BadInput("which metric? say -m NAME (or NAME:max), or `objective:` in a study file", place="-m")
    Space(spec.parameters, spec.constraints)  # raises for a space that cannot be
    unknown = [n for n in template.placeholder_names(spec.command or ()) if n not in _placeholders(spec)]
    if unknown:
        hint = did_you_mean(unknown[0], _placeholders(spec))
        raise BadInput(f"`{{{unknown[0]}}}` in the command is no parameter{hint}", key="command")
    named = {"search": spec.search.method, "schedule": spec.schedule.method, "execute": spec.run.executor}
    for group, name in named.items():
        if not name.endswith(".py"):  # a plug-in file is loaded once, when its searcher is made
            _check_named(group, name, place=place)
    if spec.run.inject == "source" and spec.program is None:
        script_in(spec.command or ("python", spec.function or ""), spec.run.cwd)


def _only_evaluates(spec: StudySpec) -> bool:
    """Whether nothing depends on how good a trial is: another tuner's study that runs what is listed or drawn."""
    budget = spec.budget
    compares = budget.target is not None or budget.patience is not None or budget.improvement is not None
    learns = spec.search.method not in {"grid", "random", "sobol"} or spec.schedule.method != "none"
    return spec.program is not None and not learns and not compares


def _check_named(group: str, name: str, *, place: str) -> None:
    try:
        find(group, name)
    except BadInput as error:
        key = "run.executor" if group == "execute" else f"{group}.method"
        raise BadInput(error.message, place=place, key=key if place else "") from None


def _placeholders(spec: StudySpec) -> list[str]:
    return [*(parameter.name for parameter in spec.parameters), "rest", "params"]


def budgeted(spec: StudySpec) -> tuple[StudySpec, str | None]:
    """The spec with a number of trials, and a line that says how it was chosen when the user gave none.

    The whole grid when every domain is finite and it has at most 1000 points, else 100.
    """
    if spec.budget.trials is not None:
        return spec, None
    space = Space(spec.parameters, spec.constraints)
    size = space.size
    if size is not None and size <= WHOLE_GRID:
        trials, why = size * spec.search.repeats, f"the whole space of {size} configuration{'s' * (size != 1)}"
    else:
        trials, why = DEFAULT_TRIALS, "the default"
    budget = msgspec.structs.replace(spec.budget, trials=max(1, trials))
    return msgspec.structs.replace(spec, budget=budget), f"{max(1, trials)} trials ({why}; change it with -n)"
