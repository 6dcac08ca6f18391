"""Some trials of a study run for real, in a place that is gone afterwards: how long all of them will take."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from rung.analysis.effort import Speed, Work, mean_speed, speed_of
from rung.analysis.records import duration
from rung.api.attachment import attach
from rung.api.creation import create
from rung.model import Budget, ScheduleSpec, StudySpec
from rung.plugins import open_store

if TYPE_CHECKING:
    from rung.api.handle import Handle
    from rung.runner.loop import Say
    from rung.runner.seat import Observer
    from rung.study import events as ev

Watch = Callable[["Handle"], tuple["Observer", "Say"]]


class Probed(msgspec.Struct, frozen=True):
    """What was measured: the seconds that each trial took and its speed, and how many trials failed."""

    seconds: tuple[float, ...]
    speeds: tuple[Speed, ...]
    failed: int


def probe(event: ev.StudyCreated, count: int, *, watch: Watch) -> Probed:
    """`count` trials of the study to be, run with its own program, each to its end. `watch` gives what is told of them.

    Raises `KeyboardInterrupt` when a signal came.
    """
    with tempfile.TemporaryDirectory(prefix="rung-probe-") as folder:
        small = msgspec.structs.replace(
            event, spec=_alone(event.spec, count), provenance={**event.provenance, "runs": folder}
        )
        store = open_store(f"sqlite:///{folder}/rung.db")
        try:
            handle = create(store, small, stem="probe")
            observe, say = watch(handle)
            why = attach(handle, workers=event.spec.run.workers, observe=observe, say=say)
            handle.refresh()
            if why != "done":
                raise KeyboardInterrupt
            return _measured(handle)
        finally:
            store.close()


def _alone(spec: StudySpec, count: int) -> StudySpec:
    """So many trials, compared with nobody: but one that would train for ever ends where the schedule says."""
    old = spec.schedule
    schedule = ScheduleSpec(resource=old.resource)
    top = old.options.get("max")
    if isinstance(top, int | float) and not isinstance(top, bool) and top > 0:
        schedule = msgspec.structs.replace(schedule, method="asha", options={"levels": [top / 2], "max": top})
    run = msgspec.structs.replace(spec.run, mirrors=())  # nobody else is told of these trials
    return msgspec.structs.replace(spec, name=None, budget=Budget(trials=count), schedule=schedule, run=run)


def _measured(handle: Handle) -> Probed:
    took, speeds = [], []
    for trial in handle.state.trials():
        seconds = duration(trial)
        if trial.state not in {"complete", "pruned"} or seconds is None or trial.started is None:
            continue
        reports = handle.reports(trial.number)
        took.append(seconds)
        steps, at = [r.step for r in reports], [r.time - trial.started for r in reports]
        speeds.append(speed_of(steps, at, duration=seconds))
    return Probed(tuple(took), tuple(speeds), handle.state.counts["failed"])


def estimate(spec: StudySpec, probed: Probed, *, trials: int | None, work: Work | None) -> dict[str, Any]:
    """What the study will take, as `rung plan --json` shows it.

    `seconds_total` is of the wall clock, `low` and `high` are what it would be if all trials were as the fastest and
    the slowest of those probed; None where it is not known. `startup` and `seconds_per_unit` are a trial's.
    """
    took, workers = probed.seconds, spec.run.workers
    each = sum(took) / len(took) if took else None
    found: dict[str, Any] = {"trials": len(took), "failed": probed.failed, "seconds_each": each}
    speed = mean_speed(probed.speeds) if took else None
    found |= {"startup": speed and speed.startup, "seconds_per_unit": speed and (speed.unit or None)}
    if not took or trials is None or speed is None:
        return found | {"seconds_total": None, "seconds_low": None, "seconds_high": None}
    if work is not None and speed.unit:
        busy = sorted(s.seconds(trials, work.planned) for s in probed.speeds)
        mean = speed.seconds(trials, work.planned)
    else:
        busy, mean = sorted(seconds * trials for seconds in took), sum(took) / len(took) * trials
    ends = {"seconds_total": mean, "seconds_low": busy[0], "seconds_high": busy[-1]}
    found |= {name: _wall(spec, seconds, min(workers, trials)) for name, seconds in ends.items()}
    if len(took) == 1:
        found |= {"seconds_low": None, "seconds_high": None}
    if spec.run.gpus:
        found["gpu_hours"] = mean * spec.run.gpus / 3600
    if spec.run.price is not None:
        found["cost"] = mean * spec.run.price / 3600
    return found


def _wall(spec: StudySpec, busy: float, at_once: int) -> float:
    seconds = busy / at_once
    return seconds if spec.budget.time_s is None else min(seconds, spec.budget.time_s)
