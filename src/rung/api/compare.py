"""Methods times seeds of study files, each an ordinary study with a name of its own, run in processes of their own.

A *problem* is a study file. A *method* is what the problem is searched with: a searcher, `searcher+scheduler`, or a
second study file. Since every run is a study, a comparison that was interrupted goes on where it stood.
"""

from __future__ import annotations

import re
import secrets
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from rung.api.creation import check_startable, create_or_continue, created_event
from rung.api.handle import Handle, differences
from rung.api.studyfiles import is_study_file, read_study_file
from rung.api.targets import Options, asked_for, budgeted, resolve
from rung.dialects import check_study_name, to_yaml
from rung.model import BadInput, RunSettings, ScheduleSpec, SearchSpec, StudySpec, UnknownStudy
from rung.plugins import located, scheduler_class, searcher_class
from rung.store.errors import StoreMissing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.api.places import Places
    from rung.store.base import Store
    from rung.study import events as ev

BASELINE = "random+none"


class Problem(msgspec.Struct, frozen=True):
    """A study file: its short name, and what it says. `simulated`: it is run on a virtual clock, with the curves of
    `dataset` where its table has several."""

    stem: str
    spec: StudySpec
    simulated: bool = False
    dataset: str | None = None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a comparison: the places of its problem and method in their lists, its seed, its study and what that
    searches."""

    problem: int
    method: int
    seed: int
    study: str
    spec: StudySpec


# ----------------------------------------------------------------------------------------------- what is to be run


def read_problem(file: str, settings: Sequence[str], *, cwd: Path) -> Problem:
    """The study file with `settings` (as of `--set`) applied. Raises `BadInput` for anything else."""
    _check_study_file(file, cwd)
    target = resolve(file, [], Options(settings=tuple(settings)), cwd=cwd)
    if not target.spec.objectives:
        raise BadInput("has no metric to compare by", place=file)
    return Problem(target.spec.name or target.stem, budgeted(target.spec)[0])


def read_simulated(file: str, settings: Sequence[str], datasets: Sequence[str], *, cwd: Path) -> list[Problem]:
    """The study file with each of the data sets (none: the table has one). What it would run need not be there."""
    _check_study_file(file, cwd)
    asked = asked_for(Options(settings=tuple(settings)))
    spec = located(read_study_file(cwd / file, file, asked), (cwd / file).parent.absolute())
    if spec.budget.trials is not None or spec.budget.time_s is None:  # virtual time alone is limit enough
        spec = budgeted(spec)[0]
    stem = spec.name or Path(file).stem
    if not datasets:
        return [Problem(f"{stem}-simulated", spec, simulated=True)]
    return [Problem(f"{stem}-{_slug(name)}", spec, simulated=True, dataset=name) for name in datasets]


def _check_study_file(file: str, cwd: Path) -> None:
    if not is_study_file(file, cwd=cwd):
        raise BadInput("expected a study file (.yaml, .json or .toml)", place=file)


def parse_seeds(text: str) -> tuple[int, ...]:
    """`20` is the seeds 0 to 19, `20:29` those from 20 to 29. Raises `BadInput`."""
    first, colon, last = text.partition(":")
    if not first.isdigit() or (colon and not last.isdigit()):
        raise BadInput(f"expected a number of seeds, or FIRST:LAST, got {text!r}", place="--seeds")
    found = range(int(first), int(last) + 1) if colon else range(int(first))
    if not found:
        raise BadInput(f"there is no seed in {text!r}", place="--seeds")
    return tuple(found)


def default_methods(problem: Problem) -> tuple[str, ...]:
    """The problem's own method, and random search without early stopping to hold it against."""
    spec = problem.spec
    own = spec.search.method + (f"+{spec.schedule.method}" if spec.schedule.method != "none" else "")
    return (own,) if own in {BASELINE, "random"} else (own, BASELINE)


def label_of(method: str, *, cwd: Path) -> str:
    """What a method is called: files by their stem."""
    if is_study_file(method, cwd=cwd):
        return Path(method).stem
    return "+".join(Path(part).stem if part.endswith(".py") else part for part in method.split("+"))


def planned(
    problems: Sequence[Problem], methods: Sequence[str], seeds: Sequence[int], *, settings: Sequence[str], cwd: Path
) -> list[Run]:
    """All runs, by problem, then seed, then method: so that what is finished first can be compared. Raises `BadInput`
    for a method that a problem cannot be searched with, and for two runs of one name."""
    labels = [label_of(method, cwd=cwd) for method in methods]
    _check_distinct(labels, "--methods")
    _check_distinct([problem.stem for problem in problems], "FILES")
    searched = [[with_method(p, method, settings, cwd=cwd) for method in methods] for p in problems]
    found = [
        Run(problem=i, method=j, seed=seed, study=_name(problem.stem, labels[j], seed), spec=searched[i][j])
        for i, problem in enumerate(problems)
        for seed in seeds
        for j in range(len(methods))
    ]
    _check_distinct([run.study for run in found], "--methods")
    return found


def _check_distinct(names: Sequence[str], place: str) -> None:
    twice = next((name for name in names if list(names).count(name) > 1), None) if len({*names}) < len(names) else None
    if twice is not None:
        raise BadInput(f"{twice} is there twice; give each once, under a name of its own", place=place)


def _name(stem: str, label: str, seed: int) -> str:
    return check_study_name(f"{stem}-{_slug(label)}-s{seed}", place="--methods")


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-")


def with_method(problem: Problem, method: str, settings: Sequence[str], *, cwd: Path) -> StudySpec:
    """The problem searched with the method. Of the options of its searcher and scheduler those stay that the method has
    too; a scheduler that is not named stays. A study file as a method is searched as it says, for the same objectives.
    """
    spec = problem.spec
    if is_study_file(method, cwd=cwd):
        read = read_simulated(method, settings, (), cwd=cwd)[0] if problem.simulated else None
        found = (read or read_problem(method, settings, cwd=cwd)).spec
        if found.objectives != spec.objectives:
            raise BadInput(f"{method} has other objectives than the study it is compared in", place="--methods")
        return found
    search, plus, schedule = method.partition("+")
    search, schedule = (_located(name, cwd) for name in (search, schedule if plus else spec.schedule.method))
    try:
        return msgspec.structs.replace(
            spec, search=_searched(spec.search, search), schedule=_scheduled(spec.schedule, schedule)
        )
    except BadInput as error:
        raise BadInput(error.message, place="--methods") from None


def _located(name: str, cwd: Path) -> str:
    return str((cwd / name).absolute()) if name.endswith(".py") else name


def _searched(old: SearchSpec, method: str) -> SearchSpec:
    if method == old.method:
        return old
    return msgspec.structs.replace(old, method=method, options=_kept(old.options, searcher_class(method)))


def _scheduled(old: ScheduleSpec, method: str) -> ScheduleSpec:
    if method == old.method:
        return old
    return msgspec.structs.replace(old, method=method, options=_kept(old.options, scheduler_class(method)))


def _kept(options: dict[str, Any], kind: type[Any]) -> dict[str, Any]:
    known = getattr(kind, "options", {})
    return {name: value for name, value in options.items() if name in known}


def grouped(names: Sequence[str]) -> dict[str, dict[int, str]]:
    """Studies by method and seed: `digits-tpe-s3` is seed 3 of `digits-tpe`, any other name a method of its own.

    Raises `BadInput` for a study that is named twice.
    """
    _check_distinct(names, "--studies")
    found: dict[str, dict[int, str]] = {}
    for name in names:
        match = re.fullmatch(r"(.+)-s(\d{1,9})", name)
        method, seed = (match[1], int(match[2])) if match else (name, 0)
        found.setdefault(method, {})[seed] = name
    return found


# -------------------------------------------------------------------------------------------------------- studies


def with_seed(run: Run, *, workers: int | None) -> StudySpec:
    """What the run's study searches: under its name, with its seed and so many workers (None: as the file says)."""
    settings: RunSettings = run.spec.run
    if workers is not None:
        settings = msgspec.structs.replace(settings, workers=workers)
    search = msgspec.structs.replace(run.spec.search, seed=run.seed)
    return msgspec.structs.replace(run.spec, name=run.study, search=search, run=settings)


class Studies:
    """The studies of a comparison in a store: made where they are missing, continued where they are not over."""

    def __init__(self, store: Store, places: Places, command_line: Sequence[str], *, workers: int | None) -> None:
        if places.store.startswith("memory"):
            raise BadInput("runs are processes of their own: they need a store that these can share", place="--store")
        self.store, self.places, self.command_line, self.workers = store, places, command_line, workers
        self._first: dict[tuple[int, int], ev.StudyCreated] = {}  # of each problem and method

    def check(self, runs: Sequence[Run]) -> None:
        """Each method of each problem could start. Raises `BadInput`; nothing is written."""
        for run in {(run.problem, run.method): run for run in runs}.values():
            check_startable(self._event(run))

    def open(self, run: Run) -> Handle | None:
        """The run's study if there is work left in it. Raises `BadInput` where another search bears its name."""
        opened = create_or_continue(self.store, self._event(run), stem=run.study)
        if opened.how != "finished":
            return opened.handle
        if opened.changes:
            first = opened.changes[0]
            raise BadInput(
                f"study {run.study} was another search ({first.path}: was {first.old!r}, is {first.new!r}); "
                f"remove it (rung rm {run.study}), or compare in another --dir"
            )
        return opened.handle if self._longer(opened.handle, run) else None

    def _event(self, run: Run) -> ev.StudyCreated:
        """What code and packages a study runs on is looked up once for all seeds: it takes a while."""
        spec, key = with_seed(run, workers=self.workers), (run.problem, run.method)
        if key not in self._first:
            self._first[key] = created_event(
                spec, runs=self.places.runs, cwd=Path.cwd(), command_line=self.command_line, surface="compare"
            )
        return msgspec.structs.replace(
            self._first[key], at=time.time(), uid=secrets.token_hex(8), spec=spec, seed=run.seed
        )

    def _longer(self, handle: Handle, run: Run) -> bool:
        """The finished study has got the budget that is asked for now, and is open again by it."""
        wanted = msgspec.structs.replace(handle.state.spec, budget=run.spec.budget)
        if not differences(handle.state.spec, wanted):
            return False
        handle.change(wanted, surface="cli")
        handle.refresh()
        return handle.state.switches.completed is None

    def find(self, run: Run) -> Handle | None:
        """The run's study as it stands, if it was made."""
        try:
            return Handle(self.store, run.study)
        except (UnknownStudy, StoreMissing):
            return None

    def resume(self, run: Run) -> list[str]:
        """The command that works on the run's study until it is over."""
        workers = with_seed(run, workers=self.workers).run.workers
        return [
            sys.executable, "-m", "rung", "resume", run.study, "--workers", str(workers), "--store", self.places.store,
            "--dir", str(self.places.runs),
        ]  # fmt: skip


class SimulatedStudies(Studies):
    """The same on a virtual clock: what trials report is looked up in a table."""

    def __init__(
        self, store: Store, places: Places, command_line: Sequence[str], *, workers: int | None, table: str,
        problems: Sequence[Problem], conditions: Sequence[str],
    ) -> None:  # fmt: skip
        """`conditions`: further options of `rung simulate`, for all runs."""
        super().__init__(store, places, command_line, workers=workers)
        self.table, self.problems, self.conditions = table, problems, conditions

    def _event(self, run: Run) -> ev.StudyCreated:
        from rung.api import simulating  # only a comparison on a virtual clock needs it

        return simulating.created_event(with_seed(run, workers=self.workers), simulated=self.table)

    def resume(self, run: Run) -> list[str]:
        """The command that simulates the run's study to its end."""
        spec, dataset = with_seed(run, workers=self.workers), self.problems[run.problem].dataset
        file = self.places.runs / run.study / "study.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(to_yaml(spec))
        named = [] if dataset is None else ["--dataset", dataset]
        return [
            sys.executable, "-m", "rung", "simulate", str(file), "--table", self.table, *named, "--name", run.study,
            "--store", self.places.store, *self.conditions,
        ]  # fmt: skip
