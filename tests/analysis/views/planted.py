"""Studies whose answers are known: trials of given parameters and values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from rung.analysis.views import Readable
from rung.model import Objective, Parameter, Reason
from rung.study import events as ev
from rung.testing.studies import Folding, study_spec

LOSS = (Objective(metric="loss"),)
FLOATS = tuple(Parameter(name=name, type="float", min=0, max=1) for name in "abcd")


def told(parameters: Sequence[Parameter] = FLOATS, objectives: tuple[Objective, ...] = LOSS) -> Folding:
    """A study without trials. It is `Readable` as far as its state goes."""
    return Folding(study_spec(parameters=tuple(parameters), objectives=objectives))


def readable(log: Folding) -> Readable:
    """The study as views take it."""
    return cast("Readable", log)


def filled(log: Folding, params: Iterable[Mapping[str, Any]], values: Iterable[Any]) -> Folding:
    """With these trials; a value of None is a failed one, a tuple one of several objectives."""
    for own, value in zip(params, values, strict=True):
        if value is None:
            number = log.started(log.proposed(dict(own)))
            log.exited(number, code=1)
            log.completed(number, state="failed", error="boom")
        else:
            log.done(*(value if isinstance(value, tuple) else (value,)), params=dict(own))
    return log


def pruned(log: Folding, params: Mapping[str, Any], value: float) -> int:
    """The number of a trial that a rule stopped at this value."""
    why = Reason(by="test", text="because")
    number = log.started(log.proposed(dict(params)))
    log.reported(number, {"loss": value})
    log.add(ev.TrialStopped, trial=number, attempt=1, reason=why)
    log.exited(number, code=143)
    log.completed(number, value, state="pruned", reason=why)
    return number
