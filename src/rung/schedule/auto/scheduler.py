"""The scheduler `auto`: freeze-thaw with one model over configurations and resource.

Every trial runs to its first look and is then held, unless nothing else is worth more; whoever is expected to improve
most on the best result, per second it still has to run, has the next free place: a trial that waits, or a new
configuration. What every partial curve says of itself and of its neighbours goes into it (`kernel`, `outlook`).

Where nobody says how far a trial goes, it is as far as the first that ended. Looks are at max / eta^k.

With several objectives, or no space, there is no one value to model: then it is `asha`, of the type that stops.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import numpy as np

from rung.model import Continue, MethodOption, Pause, ScheduleSpec, Stop, defaults
from rung.schedule.asha import Asha
from rung.schedule.auto.curves import Curve, Resumption
from rung.schedule.auto.fresh import anywhere, around, unknown
from rung.schedule.auto.outlook import Candidates, Fitted, Outlook, Worth, learn
from rung.schedule.auto.words import Forecast, Words
from rung.schedule.base import Ask, Begun, Ended, Held, Over, Progress, Propose, Resumed
from rung.schedule.options import MAX, Options, exact
from rung.schedule.rungs import limit
from rung.search.gp.inputs import shape_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.schedule.base import Bracket, Contest, Delta, Next
    from rung.space import Space
    from rung.space.scales import Floats

FIRST_LOOK = 16
INITIAL_LOW, INITIAL_HIGH = 4, 10
MOST, THINNED = 224, 160  # trials that do not run: beyond MOST all but THINNED are forgotten
GROWN = 1.2  # growth of the number of looks after which hyperparameters are fitted again
HOPELESS = 1e-9  # a chance to be the best below it is none; of early looks models are too sure for much more
UNLIKELY = 1e-3  # below this a held trial is not run on only because its place would be empty
STEADY = math.log(1.1)  # a trial that runs is held for what is worth so much more
ASKED = 8  # one in so many new configurations is the searcher's
CENTRES = 8
STREAM = 0xF7EE2E  # tells this use of the study's seed from others


class FreezeThaw:
    """A joint model over configurations and resource says who has a place."""

    declared: ClassVar[dict[str, MethodOption]] = {
        "min": MethodOption(None, "Where a trial is looked at first; empty: a sixteenth of max", "number"),
        "max": MAX,
        "eta": MethodOption(2, "One look is so many times as far as the one before"),
        "initial": MethodOption(
            None, "So many trials are looked at before one is preferred; empty: by parameters and workers", "number"
        ),
        "checkpoint": MethodOption(
            None, "Whether a trial that is continued goes on from a checkpoint, or begins again; empty: learned", "flag"
        ),
    }
    options: ClassVar[dict[str, Any]] = defaults(declared)

    def __init__(self, contest: Contest) -> None:
        """Raises `BadInput`."""
        self.contest = contest
        options = Options(contest)
        self.eta = options.number("eta", 2, above=1)
        self.least = options.number("min", None, above=0)
        self.top = limit(contest)
        if self.least is not None and self.top is not None and self.least >= self.top:
            raise options.error("min", f"must be below max ({self.top}), got {self.least}")
        given = options.whole("initial", None, least=2)
        self.resumption = Resumption(options.flag("checkpoint", None))
        self.words = Words(contest)
        self.instead: Asha | None = None
        self.space: Space
        if contest.space is None or not contest.space.names or len(contest.objectives) > 1:
            self.instead = _asha(contest)
            return
        self.space = contest.space
        self.shape = shape_of(self.space, warp=False)
        self.initial = given or max(_initial(len(self.space.names)), min(contest.workers, MOST // 2))
        self.curves: dict[int, Curve] = {}  # of trials that run or are held, and of those that ended a choice
        self.order: list[int] = []  # their numbers, ascending
        self.learned_top = self.top is None
        self.count, self.looks, self.fit_at = 0, 0, min(self.initial, _initial(len(self.space.names)))
        self.best: tuple[float, int] = (math.inf, -1)  # the best loss, and whose it is
        self.fitted: Fitted | None = None
        self.failed: set[int] = set()
        self.standing: list[int] = []  # trials by what they were last predicted to end with, best first
        self._told = 0  # how often anything was reported that a model may use
        self._outlook_of: tuple[tuple[Any, ...], Outlook] | None = None  # what was computed, and from what
        self._new_of: tuple[Outlook, int, tuple[Floats, Worth]] | None = None

    # ------------------------------------------------------------------------------------------------ what is observed

    def observe(self, deltas: Sequence[Delta]) -> list[Stop | Pause | Continue]:
        """Who goes on, waits or ends."""
        if self.instead is not None:
            return self.instead.observe(deltas)
        found: dict[int, Stop | Pause | Continue] = {}
        for delta in deltas:
            for command in self._observed(delta):
                found[command.trial] = command
        return list(found.values())

    def _observed(self, delta: Delta) -> list[Stop | Pause | Continue]:
        if isinstance(delta, Begun):
            self._begun(delta)
            return self._thinned()
        if isinstance(delta, Ended):  # one that failed makes room for another
            (self.failed.add if delta.losses is None else self.failed.discard)(delta.number)
        curve = self.curves.get(delta.number)
        if curve is None:
            return []  # it was forgotten, and ends
        if isinstance(delta, Progress):
            return self._reported(curve, delta)
        if isinstance(delta, Held):
            curve.state = "held"
        elif isinstance(delta, Resumed):
            curve.state, curve.before = "running", (curve.step, curve.seconds)
            curve.look = self._look(curve.step)
        else:
            curve.state = "ended"
            if self.learned_top and delta.losses is not None and curve.step > (self.top or 0.0):
                self._ends_at(curve.step)
        return []

    def _ends_at(self, step: float) -> None:
        """Nobody said how far trials go: as far as the one that went furthest and ended by itself."""
        self.top = exact(step)
        for number in self.order:
            curve = self.curves[number]
            curve.look = self._look(curve.step)

    def _begun(self, begun: Begun) -> None:
        unit = self.space.encode([begun.params])[0]
        if begun.number not in self.curves:
            insort(self.order, begun.number)
        self.curves[begun.number] = Curve(begun.number, unit, begun.step, self._look(begun.step), step=begun.step)
        self.count = max(self.count, begun.number + 1)

    def _reported(self, curve: Curve, progress: Progress) -> list[Stop | Pause | Continue]:
        loss = curve.report(progress)
        self.resumption.observe(curve)
        if loss is None:
            return []
        if curve.state == "ended":  # a user has tried it again
            curve.state = "running"
        self._told += 1
        self.best = min(self.best, (loss, curve.number))
        if self.top is not None and progress.step > self.top and not self.learned_top and curve.state == "running":
            return [Stop(trial=curve.number, reason=self.words.full(progress.step, self.top), complete=True)]
        if curve.look is None or progress.step < curve.look:
            return []
        self.looks += 1
        curve.look = self._look(progress.step)
        if self.looks >= self.fit_at:
            self._learn()
        at_the_end = self.top is not None and progress.step >= self.top
        return [] if at_the_end or curve.state != "running" else [self._decided(curve, loss)]

    def _look(self, step: float) -> float | None:
        """Where a trial at `step` is looked at next; None where it is not known how far there is to go."""
        levels = self.levels()
        place = bisect_right(levels, step)
        return levels[place] if place < len(levels) else None

    def _learn(self) -> None:
        curves = [self.curves[number] for number in self.order if self.curves[number].points]
        self.fitted = learn(self.shape, curves, self.standing, self.fitted)
        self.fit_at = max(self.looks + 1, math.ceil(GROWN * self.looks))
        self._rank(self._outlook(None))

    def _rank(self, outlook: Outlook) -> None:
        known = [self.curves[number] for number in self.order if self.curves[number].points]
        worth = outlook.worth(self._as_candidates(known))
        self.standing = [known[i].number for i in np.argsort(worth.mean, kind="stable").tolist()]

    def _thinned(self) -> list[Stop | Pause | Continue]:
        """Beyond MOST trials that do not run, half of THINNED are kept for what they promise, half for what they tell;
        held ones that are forgotten end."""
        resting = [number for number in self.order if self.curves[number].state != "running"]
        if len(resting) <= MOST or self.fitted is None:
            return []
        self._rank(self._outlook(None))
        ranked = [number for number in self.standing if self.curves[number].state != "running"]
        others = ranked[THINNED // 2 :]
        even = {others[i] for i in np.linspace(0, len(others) - 1, THINNED // 2).astype(int).tolist()}
        gone = sorted(set(resting) - set(ranked[: THINNED // 2]) - even)
        found: list[Stop | Pause | Continue] = [self._given_up(n) for n in gone if self.curves[n].state == "held"]
        for number in gone:
            del self.curves[number]
        self.order = [number for number in self.order if number in self.curves]
        self.standing = [number for number in self.standing if number in self.curves]
        return found

    def _given_up(self, number: int) -> Stop:
        curve = self.curves[number]
        outlook = self._outlook(None)
        forecast = self._forecast(outlook, outlook.worth(self._as_candidates([curve])), 0)
        return self._stop(curve, curve.points[-1].loss if curve.points else math.inf, forecast)

    # ---------------------------------------------------------------------------------------------- who has the place

    def _decided(self, curve: Curve, loss: float) -> Stop | Pause | Continue:
        """At its look a trial goes on if nothing else is worth more."""
        if self.fitted is None:
            reason = self.words.first(curve.step, loss, self.looks, self.initial)
            return Pause(trial=curve.number, reason=reason)
        outlook = self._outlook(curve.number)
        mine = outlook.worth(self._as_candidates([curve], anew=False))
        forecast = self._forecast(outlook, mine, 0)
        held = self._held()
        others = outlook.worth(self._as_candidates(held)).value if held else np.empty(0)
        new = self._new(outlook, self.count)[1].value
        rival = max(others.max(initial=-math.inf), new.max(initial=-math.inf))
        if mine.value[0] + STEADY >= rival:
            assert curve.look is not None
            reason = self.words.on(curve.step, curve.look, forecast, self.best[0])
            return Continue(trial=curve.number, to=curve.look, reason=reason)
        if forecast.chance < HOPELESS:
            return self._stop(curve, loss, forecast)
        ahead = [held[i].number for i in np.argsort(-others, kind="stable")[:5].tolist() if others[i] > mine.value[0]]
        better = bool(new.max(initial=-math.inf) > mine.value[0])
        reason = self.words.held(curve.step, loss, forecast, self.best[0], ahead, better)
        return Pause(trial=curve.number, reason=reason)

    def _stop(self, curve: Curve, loss: float, forecast: Forecast) -> Stop:
        holder = [self.best[1]] if self.best[1] not in {-1, curve.number} else []
        return Stop(trial=curve.number, reason=self.words.ended(curve.step, loss, forecast, self.best[0], holder))

    def next(self, number: int, rng: np.random.Generator) -> Next:
        """Whoever is worth most: a trial that waits, or a new configuration."""
        if self.instead is not None:
            return self.instead.next(number, rng)
        first = self._look(0.0)
        if self.fitted is None or number < self.initial:
            return Ask(resource=first)
        outlook = self._outlook(None)
        held = self._held()
        waiting = outlook.worth(self._as_candidates(held))
        units, new = self._new(outlook, number)
        trials = self.contest.budget.trials
        may_begin = trials is None or number - len(self.failed) < trials
        place = int(np.argmax(waiting.value)) if held else -1
        if held and (not may_begin or waiting.value[place] >= new.value.max(initial=-math.inf)):
            forecast = self._forecast(outlook, waiting, place)
            if not may_begin and held[place].points and forecast.chance < UNLIKELY:
                return Over(f"none of the {len(held)} held trials is likely to become the best")
            return self._thawed(held[place], forecast)
        if not len(units) or number % ASKED == ASKED - 1:
            return Ask(resource=first)
        best = int(np.argmax(new.value))
        reason = self.words.new(self._forecast(outlook, new, best), self.best[0], len(held))
        return Propose(params=self._params(units[best]), reason=reason, resource=first)

    def _thawed(self, curve: Curve, forecast: Forecast) -> Continue:
        to = self._look(curve.step)
        to = to if to is not None else self.top
        if not curve.points:
            return Continue(trial=curve.number, to=to, reason=self.words.short(to or 0.0))
        reason = self.words.on(curve.step, to or 0.0, forecast, self.best[0])
        return Continue(trial=curve.number, to=to, reason=reason)

    def _held(self) -> list[Curve]:
        return [self.curves[number] for number in self.order if self.curves[number].state == "held"]

    def _as_candidates(self, curves: Sequence[Curve], *, anew: bool = True) -> Candidates:
        """`anew`: they are continued, and so perhaps begin again."""
        steps = np.array([curve.step for curve in curves])
        begun = np.array([curve.begun for curve in curves])
        return Candidates(
            np.array([curve.unit for curve in curves]).reshape(len(curves), len(self.space.names)),
            np.array([curve.number for curve in curves], dtype=np.int64),
            steps,
            (steps - begun) * (self.resumption.repeated if anew else 0.0),
            np.array([curve.pace for curve in curves]),
        )

    def _forecast(self, outlook: Outlook, worth: Worth, place: int) -> Forecast:
        loss, sd = outlook.in_losses(float(worth.mean[place]), float(worth.sd[place]))
        return Forecast(loss, sd, float(worth.chance[place]))

    # ------------------------------------------------------------------------------------------- what they are worth

    def _outlook(self, without: int | None) -> Outlook:
        """The model of all that was observed; trial `without` is not counted among those that run."""
        assert self.fitted is not None
        assert self.top is not None
        known = [self.curves[number] for number in self.order]
        running = [curve for curve in known if curve.state == "running" and curve.number != without]
        key = (self._told, self.looks, len(known), *((curve.number, curve.look) for curve in running))
        if self._outlook_of is None or self._outlook_of[0] != key:
            found = Outlook(
                self.shape, self.fitted, [curve for curve in known if curve.points], self.standing,
                top=self.top, best=self.best[0], running=running,
            )  # fmt: skip
            self._outlook_of = key, found
        return self._outlook_of[1]

    def _new(self, outlook: Outlook, number: int) -> tuple[Floats, Worth]:
        """(m, d) new configurations for trial `number`, and what they are worth."""
        if self._new_of is None or self._new_of[0] is not outlook or self._new_of[1] != number:
            self._new_of = outlook, number, self._drawn(outlook, number)
        return self._new_of[2]

    def _drawn(self, outlook: Outlook, number: int) -> tuple[Floats, Worth]:
        """From the whole space and around the best trials, then more around the best of them."""
        rng = np.random.default_rng((self.contest.seed, STREAM, number))
        known = [self.curves[n].unit for n in self.order]
        leaders = [self.curves[n].unit for n in self.standing[:CENTRES]]
        rows = np.concatenate([anywhere(self.space, rng), around(self.space, rng, self._matrix(leaders))])
        rows = rows[unknown(rows, known)]
        worth = outlook.worth(_as_new(rows))
        closer = around(self.space, rng, rows[np.argsort(-worth.value, kind="stable")[: CENTRES // 2]])
        closer = closer[unknown(closer, [*known, *rows])] if len(closer) else closer
        more = outlook.worth(_as_new(closer))
        both = Worth(*(np.concatenate(pair) for pair in zip(worth, more, strict=True)))
        return np.concatenate([rows, closer]), both

    def _matrix(self, rows: Sequence[Floats]) -> Floats:
        return np.array(rows).reshape(len(rows), len(self.space.names))

    def _params(self, row: Floats) -> dict[str, Any]:
        return self.space.decode(row[None])[0]

    # -------------------------------------------------------------------------------------------------------- the plan

    def levels(self) -> Sequence[float]:
        """Where trials are looked at, up to the end; none while nobody knows where that is."""
        if self.instead is not None:
            return self.instead.levels()
        return () if self.top is None else _looks(self.top, self.least, self.eta)

    def brackets(self, trials: int | None) -> list[Bracket]:
        """None: who goes on depends on what is reported."""
        return [] if self.instead is None else self.instead.brackets(trials)

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        if self.instead is not None:
            return f"auto: several objectives or no parameters, so {self.instead.describe()}"
        levels = self.levels()
        at = f" at {self.words.resource} {', '.join(f'{level:g}' for level in levels)}" if levels else ""
        return f"auto: trials are looked at{at}; whoever is expected to improve most per second left has the next place"


def _initial(d: int) -> int:
    return min(max(d + 1, INITIAL_LOW), INITIAL_HIGH)


def _looks(top: float, least: float | None, eta: float) -> tuple[float, ...]:
    """Ascending: the top, and what is left of it divided by eta again and again; whole where the top is."""
    floor = top / FIRST_LOOK if least is None else least
    found, level = [top], top / eta
    while level >= floor * (1 - 1e-9):
        rounded = math.floor(level) if isinstance(top, int) else level
        if 0 < rounded < found[-1]:
            found.append(exact(rounded))
        level /= eta
    if least is not None and found[-1] > least:
        found.append(least)
    return tuple(reversed(found))


def _as_new(rows: Floats) -> Candidates:
    count = len(rows)
    unknown_pace = np.full(count, np.nan)
    return Candidates(rows, -1 - np.arange(count), np.zeros(count), np.zeros(count), unknown_pace)


def _asha(contest: Contest) -> Asha:
    options = contest.schedule.options
    given: dict[str, Any] = {name: options[name] for name in ("min", "max") if name in options}
    schedule = ScheduleSpec(method="asha", resource=contest.schedule.resource, options=given)
    return Asha(msgspec.structs.replace(contest, schedule=schedule))
