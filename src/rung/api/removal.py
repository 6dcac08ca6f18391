"""Removing a study: what stands in the way, and what goes."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from rung.api.places import runs_directory
from rung.model import RungError
from rung.runner.identity import boot_id, host, start_ticks

if TYPE_CHECKING:
    from pathlib import Path

    from rung.api.handle import Handle


def check_removable(handle: Handle, *, remedy: str) -> None:
    """Nobody works on the study: its trials would write on into a study that is gone. Raises `RungError`, with the
    `remedy` as its last words."""
    if handle.status() in {"running", "paused"}:
        raise RungError(f"a runner is attached to study {handle.name}; {remedy}")
    here = (host(), boot_id())
    for live in handle.state.live.values():
        if live.pid and live.exit is None and (live.host, live.boot) == here and start_ticks(live.pid) == live.ticks:
            raise RungError(f"trial {live.number} of study {handle.name} still runs; {remedy}")


def study_folder(handle: Handle) -> Path | None:
    """The folder of the study's trials, if it is a real directory where the study says that its trials write."""
    runs = runs_directory(handle)
    folder = runs / handle.name
    inside = folder.parent == runs and handle.name not in {"", ".", ".."}
    return folder if inside and folder.is_dir() and not folder.is_symlink() else None


def remove(handle: Handle) -> Path | None:
    """The study is gone from its store, and so is the folder of its trials, which is returned. There is no way back.
    Raises `RungError` where the folder could not be removed whole."""
    folder = study_folder(handle)
    handle.store.delete(handle.name)
    if folder is not None:
        try:
            shutil.rmtree(folder)
        except OSError as error:
            why = error.strerror or str(error)
            raise RungError(
                f"study {handle.name} is removed, but what is left of its folder is not ({why}): {folder}"
            ) from None
    return folder
