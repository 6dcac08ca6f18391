"""Trust-region search with local quadratic models: the last digits of a smooth optimum in few trials."""

from __future__ import annotations

from rung.search.quadratic.searcher import Quadratic

__all__ = ["Quadratic"]
