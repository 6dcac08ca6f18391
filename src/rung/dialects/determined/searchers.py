"""The `searcher` section of an experiment configuration: what each searcher takes, and what it is in our words."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from rung.dialects.determined.lengths import Length, read_length
from rung.model import BadInput, Budget, Objective, ScheduleSpec
from rung.schedule.adaptive.brackets import MODES
from rung.schedule.adaptive.settings import checked
from rung.schedule.base import Contest

if TYPE_CHECKING:
    from rung.dialects.determined.settings import Era
    from rung.dialects.values import Value

COMMON = ("name", "metric", "smaller_is_better", "source_trial_id", "source_checkpoint_uuid")
_HALVING = ("num_rungs", "divisor", "train_stragglers")
FIELDS: dict[str, tuple[str, ...]] = {
    "single": ("max_length", "max_steps"),
    "random": ("max_length", "max_steps", "max_trials", "max_concurrent_trials"),
    "grid": ("max_length", "max_steps", "max_concurrent_trials"),
    "async_halving": (
        *_HALVING, "max_trials", "max_concurrent_trials", "stop_once", "max_length", "time_metric", "max_time",
        "target_trial_steps", "step_budget",
    ),
    "adaptive_asha": (
        "max_trials", "mode", "divisor", "max_rungs", "bracket_rungs", "max_concurrent_trials", "stop_once",
        "max_length", "time_metric", "max_time",
    ),
    "adaptive_simple": ("max_trials", "max_length", "max_steps", "mode", "divisor", "max_rungs"),
    "adaptive": (
        "max_length", "budget", "target_trial_steps", "step_budget", "mode", "divisor", "max_rungs", "bracket_rungs",
        "train_stragglers",
    ),
    "sync_halving": (*_HALVING, "max_length", "budget"),
    "pbt": (
        "population_size", "num_rounds", "steps_per_round", "length_per_round", "replace_function", "explore_function",
    ),
}  # fmt: skip
ASHA = ("adaptive_asha", "async_halving")
OF_STEPS = ("max_steps", "target_trial_steps", "step_budget", "steps_per_round")
_EARLY = ("adaptive", "adaptive_simple", "sync_halving", "pbt")
MOST_SIMPLE_TRIALS = 2000
MOST_STEPS = 50_000
DEFAULT_CONCURRENT = 16

DEFAULTS: dict[str, dict[str, Any]] = {
    "random": {"max_concurrent_trials": DEFAULT_CONCURRENT},
    "grid": {"max_concurrent_trials": DEFAULT_CONCURRENT},
    "async_halving": {"divisor": 4, "max_concurrent_trials": DEFAULT_CONCURRENT, "time_metric": None, "max_time": None},
    "adaptive_asha": {
        "bracket_rungs": [], "divisor": 4, "mode": "standard", "max_rungs": 5,
        "max_concurrent_trials": DEFAULT_CONCURRENT, "time_metric": None, "max_time": None,
    },
    "adaptive_simple": {"divisor": 4, "mode": "standard", "max_rungs": 5},
    "adaptive": {"bracket_rungs": [], "divisor": 4, "train_stragglers": True, "max_rungs": 5, "mode": "standard"},
    "sync_halving": {"divisor": 4, "train_stragglers": True},
}  # fmt: skip
OF_ALL = {"smaller_is_better": True, "source_trial_id": None, "source_checkpoint_uuid": None}


class Search(NamedTuple):
    """A searcher in our words. `trials`: how many are begun, None: as many as the grid has points. `length`: how far
    each is trained at most, None: to completion. `grid`: whether it walks through all points."""

    name: str
    era: Era
    metric: str
    smaller_is_better: bool
    schedule: ScheduleSpec
    trials: int | None
    length: Length | None
    time_metric: str | None
    grid: bool = False


def deprecated(field: str) -> str:
    """The warning about a field of earlier versions."""
    return f"the `{field}` field of the searcher config has been deprecated and will be removed in a future release."


def defaults_of(name: str, era: Era) -> dict[str, Any]:
    """What the fields of a searcher are where the file does not say it. The first era knew no limit of trials at once,
    nor the fields of the last one."""
    found = OF_ALL | DEFAULTS.get(name, {})
    if era == "0.12" and name in {"random", "grid", "async_halving"}:
        found["max_concurrent_trials"] = 0
    if era != "0.38":
        found = {field: value for field, value in found.items() if field not in {"time_metric", "max_time"}}
    return found


def era_of(searcher: dict[str, Any], *, steps: bool = False) -> Era:
    """Of which versions the keys are. `steps`: whether other keys of the file speak of steps."""
    if steps or any(searcher.get(key) is not None for key in OF_STEPS):
        return "0.12"
    if searcher.get("name") in _EARLY:
        return "0.13"
    if searcher.get("time_metric") is not None or searcher.get("max_time") is not None:
        return "0.38"
    return "0.15" if searcher.get("max_length") is not None or searcher.get("stop_once") is not None else "0.38"


def read_searcher(value: Value, era: Era) -> Search:
    """What the section says. Raises `BadInput`: with the place, and the texts that Determined has for it."""
    name = _name(value)
    fields = value.fields((*COMMON, *FIELDS[name]), "a searcher")
    if "metric" not in fields:
        raise value.error("missing; give the name of the validation metric", "metric")
    _refuse_sources(fields)
    reader = _Reader(value, fields, name, era)
    search: Search = getattr(reader, f"read_{name}")()
    return search


def _name(value: Value) -> str:
    what = "the name of a searcher"
    value.tree("a mapping with `name` and `metric`")
    if value.value.get("name") is None:
        raise value.error(f"missing; give {what}", "name")
    name = value.child("name")
    if name.value == "custom":
        raise name.error(
            "a custom searcher is a program of your own (a SearchMethod), which is not run here: name one of "
            f"{', '.join(FIELDS)}, or write the search as a plug-in and say `--search FILE.py`"
        )
    return name.word(tuple(FIELDS), "searcher")


def _refuse_sources(fields: dict[str, Value]) -> None:
    for key in ("source_trial_id", "source_checkpoint_uuid"):
        if key in fields:
            raise fields[key].error(
                "trials cannot begin from a checkpoint of a Determined cluster; leave it out, and load the file of "
                "that checkpoint in your program"
            )


class _Reader:
    """One section, whose keys are known."""

    def __init__(self, value: Value, fields: dict[str, Value], name: str, era: Era) -> None:
        self.value, self.fields, self.name, self.era = value, fields, name, era
        self.defaults = defaults_of(name, era)

    # ------------------------------------------------------------------------------------------------ the searchers

    def read_single(self) -> Search:
        """One trial."""
        return self._to_the_end(trials=1)

    def read_random(self) -> Search:
        """So many trials, each to its end."""
        return self._to_the_end(trials=self._required("max_trials"))

    def read_grid(self) -> Search:
        """All points."""
        return self._to_the_end(trials=None)._replace(grid=True)

    def read_adaptive_asha(self) -> Search:
        """A tournament of asynchronous brackets."""
        length, time_metric = self._training()
        options = self._asha(length) | self._modes()
        return self._halving(options, length, time_metric)

    def read_async_halving(self) -> Search:
        """One asynchronous bracket; of the first era a synchronous one."""
        rungs = {"num_rungs": self._required("num_rungs")}
        if self.era == "0.12":
            length = Length(self._required("target_trial_steps"), "steps")
            options = self._synchronous(length) | rungs | {"budget": self._required("step_budget")}
            return self._halving(options, length)
        length, time_metric = self._training()
        return self._halving(self._asha(length) | rungs, length, time_metric)

    def read_adaptive_simple(self) -> Search:
        """A tournament of synchronous brackets."""
        length = self._length()
        trials = self._required("max_trials")
        if trials > MOST_SIMPLE_TRIALS:
            raise self.fields["max_trials"].error(f"must be at most {MOST_SIMPLE_TRIALS}, got {trials}")
        return self._halving(self._synchronous(length) | self._modes() | {"trials": trials}, length)

    def read_adaptive(self) -> Search:
        """The same, sized by the work that it may cost."""
        length, budget = self._budgeted()
        if budget <= length.amount:
            key = "step_budget" if self.era == "0.12" else "budget"
            raise self.fields[key].error(f"must be above the length of one trial ({length.amount}), got {budget}")
        return self._halving(self._synchronous(length) | self._modes() | {"budget": budget}, length)

    def read_sync_halving(self) -> Search:
        """One synchronous bracket, sized by the work that it may cost."""
        length, budget = self._budgeted()
        rungs = self._required("num_rungs")
        return self._halving(self._synchronous(length) | {"num_rungs": rungs, "budget": budget}, length)

    def read_pbt(self) -> Search:
        """A population, whose worst are replaced after each round by changed copies of the best."""
        population, rounds, each = self._required("population_size"), self._required("num_rounds"), self._round()
        fraction, resample, perturb = (
            self._share("replace_function", "truncate_fraction", most=0.5),
            self._share("explore_function", "resample_probability"),
            self._share("explore_function", "perturb_factor"),
        )
        length, replaced = Length(each.amount * rounds, each.units), int(fraction * population)
        if rounds == 1 or not replaced:  # nobody is ever replaced
            return self._search(ScheduleSpec(resource=_resource(length, None)), population, length)
        options = {
            "type": "synchronous",
            "population": population,
            "interval": each.amount,
            "quantile": fraction,
            "resample": resample,
            "factors": [max(1 - perturb, sys.float_info.min), 1 + perturb] if perturb else [1],
            "max": length.amount,
            "failed": "worst",
        }
        schedule = ScheduleSpec(method="pbt", resource=_resource(length, None), options=options)
        return self._search(schedule, population + (rounds - 1) * replaced, length)

    # ---------------------------------------------------------------------------------------------------- their parts

    def _to_the_end(self, trials: int | None) -> Search:
        length = self._length() if self._given("max_length") or self._given("max_steps") else None
        if length is None and self.era == "0.12":
            length = self._length()
        options: dict[str, Any] = {}
        if concurrent := self._whole("max_concurrent_trials", 0, least=0):
            options["max_concurrent_trials"] = concurrent
        schedule = ScheduleSpec(resource=_resource(length, None), options=options)
        return self._search(schedule, trials, length)

    def _asha(self, length: Length) -> dict[str, Any]:
        stopping = self.era == "0.38" or self._flag("stop_once", default=False)
        return {
            "type": "stopping" if stopping else "promotion",
            "max": length.amount,
            "trials": self._required("max_trials"),
            "divisor": self._divisor(),
            "max_concurrent_trials": self._whole("max_concurrent_trials", DEFAULT_CONCURRENT, least=0),
        }

    def _synchronous(self, length: Length) -> dict[str, Any]:
        if not self._flag("train_stragglers", default=True):
            raise self.fields["train_stragglers"].error("trials that come late are always trained on; leave it out")
        return {"type": "synchronous", "max": length.amount, "divisor": self._divisor()}

    def _modes(self) -> dict[str, Any]:
        mode = self.fields["mode"].word(MODES, "mode") if self._given("mode") else "standard"
        found: dict[str, Any] = {"mode": mode, "max_rungs": self._whole("max_rungs", 5)}
        if self._given("bracket_rungs"):
            rungs = [each.whole(1) for each in self.fields["bracket_rungs"].elements("a list of numbers of rungs")]
            found |= {"bracket_rungs": rungs} if rungs else {}
        return found

    def _training(self) -> tuple[Length, str | None]:
        """How far a trial goes at most, and the metric that counts it, where one does."""
        if self.era != "0.38":
            return self._length(), None
        if not (self._given("time_metric") and self._given("max_time")):
            raise self.value.error(f"the `{self.name}` searcher requires `max_time` and `time_metric` to be set")
        metric = self.fields["time_metric"].text("the name of a metric")
        return Length(self._required("max_time"), None), metric

    def _length(self) -> Length:
        if self.era == "0.12":
            name = "target_trial_steps" if "target_trial_steps" in FIELDS[self.name] else "max_steps"
            return Length(self._required(name), "steps")
        if not self._given("max_length"):
            raise self.value.error("missing; give a length such as {batches: 1000}", "max_length")
        return read_length(self.fields["max_length"], bare=self.era != "0.13")

    def _budgeted(self) -> tuple[Length, int]:
        """How far a trial goes at most, and the work of all together."""
        length = self._length()
        if self.era == "0.12":
            budget = self._required("step_budget")
            if budget > MOST_STEPS:
                raise self.fields["step_budget"].error(f"must be at most {MOST_STEPS}, got {budget}")
            return length, budget
        if not self._given("budget"):
            raise self.value.error("missing; give a length such as {batches: 10000}", "budget")
        found = read_length(self.fields["budget"], bare=False)
        if found.units != length.units:
            raise self.fields["budget"].error(f"must be in {length.units}, as the length is")
        return length, found.amount

    def _round(self) -> Length:
        if self.era == "0.12":
            return Length(self._required("steps_per_round"), "steps")
        if not self._given("length_per_round"):
            raise self.value.error("missing; give a length such as {batches: 1000}", "length_per_round")
        return read_length(self.fields["length_per_round"], bare=False)

    def _share(self, function: str, key: str, *, most: float = 1.0) -> float:
        known = {"replace_function": ("truncate_fraction",)}.get(function, ("resample_probability", "perturb_factor"))
        if not self._given(function):
            raise self.value.error(f"missing; give a mapping with {' and '.join(known)}", function)
        found = self.fields[function].fields(known)
        if key not in found:
            raise self.fields[function].error("missing; give a number", key)
        share = found[key].number()
        if not 0 <= share <= most:
            found[key].expected(f"a number from 0 to {most:g}")
        return share

    # --------------------------------------------------------------------------------------------------- single fields

    def _given(self, name: str) -> bool:
        return name in self.fields

    def _required(self, name: str) -> int:
        if not self._given(name):
            raise self.value.error("missing; give a whole number of at least 1", name)
        return self.fields[name].whole(1)

    def _whole(self, name: str, default: int, *, least: int = 1) -> int:
        if self._given(name):
            return self.fields[name].whole(least)
        found: int = self.defaults.get(name, default)
        return found

    def _flag(self, name: str, *, default: bool) -> bool:
        if not self._given(name):
            return default
        value = self.fields[name].value
        if not isinstance(value, bool):
            self.fields[name].expected("true or false")
        return bool(value)

    def _divisor(self) -> float:
        if not self._given("divisor"):
            return 4
        divisor = self.fields["divisor"].number()
        if divisor <= 1:
            self.fields["divisor"].expected("a number above 1")
        return int(divisor) if divisor.is_integer() else divisor

    # ------------------------------------------------------------------------------------------------- what comes out

    def _halving(self, options: dict[str, Any], length: Length, time_metric: str | None = None) -> Search:
        schedule = ScheduleSpec(method="adaptive", resource=_resource(length, time_metric), options=options)
        begun = self._begun(schedule)
        if options.get("trials") == begun:  # then they are those of the budget, and change with it
            del options["trials"]
        return self._search(schedule, begun, length, time_metric)

    def _begun(self, schedule: ScheduleSpec) -> int:
        """How many trials the brackets begin; a least of one each may make them more than were asked for."""
        objective = Objective(metric=self.fields["metric"].text("the name of a metric"))
        contest = Contest(schedule=schedule, objectives=(objective,), seed=0, budget=Budget())
        try:
            return sum(shape.trials for shape in checked(contest).shapes())
        except BadInput as error:
            key = error.key.removeprefix("schedule.")
            known = {"trials": "max_trials", "max": "max_length"}.get(key, key)
            raise self.value.error(error.message, *([known] if known in self.fields else [])) from None
        except OverflowError:
            raise self.value.error("its numbers are too large to be calculated with") from None

    def _search(
        self, schedule: ScheduleSpec, trials: int | None, length: Length | None, time_metric: str | None = None
    ) -> Search:
        return Search(
            name=self.name, era=self.era, metric=self.fields["metric"].text("the name of a metric"),
            smaller_is_better=self._flag("smaller_is_better", default=True), schedule=schedule, trials=trials,
            length=length, time_metric=time_metric,
        )  # fmt: skip


def _resource(length: Length | None, time_metric: str | None) -> str | None:
    """What the study counts in: the time metric, the unit, `length` for a number without one; None: any steps."""
    if time_metric is not None or length is None:
        return time_metric
    return length.units or "length"
