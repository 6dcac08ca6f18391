"""Who proposes and who stops early, with their options, in the words of a command line, for the form "New study"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rung.api.formoptions import declared_options, filled, given_options
from rung.api.forms import searcher_of
from rung.dialects import spec_to_tree
from rung.dialects.names import did_you_mean
from rung.dialects.valohai.styles import StyleError
from rung.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rung.api.formoptions import OptionValue, Part
    from rung.api.formtargets import Found
    from rung.api.submissions import Said, Submission


def method_words(words: Said, found: Found, asked: Submission) -> None:
    """The words say the searcher and the schedule, and their options. Raises `BadInput` for an option that there is
    not; a value that is none is noted as a fault."""
    base, learns = found.base.search, asked.kind == "bayesian"
    own = {"grid": "grid", "random": "random", "single": base.method}
    method = own.get(asked.kind) or asked.search or searcher_of(found)
    by_task = found.step is not None and found.task is None and not learns  # then the kind of task says who proposes
    _say(words, found, "search", method, asked.search_options, begun=method if by_task else base.method)
    batch = asked.batch if learns else base.batch
    if batch is not None and batch != base.batch:
        words.set("search.batch", batch)
    begun = found.base.schedule.method
    _say(words, found, "schedule", asked.schedule or begun, asked.schedule_options, begun=begun)


def _say(
    words: Said, found: Found, part: Part, method: str, filled_in: Mapping[str, OptionValue], *, begun: str
) -> None:
    """`begun`: the method that it is when nothing is said. Where the file gives options to another one, they do not
    come along; whatever else it says does."""
    spec = getattr(found.base, part)
    changed = _changed(words, found, part, method, filled_in)
    if method != begun and spec.options:
        held = {name: value for name, value in spec_to_tree(found.base)[part].items() if name not in spec.options}
        words.set(part, {**held, "method": method, **changed})
        return
    if method != begun:
        words.give(part, method)
    for name, value in changed.items():
        words.set(f"{part}.{name}", value)


def _changed(
    words: Said, found: Found, part: Part, method: str, filled_in: Mapping[str, OptionValue]
) -> dict[str, Any]:
    """The options that are not as the file has them."""
    known, held = declared_options(part, method), given_options(part, method, getattr(found.base, part))
    words.fields += [f"{part}.{name}" for name in known]
    changed = {}
    for name, value in filled_in.items():
        if name not in known:
            raise BadInput(f"{method} has no option {name!r}{did_you_mean(name, known)}", place=f"{part}_options")
        try:
            meant = filled(known[name], value)
        except StyleError as error:
            words.fault(f"{part}.{name}", str(error))
            continue
        default = known[name].default
        if meant is None:
            meant = default
        if not _same(meant, held.get(name, default)):
            changed[name] = meant
    return changed


def _same(a: Any, b: Any) -> bool:
    return bool(a == b) and isinstance(a, bool) == isinstance(b, bool)
