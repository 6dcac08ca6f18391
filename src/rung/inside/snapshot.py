"""Snapshots of an attempt's working copy, each committed by the report line that names it (ARCHITECTURE rule 10).

    checkpoint/              the working copy: the program writes what it likes
    checkpoints/.partial/    the snapshot in the making
    checkpoints/NAME/        a whole one; garbage until a line of `reports.jsonl` says `"_checkpoint": "NAME"`
    checkpoints/.kept        the digest of the working copy that was committed last
    checkpoints/.lock        held (flock) by whoever is making one

All of it happens in this order: every file is copied and on the disk, the folder gets its name, the name is on the
disk, the line is written, the digest is. So a kill between any two of these leaves a whole committed snapshot, or
garbage that no line names; the next snapshot clears away `.partial`. Stdlib only; imported by trials with checkpoints.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import math
import os
import shutil
import sys
import threading
import time
from contextlib import contextmanager, suppress

from rung.inside import wire

TYPE_CHECKING = False  # not `typing.TYPE_CHECKING`: importing typing costs 3 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Stamp = tuple[str, int, int, int, str]
    """What tells one state from another: the kind; a file's size, time of change in ns, inode; where a link points."""
    Listing = dict[str, Stamp]
    """Each path below a folder, as it was found there."""

PARTIAL = ".partial"
KEPT = ".kept"
LOCK = ".lock"
TRIES = 4
"""How often what changes while it is copied is copied."""

SYNCS = 8
"""How many files are waited for at once, when there are many."""

_PIECE = 1 << 20
_TICK_S = 0.012
"""A file's time of change stands still for as long as this (100 Hz clocks): a later change shows only after it."""
_CLONE = 0x40049409  # FICLONE of linux/fs.h


class Keeper:
    """The snapshots of one attempt, as this process makes them; any number of threads and processes may."""

    def __init__(self, working: str, directory: str, variables: Mapping[str, str]) -> None:
        """`working`: the working copy; `directory`: the attempt's; `variables`: its environment."""
        self.working, self.directory = working, directory
        self.root = f"{directory}/{wire.SNAPSHOTS}"
        names = ("step", variables.get(wire.RESOURCE_NAME) or "step", "epoch", "iteration")
        self._step_names = tuple(dict.fromkeys(names))
        self._before = _count(variables.get(wire.REPORTS_BEFORE))
        self._known: Listing = {}  # as it was when it was last committed, or found to be
        self._at_it: set[tuple[int, int]] = set()  # threads that are making one
        self._said: set[str] = set()

    def commit(self, line: bytes, metrics: Mapping[str, object], write: Callable[[bytes], None]) -> None:
        """The report `line` of `metrics` is written, naming a snapshot if the working copy has changed since the last.

        Where none can be made, a line on stderr says why and the report is written all the same.
        """
        me = (os.getpid(), threading.get_ident())
        if me in self._at_it or not self._changed():  # a signal handler that reports must not wait for its own thread
            write(line)
            return
        self._at_it.add(me)
        try:
            self._commit(line, metrics, write)
        finally:
            self._at_it.discard(me)

    def _commit(self, line: bytes, metrics: Mapping[str, object], write: Callable[[bytes], None]) -> None:
        written = False
        try:
            with self._locked():
                found = _settled(self.working)
                if self._is_new(found):
                    name, size, copied = self._snapshot(found, metrics)
                    written = self._write(wire.naming(line, name, size), name, write)
                    if written:
                        self._remember(copied)
        except OSError as error:
            self._say(f"no checkpoint was kept: {error.strerror or error}: {error.filename or self.root}")
        if not written:
            write(line)

    def _changed(self) -> bool:
        """Whether the working copy holds anything that this process does not know to be committed."""
        try:
            found = listing(self.working)
        except OSError as error:
            self._say(f"no checkpoint was kept: {error.strerror}: {error.filename}")
            return False
        return found != self._known and _holds_files(found)

    def _is_new(self, found: Listing) -> bool:
        """Whether nobody has committed this state, another process included."""
        if not _holds_files(found):
            return False
        if _read(f"{self.root}/{KEPT}") == digest(found):
            self._known = found
            return False
        return True

    # ------------------------------------------------------------------------------------------------------- making it

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Nobody else makes a snapshot of this attempt. The lock goes with its holder, however that ends."""
        if not os.access(self.root, os.F_OK):
            os.makedirs(self.root, mode=0o700, exist_ok=True)  # noqa: PTH103 - pathlib costs 4 ms to import
            _sync(self.directory)
        fd = os.open(f"{self.root}/{LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(fd, fcntl.LOCK_UN)  # not by closing alone: a fork may hold the descriptor too
        finally:
            os.close(fd)

    def _snapshot(self, found: Listing, metrics: Mapping[str, object]) -> tuple[str, int, Listing]:
        """The working copy is on the disk under a name; returns that, its bytes and what it holds. Raises `OSError`."""
        partial = f"{self.root}/{PARTIAL}"
        shutil.rmtree(partial, ignore_errors=True)
        try:
            os.mkdir(partial, mode=0o700)  # noqa: PTH102 - see `_locked`
            copied, left_out = mirror(self.working, partial, found)
            for path, why in left_out.items():
                self._say(f"{path} {why} and is not in the checkpoint")
            size = _finish(self.working, partial)
            name = self._free(metrics)
            os.rename(partial, f"{self.root}/{name}")  # noqa: PTH104 - see `_locked`
            _sync(self.root)
        except OSError:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        return name, size, copied

    def _write(self, line: bytes, name: str, write: Callable[[bytes], None]) -> bool:
        """Whether the line that commits the snapshot was written. If not, its room is given back: for the metrics."""
        try:
            write(line)
        except OSError as error:
            shutil.rmtree(f"{self.root}/{name}", ignore_errors=True)
            self._say(f"no checkpoint was kept: {error.strerror or error}: {self.directory}")
            return False
        return True

    def _free(self, metrics: Mapping[str, object]) -> str:
        """The step as text, and a number behind it where there is such a folder already."""
        step = self._step(metrics)
        name, number = step, 1
        while os.path.lexists(f"{self.root}/{name}"):
            number += 1
            name = f"{step}-{number}"
        return name

    def _step(self, metrics: Mapping[str, object]) -> str:
        for name in self._step_names:
            if name in metrics:
                step = wire.number(name, metrics[name])
                if not isinstance(step, str):
                    return repr(int(step) if math.floor(step) == step and abs(step) < 2**53 else step)
        return str(self._before + _lines(f"{self.directory}/{wire.REPORTS}") + 1)

    def _remember(self, committed: Listing) -> None:
        """This state needs no other snapshot."""
        self._known = committed
        try:
            mark(self.directory, committed)
        except OSError as error:  # the disk is full now: another process that reports makes one more
            self._say(f"{self.root}/{KEPT}: {error.strerror}")

    def _say(self, text: str) -> None:
        """One line on stderr, once."""
        if text not in self._said:
            with suppress(OSError):  # the disk may be full for this too
                sys.stderr.write(f"rung: {text}\n")
                self._said.add(text)


def mark(directory: str, committed: Listing) -> None:
    """In the attempt's `directory` it is noted that this state of the working copy needs no snapshot: it was committed,
    or is what the attempt began from. Raises `OSError`."""
    root = f"{directory}/{wire.SNAPSHOTS}"
    os.makedirs(root, mode=0o700, exist_ok=True)  # noqa: PTH103 - see `Keeper._locked`
    fd = os.open(f"{root}/{KEPT}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, digest(committed))
    finally:
        os.close(fd)


# ------------------------------------------------------------------------------------------------------------- looking


def listing(folder: str) -> Listing:
    """Everything below `folder`: what vanishes meanwhile is left out. Raises `OSError` for what may not be read."""
    found: Listing = {}
    pending = [""]
    while pending:
        below = pending.pop()
        try:
            with os.scandir(f"{folder}/{below}") as entries:
                for entry in entries:
                    path = below + entry.name
                    stamp = _stamp(entry)
                    if stamp is not None:
                        found[path] = stamp
                    if stamp == FOLDER:
                        pending.append(f"{path}/")
        except (FileNotFoundError, NotADirectoryError):
            continue
    return found


FOLDER: Stamp = ("folder", 0, 0, 0, "")
SPECIAL: Stamp = ("special", 0, 0, 0, "")


def _stamp(entry: os.DirEntry[str]) -> Stamp | None:
    try:
        if entry.is_dir(follow_symlinks=False):
            return FOLDER
        if entry.is_symlink():
            return ("link", 0, 0, 0, os.readlink(entry.path))  # noqa: PTH115 - see `Keeper._locked`
        return _stamp_of(entry.stat(follow_symlinks=False)) if entry.is_file(follow_symlinks=False) else SPECIAL
    except FileNotFoundError:
        return None


def _stamp_of(status: os.stat_result) -> Stamp:
    return ("file", status.st_size, status.st_mtime_ns, status.st_ino, "")


def _settled(folder: str) -> Listing:
    """What is there, once a change after this moment would show in the time of the file that it changes."""
    found = listing(folder)
    age = time.time() - max((stamp[2] for stamp in found.values()), default=0) / 1e9
    if 0 <= age < _TICK_S:
        time.sleep(_TICK_S - age)
    return found


def _holds_files(found: Listing) -> bool:
    return any(stamp[0] in {"file", "link"} for stamp in found.values())


def digest(found: Listing) -> bytes:
    """A name of this state of a folder."""
    text = repr(sorted(found.items())).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16).hexdigest().encode()


def _read(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - see `Keeper._locked`
            return file.read()
    except FileNotFoundError:
        return b""


def _lines(path: str) -> int:
    """How many lines the file has: steps are counted in it, since many processes may write it."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - see `Keeper._locked`
            return sum(piece.count(b"\n") for piece in iter(lambda: file.read(_PIECE), b""))
    except FileNotFoundError:
        return 0


def _count(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0


# ------------------------------------------------------------------------------------------------------------- copying


def mirror(source: str, target: str, found: Listing) -> tuple[Listing, dict[str, str]]:
    """`target`, an empty folder, holds what `source` held at one moment. `found`: its listing.

    What changes is copied again, `TRIES` times in all. Returns what was copied, and what was left out with the reason.
    Raises `OSError`.
    """
    copied: Listing = {}
    now = found
    for _ in range(TRIES):
        _update(source, target, now, copied)
        now = _settled(source)
        if now == copied:
            break
    left_out = {path: "is neither a file, a folder nor a link" for path, stamp in now.items() if stamp == SPECIAL}
    for path in sorted({*now, *copied}):
        if now.get(path) != copied.get(path):
            _forget(target, path, copied)
            if path in now:
                left_out[path] = "kept changing while it was copied"
    return copied, left_out


def _update(source: str, target: str, found: Listing, copied: Listing) -> None:
    """What `copied` does not hold as it was `found` is copied, folders before what is in them; the rest goes."""
    for path in [path for path in copied if path not in found]:
        _forget(target, path, copied)
    for path in sorted(found):
        if copied.get(path) == found[path]:
            continue
        _forget(target, path, copied)
        if _brought(source, target, path, found[path]):
            copied[path] = found[path]


def _forget(target: str, path: str, copied: Listing) -> None:
    """It is not in `target`, nor anything below it."""
    stamp = copied.pop(path, None)
    if stamp == FOLDER:
        shutil.rmtree(f"{target}/{path}")
        for below in [other for other in copied if other.startswith(f"{path}/")]:
            del copied[below]
    elif stamp is not None and stamp != SPECIAL:
        os.unlink(f"{target}/{path}")  # noqa: PTH108 - see `Keeper._locked`


def _brought(source: str, target: str, path: str, stamp: Stamp) -> bool:
    """Whether it stands in `target` in the state `stamp`. Raises `OSError`."""
    there = f"{target}/{path}"
    if not os.access(os.path.dirname(there), os.F_OK):  # noqa: PTH120 - see `Keeper._locked`
        return False  # its folder has vanished
    if stamp == FOLDER:
        os.mkdir(there, mode=0o700)  # noqa: PTH102 - see `Keeper._locked`
    elif stamp[0] == "link":
        os.symlink(_pointed(source, path, stamp[4]), there)  # noqa: PTH211 - see `Keeper._locked`
    elif stamp[0] == "file":
        return _copy(f"{source}/{path}", there, stamp)
    return True


def _pointed(source: str, path: str, to: str) -> str:
    """Where the link `path` points in a copy of `source`: into the copy, if it pointed into `source`."""
    if to.startswith(f"{source}/"):
        return os.path.relpath(to, os.path.dirname(f"{source}/{path}"))  # noqa: PTH120 - see `Keeper._locked`
    return to


def _copy(here: str, there: str, stamp: Stamp) -> bool:
    """Whether the file was the same before and after it was copied; if not, there is no copy. Raises `OSError`."""
    try:
        source = os.open(here, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
            return False
        raise
    try:
        status = os.fstat(source)
        return _stamp_of(status) == stamp and _copy_open(source, there, status)
    finally:
        os.close(source)


def _copy_open(source: int, there: str, status: os.stat_result) -> bool:
    target = os.open(there, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        if not cloned(source, target):
            pour(source, target)
        same = _stamp_of(os.fstat(source)) == _stamp_of(status) and os.fstat(target).st_size == status.st_size
        if same:
            os.fchmod(target, status.st_mode & 0o777)
            os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    finally:
        os.close(target)
    if not same:
        os.unlink(there)  # noqa: PTH108 - see `Keeper._locked`
    return same


def cloned(source: int, target: int) -> bool:
    """Whether the file system could let both share their blocks."""
    if sys.platform != "linux":
        return False
    try:
        fcntl.ioctl(target, _CLONE, source)
    except OSError:
        return False  # most file systems cannot; a full disk will show when the bytes are written
    return True


def pour(source: int, target: int) -> None:
    """The rest of the file `source` is in `target`. Raises `OSError`."""
    while piece := os.read(source, _PIECE):
        while piece:
            piece = piece[os.write(target, piece) :]


def _finish(source: str, target: str) -> int:
    """All of the copy `target` is on the disk, folders as old as in `source`; returns the bytes of files and links."""
    size, plain = 0, []
    for folder, folders, files in os.walk(target, topdown=False):
        links = [name for name in folders if os.path.islink(f"{folder}/{name}")]  # noqa: PTH114 - see `Keeper._locked`
        size += sum(os.lstat(f"{folder}/{name}").st_size for name in files + links)
        plain += [f"{folder}/{name}" for name in files if not os.path.islink(f"{folder}/{name}")]  # noqa: PTH114
        with suppress(FileNotFoundError):  # a folder that is gone by now has no age
            status = os.stat(source + folder[len(target) :])  # noqa: PTH116 - see `Keeper._locked`
            os.utime(folder, ns=(status.st_atime_ns, status.st_mtime_ns))
        plain.append(folder)
    _sync_all(plain)
    return size


def _sync_all(paths: list[str]) -> None:
    """`_sync` of each, many at once: the disk takes what is asked for together in one go. Empties the list."""
    failed: list[OSError] = []

    def work() -> None:
        with suppress(IndexError):  # the last one was another's
            while paths and not failed:
                try:
                    _sync(paths.pop())
                except OSError as error:
                    failed.append(error)

    helpers = [threading.Thread(target=work, daemon=True) for _ in range(min(SYNCS, len(paths) // SYNCS))]
    with suppress(RuntimeError):  # no more threads can be had, as at the end of the interpreter
        for helper in helpers:
            helper.start()
    work()
    for helper in helpers:
        if helper.ident is not None:
            helper.join()
    if failed:
        raise failed[0]


def _sync(path: str) -> None:
    """What the file holds is on the disk, or the names in the folder."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
