"""Stop conditions (`accuracy >= 0.99`): what the original's linter says of one, and what it is in our words."""

from __future__ import annotations

import ast
import io
import keyword
import re
import tokenize

_DEEPEST = 8
_LONGEST = 100_000
_WORDS = frozenset({"False", "None", "True", "and", "for", "in", "is", "not", "or"})
_OPERATORS = (
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Gt, ast.GtE, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.In,
    ast.NotIn, ast.Is, ast.IsNot,
)  # fmt: skip
# How Python said it until 3.9, which is what the recorded messages hold.
_EARLIER_WORDS = (
    (r"unterminated string literal.*", "EOL while scanning string literal"),
    (r"unterminated triple-quoted string literal.*", "EOF while scanning triple-quoted string literal"),
    (r"'.' was never closed", "unexpected EOF while parsing"),
    (r"invalid syntax\..*", "invalid syntax"),
)


def complaint(text: str) -> str | None:
    """Why `text` is not a valid stop condition; None for one that is."""
    if len(text) > _LONGEST:
        return f"Expression is too long ({len(text)} > {_LONGEST})"
    try:
        tree = ast.parse(_without_keywords(text), "<expression>", "eval")
    except SyntaxError as error:
        return f"{_earlier(error.msg)} (<expression>, line {error.lineno})"
    except (ValueError, RecursionError, MemoryError) as error:  # a NUL character; nested beyond all measure
        return str(error) or "Expression is too complex"
    return _refusal(tree.body, 1)


def _earlier(message: str) -> str:
    for pattern, words in _EARLIER_WORDS:
        if re.fullmatch(pattern, message, re.DOTALL):
            return words
    return message


def _without_keywords(text: str) -> str:
    """The text with Python's other keywords as names: a metric may be called `class`."""
    try:
        tokens = [
            token._replace(string=f"_{token.string}")
            if token.type == tokenize.NAME and keyword.iskeyword(token.string) and token.string not in _WORDS
            else token
            for token in tokenize.generate_tokens(io.StringIO(text).readline)
        ]
        return tokenize.untokenize(tokens)
    except (tokenize.TokenError, SyntaxError, ValueError):
        return text  # the parser says what is wrong


def _refusal(node: ast.AST, depth: int) -> str | None:
    """Why the node, `depth` levels below the expression, is refused; None where it and all below it are not."""
    if depth >= _DEEPEST:
        return f"Expression is too complex ({depth} > {_DEEPEST})"
    own = _own_refusal(node)
    if own is not None:
        return own
    found = (_refusal(below, depth + 1) for below in _below(node))
    return next((text for text in found if text is not None), None)


def _own_refusal(node: ast.AST) -> str | None:
    name = type(node).__name__
    if isinstance(node, ast.Compare):
        if len(node.ops) != 1:
            return "Only simple comparisons are supported"
        return _operator(node.ops[0])
    if isinstance(node, ast.BinOp):
        return _operator(node.op)
    if isinstance(node, ast.Call):
        if not isinstance(node.func, ast.Name):
            return "Invalid call to func"
        return "Kwarg calls are not allowed" if node.keywords else None
    if isinstance(node, ast.Constant):
        return (
            None if isinstance(node.value, (str, int, float, type(None))) else f"Invalid constant ({type(node.value)})"
        )
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
        return "invalid unary op"
    if isinstance(node, ast.Attribute):
        return None if _is_chain(node) else f"Unsupported attribute structure in {ast.unparse(node)}"
    allowed = isinstance(node, (ast.Name, ast.BoolOp, ast.UnaryOp, ast.Set, ast.Tuple))
    return None if allowed else f"Operation {name} is not allowed"


def _operator(node: ast.AST) -> str | None:
    return None if isinstance(node, _OPERATORS) else f"Binary operator {type(node).__name__} is not allowed"


def _is_chain(node: ast.AST) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _below(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.BoolOp):
        return list(node.values)
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, ast.Call):
        return list(node.args)
    return list(node.elts) if isinstance(node, (ast.Set, ast.Tuple)) else []
