"""Filter expressions: which trials of a study are meant, evaluated over whole columns.

The language is that of `when:` (`rung.space.expressions`): Python's expressions cut down to names, numbers, texts,
`true false null`, lists, `and or not`, comparisons (chained ones, `in`) and arithmetic. A name is a parameter, else a
metric, else a column of every trial (`number state value steps duration started ended attempt tags reason error`);
`params.NAME` and `metrics.NAME` are always what they say, and odd names stand in backticks.

    lr < 0.01 and state == 'complete' and (val_loss < 0.3 or opt in ['sgd', 'adam'])

A comparison that mentions something a trial does not have (inactive, not reported, NaN) does not hold, nor does its
negation: `not lr < 0.01` says the same as `lr >= 0.01`.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rung.analysis.trialtable import BUILT_IN, column, metric_names, parameter_names, remembered, resolved
from rung.space.errors import did_you_mean, shown
from rung.space.expressions import COMPARISONS, WORDS, Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from rung.study.state import State

LONGEST = 8_000  # characters: a selection may name some hundred trials
_PAIRS = 250_000  # of two columns' categories, that are compared one by one
_NO, _YES, _UNKNOWN = 0, 1, -1


def matching(state: State, where: str) -> NDArray[np.bool_]:
    """(n,) for which trials `where` holds; "" holds for all. Raises `BadInput` with the column in the text."""
    if not where.strip():
        return np.ones(len(state), dtype=bool)
    mask: NDArray[np.bool_] = remembered(state, "mask", where, lambda: _evaluated(state, where))
    return np.array(mask)


def _evaluated(state: State, where: str) -> NDArray[np.bool_]:
    names = spellings(state)
    reader = Reader(where, names, longest=LONGEST)
    with np.errstate(all="ignore"):
        found = _Filter(state, reader, names).truth(reader.tree, negated=False)
    mask: NDArray[np.bool_] = np.empty(len(state), dtype=bool)
    mask[:] = found
    return mask


def spellings(state: State) -> dict[str, str]:
    """Every name that an expression may use -> the column it means."""
    metrics, params = metric_names(state), parameter_names(state)
    built_in = [name for name in BUILT_IN if name != "value" or len(state.spec.objectives) == 1]
    return {
        **{name: name for name in built_in},
        **{name: f"metrics.{name}" for name in metrics},
        **{f"{group}.{name}": f"{group}.{name}" for group, some in (("params", params), ("metrics", metrics))
           for name in some},
        **{name: f"params.{name}" for name in params},
    }  # fmt: skip


class _Numbers(NamedTuple):
    """(n,) or one float, NaN where there is none."""

    values: NDArray[np.float64]


class _Words(NamedTuple):
    """(n,) or one code into `categories`, -1 where there is none. `closed`: there can be no other categories."""

    codes: NDArray[np.signedinteger[Any]]
    categories: Sequence[Any]
    name: str = ""
    closed: bool = False

    def as_numbers(self) -> _Numbers | None:
        """The same as numbers; None where a category is none."""
        if not all(isinstance(value, int | float) for value in self.categories):
            return None
        table = np.array([*map(float, self.categories), np.nan])  # code -1 is the last one
        return _Numbers(np.asarray(table[self.codes]))


_Term = _Numbers | _Words


def _said(codes: NDArray[Any]) -> _Words:
    return _Words(codes, (False, True))


class _Filter:
    """One evaluation. Truths are codes: 1 true, 0 false, -1 where something is missing."""

    def __init__(self, state: State, reader: Reader, names: dict[str, str]) -> None:
        self.state, self.reader, self.names = state, reader, names

    def truth(self, node: ast.expr, *, negated: bool) -> NDArray[np.bool_]:
        """Where `node` (its negation when `negated`) holds; negations are pushed down to the comparisons."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self.truth(node.operand, negated=not negated)
        if isinstance(node, ast.BoolOp):
            parts = [self.truth(value, negated=negated) for value in node.values]
            every = isinstance(node.op, ast.And) is not negated
            return _all(parts) if every else ~_all([~part for part in parts])
        return np.asarray(self.boolean(self.term(node)) == (_NO if negated else _YES), dtype=bool)

    def boolean(self, term: _Term) -> NDArray[np.int8]:
        """The truth of a value, as Python sees it."""
        if isinstance(term, _Numbers):
            return _coded(term.values != 0, np.isnan(term.values))
        table = np.array([*(bool(value) for value in term.categories), _UNKNOWN], np.int8)
        return np.asarray(table[term.codes])

    def term(self, node: ast.expr) -> _Term:
        """The value of `node`. Raises SpaceError for anything outside the whitelist."""
        if isinstance(node, ast.Name | ast.Attribute):
            return self.named(node)
        if isinstance(node, ast.Constant):
            return self.constant(node)
        if isinstance(node, ast.List | ast.Tuple):
            return _word(self.plain(node))
        if isinstance(node, ast.Compare):
            return _said(self.comparison(node))
        if isinstance(node, ast.BoolOp):
            return _said(self.connected(node))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            codes = self.boolean(self.term(node.operand))
            return _said(np.where(codes < 0, codes, 1 - codes))
        if isinstance(node, ast.BinOp | ast.UnaryOp):
            return self.arithmetic(node)
        what = "calls are" if isinstance(node, ast.Call) else f"{type(node).__name__} is"
        raise self.reader.refuse(node, f"{what} not allowed; use comparisons, and/or/not and arithmetic")

    def named(self, node: ast.Name | ast.Attribute) -> _Term:
        """A column, or one of the words."""
        name = self.reader.dotted(node)
        if name is None:
            raise self.reader.refuse(node, "attributes are not allowed, only a column's own dotted name")
        if name in WORDS and isinstance(node, ast.Name) and node.id == name:
            return _word(WORDS[name])
        if name == "value" and name not in self.names:
            resolved(self.state, name)  # says which one of several objectives to name
        self.reader.index(node, name)
        found = column(self.state, self.names[name])
        if found.categories is None:
            return _Numbers(found.values.astype(np.float64, copy=False))
        closed = found.name == "state" or found.name.startswith("params.")
        return _Words(found.values, found.categories, name, closed)

    def constant(self, node: ast.Constant) -> _Term:
        """A number, or any other literal."""
        value = node.value
        if not isinstance(value, str | int | float | None):
            raise self.reader.refuse(node, f"{type(value).__name__} values are not allowed")
        if isinstance(value, str | bool | None):
            return _word(value)
        try:
            return _Numbers(np.asarray(float(value)))
        except OverflowError:
            raise self.reader.refuse(node, "the number is too large") from None

    def plain(self, node: ast.expr) -> Any:
        """The value of a literal: a list may be a value of a choice."""
        if isinstance(node, ast.List | ast.Tuple):
            return [self.plain(element) for element in node.elts]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            return -self._number(node.operand, self.constant(node.operand)).values.item()
        if isinstance(node, ast.Constant):
            term = self.constant(node)
            return term.values.item() if isinstance(term, _Numbers) else term.categories[0]
        if isinstance(node, ast.Name) and node.id in WORDS:
            return WORDS[node.id]
        raise self.reader.refuse(node, "only literals can stand in a list that is not behind `in`")

    def connected(self, node: ast.BoolOp) -> NDArray[np.int8]:
        """`and`, `or` within a comparison: known only where all of its parts are."""
        parts = [self.boolean(self.term(value)) for value in node.values]
        unknown = ~_all([part >= 0 for part in parts])
        true = [part == _YES for part in parts]
        return _coded(_all(true) if isinstance(node.op, ast.And) else ~_all([~part for part in true]), unknown)

    # ---------------------------------------------------------------------------------------------- comparisons

    def comparison(self, node: ast.Compare) -> NDArray[np.int8]:
        """A chain of them; known only where all of its sides are."""
        links: list[NDArray[np.int8]] = []
        left, left_node = self.term(node.left), node.left
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, ast.Is | ast.IsNot):
                raise self.reader.refuse(node, "`is` is not allowed; write == or !=")
            if isinstance(op, ast.In | ast.NotIn) and isinstance(right_node, ast.List | ast.Tuple):
                codes = self.among(left, left_node, right_node)
                links.append(_opposite(codes) if isinstance(op, ast.NotIn) else codes)
                if right_node is not node.comparators[-1]:
                    left, left_node = _word(self.plain(right_node)), right_node
                continue
            right = self.term(right_node)
            links.append(self.compared(op, left, left_node, right, right_node))
            left, left_node = right, right_node
        unknown = ~_all([link >= 0 for link in links])
        return _coded(_all([link == _YES for link in links]), unknown)

    def among(self, left: _Term, left_node: ast.expr, listed: ast.List | ast.Tuple) -> NDArray[np.int8]:
        """Whether it equals one of the values listed."""
        items = [(node, self.term(node)) for node in listed.elts]
        if isinstance(left, _Numbers) and items and all(_is_one_number(item) for _, item in items):
            values = np.array([item.values.item() for _, item in items if isinstance(item, _Numbers)])
            return _coded(np.isin(left.values, values), np.isnan(left.values))
        codes = self.boolean(_known(left))
        codes = np.where(codes < 0, codes, _NO).astype(np.int8)
        for node, item in items:
            each = self.compared(ast.Eq(), left, left_node, item, node)
            codes = np.where((codes < 0) | (each < 0), _UNKNOWN, np.maximum(codes, each)).astype(np.int8)
        return codes

    def compared(
        self, op: ast.cmpop, left: _Term, left_node: ast.expr, right: _Term, right_node: ast.expr
    ) -> NDArray[np.int8]:
        """One comparison."""
        within = isinstance(op, ast.In | ast.NotIn)
        if within and isinstance(right, _Numbers):
            raise self.reader.refuse(right_node, "after `in` stands a list such as [1, 2], or a text")
        compare = COMPARISONS[type(op)]
        if not within:
            if isinstance(op, ast.Eq | ast.NotEq):
                self._check_word(left, right, right_node)
                self._check_word(right, left, left_node)
            numbers = _as_numbers(left), _as_numbers(right)
            if numbers[0] is not None and numbers[1] is not None:
                a, b = numbers[0].values, numbers[1].values
                return _coded(compare(a, b), np.isnan(a) | np.isnan(b))
            self._check_kinds(left, left_node, right, right_node)
        if isinstance(left, _Words) and isinstance(right, _Words):
            return _by_category(compare, left, right)
        if isinstance(left, _Words):
            return _by_value(compare, left, right.values)  # type: ignore[union-attr]  # two words are done above
        if isinstance(right, _Words):
            return _by_value(lambda a, b: compare(b, a), right, left.values)
        raise AssertionError("two numbers are compared as such")

    def _check_word(self, words: _Term, other: _Term, node: ast.expr) -> None:
        """A text that such a column can never have is a slip of the pen."""
        if isinstance(words, _Words) and words.closed and isinstance(other, _Words) and isinstance(node, ast.Constant):
            value, texts = other.categories[0], [value for value in words.categories if isinstance(value, str)]
            if isinstance(value, str) and value not in texts:
                one_of = ", ".join(shown(each) for each in words.categories[:8])
                hint = did_you_mean(value, texts) or f"; it is one of {one_of}"
                raise self.reader.refuse(node, f"{words.name} is never {value!r}{hint}")

    def _check_kinds(self, left: _Term, left_node: ast.expr, right: _Term, right_node: ast.expr) -> None:
        """A number never equals a text, and is neither above nor below it."""
        for number, words, node in ((left, right, right_node), (right, left, left_node)):
            if isinstance(number, _Numbers) and isinstance(words, _Words) and isinstance(node, ast.Constant):
                value = words.categories[0]
                if isinstance(value, str):
                    raise self.reader.refuse(node, f"{value!r} is a text, and is compared with a number")

    # ---------------------------------------------------------------------------------------------------- arithmetic

    def arithmetic(self, node: ast.BinOp | ast.UnaryOp) -> _Numbers:
        """Calculated in floats; what is no number (0 / 0) is missing."""
        apply = _OPERATORS.get(type(node.op))
        if apply is None:
            name = type(node.op).__name__
            raise self.reader.refuse(node, f"the operator {name} is not allowed; use + - * / // % **")
        sides = [node.operand] if isinstance(node, ast.UnaryOp) else [node.left, node.right]
        return _Numbers(np.asarray(apply(*(self._number(side, self.term(side)).values for side in sides))))

    def _number(self, node: ast.expr, term: _Term) -> _Numbers:
        numbers = _as_numbers(term)
        if numbers is None:
            raise self.reader.refuse(node, "this is no number to calculate with")
        return numbers


def _all(parts: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    found = parts[0]
    for part in parts[1:]:
        found = found & part
    return found


def _coded(true: NDArray[np.bool_], unknown: NDArray[np.bool_]) -> NDArray[np.int8]:
    return np.where(unknown, _UNKNOWN, true).astype(np.int8)


def _opposite(codes: NDArray[np.int8]) -> NDArray[np.int8]:
    return np.where(codes < 0, codes, 1 - codes).astype(np.int8)


def _word(value: Any) -> _Words:
    return _Words(np.asarray(0), (value,))


def _known(term: _Term) -> _Words:
    """True where there is a value."""
    unknown = np.isnan(term.values) if isinstance(term, _Numbers) else np.asarray(term.codes) < 0
    return _said(np.where(unknown, _UNKNOWN, _YES))


def _is_one_number(term: _Term) -> bool:
    return isinstance(term, _Numbers) and term.values.ndim == 0 and not np.isnan(term.values)


def _as_numbers(term: _Term) -> _Numbers | None:
    return term if isinstance(term, _Numbers) else term.as_numbers()


def _judged(compare: Callable[[Any, Any], Any], left: Any, right: Any) -> int:
    """Of two values as Python compares them; unknown where it cannot."""
    try:
        return int(bool(compare(left, right)))
    except TypeError:
        return _UNKNOWN


def _by_category(compare: Callable[[Any, Any], Any], left: _Words, right: _Words) -> NDArray[np.int8]:
    """Two columns of categories: each pair of categories that may occur is compared once."""
    wide, known = len(right.categories), (left.codes >= 0) & (right.codes >= 0)
    pairs = np.asarray(left.codes, np.int64) * wide + right.codes
    if len(left.categories) * wide <= _PAIRS:
        places, codes = np.arange(len(left.categories) * wide), pairs
    else:
        places, codes = np.unique(pairs, return_inverse=True)
        codes = codes.reshape(pairs.shape)
    table = [
        _judged(compare, left.categories[place // wide], right.categories[place % wide]) if place >= 0 else _UNKNOWN
        for place in places.tolist()
    ]
    return np.where(known, np.array([*table, _UNKNOWN], np.int8)[np.where(known, codes, -1)], _UNKNOWN).astype(np.int8)


def _by_value(compare: Callable[[Any, Any], Any], words: _Words, values: NDArray[np.float64]) -> NDArray[np.int8]:
    """Categories of which some are numbers, and numbers."""
    codes, values = np.broadcast_arrays(words.codes, values)
    found = np.full(codes.shape, _UNKNOWN, np.int8)
    for code, category in enumerate(words.categories):
        rows = codes == code
        if isinstance(category, int | float):
            found[rows] = compare(float(category), values[rows])
        else:
            found[rows] = _judged(compare, category, 0.0)
    return np.where(np.isnan(values), _UNKNOWN, found).astype(np.int8)


_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
    ast.USub: np.negative,
    ast.UAdd: np.positive,
}

__all__ = ["matching", "spellings"]
