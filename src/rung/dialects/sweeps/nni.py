"""NNI search spaces: `{"lr": {"_type": "loguniform", "_value": [1e-4, 0.1]}}`, nested choices included.

Source of the rules: "Search Space" of NNI's documentation (2.x).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from rung.dialects.base import NOTHING_ASKED, Asked
from rung.dialects.foreign import Foreign
from rung.dialects.sweeps import spaces
from rung.dialects.sweeps.spaces import Domains
from rung.model import Parameter, StudySpec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rung.dialects.values import Value

_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "randint": ("lower", "upper"),
    "uniform": ("low", "high"),
    "quniform": ("low", "high", "q"),
    "loguniform": ("low", "high"),
    "qloguniform": ("low", "high", "q"),
    "normal": ("mu", "sigma"),
    "lognormal": ("mu", "sigma"),
}
_REFUSED = {
    "qnormal": "a rounded normal distribution cannot be mapped; take normal or quniform",
    "qlognormal": "a rounded lognormal distribution cannot be mapped; take lognormal or qloguniform",
}
_NAME = "_name"


class NniDialect(Foreign):
    """The dialect of NNI's search spaces."""

    name = "nni"
    takes_command = True

    def detect(self, path: Path, text: str, tree: Any) -> bool:
        """Whether every value has `_type` and `_value`."""
        return (
            isinstance(tree, dict)
            and bool(tree)
            and all(spaces.is_mapping_of(item, "_type", "_value") for item in tree.values())
        )

    def read(self, text: str, *, file: str, asked: Asked = NOTHING_ASKED) -> StudySpec:
        """The study that a search space describes. Raises `BadInput` with `file:line` and the key."""
        root = spaces.root_of(text, file)
        domains = Domains()
        for name in root.tree("a mapping from names to domains"):
            _add(domains, name, root.child(name), None)
        parameters = domains.checked()
        return StudySpec(
            command=spaces.asked_command(asked, domains.parameters), parameters=parameters, run=spaces.where(asked)
        )


def _add(domains: Domains, name: str, value: Value, when: str | None) -> None:
    fields = value.fields(("_type", "_value"))
    spaces.only(fields, "_type", "_value", within=value)
    kind, given = fields["_type"].text("the name of a distribution"), fields["_value"]
    if kind in _REFUSED:
        raise fields["_type"].error(_REFUSED[kind])
    if kind == "choice" and _is_nested(given.value):
        _add_nested(domains, name, given.elements("a list of options"), value, when)
        return
    fields["_type"].word(("choice", *_ARGUMENTS), "distribution")
    parameter = spaces.choice(name, given) if kind == "choice" else _numeric(name, kind, given)
    domains.add(msgspec.structs.replace(parameter, when=when), value)


def _is_nested(options: Any) -> bool:
    return isinstance(options, list) and any(isinstance(option, dict) and _NAME in option for option in options)


def _add_nested(domains: Domains, name: str, options: Sequence[Value], place: Value, when: str | None) -> None:
    """The choice among the options' names, and what each option holds, active where it is chosen."""
    names = []
    for option in options:
        option.tree("a mapping with `_name`, as the other options are")
        if _NAME not in option.value:
            raise option.error("missing; each option of a nested choice needs a name", _NAME)
        names.append(option.child(_NAME).text("the name of an option"))
    if len(set(names)) < len(names):
        raise place.error("two options have the same `_name`; give each its own", "_value")
    chosen = f"{name}.{_NAME}"
    domains.add(Parameter(name=chosen, type="choice", values=tuple(names), when=when), place)
    for option, word in zip(options, names, strict=True):
        for key in option.value:
            if key != _NAME:
                _add(domains, f"{name}.{key}", option.child(key), f"`{chosen}` == {word!r}")


def _numeric(name: str, kind: str, given: Value) -> Parameter:
    arguments = given.elements(f"a list of {', '.join(_ARGUMENTS[kind])}")
    if kind == "randint" and len(arguments) == 1:
        raise given.error("has the one number of old versions; write [0, upper]")
    if len(arguments) != len(_ARGUMENTS[kind]):
        raise given.error(f"{kind} takes {', '.join(_ARGUMENTS[kind])}, got {len(arguments)} numbers")
    first, second = arguments[:2]
    if kind == "randint":
        return spaces.integers(name, first, second, open_end=True)
    if kind in {"normal", "lognormal"}:
        return spaces.gaussian(name, spaces.number(first), spaces.number(second), log=kind == "lognormal")
    log = "log" in kind
    if kind.startswith("q"):
        low, high = spaces.ordered(first, second)
        return spaces.quantised(name, low, high, arguments[2], rounding="clipped", log=log)
    return spaces.interval(name, first, second, log=log)
