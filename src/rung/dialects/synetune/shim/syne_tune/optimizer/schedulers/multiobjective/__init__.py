"""Several objectives: successive halving by fronts."""

from __future__ import annotations

from typing import Any

from ...._missing import missing, refusal
from ....optimizer.schedulers._kinds import HyperbandScheduler


class NonDominatedPriority:
    """Trials are ranked by fronts: how Rung ranks in any case."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Its dimension and limits are not used."""


class MOASHA(HyperbandScheduler):
    """ASHA that ranks trials by fronts."""

    def __init__(
        self, config_space: dict[str, Any], metrics: list[str] | None = None, mode: str | list[str] | None = None,
        time_attr: str = "training_iteration", multiobjective_priority: Any = None, max_t: float = 100,
        **keywords: Any,
    ) -> None:  # fmt: skip
        super().__init__(config_space, mode=mode, metrics=metrics, time_attr=time_attr, max_t=max_t, **keywords)
        if multiobjective_priority is not None and not isinstance(multiobjective_priority, NonDominatedPriority):
            kind = type(multiobjective_priority).__name__
            self.note(f"{kind} is left out: trials are ranked by fronts")


class _OtherPriority:
    """A ranking that is replaced by fronts."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Its weights are not used."""


LinearScalarizationPriority = type("LinearScalarizationPriority", (_OtherPriority,), {})
FixedObjectivePriority = type("FixedObjectivePriority", (_OtherPriority,), {})
LinearScalarizedScheduler = refusal(
    "LinearScalarizedScheduler", "report the weighted sum as one metric, or give all metrics and look at the Pareto set"
)
__getattr__ = missing(__name__)
