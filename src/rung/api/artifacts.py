"""Checkpoints as downloads: named by an id that only this process can make, read without following any link.

An id says which checkpoint it is and is signed, so that nobody can ask for anything else; it holds no path, and dies
with the process. A checkpoint of one file is that file; any other is a tar archive of its folder.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
import stat
import tarfile
from collections.abc import Generator
from typing import TYPE_CHECKING

import msgspec

from rung.api.places import runs_directory
from rung.api.trialfiles import contents, directory_below, words_of
from rung.inside.wire import SNAPSHOTS
from rung.model import BadInput

if TYPE_CHECKING:
    from pathlib import Path

    from rung.api.handle import Handle

MOST_FILES = 100_000
_BLOCK = 512
_SIGNED = 16  # bytes of the signature that are kept
_key = secrets.token_bytes(32)


class Named(msgspec.Struct, frozen=True, array_like=True):
    """The checkpoint that an id stands for. `uid` is the study's: its name may be given to another one."""

    study: str
    uid: str
    trial: int
    attempt: int
    name: str


class NoArtifact(BadInput):
    """There is no such artifact, or not any more."""


class Download(msgspec.Struct, frozen=True):
    """What is sent: the name for the file, how many bytes, and the bytes."""

    name: str
    size: int
    chunks: Generator[bytes]


def artifact_id(handle: Handle, trial: int, attempt: int, name: str) -> str:
    """The id of a checkpoint."""
    body = msgspec.json.encode(Named(handle.name, handle.state.created.uid, trial, attempt, name))
    return base64.urlsafe_b64encode(_signature(body) + body).rstrip(b"=").decode()


def named_by(identity: str) -> Named:
    """What an id of ours stands for. Raises `NoArtifact` for any other text."""
    try:
        raw = base64.b64decode(identity + "=" * (-len(identity) % 4), altchars=b"-_", validate=True)
        if hmac.compare_digest(raw[:_SIGNED], _signature(raw[_SIGNED:])):
            return msgspec.json.decode(raw[_SIGNED:], type=Named)
    except (ValueError, msgspec.DecodeError):
        pass  # text that is not base64 is no id of ours, which is said below
    raise NoArtifact("there is no such artifact; load the trial's page again for a link that holds now")


def _signature(body: bytes) -> bytes:
    return hmac.new(_key, body, hashlib.sha256).digest()[:_SIGNED]


def download_of(handle: Handle, named: Named) -> Download:
    """The checkpoint as a download. Raises `NoArtifact` when it is not kept any more, or is not on this machine."""
    saved = handle.state.shelf.saved.get(named.trial, ())
    known = {(one.checkpoint.attempt, one.checkpoint.name) for one in saved}
    if named.uid != handle.state.created.uid or (named.attempt, named.name) not in known:
        raise NoArtifact(f"the checkpoint {named.name!r} of trial {named.trial} is not kept any more")
    runs = runs_directory(handle)
    folder = (*words_of(handle.name, named.trial, named.attempt), SNAPSHOTS, named.name)
    try:
        found = _listing(runs, folder)
    except OSError:
        raise NoArtifact(
            f"the folder of checkpoint {named.name!r} of trial {named.trial} is not on this machine, or was removed"
        ) from None
    stem = safe_name(f"{handle.name}-trial-{named.trial}-{named.name}")
    if len(found) == 1 and not found[0].folder:
        only = found[0]
        name = f"{stem}-{safe_name(only.words[-1])}"
        return Download(name, only.size, contents(runs, (*folder, *only.words), only.size))
    entries = [(entry, _header(stem, entry)) for entry in found]
    size = sum(len(head) + _padded(entry.size) for entry, head in entries) + 2 * _BLOCK
    return Download(f"{stem}.tar", size, _archive(runs, folder, entries))


def safe_name(text: str) -> str:
    """The text as a name of a file that means the same everywhere: letters, digits, `.`, `_`, `-`."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).lstrip(".-")[:150] or "file"


class _Entry(msgspec.Struct, frozen=True):
    """A file or folder of a checkpoint: the names that lead to it, and its size (0 of a folder)."""

    words: tuple[str, ...]
    folder: bool
    size: int
    modified: float


def _listing(runs: Path, folder: tuple[str, ...]) -> list[_Entry]:
    """The plain files and folders below, each folder before what is in it; links and devices are left out."""
    found: list[_Entry] = []
    todo: list[tuple[str, ...]] = [()]
    while todo:
        inner = todo.pop()
        with directory_below(runs, (*folder, *inner)) as here:
            for name in sorted(os.listdir(here)):  # noqa: PTH208 - a path could be moved meanwhile, a descriptor not
                status = os.stat(name, dir_fd=here, follow_symlinks=False)
                is_folder = stat.S_ISDIR(status.st_mode)
                if not is_folder and not stat.S_ISREG(status.st_mode):
                    continue
                size = 0 if is_folder else status.st_size
                found.append(_Entry((*inner, name), is_folder, size, status.st_mtime))
                if len(found) > MOST_FILES:
                    raise NoArtifact(f"it has more than {MOST_FILES} files: take it from the folder itself")
                if is_folder:
                    todo.append((*inner, name))
    return found


def _header(stem: str, entry: _Entry) -> bytes:
    """What stands before the contents of one member of an archive. Nobody's name and no right to run go with it."""
    info = tarfile.TarInfo("/".join((stem, *entry.words)))
    info.type = tarfile.DIRTYPE if entry.folder else tarfile.REGTYPE
    info.mode = 0o755 if entry.folder else 0o644
    info.size, info.mtime = entry.size, int(entry.modified)
    return info.tobuf(tarfile.PAX_FORMAT, errors="surrogateescape")


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _archive(runs: Path, folder: tuple[str, ...], entries: list[tuple[_Entry, bytes]]) -> Generator[bytes]:
    for entry, head in entries:
        yield head
        if not entry.folder:
            yield from contents(runs, (*folder, *entry.words), entry.size)
            yield b"\0" * (_padded(entry.size) - entry.size)
    yield b"\0" * (2 * _BLOCK)
