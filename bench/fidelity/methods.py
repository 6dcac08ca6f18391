"""What is compared, by name: our schedulers, and an oracle that begins with the best configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rung.model import Objective, ScheduleSpec
from rung.schedule.auto import FreezeThaw
from rung.schedule.auto.outlook import Candidates, Outlook, Worth
from rung.schedule.base import Contest

if TYPE_CHECKING:
    from bench.fidelity.tables import Floats, Table


DRAWN = 300  # of the configurations left in the table, looked at for one decision


class Pooled(FreezeThaw):
    """`auto` whose new configurations are those of a table that were not begun yet."""

    def __init__(self, contest: Contest, table: Table) -> None:
        super().__init__(contest)
        self.table = table
        self.left = np.ones(len(table.params), dtype=bool)
        self.row = {tuple(params.values()): i for i, params in enumerate(table.params)}
        self.row_of = {unit.tobytes(): i for i, unit in enumerate(table.units)}

    def _begun(self, begun: Any) -> None:
        super()._begun(begun)
        self.left[self.row[tuple(begun.params.values())]] = False

    def _drawn(self, outlook: Outlook, number: int) -> tuple[Floats, Worth]:
        left = np.flatnonzero(self.left)
        if len(left) > DRAWN:
            rng = np.random.default_rng((self.contest.seed, number))
            left = np.sort(rng.choice(left, DRAWN, replace=False))
        units = self.table.units[left]
        count = len(units)
        blank = np.zeros(count)
        return units, outlook.worth(Candidates(units, -1 - np.arange(count), blank, blank, np.full(count, np.nan)))

    def _params(self, row: Floats) -> dict[str, Any]:
        return self.table.params[self.row_of[row.tobytes()]]


def contest(table: Table, method: str, workers: int, seed: int, options: dict[str, Any]) -> Contest:
    """What the scheduler is told."""
    return Contest(
        schedule=ScheduleSpec(method=method, resource="epoch", options={"max": table.epochs, **options}),
        objectives=(Objective(metric="loss"),),
        seed=seed,
        space=table.space,
        workers=workers,
    )
