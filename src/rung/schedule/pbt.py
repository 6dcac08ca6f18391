"""Population based training: the worst of a population go on as changed copies of the best.

Jaderberg et al. 2017, "Population Based Training of Neural Networks" (arXiv:1711.09846), algorithm 1, with truncation
selection (section 4.1.1) and the explore step of `explore.py`. A *member* is a trial; a *slot* is a place in the
population, which one member after another has. A member that is replaced is ended, and a clone begins in its slot, from
the newest checkpoint of a better one.

- `asynchronous`: when a member has trained for one `interval`, it is compared with the latest score of each other one;
  among the worst `quantile` it is replaced by a clone of one of the best `quantile`. With fewer workers than members
  they take turns: who has trained for an interval waits until nobody has trained less.
- `synchronous`: every member waits at the interval until all are there; the k worst are replaced by clones of the k
  best, the worst by one of the best, and so on.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec

from rung.model import BadInput, Continue, MethodOption, Pause, Reason, Stop, defaults, to_wire
from rung.schedule.base import Ask, Begun, Bracket, Ended, Held, Hold, Over, Progress, Propose
from rung.schedule.explore import Explorer, described
from rung.schedule.options import MAX, Options, exact
from rung.schedule.ranking import UNKNOWN, ranking
from rung.schedule.reasons import MOST_NAMED, Verdicts, figure, named, shown, trials
from rung.schedule.rungs import limit, result

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np

    from rung.schedule.base import Contest, Delta, Next
    from rung.schedule.ranking import Ranking

RULE = "pbt"
POPULATION = 8
MOST_MEMBERS = 100_000
TYPES = ("asynchronous", "synchronous")
FAILED = ("replaced", "worst")
INTERVALS = 10  # that a known maximum is made of


class _Member(msgspec.Struct):
    """A trial of the population. `begin`: where its intervals are counted from, `round`: how many it has behind it,
    `due`: at which step the next one is over. One that is `full` has ended with a result, and its score counts on; one
    that is `gone` has failed, and counts as the worst until it is replaced."""

    number: int
    slot: int
    generation: int
    root: int
    params: dict[str, Any]
    begin: float
    step: float
    parent: int | None = None
    round: int = 0
    due: float = 0.0
    losses: tuple[float, ...] | None = None
    violation: float = 0.0
    state: Literal["running", "pausing", "held", "full", "gone"] = "running"


class _Vacancy(msgspec.Struct, frozen=True):
    """A slot without a member. `replaces`: who had it, None at the beginning. `donor`: who is to be cloned, None: one
    of the best."""

    replaces: int | None = None
    donor: int | None = None


class PopulationBasedTraining:
    """Without a `max` members run to their own end. With `failed: worst` a member that failed counts against the budget
    until the round ends."""

    declared: ClassVar[dict[str, MethodOption]] = {
        "population": MethodOption(POPULATION, "Members that train side by side"),
        "interval": MethodOption(None, "Resource between two decisions on a member; empty: a tenth of max", "number"),
        "quantile": MethodOption(0.25, "The share of the worst that is replaced, and of the best that is copied"),
        "resample": MethodOption(0.25, "The chance that a parameter of a copy is drawn anew"),
        "factors": MethodOption([0.8, 1.2], "What it is multiplied with otherwise"),
        "max": MAX,
        "type": MethodOption("asynchronous", "Synchronous: all wait for each other at every interval", words=TYPES),
        "failed": MethodOption(
            "replaced",
            "What becomes of a member that failed: worst (synchronous) keeps it as the worst until the round ends",
            words=FAILED,
        ),
    }
    options: ClassVar[dict[str, Any]] = defaults(declared)

    def __init__(self, contest: Contest) -> None:
        if contest.space is None:
            raise BadInput("population based training needs a search space", key="schedule.method")
        options = Options(contest)
        self.top = limit(contest)
        self.interval = _interval(options, self.top)
        self.trials = contest.budget.trials
        self.population = options.whole("population", POPULATION, least=2, most=MOST_MEMBERS)
        self.quantile = _quantile(options, self.population)
        self.synchronous = options.word("type", "asynchronous", TYPES) == "synchronous"
        self.failed_stay = options.word("failed", "replaced", FAILED) == "worst"
        if self.failed_stay and not self.synchronous:
            raise options.error("failed", "only of `type: synchronous` can a failed member wait for the end of a round")
        self.turns = self.synchronous or contest.workers < self.population
        resample = options.number("resample", 0.25, least=0, most=1)
        factors = options.numbers("factors", (0.8, 1.2), above=0)
        self.explorer = Explorer(contest.space, resample=resample, factors=factors)
        self.objectives = contest.objectives
        self._verdicts = Verdicts(contest, RULE)
        self.resource = self._verdicts.resource
        self._members: dict[int, _Member] = {}  # by trial number: those that are under way
        self._slots: dict[int, _Member] = {}  # by slot: those, and those that are full
        self._vacant: dict[int, _Vacancy] = {slot: _Vacancy() for slot in range(self.population)}
        self._round = 1  # of a synchronous population: which one all are on their way to the end of
        self._begun = 0  # trials that count against the budget
        self._barren: set[int] = set()  # members whose clone failed at its beginning, and who have not reported since
        self._told: set[int] = set()  # trials that were told to end, and have not yet
        self._outside: set[int] = set()  # trials that are no part of the population, and have not ended yet
        self._beside: set[int] = set()  # those of them that are held

    # ------------------------------------------------------------------------------------------------ what is observed

    def observe(self, deltas: Sequence[Delta]) -> list[Stop | Pause | Continue]:
        """The worst are ended, and those who have to wait for others are held."""
        found: dict[int, Stop | Pause | Continue] = {}
        for delta in deltas:
            if not isinstance(delta, Progress):
                found.pop(delta.number, None)  # whatever was to become of it, this has come of it
            found.update({command.trial: command for command in self._seen(delta)})
        return list(found.values())

    def _seen(self, delta: Delta) -> list[Stop | Pause | Continue]:
        if isinstance(delta, Progress):
            return self._reported(delta)
        if isinstance(delta, Ended):
            return self._ended(delta)
        if isinstance(delta, Begun):
            self._join(delta)
        elif delta.number in self._members:
            self._members[delta.number].state = "held" if isinstance(delta, Held) else "running"
        elif isinstance(delta, Held):
            self._beside.add(delta.number)
        else:
            self._beside.discard(delta.number)
        return []

    def _join(self, begun: Begun) -> None:
        ticket, self._begun = begun.ticket or {}, self._begun + 1
        never = [slot for slot, vacancy in self._vacant.items() if vacancy.replaces is None]
        slot = ticket.get("slot") if ticket.get("slot") in self._vacant else min(never, default=None)
        if slot is None:
            self._outside.add(begun.number)  # nobody asked for it: it runs to its end, beside the population
            return
        del self._vacant[slot]
        cloned = begun.parent is not None
        self._slots[slot] = self._members[begun.number] = member = _Member(
            number=begun.number,
            slot=slot,
            generation=ticket.get("generation", 0) if cloned else 0,
            root=ticket.get("root", begun.number) if cloned else begun.number,
            params=begun.params,
            begin=0.0 if self.synchronous else begun.step,
            step=begun.step,
            parent=begun.parent,
        )
        self._count(member)

    def _count(self, member: _Member) -> None:
        """Its intervals are counted, as exactly as the numbers are written."""
        begin, interval = Fraction(str(member.begin)), Fraction(str(self.interval))
        member.round = math.floor((Fraction(str(member.step)) - begin) / interval)
        member.due = float(begin + (member.round + 1) * interval)

    def _reported(self, progress: Progress) -> list[Stop | Pause | Continue]:
        member, losses = self._members.get(progress.number), result(progress)
        if member is None or losses is None:
            return []
        member.step = progress.step
        self._barren.discard(member.number)
        if member.state != "running" and self.synchronous:
            return []  # it went on while it was told to wait: its score is that of the round's end
        member.losses, member.violation = losses, progress.violation
        if member.state != "running":
            return []
        if self.top is not None and progress.step > self.top:  # at the top a program ends by itself
            full = Stop(trial=member.number, reason=self._verdicts.full(progress.step, self.top), complete=True)
            return [full, *self._full(member)]
        if self._at_top(member):
            return self._close_round()
        if member.step < member.due:
            return []
        self._count(member)
        return self._at_round(member) if self.synchronous else self._at_interval(member)

    def _ended(self, ended: Ended) -> list[Stop | Pause | Continue]:
        member = self._members.get(ended.number)
        under_way = member is not None or ended.number in self._told or ended.number in self._outside
        stays = self.failed_stay and not ended.invalid
        if ended.losses is None and under_way and not stays:
            self._begun -= 1  # a failed one does not count against the budget
        self._told.discard(ended.number)
        self._outside.discard(ended.number)
        self._beside.discard(ended.number)
        if member is None:
            return []
        if ended.losses is not None:
            return self._full(member)
        if stays:
            member.state, member.losses = "gone", (math.inf,) * len(self.objectives)
            return self._close_round()
        if member.parent is not None and member.losses is None:
            self._barren.add(member.parent)
        self._vacate(member)
        return self._close_round()

    def _full(self, member: _Member) -> list[Stop | Pause | Continue]:
        """It has had its training; nobody waits for it any more."""
        member.state = "full"
        del self._members[member.number]
        return self._close_round()

    def _vacate(self, member: _Member, donor: int | None = None) -> None:
        """Its slot is free, for a clone of `donor` or of one of the best."""
        del self._members[member.number], self._slots[member.slot]
        self._vacant[member.slot] = _Vacancy(replaces=member.number, donor=donor)

    def _at_top(self, member: _Member) -> bool:
        return self.top is not None and member.step >= self.top

    # ------------------------------------------------------------------------------------------------- who is replaced

    def _at_interval(self, member: _Member) -> list[Stop | Pause | Continue]:
        """Among the worst it is replaced. Else it goes on, when its turn comes."""
        order = self._ranked(self._slots.values())
        cut = self._cut(len(order))
        if order.place(member.number) >= len(order) - cut and self._room() >= 1 and self._donors(order, cut):
            return [self._replace(member, order, cut)]
        if not self.turns:
            return []
        here = f"at {self.resource} {member.step:g}"
        if self._open() or any(m.state == "held" and m.step <= member.step for m in self._members.values()):
            return [self._pause(member, f"{here}: has trained for an interval, now it is the turn of others")]
        reason = self._reason(member, f"{here}: goes on, since nobody waits who has trained less")
        return [Continue(trial=member.number, to=self._limit(member), reason=reason)]

    def _at_round(self, member: _Member) -> list[Stop | Pause | Continue]:
        """It waits for the others. The last one to come closes the round."""
        if member.round < self._round:
            return []  # its checkpoint was older than the round in which it began
        member.state = "pausing"
        found = self._close_round()
        if member.number not in self._members:
            return found
        here = f"at {self.resource} {member.step:g}"
        if member.round >= self._round:
            return [*found, self._pause(member, f"{here}: waits for the others at the end of round {self._round}")]
        if any(vacancy.donor == member.number for vacancy in self._vacant.values()):
            return [*found, self._pause(member, f"{here}: waits until it is cloned")]
        member.state = "running"
        reason = self._reason(member, f"{here}: goes on, the last to end round {self._round - 1}")
        return [*found, Continue(trial=member.number, to=self._limit(member), reason=reason)]

    def _close_round(self) -> list[Stop | Pause | Continue]:
        """When nobody is behind, the worst are replaced, and the others may go on; `next` lets them."""
        inside = [member for member in self._members.values() if not self._at_top(member)]
        there = [member for member in inside if member.state != "gone"]
        if not self.synchronous or not there or self._open():
            return []
        if any(member.round < self._round or member.losses is None for member in there):
            return []
        order = self._ranked(inside)
        donors = self._donors(order, int(min(self._cut(len(order)), max(0, self._room()))))
        worst = [self._members[number] for number in order.best(len(order))[::-1][: len(donors)]]
        cut = len(donors)
        found: list[Stop | Pause | Continue] = []
        for loser, donor in zip(worst, donors, strict=True):
            if loser.state == "gone":
                self._vacate(loser, donor.number)
            else:
                found.append(self._replace(loser, order, cut, donor=donor.number))
        self._round = 1 + min(member.round for member in there)
        return found

    def _ranked(self, members: Iterable[_Member]) -> Ranking:
        """Those with a score. A population is small: it is sorted anew for each decision."""
        found = ranking(len(self.objectives))
        for member in members:
            if member.losses is not None:
                found.add(member.number, member.losses, member.violation)
        return found

    def _cut(self, count: int) -> int:
        """How many of `count` are the worst, and how many the best."""
        return math.floor(Fraction(str(self.quantile)) * count)

    def _donors(self, order: Ranking, count: int) -> list[_Member]:
        """Those of the best `count` who can be cloned, best first: they have a usable score and resource left."""
        found = [self._members[number] for number in order.best(count) if number in self._members]
        return [m for m in found if self._can_be_cloned(m) and order.key(m.number).tier != UNKNOWN]

    def _can_be_cloned(self, member: _Member) -> bool:
        return not self._at_top(member) and member.number not in self._barren and member.state != "gone"

    def _room(self) -> float:
        """How many trials the budget allows beside those that are to begin already."""
        return math.inf if self.trials is None else self.trials - self._begun - len(self._vacant)

    def _replace(self, member: _Member, order: Ranking, cut: int, *, donor: int | None = None) -> Stop:
        """It is ended, since it is among the worst `cut`."""
        reason = self._lost(member, order, cut)
        self._told.add(member.number)
        self._vacate(member, donor)
        return Stop(trial=member.number, reason=reason)

    def _pause(self, member: _Member, text: str) -> Pause:
        member.state = "pausing"
        return Pause(trial=member.number, reason=self._reason(member, text))

    # ----------------------------------------------------------------------------------------------------- what begins

    def next(self, number: int, rng: np.random.Generator) -> Next:
        """Whoever has trained least: a new member for a free slot, or one that waits for its turn."""
        if self._beside - self._told:
            reason = Reason(by=RULE, text="held by others, and no part of the population", data={"rule": RULE})
            return Continue(trial=min(self._beside - self._told), to=None, reason=reason)
        slots = self._open()
        waiting = [m for m in self._members.values() if m.state == "held" and self._may_go_on(m)]
        first = min(waiting, key=lambda m: (m.step, m.number), default=None)
        if slots and (first is None or self._begins_at(slots[0]) <= first.step):
            return self._member_for(slots[0], number, rng)
        if first is not None:
            text = f"round {self._round} begins" if self.synchronous else "its turn: of those who wait, trained least"
            return Continue(trial=first.number, to=self._limit(first), reason=self._reason(first, text))
        if any(member.state != "gone" for member in self._members.values()):
            return Hold()
        text = "the population has run to its end" if self.top is None else "the population has had all its resource"
        return Over(text=f"{text}: {len(self._slots)} members")

    def _may_go_on(self, member: _Member) -> bool:
        return not self.synchronous or member.round < self._round or self._at_top(member)

    def _open(self) -> list[int]:
        """The slots that can get a member now, those first that never had one. One whose member was replaced stays
        empty when all the others are full by now."""
        if not self._vacant or (self.trials is not None and self._begun >= self.trials):
            return []
        never = sorted(slot for slot, vacancy in self._vacant.items() if vacancy.replaces is None)
        others = sorted(slot for slot, vacancy in self._vacant.items() if vacancy.replaces is not None)
        order = self._ranked(self._slots.values()) if others else None
        scored = order is not None and any(order.key(number).tier != UNKNOWN for number in order.best(1))
        return never + others if not scored or self._best() else never

    def _best(self) -> list[_Member]:
        """Whom a free slot can get a clone of: the best `quantile`, or the next who have any resource left."""
        order = self._ranked(self._slots.values())
        cut = max(1, self._cut(len(order)))
        return self._donors(order, cut) or self._donors(order, len(order))[:1]

    def _donors_for(self, slot: int) -> list[_Member]:
        """Whom this slot gets a clone of; nobody: it gets a new configuration."""
        vacancy = self._vacant[slot]
        chosen = self._members.get(vacancy.donor) if vacancy.donor is not None else None
        if chosen is not None and self._can_be_cloned(chosen):
            return [chosen]
        return [] if vacancy.replaces is None else self._best()

    def _begins_at(self, slot: int) -> float:
        return min((donor.step for donor in self._donors_for(slot)), default=0.0)

    def _member_for(self, slot: int, number: int, rng: np.random.Generator) -> Next:
        donors = self._donors_for(slot)
        if donors:
            return self._clone(donors[int(rng.integers(len(donors)))], slot, self._vacant[slot].replaces, rng)
        return Ask(resource=self._resource(0.0), ticket={"slot": slot, "generation": 0, "root": number})

    def _clone(self, donor: _Member, slot: int, replaces: int | None, rng: np.random.Generator) -> Propose:
        params = self.explorer.explored(donor.params, rng)
        generation = donor.generation + 1
        changed = described(donor.params, params) or "nothing"
        text = (
            f"generation {generation}: a clone of trial {donor.number} at {self.resource} {donor.step:g} in place of "
            f"trial {replaces}, with {changed} changed"
        )
        lineage = {"slot": slot, "generation": generation, "root": donor.root}
        data = {"rule": RULE, "replaces": replaces, "resource": donor.step, **lineage}
        reason = Reason(by=RULE, text=text, phase="explore", parent=donor.number, data=data)
        resource = self._resource(donor.step)
        return Propose(params=params, reason=reason, parent=donor.number, resource=resource, ticket=lineage)

    def _resource(self, begin: float) -> float | None:
        """How far a member that begins there may run at first."""
        if not self.turns:
            return self.top
        interval, start = Fraction(str(self.interval)), Fraction(str(begin))
        # A clone may begin where this round ends: it has the next one to train for.
        end = float(max(self._round, start // interval + 1) * interval if self.synchronous else start + interval)
        return end if self.top is None else min(end, self.top)

    def _limit(self, member: _Member) -> float:
        """Up to where it may go on: its next interval, or the end of the round."""
        ahead = float(self._round * Fraction(str(self.interval))) if self.synchronous else 0.0
        return min(max(member.due, ahead), math.inf if self.top is None else self.top)

    # ----------------------------------------------------------------------------------------------------------- words

    def _lost(self, member: _Member, order: Ranking, cut: int) -> Reason:
        place = order.place(member.number)
        ahead = order.best(min(MOST_NAMED, cut))
        losses = member.losses or ()
        said = ", ".join(named(o, loss) for o, loss in zip(self.objectives, losses, strict=True))
        text = f"at {self.resource} {member.step:g}: {said} is number {place + 1} of {len(order)}"
        threshold = None
        if len(self.objectives) == 1:
            bound = self._slots_by_number()[order.best(len(order) - cut)[-1]].losses
            assert bound is not None
            threshold = to_wire(shown(self.objectives[0], bound[0]))
            text += f", where {figure(shown(self.objectives[0], bound[0]))} was needed"
        text += f"; lost to {trials(ahead)}, of whom a clone takes its place"
        return self._reason(member, text, {"threshold": threshold, "lost_to": ahead})

    def _values(self, member: _Member) -> Any:
        """Its score as the user knows it; one for each objective if there are several."""
        values = [to_wire(shown(o, loss)) for o, loss in zip(self.objectives, member.losses or (), strict=False)]
        return values[0] if len(values) == 1 else values or None

    def _slots_by_number(self) -> dict[int, _Member]:
        return {member.number: member for member in self._slots.values()}

    def _reason(self, member: _Member, text: str, more: dict[str, Any] | None = None) -> Reason:
        data = {
            "rule": RULE,
            "rung": member.round,
            "resource": member.step,
            "generation": member.generation,
            "value": self._values(member),
            "threshold": None,
            "lost_to": [],
        }
        return Reason(by=RULE, text=text, data={**data, **(more or {})})

    # --------------------------------------------------------------------------------------------------- what is shown

    def levels(self) -> Sequence[float]:
        """None: what a clone reports is its ancestors' work too."""
        return ()

    def brackets(self, trials: int | None) -> list[Bracket]:
        """One population and its clones; who is replaced is decided by what is reported."""
        return [Bracket(self.population if trials is None else trials, ())]

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        cut = self._cut(self.population)
        when = "when all are there" if self.synchronous else "as each one gets there"
        end = "to the end of each" if self.top is None else f"up to {self.resource} {self.top:g}"
        if self.trials is not None and self.trials <= self.population:
            return f"population based training: {self.trials} members {end}; the budget leaves no room for clones"
        return (
            f"population based training: {self.population} members {end}; every {self.interval:g} ({self.resource}), "
            f"{when}, the worst {cut} are replaced by clones of the best {cut} with changed parameters"
        )


def _interval(options: Options, top: float | None) -> float:
    """The resource between decisions: of a maximum in whole numbers a whole number."""
    given = options.number("interval", None, above=0)
    if given is None and top is None:
        raise options.error("interval", "give the resource between two decisions, or `max`, of which it is a tenth")
    if given is not None:
        if top is not None and given >= top:
            raise options.error("interval", f"expected less than max ({top}), got {given}: nobody would be compared")
        return given
    assert top is not None
    return math.ceil(Fraction(str(top)) / INTERVALS) if isinstance(top, int) else exact(top / INTERVALS)


def _quantile(options: Options, population: int) -> float:
    share = options.number("quantile", 0.25, above=0, most=0.5)
    if Fraction(str(share)) * population < 1:
        raise options.error(
            "quantile", f"{share} of {population} members is nobody: give at least {math.ceil(100 / population) / 100}"
        )
    return share
