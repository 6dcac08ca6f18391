"""What `det preview-search` says: how many trials are expected to end where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.dialects.determined import configuration as conf
from rung.dialects.determined.searchers import deprecated
from rung.dialects.determined.settings import from_json
from rung.schedule.adaptive.brackets import preview
from rung.schedule.adaptive.settings import checked
from rung.schedule.base import Contest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.dialects.determined.settings import Settings
    from rung.model import StudySpec

NO_ENTRYPOINT = "the configuration names no program: give `entrypoint`, such as model_def:Trial or python3 train.py"


def preview_line(spec: StudySpec, settings: Settings) -> str | None:
    """`24 trials to 64 batches, 6 to 256, 2 to 1024`; where all are trained alike, `30 trials train for 500 batches`
    or `train to completion`. None where nobody can know it."""
    if spec.schedule.method == "adaptive":
        contest = Contest(schedule=spec.schedule, objectives=spec.objectives, seed=0, budget=spec.budget)
        found = checked(contest)
        (count, amount), *others = preview(found.shapes(), found.divisor)
        parts = [f"{_trials(count)} to {_amount(amount, settings)}", *(f"{n} to {at}" for n, at in others)]
        return ", ".join(parts)
    if spec.schedule.method != "none" or spec.budget.trials is None:
        return None
    how = "to completion" if settings.length is None else f"for {_amount(settings.length, settings)}"
    return f"{_trials(spec.budget.trials)} train{'s' * (spec.budget.trials == 1)} {how}"


def _trials(count: int) -> str:
    return f"{count} trial{'s' * (count != 1)}"


def _amount(amount: int, settings: Settings) -> str:
    return f"{amount} {settings.units or settings.time_metric or 'units'}"


def remarks(spec: StudySpec) -> Iterator[str]:
    """What there is to say before the study starts: the preview, the warnings, and what has no effect here."""
    if spec.program is None:
        return
    settings = from_json(spec.program.settings)
    line = preview_line(spec, settings)
    if line is not None:
        yield line
    searcher = settings.config.get("searcher", {})
    if settings.era == "0.38":
        for field in ("max_length", "stop_once"):
            if searcher.get(field) is not None:
                yield f"warning: {deprecated(field)}"
    if settings.entrypoint is None:
        yield NO_ENTRYPOINT
    if settings.slots_per_trial > max(spec.run.gpus, 1):
        yield (
            f"slots_per_trial: {settings.slots_per_trial} slots are asked for; a trial runs as one process, on "
            f"{f'{spec.run.gpus:g} GPUs' if spec.run.gpus else 'the CPU'} of this machine"
        )
    if ignored := sorted(_ignored(settings)):
        yield f"without effect here: {', '.join(ignored)}"


def _ignored(settings: Settings) -> Iterator[str]:
    """The keys that were given, and that say nothing where Rung runs the trials."""
    defaults = conf.defaulted({}, settings.era)
    for key in conf.IGNORED:
        if settings.config.get(key) not in (None, defaults.get(key)):
            yield key
    for section, kept in (("environment", {"environment_variables"}), ("resources", {"slots_per_trial"})):
        given, usual = settings.config.get(section) or {}, defaults.get(section) or {}
        yield from (f"{section}.{key}" for key in given if key not in kept and given[key] != usual.get(key))
