"""What the three rules have in common: the rungs of one bracket, and the moves that follow from a result.

A bracket knows nothing of studies. It is told that a trial began, what it reported, that it exited, and answers with
moves in the order in which they are decided. Every call costs a binary search and a shift of one sorted list.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from rung.schedule.adaptive.brackets import first_trials
from rung.schedule.adaptive.order import WORST, Arrivals, ByFronts

if TYPE_CHECKING:
    from rung.schedule.adaptive.brackets import Shape
    from rung.schedule.adaptive.order import Mark, Order

NAMED = 5  # trials that a decision names


@dataclass(frozen=True)
class Standing:
    """Where a trial stood in its rung when it was decided on: at `place` (from 0) of `of`, where the best `keep` go on,
    the last of which has `threshold`; `ahead` are the best of those in front of it. `planned`: how many results the
    rung will have when those `keep` are chosen; None: it is decided by those there are."""

    rung: int
    mark: Mark
    place: int
    of: int
    keep: int
    threshold: Mark | None
    ahead: tuple[int, ...]
    planned: int | None = None


@dataclass(frozen=True)
class Complete:
    """The trial has had all the resource that there is."""

    trial: int


@dataclass(frozen=True)
class Dropped:
    """The trial is ended: it will not be promoted any more."""

    trial: int
    standing: Standing


@dataclass(frozen=True)
class Parked:
    """The trial is held where it is; it may be promoted later."""

    trial: int
    standing: Standing


@dataclass(frozen=True)
class Promoted:
    """The trial goes on to the resource of `rung`."""

    trial: int
    rung: int
    standing: Standing


@dataclass(frozen=True)
class Wanted:
    """One more new trial is to be begun in this bracket."""


Move: TypeAlias = "Complete | Dropped | Parked | Promoted | Wanted"


@dataclass
class Rung:
    """The results of one rung. `marks`: what each of its trials made. `coming`: how many trials are on their way to it.
    `parked`: those that are held at it, in order of arrival."""

    units: int
    order: Order
    marks: dict[int, Mark] = field(default_factory=dict)
    promoted: set[int] = field(default_factory=set)
    coming: int = 0
    parked: dict[int, None] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many results it has."""
        return len(self.marks)

    def insert(self, trial: int, mark: Mark) -> int:
        """One that was on its way is there; the place it takes, from 0."""
        self.coming -= 1
        self.marks[trial] = mark
        return self.order.insert(trial, mark)

    def remove(self, trial: int) -> None:
        """The trial never was here, if it was."""
        mark = self.marks.pop(trial, None)
        if mark is not None:
            self.order.remove(trial, mark)
        self.promoted.discard(trial)
        self.parked.pop(trial, None)


class Bracket:
    """One bracket.

    `at`: the rung that each trial is on its way to, or whose result it made last. `exited`: trials that run no more,
    and what they count as from now on. `ended`: those of which nothing more is decided. `wanted`: how many were to be
    begun so far, those at first included; the `invalid` ones do not count.
    """

    newest_first: ClassVar[bool]

    def __init__(self, shape: Shape, divisor: float, objectives: int = 1) -> None:
        self.shape, self.divisor = shape, divisor
        self.rungs = [Rung(units, self._order(objectives)) for units in shape.units]
        self.at: dict[int, int] = {}
        self.exited: dict[int, Mark] = {}
        self.ended: set[int] = set()
        self.invalid: set[int] = set()
        self.wanted = self._first_trials()

    def _order(self, objectives: int) -> Order:
        return Arrivals(newest_first=self.newest_first) if objectives == 1 else ByFronts(objectives)

    def _first_trials(self) -> int:
        return first_trials(self.shape, self.divisor)

    # -------------------------------------------------------------------------------------------- what it is told

    def begin(self, trial: int) -> None:
        """One of the wanted trials was begun."""
        self.at[trial] = 0
        self.rungs[0].coming += 1

    def report(self, trial: int, step: float, mark: Mark) -> list[Move]:
        """It made `mark` at `step`, which may clear several rungs."""
        moves: list[Move] = []
        while self.running(trial) and step >= self.target(trial):
            moves += self._result(trial, mark)
        return moves

    def exit(self, trial: int, mark: Mark | None) -> list[Move]:
        """It runs no more: it ended by itself, and counts with its last result `mark`, or it failed (None: worst)."""
        if trial in self.ended:
            return []
        waiting = not self.running(trial)
        self.exited[trial] = WORST if mark is None else mark
        if waiting:  # its results stand; should it be promoted, it cannot follow
            self.rungs[self.at[trial]].parked.pop(trial, None)
            return []
        return self._exit(trial, self.exited[trial])

    def drop(self, trial: int) -> list[Move]:
        """It was invalid from the start: its results are taken back, and another trial takes its place."""
        if trial in self.invalid:
            return []
        if self.running(trial):
            self.rungs[self.at[trial]].coming -= 1
        for rung in self.rungs:
            rung.remove(trial)
        self.ended.add(trial)
        self.invalid.add(trial)
        return self._replace()

    # ------------------------------------------------------------------------------------------------- what is so

    def running(self, trial: int) -> bool:
        """Whether it is on its way to a rung."""
        return trial in self.at and trial not in self.ended and trial not in self.rungs[self.at[trial]].marks

    def target(self, trial: int) -> int:
        """The resource of the rung that it is on its way to."""
        return self.rungs[self.at[trial]].units

    @property
    def full(self) -> bool:
        """Whether all its trials are begun, or wanted."""
        return self.wanted - len(self.invalid) >= self.shape.trials

    def over(self) -> bool:
        """Whether nothing that trials still report can lead to another one, or to a promotion."""
        raise NotImplementedError

    # -------------------------------------------------------------------------------------------- for the rules

    def _result(self, trial: int, mark: Mark) -> list[Move]:
        """The trial reached the rung that it was on its way to."""
        raise NotImplementedError

    def _exit(self, trial: int, mark: Mark) -> list[Move]:
        """A trial that was on its way to a rung runs no more. What is decided on itself is of no interest."""
        return [move for move in self._result(trial, mark) if getattr(move, "trial", None) != trial]

    def _replace(self) -> list[Move]:
        """One more trial is wanted, if there is room for it."""
        if self.full:
            return []
        self.wanted += 1
        return [Wanted()]

    def _complete(self, trial: int) -> list[Move]:
        self.ended.add(trial)
        return [] if trial in self.exited else [Complete(trial)]

    def _standing(self, index: int, trial: int, keep: int, place: int | None = None) -> Standing:
        """Where the trial stands in this rung, of which the best `keep` go on."""
        rung = self.rungs[index]
        mark = rung.marks[trial]
        place = rung.order.place(trial, mark) if place is None else place
        return Standing(
            rung=index,
            mark=mark,
            place=place,
            of=len(rung),
            keep=keep,
            threshold=rung.marks[rung.order.at(keep - 1)] if 0 < keep <= len(rung) else None,
            ahead=tuple(rung.order.best(min(place, NAMED))),
            planned=self.shape.starts[index] if self.shape.starts else None,
        )
