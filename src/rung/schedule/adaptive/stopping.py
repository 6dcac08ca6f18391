"""The stopping rule, Determined 0.38 (`stop_once` before): a trial runs on until it is not among the best of a rung."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rung.schedule.adaptive.bracket import Bracket, Dropped, Promoted

if TYPE_CHECKING:
    from rung.schedule.adaptive.bracket import Move
    from rung.schedule.adaptive.order import Mark


class Stopping(Bracket):
    """Of the n results of a rung, the newest included, a trial is kept when it is among the best max(int(n / d), 1).
    What is decided stands: who was kept early stays kept. A tie is decided for the newer one."""

    newest_first: ClassVar[bool] = True

    def _result(self, trial: int, mark: Mark) -> list[Move]:
        index = self.at[trial]
        place = self.rungs[index].insert(trial, mark)
        if index == len(self.rungs) - 1:
            return [*self._complete(trial), *self._replace()]
        keep = max(int(len(self.rungs[index]) / self.divisor), 1)
        standing = self._standing(index, trial, keep, place)
        if place < keep:
            self.at[trial] = index + 1
            self.rungs[index + 1].coming += 1
            return [Promoted(trial, index + 1, standing)]
        self.ended.add(trial)
        return [Dropped(trial, standing), *self._replace()]

    def _exit(self, trial: int, mark: Mark) -> list[Move]:
        """It counts in the rung that it was on its way to, and in no other: it is over, as if it were stopped there."""
        self.rungs[self.at[trial]].insert(trial, mark)
        self.ended.add(trial)
        return self._replace()

    def over(self) -> bool:
        """All were begun: nobody is ever continued."""
        return self.full
