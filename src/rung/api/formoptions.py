"""The options of a searcher or a schedule on the form "New study": as its class declares them, and as they were filled
in. Nothing here knows any of them by name, but for the two that every method shares."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from rung.analysis.records import wired
from rung.dialects.valohai.styles import StyleError, flag_value, number_of
from rung.model import MethodOption, RungError
from rung.plugins import scheduler_class, searcher_class

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rung.model import ScheduleSpec, SearchSpec

Part = Literal["search", "schedule"]
OptionValue: TypeAlias = str | int | float | bool | list[str | int | float | bool] | None
"""What is filled in: the value, or the text that was typed for it; None and blank texts are the default."""
_CLASSES = {"search": searcher_class, "schedule": scheduler_class}
_SHARED: Mapping[Part, Mapping[str, MethodOption]] = {
    "search": {"repeats": MethodOption(1, "How often one configuration may be evaluated")},
    "schedule": {"resource": MethodOption(None, "What trials count in, such as epoch; empty: their steps", "text")},
}
"""What a section says for any method, and the form offers among its options."""


class FormOption(msgspec.Struct, frozen=True, kw_only=True):
    """An option of a method. `kind`: what is written for it (`data`: JSON); `words`: those of the kind `word`; `given`:
    what the file has for it."""

    name: str
    text: str
    kind: Literal["number", "numbers", "text", "flag", "word", "data"]
    default: Any = None
    words: list[str] = []
    given: Any = None


def form_options(part: Part, method: str, spec: SearchSpec | ScheduleSpec) -> list[FormOption]:
    """The options that the method can be given, its own first; none where it is not installed."""
    held = given_options(part, method, spec)
    return [_shown(name, option, held.get(name)) for name, option in declared_options(part, method).items()]


def declared_options(part: Part, method: str) -> dict[str, MethodOption]:
    """The same as the class declares them; of a class that only has `options`, by their defaults."""
    try:
        kind = _CLASSES[part](method)
    except (ImportError, AttributeError, RungError):
        return {}
    own: Mapping[str, MethodOption] = getattr(kind, "declared", {})
    plain = getattr(kind, "options", {})
    named = {name: own[name] if name in own else MethodOption(default, "") for name, default in plain.items()}
    return {**named, **({} if method == "none" else _SHARED[part])}


def given_options(part: Part, method: str, spec: SearchSpec | ScheduleSpec) -> dict[str, Any]:
    """What the file gives for the method's options: its own only where it is the file's method."""
    shared = {name: getattr(spec, name) for name, option in _SHARED[part].items()}
    own = spec.options if method == spec.method else {}
    return {**own, **{name: value for name, value in shared.items() if value != _SHARED[part][name].default}}


def filled(option: MethodOption, value: OptionValue) -> Any:
    """The value that is meant; None for the default. Raises `StyleError`. Whether the method can do with it is for the
    method to say."""
    if not isinstance(value, str):
        return value
    text, kind = value.strip(), _kind(option)
    if not text:
        return None
    if kind == "number":
        return number_of(text, "value")
    if kind == "numbers":
        return [number_of(item, "value") for item in re.split(r"[\s,]+", text.strip("[]").strip(" ,"))]
    if kind == "flag":
        return flag_value(text)
    if kind == "data":
        return _data(text)
    return text


def _data(text: str) -> Any:
    """JSON, or a plain word."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        if text[0] in '[{"':
            raise StyleError("expected JSON, such as [3, 2]", "value") from None
        return text


def _shown(name: str, option: MethodOption, given: Any) -> FormOption:
    return FormOption(
        name=name, text=option.text, kind=_kind(option), default=_told(option.default), words=list(option.words),
        given=_told(given),
    )  # fmt: skip


def _told(value: Any) -> Any:
    """The value as JSON has it; None for what it has not, such as a function that somebody else's class begins with."""
    try:
        return msgspec.json.decode(msgspec.json.encode(wired(value)))
    except TypeError:
        return None


def _kind(option: MethodOption) -> Literal["number", "numbers", "text", "flag", "word", "data"]:
    """What is written for the option: as it is declared, else as its default is written."""
    if option.words:
        return "word"
    if option.kind is not None:
        return option.kind
    if isinstance(option.default, bool):
        return "flag"
    if isinstance(option.default, int | float):
        return "number"
    if isinstance(option.default, list | tuple):
        return "numbers" if all(isinstance(item, int | float) for item in option.default) else "data"
    return "text" if isinstance(option.default, str) else "data"
