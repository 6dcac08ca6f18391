"""What a mirror promises: another tool's record of a study follows the log, and nothing is in it twice.

A mirror is told of trials that are over, each once, and keeps with each the `key` of what it was told. It has no memory
beyond the other tool's own: whoever attaches asks `join` what is there, and adds what is missing. So a kill at any
moment, or a server that is away, loses nothing. All methods of one mirror are called from one thread, and `join`, `add`
and `mark` by one process at a time. Any error but those named here means that the other tool cannot be reached now: the
mirror is closed, and a fresh one tries again later.

A class is registered in the entry point group `rung.mirror` under the word before the first colon of an address.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

import msgspec

from rung.model import RungError, from_wire, to_wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

from rung.model import Objective, Outcome, Parameter, Report, Trial


class Refused(RungError):
    """The other tool takes this one trial in no form; others may follow."""


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """The study, as another tool is told of it. `uid` is unique among all studies; `name` is None while it has none."""

    name: str | None
    uid: str
    objectives: tuple[Objective, ...]
    outcomes: tuple[Outcome, ...] = ()


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A trial that is over. `parameters` is its space, as it was when the trial was proposed; `values` are those of the
    objectives, in their order (None: it failed); `violations` say by how much it broke each outcome (0: kept, +inf:
    not measured); `reports` are its whole curve."""

    trial: Trial
    parameters: tuple[Parameter, ...]
    values: tuple[float, ...] | None
    violations: tuple[float, ...]
    reports: tuple[Report, ...]

    @property
    def key(self) -> str:
        """Which trial this is, and as what it ended."""
        return key_of(self.trial)


class Mirror(Protocol):
    """One address. The constructor connects nothing; it raises `BadInput` for an address that cannot be one, and where
    a package is missing."""

    def __init__(self, address: str) -> None: ...

    def check(self, study: Subject) -> None:
        """The other tool can be reached, and what it has under the study's name fits. Raises `BadInput`."""
        ...

    def join(self, study: Subject) -> AbstractSet[str]:
        """The other tool's study is there, made if need be; returns the keys of the records of this study that it holds
        whole. Raises `BadInput` when what is there is another search."""
        ...

    def add(self, record: Record) -> None:
        """The record is in it, whole or not at all. Raises `Refused`."""
        ...

    def mark(self, best: Sequence[int]) -> None:
        """Of the trials added, exactly these are marked as best, where the other tool does not find the best itself."""
        ...

    def close(self) -> None:
        """Connections are released."""
        ...


def key_of(trial: Trial) -> str:
    """`NUMBER.ATTEMPT.DIGEST`: another one when the trial was run again, or told other values."""
    values = {name: to_wire(value) for name, value in sorted(trial.values.items())}
    digest = hashlib.sha256(msgspec.json.encode([trial.state, values])).hexdigest()[:8]
    return f"{trial.number}.{trial.attempt}.{digest}"


def curve(reports: Sequence[Report], *, largest: int) -> Iterator[tuple[int, Report]]:
    """Each report with a whole step: its own where all are whole and none is beyond `largest`, else its count from
    1."""
    whole = all(report.step == int(report.step) and abs(report.step) <= largest for report in reports)
    for count, report in enumerate(reports, start=1):
        yield (int(report.step) if whole else count), report


def metrics(report: Report) -> dict[str, float]:
    """The report's metrics as numbers."""
    return {name: from_wire(value) for name, value in report.values.items()}
