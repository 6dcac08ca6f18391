"""TPE, a tree-structured Parzen estimator. `split` says which trials are good, `kernels` what one trial says of its
neighbourhood, `densities` what a group of them does, `estimator` how wide the kernels are, `searcher` proposes."""

from __future__ import annotations

from rung.search.tpe.searcher import TPE

__all__ = ["TPE"]
