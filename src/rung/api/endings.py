"""When a study will end and which checkpoints it keeps, a sentence each, for `rung plan`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.analysis.wording import number, seconds

if TYPE_CHECKING:
    from rung.model import Budget, StudySpec


def ending_text(spec: StudySpec) -> str:
    """When the study is over, by every limit that its budget sets."""
    limits = list(_limits(spec.budget, spec))
    if not limits:
        return "when nothing is left to propose, or at `rung stop`"
    either = limits[0] if len(limits) == 1 else f"{', '.join(limits[:-1])} or {limits[-1]}, whichever comes first"
    return f"{either}; {_failures(spec.budget)}"


def _limits(budget: Budget, spec: StudySpec) -> list[str]:
    metric = spec.objectives[0].metric if spec.objectives else "the metric"
    said = {
        "trials": f"after {budget.trials} trial{'s' * (budget.trials != 1)}",
        "time_s": f"after {seconds(budget.time_s)} with a runner attached",
        "target": f"when {metric} reaches {number(budget.target or 0)}",
        "cost": f"when it has cost {number(budget.cost or 0)}",
        "patience": f"after {budget.patience} trials in a row without a better {metric}",
        "stop": f"when a trial reports {budget.stop}",
        "improvement": f"when {number(budget.improvement or 0)} more of {metric} is not to be expected",
    }
    return [text for name, text in said.items() if getattr(budget, name) is not None]


def _failures(budget: Budget) -> str:
    if budget.on_failure == "stop":
        return "ended at once by the first failed trial"
    if budget.on_failure is not None and budget.max_failures is None:
        return "not ended by failed trials" + (", of which any makes it failed" if budget.on_failure == "fail" else "")
    limit = max(10, budget.trials or 0) if budget.max_failures is None else max(1, budget.max_failures)
    early = "" if budget.on_failure else ", or when the first 5 all fail"
    return f"given up after {limit} failed trial{'s' * (limit != 1)}{early}"


def checkpoints_text(spec: StudySpec) -> str:
    """Which checkpoints are kept."""
    wanted = spec.checkpoint
    if wanted.enabled is False:
        return "no checkpoints: what is held or cloned begins again"
    own = [_counted(n, word) for n, word in ((wanted.trial_best, "best"), (wanted.trial_latest, "latest")) if n]
    kept = [f"the {' and '.join(own)} of each trial"] if own else []
    if wanted.study_best:
        kept.append(f"those of the {_counted(wanted.study_best, 'best')} trial{'s' * (wanted.study_best != 1)}")
    needed = f"{'and ' if kept else ''}what a paused, cloned or running trial may need"
    anew = " (else what is held or cloned begins again)" if spec.schedule.method != "none" else ""
    what = "checkpoints" if wanted.enabled else f"checkpoints, if trials write any{anew}"
    room = "" if wanted.disk_bytes is None else f", in at most {size(wanted.disk_bytes)}"
    return f"{what}: {', '.join([*kept, needed])}{room}"


def _counted(count: int, word: str) -> str:
    return word if count == 1 else f"{count} {word}"


def size(count: int) -> str:
    """So many bytes, in the largest unit that they fill."""
    for power, unit in ((4, "TB"), (3, "GB"), (2, "MB"), (1, "kB")):
        if count >= 1000**power:
            return f"{count / 1000**power:.4g} {unit}"
    return f"{count} bytes"
