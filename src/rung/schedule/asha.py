"""ASHA: asynchronous successive halving (Li et al. 2018, arXiv:1810.05934).

Two types. `stopping` lets every trial run and ends it at a rung where it is not among the best so far. `promotion`
holds every trial at its rung until it is. The default is `stopping`, always: to hold a trial is only cheap where its
program can go on from a checkpoint, which nobody knows before it has written one; a program that cannot would begin
from the start at every promotion, while stopping asks nothing of a program and never leaves a worker idle. Who has
checkpoints and wants nothing decided too early asks for `promotion`.

Without the option `max` it is a constant parameter that is named like the resource (`rungs.limit`), or there is no
top: trials end by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rung.model import MethodOption, defaults
from rung.schedule.options import MAX, Options
from rung.schedule.plan import asynchronous
from rung.schedule.promotion import Promotion
from rung.schedule.rungs import Cut, Ladder, ladder
from rung.schedule.stopping import Rungs, Stopping

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from rung.model import Continue, Pause, Stop
    from rung.schedule.base import Bracket, Contest, Delta, Next

TYPES = ("stopping", "promotion")
MOST_RUNGS = 10_000  # of all brackets together
FEW = 6  # levels that are read at a glance
CUTS = ("quantile", "count")
LADDER_OPTIONS: dict[str, MethodOption] = {
    "min": MethodOption(1, "The resource of the first rung: no trial is ended below it"),
    "max": MAX,
    "eta": MethodOption(3, "One in so many goes on, and each rung is so many times as far as the one before"),
    "levels": MethodOption(None, "The rungs themselves, such as 1, 5, 20, instead of min and eta", "numbers"),
    "increment": MethodOption(None, "Rungs at min, min + increment, … instead", "number"),
}
TYPE_OPTION = MethodOption(
    "stopping", "Stopping ends who is not among the best of a rung; promotion holds them", words=TYPES
)
CUT_OPTION = MethodOption(
    None, "Who goes on: all up to a quantile of the results, or a share of their count; empty: by the type", words=CUTS
)


class Asha:
    """Asynchronous successive halving."""

    declared: ClassVar[dict[str, MethodOption]] = {
        "type": TYPE_OPTION,
        **LADDER_OPTIONS,
        "brackets": MethodOption(1, "How many first rungs are tried, with Hyperband's part of the trials each"),
        "cut": CUT_OPTION,
    }
    options: ClassVar[dict[str, Any]] = defaults(declared)

    def __init__(self, contest: Contest) -> None:
        """Raises `BadInput`."""
        self.ladder = ladder(contest)
        brackets = bracket_option(contest, self.ladder, 1)
        self.race = Race(contest, "asha", self.ladder, brackets)

    def observe(self, deltas: Sequence[Delta]) -> list[Stop | Pause | Continue]:
        """Who is ended, held, or goes on."""
        return self.race.fold.observe(deltas)

    def next(self, number: int, rng: np.random.Generator) -> Next:
        """Who is promoted, or a new trial."""
        return self.race.fold.next(number, rng)

    def levels(self) -> Sequence[float]:
        """The rungs, and the top if there is one."""
        return self.ladder.resources

    def brackets(self, trials: int | None) -> list[Bracket]:
        """Each bracket's part, halved from rung to rung."""
        return self.race.planned(trials)

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        return f"ASHA ({self.race.kind}): {self.race.describe()}"


class Race:
    """What `asha` and the asynchronous `hyperband` share: rungs in brackets, and one of the two types to run on them.
    `rule`: the name in the reasons."""

    def __init__(self, contest: Contest, rule: str, ladder: Ladder, brackets: int) -> None:
        options = Options(contest)
        self.resource = contest.schedule.resource or "step"
        self.kind = options.word("type", "stopping", TYPES)
        cut: Cut = "quantile" if self.kind == "stopping" else "count"
        cut = "count" if options.word("cut", cut, CUTS) == "count" else "quantile"
        self.rungs = Rungs(ladder, brackets, len(contest.objectives), cut)
        fold = Stopping if self.kind == "stopping" else Promotion
        self.fold: Stopping | Promotion = fold(contest, rule, self.rungs)

    def planned(self, trials: int | None) -> list[Bracket]:
        """Each bracket's part, halved from rung to rung."""
        return asynchronous(self.rungs.ladder, self.rungs.weights, trials)

    def describe(self) -> str:
        """What is compared where, without the name of the method."""
        ladder, brackets = self.rungs.ladder, len(self.rungs.weights)
        does = "ends" if self.kind == "stopping" else "holds"
        endless = ladder.top is None and len(ladder.levels) > FEW
        at = f"{listed(ladder.levels[:FEW])} and so on" if endless else listed(ladder.levels)
        until = "" if ladder.top is None else f", up to {ladder.top:g}"
        several = f", in {brackets} brackets that begin at different ones" if brackets > 1 else ""
        return f"{does} all but about the best 1/{ladder.eta:g} of the trials at {self.resource} {at}{until}{several}"


def bracket_option(contest: Contest, ladder: Ladder, default: int) -> int:
    """The option `brackets`: one for each level and the top at the most. Raises `BadInput`, also for so many rungs in
    so many brackets that nobody gets far in any."""
    options, most = Options(contest), len(ladder.resources)
    found = options.whole("brackets", default)
    if found > most:
        at = listed(ladder.resources)
        raise options.error("brackets", f"expected at most {most}, one for each resource ({at}), got {found}")
    if found * most > MOST_RUNGS:
        name = next((name for name in ("increment", "levels") if name in options), "eta")
        raise options.error(name, f"makes {len(ladder.levels)} rungs, too many for {found} brackets: ask for fewer")
    return found


def listed(levels: Sequence[float]) -> str:
    """`1, 3, 9`, or `1, 3, 9, 27, ..., 729`."""
    words = [f"{level:g}" for level in levels]
    return ", ".join(words if len(words) <= FEW else [*words[: FEW - 2], "...", words[-1]])
