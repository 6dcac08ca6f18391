"""`dependency` of hyper_opt blocks: `multiply` to a factor, `optimize_iff` to a condition."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from rung.dialects.names import did_you_mean, shown
from rung.space import Space

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rung.dialects.hyperopt.blocks import Block
    from rung.dialects.values import Value
    from rung.model import Parameter

_OPPOSITE = {
    "equal": "not_equal", "less": "greater_equal", "less_equal": "greater", "in": "not_in",
    "not_equal": "equal", "greater_equal": "less", "greater": "less_equal", "not_in": "in",
}  # fmt: skip
_SIGNS = {
    "equal": "==", "not_equal": "!=", "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=",
    "in": "in", "not_in": "not in",
}  # fmt: skip
_MOST_VALUES = 1000
_LARGEST = 1e300


@dataclass(frozen=True)
class Condition:
    """One comparison of a target's resolved value. What is null equals null and nothing else, and has no order."""

    kind: str
    value: Any

    @property
    def of_null(self) -> bool:
        """Whether it holds for null."""
        return self.holds(None)

    def holds(self, found: Any) -> bool:
        """Whether it holds for `found`."""
        if self.kind in {"equal", "not_equal"}:
            return bool(found == self.value) is (self.kind == "equal")
        if self.kind in {"in", "not_in"}:
            return (found in self.value) is (self.kind == "in")
        if isinstance(found, str) is not isinstance(self.value, str) or not isinstance(found, (int, float, str)):
            return False
        below, same = bool(found < self.value), bool(found == self.value)
        if self.kind in {"less", "greater_equal"}:
            return below is (self.kind == "less")
        return (below or same) is (self.kind == "less_equal")


@dataclass(frozen=True)
class Dependency:
    """On which parameter one depends, and how: with `conditions` it is only there where they hold, without it is
    multiplied with the other."""

    on: str
    conditions: tuple[Condition, ...] | None
    value: Value


def read_dependency(block: Block, names: Sequence[str], fixed: Any) -> Dependency | None:
    """What the block says it depends on; None without a dependency. `fixed`: the whole configuration, for hints.

    Raises:
        BadInput: `on` names no parameter, or the type or a condition is none that is known.
    """
    value = block.value.items().get("dependency")
    if value is None:
        return None
    fields = value.fields(("on", "type", "conditions"), "a mapping with `type` and `on`")
    for key in ("type", "on"):
        if key not in fields:
            raise value.error("missing; a dependency needs `type` and `on`", key)
    kind = fields["type"].word(("multiply", "optimize_iff"), "dependency")
    on = fields["on"].text("the full path of another parameter, from the root of the file")
    if on not in names:
        raise fields["on"].error(f"could not resolve the parameters for: {block.name}{_why(on, names, fixed)}")
    if kind == "multiply":
        return Dependency(on, None, value)
    if "conditions" not in fields:
        raise value.error("missing; give a list of conditions, such as [{type: equal, compare_value: 5}]", "conditions")
    return Dependency(on, tuple(_condition(item) for item in fields["conditions"].elements("a list")), value)


def _why(on: str, names: Sequence[str], fixed: Any) -> str:
    """What is wrong with a target, as the end of a message."""
    longer = [name for name in names if name.endswith(f".{on}")]
    if len(longer) == 1:
        return f"; `on` is the full path from the root of the file, here {longer[0]}"
    held = fixed
    for part in on.split("."):
        held = held.get(part) if isinstance(held, dict) else None
    if held is not None:
        return f"; {on} is not a parameter; `on` must name one with hyper_opt"
    return f"; there is no {on}{did_you_mean(on, names)}"


def _condition(item: Value) -> Condition:
    item.fields(("type", "compare_value"), "a mapping with `type` and `compare_value`")
    for key in ("type", "compare_value"):
        if key not in item.value:
            raise item.error("missing; a condition needs `type` and `compare_value`", key)
    kind, against = item.child("type"), item.child("compare_value")
    if not isinstance(kind.value, str) or kind.value not in _SIGNS:
        raise kind.error(f"{kind.spelt().strip(chr(34))} currently not supported; known: {', '.join(_SIGNS)}")
    if kind.value in {"in", "not_in"}:
        for each in against.elements("a list of values to compare with"):
            _check_plain(each)
    elif kind.value not in {"equal", "not_equal"} and (
        isinstance(against.value, bool) or not isinstance(against.value, (int, float, str))
    ):
        against.expected("a number or a text, which have an order")
    else:
        _check_plain(against)
    return Condition(kind.value, against.value)


def _check_plain(value: Value) -> None:
    if isinstance(value.value, (dict, list)):
        value.expected("a number, a text, true, false or null")
    if isinstance(value.value, (int, float)) and not abs(value.value) <= _LARGEST:
        value.expected("a finite number")
    if isinstance(value.value, str):
        value.without_nul()


# --------------------------------------------------------------------------------------------------------- connecting


class Connected(NamedTuple):
    """`parameters` with their conditions and factors; `products`: what is left to multiply when a trial starts, by
    parameter the one it is multiplied with, since a choice has no factor of its own."""

    parameters: tuple[Parameter, ...]
    products: dict[str, str]


def connect(parameters: Sequence[Parameter], found: Mapping[str, Dependency]) -> Connected:
    """The parameters with what their dependencies mean.

    Raises:
        BadInput: a circle, or a product with what is no number or may be null.
    """
    _check_circles(parameters, found)
    graph = _Graph({parameter.name: parameter for parameter in parameters}, found)
    return Connected(tuple(graph.connected(p) for p in parameters), graph.products())


def _check_circles(parameters: Sequence[Parameter], found: Mapping[str, Dependency]) -> None:
    left = [parameter.name for parameter in parameters]
    while ready := [name for name in left if name not in found or found[name].on not in left]:
        left = [name for name in left if name not in ready]
    if left:
        raise found[left[0]].value.error(
            f"could not resolve the parameters for: {','.join(left)}; they depend on each other in a circle", "on"
        )


class _Graph:
    """Parameters and what each depends on; free of circles."""

    def __init__(self, parameters: dict[str, Parameter], found: Mapping[str, Dependency]) -> None:
        self.parameters, self.found = parameters, found

    def connected(self, parameter: Parameter) -> Parameter:
        """The parameter with its factor or its condition."""
        needs = self.found.get(parameter.name)
        if needs is None:
            return parameter
        if needs.conditions is None:
            self.check_product(parameter, needs)
            times = None if parameter.name in self.products() else needs.on
            return msgspec.structs.replace(parameter, times=times)
        when = " and ".join(self.text(needs.on, each) for each in needs.conditions)
        return msgspec.structs.replace(parameter, when=when or None)

    def products(self) -> dict[str, str]:
        """The products that the space cannot make: those in which a choice takes part."""
        return {
            name: needs.on
            for name, needs in self.found.items()
            if needs.conditions is None and not (self.is_native(name) and self.is_native(needs.on))
        }

    def is_native(self, name: str) -> bool:
        """Whether no choice takes part in its resolved value."""
        needs = self.found.get(name)
        multiplied = needs is not None and needs.conditions is None
        return self.parameters[name].type != "choice" and not (multiplied and not self.is_native(needs.on))  # type: ignore[union-attr]

    def check_product(self, parameter: Parameter, needs: Dependency) -> None:
        """Both sides are numbers in every trial. Raises `BadInput`."""
        for side in (parameter, self.parameters[needs.on]):
            wrong = [value for value in side.values or () if not isinstance(value, (int, float))]
            if wrong:
                raise needs.value.error(f"multiply needs numbers, and {side.name} may be {shown(wrong[0])}", "type")
        if self.may_be_null(needs.on):
            raise needs.value.error(
                f"{needs.on} may be null, where its own condition does not hold, and null has no product; "
                "take that condition out, or multiply with another parameter",
                "on",
            )

    def may_be_null(self, name: str) -> bool:
        """Whether a trial may leave the parameter out; True where that is not known."""
        needs = self.found.get(name)
        if needs is None:
            return False
        if needs.conditions is None:
            return self.may_be_null(needs.on)
        values = self.values(needs.on)
        if values is None:
            return bool(needs.conditions)
        possible = [*values, None] if self.may_be_null(needs.on) else values
        return not all(each.holds(value) for each in needs.conditions for value in possible)

    def values(self, name: str) -> list[Any] | None:
        """All resolved values that are not null, where there are few."""
        own = Space((self.parameters[name],)).values(name)
        needs = self.found.get(name)
        if own is None or needs is None or needs.conditions is not None:
            return None if own is None or len(own) > _MOST_VALUES else own
        factors = self.values(needs.on)
        if factors is None or len(own) * len(factors) > _MOST_VALUES:
            return None
        return [value * factor for value in own for factor in factors]

    def text(self, on: str, condition: Condition) -> str:
        """The condition on a parameter as an expression, right also where that one is left out."""
        compared = f"{self.resolved(on)} {_SIGNS[condition.kind]} {_literal(condition.value)}"
        if condition.of_null and self.may_be_null(on):
            return f"({compared} or {self.absent(on)})"
        return compared

    def absent(self, name: str) -> str:
        """An expression that is true exactly where the parameter is left out."""
        needs = self.found[name]
        if needs.conditions is None:
            return self.absent(needs.on)
        against = [(each, Condition(_OPPOSITE[each.kind], each.value)) for each in needs.conditions]
        texts = []
        for each, opposite in against:
            compared = f"{self.resolved(needs.on)} {_SIGNS[opposite.kind]} {_literal(opposite.value)}"
            alone = each.of_null or not self.may_be_null(needs.on)
            texts.append(compared if alone else f"{compared} or {self.absent(needs.on)}")
        return f"({' or '.join(texts)})"

    def resolved(self, name: str) -> str:
        """The resolved value of a parameter as a term."""
        needs = self.found.get(name)
        if name not in self.products() or needs is None:
            return _quoted(name)
        return f"({_quoted(name)} * {self.resolved(needs.on)})"


def _quoted(name: str) -> str:
    """A parameter's name as expressions have it: in backticks where a part of it is no plain identifier."""
    parts = name.split(".")
    plain = all(re.fullmatch(r"[A-Za-z_]\w*", part, re.ASCII) and not keyword.iskeyword(part) for part in parts)
    return name if plain and name not in {"true", "false", "null"} else f"`{name}`"


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_literal(item) for item in value)}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value)
