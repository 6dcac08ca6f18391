"""Definitions of tuning problems: a script, its space, its metric and how long to search."""

from __future__ import annotations

from .common import RealBenchmarkDefinition, SurrogateBenchmarkDefinition

__all__ = ["RealBenchmarkDefinition", "SurrogateBenchmarkDefinition"]
