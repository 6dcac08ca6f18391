"""Training scripts that declare their own space: found, and where they are plain enough read, without being run."""

from __future__ import annotations

import ast
import operator
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from rung.dialects.synetune.stand_in import config_space as syne
from rung.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SPACE = "_config_space"
METRIC = ("METRIC_NAME", "METRIC_ATTR", "METRIC")
MODE = ("METRIC_MODE", "MODE", "METRIC_NAME_MODE")
RESOURCE = ("RESOURCE_ATTR",)
MAX_RESOURCE = ("MAX_RESOURCE_ATTR",)
_JSON = "add_config_json_to_argparse"
_CHECKPOINTS = ("st_checkpoint_dir", "add_checkpointing_to_argparse")
_HOMES = frozenset({"syne_tune.config_space", "syne_tune.search_space"})
_CONSTRUCTORS: dict[str, Callable[..., Any]] = {
    name: getattr(syne, name)
    for name in (
        "uniform", "loguniform", "reverseloguniform", "randint", "lograndint", "quniform", "qloguniform", "qrandint",
        "qlograndint", "randn", "choice", "ordinal", "logordinal", "finrange", "logfinrange",
    )
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
}  # fmt: skip
_MOST = 10**6
"""How large a whole number, or how long a text, an expression may make before the file is imported instead."""


class NotPlain(Exception):
    """The text alone does not say what the space is."""


class Option(NamedTuple):
    """An option of the script's own parser. `required`: it cannot be left out."""

    name: str
    required: bool
    line: int


class Script(NamedTuple):
    """What a training script says of itself. `space`: names to domains and constants, None where only importing the
    file can tell; `names`: the constants at its top that are plain texts."""

    space: dict[str, Any] | None
    line: int
    names: dict[str, str]
    options: tuple[Option, ...]
    takes_json: bool
    subcommands: bool


def parse(text: str) -> ast.Module | None:
    """The script's tree, None where it is no Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a script's own text is worth a warning for is Python's to say
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def declares_space(text: str) -> bool:
    """Whether the script binds `_config_space` at its top, and imports from `syne_tune`. Never raises, runs nothing."""
    if SPACE not in text or "syne_tune" not in text:
        return False
    tree = parse(text)
    return tree is not None and _declaration(tree) is not None and any(map(_is_syne_import, ast.walk(tree)))


def _is_syne_import(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.level == 0 and (node.module or "").partition(".")[0] == "syne_tune"
    return isinstance(node, ast.Import) and any(name.name.partition(".")[0] == "syne_tune" for name in node.names)


def _declaration(tree: ast.Module) -> ast.Assign | ast.AnnAssign | None:
    found = [node for node in tree.body if isinstance(node, (ast.Assign, ast.AnnAssign)) and SPACE in _targets(node)]
    return next((node for node in found if node.value is not None), None)


def _targets(node: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def uses_syne_tune(text: str) -> bool:
    """Whether the script imports from `syne_tune`, anywhere in it. Never raises."""
    tree = parse(text) if "syne_tune" in text else None
    return tree is not None and any(map(_is_syne_import, ast.walk(tree)))


def takes_checkpoints(text: str) -> bool:
    """Whether the script is to be given `--st_checkpoint_dir`: not where its own parser is sure to refuse it."""
    strict = "ArgumentParser(" in text and ".parse_args(" in text
    return not strict or _JSON in text or any(word in text.lower() for word in _CHECKPOINTS)


def texts(text: str) -> dict[str, str]:
    """The constants at the top of a script that are plain texts. Never raises."""
    tree = parse(text)
    constants = {} if tree is None else _Reader(tree, "").constants
    return {name: value for name, value in constants.items() if isinstance(value, str)}


def takes_json(text: str) -> bool:
    """Whether the script takes its configuration as a JSON file. Never raises."""
    tree = parse(text) if _JSON in text else None
    return tree is not None and any(_called(node) == _JSON for node in ast.walk(tree) if isinstance(node, ast.Call))


def _unpacked(node: ast.Assign | ast.AnnAssign) -> Iterator[tuple[list[ast.expr], list[ast.expr]]]:
    """The targets and the values of `a, b = 1, 2`."""
    for target in node.targets if isinstance(node, ast.Assign) else []:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            plain = not any(isinstance(item, ast.Starred) for item in (*target.elts, *node.value.elts))
            if plain and len(target.elts) == len(node.value.elts):
                yield target.elts, node.value.elts


def read_script(text: str, *, file: str, known: Mapping[str, str] | None = None) -> Script:
    """What the script at `file` says. `known`: texts at its top, as importing it has shown.

    Raises `BadInput` at the line of an entry that cannot be.
    """
    tree = parse(text)
    declared = _declaration(tree) if tree is not None else None
    if tree is None or declared is None or declared.value is None:
        raise BadInput(f"expected a Python file that binds {SPACE} at its top", place=file)
    reader = _Reader(tree, file)
    reader.constants.update(known or {})
    try:
        space = None if _changed(tree) or _elsewhere(tree) else reader.space(declared.value)
    except (NotPlain, RecursionError):
        space = None
    texts = {name: value for name, value in reader.constants.items() if isinstance(value, str)}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return Script(
        space=space,
        line=declared.lineno,
        names=texts,
        options=tuple(_options(calls, reader)),
        takes_json=any(_called(node) == _JSON for node in calls),
        subcommands=any(_called(node) == "add_subparsers" for node in calls),
    )


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _changed(tree: ast.Module) -> bool:
    """Whether the space is bound more than once, or anything at the top writes into it."""
    bound = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == SPACE and isinstance(node.ctx, (ast.Store, ast.Del)):
            bound += 1
        inner = node.value if isinstance(node, (ast.Subscript, ast.Attribute)) else None
        if isinstance(inner, ast.Name) and inner.id == SPACE and _writes(node):
            return True
    return bound != 1


def _elsewhere(tree: ast.Module) -> bool:
    """Whether the metric, or another of the names that say what the study is, comes from another file."""
    imported = [
        name.asname or name.name for node in tree.body if isinstance(node, ast.ImportFrom) for name in node.names
    ]
    return not {*METRIC, *MODE, *RESOURCE, *MAX_RESOURCE}.isdisjoint(imported)


def _writes(node: ast.AST) -> bool:
    if isinstance(node, ast.Subscript):
        return isinstance(node.ctx, (ast.Store, ast.Del))
    return isinstance(node, ast.Attribute) and node.attr in {"update", "pop", "popitem", "setdefault", "clear"}


def _options(calls: list[ast.Call], reader: _Reader) -> Iterator[Option]:
    """The options that the script's parser takes with a value, as far as their names can be read."""
    for node in calls:
        if _called(node) != "add_argument" or not node.args:
            continue
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        if "action" in keywords:
            continue
        for word in node.args:
            try:
                name = reader.value(word)
            except (NotPlain, BadInput, RecursionError):
                continue
            if isinstance(name, str) and name.startswith("--") and len(name) > 2:
                required = keywords.get("required")
                yield Option(name[2:], isinstance(required, ast.Constant) and required.value is True, node.lineno)
                break


class _Reader:
    """Expressions of a module to values: literals, arithmetic, constants bound at its top once, and constructors."""

    def __init__(self, tree: ast.Module, file: str) -> None:
        self.file = file
        self.constructors: dict[str, Callable[..., Any]] = {}
        self.modules: set[str] = set()
        self.constants: dict[str, Any] = {}
        for node in tree.body:
            self._statement(node)

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            self._imported(node)
        elif isinstance(node, ast.Import):
            self.modules |= {name.asname or name.name for name in node.names if name.name in _HOMES}
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            self._bound(_targets(node), node.value)
            for names, values in _unpacked(node):
                for name, value in zip(names, values, strict=True):
                    self._bound([name.id] if isinstance(name, ast.Name) else [], value)

    def _imported(self, node: ast.ImportFrom) -> None:
        for name in node.names:
            bound = name.asname or name.name
            if node.module in _HOMES and name.name in _CONSTRUCTORS:
                self.constructors[bound] = _CONSTRUCTORS[name.name]
            elif f"{node.module}.{name.name}" in _HOMES:
                self.modules.add(bound)

    def _bound(self, names: list[str], value: ast.expr) -> None:
        for name in names:
            if name == SPACE:
                continue
            try:
                self.constants[name] = self.value(value)
            except (NotPlain, BadInput, RecursionError):
                self.constants.pop(name, None)

    def space(self, node: ast.expr) -> dict[str, Any]:
        """The dictionary that an expression makes. Raises `NotPlain`, `BadInput`."""
        if isinstance(node, ast.Dict):
            found: dict[str, Any] = {}
            for key, value in zip(node.keys, node.values, strict=True):
                found |= self.space(value) if key is None else {self._key(key): self._entry(key, value)}
            return found
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
            base = self.space(node.args[0]) if len(node.args) == 1 else {}
            if len(node.args) > 1:
                raise NotPlain
            for keyword in node.keywords:
                if keyword.arg is None:
                    base |= self.space(keyword.value)
                else:
                    base[keyword.arg] = self._placed(keyword.value, keyword.arg)
            return base
        found = self.value(node)
        if not isinstance(found, dict):
            raise NotPlain
        return dict(found)

    def _key(self, node: ast.expr) -> str:
        key = self.value(node)
        if not isinstance(key, str):
            raise NotPlain
        return key

    def _entry(self, key: ast.expr, value: ast.expr) -> Any:
        return self._placed(value, self._key(key))

    def _placed(self, node: ast.expr, name: str) -> Any:
        """The value; what a constructor refuses is said at its line."""
        try:
            return self.value(node)
        except BadInput as error:
            raise BadInput(error.message, place=f"{self.file}:{node.lineno}", key=f"{SPACE}.{name}") from None

    def value(self, node: ast.expr) -> Any:
        """The value of an expression. Raises `NotPlain`, and `BadInput` for a domain that cannot be."""
        if isinstance(node, ast.Constant):
            if isinstance(node.value, (bytes, complex)) or node.value is ...:
                raise NotPlain
            return node.value
        if isinstance(node, ast.Name) and node.id in self.constants:
            return self.constants[node.id]
        if isinstance(node, (ast.List, ast.Tuple)):
            return [self.value(item) for item in node.elts]
        if isinstance(node, ast.Dict):
            return self.space(node)
        if isinstance(node, ast.JoinedStr):
            return "".join(self._piece(piece) for piece in node.values)
        if isinstance(node, ast.Call):
            return self._call(node)
        return self._arithmetic(node)

    def _piece(self, node: ast.expr) -> str:
        """A part of an f-string: a text, or a name without any format."""
        if isinstance(node, ast.FormattedValue):
            if node.format_spec is not None or node.conversion != -1:
                raise NotPlain
            return str(self.value(node.value))
        return str(self.value(node))

    def _arithmetic(self, node: ast.expr) -> Any:
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            value = _number(self.value(node.operand))
            return -value if isinstance(node.op, ast.USub) else value
        if isinstance(node, ast.BinOp):
            left, right = self.value(node.left), self.value(node.right)
            if isinstance(node.op, ast.Add) and isinstance(left, str) and isinstance(right, str):
                return left + right
            left, right = _number(left), _number(right)
            try:
                if isinstance(node.op, ast.Pow):
                    return _power(left, right)
                return _OPERATORS[type(node.op)](left, right)
            except (KeyError, ArithmeticError, TypeError, ValueError):
                raise NotPlain from None
        raise NotPlain

    def _call(self, node: ast.Call) -> Any:
        make = self._constructor(node.func)
        starred = any(isinstance(item, ast.Starred) for item in node.args) or any(k.arg is None for k in node.keywords)
        if make is None or starred:
            raise NotPlain
        arguments = [self.value(item) for item in node.args]
        keywords = {str(keyword.arg): self.value(keyword.value) for keyword in node.keywords}
        try:
            return make(*arguments, **keywords)
        except (ValueError, TypeError, AssertionError, ArithmeticError) as error:
            raise BadInput(" ".join(str(error).split())) from None

    def _constructor(self, node: ast.expr) -> Callable[..., Any] | None:
        if isinstance(node, ast.Name):
            return self.constructors.get(node.id)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in self.modules:
            return _CONSTRUCTORS.get(node.attr)
        return None


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 2.0**63:
        raise NotPlain
    return value


def _power(base: float, exponent: float) -> Any:
    if abs(exponent) > 400 or abs(base) > _MOST:
        raise NotPlain
    found = base**exponent
    if isinstance(found, complex):
        raise NotPlain
    return found


def stated(names: Mapping[str, str], *known: str) -> str | None:
    """The first of the `known` constants that the script binds."""
    return next((names[name] for name in known if name in names), None)
