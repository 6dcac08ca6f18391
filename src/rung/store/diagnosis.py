"""What went wrong with a database file, in one line that says what to do."""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING

from rung.model import RungError, StoreUnusable
from rung.store.errors import StoreBusy, StoreFull, StoreMissing

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

# SQLite's own texts (sqlite3ErrStr): Python 3.10 hands out no error codes.
_BUSY = ("database is locked", "database table is locked", "locking protocol", "database schema is locked")
_ROOM = 256 * 1024  # bytes; with less than this free, an I/O error is taken for a full disk


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another connection was in the way, so that trying again makes sense."""
    return any(text in str(error) for text in _BUSY)


def cannot_reach(error: sqlite3.Error) -> bool:
    """Whether the files could not be opened or written: the marks of a read-only place."""
    return any(text in str(error) for text in ("unable to open database file", "readonly database"))


def explain(error: sqlite3.Error, path: Path, url: str) -> RungError:
    """The error for the user behind one of SQLite's."""
    text = str(error)
    if "disk is full" in text or ("disk I/O error" in text and _room(path) < _ROOM):
        return full(url)
    if "not a database" in text:
        return StoreUnusable("the file there is not a Rung store (not an SQLite file); name another path", place=url)
    if "malformed" in text:
        return StoreUnusable("the file is damaged; restore a copy, or name another path", place=url)
    if "readonly" in text:
        return StoreUnusable(f"{path} is read-only here; make it writable, or name another path", place=url)
    if "unable to open" in text:
        return unreachable(path, url)
    return StoreUnusable(f"SQLite says: {text}", place=url)


def explain_os(error: OSError, url: str) -> RungError:
    """The error for the user behind one of the operating system's, met while making the directory or looking."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return full(url)
    at = f" ({error.filename})" if error.filename else ""
    return StoreUnusable(f"{error.strerror or error}{at}; name a path where files can be made", place=url)


def unreachable(path: Path, url: str) -> StoreUnusable:
    """Why `path` cannot be opened as a file."""
    if path.is_dir():
        return StoreUnusable(f"{path} is a directory; name a file in it, for example {path / 'rung.db'}", place=url)
    if not path.parent.is_dir():
        return StoreUnusable(f"{path.parent} is not a directory; name another path", place=url)
    if path.exists() and not path.is_file():
        return StoreUnusable(f"{path} is not a regular file; name another path", place=url)
    if path.exists() and not allowed(path, os.R_OK):
        return StoreUnusable(f"{path} may not be read by this user; change its permissions", place=url)
    if not allowed(path.parent, os.W_OK):
        return StoreUnusable(f"the directory {path.parent} is not writable; name a path that is", place=url)
    return StoreUnusable(f"{path} cannot be opened; look at its permissions, or name another path", place=url)


def missing(url: str) -> StoreMissing:
    """The error of a reader who finds nothing."""
    return StoreMissing("no store there; `rung run` makes one", place=url)


def busy(url: str, seconds: float) -> StoreBusy:
    """The error of a writer who waited in vain."""
    return StoreBusy(f"another process has kept the store locked for {seconds:g} s; end it, or try again", place=url)


def full(url: str) -> StoreFull:
    """The error of a writer without room."""
    return StoreFull(f"{url}: no room left on the disk; nothing was written; free some space")


def allowed(path: Path, access: int) -> bool:
    """Whether this process has the `access` (`os.R_OK`, `os.W_OK`), as far as the system tells without trying."""
    return os.access(path, access, effective_ids=os.access in os.supports_effective_ids)


def _room(path: Path) -> int:
    """Free bytes where `path` lies; plenty when that cannot be told."""
    try:
        return shutil.disk_usage(path.parent).free
    except OSError:
        return _ROOM
