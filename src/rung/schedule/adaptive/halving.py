"""Synchronous halving, Determined 0.12 to 0.14: each rung takes and promotes fixed numbers of trials."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rung.schedule.adaptive.promotion import Promotion

if TYPE_CHECKING:
    from rung.schedule.adaptive.bracket import Move


class Halving(Promotion):
    """A trial is promoted as soon as it is certain to be among the best of its rung: with k of `start` results in, of
    which `promote` go on, k + promote - start are certain. A tie is decided for the older one."""

    newest_first: ClassVar[bool] = False

    def _first_trials(self) -> int:
        return self.shape.trials  # it waits for all of them

    def _chosen(self, index: int, place: int) -> tuple[int | None, int]:
        rung, starts = self.rungs[index], self.shape.starts
        certain = len(rung) + starts[index + 1] - starts[index]
        if len(rung.promoted) >= certain:
            return None, starts[index + 1]
        chosen = rung.order.at(place if place < certain else certain - 1)
        if chosen in rung.promoted:  # several objectives: a newcomer may have changed who stands where
            chosen = next(trial for trial in rung.order.best(len(rung)) if trial not in rung.promoted)
        return chosen, starts[index + 1]

    def _close(self) -> list[Move]:
        """The rest of each rung is ended when the rung is full."""
        moves: list[Move] = []
        for index, rung in enumerate(self.rungs[:-1]):
            if len(rung) >= self.shape.starts[index]:
                moves += self._end_parked(index, self.shape.starts[index + 1])
        return moves
