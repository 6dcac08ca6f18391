"""Boolean expressions over named values: the `when:` of a parameter, and a space's constraints.

The text is Python's expression syntax cut down to a whitelist: names, numbers, texts, `true false null`, lists,
`and or not`, comparisons (chained ones too) with `in`, and `+ - * / // % **` on numbers. A dotted chain that is exactly
a known name is that name; a name that is no identifier stands in backticks. There are no calls, no other attributes,
and nothing is ever handed to `eval`: the tree is turned into closures, whose work is bounded by the text's length.

Absent values (inactive parameters) follow Kleene's three-valued logic: a comparison that mentions one is *unknown*,
`true or unknown` is true, `not unknown` stays unknown. What is left unknown at the top is false for a condition
("a condition on an inactive parameter is false") and true for a constraint (it does not apply). With all negations
pushed down to the comparisons, that is the same as giving every comparison on an absent value the final answer.
"""

from __future__ import annotations

import ast
import operator
import re
import warnings
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from rung.space.errors import SpaceError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MAX_LENGTH = 1000
MAX_DEPTH = 60
MAX_BITS = 4096

Row: TypeAlias = "Sequence[Any]"
Term: TypeAlias = "Callable[[Row], Any]"


class _Absent:
    """The type of `ABSENT`, the value of an inactive parameter."""

    def __repr__(self) -> str:
        return "absent"


ABSENT = _Absent()
WORDS = {"true": True, "false": False, "null": None}
_SPANS = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`([^`]*)`")


class Expression:
    """A compiled expression. `names` are the values it reads, in order of appearance.

    `absent` is the answer where an absent value leaves it undecided.
    """

    __slots__ = ("_test", "absent", "constants", "names", "text")

    def __init__(self, text: str, *, known: Collection[str], absent: bool) -> None:
        reader = Reader(text, known)
        self.text, self.absent = text, absent
        self._test = _boolean(reader.tree, reader, absent=absent, negated=False)
        self.names: tuple[str, ...] = tuple(reader.names)
        self.constants: tuple[Any, ...] = tuple(reader.constants)

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether it is true of `values`; a name missing there is absent. Raises SpaceError where it has no value."""
        row = [values.get(name, ABSENT) for name in self.names]
        try:
            return bool(self._test(row))
        except (TypeError, ValueError, ArithmeticError) as error:
            raise self._failure(error, row) from None

    def holds_each(self, columns: Mapping[str, Sequence[Any]], count: int) -> list[bool]:
        """`holds` for each of `count` rows, given by column."""
        if not self.names:
            return [self.holds({})] * count
        test = self._test
        try:
            return [test(row) for row in zip(*(columns[name] for name in self.names), strict=True)]
        except (TypeError, ValueError, ArithmeticError):
            rows: Iterator[Row] = zip(*(columns[name] for name in self.names), strict=True)
            return [self.holds(dict(zip(self.names, row, strict=True))) for row in rows]

    def _failure(self, error: Exception, row: Row) -> SpaceError:
        at = ", ".join(f"{name}={value!r}" for name, value in zip(self.names, row, strict=True))
        return SpaceError(f"`{self.text}` has no value at {at[:200]}: {error}; guard it with a comparison before it")

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


def condition(text: str, known: Collection[str]) -> Expression:
    """The compiled `when:`; false where absent values leave it undecided. Raises SpaceError."""
    return Expression(text, known=known, absent=False)


def constraint(text: str, known: Collection[str]) -> Expression:
    """The compiled constraint; true (it does not apply) where absent values leave it undecided. Raises SpaceError."""
    return Expression(text, known=known, absent=True)


# ---------------------------------------------------------------------------------------------------------- reading


class Reader:
    """The parsed text, and what was met in it: names with their positions, constants, positions read lately.

    Raises SpaceError, with the column, for what cannot be parsed, is longer than `longest` characters or too deep.
    """

    def __init__(self, text: str, known: Collection[str], *, longest: int = MAX_LENGTH) -> None:
        if not isinstance(text, str) or not text.strip():
            raise SpaceError(f"expected a boolean expression such as \"opt == 'sgd'\", got {text!r}")
        if len(text) > longest:
            raise SpaceError(f"expression of {len(text)} characters: at most {longest} are read; split it")
        self.text, self.known = text, known
        self.names: dict[str, int] = {}
        self.read: set[int] = set()
        self.constants: list[Any] = []
        self._quoted: dict[str, str] = {}
        self._plain = self._without_backticks(text)
        self.tree = self._parse()
        self._check_depth()

    def _without_backticks(self, text: str) -> str:
        """Each backticked name becomes an identifier of the same length, so that columns stay right."""
        free = (chr(code) for code in range(0x4E00, 0x9FA5) if chr(code) not in text)

        def stand_in(match: re.Match[str]) -> str:
            name = match.group(1)
            if name is None:
                return match.group()
            identifier = next(free) + "_" * (len(name) + 1)
            self._quoted[identifier] = name
            return identifier

        return _SPANS.sub(stand_in, text).replace("\n", " ")

    def _parse(self) -> ast.expr:
        padding = len(self._plain) - len(self._plain.lstrip())
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a doubtful escape in a text is not worth a warning of Python's
                return ast.parse(self._plain.strip(), mode="eval").body
        except SyntaxError as error:
            raise self.error(padding + (error.offset or 1), f"cannot be read here{_remedy(self.text)}") from None
        except (ValueError, RecursionError, MemoryError):
            raise self.error(1, "cannot be read: too deeply nested, or not plain text") from None

    def _check_depth(self) -> None:
        level: list[ast.AST] = [self.tree]
        for _ in range(MAX_DEPTH):
            level = [child for node in level for child in ast.iter_child_nodes(node)]
            if not level:
                return
        raise self.error(1, f"nested more than {MAX_DEPTH} deep; split it")

    def error(self, column: int, message: str) -> SpaceError:
        """The error at a column, counted from 1."""
        return SpaceError(f"`{self.text}`, column {column}: {message}")

    def refuse(self, node: ast.AST, message: str) -> SpaceError:
        """The error for `node`, with its column counted in characters from 1."""
        stripped = self._plain.strip()
        padding = len(self._plain) - len(self._plain.lstrip())
        offset = getattr(node, "col_offset", 0)
        return self.error(padding + len(stripped.encode()[:offset].decode(errors="replace")) + 1, message)

    def index(self, node: ast.AST, name: str) -> int:
        """The position of `name` in a row. Raises SpaceError for an unknown one."""
        if name not in self.known:
            hint = did_you_mean(name, self.known)
            remedy = hint or f"; if it is a value, write {name!r} in quotes"
            raise self.refuse(node, f"unknown name {name!r}{remedy}")
        index = self.names.setdefault(name, len(self.names))
        self.read.add(index)
        return index

    def dotted(self, node: ast.expr) -> str | None:
        """The name that a chain of attributes spells, or None when it does not start at a name."""
        if isinstance(node, ast.Name):
            return self._quoted.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            head = self.dotted(node.value)
            return None if head is None else f"{head}.{self._quoted.get(node.attr, node.attr)}"
        return None


def _remedy(text: str) -> str:
    if re.search(r"(?<![=!<>])=(?!=)", text):
        return "; to compare, write =="
    if "&&" in text or "||" in text or re.search(r"!(?!=)", text):
        return "; write and, or, not"
    return "; a name with other characters than letters, digits, _ and . stands in `backticks`"


# -------------------------------------------------------------------------------------------------------- compiling


def _boolean(node: ast.expr, reader: Reader, *, absent: bool, negated: bool) -> Term:
    """The truth of `node` (of its negation when `negated`), negations pushed down to the comparisons."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return _boolean(node.operand, reader, absent=absent, negated=not negated)
    if isinstance(node, ast.BoolOp):
        parts = [_boolean(value, reader, absent=absent, negated=negated) for value in node.values]
        return _every(parts) if isinstance(node.op, ast.And) is not negated else _some(parts)
    return _literal(node, reader, absent=absent, negated=negated)


def _every(parts: Sequence[Term]) -> Term:
    def test(row: Row) -> bool:
        return all(part(row) for part in parts)  # stops at the first false one, as `and` does

    return test


def _some(parts: Sequence[Term]) -> Term:
    def test(row: Row) -> bool:
        return any(part(row) for part in parts)

    return test


def _literal(node: ast.expr, reader: Reader, *, absent: bool, negated: bool) -> Term:
    reader.read.clear()
    term = _term(node, reader)
    indices = tuple(sorted(reader.read))

    def test(row: Row) -> bool:
        for index in indices:
            if row[index] is ABSENT:
                return absent
        return bool(term(row)) is not negated

    return test


def _term(node: ast.expr, reader: Reader) -> Term:
    """The value of `node`. Raises SpaceError for anything outside the whitelist."""
    if isinstance(node, ast.Name | ast.Attribute):
        return _name(node, reader)
    if isinstance(node, ast.Constant):
        return _constant(node, reader)
    if isinstance(node, ast.List | ast.Tuple):
        return _list(node, reader)
    if isinstance(node, ast.Compare):
        return _comparison(node, reader)
    if isinstance(node, ast.BinOp | ast.UnaryOp):
        return _arithmetic(node, reader)
    if isinstance(node, ast.BoolOp):
        parts = [_term(value, reader) for value in node.values]
        return _every(parts) if isinstance(node.op, ast.And) else _some(parts)
    if isinstance(node, ast.Call):
        raise reader.refuse(node, "calls are not allowed; use comparisons, and/or/not and arithmetic")
    raise reader.refuse(node, f"{type(node).__name__} is not allowed; use comparisons, and/or/not and arithmetic")


def _name(node: ast.Name | ast.Attribute, reader: Reader) -> Term:
    name = reader.dotted(node)
    if name is None:
        raise reader.refuse(node, "attributes are not allowed, only a parameter's own dotted name")
    if name in WORDS and isinstance(node, ast.Name) and node.id == name:
        return _value(WORDS[name])
    return operator.itemgetter(reader.index(node, name))


def _constant(node: ast.Constant, reader: Reader) -> Term:
    if not isinstance(node.value, str | int | float | None):
        raise reader.refuse(node, f"{type(node.value).__name__} values are not allowed")
    if isinstance(node.value, int) and node.value.bit_length() > MAX_BITS:
        raise reader.refuse(node, "the number is too large")
    reader.constants.append(node.value)
    return _value(node.value)


def _value(value: object) -> Term:
    return lambda _row: value


def _list(node: ast.List | ast.Tuple, reader: Reader) -> Term:
    parts = [_term(element, reader) for element in node.elts]
    return lambda row: [part(row) for part in parts]


COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, group: item in group,
    ast.NotIn: lambda item, group: item not in group,
}


def _comparison(node: ast.Compare, reader: Reader) -> Term:
    for op in node.ops:
        if type(op) not in COMPARISONS:
            raise reader.refuse(node, "`is` is not allowed; write == or !=")
    terms = [_term(side, reader) for side in (node.left, *node.comparators)]
    tests = [COMPARISONS[type(op)] for op in node.ops]
    if len(tests) == 1:
        compare, left, right = tests[0], terms[0], terms[1]
        return lambda row: compare(left(row), right(row))

    def chain(row: Row) -> bool:
        left = terms[0](row)
        for compare, term in zip(tests, terms[1:], strict=True):
            right = term(row)
            if not compare(left, right):
                return False
            left = right
        return True

    return chain


def _number(value: object) -> int | float:
    """`value`, which must be a number: text would turn `*` and `%` into repetition and formatting without bounds."""
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise OverflowError("a number on the way is too large")
    return value


def _power(base: float, exponent: float) -> Any:
    if isinstance(base, int) and isinstance(exponent, int) and abs(exponent) * base.bit_length() > MAX_BITS:
        raise OverflowError("the power is too large")
    result = base**exponent
    if isinstance(result, complex):
        raise ValueError("the power of a negative number is not real")
    return result


_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}


def _arithmetic(node: ast.BinOp | ast.UnaryOp, reader: Reader) -> Term:
    if isinstance(node.op, ast.Not):
        inner = _term(node.operand, reader)
        return lambda row: not inner(row)
    apply = _OPERATORS.get(type(node.op))
    if apply is None:
        raise reader.refuse(node, f"the operator {type(node.op).__name__} is not allowed; use + - * / // % **")
    if isinstance(node, ast.UnaryOp):
        operand = _term(node.operand, reader)
        return lambda row: apply(_number(operand(row)))
    left, right = _term(node.left, reader), _term(node.right, reader)
    return lambda row: apply(_number(left(row)), _number(right(row)))


class _AnyName(Collection[str]):
    """Every name is a metric that a trial may report."""

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@lru_cache(maxsize=64)
def metric_expression(text: str) -> Expression:
    """The stop expression over metrics; a metric that was not reported makes it false. Raises `SpaceError`."""
    return Expression(text, known=_AnyName(), absent=False)
