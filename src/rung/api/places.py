"""Where studies are kept and where trials write: flag > environment > user file > default."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from rung.dialects import read_text
from rung.dialects.documents import parse
from rung.dialects.names import did_you_mean
from rung.model import BadInput

if TYPE_CHECKING:
    from rung.api.handle import Handle

_USER_KEYS = frozenset({"store", "dir"})


class Places(msgspec.Struct, frozen=True):
    """The store's URL, and the absolute directory under which each study has a folder."""

    store: str
    runs: Path


def user_file() -> Path:
    """The user's own settings: `store:` and `dir:` in YAML."""
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "rung" / "config.yaml"


def _user_settings() -> dict[str, str]:
    path = user_file()
    if not path.is_file():
        return {}
    tree, positions = parse(read_text(path), file=str(path))
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise BadInput("expected a mapping with `store` and `dir`", place=str(path))
    for key, value in tree.items():
        if key not in _USER_KEYS:
            raise positions.error((key,), f"unknown key{did_you_mean(key, _USER_KEYS)}")
        if not isinstance(value, str):
            raise positions.error((key,), f"expected text, got {value!r}")
    return tree


def find_places(*, store: str | None = None, directory: str | None = None) -> Places:
    """The places in force, given what a command line said. `--dir D` moves the default store to `D/rung.db`."""
    user = _user_settings()
    runs = directory or os.environ.get("RUNG_DIR") or user.get("dir") or "runs"
    url = store or os.environ.get("RUNG_STORE") or user.get("store") or f"sqlite:///{runs.rstrip('/') or '/'}/rung.db"
    return Places(url, Path(runs).absolute())


def runs_directory(handle: Handle) -> Path:
    """Where the study's trials write: recorded when it was created."""
    return Path(handle.state.created.provenance.get("runs") or "runs").absolute()
