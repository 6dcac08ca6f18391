"""What a script's text says of its options and metrics. The script is read, never run, so what it makes up at run time
is not seen; that is said."""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING, Any

import msgspec

from rung.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PRINTED = re.compile(r"([A-Za-z_][\w./-]*)\s*[:=]\s*$")
_WRITTEN = re.compile(r"([A-Za-z_][\w./-]*)\s*[:=]\s*(?:%[-+ 0-9.]*[diouxXeEfFgG]|\{\}|\{:[^}]*\})")
_REPORTERS = frozenset({"report"})
_STEPS = frozenset({"step", "epoch", "iteration"})
_OPTION_MAKERS = frozenset({"add_argument", "option", "Option"})


class Option(msgspec.Struct, frozen=True):
    """An option that the script declares. `type` and `default` are the script's own text; `switch`: it takes no
    value; `opposite`: the switch that says the contrary; `required`: the script ends without it."""

    name: str
    type: str | None
    default: str | None
    choices: list[Any] | None
    line: int
    help: str | None = None
    required: bool = False
    switch: bool = False
    opposite: str | None = None

    @property
    def initial(self) -> Any:
        """The default as a value; None where there is none, or only running the script would tell."""
        return None if self.default is None else _evaluated(self.default)


class Metric(msgspec.Struct, frozen=True):
    """A metric that the script seems to report or print."""

    name: str
    how: str
    line: int


class Script(msgspec.Struct, frozen=True):
    """What was found; `uses_rung`: it asks for its parameters through `rung.params`, with the defaults `declared`."""

    options: list[Option]
    metrics: list[Metric]
    uses_rung: bool
    declared: list[Option] = []


def read_script(path: Path) -> Script:
    """The options and metrics in the text of a Python script. Raises `BadInput` when it is no Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a script's own text is worth a warning for is Python's to say
            tree = ast.parse(path.read_bytes(), filename=str(path))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise BadInput(
            f"not Python: {error.msg if isinstance(error, SyntaxError) else error}", place=f"{path}{line}"
        ) from None
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    calls.sort(key=lambda call: (call.lineno, call.col_offset))
    options = {o.name: o for call in calls for o in _options(call)}
    metrics: dict[str, Metric] = {}
    for metric in (m for call in calls for m in _metrics(call)):
        if metric.name not in _STEPS:
            metrics.setdefault(metric.name, metric)
    asks = [call for call in calls if _called(call) == "params"]
    declared = {o.name: o for call in asks for o in _declared(call, tree)}
    return Script(list(options.values()), list(metrics.values()), bool(asks), list(declared.values()))


def _called(call: ast.Call) -> str:
    target = call.func
    return target.attr if isinstance(target, ast.Attribute) else target.id if isinstance(target, ast.Name) else ""


def _options(call: ast.Call) -> Iterator[Option]:
    """`add_argument("--lr", type=float, default=0.1)`, and click's and typer's `option`."""
    if _called(call) not in _OPTION_MAKERS:
        return
    spelt = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    long = [word[2:].partition("/")[0] for word in spelt if word.startswith("--")]
    if long:
        given = {k.arg: k.value for k in call.keywords if k.arg is not None}
        if _text(given.get("action")) in {"help", "version"}:
            return  # with them it says something and ends
        kind = given.get("type")
        default = given.get("default")
        choices = _literal(given.get("choices")) or _choices_of(kind)
        yield Option(
            long[0], None if kind is None else ast.unparse(kind), None if default is None else ast.unparse(default),
            choices, call.lineno, _text(given.get("help")), _says(given.get("required")), _is_switch(spelt, given),
            _opposite(spelt, given),
        )  # fmt: skip


def _is_switch(spelt: list[str], given: dict[str, ast.expr]) -> bool:
    """Whether the option stands alone: `action="store_true"`, `is_flag=True`, `--a/--no-a`."""
    action = given.get("action")
    if action is not None and _text(action) not in {"store", "append", "extend"}:
        return True
    return _says(given.get("is_flag")) or any("/--" in word for word in spelt)


def _opposite(spelt: list[str], given: dict[str, ast.expr]) -> str | None:
    """`no-a` of `--a/--no-a`, and of argparse's `BooleanOptionalAction`."""
    long = next(word for word in spelt if word.startswith("--"))
    on, slash, off = long.partition("/--")
    if slash:
        return off
    action = given.get("action")
    optional = action is not None and ast.unparse(action).rpartition(".")[2] == "BooleanOptionalAction"
    return f"no-{on[2:]}" if optional else None


def _says(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _choices_of(kind: ast.expr | None) -> list[Any] | None:
    """The choices of `type=click.Choice([...])`."""
    is_choice = isinstance(kind, ast.Call) and _called(kind) == "Choice" and kind.args
    return _literal(kind.args[0]) if is_choice and isinstance(kind, ast.Call) else None


def _declared(call: ast.Call, tree: ast.Module) -> Iterator[Option]:
    """The defaults given to `rung.params`: a mapping that is written there or bound at the top, and keywords."""
    for argument in call.args:
        mapping = _bound(argument.id, tree) if isinstance(argument, ast.Name) else argument
        if isinstance(mapping, ast.Dict):
            for key, value in zip(mapping.keys, mapping.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield Option(key.value, None, ast.unparse(value), None, key.lineno)
    for word in call.keywords:
        if word.arg is not None:
            yield Option(word.arg, None, ast.unparse(word.value), None, call.lineno)


def _bound(name: str, tree: ast.Module) -> ast.expr | None:
    """What the name is bound to at the top, where that is said once."""
    found = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets)
    ]
    return found[0] if len(found) == 1 else None


def _evaluated(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _literal(node: ast.expr | None) -> list[Any] | None:
    try:
        value = None if node is None else ast.literal_eval(node)
    except ValueError:
        return None
    return list(value) if isinstance(value, list | tuple | set) else None


def _metrics(call: ast.Call) -> Iterator[Metric]:
    name = _called(call)
    if name in _REPORTERS:
        for key in call.keywords:
            if key.arg is not None:
                yield Metric(key.arg, "reported", call.lineno)
        for argument in call.args:
            if isinstance(argument, ast.Dict):
                yield from _keys(argument, "reported")
    elif name == "print":
        for argument in call.args:
            yield from _printed(argument)


def _keys(mapping: ast.Dict, how: str) -> Iterator[Metric]:
    for key in mapping.keys:
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield Metric(key.value, how, key.lineno)


def _printed(node: ast.expr) -> Iterator[Metric]:
    """`name: value` and `name=value` in what is printed; `json.dumps({"name": ...})`."""
    if isinstance(node, ast.JoinedStr):
        for text, value in zip(node.values, node.values[1:], strict=False):
            if isinstance(text, ast.Constant) and isinstance(value, ast.FormattedValue):
                found = _PRINTED.search(str(text.value))
                if found:
                    yield Metric(found[1], "printed", node.lineno)
    elif isinstance(node, ast.Call) and _called(node) == "dumps" and node.args and isinstance(node.args[0], ast.Dict):
        yield from _keys(node.args[0], "printed as JSON")
    else:
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield from (Metric(name, "printed", part.lineno) for name in _names_in(part.value))


def _names_in(text: str) -> list[str]:
    found = _WRITTEN.findall(text)
    last = _PRINTED.search(text)
    return [*found, last[1]] if last else list(found)
