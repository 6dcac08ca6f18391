"""The names of `syne_tune.experiments.benchmark_definitions.common`, where earlier editions had them."""

from __future__ import annotations

from syne_tune.experiments.benchmark_definitions.common import (  # type: ignore[import-not-found]
    RealBenchmarkDefinition,
    SurrogateBenchmarkDefinition,
)  # fmt: skip

__all__ = ["RealBenchmarkDefinition", "SurrogateBenchmarkDefinition"]
