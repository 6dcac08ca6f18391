"""The directory of one attempt: how it is prepared, claimed and read. The only place that knows what its files hold."""

from __future__ import annotations

import errno
import json
import os
import re
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from rung.execute import processes
from rung.inside import wire

if TYPE_CHECKING:
    from collections.abc import Mapping

WRAPPER = str(Path(__file__).with_name("wrapper.sh"))
NO_FILES: Mapping[str, str] = MappingProxyType({})
_CLAIMED = "claimed"
_WRAPPER_PREFIX = re.compile(rf"^{re.escape(WRAPPER)}: (?:line )?\d+: +", re.MULTILINE)
_SMALL = 4096
_TAIL_BYTES = 4096
_TAIL_LINES = 12


class Beginning(NamedTuple):
    """What `started` says. `pid` is 0 when a recovering runner claimed the attempt before anything ran.

    `kind` is "" for a process tree of its own, "inline" for an objective that runs inside the process `pid`.
    """

    pid: int
    ticks: int
    boot: str
    kind: str = ""


def prepare(directory: str, params: Mapping[str, object], files: Mapping[str, str] = NO_FILES) -> tuple[int, int]:
    """The directory is ready for a start, with `files` in it; returns descriptors of stdout and stderr, opened for
    appending.

    Raises `OSError` when there is no room; then nothing is left that stands in the way of trying again.
    """
    _make(directory)
    opened: list[int] = []
    try:
        _write_params(directory, params)
        for name, text in files.items():
            _write_file(directory, name, text)
        _make_exit_room(directory)
        for name in (wire.STDOUT, wire.STDERR):
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            opened.append(os.open(f"{directory}/{name}", flags, 0o600))
    except OSError:
        for fd in opened:
            os.close(fd)
        undo(directory)
        raise
    return opened[0], opened[1]


def _make(directory: str) -> None:
    """The directory exists and is ours alone."""
    os.makedirs(directory, mode=0o700, exist_ok=True)  # noqa: PTH103 - plain calls here: every start waits for them


def undo(directory: str) -> None:
    """What `prepare` made is gone again, unless the attempt has started after all."""
    if Path(directory, wire.STARTED).exists():
        return
    for name in (wire.PARAMS, wire.EXIT, wire.STDOUT, wire.STDERR):
        Path(directory, name).unlink(missing_ok=True)


def _write_params(directory: str, params: Mapping[str, object]) -> None:
    _write_file(directory, wire.PARAMS, json.dumps(wire.to_wire(dict(params)), allow_nan=False) + "\n")


def _write_file(directory: str, name: str, text: str) -> None:
    """The file is whole at any moment: another runner may be preparing the same attempt. `folder/` is a folder."""
    folder, _, last = name.rpartition("/")
    if folder:
        _make(f"{directory}/{folder}")
    if not last:
        return
    temporary = f"{directory}/{folder}/.{last}.{os.getpid()}" if folder else f"{directory}/.{last}.{os.getpid()}"
    try:
        with open(temporary, "wb") as file:  # noqa: PTH123 - see `_make`
            file.write(text.encode("utf-8", "surrogateescape"))
        os.rename(temporary, f"{directory}/{name}")  # noqa: PTH104 - see `_make`
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


def _make_exit_room(directory: str) -> None:
    """`exit` holds its blanks. What is there already stays: a racing runner's job may have filled it.

    No fsync: file systems reserve the block when the blanks are written, and a status need not outlive the boot.
    """
    fd = os.open(f"{directory}/{wire.EXIT}", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(fd).st_size
        missing = wire.EXIT_ROOM - size
        if missing > 0 and os.pwrite(fd, b" " * missing, size) < missing:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), directory)
    finally:
        os.close(fd)


def is_started(directory: str) -> bool:
    """Whether `started` exists, whoever made it."""
    return os.access(f"{directory}/{wire.STARTED}", os.F_OK)


def beginning(directory: str) -> Beginning | None:
    """What `started` says; None when it is missing or not (yet) written to its end."""
    text = _text(directory, wire.STARTED)
    words = text.split(" ")
    if not text.endswith("\n") or len(words) < 3:
        return None
    try:
        pid, ticks = int(words[0]), int(words[1])
    except ValueError:
        return None
    rest = text.split()[2:]
    if _CLAIMED in rest:
        return Beginning(0, 0, "")
    return Beginning(pid, ticks, rest[0] if rest else "", rest[1] if len(rest) > 1 else "")


def _text(directory: str, name: str) -> str:
    """What a small file of ours holds; "" when it is missing."""
    try:
        with open(f"{directory}/{name}", "rb", buffering=0) as file:  # noqa: PTH123 - see `_make`
            return file.read(_SMALL).decode("ascii", "replace")
    except OSError:
        return ""


def begin(directory: str, beginning: Beginning) -> bool:
    """`started` is ours and says `beginning`; False when somebody else has it. Raises `OSError` on a full disk."""
    return _create(directory, f"{beginning.pid} {beginning.ticks} {beginning.boot} {beginning.kind}".rstrip(" "))


def claim(directory: str) -> bool:
    """Nothing will ever start in this directory; False when something already has. Makes the directory if needed."""
    _make(directory)
    return _create(directory, f"0 0 {_CLAIMED}")


def _create(directory: str, line: str) -> bool:
    try:
        fd = os.open(f"{directory}/{wire.STARTED}", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return False
    try:
        os.write(fd, f"{line}\n".encode())
    except OSError:
        if _CLAIMED not in line:  # an empty `started` is a claim as good as any
            Path(directory, wire.STARTED).unlink()
            raise
    finally:
        os.close(fd)
    return True


def unclaim(directory: str) -> None:
    """A `started` that its maker could not write is gone: nothing ran, the attempt can be started again."""
    Path(directory, wire.STARTED).unlink(missing_ok=True)


def status(directory: str) -> int | None:
    """The exit status that `exit` holds; None while it is blank or missing."""
    text = _text(directory, wire.EXIT).strip()
    return int(text) if text.isdecimal() else None


def record_status(directory: str, code: int) -> None:
    """`exit` holds `code`, in the room that was made for it."""
    fd = os.open(f"{directory}/{wire.EXIT}", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(fd, str(code).encode(), 0)
    finally:
        os.close(fd)


def record_unstartable(directory: str, code: int, message: str) -> bool:
    """The attempt tells that its program could not be started; False when another one has it."""
    here = processes.inspect(os.getpid())
    if not begin(directory, Beginning(os.getpid(), here.ticks if here else 0, processes.boot_id(), "unstartable")):
        return False
    with Path(directory, wire.STDERR).open("a", encoding="utf-8", errors="surrogateescape") as file:
        file.write(f"{message}\n")
    record_status(directory, code)
    return True


def ask_to_stop(directory: str) -> None:
    """`rung.should_stop()` is true in the trial from now on, if the disk lets us say so."""
    try:
        Path(directory, wire.STOP).touch(mode=0o600)
    except OSError:
        return  # the signals that follow say the same


def asked_to_stop(directory: str) -> bool:
    """Whether some runner has asked the attempt to end while it ran."""
    return os.access(f"{directory}/{wire.STOP}", os.F_OK)


def invalid(directory: str) -> str | None:
    """Why the program refused its configuration, its first 4096 characters; None when it did not."""
    try:
        with Path(directory, wire.INVALID).open(encoding="utf-8", errors="replace") as file:
            return file.read(_SMALL).strip() or "its program says that its parameters are not valid"
    except OSError:
        return None


def tail(directory: str, name: str = wire.STDERR) -> str:
    """The last lines of an output file, for an error message; "" when it is empty or missing."""
    try:
        with Path(directory, name).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            data = file.read(_TAIL_BYTES)
    except OSError:
        return ""
    lines = data.decode("utf-8", "replace").rstrip().splitlines()
    if size > _TAIL_BYTES and len(lines) > 1:
        lines = lines[1:]  # the first one is cut
    return _WRAPPER_PREFIX.sub("", "\n".join(lines[-_TAIL_LINES:]))
