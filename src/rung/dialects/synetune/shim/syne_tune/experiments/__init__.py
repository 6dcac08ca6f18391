"""Experiments: definitions of tuning problems, and results of earlier runs, loaded when they are asked for."""

from __future__ import annotations

TYPE_CHECKING = False  # a file of definitions pays for nothing else
if TYPE_CHECKING:
    from typing import Any

    from .experiment_result import (
        ExperimentResult,
        get_metadata,
        list_experiments,
        load_experiment,
        load_experiments_df,
    )  # fmt: skip

__all__ = ["ExperimentResult", "get_metadata", "list_experiments", "load_experiment", "load_experiments_df"]
_COMPARE = "compare studies with `rung compare`, or read them with load_experiments_df()"
_NOT_HERE = {
    "ComparativeResults": _COMPARE, "TrialsOfExperimentResults": _COMPARE, "PlotParameters": _COMPARE,
    "SubplotParameters": _COMPARE, "ShowTrialParameters": _COMPARE, "MultiFidelityParameters": _COMPARE,
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in __all__:
        from . import experiment_result

        return getattr(experiment_result, name)
    from .._missing import missing

    return missing(__name__, _NOT_HERE)(name)
