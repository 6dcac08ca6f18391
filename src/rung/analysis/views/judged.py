"""The trials that a view of parameters against an objective rests on: those that ended with a finite value of it."""

from __future__ import annotations

import hashlib
import threading
import weakref
from collections import OrderedDict
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec
import numpy as np

from rung.analysis.views.marks import STATES, codes, loss_of, matching, objective_named, objective_values
from rung.model import BadInput
from rung.study.seeds import generator

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from rung.analysis.views.marks import Bools, Floats, Integers
    from rung.model import Objective
    from rung.study.state import State

Whose = Annotated[str | None, msgspec.Meta(description="The objective's metric; the first.")]
Pruned = Annotated[
    bool,
    msgspec.Meta(
        description="Also pruned trials, with what they had when they were stopped; without a complete one: they alone."
    ),
]
ALL_OF = 64
MOST_KEPT = 16
_KEPT: weakref.WeakKeyDictionary[State, OrderedDict[Hashable, Any]] = weakref.WeakKeyDictionary()
_LOCK = threading.Lock()
PATIENT_SEED = 7  # any: what a view leaves out must not change from one look to the next


class Judged(NamedTuple):
    """`rows` (m,): the trials' numbers, ascending; their `values` (m,) and `losses` (m,), all finite. `unusable`: how
    many trials of these states have no finite value."""

    objective: Objective
    rows: Integers
    values: Floats
    losses: Floats
    unusable: int

    def best_first(self) -> Integers:
        """The places in `rows`, best first; equal ones by number."""
        return np.argsort(self.losses, kind="stable")

    def some(self, places: Integers) -> Judged:
        """Those at these places alone."""
        return self._replace(rows=self.rows[places], values=self.values[places], losses=self.losses[places])


def judged(state: State, *, objective: str | None, where: str, pruned: bool) -> Judged:
    """The complete trials that the filter holds for, and with `pruned` the pruned ones (which alone count where none is
    complete). Raises `BadInput` where the study has no objective."""
    found = objective_named(state, objective)
    if found is None:
        raise BadInput("the study has no objective: there is nothing to hold parameters against", key="objective")
    place, wanted = found
    values, known = objective_values(state, place)
    known &= matching(state, where)
    ended = known & _of_states(state, known, pruned=pruned)
    finite = ended & np.isfinite(values)
    rows = np.flatnonzero(finite)
    return Judged(wanted, rows, values[rows], loss_of(wanted, values[rows]), int(ended.sum()) - len(rows))


def _of_states(state: State, known: Bools, *, pruned: bool) -> Bools:
    complete, stopped = (codes(state) == STATES.index(name) for name in ("complete", "pruned"))
    both: Bools = complete | stopped if pruned or not (known & complete).any() else complete
    return both


def settled(state: State, found: Judged) -> Judged:
    """The first of the trials to end: all of a study that nobody works on, and of few; else so many that another look
    costs nothing until there are about a tenth more. The same state gives the same trials, whoever asks when."""
    count = len(found.rows)
    if state.switches.completed is not None or not state.runners or count < ALL_OF:
        return found
    step = 1 << (count.bit_length() - 4)
    ended = state.table["ended"][found.rows]
    first = np.argsort(np.where(np.isnan(ended), np.inf, ended), kind="stable")[: count // step * step]
    return found.some(np.sort(first))


def kept(state: State, kind: str, options: Hashable, found: Judged, make: Callable[[], Any]) -> Any:
    """What `make` returns, made once for these trials and options, also while the study goes on."""
    digest = hashlib.blake2b(found.rows.tobytes() + found.values.tobytes(), digest_size=16).digest()
    key = (len(state.spaces), kind, options, found.objective.metric, digest)
    with _LOCK:
        known = _KEPT.setdefault(state, OrderedDict())
        if key in known:
            known.move_to_end(key)
            return known[key]
    made = make()
    with _LOCK:
        known[key] = made
        while len(known) > MOST_KEPT:
            known.popitem(last=False)
    return made


def sampled(found: Judged, most: int, *, seed: int, best: float = 0.25) -> Judged:
    """At most so many of the trials, in the order of their numbers: the best ones (a share of `best` of the room), and
    of the others some drawn at random, always the same."""
    if len(found.rows) <= most:
        return found
    order = found.best_first()
    top = max(1, int(most * best))
    rest = generator(seed, "view", PATIENT_SEED).choice(order[top:], most - top, replace=False)
    return found.some(np.sort(np.concatenate((order[:top], rest))))
