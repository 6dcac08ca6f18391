"""The options of the scheduler `adaptive`, checked, and the brackets that they make."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from rung.model import MethodOption
from rung.schedule.adaptive.brackets import MODES, Mode, asynchronous, bracket_rungs, most_rungs, synchronous
from rung.schedule.options import MAX, Options
from rung.schedule.rungs import limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.schedule.adaptive.brackets import Shape
    from rung.schedule.base import Contest

Kind = Literal["stopping", "promotion", "synchronous"]
KINDS: tuple[Kind, ...] = ("stopping", "promotion", "synchronous")
MOST_RUNGS = 1000
OPTIONS: dict[str, MethodOption] = {
    "mode": MethodOption(
        "standard", "Aggressive: one bracket; standard: half of the possible ones; conservative: all", words=MODES
    ),
    "max": MAX,
    "trials": MethodOption(None, "How many trials are begun; empty: as many as the study's budget says", "number"),
    "divisor": MethodOption(4, "One in so many goes on"),
    "eta": MethodOption(None, "Another word for divisor", "number"),
    "max_rungs": MethodOption(5, "How many rungs the longest bracket has"),
    "bracket_rungs": MethodOption(None, "How many rungs each bracket has, such as [3, 2]; empty: by the mode", "data"),
    "num_rungs": MethodOption(None, "One bracket of so many rungs, instead", "number"),
    "max_concurrent_trials": MethodOption(16, "How many trials all brackets together want at once; 0: no limit"),
    "type": MethodOption("stopping", "By which rule a bracket decides", words=KINDS),
    "budget": MethodOption(None, "The work of a synchronous search, in the resource, instead of trials", "number"),
}


@dataclass(frozen=True)
class Settings:
    """`resource`: that of the last rung. `trials`: how many are begun in all, None where `budget` (work in units of the
    resource) says it. `explicit`: how many rungs each bracket has, if the user said so. `alone`: it is one bracket by
    itself, not a tournament, and decides itself how many run at once where `concurrent` is 0 (no limit)."""

    kind: Kind
    mode: Mode
    resource: int
    divisor: float
    max_rungs: int
    explicit: tuple[int, ...]
    alone: bool
    concurrent: int
    trials: int | None
    budget: int | None

    def shapes(self, trials: int | None = None) -> list[Shape]:
        """The brackets, for so many trials (None: as many as are set)."""
        trials = trials or self.trials or 0
        if self.kind == "synchronous":
            rungs = self.explicit or bracket_rungs(self.mode, self.max_rungs)
            return synchronous(self.resource, self.divisor, rungs, trials=trials, budget=self.budget)
        rungs = self.explicit or self._rungs(trials)
        found = asynchronous(self.resource, trials, self.divisor, rungs, self.concurrent)
        return [_with(shape, self.concurrent) for shape in found] if self.alone else found

    def _rungs(self, trials: int) -> list[int]:
        return bracket_rungs(self.mode, most_rungs(self.resource, trials, self.divisor, self.max_rungs))


def _with(shape: Shape, concurrent: int) -> Shape:
    return type(shape)(shape.units, shape.trials, concurrent)


def checked(contest: Contest) -> Settings:
    """What `contest.schedule.options` say. Raises `BadInput`."""
    options = Options(contest)
    kind = cast("Kind", options.word("type", "stopping", KINDS))
    found = Settings(
        kind=kind,
        mode=cast("Mode", options.word("mode", "standard", MODES)),
        resource=_resource(contest, options),
        divisor=_divisor(options),
        max_rungs=options.whole("max_rungs", 5, most=MOST_RUNGS),
        explicit=_explicit(contest, options),
        alone="num_rungs" in options,
        concurrent=options.whole("max_concurrent_trials", 16, least=0),
        trials=options.whole("trials", contest.budget.trials),
        budget=options.whole("budget", None),
    )
    _check(found, contest, options)
    return found


def _resource(contest: Contest, options: Options) -> int:
    resource = limit(contest)
    if resource is None:
        raise options.error("max", "how far a trial can go must be known, as it is the last rung: give `max`")
    if resource < 1 or resource != int(resource):
        raise options.error("max", f"expected a whole number of at least 1, got {resource!r}: count in a finer unit")
    return int(resource)


def _divisor(options: Options) -> float:
    if "eta" in options and "divisor" in options:
        raise options.error("eta", "is another word for `divisor`; leave one of them out")
    return float(options.number("eta" if "eta" in options else "divisor", 4, above=1))


def _explicit(contest: Contest, options: Options) -> tuple[int, ...]:
    """How many rungs each bracket has, from `num_rungs` or `bracket_rungs`; empty where the mode decides."""
    if "num_rungs" in options:
        if "bracket_rungs" in options:
            raise options.error("num_rungs", "has no meaning beside `bracket_rungs`; leave one of them out")
        return (cast("int", options.whole("num_rungs", 1, most=MOST_RUNGS)),)
    given = contest.schedule.options.get("bracket_rungs") or ()
    if not isinstance(given, list | tuple) or not all(_is_count(item) for item in given):
        raise options.error(
            "bracket_rungs", f"expected a list of whole numbers from 1 to {MOST_RUNGS}, one a bracket, got {given!r}"
        )
    return tuple(int(item) for item in given)


def _is_count(item: object) -> bool:
    return isinstance(item, int) and not isinstance(item, bool) and 1 <= item <= MOST_RUNGS


def _check(found: Settings, contest: Contest, options: Options) -> None:
    if found.budget is not None and found.kind != "synchronous":
        raise options.error("budget", "is a matter of `type: synchronous`; the others count in `trials`")
    if found.trials is None and found.budget is None:
        raise options.error("trials", "how many trials there are must be known: give budget.trials, or `trials`")
    budgeted = contest.budget.trials
    if found.trials is not None and budgeted is not None and found.trials > budgeted:
        raise options.error("trials", f"{found.trials} are planned, but budget.trials ends the study after {budgeted}")
    name = "num_rungs" if found.alone else "bracket_rungs" if found.explicit else "max_rungs"
    most = max(found.explicit, default=found.max_rungs)
    # Rungs may coincide where a report clears them all; a trial that is held cannot go on to where it is.
    if found.explicit and most > found.resource and found.kind != "stopping":
        raise options.error(name, f"{most} rungs need a max of at least {most}, got {found.resource}")
    _check_sizes(found, most, name, options)


def _check_sizes(found: Settings, most: int, name: str, options: Options) -> None:
    """Nothing that is raised to a power may be beyond what a float can hold."""
    try:
        math.pow(found.divisor, most)
    except OverflowError:
        raise options.error(name, f"{most} rungs are too many for a divisor of {found.divisor:g}") from None


def rungs_of(shapes: Sequence[Shape]) -> str:
    """How many rungs each bracket has, for people: 3, 2 and 1."""
    counts = [str(shape.rungs) for shape in shapes]
    return counts[0] if len(counts) == 1 else ", ".join(counts[:-1]) + " and " + counts[-1]
