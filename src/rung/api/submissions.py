"""What the form "New study" asks for, as the words of a `rung run …` command line, and as what these words mean.

A submission is data: a target of the project folder, values for its parameters, and the names of methods that are
installed. There is no room in it for a command, a path of code, an environment or an address.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from rung.api.formmethods import method_words
from rung.api.formoptions import OptionValue
from rung.api.formrows import (
    NO_VALUES,
    ONE_VALUE,
    Declared,
    Kind,
    Known,
    Row,
    Single,
    flag_of,
    parameter_of,
    range_words,
    style_words,
    value_text,
)
from rung.api.forms import Goal, goal_of, methods
from rung.api.formtargets import Found, Target
from rung.api.targets import WHOLE_GRID, Options
from rung.dialects.names import did_you_mean
from rung.dialects.valohai.styles import StyleError
from rung.dialects.yamltext import resolve
from rung.model import BadInput, Parameter
from rung.space import Space, SpaceError

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_TASK_TYPES: Mapping[Kind, str] = {"grid": "grid_search", "random": "random_search", "bayesian": "bayesian_tpe"}
_FLAGS = {
    "search": "--search", "schedule": "--schedule", "trials": "-n", "time": "--time", "workers": "-w", "seed": "--seed",
    "name": "--name",
}  # fmt: skip


class Submission(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the form asks for. `rows` need not name every parameter: the others stay as they are. Fields that are None
    are as the file has them, and so are options of the searcher and the schedule that are not named; one that is null
    or blank has its default."""

    target: Target
    kind: Kind
    rows: list[Row] = []
    name: str | None = None
    metric: str | None = None
    goal: Literal["minimize", "maximize", "approach"] = "minimize"
    value: float | None = None
    search: str | None = None
    schedule: str | None = None
    search_options: dict[str, OptionValue] = {}
    schedule_options: dict[str, OptionValue] = {}
    trials: int | None = None
    batch: int | None = None
    workers: int | None = None
    time: str | None = None
    seed: int | None = None
    tags: list[str] = []


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong: at which `row` (a parameter's name, "" for none) and which `field` of it or of the form."""

    row: str = ""
    field: str = ""
    message: str


class Said(msgspec.Struct, kw_only=True):
    """The submission in the words of a command line, and what it makes of each parameter, as far as nothing is wrong.
    `after`: the words that follow the target; `arguments`: those of them that a script gets as they are. `fields`: the
    options of the searcher and the schedule that the form shows."""

    target: str
    before: list[str] = []
    after: list[str] = []
    arguments: list[str] = []
    fields: list[str] = []
    options: dict[str, Any] = {}
    parameters: dict[str, Parameter] = {}
    faults: list[Fault] = []

    @property
    def words(self) -> list[str]:
        """The command line after `rung run` or `rung plan`."""
        return [*self.before, self.target, *self.after]

    def as_options(self) -> Options:
        """The same as `api.targets.resolve` takes it."""
        return msgspec.convert(self.options, Options)

    def give(self, field: str, value: Any) -> None:
        """An option that is given once."""
        self.options[field] = value
        self.before += [_FLAGS[field], str(value)]

    def fault(self, field: str, message: str, *, row: str = "") -> None:
        """Something is wrong there."""
        self.faults.append(Fault(row=row, field=field, message=message))

    def add(self, flag: str, field: str, text: str) -> None:
        """An option that may be given again."""
        self.options.setdefault(field, []).append(text)
        self.before += [flag, text]

    def set(self, key: str, value: Any) -> None:
        """`--set key=value`."""
        plain = isinstance(value, str) and _WORD.fullmatch(value) and resolve(value) == value
        self.add("--set", "settings", f"{key}={value if plain else json.dumps(value)}")

    def follow(self, option: str, texts: list[str]) -> None:
        """A value for an option of the file, after the target."""
        self.options.setdefault("values", {})[option] = tuple(texts)
        self.after += [f"--{option}={text}" for text in texts]


def said(found: Found, asked: Submission) -> Said:
    """The words for what is asked of the target. Raises `BadInput` for names that the target does not have."""
    rows = _rows(found, asked)
    words = Said(target=found.word)
    _check_names(found, asked)
    if found.step is not None:
        _of_step(words, found, asked, rows)
    else:
        _of_file(words, found, asked, rows)
    method_words(words, found, asked)
    _objective(words, found, asked)
    _budget(words, found, asked)
    return words


def _rows(found: Found, asked: Submission) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for row in asked.rows:
        if row.name not in found.parameters:
            hint = did_you_mean(row.name, found.parameters)
            raise BadInput(f"{found.target.file} has no parameter {row.name!r}{hint}", place="rows")
        if row.name in rows:
            raise BadInput(f"{row.name} is given twice", place="rows")
        rows[row.name] = row
    return {name: rows.get(name, known.start) for name, known in found.parameters.items()}


def _check_names(found: Found, asked: Submission) -> None:
    if asked.kind not in found.kinds:
        raise BadInput(f"this target is {' or '.join(found.kinds)}, got {asked.kind}", place="kind")
    for field, method in (("search", asked.search), ("schedule", asked.schedule)):
        known = [each.name for each in methods(field)]
        if method is not None and method not in known and method != getattr(found.base, field).method:
            raise BadInput(f"no {field} {method!r}{did_you_mean(method, known)}", place=field)


# -------------------------------------------------------------------------------------------------------- parameters


def _of_file(words: Said, found: Found, asked: Submission, rows: Mapping[str, Row]) -> None:
    for name, row in rows.items():
        known = found.parameters[name]
        if known.flags:
            _switch(words, known, row)
            continue
        parameter = _parameter(words, known, row, asked.kind)
        if parameter is None or parameter == _begun(known, found.kind):
            continue
        try:
            flag, text = range_words(parameter)
            words.add(flag, "params" if flag == "-p" else "settings", text)
        except (StyleError, BadInput) as error:
            words.faults.append(_fault(name, error))


def _switch(words: Said, known: Known, row: Row) -> None:
    try:
        flag = flag_of(row, known)
    except StyleError as error:
        words.faults.append(_fault(known.name, error))
        return
    if flag:
        words.arguments.append(flag)
        words.after.append(flag)


def _of_step(words: Said, found: Found, asked: Submission, rows: Mapping[str, Row]) -> None:
    step, task = found.step, found.task
    assert step is not None
    styles, values = [], []
    for name, row in rows.items():
        known = found.parameters[name]
        parameter = _parameter(words, known, row, asked.kind)
        if parameter is None or isinstance(row, Declared) or parameter == _begun(known, found.kind):
            continue
        try:
            if isinstance(row, Single):
                values.append((_option(found, name), _texts(parameter.value)))
            else:
                styles.append(style_words(row, known))
        except (StyleError, BadInput) as error:
            words.faults.append(_fault(name, error))
    if task is not None:
        words.add("--task", "task", task.name)
    else:
        words.add("--step", "step", step.name)
        if styles and asked.kind not in {"grid", "single"}:
            words.add("--task", "task", _TASK_TYPES[asked.kind])
    for text in styles:
        words.add("--style", "style", text)
    for option, texts in values:
        words.follow(option, texts)


def _option(found: Found, name: str) -> str:
    """How a parameter of a step is spelt as an option."""
    assert found.step is not None
    known = found.step.option_names()
    spelt = [option for option, meant in known.items() if meant == name]
    usable = [option for option in spelt if "/" not in option and option.strip() == option and "=" not in option]
    if not usable:
        raise StyleError("its name cannot stand on a command line; change its default in the file", "value")
    return usable[0]


def _texts(value: Any) -> list[str]:
    return [value_text(item) for item in value] if isinstance(value, list) else [value_text(value)]


def _parameter(words: Said, known: Known, row: Row, kind: Kind) -> Parameter | None:
    """What the row makes of the parameter; what is wrong with it is noted."""
    try:
        parameter = parameter_of(row, known, kind)
        if parameter is not None:
            words.parameters[known.name] = parameter
            _check_domain(parameter, kind)
    except (StyleError, BadInput) as error:
        words.faults.append(_fault(known.name, error))
        return None
    return parameter


def _check_domain(parameter: Parameter, kind: Kind) -> None:
    alone = msgspec.structs.replace(parameter, when=None, times=None)
    if kind == "single" and parameter.type != "constant":
        raise StyleError(ONE_VALUE)
    if kind == "grid" and Space((alone,), ()).size is None:
        raise StyleError(NO_VALUES)
    Space((alone,), ())


def _begun(known: Known, kind: Kind) -> Parameter | None:
    """What the row that nobody has changed makes of the parameter."""
    try:
        return parameter_of(known.start, known, kind)
    except (StyleError, BadInput):
        return None


def _fault(row: str, error: StyleError | BadInput) -> Fault:
    if isinstance(error, StyleError):
        return Fault(row=row, field="values" if error.key == "items" else error.key, message=str(error))
    return Fault(row=row, field=getattr(error, "field", ""), message=error.message)


# --------------------------------------------------------------------------------------------------------- the study


def _objective(words: Said, found: Found, asked: Submission) -> None:
    if len(found.base.objectives) > 1 or asked.metric is None or not asked.metric.strip():
        return
    metric = asked.metric.strip()
    if asked.goal == "approach" and asked.value is None:
        words.faults.append(Fault(field="value", message="give the value that the metric is to come near to"))
        return
    wanted = Goal(metric=metric, goal=asked.goal, value=asked.value if asked.goal == "approach" else None)
    if found.base.objectives and wanted == goal_of(found.base):
        return
    if asked.goal == "approach" or ":" in metric:
        goal = {"approach": asked.value} if asked.goal == "approach" else asked.goal
        words.set("objective", {"metric": metric, "goal": goal})
    else:
        words.add("-m", "metrics", metric if asked.goal == "minimize" else f"{metric}:max")


def _budget(words: Said, found: Found, asked: Submission) -> None:
    base = found.base
    trials = asked.trials
    if asked.kind == "single":
        trials = None
    elif trials is None and asked.kind == "grid" and not words.faults:
        trials = _whole_grid(words, found)
    if trials is not None and trials != base.budget.trials:
        words.give("trials", trials)
    if asked.time is not None and asked.time.strip() and not _is_time(asked.time, base.budget.time_s):
        words.give("time", asked.time.strip())
    if asked.workers is not None and asked.workers != base.run.workers:
        words.give("workers", asked.workers)
    if asked.seed is not None and asked.seed != base.search.seed:
        words.give("seed", asked.seed)
    if asked.name is not None and asked.name.strip():
        words.give("name", asked.name.strip())


def _whole_grid(words: Said, found: Found) -> int | None:
    """The number of trials to ask for, so that the whole grid runs, where that would not happen anyway."""
    try:
        size = Space(tuple(words.parameters.values()), found.base.constraints).size
    except SpaceError:
        return None  # said by whoever reads the words
    limited = found.base.budget.trials is not None and found.step is None
    return size if size is not None and (limited or size > WHOLE_GRID) else None


def _is_time(text: str, seconds: float | None) -> bool:
    from rung.dialects import parse_duration

    try:
        return seconds is not None and parse_duration(text.strip()) == seconds
    except BadInput:
        return False
