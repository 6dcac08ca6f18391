"""`--mirror optuna:STORAGE`: a study of Optuna follows ours, so that its command line and dashboard show it.

Only trials that are over are added, each in one transaction with its curve: nothing is ever left RUNNING. Optuna keeps
what has ended as it is, so a trial that is run again, or told other values, is added once more.

| ours | Optuna's |
|---|---|
| complete | COMPLETE, with its values; FAIL where a value is NaN, or an infinity that Optuna would call best |
| pruned | PRUNED, with its values where they are finite |
| failed | FAIL |
| `approach: t` | minimised, the value is the distance to t |
| outcomes | constraints, by how much each bound is broken |
"""

from __future__ import annotations

import math
import sys
from datetime import datetime
from inspect import signature
from typing import TYPE_CHECKING, Any

from rung.mirrors import optuna_storage
from rung.mirrors.address import shown, target
from rung.mirrors.base import Record, Refused, Subject, curve
from rung.mirrors.optuna_space import Kept
from rung.model import BadInput, Objective, from_wire, to_wire
from rung.search.optuna import library

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST_STEP = 2**31 - 1  # of a column in PostgreSQL
STUDY, NUMBER, KEY = "rung:uid", "rung:trial", "rung:record"


class OptunaMirror:
    """A study in one of Optuna's storages."""

    def __init__(self, address: str) -> None:
        self.place = f"--mirror {shown(address)}"
        url, self.name = target(address)
        self.storage = optuna_storage.Storage(url, place=self.place)
        self.subject: Subject
        self.kept = Kept()
        self._opened: Any = None
        self._study: Any = None

    def check(self, study: Subject) -> None:
        """The storage can be reached, and a study of that name there has our directions. Raises `BadInput`."""
        name = self.name or study.name
        storage = self._open()
        if name is not None and name in library().get_all_study_names(storage=storage):
            self._check_directions(library().load_study(study_name=name, storage=storage), study)

    def join(self, study: Subject) -> set[str]:
        """Optuna's study is there; returns the keys of our records in it. Raises `BadInput` for other directions."""
        self.subject = study
        self._study = library().create_study(
            study_name=self.name or study.name, storage=self._open(), directions=_directions(study),
            load_if_exists=True,
        )  # fmt: skip
        self._check_directions(self._study, study)
        found = set()
        for trial in self._study.get_trials(deepcopy=False):
            self.kept.learn(trial.distributions)
            if trial.user_attrs.get(STUDY) == study.uid:
                found.add(trial.user_attrs[KEY])
        return found

    def add(self, record: Record) -> None:
        """The trial is in Optuna's study. Raises `Refused` with Optuna's own word."""
        try:
            trial = self._frozen(record)
        except ValueError as error:
            raise Refused(f"trial {record.trial.number}: {error}") from error
        self._study.add_trial(trial)
        self.kept.learn(trial.distributions)

    def mark(self, best: Sequence[int]) -> None:
        """Nothing is to be done: Optuna finds the best itself."""

    def close(self) -> None:
        """Connections are released."""
        if self._opened is not None:
            optuna_storage.close(self._opened)
        self._opened = self._study = None

    def _open(self) -> Any:
        if self._opened is None:
            self._opened = self.storage.open()
        return self._opened

    def _check_directions(self, found: Any, study: Subject) -> None:
        theirs, ours = [direction.name.lower() for direction in found.directions], _directions(study)
        if theirs != ours:
            raise BadInput(
                f"its study {found.study_name} is to {_words(theirs)}, this one is to {_words(ours)} "
                f"({', '.join(objective.metric for objective in study.objectives)}); name another with #NAME",
                place=self.place,
            )

    def _frozen(self, record: Record) -> Any:
        trial, states = record.trial, library().trial.TrialState
        values = self._values(record)
        state = {"complete": states.COMPLETE, "pruned": states.PRUNED}.get(trial.state, states.FAIL)
        if state == states.COMPLETE and values is None:
            state = states.FAIL
        params, distributions = self.kept.fitted(record.parameters, trial.params)
        attributes = self._attributes(record)
        if params != trial.params:
            attributes["rung:params"] = _wired(trial.params)
        frozen = library().trial.create_trial(
            state=state, values=None if state == states.FAIL else values, params=params, distributions=distributions,
            user_attrs=attributes, intermediate_values=self._intermediate(record),
            **(_constraints(self.subject, record) if state == states.COMPLETE else {}),
        )  # fmt: skip
        started = trial.ended if trial.started is None else trial.started
        if trial.ended is not None and started is not None:  # local time, as Optuna itself writes it
            frozen.datetime_start = datetime.fromtimestamp(started)
            frozen.datetime_complete = datetime.fromtimestamp(trial.ended)
        return frozen

    def _values(self, record: Record) -> list[float] | None:
        """What Optuna compares; None where it would not compare it as we do."""
        if record.values is None:
            return None
        found = [_aimed(o, value) for o, value in zip(self.subject.objectives, record.values, strict=True)]
        worst = [-math.inf if objective.goal == "maximize" else math.inf for objective in self.subject.objectives]
        allowed = zip(found, worst, strict=True)
        if record.trial.state == "pruned":
            return found if all(math.isfinite(value) for value in found) else None
        return found if all(math.isfinite(value) or value == bad for value, bad in allowed) else None

    def _intermediate(self, record: Record) -> dict[int, float]:
        first = self.subject.objectives[0]
        reports = [report for report in record.reports if first.metric in report.values]
        return {
            step: _aimed(first, from_wire(report.values[first.metric]))
            for step, report in curve(reports, largest=LARGEST_STEP)
        }

    def _attributes(self, record: Record) -> dict[str, Any]:
        trial = record.trial
        found: dict[str, Any] = {
            STUDY: self.subject.uid,
            NUMBER: trial.number,
            KEY: record.key,
            "rung:study": self.subject.name,
            "rung:state": trial.state,
            "rung:attempt": trial.attempt,
            "rung:values": {name: to_wire(value) for name, value in trial.values.items()},
        }
        texts = {"rung:reason": trial.reason, "rung:error": trial.error}
        return found | {name: text.replace("\0", "") for name, text in texts.items() if text}


def _directions(study: Subject) -> list[str]:
    return ["maximize" if objective.goal == "maximize" else "minimize" for objective in study.objectives]


def _words(directions: list[str]) -> str:
    return " and ".join(directions) if len(set(directions)) > 1 else f"{directions[0]}{_times(len(directions))}"


def _times(count: int) -> str:
    return "" if count == 1 else f" {count} values"


def _aimed(objective: Objective, value: float) -> float:
    return value if isinstance(objective.goal, str) else abs(value - objective.goal)


def _constraints(study: Subject, record: Record) -> dict[str, Any]:
    """By how much each outcome is broken, in the words of the Optuna that is installed."""
    if not study.outcomes:
        return {}
    broken = [min(violation, sys.float_info.max) for violation in record.violations]
    if "constraints" in signature(library().trial.create_trial).parameters:  # from 5.0
        names = [f"{i}:{outcome.metric}" for i, outcome in enumerate(study.outcomes)]
        return {"constraints": dict(zip(names, broken, strict=True))}
    return {"system_attrs": {"constraints": broken}}


def _wired(value: Any) -> Any:
    """The value with numbers as JSON can carry them."""
    if isinstance(value, float):
        return to_wire(value)
    if isinstance(value, dict):
        return {str(key): _wired(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_wired(item) for item in value]
    return value
