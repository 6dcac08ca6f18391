"""The promotion rule, Determined 0.13 to 0.37: a trial stops at each rung, and is promoted when enough are worse."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, ClassVar

from rung.schedule.adaptive.bracket import Bracket, Dropped, Parked, Promoted

if TYPE_CHECKING:
    from rung.schedule.adaptive.bracket import Move
    from rung.schedule.adaptive.order import Mark

ENDED_AT_ONCE = 50


class Promotion(Bracket):
    """Of n results of a rung int(n / d) are to be promoted: the newest one if it is among them, else, when it made
    their number rise, the best that stood just behind. Each result leads to one more job, a promotion or a new trial.
    A tie is decided for the older one."""

    newest_first: ClassVar[bool] = False

    def _result(self, trial: int, mark: Mark) -> list[Move]:
        index = self.at[trial]
        place = self.rungs[index].insert(trial, mark)
        if index == len(self.rungs) - 1:
            return [*self._complete(trial), *self._replace(), *self._close()]
        chosen, keep = self._chosen(index, place)
        moves = [] if chosen == trial or trial in self.exited else self._park(index, trial, keep, place)
        if chosen is None:
            moves += self._replace()
        else:
            moves += self._promote(index, chosen, keep)
        return [*moves, *self._close()]

    def _chosen(self, index: int, place: int) -> tuple[int | None, int]:
        """Who is promoted now that a result took `place` in this rung, and how many are to be promoted in all."""
        rung = self.rungs[index]
        before, keep = int((len(rung) - 1) / self.divisor), int(len(rung) / self.divisor)
        if place < keep:
            return rung.order.at(place), keep
        if keep != before:
            best = rung.order.at(before)  # of those behind the old boundary
            if best not in rung.promoted and best not in self.ended:
                return best, keep
        return None, keep

    def _park(self, index: int, trial: int, keep: int, place: int) -> list[Move]:
        self.rungs[index].parked[trial] = None
        return [Parked(trial, self._standing(index, trial, keep, place))]

    def _promote(self, index: int, trial: int, keep: int) -> list[Move]:
        """The trial goes on to the next rung; one that exited is there at once, with what it counts as."""
        rung = self.rungs[index]
        rung.promoted.add(trial)
        rung.parked.pop(trial, None)
        self.at[trial] = index + 1
        self.rungs[index + 1].coming += 1
        if trial in self.exited:
            return self._result(trial, self.exited[trial])
        return [Promoted(trial, index + 1, self._standing(index, trial, keep))]

    def _close(self) -> list[Move]:
        """Once all trials have a result in the first rung, those held at rungs to which nobody is on the way are
        ended, from the first such rung up to one that still waits for somebody. What is left when the bracket is over
        ends with the study."""
        if len(self.rungs[0]) < self.shape.trials:
            return []
        moves: list[Move] = []
        for index, rung in enumerate(self.rungs):
            if rung.coming > 0:
                break
            moves += self._end_parked(index, int(len(rung) / self.divisor))
        return moves

    def _end_parked(self, index: int, keep: int) -> list[Move]:
        """The first of those held at this rung, not all, so that no report makes hundreds of decisions at once."""
        waiting = self.rungs[index].parked
        parked = list(islice(waiting, ENDED_AT_ONCE))
        for trial in parked:
            del waiting[trial]
        self.ended.update(parked)
        return [Dropped(trial, self._standing(index, trial, keep)) for trial in parked]

    def over(self) -> bool:
        """All were begun, and nobody is on the way to a rung from which one is promoted."""
        return self.full and not any(rung.coming for rung in self.rungs[:-1])
