"""The options of a view, read from the signature of its function: one parser for command line, Python and REST.

An option is a keyword of the function. Its annotation is int, float, bool, str, a `Literal` of strings, or a list of
ints or strings (as text: `1,5,7`, or a JSON list where a name has a comma in it); `| None` allows the empty text. An
`Annotated[..., msgspec.Meta(description=..., ge=..., le=...)]` says what it is for, and its bounds.
"""

from __future__ import annotations

import inspect
import json
import math
import re
import sys
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

import msgspec

from rung.model import BadInput
from rung.space.errors import did_you_mean, shown

_TRUE, _FALSE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_LONGEST_LIST = 10_000


class Option(NamedTuple):
    """One option. `kind`: its type without `Annotated`, None and list; `many`: a list of such values; `optional`: None
    is a value of it."""

    name: str
    kind: Any
    default: Any
    many: bool = False
    optional: bool = False
    about: str = ""
    least: float | None = None
    most: float | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """The values of an option that is one of some words; else empty."""
        return tuple(get_args(self.kind)) if get_origin(self.kind) is Literal else ()

    @property
    def expects(self) -> str:
        """What may be given, in words: `trial, time or cost`, `a whole number from 1 to 5000`."""
        if self.words:
            *most, last = self.words
            return f"{', '.join(most)} or {last}" if most else last
        plain = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}[self.kind]
        bounds = f" from {self.least:g}" if self.least is not None else ""
        bounds += f" to {self.most:g}" if self.most is not None else ""
        many = {int: "whole numbers", float: "numbers", str: "names"}.get(self.kind, plain)
        return (f"{many} with commas between" if self.many else plain) + bounds

    def read(self, given: Any, *, place: str = "") -> Any:
        """The value that `given` (text, or a value of the type) stands for. Raises `BadInput` naming the option."""
        if self.optional and (given is None or given == ""):
            return None
        if not self.many:
            return self._one(given, place)
        if isinstance(given, str):
            given = self._split(given, place)
        if not isinstance(given, Sequence):
            given = [given]
        if len(given) > _LONGEST_LIST:
            raise BadInput(f"expected at most {_LONGEST_LIST} values, got {len(given)}", place=place, key=self.name)
        return [self._one(item, place) for item in given]

    def _split(self, text: str, place: str) -> list[Any]:
        if text.lstrip().startswith("["):
            try:
                found: list[Any] = json.loads(text)
            except (ValueError, RecursionError):
                raise self._wrong(text, place) from None
            return found
        return [word.strip() for word in text.split(",") if word.strip()]

    def _one(self, given: Any, place: str) -> Any:
        if self.words:
            if given in self.words:
                return given
            near = did_you_mean(given, self.words) if isinstance(given, str) else ""
            raise BadInput(f"expected {self.expects}, got {shown(given)}{near}", place=place, key=self.name)
        value = self._typed(given)
        if value is None:
            raise self._wrong(given, place)
        if not isinstance(value, str | bool):
            low, high = self.least is not None and value < self.least, self.most is not None and value > self.most
            if low or high:
                raise self._wrong(given, place)
        return value

    def _typed(self, given: Any) -> Any:
        """The value as one of the option's type; None: it is not."""
        if self.kind is str:
            return given if isinstance(given, str) else None
        if self.kind is bool:
            word = given.lower() if isinstance(given, str) else given
            return word if isinstance(word, bool) else True if word in _TRUE else False if word in _FALSE else None
        if isinstance(given, bool) or not isinstance(given, str | int | float):
            return None
        if self.kind is int:
            if isinstance(given, str):
                return int(given) if _WHOLE.fullmatch(given.strip()) else None
            return int(given) if isinstance(given, int) else None
        try:
            number = float(given)
        except (ValueError, OverflowError):
            return None
        return number if math.isfinite(number) else None

    def _wrong(self, given: Any, place: str) -> BadInput:
        return BadInput(f"expected {self.expects}, got {shown(given)}", place=place, key=self.name)


@cache
def options_of(make: Callable[..., Any]) -> tuple[Option, ...]:
    """The options of a view's function, in the order of its signature."""
    keywords = inspect.signature(make).parameters.values()
    return tuple(_option(p.name, resolved(make, p.annotation), p.default) for p in keywords if p.kind is p.KEYWORD_ONLY)


def resolved(make: Callable[..., Any], annotation: Any) -> Any:
    """The type that an annotation of the function names: one by one, since `study: Readable` may name what is imported
    for the type checker only."""
    holder = types.SimpleNamespace(__annotations__={"it": annotation})
    return typing.get_type_hints(holder, vars(sys.modules[make.__module__]), include_extras=True)["it"]


def result_of(make: Callable[..., Any]) -> Any:
    """The record that the view's function returns."""
    return resolved(make, inspect.signature(make).return_annotation)


def _option(name: str, annotation: Any, default: Any) -> Option:
    assert default is not inspect.Parameter.empty, f"option {name} needs a default"
    about, bounds = "", msgspec.Meta()
    optional = many = False
    kind = annotation
    while True:
        origin = get_origin(kind)
        if origin is Annotated:
            kind, *extras = get_args(kind)
            bounds = next((extra for extra in extras if isinstance(extra, msgspec.Meta)), bounds)
            about = bounds.description or about
        elif origin in {types.UnionType, typing.Union}:
            optional, kind = True, next(part for part in get_args(kind) if part is not types.NoneType)
        elif origin in {list, tuple}:
            many, kind = True, get_args(kind)[0]
        else:
            break
    assert get_origin(kind) is Literal or kind in {int, float, bool, str}, f"option {name} cannot be a {kind}"
    return Option(name, kind, default, many, optional, about, bounds.ge, bounds.le)


def chosen(make: Callable[..., Any], given: Mapping[str, Any], *, view: str) -> dict[str, Any]:
    """The keywords for the view's function that `given` (values, or text) stands for: all options, with the defaults of
    those not given. Raises `BadInput` for an unknown option, with the nearest known one, and for a bad value."""
    known = {option.name: option for option in options_of(make)}
    for name in given:
        if name not in known:
            names = ", ".join(known) or "none"
            raise BadInput(f"no option {shown(name)}{did_you_mean(name, known)}; it has {names}", place=f"view {view}")
    return {
        name: option.read(given[name], place=f"view {view}") if name in given else option.default
        for name, option in known.items()
    }
