"""Editing a study that exists: what may change, what is refused, and what it means for the trials that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from rung.api.advice import spec_warnings
from rung.model import BadInput, StudySpec
from rung.plugins import make_searcher
from rung.space import Space
from rung.study import events as ev
from rung.study import snapshot
from rung.study.deltas import refitted
from rung.study.seeds import generator
from rung.study.spaces import completed, revised
from rung.study.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rung.model import Parameter

EDITABLE = ("budget", "run", "parameters", "constraints")


def edited(state: State, settings: Sequence[tuple[str, str]]) -> StudySpec:
    """The study's spec with each (path, text of a value) set. Raises `BadInput` for what makes it another study, and
    for a space in which nothing can be searched."""
    for path, _ in settings:
        if path.partition(".")[0] not in EDITABLE:
            raise BadInput(
                "only budget.*, run.*, parameters.* and constraints can change while a study exists; for another "
                "objective, command or search start a study under another name",
                place=f"--set {path}",
            )
    from rung.dialects import edit_spec  # brings the readers of YAML and TOML along: whoever looks does not pay

    # First points that an edited space does not hold are passed over, so they must not stand in the way of the edit.
    plain = msgspec.structs.replace(state.spec, start="random")
    old, new = edit_spec(plain, []), edit_spec(plain, settings)
    parameters, constraints = _changed(old, new), new.constraints if new.constraints != old.constraints else None
    spec = msgspec.structs.replace(
        state.spec,
        budget=new.budget if new.budget != old.budget else state.spec.budget,
        run=new.run if new.run != old.run else state.spec.run,
    )
    if not parameters and constraints is None:
        return spec
    gone = {p.name for p in old.parameters} - {p.name for p in new.parameters}
    if gone:
        raise BadInput(
            f"{', '.join(sorted(gone))} cannot be taken from a study that exists; to fix a parameter at one value "
            "narrow it to that value, or start a study under another name, with --from to learn from this one",
            place="--set parameters",
        )
    spec = revised(spec, parameters, constraints)
    check_satisfiable(Space(spec.parameters, spec.constraints), state.seed)
    make_searcher(_begun(state, spec))  # raises where the study's searcher cannot search it
    return spec


def sections(old: StudySpec, new: StudySpec) -> dict[str, Any]:
    """The sections that differ, as `SpecChanged` has them: of the parameters only those that differ."""
    found: dict[str, Any] = {
        name: getattr(new, name)
        for name in ("budget", "run", "constraints")
        if getattr(new, name) != getattr(old, name)
    }
    parameters = _changed(old, new)
    return found | ({"parameters": parameters} if parameters else {})


def holds(spec: StudySpec, wanted: Mapping[str, Any]) -> bool:
    """Whether the spec has these sections."""
    others = all(getattr(spec, name) == value for name, value in wanted.items() if name != "parameters")
    return others and all(parameter in spec.parameters for parameter in wanted.get("parameters", ()))


def _changed(old: StudySpec, new: StudySpec) -> tuple[Parameter, ...]:
    known = {parameter.name: parameter for parameter in old.parameters}
    return tuple(parameter for parameter in new.parameters if parameter != known.get(parameter.name))


def _begun(state: State, spec: StudySpec) -> State:
    """A study that begins with the edited space."""
    created = msgspec.structs.replace(
        state.created.spec, parameters=spec.parameters, constraints=spec.constraints, start="random"
    )
    return State.begin(msgspec.structs.replace(state.created, spec=created), seq=1)


def check_satisfiable(space: Space, seed: int) -> None:
    """Some configuration keeps the constraints. Raises `BadInput`."""
    if space.size == 0:
        texts = " and ".join(f"`{text}`" for text in space.constraints)
        raise BadInput(f"no configuration keeps {texts}; loosen it, or widen the ranges", key="constraints")
    if space.constraints and space.size is None:
        space.sample(generator(seed, "check", 0))  # raises when almost none does


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What an edit would do: what differs, what the linter says of the edited space, how many trials the search would
    go on without, how many enqueued configurations and first points would not run."""

    changes: tuple[ev.Change, ...] = ()
    findings: tuple[str, ...] = ()
    left_out: int = 0
    dropped: int = 0
    points: int = 0


def preview(state: State, spec: StudySpec) -> Preview:
    """What it would do to the study if its spec became this one, which `edited` has made. `state` stays as it is."""
    changes = tuple(differences(state.spec, spec))
    wanted = sections(state.spec, spec)
    if not {"parameters", "constraints"} & set(wanted):
        return Preview(changes=changes)
    other = snapshot.load(snapshot.dump(state))
    other.apply(other.seq + 1, ev.SpecChanged(at=other.switches.last_at, changes=changes, **wanted))
    return Preview(
        changes=changes,
        findings=tuple(spec_warnings(spec)),
        left_out=left_out(other),
        dropped=len(state.queue) - len(other.queue),
        points=points_outside(other),
    )


def differences(old: StudySpec, new: StudySpec) -> list[ev.Change]:
    """Each field of the study file that differs, as a dotted path with both values."""
    from rung.dialects import spec_to_tree  # as above

    return list(_differences(spec_to_tree(old), spec_to_tree(new), ""))


def _differences(old: Any, new: Any, path: str) -> Iterator[ev.Change]:
    if isinstance(old, dict) or isinstance(new, dict):  # a section that one side leaves out is an empty one
        old, new = ({} if side is None else side for side in (old, new))
    if isinstance(old, dict) and isinstance(new, dict):
        for key in list(old) + [key for key in new if key not in old]:
            yield from _differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif old != new or type(old) is not type(new):
        yield ev.Change(path, msgspec.to_builtins(old), msgspec.to_builtins(new))


def points_outside(state: State) -> int:
    """How many of the study's own first points that have not run are outside of the space as it is now."""
    start = state.spec.start
    left = start[state.switches.starts_served :] if isinstance(start, tuple) else ()
    return sum(completed(state.space, point) is None for point in left)


def left_out(state: State) -> int:
    """How many trials do not fit the space as it is now: the study keeps them, the search goes on without them."""
    return sum(params is None for params in refitted(state).values())
