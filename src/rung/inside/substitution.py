"""A script's text with values in the place of names: how `--inject source` gives a trial its parameters. Stdlib only.

The rule is StudioML's (its runner, at 0.0.35): a name that stands as a whole word is replaced wherever the rest of its
line holds no `=` and the line ends with a line break. So the right-hand side of an assignment is replaced and its left
is not; what StudioML would replace by accident (a comment, an attribute) is replaced here too.

In Python code a text is written as a literal (`'relu'`), but as it is where all the parameter's words are names that
the script knows (`Adam` after `from optim import Adam`), and inside other strings and comments. A float is what `repr`
makes of it, an int stays an int.
"""

from __future__ import annotations

import ast
import difflib
import io
import math
import re
import tokenize

TYPE_CHECKING = False  # not `typing.TYPE_CHECKING`: importing typing costs 3 ms
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Span = tuple[int, int]

_REST = r"(?=[^=\n]*\n)"
_FSTRING_START, _FSTRING_END = (getattr(tokenize, f"FSTRING_{part}", None) for part in ("START", "END"))


def substituted(text: str, values: Mapping[str, object], *, python: bool = True, bare: Sequence[str] = ()) -> str:
    """`text` with each value in the place of its name. `python`: it is Python code; `bare`: the parameters whose words
    are names that the code knows."""
    if not values:
        return text
    context = _Quoted(text) if python and any(isinstance(value, str) for value in values.values()) else None

    def replacement(match: re.Match[str]) -> str:
        name = match[0]
        value = values[name]
        if not isinstance(value, str):
            return literal(value) if python else plain(value)
        if context is None or name in bare:
            return value
        return context.written(value, match.start())

    return _pattern(values).sub(replacement, text)


def counted(text: str, names: Sequence[str]) -> dict[str, int]:
    """How often each name would be replaced in `text`."""
    found = dict.fromkeys(names, 0)
    for match in _pattern(found).finditer(text) if found else ():
        found[match[0]] += 1
    return found


def _pattern(names: Mapping[str, object]) -> re.Pattern[str]:
    ordered = sorted(map(re.escape, names), key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(ordered)})\b{_REST}")


def literal(value: object) -> str:
    """The value as Python code."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value}')"
    return repr(value)


def plain(value: object) -> str:
    """The value as the text that another language is most likely to read."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def known_names(text: str) -> frozenset[str]:
    """The names that a Python script binds at its top level; none where it cannot be parsed."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return frozenset()
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found.update(one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name))
    return frozenset(found)


def are_names(words: Sequence[object], known: frozenset[str]) -> bool:
    """Whether every word is a name that is known, or a part of what one stands for (`optim.Adam`)."""
    return bool(words) and all(
        isinstance(word, str) and word.split(".")[0] in known and all(part.isidentifier() for part in word.split("."))
        for word in words
    )


def difference(name: str, before: str, after: str) -> str:
    """What was substituted, as a unified diff; "" when nothing was."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}", n=1
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


class _Quoted:
    """Where in a Python script strings and comments are: a text in them is written without quotes of its own."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._spans: list[tuple[int, int, str]] = []  # start, end, and the opening of the string; "#" of a comment
        starts = [0]
        for line in text.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        begun: list[tuple[int, str]] = []  # f-strings that are open: from Python 3.12 on they are several tokens
        try:
            for token in tokenize.generate_tokens(io.StringIO(text).readline):
                begin, end = (starts[line - 1] + column for line, column in (token.start, token.end))
                if token.type == tokenize.COMMENT:
                    self._spans.append((begin, end, "#"))
                elif token.type == tokenize.STRING:
                    self._spans.append((begin, end, _opening(token.string)))
                elif token.type == _FSTRING_START:
                    begun.append((begin, _opening(token.string)))
                elif token.type == _FSTRING_END:
                    first, opening = begun.pop()
                    self._spans.append((first, end, opening))
        except (tokenize.TokenError, SyntaxError, IndexError):
            return  # what cannot be read is taken for code from there on

    def written(self, value: str, at: int) -> str:
        """`value` as it is to stand at `at`."""
        for start, end, opening in self._spans:
            if start <= at < end:
                if "f" not in opening.lower() or not _in_braces(self._text[start + len(opening) : at]):
                    return value
                return _quoted(value, avoid=opening[-1])
        return repr(value)


def _opening(string: str) -> str:
    """The prefix of a string token and its first quote."""
    return string[: next(i for i, char in enumerate(string) if char in "'\"") + 1]


def _in_braces(before: str) -> bool:
    """Whether the expression part of an f-string is open after `before`."""
    rest = before.replace("{{", "").replace("}}", "")
    return rest.count("{") > rest.count("}")


def _quoted(value: str, *, avoid: str) -> str:
    """A literal that holds no quote of that kind, where there is one."""
    written = repr(value)
    if avoid not in written:
        return written
    other = "'" if avoid == '"' else '"'
    return other + value.replace("\\", "\\\\").replace(other, f"\\{other}") + other
