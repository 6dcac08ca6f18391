"""`adaptive`: a tournament of Determined's brackets, side by side, each trial in the bracket that it was begun for.

A free place goes to a trial that was promoted while it was held, the first one first; else to a new trial of the
bracket that has wanted one for the longest. So a bracket that wants n trials at once gets them as places become free.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar

from rung.model import Continue, MethodOption, Pause, Stop, defaults
from rung.schedule.adaptive.bracket import Complete, Dropped, Parked, Wanted
from rung.schedule.adaptive.brackets import expected_starts
from rung.schedule.adaptive.halving import Halving
from rung.schedule.adaptive.order import Mark
from rung.schedule.adaptive.promotion import Promotion
from rung.schedule.adaptive.settings import OPTIONS, checked, rungs_of
from rung.schedule.adaptive.stopping import Stopping
from rung.schedule.adaptive.words import Words
from rung.schedule.base import Ask, Begun, Bracket, Ended, Held, Hold, Level, Over, Progress
from rung.schedule.rungs import result

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from rung.model import Reason
    from rung.schedule.adaptive import bracket as rules
    from rung.schedule.base import Contest, Delta, Next

    Command = Stop | Pause | Continue

RULES: dict[str, type[rules.Bracket]] = {"stopping": Stopping, "promotion": Promotion, "synchronous": Halving}


class Adaptive:
    """Determined's `adaptive_asha` (`type: stopping` as of 0.38, `promotion` as of 0.13 to 0.37), `adaptive_simple`
    and, with a `budget`, `adaptive` (`synchronous`, as of 0.12); with `num_rungs` one bracket of them by itself.

    A trial that nobody asked for (enqueued by the user) takes part in the bracket that is next to begin one; when all
    are full it runs beside them, up to `max`.
    """

    declared: ClassVar[dict[str, MethodOption]] = OPTIONS
    options: ClassVar[dict[str, Any]] = defaults(OPTIONS)

    def __init__(self, contest: Contest) -> None:
        self.settings = checked(contest)
        self.shapes = self.settings.shapes()
        rule, divisor = RULES[self.settings.kind], self.settings.divisor
        self.rules = [rule(shape, divisor, len(contest.objectives)) for shape in self.shapes]
        self.words = Words(contest, self.shapes)
        self.wanting = deque(bracket for bracket, one in enumerate(self.rules) for _ in range(one.wanted))
        self.bracket_of: dict[int, int] = {}
        self.pausing: set[int] = set()  # told to pause, and not held yet
        self.held: set[int] = set()
        self.stopping: set[int] = set()  # told to end, and not ended yet
        self.promised: dict[int, tuple[float, Reason]] = {}  # who is to go on when there is a place: how far, and why

    # --------------------------------------------------------------------------------------------------- observing

    def observe(self, deltas: Sequence[Delta]) -> list[Stop | Pause | Continue]:
        """What follows for each trial: the last decision on it."""
        commands: dict[int, Command] = {}
        for delta in deltas:
            moot = isinstance(delta, Held) and not isinstance(commands.get(delta.number), Stop)
            if moot or isinstance(delta, Ended):
                commands.pop(delta.number, None)
            commands.update({command.trial: command for command in self._observed(delta)})
        return list(commands.values())

    def _observed(self, delta: Delta) -> list[Command]:
        if isinstance(delta, Progress):
            return self._progress(delta)
        if isinstance(delta, Ended):
            return self._ended(delta)
        if isinstance(delta, Begun):
            self._begun(delta)
        elif isinstance(delta, Held):
            self._held(delta.number)
        else:
            self._not_held(delta.number)
        return []

    def _begun(self, delta: Begun) -> None:
        bracket = self._bracket_for(delta)
        if bracket is None:
            return
        if bracket in self.wanting:
            self.wanting.remove(bracket)
        else:
            self.rules[bracket].wanted += 1
        self.bracket_of[delta.number] = bracket
        self.rules[bracket].begin(delta.number)

    def _bracket_for(self, delta: Begun) -> int | None:
        """The bracket it was asked for; else that of the next trial to begin; else one with room; None: no room."""
        asked = (delta.ticket or {}).get("bracket")
        if isinstance(asked, int) and 0 <= asked < len(self.rules):
            return asked
        if self.wanting:
            return self.wanting[0]
        return next((bracket for bracket, rule in enumerate(self.rules) if not rule.full), None)

    def _progress(self, delta: Progress) -> list[Command]:
        losses, bracket = result(delta), self.bracket_of.get(delta.number)
        if losses is None:
            return []
        if bracket is not None and self.rules[bracket].running(delta.number):
            mark = Mark.of(losses, delta.violation)
            moves = self.rules[bracket].report(delta.number, delta.step, mark)
            return self._commands(bracket, moves, reporter=delta.number)
        done = delta.number in self.held or delta.number in self.stopping
        return [] if done or delta.step < self.settings.resource else [self._complete(delta.number)]

    def _ended(self, delta: Ended) -> list[Command]:
        self._not_held(delta.number)
        self.stopping.discard(delta.number)
        bracket = self.bracket_of.get(delta.number)
        if bracket is None:
            return []
        if delta.invalid:
            *moves, _ = self.invalid(delta.number)  # it has ended already
            self.stopping.discard(delta.number)
            return moves
        mark = None if delta.losses is None else Mark.of(delta.losses)
        return self._commands(bracket, self.rules[bracket].exit(delta.number, mark))

    def invalid(self, number: int) -> list[Stop | Pause | Continue]:
        """The configuration of trial `number` cannot be run at all, as its program says: its results are taken back,
        another one takes its place, and it is ended. Raises `KeyError` for a trial of no bracket."""
        bracket = self.bracket_of[number]
        self._not_held(number)
        moves = self._commands(bracket, self.rules[bracket].drop(number))
        return [*moves, self._stop(number, self.words.invalid())]

    # ----------------------------------------------------------------------------------------- holding and promising

    def _held(self, number: int) -> None:
        """It may be continued from now on. One that was held though it was on its way to a rung is to go on there."""
        self.pausing.discard(number)
        self.held.add(number)
        bracket = self.bracket_of.get(number)
        if number not in self.promised and (bracket is None or self.rules[bracket].running(number)):
            self.promised[number] = self._target(bracket, number), self.words.on_its_way()

    def _target(self, bracket: int | None, number: int) -> float:
        """How far a trial may run."""
        if bracket is None or self.settings.kind == "stopping":
            return float(self.settings.resource)
        return float(self.rules[bracket].target(number))

    def _not_held(self, number: int) -> None:
        self.pausing.discard(number)
        self.held.discard(number)
        self.promised.pop(number, None)

    # -------------------------------------------------------------------------------------- from moves to commands

    def _commands(self, bracket: int, moves: Sequence[rules.Move], reporter: int | None = None) -> list[Command]:
        found = [self._command(bracket, move, reporter) for move in moves]
        return [command for command in found if command is not None]

    def _command(self, bracket: int, move: rules.Move, reporter: int | None) -> Command | None:
        if isinstance(move, Wanted):
            self.wanting.append(bracket)
            return None
        self.promised.pop(move.trial, None)  # whatever was promised to it, it has reached
        if isinstance(move, Complete):
            return self._complete(move.trial)
        if isinstance(move, Dropped):
            return self._stop(move.trial, self.words.dropped(bracket, move))
        if isinstance(move, Parked):
            if move.trial in self.pausing:  # it got one rung further before its program ended
                return None
            self.pausing.add(move.trial)
            return Pause(trial=move.trial, reason=self.words.parked(bracket, move))
        return self._go_on(bracket, move, runs=move.trial == reporter and move.trial not in self.pausing)

    def _complete(self, number: int) -> Stop:
        return self._stop(number, self.words.complete(self.settings.resource), complete=True)

    def _stop(self, number: int, reason: Reason, *, complete: bool = False) -> Stop:
        self.stopping.add(number)
        return Stop(trial=number, complete=complete, reason=reason)

    def _go_on(self, bracket: int, move: rules.Promoted, *, runs: bool) -> Command | None:
        """A trial that runs is let run on; one that is held, or about to be, waits for a place."""
        if self.settings.kind == "stopping":
            return None
        to, reason = float(self.shapes[bracket].units[move.rung]), self.words.promoted(bracket, move)
        if runs:
            return Continue(trial=move.trial, to=to, reason=reason)
        self.promised[move.trial] = to, reason
        return None

    # ------------------------------------------------------------------------------------------------------- asking

    def next(self, number: int, rng: np.random.Generator) -> Next:
        """Who was promoted, unless its program is still being paused; a new trial; or nothing."""
        for trial, (further, reason) in self.promised.items():
            if trial in self.held:
                return Continue(trial=trial, to=further, reason=reason)
        if self.wanting:
            units = self.shapes[self.wanting[0]].units
            to = units[-1] if self.settings.kind == "stopping" else units[0]
            return Ask(resource=float(to), ticket={"bracket": self.wanting[0]})
        if not self.promised and all(rule.over() for rule in self.rules):
            return Over(f"all {self._trials()} trials of the brackets were begun, and none waits for another")
        return Hold()

    # ------------------------------------------------------------------------------------------------------ the plan

    def levels(self) -> Sequence[float]:
        """The rungs of all brackets."""
        return sorted({float(unit) for shape in self.shapes for unit in shape.units})

    def brackets(self, trials: int | None) -> list[Bracket]:
        """Of n at a rung max(n // d, 1) are expected at the next one; of synchronous halving, as many as are set."""
        planned: list[Bracket] = []
        for shape in self.settings.shapes(trials):
            counts = expected_starts(shape, self.settings.divisor)
            reached = dict(zip(reversed(shape.units), reversed(counts), strict=True))  # rungs may coincide: the first
            planned.append(Bracket(shape.trials, tuple(Level(reached[unit], float(unit)) for unit in sorted(reached))))
        return planned

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        found, count = self.settings, len(self.shapes)
        brackets = "one bracket" if count == 1 else f"{count} brackets"
        return (
            f"adaptive ({found.kind}): {brackets} of {rungs_of(self.shapes)} rungs, {self._trials()} trials up to "
            f"{self.words.resource} {found.resource}, about one in {found.divisor:g} goes on at each rung"
        )

    def _trials(self) -> int:
        return sum(shape.trials for shape in self.shapes)
