"""Store URLs: `sqlite:///runs/rung.db` (relative), `sqlite:////abs/rung.db`, `memory://`, and those of plug-ins."""

from __future__ import annotations

import re
from typing import NoReturn

import msgspec

from rung.model import BadInput

DEFAULT = "sqlite:///runs/rung.db"
_SHAPE = re.compile(r"([a-z][a-z0-9+.-]*)://(.*)", re.DOTALL)


class Address(msgspec.Struct, frozen=True):
    """Where a store is. `path` is a file for `sqlite`, empty for `memory`, else all that follows `scheme://`."""

    scheme: str
    path: str


def parse(url: str) -> Address:
    """The parts of a store URL; raises `BadInput` with the nearest URL that would do."""
    shape = _SHAPE.fullmatch(url)
    if shape is None:
        _refuse(url, f"expected a store URL such as {_meant(url)}")
    scheme, rest = shape.groups()
    if scheme == "sqlite":
        return Address(scheme, _file(url, rest))
    if scheme == "memory" and rest.strip("/"):
        _refuse(url, "a store in memory has no path: write memory://")
    return Address(scheme, "" if scheme == "memory" else rest)


def _file(url: str, rest: str) -> str:
    if not rest.strip("/"):
        _refuse(url, f"no file is named: write for example {DEFAULT}")
    if not rest.startswith("/"):
        _refuse(url, f"expected three slashes before a relative path, four before an absolute one: sqlite:///{rest}")
    path = rest[1:]
    if path == ":memory:":
        _refuse(url, "write memory:// for a store in memory")
    if path.endswith("/"):
        _refuse(url, f"expected a file, got a directory: write for example {url}rung.db")
    if "?" in path or not path.isprintable():
        _refuse(url, "a path with '?' or a control character is not taken, and there are no options: name another file")
    return path


def _meant(url: str) -> str:
    """The URL somebody probably wanted who wrote a bare path."""
    bare = bool(url.strip()) and "://" not in url and not url.startswith("sqlite:")
    return f"sqlite:///{url}" if bare else DEFAULT


def _refuse(url: str, message: str) -> NoReturn:
    raise BadInput(message, place=repr(url), key="store")
