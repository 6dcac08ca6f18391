"""The TensorBoard event files of one attempt, as a channel of reports (rule 8 of the architecture).

Every file below the attempt's directory whose name holds `tfevents` is read while it grows, but for those in its
checkpoints: they are copies. The scalars of one step of one file are one report, if a declared metric is among them;
what a file says at other steps is TensorBoard's own matter. A report is whole when the next step begins, when a tag
repeats, or when nothing was written for a moment and it has every metric that is waited for.

A scalar's name is its tag, or FOLDER/TAG where a declared metric is called so (`validation/epoch_loss`).
"""

from __future__ import annotations

import math
import os
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from rung.execute.eventbytes import Records
from rung.inside import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rung.execute.eventbytes import Record, Scalar

MARK = "tfevents"
CHUNK = 1 << 20
"""Bytes of one file that are read at a time."""
QUIET_S = 0.2
"""So long nothing was written to a file when what it says of the last step is taken for all."""
_SETTLED_NS = 2_000_000_000  # a folder that changed less long ago may change again within the same tick of its clock
_LOOKING = 0.1
"""The share of time that may go into looking for files."""
_MOST_FOLDERS = 2000
_MOST_FILES = 500
_COPIES = frozenset({wire.WORKING_COPY, wire.SNAPSHOTS})


class Group(NamedTuple):
    """The scalars of one step. `step` is None where the writer gave none."""

    step: int | None
    time: float
    values: dict[str, float]


class EventFiles:
    """The event files below `directory`, each from its offset on. `metrics`: the declared ones."""

    def __init__(
        self,
        directory: str,
        metrics: Sequence[str],
        offsets: Mapping[str, int],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory, self._metrics, self._monotonic = directory, frozenset(metrics), monotonic
        self._folders: dict[str, int] = {"": 0}  # each folder, relative, and its time of change when it was looked into
        self._files = {name: _File(name, at, self._metrics) for name, at in offsets.items() if MARK in name}
        self._notes: list[str] = []
        self._full = False
        self._look_again_at = -math.inf

    def grown(self) -> bool:
        """Whether there is more to read, or a report that is whole by now."""
        self._look()
        now = self._monotonic()
        return any(file.due(now) or _size(self._path(name)) > file.position for name, file in self._files.items())

    def read(self) -> tuple[list[Group], bool]:
        """The groups that what was written since the last call completes, and whether there is more to read at once."""
        self._look()
        groups: list[Group] = []
        more = False
        now = self._monotonic()
        for name, file in self._files.items():
            if not file.records.broken:
                piece = self._piece(name, file.position)
                more = more or len(piece) == CHUNK
                groups += file.feed(piece, now)
                self._say(file)
        return groups, more

    def finish(self) -> list[Group]:
        """All that is left: nothing more will be written."""
        self._folders = dict.fromkeys(self._folders, 0)
        self._look_again_at = -math.inf
        groups, more = self.read()
        while more:
            found, more = self.read()
            groups += found
        for file in self._files.values():
            groups += file.close()
        return groups

    def offsets(self) -> dict[str, int]:
        """Up to where every scalar has been turned into a report, for each file that was begun."""
        return {name: file.start for name, file in self._files.items() if file.start}

    def take_notes(self) -> list[str]:
        """What was odd since this was last asked."""
        notes, self._notes = self._notes, []
        return notes

    def _say(self, file: _File) -> None:
        if file.records.broken:
            self._notes.append(f"{file.name}: {file.records.broken}: nothing after it is read")
        if file.records.skipped:
            self._notes.append(f"{file.name}: {file.records.skipped} records are damaged and were skipped")
            file.records.skipped = 0

    # ------------------------------------------------------------------------------------------------------- finding

    def _look(self) -> None:
        """Every event file that there is is known. Folders are looked into again only when they have changed, and not
        so often that looking at many of them would take more than a tenth of the time."""
        began = self._monotonic()
        if began < self._look_again_at:
            return
        self._look_at_all()
        took = self._monotonic() - began
        self._look_again_at = began + took / _LOOKING

    def _look_at_all(self) -> None:
        pending = deque(self._folders)
        settled = time.time_ns() - _SETTLED_NS
        while pending:
            folder = pending.popleft()
            try:
                changed = os.stat(self._path(folder)).st_mtime_ns  # noqa: PTH116 - for every running job on every poll
                if self._folders[folder] != changed:
                    pending += self._look_into(folder)
                    self._folders[folder] = changed if changed < settled else 0
            except OSError:
                continue  # gone, or not there yet

    def _look_into(self, folder: str) -> list[str]:
        """The event files in a folder are known; returns the folders in it that were not. Raises `OSError`."""
        found = []
        with os.scandir(self._path(folder)) as entries:
            for entry in entries:
                name = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    if name not in self._folders and name not in _COPIES and not entry.name.startswith("."):
                        found.append(name)
                elif MARK in entry.name and name not in self._files and entry.is_file(follow_symlinks=False):
                    if len(self._files) < _MOST_FILES:
                        self._files[name] = _File(name, 0, self._metrics)
                    else:
                        self._overflow(f"more than {_MOST_FILES} event files")
        room = _MOST_FOLDERS - len(self._folders)
        if folder and len(found) > room:  # those at the top, where logs are most often, are always looked into
            self._overflow(f"more than {_MOST_FOLDERS} folders")
            found = found[: max(0, room)]
        self._folders.update(dict.fromkeys(found, 0))
        return found

    def _overflow(self, what: str) -> None:
        if not self._full:
            self._full = True
            self._notes.append(f"{what} are in {self._directory}: those beyond are not looked into for reports")

    def _piece(self, name: str, position: int) -> bytes:
        try:
            fd = os.open(self._path(name), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return b""
        try:
            return os.pread(fd, CHUNK, position)
        except OSError:
            return b""
        finally:
            os.close(fd)

    def _path(self, name: str) -> str:
        return f"{self._directory}/{name}" if name else self._directory


class _File:
    """One event file: what was read of it, and the group of its last step."""

    def __init__(self, name: str, offset: int, metrics: frozenset[str]) -> None:
        self.name, self.records = name, Records(offset)
        self._metrics = metrics
        self._folders = name.split("/")[:-1]
        self._names: dict[str, str] = {}  # tag -> what the scalar is called
        self._step, self._time = 0, 0.0
        self._values: dict[str, float] = {}
        self._begin = offset  # where the group's first record begins
        self._expected: set[str] = set()  # the declared metrics of the group before
        self._zero = False  # a group of step 0 was there before
        self._fed_at = 0.0

    @property
    def position(self) -> int:
        """Up to where bytes were read."""
        return self.records.position

    @property
    def start(self) -> int:
        """Up to where every scalar is in a group that was closed."""
        return self._begin if self._values else self.records.start

    def due(self, now: float) -> bool:
        """Whether the open group is taken for whole, since nothing came after it."""
        declared = self._metrics & self._values.keys()
        whole = bool(declared) and (self._metrics <= declared or (bool(self._expected) and self._expected <= declared))
        return whole and now - self._fed_at >= QUIET_S

    def feed(self, piece: bytes, now: float) -> list[Group]:
        """The groups that are complete with `piece`."""
        if not piece:
            return list(self.close()) if self.due(now) else []
        self._fed_at = now
        return [group for record in self.records.feed(piece) for group in self._add(record)]

    def _add(self, record: Record) -> Iterator[Group]:
        """A record is in one group as a whole: whoever reads on from where a group begins counts nothing twice."""
        if not record.scalars:
            return
        found = {self._called(scalar): scalar.value for scalar in record.scalars}
        step, at = record.scalars[0][:2]
        if self._values and (step != self._step or not self._values.keys().isdisjoint(found)):
            yield from self.close()
        if not self._values:
            self._step, self._time, self._begin = step, at, record.start
        self._values.update(found)

    def close(self) -> Iterator[Group]:
        """The open group, if a declared metric is in it; none is open afterwards."""
        values, self._values = self._values, {}
        declared = self._metrics & values.keys()
        if not values or (self._metrics and not declared):
            return
        unsaid = self._step == 0 and self._zero  # a writer that is given no steps writes 0 each time
        self._zero = self._zero or self._step == 0
        self._expected = set(declared)
        yield Group(None if unsaid else self._step, self._time, values)

    def _called(self, scalar: Scalar) -> str:
        """The tag, or FOLDER/TAG where a declared metric is called so."""
        name = self._names.get(scalar.tag)
        if name is None:
            paths = ("/".join([*self._folders[i:], scalar.tag]) for i in range(len(self._folders)))
            name = self._names[scalar.tag] = next((path for path in paths if path in self._metrics), scalar.tag)
        return name


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - asked for every running job on every poll
    except OSError:
        return 0
