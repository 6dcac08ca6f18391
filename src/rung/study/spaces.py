"""The versions of a study's space. While a study exists its space may be edited: bounds, choices, scales, conditions,
constraints; not the set of parameters, nor their types, nor its constants.

A trial's row stays as it was written: in the values of the version under which the trial was proposed. So nothing that
is known of old trials ever changes; who wants them in another version asks `fitting`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from rung.space import Space, SpaceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from rung.model import Parameter, StudySpec


class Spaces:
    """All versions, counted from 1. `since`: the sequence number of the event that brought each of them."""

    def __init__(self, spec: StudySpec) -> None:
        self.versions = [Space(spec.parameters, spec.constraints)]
        self.since = [1]

    def __len__(self) -> int:
        """The newest version."""
        return len(self.versions)

    def add(self, parameters: Sequence[Parameter], constraints: Sequence[str], *, seq: int) -> None:
        """There is one version more. Raises `SpaceError` where that is no space."""
        self.versions.append(Space(parameters, constraints))
        self.since.append(seq)

    def version(self, named: int | None) -> int:
        """The version that a proposal names; the newest for one that names none that there is."""
        return named if named is not None and 1 <= named <= len(self) else len(self)

    def to_row(self, params: Mapping[str, Any], version: int) -> npt.NDArray[np.float64]:
        """The value row of a configuration of that version. Raises `SpaceError` for another one's."""
        row: npt.NDArray[np.float64] = self.versions[version - 1].to_rows([params])[0]
        return row

    def from_rows(self, rows: npt.NDArray[np.float64], versions: npt.NDArray[np.uint32]) -> list[dict[str, Any]]:
        """The configurations of value rows, each of its own version."""
        if len(self) == 1:
            return self.versions[0].from_rows(rows)
        found: list[dict[str, Any]] = [{} for _ in rows]
        for version in np.unique(versions).tolist():
            places = np.flatnonzero(versions == version)
            configurations = self.versions[version - 1].from_rows(rows[places])
            for place, params in zip(places.tolist(), configurations, strict=True):
                found[place] = params
        return found


def revised(spec: StudySpec, parameters: Sequence[Parameter] | None, constraints: Sequence[str] | None) -> StudySpec:
    """The spec with these parameters in place of those of the same name, and these constraints.

    Raises `SpaceError` for a change that makes it another search.
    """
    known = {parameter.name: parameter for parameter in spec.parameters}
    for parameter in parameters or ():
        _check_change(known.get(parameter.name), parameter)
        known[parameter.name] = parameter
    return msgspec.structs.replace(
        spec,
        parameters=tuple(known.values()),
        constraints=spec.constraints if constraints is None else tuple(constraints),
    )


def _check_change(old: Parameter | None, new: Parameter) -> None:
    another = "that would be another search: start a study under another name, and with --from let it learn from this"
    if old is None:
        raise SpaceError(f"cannot be added to a study that exists; {another}", parameter=new.name)
    if old.type != new.type:
        message = f"cannot become {new.type} in a study that exists (it is {old.type}); {another}"
        raise SpaceError(message, parameter=new.name, field="type")
    if old.type == "constant" and old != new:
        raise SpaceError(f"is a constant, on which all results depend; {another}", parameter=new.name)


def fitting(space: Space, params: Mapping[str, Any]) -> dict[str, Any] | None:
    """The configuration as one of this space; None where it is none."""
    try:
        return space.check(params)
    except SpaceError:
        return None


def completed(space: Space, params: Mapping[str, Any]) -> dict[str, Any] | None:
    """The configuration as one of this space, with what it does not name at its default; None where it is none."""
    try:
        return space.complete(params)
    except SpaceError:
        return None
