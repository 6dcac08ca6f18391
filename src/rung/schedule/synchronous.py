"""Synchronous Hyperband (Li et al. 2017, arXiv:1603.06560, algorithm 1), for workers that must not wait.

A bracket of sizes n_0 > n_1 > ... takes n_0 trials. Each is held at the bracket's first resource; once the results of
all of them are known the n_1 best go on to the next one and the others are ended, and so on up to the top, where trials
end by themselves. A trial that ended before its rung counts as worst. Brackets are opened in turn, and again from the
first one on. A free worker takes what the oldest open bracket has for it: a trial to promote, or a new one; where no
open bracket has anything, the next bracket is opened. So there is always something to begin.

A bracket that the budget of trials does not fill goes on with those that it got, in the same proportions.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Literal

import msgspec

from rung.model import Continue, Pause, Stop
from rung.schedule.base import Ask, Begun, Bracket, Ended, Held, Level, Progress
from rung.schedule.plan import geometry
from rung.schedule.reasons import Verdicts
from rung.schedule.rungs import Rung, result

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from rung.schedule.base import Contest, Delta, Next
    from rung.schedule.rungs import Ladder

Command = Stop | Pause | Continue
