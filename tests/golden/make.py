"""Writes the golden logs again: `python tests/golden/make.py`. See README.md for when that is allowed."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from rung.model import Budget, CheckpointSpec, Objective, Outcome, Parameter, RunSettings, ScheduleSpec, SearchSpec
from rung.study import events as ev
from rung.testing.functions import rough
from rung.testing.studies import BEGIN, PARAMETERS, Ending, World, digest, fails, study_spec, well_behaved
from rung.testing.training import Program

HERE = Path(__file__).parent


def plain() -> World:
    """Random search, two workers, the younger trial always ends first."""
    return World(study_spec(trials=8, start="default"), workers=2, seed=11).run(choose=max)


def trouble() -> World:
    """Failures, retries, time limits, a lost machine, a crash of the runner, NaN, a missing metric."""

    def behave(trial: int, attempt: int, params: dict[str, Any]) -> Ending:
        if attempt > 1:
            return well_behaved(trial, attempt, params)
        endings = {
            1: fails(trial, attempt, params),
            2: Ending(how="timeout", code=None),
            3: Ending(how="lost", code=None),
            4: Ending(reports=({"loss": "NaN"},)),
            5: Ending(reports=({"los": 0.5},)),
            6: Ending(how="never", code=None),
        }
        return endings.get(trial) or well_behaved(trial, attempt, params)

    world = World(study_spec(trials=9, run=RunSettings(retries=1, timeout_s=60)), workers=3, behave=behave, seed=12)
    world.turn()
    world.end(1)
    world.report(0, loss=0.75)
    world = world.resumed()
    return world.run(choose=lambda running: running[len(running) // 2])


def requests() -> World:
    """Somebody enqueues, pauses, stops, retries, tells, edits; the study ends twice."""
    world = World(study_spec(trials=5), workers=2, seed=13)
    world.turn()
    world.request(ev.TrialEnqueued, params={"lr": 0.01, "opt": "adam", "epochs": 30})
    world.request(ev.TrialStopRequested, trial=0)
    world.turn()
    world.end(0)
    world.request(ev.PauseRequested)
    world.end(1)
    world.turn()
    world.request(ev.TrialTold, trial=1, values={"loss": 0.015625})
    world.request(ev.UnpauseRequested)
    world.run()
    world.request(ev.RetryRequested, trial=2)
    change = ev.Change("budget.trials", 5, 8)
    world.request(ev.SpecChanged, changes=(change,), budget=Budget(trials=8), run=RunSettings(retries=2))
    world.turn()
    world.request(ev.StopRequested, now=True)
    return world.run()


def deterministic() -> World:
    """Results count in the order of the trials, whichever ended first; some fail."""

    def behave(trial: int, attempt: int, params: dict[str, Any]) -> Ending:
        return (fails if trial in {2, 7} else well_behaved)(trial, attempt, params)

    spec = study_spec(trials=8, search=SearchSpec(method="sobol", lag=3))
    return World(spec, workers=3, behave=behave, seed=14, deterministic=True).run(choose=max)


def tradeoff() -> World:
    """Two objectives, a bound, two runners, a finite space that is used up."""

    def behave(trial: int, attempt: int, params: dict[str, Any]) -> Ending:
        return Ending(reports=({"loss": rough(params), "acc": 1 - rough(params) ** 2, "ms": float(10 * trial)},))

    spec = study_spec(
        trials=50,
        parameters=(PARAMETERS[2], Parameter(name="layers", type="int", min=1, max=3)),
        objectives=(Objective(metric="loss"), Objective(metric="acc", goal="maximize", value="best")),
        outcomes=(Outcome(metric="ms", at_most=30.0),),
        search=SearchSpec(method="auto", repeats=2),
    )
    one = World(spec, workers=2, behave=behave, seed=15)
    two = one.joined()
    while one.state.switches.completed is None:
        for world in (two, one):
            world.catch_up()
            world.turn()
            if world.running():
                world.end(world.running()[0])
        one.catch_up()
    return one


def edited() -> World:
    """Batches, first points, a warm start, and a space that is edited twice, once while a proposal is under way."""

    def behave(trial: int, attempt: int, params: dict[str, Any]) -> Ending:
        return (fails if trial in {2, 6} else well_behaved)(trial, attempt, params)

    lr, width, opt = PARAMETERS[:3]
    spec = study_spec(trials=14, search=SearchSpec(method="sobol", batch=3), start=({"width": 24}, {"width": 64}))
    earlier = ev.EarlierStudyRead(
        at=BEGIN, source=0, study="old", uid="fedcba9876543210", total=9,
        params=({"lr": 0.001, "width": 8}, {"lr": 0.5, "width": 16}), losses=((0.25,), ("Infinity",)),
    )  # fmt: skip
    world = World(spec, workers=3, behave=behave, seed=16, earlier=(earlier,))
    world.turn()
    world.request(ev.TrialEnqueued, params={"opt": "sgd", "width": 40})
    world.request(ev.TrialEnqueued, params={"opt": "adam", "width": 16})
    change = ev.Change("parameters.width.max", 64, 32)
    world.request(ev.SpecChanged, changes=(change,), parameters=(replace(width, max=32),))
    for number in (1, 0, 2):
        world.end(number)
    world.workers = 1
    world.turn()
    world.workers = 3
    question = world.engine.question(free=2)
    assert question is not None
    answered = question.answer()
    changes = (ev.Change("parameters.opt.values", ["sgd", "adam"], ["adam", "lion"]),)
    world.request(
        ev.SpecChanged, changes=changes, parameters=(replace(opt, values=("adam", "lion")), replace(lr, max=1.0)),
        constraints=("width > 8",), budget=Budget(trials=12),
    )  # fmt: skip
    world.decide(world.engine.conclude(question, answered, at=world.now, seconds=0.25))
    return world.resumed().run(choose=max)


def promoted() -> World:
    """Trials are held and promoted, with checkpoints; some are killed or lost, a runner crashes, a person holds one."""
    spec = study_spec(
        trials=9, run=RunSettings(workers=3, retries=2),
        schedule=ScheduleSpec(method="asha", resource="epoch", options={"type": "promotion", "max": 8, "eta": 2}),
        checkpoint=CheckpointSpec(study_best=2, disk_bytes=900),
    )  # fmt: skip
    world, program = World(spec, workers=3, seed=17), Program(steps=8, heeds=True)

    def some(count: int) -> None:
        for k in range(count):
            world.turn()
            program.advance(world, world.running()[k % len(world.running())])

    some(9)
    world.exit(world.running()[0], how="killed", code=None)
    some(6)
    world.request(ev.TrialPauseRequested, trial=world.running()[-1])
    some(5)
    world = world.resumed()
    some(6)
    owner = world.running()[0]
    for saved in world.state.shelf.saved[owner][-1:]:
        made = saved.checkpoint
        world.fact(ev.CheckpointLost, owner=owner, attempt=made.attempt, name=made.name, why="it is not there any more")
    world.exit(owner, how="lost", code=None)
    for held in sorted(world.state.held):
        world.request(ev.TrialUnpauseRequested, trial=held)
    return program.run(world, choose=max)


def population() -> World:
    """Clones of the best take the places of the worst, until the cost is too high; two runners."""

    def metrics(params: dict[str, Any], step: float) -> dict[str, Any]:
        return {"loss": rough(params) - step / 1000, "cost": step / 4}

    spec = study_spec(
        budget=Budget(trials=12, cost=10.0, stop="loss < -1"), run=RunSettings(workers=4),
        schedule=ScheduleSpec(
            method="pbt", resource="epoch", options={"population": 4, "interval": 3, "max": 12, "quantile": 0.25}
        ),
    )  # fmt: skip
    one = World(spec, workers=2, seed=18)
    two, program, turns = one.joined(), Program(steps=12, metrics=metrics), count()
    while one.state.switches.completed is None:
        for world in (two, one):
            world.catch_up()
            world.turn()
            if world.running():
                program.advance(world, world.running()[next(turns) // 2 % len(world.running())])
        one.catch_up()
    return one


def noted() -> World:
    """People write notes beside the study and its trials, and change how many workers a runner follows."""
    world = World(study_spec(trials=4, run=RunSettings(workers=2)), workers=2, seed=19)
    world.fact(ev.RunnerAttached, runner="r", epoch=7, host="host", pid=1, workers=2, follows=True)
    world.request(ev.NotesChanged, text="first try", tagged=("digits", "old"))
    world.turn()
    world.request(ev.NotesChanged, trial=0, text="looks odd", tagged=("odd",), archived=True)
    world.request(ev.NotesChanged, trial=99, text="there is no such trial")
    world.request(ev.NotesChanged, trial=1, text="nothing")
    world.request(ev.SpecChanged, changes=(ev.Change("run.workers", 2, 3),), run=RunSettings(workers=3))
    world.run()
    world.request(ev.NotesChanged, trial=1, text="")
    world.request(ev.NotesChanged, tagged=("done",), untagged=("old", "unknown"))
    return world


STUDIES: dict[str, Callable[[], World]] = {
    make.__name__: make
    for make in (plain, trouble, requests, deterministic, tradeoff, edited, promoted, population, noted)
}


def write() -> None:
    """The logs and the digests of their states lie beside this file."""
    digests = {}
    for name, make in STUDIES.items():
        world = make()
        lines = [ev.encode(event).decode() for event in world.events]
        (HERE / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
        digests[name] = digest(world.state)
    (HERE / "digests.json").write_text(json.dumps(digests, indent=2) + "\n")


if __name__ == "__main__":
    write()
