"""Determined's adaptive search: a tournament of brackets of successive halving, side by side.

`brackets` has the arithmetic, `stopping`, `promotion` and `halving` the three rules by which a bracket decides,
`scheduler` the tournament of them that a study runs.
"""

from rung.schedule.adaptive.scheduler import Adaptive

__all__ = ["Adaptive"]
