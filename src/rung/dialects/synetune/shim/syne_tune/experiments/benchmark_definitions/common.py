"""The records in which definitions say what is tuned."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class RealBenchmarkDefinition:
    """A tuning problem that runs a script: `rung run FILE.py:FUNCTION` runs what FUNCTION returns.

    `script`: the training script; `config_space`: domains and constants; `metric` in the direction `mode` is what is
    optimised; `max_wallclock_time` (seconds) and `n_workers` bound the search. `max_resource_attr` names the constant
    that says how far a trial goes, `resource_attr` what it reports on the way. `instance_type`, `framework` and
    `estimator_kwargs` speak of machines of a cloud and choose nothing here.
    """

    script: Path
    config_space: dict[str, Any]
    max_wallclock_time: float
    n_workers: int
    instance_type: str
    metric: str
    mode: str
    max_resource_attr: str
    framework: str
    resource_attr: str | None = None
    estimator_kwargs: dict[str, Any] | None = None
    max_num_evaluations: int | None = None
    points_to_evaluate: list[dict[str, Any]] | None = None

    def __post_init__(self) -> None:
        self.script = Path(self.script)


@dataclass
class SurrogateBenchmarkDefinition:
    """A tuning problem on a table of results; `rung simulate FILE --table T` is the way to search one here."""

    max_wallclock_time: float
    n_workers: int
    elapsed_time_attr: str
    metric: str
    mode: str
    blackbox_name: str
    dataset_name: str
    max_num_evaluations: int | None = None
    surrogate: str | None = None
    surrogate_kwargs: dict[str, Any] | None = None
    add_surrogate_kwargs: dict[str, Any] | None = None
    datasets: list[str] | None = None
    fidelities: list[int] | None = None
    points_to_evaluate: list[dict[str, Any]] | None = None
    max_resource_attr: str | None = None


__all__ = ["RealBenchmarkDefinition", "SurrogateBenchmarkDefinition"]
