"""What a trial of a `hyper_opt` study is started from: plain JSON that the log keeps, and the files it becomes."""

from __future__ import annotations

import copy
import json
import math
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import yaml

from rung.dialects.hyperopt.blocks import with_value
from rung.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rung.model import Program

CONFIG = "config"
"""The placeholder of a command that stands for the path of the resolved configuration."""
_TRIAL = "hyperopt_trial.json"
_WIDEST = 63


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """`command`: the argv template, with `{config}`. `config`: the configuration with null where parameters go.
    `holes`: their paths, by parameter; `products`: parameters to be multiplied when a trial starts, and with which.
    `odd`: paths and texts of fixed numbers that a log cannot hold (not finite, or beyond 63 bits). `format`: how the
    resolved configuration is written.

    For `rung asme search`, `base` is what the resolved configuration is laid over; for `rung asme optimize`,
    `template` is the Jinja2 text that is rendered with it. `drop`: a key of the result that is no part of it.
    """

    command: tuple[str, ...]
    config: Any = None
    holes: dict[str, tuple[str, ...]] = {}
    products: dict[str, str] = {}
    odd: list[tuple[tuple[str | int, ...], str]] = []
    format: Literal["json", "yaml"] = "json"
    base: Any = None
    template: str | None = None
    drop: str | None = None


def settings_of(program: Program | None) -> Settings:
    """The settings that a study's program holds. Raises `BadInput` for those that nobody can have written by tool."""
    try:
        return msgspec.convert(program.settings if program else {}, Settings)
    except msgspec.ValidationError as error:
        raise BadInput(f"not what `rung convert` writes: {error}", key="program") from None


def plain_settings(settings: Settings) -> dict[str, Any]:
    """The settings as JSON, numbers that it cannot hold moved to `odd`."""
    odd = [(path, repr(value)) for path, value in _odd_numbers(settings.config, ("config",))]
    odd += [(path, repr(value)) for path, value in _odd_numbers(settings.base, ("base",))]
    config, base = (_without(getattr(settings, part), part, odd) for part in ("config", "base"))
    plain = msgspec.structs.replace(settings, config=config, base=base, odd=odd)
    found: dict[str, Any] = json.loads(msgspec.json.encode(plain))  # lists, as the log gives them back
    return found


def _without(tree: Any, part: str, odd: list[tuple[tuple[str | int, ...], str]]) -> Any:
    """A copy of the tree with null for its odd numbers."""
    tree = copy.deepcopy(tree)
    for path, _ in odd:
        if path[0] == part:
            tree = _with(tree, path[1:], None)
    return tree


def _with(tree: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """The tree, changed in place, with `value` at a path that it has."""
    if not path:
        return value
    tree[path[0]] = _with(tree[path[0]], path[1:], value)
    return tree


def _odd_numbers(tree: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], float]]:
    if (isinstance(tree, float) and not math.isfinite(tree)) or (isinstance(tree, int) and tree.bit_length() > _WIDEST):
        yield path, tree
    elif isinstance(tree, (dict, list)):
        for key, item in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from _odd_numbers(item, (*path, key))


def resolved(settings: Settings, params: Mapping[str, Any]) -> Any:
    """The configuration with the values of a trial in their places, null where a parameter is left out.

    A parameter that the file does not have is at its dotted path.
    """
    tree = _restored(settings, "config")
    for name, path in settings.holes.items():
        tree = with_value(tree, path, _final(settings, params, name))
    for name in params:
        if name not in settings.holes:
            tree = with_value(tree, tuple(name.split(".")), params[name])
    return tree


def _final(settings: Settings, params: Mapping[str, Any], name: str) -> Any:
    value = params.get(name)
    if name not in settings.products or value is None:
        return value
    factor = _final(settings, params, settings.products[name])
    if isinstance(value, (int, float)) and isinstance(factor, (int, float)):
        return value * factor
    raise BadInput(f"cannot be multiplied: {value!r} x {factor!r}", key=name)


def _restored(settings: Settings, part: Literal["config", "base"]) -> Any:
    tree = copy.deepcopy(getattr(settings, part))
    for path, text in settings.odd:
        if path[0] == part:
            whole = text.removeprefix("-").isdigit()
            tree = _with(tree, path[1:], int(text) if whole else float(text))
    return tree


def handed_over(settings: Settings, params: Mapping[str, Any]) -> Any:
    """What the program reads: the resolved configuration, laid over `base` or rendered into `template`.

    Raises:
        BadInput: the template cannot be rendered, or gives no JSON.
    """
    tree = resolved(settings, params)
    if settings.template is not None:
        from rung.dialects.hyperopt.templates import rendered  # Jinja2 is optional

        tree = rendered(settings.template, tree)
    elif settings.base is not None:
        tree = patched(_restored(settings, "base"), tree)
    if settings.drop is not None and isinstance(tree, dict):
        tree = {key: item for key, item in tree.items() if key != settings.drop}
    return tree


def patched(base: Any, change: Any) -> Any:
    """`base` with each value of `change` at its path; mappings are merged, nulls are values."""
    if not isinstance(change, dict):
        return change
    held = dict(base) if isinstance(base, dict) else {}
    return {**held, **{key: patched(held.get(key), item) for key, item in change.items()}}


def files(settings: Settings, params: Mapping[str, Any]) -> dict[str, str]:
    """The files of an attempt by name: the configuration, and for `rung asme` what the search put into it."""
    found = {config_name(settings): _written(handed_over(settings, params), settings.format)}
    if settings.base is not None or settings.template is not None:
        found[_TRIAL] = _written(resolved(settings, params), "json")
    return found


def config_name(settings: Settings) -> str:
    """The name of the resolved configuration's file."""
    return f"config.{settings.format}"


def _written(tree: Any, form: str) -> str:
    if form == "yaml":
        return str(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True))
    return json.dumps(tree, indent=2, ensure_ascii=False) + "\n"
