"""Bayesian optimisation with Gaussian processes; `searcher` begins with the notation of the folder."""

from __future__ import annotations

from rung.search.gp.searcher import GP

__all__ = ["GP"]
