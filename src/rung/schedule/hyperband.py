"""Hyperband (Li et al. 2017, arXiv:1603.06560): successive halving with several first rungs side by side, since nobody
knows how early a result can be trusted.

Asynchronous, the default: ASHA in brackets, each with Hyperband's part of the trials (`asha`, whose options it takes;
`brackets` is as many as there are rungs, with the top). With `synchronous: true` as in the paper (`synchronous`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rung.model import MethodOption, defaults
from rung.schedule.asha import CUT_OPTION, LADDER_OPTIONS, TYPE_OPTION, Race, bracket_option, listed
from rung.schedule.options import Options
from rung.schedule.rungs import ladder
from rung.schedule.synchronous import Synchronous

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from rung.model import Continue, Pause, Stop
    from rung.schedule.base import Bracket, Contest, Delta, Next


class Hyperband:
    """Brackets of successive halving, asynchronous or not."""

    declared: ClassVar[dict[str, MethodOption]] = {
        "synchronous": MethodOption(False, "Whether a rung is decided only when all of it is known"),
        "type": TYPE_OPTION,
        **LADDER_OPTIONS,
        "brackets": MethodOption(None, "How many first rungs are tried; empty: one for each rung", "number"),
        "cut": CUT_OPTION,
    }
    options: ClassVar[dict[str, Any]] = defaults(declared)

    def __init__(self, contest: Contest) -> None:
        """Raises `BadInput`."""
        options = Options(contest)
        self.synchronous = options.flag("synchronous", False)
        self.resource = contest.schedule.resource or "step"
        self.ladder = ladder(contest, top_required="since the last bracket runs trials to it at once")
        count = bracket_option(contest, self.ladder, len(self.ladder.resources))
        for name in ("type", "cut") if self.synchronous else ():
            if name in options:
                raise options.error(name, "has no meaning with `synchronous: true`; leave it out")
        self.race: Race | Synchronous = (
            Synchronous(contest, self.ladder, count)
            if self.synchronous
            else Race(contest, "hyperband", self.ladder, count)
        )
        self.fold = self.race if isinstance(self.race, Synchronous) else self.race.fold

    def observe(self, deltas: Sequence[Delta]) -> list[Stop | Pause | Continue]:
        """Who is ended, held, or goes on."""
        return self.fold.observe(deltas)

    def next(self, number: int, rng: np.random.Generator) -> Next:
        """Who is promoted, or a new trial, and in which bracket."""
        return self.fold.next(number, rng)

    def levels(self) -> Sequence[float]:
        """The rungs and the top."""
        return self.ladder.resources

    def brackets(self, trials: int | None) -> list[Bracket]:
        """Each bracket's part; brackets that are run again and again are added up."""
        return self.race.planned(trials)

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        if isinstance(self.race, Race):
            return f"Hyperband (asynchronous, {self.race.kind}): {self.race.describe()}"
        at = f"{self.resource} {listed(self.ladder.levels)}, up to {self.ladder.top:g}"
        return f"Hyperband (synchronous): the best of each rung go on once all of it is known, at {at}"
