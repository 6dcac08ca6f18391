"""Studies on a virtual clock, with the real runner and store; and runners that are killed in the middle of one."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import rung
from rung.api import simulating
from rung.api.creation import create_or_continue
from rung.api.handle import Handle
from rung.api.simulating import Simulated, created_event, simulate
from rung.execute.simulated import SimulatedExecutor
from rung.execute.simulation.conditions import Conditions
from rung.execute.simulation.curves import Curve
from rung.execute.simulation.world import EPOCH, World
from rung.execute.tablefiles import read_table
from rung.model import BadInput, Budget, Objective, Parameter, RunSettings, ScheduleSpec, SearchSpec, StudySpec
from rung.plugins import policy_for
from rung.runner.loop import Runner, Settings
from rung.store.base import Entry, Lease, Position
from rung.store.memory import MemoryStore
from rung.study import events as ev
from rung.study.invariants import broken

CONDITIONS = Conditions(failures=0.15, stragglers=0.3, preemption=40.0, startup_s=0.5, checkpoints=True, restore_s=0.25)
STUDY = """
parameters:
  lr: {type: float, min: 0.0, max: 1.0}
objective: {metric: loss}
search: {method: random}
budget: {trials: 6}
run: {workers: 3}
"""


class Bowl:
    """Loss falls towards (lr - 0.3)^2; an epoch takes longer the larger lr is."""

    def curve(self, params: Mapping[str, Any], seed: int) -> Curve:
        steps = np.arange(1.0, 10.0)
        return Curve(steps, steps * (5 + 10 * params["lr"]), {"loss": (params["lr"] - 0.3) ** 2 + 1 / steps})


def spec(*, trials: int = 12, workers: int = 3, **schedule: Any) -> StudySpec:
    method = schedule.pop("method", "none")
    return StudySpec(
        name="study",
        parameters=(Parameter(name="lr", type="float", min=0.0, max=1.0),),
        objectives=(Objective(metric="loss"),),
        search=SearchSpec(method="random", seed=3),
        schedule=ScheduleSpec(method=method, resource="epoch", options=schedule),
        budget=Budget(trials=trials),
        run=RunSettings(workers=workers, retries=1),
    )


def outcome(study: Simulated) -> list[Any]:
    return [msgspec.to_builtins(trial) | {"value": repr(trial.value)} for trial in study.trials]  # NaN is not itself


# -------------------------------------------------------------------------------------------------------- simulations


def test_a_study_is_simulated_by_the_engine_that_runs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    study = rung.simulate(spec(), Bowl(), charge="nothing")
    assert study.state == "complete"
    assert [trial.state for trial in study.trials] == ["complete"] * 12
    best = min(study.trials, key=lambda trial: trial.value or 0.0)
    assert study.best.number == best.number
    assert study.best.value == pytest.approx((study.best.params["lr"] - 0.3) ** 2 + 1 / 9)
    assert len(study.dataframe()) == 12
    for trial in study.trials:
        assert trial.started is not None
        assert trial.ended is not None
        assert trial.ended - trial.started == pytest.approx(9 * (5 + 10 * trial.params["lr"]), abs=1e-5)
    assert study.trials[0].started == EPOCH
    assert list(tmp_path.iterdir()) == []  # a simulated study leaves nothing behind


def test_the_figures_say_what_it_came_to() -> None:
    study = simulate(spec(trials=9), Bowl(), charge="nothing")
    figures = study.figures
    last = max(trial.ended or 0.0 for trial in study.trials)
    took = [(trial.ended or 0.0) - (trial.started or 0.0) for trial in study.trials]
    assert figures.seconds == pytest.approx(last - EPOCH)
    assert figures.busy == pytest.approx(sum(took) / (3 * figures.seconds))
    assert figures.busy_filling == pytest.approx(1.0)
    assert (figures.work, figures.reports, figures.workers) == (81, 81, 3)
    assert figures.decisions == 9 * 3 + 1  # proposed, assigned, completed; and the study
    assert figures.decisions_per_second == figures.decisions / figures.real_s
    assert figures.charged_s == 0
    assert simulate(spec(trials=3), Bowl()).figures.charged_s > 0


def test_with_free_decisions_the_same_seed_gives_the_same_study() -> None:
    def again(**given: Any) -> list[Any]:
        return outcome(simulate(spec(method="asha", max=9), Bowl(), charge="nothing", conditions=CONDITIONS, **given))

    assert again() == again()
    assert again() != again(seed=4)
    assert any(trial["attempt"] > 1 for trial in again())


def test_fates_do_not_depend_on_how_many_workers_there_are() -> None:
    conditions = Conditions(stragglers=0.5)
    few, many = (
        [
            (trial.ended or 0.0) - (trial.started or 0.0)
            for trial in simulate(spec(), Bowl(), workers=workers, conditions=conditions, charge="nothing").trials
        ]
        for workers in (1, 12)
    )
    assert few == pytest.approx(many)


def test_trials_that_lose_their_machine_are_tried_again() -> None:
    study = simulate(spec(trials=10), Bowl(), conditions=Conditions(preemption=30.0), charge="nothing")
    assert [trial.state for trial in study.trials] == ["complete"] * 10
    assert max(trial.attempt for trial in study.trials) > 1


def test_starts_that_are_held_are_made_again() -> None:
    study = simulate(spec(trials=10), Bowl(), conditions=Conditions(holds=0.5), charge="nothing")
    assert [trial.state for trial in study.trials] == ["complete"] * 10
    assert study.figures.busy_filling < 1


def test_a_time_budget_is_virtual() -> None:
    study = simulate(spec(), Bowl(), time="3m", trials=1000, charge="nothing")
    assert study.figures.seconds == pytest.approx(180, abs=1e-3)
    assert study.figures.real_s < 30


def test_a_functions_curves_need_seconds_and_steps() -> None:
    def curves(params: Mapping[str, Any], step: float) -> dict[str, float]:
        return {"loss": params["lr"] / step}

    study = simulate(spec(trials=2), curves, seconds=2.0, steps=4, charge="nothing")
    assert [trial.steps for trial in study.trials] == [4, 4]
    by_schedule = simulate(spec(trials=2, method="asha", max=3), curves, seconds=lambda p, step: step**2)
    assert max(trial.steps for trial in by_schedule.trials) == 3
    with pytest.raises(BadInput, match="simulate: steps: a function of curves needs it too"):
        simulate(spec(), curves, seconds=2.0)
    with pytest.raises(BadInput, match="simulate: curves: expected a table, its file or a function, got 7"):
        simulate(spec(), 7)  # type: ignore[arg-type]


def test_a_study_file_on_a_table(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("command: ./train {rest}\n" + STUDY)
    (tmp_path / "t.csv").write_text("lr,epoch,seconds,loss\n0.2,1,1,5\n0.2,2,2,4\n0.9,1,1,7\n0.9,2,2,6\n")
    study = simulate(tmp_path / "s.yaml", tmp_path / "t.csv", charge="nothing")
    expected = [4 if trial.params["lr"] < 0.55 else 6 for trial in study.trials]
    assert [trial.value for trial in study.trials] == expected
    assert study.figures.workers == 3
    table = read_table(tmp_path / "t.csv", metrics=["loss"])
    assert [trial.value for trial in simulate(tmp_path / "s.yaml", table, charge="nothing").trials] == expected


def test_further_columns_of_a_table_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("lr,gpu,samples,epoch,seconds,loss\n0.2,a,10,1,1,5\n0.2,a,20,2,2,4\n")
    tree = {
        "parameters": {"lr": {"type": "float", "min": 0.0, "max": 1.0}},
        "objective": {"metric": "loss"},
        "schedule": {"method": "none", "resource": "samples"},
        "budget": {"trials": 1},
    }
    assert simulate(tree, path).handle.reports(0)[-1].step == 20


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"study": "none.yaml"}, "none.yaml: no such study file"),
        ({"workers": 0}, "simulate: workers: must be 1 or more, got 0"),
        ({"study": StudySpec(parameters=spec().parameters)}, "simulate: objective: which metric? give the study an `objective`"),
        ({"curves": "none.csv"}, "none.csv: no such file"),
        (
            {"time": "soon"},
            "simulate: time: expected a duration such as 2h30m, 90s or a number of seconds, got 'soon'",
        ),
        ({"name": "7"}, "simulate: name: 7 cannot name a study: a bare number is a trial; add a letter"),
    ],
)  # fmt: skip
def test_what_cannot_be_simulated_is_refused(given: dict[str, Any], says: str) -> None:
    given = dict(given)
    study, curves = given.pop("study", spec()), given.pop("curves", Bowl())
    with pytest.raises(BadInput) as error:
        simulate(study, curves, **given)
    assert str(error.value).replace('"7"', "7") == says


def test_a_named_study_goes_on_from_where_its_log_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {"charge": "nothing", "conditions": CONDITIONS}
    whole = simulate(spec(trials=4), Bowl(), **given)
    kept = given | {"store": f"sqlite:///{tmp_path / 's.db'}", "name": "kept"}
    rests, rest = itertools.count(), SimulatedExecutor.rest

    def rest_until_killed(executor: SimulatedExecutor, until: float | None) -> float | None:
        if next(rests) == 15:
            raise Killed
        return rest(executor, until)

    with monkeypatch.context() as patch:
        patch.setattr(SimulatedExecutor, "rest", rest_until_killed)
        with pytest.raises(Killed):
            simulate(spec(trials=4), Bowl(), **kept)
    more = simulate(spec(trials=4), Bowl(), **kept)
    assert 0 < more.figures.reports < whole.figures.reports
    assert outcome(more) == outcome(whole)
    again = simulate(spec(trials=4), Bowl(), **kept)
    assert outcome(again) == outcome(whole)
    assert (again.figures.real_s, again.figures.seconds) == (0, more.figures.seconds)


def test_no_real_runner_takes_a_simulated_study_up() -> None:
    study = simulate(msgspec.structs.replace(spec(trials=1), command=("sh", "-c", "exit 3")), Bowl())
    assert study.handle.state.spec.command is None


def test_import_rung_loads_no_simulator() -> None:
    code = "import rung, sys; print([name for name in sys.modules if 'simul' in name or name == 'numpy'])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# ------------------------------------------------------------------------------------------------------------- chaos


class Killed(BaseException):
    """The runner is gone: nothing of it runs any more."""


class Deadly(MemoryStore):
    """A store whose runner dies at its `at`-th append, when the entries are there or when they are not yet."""

    def __init__(self) -> None:
        super().__init__()
        self.appends, self.at, self.written = 0, -1, False

    def append(
        self, study: str, entries: Sequence[Entry], *, after: int | None = None, lease: Lease | None = None
    ) -> Position:
        self.appends += 1
        if self.at < 0 or self.appends < self.at:
            return super().append(study, entries, after=after, lease=lease)
        if self.appends == self.at and self.written:
            super().append(study, entries, after=after, lease=lease)
        raise Killed

    def new_runner(self, study: str, at: int) -> None:
        """Nothing holds the dead one's lease."""
        self.appends, self.at = 0, at
        for lease in self.leases(study):
            self.release(lease)


def race(store: Deadly, world: World) -> bool:
    """A runner has worked on the study in this world; whether it came to the end."""
    settings = Settings(study="study", runs=Path("/none"), workers=3)

    async def work() -> None:
        executor = SimulatedExecutor(world, charge="nothing")
        await Runner(store, executor, policy_for, settings, observe=lambda *_: None, say=lambda _: None).run()

    with contextlib.suppress(Killed):
        asyncio.run(work())
        return True
    return False


def raced(
    kills: Sequence[int] = (), *, written: bool = False, new_world: bool = True, **schedule: Any
) -> tuple[Any, int]:
    """What became of the study, and how many appends its last runner made."""
    store = Deadly()
    event = created_event(spec(**schedule), simulated="Bowl")
    state = create_or_continue(store, event, stem="study").handle.state
    store.written = written
    world = World(Bowl(), CONDITIONS, seed=state.seed)
    for at in (*kills, -1):
        store.new_runner("study", at)
        over = race(store, world)
        assert over == (at < 0)
        if new_world:
            world = World(
                Bowl(), CONDITIONS, seed=state.seed, now=max(EPOCH, Handle(store, "study").state.switches.last_at)
            )
    handle = Handle(store, "study")
    assert broken(handle.state) == []
    trials = [msgspec.to_builtins(trial) for trial in handle.state.trials()]
    for trial in trials:
        trial["value"] = repr(trial["value"])  # NaN is not equal to itself
    kept = {trial: [one.checkpoint for one in saved] for trial, saved in handle.state.shelf.saved.items()}
    proposed = [event for _, event in handle.story() if isinstance(event, ev.TrialProposed)]
    found = {
        "trials": [(one, handle.reports(one["number"])) for one in trials],
        "kept": kept,
        "clones": {event.trial: event.source for event in proposed if event.source is not None},
    }
    return found, store.appends


SCHEDULES: dict[str, dict[str, Any]] = {
    "none": {},
    "stopping": {"method": "asha", "type": "stopping", "max": 9},
    "promotion": {"method": "asha", "type": "promotion", "max": 9},
    "pbt": {"method": "pbt", "population": 4, "interval": 2, "max": 9},
}
PARTS, A_PART = 4, 3


@functools.cache
def undisturbed(schedule: str) -> tuple[Any, int]:
    """The study that no runner died in, with the number of appends."""
    return raced(**SCHEDULES[schedule])


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_killed_runner_leaves_no_trace(schedule: str, part: int) -> None:
    """Whenever it dies, trials, reports, times and checkpoints are those of an undisturbed study: whether the world
    outlives it or the next one knows only the log, whether the last events reached the log or not."""
    whole, appends = undisturbed(schedule)
    assert appends > 40
    for moment in range(part * A_PART, (part + 1) * A_PART):
        at = 3 + moment * (appends - 4) // (PARTS * A_PART)
        written, new_world = moment % 2 == 0, moment % 3 == 0
        found, _ = raced([at], written=written, new_world=new_world, **SCHEDULES[schedule])
        assert found == whole, (at, written, new_world)


def test_the_undisturbed_studies_are_eventful() -> None:
    """Else the test above would show little."""
    trials = {name: [trial for trial, _ in undisturbed(name)[0]["trials"]] for name in SCHEDULES}
    assert max(trial["attempt"] for trial in trials["none"]) > 2
    assert {trial["state"] for trial in trials["stopping"]} >= {"pruned", "complete"}
    assert max(trial["steps"] for trial in trials["promotion"] if trial["attempt"] > 1) == 9
    assert len(undisturbed("pbt")[0]["clones"]) > 1


def test_many_runners_die_one_after_the_other() -> None:
    found, _ = raced([20, 9, 3, 4, 11, 6, 25], written=True, **SCHEDULES["promotion"])
    assert found == undisturbed("promotion")[0]


def test_the_line_of_progress_has_virtual_time() -> None:
    study = simulate(spec(trials=2), Bowl(), charge="nothing")
    line = simulating.Simulation(2)._line(study.handle.state, 0.0)
    assert line.startswith("2/2 trials, 0 running, best ")
    assert line.endswith(f", {study.figures.seconds:,.0f} virtual s")
