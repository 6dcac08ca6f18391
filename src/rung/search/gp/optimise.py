"""The best row to try next: many candidates, then a local search that alternates gradient steps on the coordinates
that are continuous with exhaustive moves of single discrete ones.

A *full* row has a value in every column, inactive ones included; `Space.snap` makes of it the unit row that is judged.
So a move that activates a parameter has a value for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rung.search.gp import acquisition
from rung.search.gp.ascent import ascend
from rung.search.history import columns_of

if TYPE_CHECKING:
    from rung.search.gp.acquisition import Aim
    from rung.search.gp.inputs import Integers
    from rung.space import Space
    from rung.space.scales import Floats

STARTS = 8
ROUNDS, FIRST_ROUNDS = 10, 30  # of an ascent
ENOUGH = 1e-5  # of the acquisition: an ascent whose steps gain less is over
SWEEPS = 6  # over the discrete columns
LISTED = 12  # values of a column that one sweep tries; of a longer one its neighbours and some others
WIDTHS = 10.0 ** np.array([-0.5, -1.0, -1.5, -2.0, -3.0, -4.0])
REFUSED = -np.inf


class Region(NamedTuple):
    """Where to look: `low`, `high` (d,) bound the columns with an order; `centres` (k, d) are good full rows."""

    low: Floats
    high: Floats
    centres: Floats


class Search(NamedTuple):
    """One search: `known` rows, as bytes, are not to be proposed again; half of the `candidates` are drawn from the
    region, half around good rows."""

    space: Space
    aim: Aim
    region: Region
    known: frozenset[bytes]
    candidates: int
    rng: np.random.Generator


class Found(NamedTuple):
    """(k, d) unit rows that keep the constraints, the best first, and what each is worth (k,)."""

    rows: Floats
    values: Floats


def maximise(search: Search) -> Found:
    """The local maxima, then the candidates they were found from."""
    full = np.concatenate([_drawn(search), _nearby(search)])
    values, rows = _judge(search, full)
    chosen = _starts(values, search.rng)
    if not len(chosen):
        return Found(rows[:0], values[:0])
    found = _climb(search, full[chosen], values[chosen])
    best, worth = _judge(search, found)[1], _judge(search, found)[0]
    every, scores = np.concatenate([best, rows]), np.concatenate([worth, values])
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] > REFUSED]
    return Found(every[order], scores[order])


def _judge(search: Search, full: Floats) -> tuple[Floats, Floats]:
    """What full rows are worth, and their unit rows; those that break a constraint or are known are refused."""
    rows, kept = search.space.snap(full)
    kept &= np.array([row.tobytes() not in search.known for row in rows], dtype=bool)
    values = np.full(len(rows), REFUSED)
    if kept.any():
        values[kept] = acquisition.value(search.aim, rows[kept])
    return values, rows


def _drawn(search: Search) -> Floats:
    drawn = search.space.sample(search.rng, search.candidates // 2)
    full = _filled(drawn, search.rng)
    return np.asarray(search.region.low + full * (search.region.high - search.region.low))


def _filled(rows: Floats, rng: np.random.Generator) -> Floats:
    return np.where(np.isnan(rows), rng.random(rows.shape), rows)


def _nearby(search: Search) -> Floats:
    """Good rows, each with some columns moved a little or far."""
    centres, rng = search.region.centres, search.rng
    if not len(centres):
        return centres
    count, d = search.candidates // 2, centres.shape[1]
    start = centres[np.arange(count) % len(centres)]
    width = WIDTHS[rng.integers(len(WIDTHS), size=(count, 1))]
    moved = start + width * rng.standard_normal((count, d))
    anywhere = rng.random((count, d))
    sizes = np.array([column.size or 0 for column in columns_of(search.space)])
    jump = (sizes > 0) & (rng.random((count, d)) < 0.5)
    share = np.minimum(1.0, rng.choice([2.0, 5.0, 20.0], size=(count, 1)) / d)
    touched = rng.random((count, d)) < share
    full = np.where(touched, np.where(jump, anywhere, moved), start)
    return np.asarray(np.clip(full, search.region.low, search.region.high))


def _starts(values: Floats, rng: np.random.Generator) -> Integers:
    """The best candidates, and others in proportion to their improvement."""
    usable = np.flatnonzero(values > REFUSED)
    if len(usable) <= STARTS:
        return usable
    order = usable[np.argsort(-values[usable], kind="stable")]
    top = order[: STARTS // 2]
    rest = order[STARTS // 2 :]
    weights = np.exp(np.maximum(values[rest] - values[top[0]], -700.0)) + 1e-12
    drawn = rng.choice(rest, size=STARTS - len(top), replace=False, p=weights / weights.sum())
    return np.concatenate([top, drawn])


def _climb(search: Search, full: Floats, values: Floats) -> Floats:
    """Each full row moved uphill until neither an ascent nor the move of one discrete column leads on."""
    columns = columns_of(search.space)
    smooth = np.array(
        [column.size is None or (column.kind == "ordered" and column.size > LISTED) for column in columns]
    )
    discrete = [j for j, column in enumerate(columns) if column.size is not None and column.size > 1]
    rounds = FIRST_ROUNDS
    for _ in range(SWEEPS):
        before = values.copy()
        if smooth.any():
            full, values = _ascend(search, full, values, smooth, rounds)
        if discrete:
            full, values = _sweep(search, full, values, discrete)
        rounds = ROUNDS
        if not discrete or not (values > before + 1e-6).any():
            break
    return full


def _ascend(search: Search, full: Floats, values: Floats, smooth: np.ndarray, rounds: int) -> tuple[Floats, Floats]:
    """Gradient steps on the smooth columns of the full rows; what they lead to is taken where it is better."""
    inactive = np.isnan(search.space.snap(full)[0])
    rows, _ = search.space.snap(full)

    def function(x: Floats) -> tuple[Floats, Floats]:
        some = rows.copy()
        some[:, smooth] = np.where(inactive[:, smooth], np.nan, x)
        value, gradient = acquisition.value_and_gradient(search.aim, some)
        return value, gradient[:, smooth]

    low = np.broadcast_to(search.region.low[smooth], (len(full), int(smooth.sum())))
    high = np.broadcast_to(search.region.high[smooth], (len(full), int(smooth.sum())))
    reached, _ = ascend(function, full[:, smooth], low, high, rounds, enough=ENOUGH)
    for share in (1.0, 0.5, 0.1):  # a constraint may cut the way short
        moved = full.copy()
        moved[:, smooth] = full[:, smooth] + share * (reached - full[:, smooth])
        worth, _ = _judge(search, moved)
        better = worth > values
        full, values = np.where(better[:, None], moved, full), np.where(better, worth, values)
        if better.all() or not search.space.constraints:
            break
    return full, values


def _sweep(search: Search, full: Floats, values: Floats, discrete: list[int]) -> tuple[Floats, Floats]:
    """The best move of one discrete column, for each full row; none where no move is better."""
    moves, owner = _moves(search, full, discrete)
    worth, _ = _judge(search, moves)
    full, values = full.copy(), values.copy()
    for i in range(len(full)):
        mine = np.flatnonzero(owner == i)
        best = mine[np.argmax(worth[mine])] if len(mine) else None
        if best is not None and worth[best] > values[i]:
            full[i], values[i] = moves[best], worth[best]
    return full, values


def _moves(search: Search, full: Floats, discrete: list[int]) -> tuple[Floats, Integers]:
    columns = columns_of(search.space)
    moves, owners = [], []
    for j in discrete:
        size = columns[j].size or 1
        for i, row in enumerate(full):
            places = _places(row[j], size, columns[j].kind == "ordered", search.rng)
            inside = places[(places >= search.region.low[j]) & (places <= search.region.high[j])]
            some = np.repeat(row[None, :], len(inside), axis=0)
            some[:, j] = inside
            moves.append(some)
            owners.append(np.full(len(inside), i))
    return np.concatenate(moves), np.concatenate(owners)


def _places(unit: float, size: int, ordered: bool, rng: np.random.Generator) -> Floats:
    """Units of other values of a discrete column."""
    now = min(int(unit * size), size - 1)
    if size <= LISTED:
        indices = np.arange(size)
    else:
        steps = np.array([-8, -4, -2, -1, 1, 2, 4, 8]) if ordered else np.array([], dtype=np.int64)
        indices = np.clip(np.concatenate([now + steps, rng.integers(size, size=LISTED - len(steps))]), 0, size - 1)
    return np.asarray((indices[indices != now] + 0.5) / size)
