"""`simulate`: a study on a virtual clock, with curves in place of programs; all else is what `rung run` uses."""

from __future__ import annotations

import hashlib
import time as clocks
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from rung.api.asktell import Study
from rung.api.attachment import run_beside
from rung.api.creation import Opened, create_or_continue
from rung.api.places import find_places
from rung.api.progress import Progress
from rung.api.studyfiles import read_study_file
from rung.api.targets import budgeted
from rung.dialects import check_study_name, parse_duration, spec_from_tree
from rung.dialects.base import Asked
from rung.execute.simulated import Charge, SimulatedExecutor
from rung.execute.simulation.conditions import Conditions
from rung.execute.simulation.curves import Functions
from rung.execute.simulation.world import EPOCH, World
from rung.execute.tablefiles import read_table, text_columns
from rung.execute.tables import Table
from rung.model import BadInput, Budget, RunSettings, StudySpec
from rung.plugins import located, open_store, policy_for
from rung.runner.loop import Runner, Settings
from rung.space import Space
from rung.study import events as ev

if TYPE_CHECKING:
    from rung.api.handle import Handle
    from rung.execute.base import Executor
    from rung.execute.simulation.curves import Curves, Measure, Seconds
    from rung.study.state import State


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a simulation came to, this call's part of it. `seconds`: virtual, with a runner attached, in all calls.
    `busy`: the mean share of the workers that had a trial, over all of that time, and `busy_filling` until the last
    trial began. `work`: steps gone forward in all trials together. `real_s`: how long the simulation took, and
    `charged_s` how much of it was charged to the clock."""

    workers: int
    seconds: float
    busy: float
    busy_filling: float
    work: float
    reports: int
    decisions: int
    real_s: float
    charged_s: float

    @property
    def decisions_per_second(self) -> float:
        """Decisions logged in a real second."""
        return self.decisions / self.real_s if self.real_s else 0.0


class Simulated(Study):
    """A study that was simulated: all that a `Study` has, and `figures`."""

    figures: Figures

    @property
    def handle(self) -> Handle:
        """The study as the command line reads it."""
        return self._handle


def simulate(
    study: StudySpec | Mapping[str, Any] | str | Path,
    curves: Curves | Table | Measure | str | Path,
    *,
    seconds: Seconds | float | None = None,
    steps: Sequence[float] | int | None = None,
    dataset: str | None = None,
    workers: int | None = None,
    seed: int | None = None,
    trials: int | None = None,
    time: float | str | None = None,
    search: str | None = None,
    schedule: str | None = None,
    conditions: Conditions | None = None,
    charge: Charge = "real",
    deterministic: bool = False,
    store: str | None = None,
    name: str | None = None,
    settings: Sequence[tuple[str, str]] = (),
) -> Simulated:
    """The study after it was run on a virtual clock: `study.best`, `study.trials`, `study.figures`.

    `study` is a spec, the tree of a study file, or the path of one; its command is not run. `curves` says what trials
    report and when: a table or its file (`dataset` for one of several in it), anything with
    `curve(params, seed) -> Curve`, or a function `f(params, step) -> {metric: value}` with `seconds(params, step)`
    (from the start until the step is reported; a number: of one step) and `steps` (how many, or which; by default up
    to the schedule's `max`). `workers`, `seed`, `trials`, `time` (virtual), `search` and `schedule` take the place of
    what the study says; `settings` are pairs of a key path and text, as `--set`. `charge`: what the clock is charged
    while the study decides: real time, CPU time ("cpu", less noise where the machine does other things too), or
    "nothing", and then the same seeds give the same study. Kept in memory unless `store` or `name` is given; a `name`
    whose study is unfinished goes on from where its log ends.

    Raises `BadInput` for what cannot be simulated, `KeyboardInterrupt` on Ctrl-C.
    """
    spec, stem = _spec_of(study, settings)
    spec = _with(
        spec, workers=workers, seed=seed, trials=trials, time=time, search=search, schedule=schedule, name=name
    )
    found = _curves_of(curves, spec, seconds=seconds, steps=steps, dataset=dataset)
    kept = store is not None or name is not None
    opened = open_store(find_places(store=store).store if kept else "memory://")
    event = created_event(spec, simulated=_named(curves), deterministic=deterministic)
    return run(create_or_continue(opened, event, stem=stem), found, conditions or Conditions(), charge=charge)


def run(
    opened: Opened, curves: Curves, conditions: Conditions, *, charge: Charge, progress: Progress | None = None
) -> Simulated:
    """The study has been simulated until it was over. Raises `KeyboardInterrupt` on Ctrl-C."""
    handle = opened.handle
    found = Simulated.joined(handle)
    assert isinstance(found, Simulated)
    spec, state = handle.state.spec, handle.state
    world = World(curves, conditions, seed=state.seed, now=max(EPOCH, state.switches.last_at))
    before, decisions, real_s = state.switches.elapsed, state.decisions, 0.0
    if opened.how != "finished":
        real_s = _search(handle, world, progress or Simulation(spec.budget.trials), charge=charge)
    workers = spec.run.workers
    passed, tally, now = state.switches.elapsed - before, world.tally, world.now
    found.figures = Figures(
        workers=workers,
        seconds=state.switches.elapsed,
        busy=_share(tally.busy_s(now), workers * passed),
        busy_filling=_share(tally.filled_s, workers * (tally.filled_at - tally.origin)),
        work=tally.work,
        reports=tally.reports,
        decisions=state.decisions - decisions,
        real_s=real_s,
        charged_s=tally.charged_s,
    )
    return found


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0


def _search(handle: Handle, world: World, progress: Progress, *, charge: Charge) -> float:
    """A runner has worked on the study until it was over; returns how many real seconds that took."""
    settings = Settings(study=handle.name, runs=Path("runs").absolute(), workers=handle.state.spec.run.workers)

    def make(executor: Executor) -> Runner:
        return Runner(handle.store, executor, policy_for, settings, observe=progress.update, say=progress.say)

    begun = clocks.perf_counter()
    try:
        why = run_beside(lambda: SimulatedExecutor(world, charge=charge), make)
        real_s = clocks.perf_counter() - begun
    finally:
        progress.close()
        handle.refresh()
    if why == "interrupted":
        raise KeyboardInterrupt
    return real_s


class Simulation(Progress):
    """The line of progress, with virtual time."""

    def _line(self, state: State, now: float) -> str:
        line, _, _ = super()._line(state, now).rpartition(", ")
        return f"{line}, {state.switches.elapsed:,.0f} virtual s"


# ------------------------------------------------------------------------------------------------------- the study


def created_event(spec: StudySpec, *, simulated: str, deterministic: bool = False) -> ev.StudyCreated:
    """The first event of a simulated study. It has no program, so that no real runner takes it up; it begins at a fixed
    time and its jobs are named after it, so that the same spec and seed give the same study."""
    seed = spec.search.seed
    if seed is None:
        raise BadInput("a simulated study needs a seed", key="search.seed")
    spec = located(msgspec.structs.replace(spec, command=None, function=None), Path.cwd())
    # What happens to a trial depends neither on the study's name nor on how many workers it has.
    searched = msgspec.structs.replace(spec, name=None, run=RunSettings(), budget=Budget())
    uid = hashlib.blake2b(msgspec.json.encode(searched), digest_size=8).hexdigest()
    provenance = {"surface": "simulate", "simulated": simulated, "runs": str(Path("runs").absolute())}
    return ev.StudyCreated(at=EPOCH, uid=uid, spec=spec, seed=seed, deterministic=deterministic, provenance=provenance)


def _spec_of(
    study: StudySpec | Mapping[str, Any] | str | Path, settings: Sequence[tuple[str, str]]
) -> tuple[StudySpec, str]:
    """The spec, and what to call the study when it has no name."""
    if isinstance(study, StudySpec):
        spec, stem = study, "simulated"
    elif isinstance(study, Mapping):
        spec, stem = spec_from_tree(dict(study), place="simulate", overrides=settings), "simulated"
    else:
        path = Path(study)
        if not path.is_file():
            raise BadInput("no such study file", place=str(study))
        spec = read_study_file(path, str(study), Asked(settings=tuple(settings)))
        stem = path.stem
    return spec, spec.name or stem


def _with(
    spec: StudySpec, *, workers: int | None, seed: int | None, trials: int | None, time: float | str | None,
    search: str | None, schedule: str | None, name: str | None,
) -> StudySpec:  # fmt: skip
    """The spec with what was given in its place; the seed is 0 where nothing else is said."""
    spec = msgspec.structs.replace(
        spec, name=None if name is None else check_study_name(name, place="simulate", key="name")
    )
    given = {"workers": workers, "trials": trials}
    for key, value in given.items():
        if value is not None and value < 1:
            raise BadInput(f"must be 1 or more, got {value}", place="simulate", key=key)
    own_seed = 0 if spec.search.seed is None else spec.search.seed
    spec = msgspec.structs.replace(
        spec,
        search=_replaced(spec.search, method=search, seed=own_seed if seed is None else seed),
        schedule=_replaced(spec.schedule, method=schedule),
        run=_replaced(spec.run, workers=workers),
        budget=_replaced(spec.budget, trials=trials, time_s=None if time is None else _seconds(time)),
    )
    if not spec.objectives:
        raise BadInput("which metric? give the study an `objective`", place="simulate", key="objective")
    limited = spec.budget.trials is None and spec.budget.time_s is not None  # virtual time passes quickly
    return spec if limited else budgeted(spec)[0]


def _seconds(time: float | str) -> float:
    try:
        seconds = parse_duration(time)
    except BadInput as error:
        raise BadInput(error.message, place="simulate", key="time") from None
    if seconds <= 0:
        raise BadInput(f"must be more than 0, got {time!r}", place="simulate", key="time")
    return seconds


def _replaced(record: Any, **given: Any) -> Any:
    return msgspec.structs.replace(record, **{name: value for name, value in given.items() if value is not None})


# ------------------------------------------------------------------------------------------------------ the curves


def _curves_of(
    given: Curves | Table | Measure | str | Path, spec: StudySpec, *, seconds: Seconds | float | None,
    steps: Sequence[float] | int | None, dataset: str | None,
) -> Curves:  # fmt: skip
    space = Space(spec.parameters, spec.constraints)
    if isinstance(given, str | Path):
        given = table_for(given, spec, dataset=dataset)
    if isinstance(given, Table):
        return given.over(space, _metrics(spec))
    if hasattr(given, "curve"):
        return given
    if not callable(given):
        raise BadInput(f"expected a table, its file or a function, got {given!r:.60}", place="simulate", key="curves")
    steps = spec.schedule.options.get("max") if steps is None else steps
    if seconds is None or steps is None:
        missing = "seconds" if seconds is None else "steps"
        raise BadInput("a function of curves needs it too", place="simulate", key=missing)
    return Functions(given, seconds, steps)


def table_for(path: str | Path, spec: StudySpec, *, dataset: str | None = None) -> Table:
    """The table in a file, its columns told apart by what the study searches and measures."""
    columns = text_columns(path)  # None: the file itself says what is a parameter
    names = None if columns is None else [one.name for one in spec.parameters if one.name in columns]
    return read_table(path, dataset=dataset, parameters=names, metrics=_metrics(spec), step=_step(spec, columns))


def _metrics(spec: StudySpec) -> list[str]:
    """What the study needs of each trial."""
    return list(dict.fromkeys([one.metric for one in spec.objectives] + [one.metric for one in spec.outcomes]))


def _step(spec: StudySpec, columns: Sequence[str] | None) -> str | None:
    """The column that is named as the study's resource, if there is one."""
    resource = spec.schedule.resource
    return resource if columns is not None and resource in columns else None


def _named(curves: object) -> str:
    if isinstance(curves, str | Path):
        return str(curves)
    return curves.place if isinstance(curves, Table) else getattr(curves, "__name__", type(curves).__name__)
