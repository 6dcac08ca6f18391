"""The names of `syne_tune.experiments.benchmark_definitions`, where earlier editions had them."""

from __future__ import annotations

from syne_tune.experiments.benchmark_definitions import (  # type: ignore[import-not-found]
    RealBenchmarkDefinition,
    SurrogateBenchmarkDefinition,
)  # fmt: skip

__all__ = ["RealBenchmarkDefinition", "SurrogateBenchmarkDefinition"]
