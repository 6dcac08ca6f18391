"""What a simulated world does to the jobs in it. Everything is drawn from (seed, job key): a job that another runner
adopts meets the same fate."""

from __future__ import annotations

import math
import random
from statistics import NormalDist
from typing import NamedTuple

import msgspec

from rung.model import BadInput

_NORMAL = NormalDist()
_HOUR_S = 3600.0


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """How a simulated world differs from one in which nothing goes wrong and nothing takes time but training.

    `failures`: chance that an attempt ends with exit status 1 on its way, at a moment uniform over it. `stragglers`:
    standard deviation of the logarithm of how much slower an attempt is (median 1). `preemption`: how many times in
    an hour of running an attempt loses its machine (exponential). `holds`: chance that a start finds no room and has to
    be made again. `startup_s`: from the start of an attempt until it trains. `stop_delay_s`: how long an attempt takes
    to end that was told to (at most its grace). `checkpoints`: scripts save one with each report, which takes
    `checkpoint_s`; resuming from one takes `restore_s`. `ends_at_resource`: scripts heed `RUNG_RESOURCE` and end there
    by themselves. `gulp_s`: news are collected for so long before the runner hears of them.
    """

    failures: float = 0.0
    stragglers: float = 0.0
    preemption: float = 0.0
    holds: float = 0.0
    startup_s: float = 0.0
    stop_delay_s: float = 0.0
    checkpoints: bool = False
    checkpoint_s: float = 0.0
    restore_s: float = 0.0
    ends_at_resource: bool = False
    gulp_s: float = 0.0

    def __post_init__(self) -> None:
        most = {"failures": 1.0, "holds": 0.99}  # a start must succeed some time
        for name in self.__struct_fields__:
            value, limit = float(getattr(self, name)), most.get(name, math.inf)
            if not 0 <= value <= limit or value == math.inf:
                range_ = f"from 0 to {limit:g}" if name in most else "of 0 or more"
                raise BadInput(f"expected a number {range_}, got {value:g}", key=name.removesuffix("_s"))


class Fate(NamedTuple):
    """What becomes of one attempt. `slowness` multiplies its times. `fails_at`: the part of its way after which it
    fails, in 0..1; None: it does not. `lost_after_s`: when its machine is gone, in seconds from its start."""

    slowness: float = 1.0
    fails_at: float | None = None
    lost_after_s: float = math.inf


def fate_of(conditions: Conditions, seed: int, key: str) -> Fate:
    """The fate of the job `key`. Each part has a draw of its own: more failures leave the stragglers as they are."""
    draw = random.Random(f"{seed}/{key}").random  # noqa: S311 - a simulation, whose draws are the same in all versions
    fails, when, slow, lost = draw(), draw(), draw(), draw()
    return Fate(
        slowness=math.exp(conditions.stragglers * _NORMAL.inv_cdf(max(slow, 2**-54))),
        fails_at=when if fails < conditions.failures else None,
        lost_after_s=-math.log1p(-lost) * _HOUR_S / conditions.preemption if conditions.preemption else math.inf,
    )


def is_held(conditions: Conditions, seed: int, key: str, tries: int) -> bool:
    """Whether the start of the job `key`, tried `tries` times before, finds no room."""
    return bool(conditions.holds) and random.Random(f"{seed}/{key}/held/{tries}").random() < conditions.holds  # noqa: S311
