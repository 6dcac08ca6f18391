"""What a trial uses up: time, devices, money, and for one that runs on this host what its processes take now."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING

import msgspec
import psutil

from rung.execute import processes
from rung.model import WireNumber
from rung.runner.identity import host

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.api.attempts import Attempt
    from rung.study.live import Live
    from rung.study.state import State


class ProcessUse(msgspec.Struct, frozen=True, kw_only=True):
    """The processes of a running trial at this moment: how many, seconds of CPU so far, bytes of memory resident."""

    processes: int
    cpu_seconds: float
    memory_bytes: int


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What a trial has used in all its attempts.

    `seconds` are those of the attempts that are over. `gpus` and `cpus` are what a trial of the study is given,
    `devices` those it had. `reported_cost` is what it said (the metric `cost`), `priced_cost` what its seconds cost by
    `run.price`. `now` is there for a trial that runs on this host.
    """

    seconds: float
    gpus: float
    cpus: float
    devices: list[str]
    reported_cost: WireNumber | None
    priced_cost: WireNumber | None
    now: ProcessUse | None


def usage_of(state: State, number: int, attempts: Sequence[Attempt]) -> Usage:
    """What the trial with these attempts has used."""
    run = state.spec.run
    seconds = math.fsum(attempt.seconds or 0.0 for attempt in attempts)
    costs = [float(attempt.cost) for attempt in attempts if attempt.cost is not None]
    live = state.live.get(number)
    return Usage(
        seconds=round(seconds, 6),
        gpus=run.gpus,
        cpus=run.cpus,
        devices=list(dict.fromkeys(device for attempt in attempts for device in attempt.devices)),
        reported_cost=math.fsum(costs) if costs else None,
        priced_cost=None if run.price is None else seconds / 3600 * run.price,
        now=None if live is None or live.exit is not None else process_use(live),
    )


def process_use(live: Live) -> ProcessUse | None:
    """What the trial's processes take now; None where they are not on this host and boot, or gone."""
    if not live.pid or live.host != host() or live.boot != processes.boot_id():
        return None
    found = processes.inspect(live.pid)
    if found is None or found.gone or (live.ticks and found.ticks != live.ticks):
        return None
    count, cpu, memory = 0, 0.0, 0
    with contextlib.suppress(psutil.Error):
        leader = psutil.Process(live.pid)
        for process in [leader, *leader.children(recursive=True)]:
            with contextlib.suppress(psutil.Error), process.oneshot():  # gone meanwhile, or not ours to see
                times = process.cpu_times()
                cpu += times.user + times.system
                memory += process.memory_info().rss
                count += 1
    return ProcessUse(processes=count, cpu_seconds=round(cpu, 2), memory_bytes=memory) if count else None
