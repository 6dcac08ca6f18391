"""The best trials on stdout: what `rung best` and the end of `rung run` print; the rest on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rung.api.describing import winner_record
from rung.cli.options import say
from rung.cli.tables import csv_text, number, one_line, print_json, print_rows, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.analysis.estimates import Estimate
    from rung.api.handle import Handle
    from rung.model import Objective, Outcome, Trial

    Winner = tuple[Trial, Estimate | None]

NO_BEST = 3  # the exit code where no trial succeeded


def print_best(handle: Handle, *, form: str, top: int | None = None) -> int:
    """The best configuration is on stdout, the best `top`, or the Pareto set; returns the exit code."""
    if not handle.state.spec.objectives:
        return _print_evaluated(handle, form=form)
    found = handle.winners(top=top)
    several = top is not None or len(handle.state.spec.objectives) > 1
    if form == "json":
        records = [winner_record(handle, winner) for winner in found]
        print_json(records if several else records[0] if records else None)
    elif several or form == "csv":
        names, rows = _table(handle, found)
        if form == "csv":
            click.echo(csv_text(names, rows), nl=False)
        else:
            print_rows(names, rows, form=form)
    elif found:
        _print_one(handle, *found[0])
    if found:
        _say_beside(handle, found, front=top is None and several)
    return 0 if found else NO_BEST


def _print_evaluated(handle: Handle, *, form: str) -> int:
    """What a study without an objective has to show: its only trial, else where to look; returns the exit code."""
    from rung.analysis.ranking import evaluated

    numbers = evaluated(handle.state).tolist()
    only = handle.trial(numbers[0]) if len(numbers) == 1 else None
    if form == "json":
        print_json(None if only is None else winner_record(handle, (only, None)))
    elif only is not None:
        lines = [("trial", str(only.number)), *((name, number(value)) for name, value in only.values.items())]
        lines += [(name, value if isinstance(value, str) else shown(value)) for name, value in only.params.items()]
        _print_lines(lines)
    elif numbers:
        say(f"no metric was named, so none of the {len(numbers)} trials is the best: rung trials {handle.name}")
    return 0 if numbers else NO_BEST


def _table(handle: Handle, found: Sequence[Winner]) -> tuple[list[str], list[list[Any]]]:
    """A row a trial; with the estimated mean and the number of evaluations where they are known."""
    metrics = [objective.metric for objective in handle.state.spec.objectives]
    names = list(dict.fromkeys(name for trial, _ in found for name in trial.params))
    noisy = any(estimate is not None for _, estimate in found)
    rows = [
        [t.number, t.state, *(t.values.get(m) for m in metrics), *(_estimated(e) if noisy else []),
         *(t.params.get(name) for name in names)]
        for t, e in found
    ]  # fmt: skip
    return ["trial", "state", *metrics, *(["mean", "evaluations"] if noisy else []), *names], rows


def _estimated(estimate: Estimate | None) -> list[Any]:
    return [None, None] if estimate is None else [estimate.mean, estimate.evaluations]


def _print_one(handle: Handle, trial: Trial, estimate: Estimate | None) -> None:
    """Name and value a line, the trial and its metric first."""
    label = f"{trial.number}" + (f" ({trial.state})" if trial.state != "complete" else "")
    objective = handle.state.spec.objectives[0]
    lines = [("trial", label), (objective.metric, reached(objective, trial.value))]
    lines += [("estimate", _said(estimate))] if estimate is not None else []
    lines += [(name, value if isinstance(value, str) else shown(value)) for name, value in trial.params.items()]
    _print_lines(lines)


def _print_lines(lines: Sequence[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in lines)
    for name, text in lines:
        click.echo(f"{name.ljust(width)}  {one_line(text)}")


def reached(objective: Objective, value: float | None) -> str:
    """The value; of a metric that approaches a target also how far it is from it: `0.948 (0.002 below 0.95)`."""
    if value is None or isinstance(objective.goal, str):
        return shown(value)
    distance = value - objective.goal
    if distance != distance or not distance:
        return number(value)
    return f"{number(value)} ({number(abs(distance))} {'above' if distance > 0 else 'below'} {number(objective.goal)})"


def _said(estimate: Estimate) -> str:
    times = f"{estimate.evaluations} evaluation" + ("s" if estimate.evaluations > 1 else "")
    text = f"{number(estimate.mean)} (95 %: {number(estimate.low)} to {number(estimate.high)}, {times})"
    if estimate.runner_up is None or estimate.beats_runner_up is None:
        return text
    rival = f"trial {estimate.runner_up.trial}'s configuration"
    return f"{text}; better than {rival} with probability {estimate.beats_runner_up:.2f}"


def _say_beside(handle: Handle, found: Sequence[Winner], *, front: bool) -> None:
    """What a reader of the winners should know: the hypervolume, values that are no numbers, outcomes that none kept,
    noise that is not known."""
    from rung.analysis.ranking import hypervolume, nothing_finite

    spec = handle.state.spec
    volume = hypervolume(handle.state) if front else None
    if volume is not None:
        count = f"{len(found)} trial{'s' * (len(found) != 1)}"
        at = ", ".join(f"{o.metric} {number(r)}" for o, r in zip(spec.objectives, volume.reference, strict=True))
        say(f"{count} that no other one beats; hypervolume {number(volume.value)} with reference point {at}")
    if nothing_finite(handle.state):
        say(f"no trial has a finite {' and '.join(o.metric for o in spec.objectives)}: none is better than another")
    if spec.outcomes:
        _say_outcomes(handle)
    if spec.search.repeats > 1 and not front and all(estimate is None for _, estimate in found):
        say("no configuration has been evaluated twice yet: this is the best single value, which may be a lucky one")


def _say_outcomes(handle: Handle) -> None:
    """Outcomes that nothing reported, or else that no trial kept."""
    from rung.analysis.ranking import nearest_to_feasible, unmeasured

    outcomes = handle.state.spec.outcomes
    for name in unmeasured(handle.state):
        say(f"no trial reported {name}, so none kept its bound; is that the name under which the program reports it?")
    nearest = nearest_to_feasible(handle.state)
    if nearest is not None:
        bounds = " and ".join(bound for outcome in outcomes for bound in bounds_of(outcome))
        values = handle.trial(nearest).values
        came = ", ".join(f"{o.metric} {number(values[o.metric])}" for o in outcomes)
        say(f"no trial kept {bounds}; trial {nearest} came nearest ({came})")


def bounds_of(outcome: Outcome) -> list[str]:
    """The outcome as conditions: `latency_ms <= 20`."""
    sides = (("<=", outcome.at_most), (">=", outcome.at_least))
    return [f"{outcome.metric} {sign} {number(bound)}" for sign, bound in sides if bound is not None]
