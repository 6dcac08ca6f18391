"""CMA-ES: samples from a normal distribution whose mean, step and covariance learn from what was best.

Sources: Hansen 2016, "The CMA Evolution Strategy: A Tutorial"; the margin that keeps discrete parameters from getting
stuck: Hamano et al. 2022, "CMA-ES with Margin"; restarts with two regimes: Hansen 2009, "Benchmarking a BI-Population
CMA-ES on the BBOB-2009 Function Testbed". The distribution is that of the library `cmaes`.

A run is a distribution with its generations, from a start to the point where it is of no more use. Candidate i of
generation g of run r is a function of (seed, r, g, i) and of the results before, so that results may come in any
order: the memo `{"cmaes": {"space": v, "run": r, "start": s, "g": g, "i": i}}` of a proposal says which candidate it
is, and of which version of the space: what was drawn before the space was edited teaches nothing here. `start` is the
trial at whose configuration the run begins (an evaluation of an earlier study: -1 - its place), or null; without an
`i` no candidate was new, and a random draw took its place.

A generation ends with as many results as the population has members. While results are missing, more candidates are
drawn from it; a result that comes one generation late counts in the next one, later ones teach nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from rung.model import BadInput, MethodOption, defaults
from rung.search.base import Proposed, Result, Suggestion
from rung.search.history import History
from rung.search.options import whole_option
from rung.search.pareto import ranks
from rung.search.population import (
    TRIES,
    admit,
    best_earlier,
    drawn,
    free_columns,
    ordered,
    sizes,
)

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from rung.search.base import Delta, Exhausted, Problem
    from rung.search.history import Floats, Integers

STEP = 0.2  # the first standard deviation in each column of the unit cube
KNOWN = 2.0 / 3.0  # of it where the run begins at a known configuration
NARROW = 1e-9  # a run whose largest standard deviation is below is over
RESAMPLED = 1  # draws beyond a bound that are drawn again before they are cut off at it
LATE = 1  # a result may be so many generations old
PURPOSE = 0xC3A  # names the generators of this file


class Plan(NamedTuple):
    """How a run begins; `small` tells the two regimes of Hansen 2009 apart."""

    number: int
    start: int | None
    size: int
    step: float
    small: bool


class Sample(NamedTuple):
    """A candidate that was proposed: its generation and the point as the distribution drew it."""

    generation: int
    point: Floats


class CmaEs:
    """CMA-ES with margin and BIPOP restarts. Unordered choices of more than two values are refused: CMA-ES needs an
    order or a distance. Parameters that are inactive are searched along, without effect.
    """

    declared: ClassVar[Mapping[str, MethodOption]] = {
        "population": MethodOption(
            None, "Configurations of a generation; empty: 4 + 3 ln d for d parameters, at least one a worker", "number"
        ),
        "step": MethodOption(STEP, "The first standard deviation, as a share of each parameter's range"),
    }
    options: ClassVar[Mapping[str, Any]] = defaults(declared)

    def __init__(self, problem: Problem) -> None:
        self.space, self.seed, self.version = problem.space, problem.seed, problem.space_version
        self.history = History(problem)
        self._refuse_choices()
        self._free = free_columns(self.history.columns)
        usual = max(4 + math.floor(3 * math.log(max(1, len(self._free)))), problem.workers)
        self.size = whole_option(problem, "population", usual, least=4)
        self.step = _step_option(problem)
        self._sizes = sizes(self.history.columns)[self._free]
        self._run: Run | None = None
        self._large = 0  # runs of the large regime that are over
        self._spent = {False: 0, True: 0}  # results, by regime

    def _refuse_choices(self) -> None:
        columns = zip(self.space.names, self.history.columns, strict=True)
        names = [name for name, column in columns if column.kind == "categorical" and column.size != 1]
        if names:
            listed = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
            raise BadInput(
                f"cmaes cannot search choices without an order ({listed}); "
                "declare them as ordinal, or use search: auto, tpe or evolution",
                key="search.method",
            )

    # ------------------------------------------------------------------------------------------------------- the fold

    def observe(self, deltas: Sequence[Delta]) -> None:
        """The deltas are in the history, and results in the generation they belong to."""
        for delta in deltas:
            self.history.observe((delta,))
            if isinstance(delta, Proposed):
                self._proposed(delta.number)
            elif isinstance(delta, Result) and self._run is not None:
                self._run.finish(delta.number, self.history)

    def _memo(self, number: int) -> Mapping[str, Any] | None:
        """What we noted of a trial that we proposed in this space."""
        memo: Mapping[str, Any] | None = self.history.memos.get(number, {}).get("cmaes")
        return memo if memo is not None and memo["space"] == self.version else None

    def _proposed(self, number: int) -> None:
        memo, run = self._memo(number), self._run
        if memo is None:
            return
        if memo["run"] == (0 if run is None else run.plan.number + 1):
            if run is not None:
                self._spent[run.plan.small] += run.results
                self._large += not run.plan.small
            run = self._run = self._begin(memo["start"])
        if run is not None and memo["run"] == run.plan.number and memo["start"] == run.plan.start:
            run.propose(number, memo["g"], memo.get("i"))

    def _begin(self, start: int | None) -> Run:
        """The run after the present one, from the configuration `start` names."""
        plan = self._plan(start)
        mean = self._mean(plan)
        return Run(plan, mean, self._sizes, self.seed)

    # --------------------------------------------------------------------------------------------------------- starts

    def _plan(self, start: int | None) -> Plan:
        """The regime with fewer results so far is next (Hansen 2009, section 2): large populations double with each
        restart, small ones take a random size and a random, smaller step."""
        run = self._run
        if run is None:
            return Plan(0, start, self.size, self.step * (1.0 if start is None else KNOWN), small=False)
        spent, large = dict(self._spent), self._large + (not run.plan.small)
        spent[run.plan.small] += run.results
        number, doubled = run.plan.number + 1, self.size * 2**large
        if spent[False] <= spent[True]:
            return Plan(number, start, doubled, self.step * (1.0 if start is None else KNOWN), small=False)
        u = np.random.default_rng((self.seed, PURPOSE, number, 1)).random(2)
        size = math.floor(self.size * (0.5 * doubled / self.size) ** (u[0] ** 2))
        return Plan(number, start, size, self.step * float(10.0 ** (-2.0 * u[1])), small=True)

    def _start(self) -> int | None:
        """The best configuration that is known and that no run has found: what others found is where to begin."""
        best = self.history.best()
        if best is not None:
            number = int(self.history.numbers[best])
            return number if self._memo(number) is None else None
        earlier = best_earlier(self.history, 1) if self._run is None else []
        return -1 - earlier[0] if earlier else None

    def _mean(self, plan: Plan) -> Floats:
        """(f,) the centre for the first run, a random point for a restart, unless a configuration is named."""
        if plan.start is not None:
            earlier = plan.start < 0
            row = self.history.earlier()[0][-1 - plan.start] if earlier else self._units_of(plan.start)
            return np.nan_to_num(row[self._free], nan=0.5)
        if plan.number == 0:
            return np.full(len(self._free), 0.5)
        return np.random.default_rng((self.seed, PURPOSE, plan.number, 0)).random(len(self._free))

    def _units_of(self, number: int) -> Floats:
        units: Floats = self.history.units[self.history.row[number]]
        return units

    # ------------------------------------------------------------------------------------------------------ proposing

    def suggest(
        self, number: int, pending: Sequence[int], taken: Container[Mapping[str, Any]], rng: np.random.Generator
    ) -> Suggestion | Exhausted:
        """The next candidate of the present generation that is not taken and keeps every constraint."""
        if not len(self._free):
            return drawn(self.space, taken, rng)
        run = self._run if self._run is not None and not self._run.over else self._begin(self._start())
        memo = {"space": self.version, "run": run.plan.number, "start": run.plan.start, "g": run.generation}
        row = np.full(len(self.history.columns), 0.5)
        for index in range(run.next, run.next + TRIES):
            row[self._free] = run.candidate(index)[0]
            params = admit(self.space, row, taken)
            if params is not None:
                return Suggestion(params=params, text=run.text(index), memo={"cmaes": {**memo, "i": index}})
        why = f"run {run.plan.number + 1} of CMA-ES met only what was proposed before or breaks a constraint"
        return drawn(self.space, taken, rng, why=why, memo={"cmaes": memo})

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        return (
            f"cmaes: samples from a normal distribution that learns from generations of {self.size} results, and "
            "restarts when it has converged"
        )


class Run:
    """One distribution from its start to its end. Columns are the free ones, in 0..1. A draw beyond a bound is drawn
    again once and then cut off there, and the distribution learns from the cut point: many draws in vain would keep it
    off optima at a bound, none would waste candidates on the bound when the optimum is within."""

    def __init__(self, plan: Plan, mean: Floats, column_sizes: Floats, seed: int) -> None:
        from cmaes import CMAwM  # imports scipy.stats, which takes over half a second: only studies that use it pay

        self.plan, self._seed, self._width = plan, seed, len(mean)
        mean = np.append(mean, [0.5] * max(0, 2 - len(mean)))  # the library knows no single dimension: one more, idle
        steps = np.append(1.0 / column_sizes, np.zeros(len(mean) - self._width))
        low, high = steps / 2, 1 - steps / 2  # a discrete value stands at the centre of its bin
        self._distribution = CMAwM(
            mean=np.clip(mean, low, high), sigma=plan.step,
            bounds=np.stack([low, high], axis=1), steps=steps, n_max_resampling=RESAMPLED, seed=0,
            population_size=plan.size,
        )  # fmt: skip
        self.generation = self.next = self.results = 0
        self.spread = plan.step  # the largest standard deviation of a column, as the last generation has it
        self.over = False
        self._vain = 0  # random draws in place of candidates in this generation
        self._open: dict[int, Sample] = {}  # trials without a result
        self._told: list[tuple[Floats, int]] = []  # points of this generation and the rows of their results

    def candidate(self, index: int) -> tuple[Floats, Floats]:
        """Candidate `index` of the present generation: (f,) units, and the point as the distribution drew it."""
        words = np.random.SeedSequence((self._seed, PURPOSE, self.plan.number, self.generation, index))
        self._distribution.reseed_rng(int(words.generate_state(1)[0]))
        encoded, point = self._distribution.ask()
        return encoded[: self._width], point

    def propose(self, number: int, generation: int, index: int | None) -> None:
        """Trial `number` is that candidate; None: it is a random draw, since no candidate was new."""
        if generation != self.generation:
            return
        if index is None:
            self._vain += 1
            self.over = self.over or self._vain >= self.plan.size
            return
        self.next = max(self.next, index + 1)
        self._open[number] = Sample(generation, self.candidate(index)[1])

    def finish(self, number: int, history: History) -> None:
        """The trial has a result; with enough of them the distribution learns."""
        sample = self._open.pop(number, None)
        if sample is None or self.over or sample.generation < self.generation - LATE:
            return
        self._told.append((sample.point, history.row[number]))
        self.results += 1
        if len(self._told) == self.plan.size:
            self._learn(history)

    def _learn(self, history: History) -> None:
        self._told.sort(key=lambda told: told[1])  # results that came in another order teach the same
        rows = np.array([row for _, row in self._told], dtype=np.int64)
        scores = _scores(history.losses[rows], history.violations[rows])
        points = [point for point, _ in self._told]
        with np.errstate(all="ignore"):  # a distribution that breaks down is over: nothing else follows from it
            self._distribution.tell(list(zip(points, scores.tolist(), strict=True)))
            self.spread = float(np.std(points, axis=0).max())
            self.over = self.spread < NARROW or self._broken()
        self.generation, self.next, self._told, self._vain = self.generation + 1, 0, [], 0

    def _broken(self) -> bool:
        """Whether the library's own rules end the run, or its numbers have broken down."""
        try:
            return not np.isfinite(self._distribution.mean).all() or bool(self._distribution.should_stop())
        except np.linalg.LinAlgError:  # a covariance that is no longer finite
            return True

    def text(self, index: int) -> str:
        """Why candidate `index`, in one line."""
        where = f"run {self.plan.number + 1}, " if self.plan.number else ""
        begun = "" if self.generation or self.plan.start is None else f", around {_named(self.plan.start)}"
        return (
            f"candidate {index + 1} of generation {self.generation + 1} of CMA-ES ({where}population "
            f"{self.plan.size}, standard deviation {self.spread:.2g} of the range{begun})"
        )


def _scores(losses: Floats, violations: Floats) -> Integers:
    """What the distribution learns from: places, since CMA-ES uses nothing else, and they are always finite. Equals
    have the same place, by which the library sees a flat function; with several objectives the crowding decides."""
    if losses.shape[1] == 1:
        return ranks(losses, violations)
    places = np.empty(len(losses), dtype=np.int64)
    places[ordered(losses, violations)] = np.arange(len(losses))
    return places


def _named(start: int) -> str:
    return f"trial {start}" if start >= 0 else "the best of an earlier study"


def _step_option(problem: Problem) -> float:
    step = problem.search.options.get("step")
    step = STEP if step is None else step
    if isinstance(step, bool) or not isinstance(step, int | float) or not 0 < step <= 1:
        raise BadInput(f"expected a number above 0 and at most 1, got {step!r}", key="search.step")
    return float(step)
