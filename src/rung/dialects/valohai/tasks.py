"""From a step and a task to what is searched: parameters, searcher, budget, objective."""

from __future__ import annotations

import itertools
import json
import math
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from rung.dialects.names import did_you_mean
from rung.dialects.valohai.blueprints import Task, names_of
from rung.dialects.valohai.parameters import ParameterItem, Refused
from rung.dialects.valohai.styles import (
    MOST,
    StyleError,
    checked,
    flag_value,
    listed_parameter,
    range_of,
    read_style,
    values_of,
)
from rung.model import BadInput, Budget, Objective, Parameter, RunSettings, ScheduleSpec, SearchSpec
from rung.space.errors import SpaceError
from rung.space.expressions import metric_expression
from rung.space.validation import check_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rung.dialects.valohai.blueprints import Blueprints, Step
    from rung.dialects.valohai.styles import Variant

RANDOM_FIRST = 20
BAYESIAN = SearchSpec(method="tpe", options={"start": RANDOM_FIRST, "design": "random"})
RECOMMENDED = 30
_ON_FAILURE: dict[str | None, Literal["continue", "fail", "stop"]] = {
    None: "fail", "continue-and-complete": "continue", "continue-and-error": "fail", "stop-all-and-error": "stop",
}  # fmt: skip
_LISTED_SETS = 10_000


class Plan(msgspec.Struct, kw_only=True):
    """What a step and a task mean to a study. `remarks` are lines to say before it starts."""

    parameters: list[Parameter]
    search: SearchSpec
    budget: Budget
    run: RunSettings
    schedule: ScheduleSpec = msgspec.field(default_factory=ScheduleSpec)
    objectives: tuple[Objective, ...] = ()
    remarks: list[str] = []


class Values:
    """The values that a step's parameters have where no task varies them: given ones over the defaults."""

    def __init__(self, step: Step, given: Mapping[str, Sequence[str]]) -> None:
        self.step = step
        self.given = {name: _given(step, name, texts) for name, texts in given.items() if step.parameter(name)}

    def of(self, item: ParameterItem) -> Any:
        """The value of a parameter; None where it has none. A flag has its default too, as one who starts an execution
        by hand sees it filled in; a number that YAML takes for a word (`1e-3`) is the number."""
        if item.name in self.given:
            return self.given[item.name]
        if item.is_number and isinstance(item.default, str):
            return item.typed(item.default, [])
        return item.default

    def check_required(self) -> None:
        """Raises `BadInput` where an execution would lack a value."""
        missing = [item.name for item in self.step.parameters if item.is_required and item.name not in self.given]
        if missing:
            names = ", ".join(repr(name) for name in missing)
            raise BadInput(
                f"Required parameters missing: {{{names}}}; give each as --NAME VALUE", place=f"step {self.step.name}"
            )


def _given(step: Step, name: str, texts: Sequence[str]) -> Any:
    item = step.parameter(name)
    assert item is not None
    if len(texts) > 1 and item.multiple is None:
        raise BadInput("is given twice; give it once", place=f"--{name}")
    try:
        if item.is_flag:
            return flag_value(texts[-1])
        return item.validate(list(texts) if item.multiple else texts[-1])
    except (Refused, StyleError) as error:
        raise BadInput(str(error), place=f"--{name}") from None


# ------------------------------------------------------------------------------------------------------------ choosing


def on_the_spot(name: str, styles: Sequence[str], step: Step, *, kind: str) -> Task:
    """The task that `--style` describes. Raises `BadInput`."""
    variants: dict[str, Variant] = {}
    for text in styles:
        parameter = text.partition("=")[0]
        item = step.parameter(parameter)
        if "=" not in text or not parameter:
            raise BadInput(f"expected NAME=STYLE:..., such as lr=logspace:-5:-1:5, got {text!r}", place="--style")
        if item is None:
            known = [item.name for item in step.parameters]
            hint = did_you_mean(parameter, known) or "; it has none"
            raise BadInput(f"step {step.name} has no parameter `{parameter}`{hint}", place="--style")
        if parameter in variants:
            raise BadInput(f"{parameter} is given twice; give it once", place="--style")
        try:
            variants[parameter] = read_style(text, item)
        except StyleError as error:
            raise _at_style(parameter, error) from None
    return Task(name=name, step=step.name, type=kind, variants=list(variants.values()))


def _at_style(parameter: str, error: StyleError) -> BadInput:
    return BadInput(f"{error.key}: {error}" if error.key else str(error), place=f"--style {parameter}")


# ------------------------------------------------------------------------------------------------------------ building


def single(values: Values) -> Plan:
    """One execution."""
    values.check_required()
    step = values.step
    return Plan(
        parameters=_constants(values, ()),
        search=SearchSpec(method="grid"),
        budget=Budget(trials=1, stop=_stop(step.stop_condition)),
        run=RunSettings(timeout_s=step.time_limit_s),
    )


def _stop(text: str | None) -> str | None:
    """The stop condition, if it can be asked of metrics. Raises `SpaceError`."""
    if text is not None and not metric_expression(text).names:
        raise SpaceError("names no metric; write something like accuracy >= 0.99")
    return text


class Builder:
    """Makes the plan of a task."""

    def __init__(self, task: Task, values: Values, blueprints: Blueprints) -> None:
        self.task, self.values, self.step, self.positions = task, values, values.step, blueprints.positions
        self.remarks: list[str] = []

    def plan(self) -> Plan:
        """What the task means. Raises `BadInput` with the place of what means nothing."""
        task = self.task
        if task.type == "distributed":
            raise self.error(
                "distributed tasks, whose executions wait for each other, are not run by Rung; take grid_search, "
                "random_search, bayesian_tpe or manual_search",
                "type",
            )
        self._check_counts()
        parameters, search, trials = getattr(self, f"_{task.type}")()
        self._remark()
        return Plan(
            parameters=parameters + _constants(self.values, [p.name for p in parameters]),
            search=search,
            budget=Budget(trials=trials, stop=self._stop_condition(), on_failure=_ON_FAILURE[task.on_child_error]),
            run=RunSettings(workers=task.queued or 1, timeout_s=self.step.time_limit_s),
            schedule=ScheduleSpec(options={"max_concurrent_trials": task.queued} if task.queued else {}),
            objectives=self._objectives(),
            remarks=self.remarks,
        )  # fmt: skip

    def error(self, message: str, *below: str | int) -> BadInput:
        """The error at a part of the task: its line, or the option that described it."""
        if self.task.path:
            return self.positions.error((*self.task.path, *below), message)
        return BadInput(message, place="--task" if below == ("type",) else "--style")

    def _check_counts(self) -> None:
        named = {
            "execution-count": self.task.count,
            "execution-batch-size": self.task.batch,
            "maximum-queued-executions": self.task.queued,
        }
        for key, number in named.items():
            if number is not None and not 1 <= number < 2**31:
                raise self.error(f"expected a whole number of at least 1, got {number}", key)

    def _stop_condition(self) -> str | None:
        try:
            return _stop(self.task.stop_condition)
        except SpaceError as error:
            raise self.error(str(error), "stop-condition") from None

    def _objectives(self) -> tuple[Objective, ...]:
        task = self.task
        if task.type != "bayesian_tpe" or task.metric is None or task.target is None:
            return ()
        return (Objective(metric=task.metric, goal=float(task.target)),)

    def _remark(self) -> None:
        """What the file says and does not happen is said."""
        task, step = self.task, self.step
        if task.count is not None and task.type in {"grid_search", "manual_search"}:
            self.remarks.append(f"execution-count has no effect on a {task.type}: it runs every configuration")
        if task.batch is not None and task.type != "bayesian_tpe":
            self.remarks.append(f"execution-batch-size has no effect on a {task.type}")
        if step.stop_condition is not None:
            self.remarks.append("the step's stop-condition is not looked at in a task; give the task one")
        if step.output_timeout:
            self.remarks.append("no-output-timeout is not looked at")
        varied = {variant.name for variant in task.variants}.union(*task.sets)
        unset = [i.name for i in step.parameters if i.is_required and i.name not in varied | set(self.values.given)]
        if unset:
            self.remarks.append(f"{names_of(unset)} has no value and is not passed: give it as --{unset[0]} VALUE")

    # -------------------------------------------------------------------------------------------------------- types

    def _grid_search(self) -> tuple[list[Parameter], SearchSpec, int | None]:
        found = [listed_parameter(item, values) for item, values in self._lists()]
        return found, SearchSpec(method="grid"), math.prod(len(p.values or (p.value,)) for p in found)

    def _random_search(self) -> tuple[list[Parameter], SearchSpec, int | None]:
        """Independent draws, of which some may be alike where there is not enough to draw from."""
        count = self.task.count
        options = {"independent": True} if count is not None else {}
        return self._ranges(), SearchSpec(method="random", repeats=count or 1, options=options), count

    def _bayesian_tpe(self) -> tuple[list[Parameter], SearchSpec, int | None]:
        return self._ranges(), msgspec.structs.replace(BAYESIAN, batch=self.task.batch), self.task.count

    def _manual_search(self) -> tuple[list[Parameter], SearchSpec, int | None]:
        """Every set, once for each combination of what the task's parameters list and the set does not name."""
        lists = self._lists()
        configurations = []
        for index, one in enumerate(self.task.sets or [{}]):
            named = {name: self._set_value(index, name, value) for name, value in one.items()}
            free = [(item.name, values) for item, values in lists if item.name not in named]
            if math.prod(len(values) for _, values in free) > _LISTED_SETS:
                raise self.error(f"more than {_LISTED_SETS} executions; take grid_search", "parameters")
            names = [name for name, _ in free]
            configurations += [
                {**dict(zip(names, combination, strict=True)), **named}
                for combination in itertools.product(*(values for _, values in free))
            ]
        return self._points(configurations)

    def _points(self, configurations: list[dict[str, Any]]) -> tuple[list[Parameter], SearchSpec, int]:
        names = list(dict.fromkeys(name for one in configurations for name in one))
        items = {name: self._item(name, "parameter-sets") for name in names}
        filled = [{name: one.get(name, self.values.of(items[name])) for name in names} for one in configurations]
        once = {json.dumps(one, sort_keys=True): one for one in filled}
        if len(once) < len(filled):
            self.remarks.append(
                f"{len(filled) - len(once)} of the {len(filled)} parameter sets are there twice: each runs once"
            )
        found = []
        for name in names:
            values = list({json.dumps(one[name]): one[name] for one in once.values()}.values())
            found.append(listed_parameter(items[name], values))
        varied = {p.name for p in found if p.type != "constant"}
        points = [{name: value for name, value in one.items() if name in varied} for one in once.values()]
        return found, SearchSpec(method="grid", options={"points": points} if varied else {}), len(once)

    # ------------------------------------------------------------------------------------------------------ parameters

    def _item(self, name: str, *below: str | int) -> ParameterItem:
        item = self.step.parameter(name)
        if item is None:
            hint = did_you_mean(name, [item.name for item in self.step.parameters]) or "; it has none"
            raise self.error(f"step {self.step.name} has no parameter `{name}`{hint}", *below)
        return item

    def _varied(self) -> list[tuple[int, Variant, ParameterItem]]:
        """The variants, less those that the command line gave one value."""
        kept: dict[str, tuple[int, Variant, ParameterItem]] = {}
        for index, variant in enumerate(self.task.variants):
            item = self._item(variant.name, "parameters", index, "name")
            if variant.name not in self.values.given:
                kept[variant.name] = index, variant, item
        return list(kept.values())

    def _lists(self) -> list[tuple[ParameterItem, list[Any]]]:
        found = []
        for index, variant, item in self._varied():
            try:
                found.append((item, values_of(variant, item)))
            except StyleError as error:
                raise self._wrong_rule(index, variant, error) from None
        if math.prod(len(values) for _, values in found) > MOST**2:
            raise self.error("more executions than can ever be run", "parameters")
        return found

    def _ranges(self) -> list[Parameter]:
        found = []
        for index, variant, item in self._varied():
            try:
                found.append(range_of(variant, item))
            except StyleError as error:
                raise self._wrong_rule(index, variant, error) from None
        return found

    def _wrong_rule(self, index: int, variant: Variant, error: StyleError) -> BadInput:
        if not self.task.path:
            return _at_style(variant.name, error)
        below = ("rules", error.key) if error.key else ("rules",)
        return self.error(str(error), "parameters", index, *below)

    def _set_value(self, index: int, name: str, value: Any) -> Any:
        item = self._item(name, "parameter-sets", index, name)
        if name in self.values.given:
            return self.values.given[name]
        try:
            if value is None:
                return None
            return item.validate(value) if item.multiple or isinstance(value, list) else checked(item, value)
        except (Refused, StyleError) as error:
            raise self.error(str(error), "parameter-sets", index, name) from None


def _constants(values: Values, varied: Sequence[str]) -> list[Parameter]:
    """What stays as it is, in the order of declaration; parameters without a value are absent."""
    found = []
    for item in values.step.parameters:
        value = values.of(item)
        if item.name in varied or value is None:
            continue
        check_name(item.name)
        # A list stands for itself here, and not for a choice that somebody forgot to write.
        whole = (value,) if isinstance(value, list) else None
        found.append(Parameter(name=item.name, type="constant", value=value, values=whole))
    return found
