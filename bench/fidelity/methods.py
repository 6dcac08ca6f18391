"""What is compared, by name."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rung.model import Budget, Objective, ScheduleSpec
from rung.plugins import scheduler_class
from rung.schedule.auto import FreezeThaw
from rung.schedule.auto.outlook import Candidates, Outlook, Worth
from rung.schedule.base import Contest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.fidelity.tables import Floats, Table
    from rung.schedule.base import Begun, Scheduler

DRAWN = 300  # of the configurations left in the table, looked at for one decision
PEER = "syne-tune"


class Method(NamedTuple):
    """One of the compared. `schedule`: the name of our scheduler, None for a peer's; `first`: whether the best
    configuration is begun first."""

    title: str
    schedule: str | None
    options: Mapping[str, Any] = MappingProxyType({})
    first: bool = False


METHODS = {
    "random": Method("random", "none"),
    "oracle": Method("oracle (the best configuration first)", "none", first=True),
    "auto": Method("rung auto", "auto", {"checkpoint": True}),
    "asha-stopping": Method("rung asha, stopping", "asha"),
    "asha-promotion": Method("rung asha, promotion", "asha", {"type": "promotion"}),
    "asha-stopping-3": Method("rung asha, stopping, min 3", "asha", {"min": 3}),
    "hyperband": Method("rung hyperband", "hyperband"),
    "adaptive": Method("rung adaptive", "adaptive"),
    "median": Method("rung median", "median"),
    "curve": Method("rung curve", "curve"),
    PEER: Method("Syne Tune ASHA", None),
}


class Pooled(FreezeThaw):
    """`auto` whose new configurations are those of a table that were not begun yet."""

    def __init__(self, contest: Contest, table: Table) -> None:
        super().__init__(contest)
        self.table = table
        self.left = np.ones(len(table.params), dtype=bool)
        self.row = {tuple(params.values()): i for i, params in enumerate(table.params)}
        self.row_of = {unit.tobytes(): i for i, unit in enumerate(table.units)}

    def _begun(self, begun: Begun) -> None:
        super()._begun(begun)
        self.left[self.row[tuple(begun.params.values())]] = False

    def _drawn(self, outlook: Outlook, number: int) -> tuple[Floats, Worth]:
        left = np.flatnonzero(self.left)
        if len(left) > DRAWN:
            rng = np.random.default_rng((self.contest.seed, number))
            left = np.sort(rng.choice(left, DRAWN, replace=False))
        units, blank = self.table.units[left], np.zeros(len(left))
        return units, outlook.worth(Candidates(units, -1 - np.arange(len(left)), blank, blank, blank + np.nan))

    def _params(self, row: Floats) -> dict[str, Any]:
        return self.table.params[self.row_of[row.tobytes()]]


def contest(table: Table, method: str, workers: int, seed: int, options: Mapping[str, Any]) -> Contest:
    """What the scheduler is told."""
    return Contest(
        schedule=ScheduleSpec(method=method, resource="epoch", options={"max": table.epochs, **options}),
        objectives=(Objective(metric="loss"),),
        seed=seed,
        space=table.space,
        budget=Budget(trials=len(table.params)),
        workers=workers,
    )


def scheduler(method: Method, table: Table, workers: int, seed: int) -> Scheduler:
    """One of ours, for one study."""
    assert method.schedule is not None
    options: Mapping[str, Any] = {} if method.schedule == "none" else method.options
    asked = contest(table, method.schedule, workers, seed, options)
    if method.schedule == "auto":
        return Pooled(asked, table)
    found: Scheduler = scheduler_class(method.schedule)(asked)
    return found
