"""The program beside a configuration: `command`, and `objective` or `metric`, which are no part of it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from rung.dialects.hyperopt.settings import CONFIG
from rung.dialects.names import did_you_mean
from rung.model import BadInput, Objective
from rung.space.template import Placeholder, parse, placeholder_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rung.dialects.values import Value

COMMAND = "command"
_GOALS = {"maximize": "maximize", "minimize": "minimize", "max": "maximize", "min": "minimize"}


def own_command(root: Value, *, needed: bool) -> Value | None:
    """The `command` at the top of a configuration, where it is the program to run and not one of its settings.

    It is where it holds `{config}`. Where no other program is named (`needed`), any text or list of texts is.
    """
    if not isinstance(root.value, dict) or COMMAND not in root.value:
        return None
    value = root.child(COMMAND)
    words = value.value if isinstance(value.value, list) else [value.value]
    if not words or not all(isinstance(word, (str, int, float)) for word in words) or not isinstance(words[0], str):
        return None
    is_ours = any(f"{{{CONFIG}}}" in word for word in words if isinstance(word, str))
    return value if is_ours or needed else None


def words_of(value: Value) -> list[str]:
    """The argv template that a `command` writes, as text or as a list.

    Raises:
        BadInput: it cannot be split, is empty, or holds NUL.
    """
    if isinstance(value.value, str):
        try:
            words = shlex.split(value.without_nul())
        except ValueError as error:
            raise value.error(f"cannot be split into arguments: {error}; close the quotes, or give a list") from None
    else:
        words = [
            item.without_nul() if isinstance(item.value, str) else item.spelt()
            for item in value.elements("text, or a list of arguments")
        ]
    if not words or not words[0]:
        value.expected("a command: text, or a list of arguments")
    return words


def checked(words: Sequence[str], names: Iterable[str], *, folder: Path | None) -> tuple[str, ...]:
    """The argv template, its placeholders all known, with `{config}` at the end where it names nothing at all.

    Raises:
        BadInput: without a place: an unknown placeholder, or a script that is not there.
    """
    known = [CONFIG, *names]
    for name in placeholder_names(words):
        if name not in known:
            raise BadInput(
                f"unknown placeholder `{{{name}}}`{did_you_mean(name, known)}; `{{{CONFIG}}}` is the path of the "
                f"resolved configuration, `{{{{{name}}}}}` the text itself"
            )
    for word in words[:2]:
        is_plain = not any(isinstance(piece, Placeholder) for piece in parse(word))
        if folder is not None and is_plain and word.endswith((".py", ".sh")) and not (folder / word).is_file():
            raise BadInput(f"the script {word} does not exist in {folder}")
    return (*words, *([] if CONFIG in placeholder_names(words) else [f"{{{CONFIG}}}"]))


def own_objective(root: Value) -> tuple[str, Objective] | None:
    """The key at the top that says what is optimised, and what it says; None without one.

    `objective: NAME`, `metric: NAME`, or either as a mapping with `metric` (or `name`) and `goal` (or `direction`).
    The best value over a trial's epochs counts, and more is better unless it says otherwise, as in the original.

    Raises:
        BadInput: a mapping with `metric` that says anything else.
    """
    for key in ("objective", "metric"):
        value = root.child(key) if key in root.value else None
        if value is not None and isinstance(value.value, str) and value.value.strip():
            return key, Objective(metric=value.without_nul(), goal="maximize", value="best")
        if value is not None and isinstance(value.value, dict) and {"metric", "name"} & set(value.value):
            return key, _objective(value)
    return None


def _objective(value: Value) -> Objective:
    fields = value.fields(("metric", "name", "goal", "direction", "value"))
    for one, other in (("metric", "name"), ("goal", "direction")):
        if one in fields and other in fields:
            raise fields[other].error(f"says the same as `{one}`; give one of them")
    name = fields.get("metric") or fields.get("name")
    if name is None:
        raise value.error("missing; give the metric's name", "metric")
    goal = fields.get("goal") or fields.get("direction")
    pick: Any = fields["value"].word(("last", "best", "min", "max"), "value") if "value" in fields else "best"
    word: Any = _GOALS[goal.word(_GOALS, "goal")] if goal is not None else "maximize"
    return Objective(metric=name.text("the name of a metric"), goal=word, value=pick)
