"""Storing and restoring checkpoints."""

from __future__ import annotations

import contextlib
import enum
import os
import shutil
from typing import TYPE_CHECKING, Any

from determined import _storage, _study
from determined.core._searcher import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class DownloadMode(enum.Enum):
    """Who copies a checkpoint, where several processes train; there is one here."""

    LocalWorkersShareDownload = "LOCAL_WORKERS_SHARE_DOWNLOAD"
    NoSharedDownload = "NO_SHARED_DOWNLOAD"


class CheckpointContext:
    """The trial's checkpoints. One is committed by the report of its step: a trial that is paused goes on from it."""

    @contextlib.contextmanager
    def store_path(self, metadata: dict[str, Any] | None = None, *, shard: bool = False) -> Iterator[tuple[Path, str]]:
        """An empty folder and an id; what is in the folder when the block is left is the checkpoint of that id.

        `metadata` is stored beside it, `steps_completed` in it says where it was made. Nothing is stored when the block
        raises.
        """
        making = _storage.Making()
        try:
            yield making.path, making.storage_id
        except BaseException:
            making.abandon()
            raise
        self._complete(making, metadata)

    def upload(
        self,
        ckpt_dir: str | os.PathLike[str] | None,
        metadata: dict[str, Any] | None = None,
        *,
        shard: bool = False,
        selector: Callable[[str], bool] | None = None,
    ) -> str:
        """The files of a folder are the trial's latest checkpoint; returns its id. Raises `RuntimeError` for None."""
        if ckpt_dir is None:
            raise RuntimeError("upload() needs the folder of the checkpoint, got None")
        making = _storage.Making()
        _copy(os.fspath(ckpt_dir), os.fspath(making.path), selector)
        self._complete(making, metadata)
        return making.storage_id

    def _complete(self, making: _storage.Making, metadata: dict[str, Any] | None) -> None:
        said = dict(metadata or {})
        steps = said.get(_storage.STEPS)
        place = place_of(int(steps)) if isinstance(steps, (int, float)) else None
        if place is None or place > _study.reports.here:  # what was said before is of another checkpoint
            _study.reports.leave(place)
        making.complete(said, _study.reports.here)
        if _study.current() is not None:
            _study.reports.commit(placed=place is not None)

    @contextlib.contextmanager
    def restore_path(
        self,
        storage_id: str,
        download_mode: DownloadMode = DownloadMode.LocalWorkersShareDownload,
        *,
        selector: Callable[[str], bool] | None = None,
    ) -> Iterator[Path]:
        """The folder of a checkpoint. Raises `FileNotFoundError` for any but the latest."""
        DownloadMode(download_mode)
        yield _storage.folder(storage_id)

    def download(
        self,
        storage_id: str,
        ckpt_dir: str | os.PathLike[str],
        download_mode: DownloadMode = DownloadMode.LocalWorkersShareDownload,
        *,
        selector: Callable[[str], bool] | None = None,
    ) -> None:
        """The checkpoint's files are in `ckpt_dir`. Raises `FileNotFoundError` for any but the latest."""
        DownloadMode(download_mode)
        _copy(os.fspath(_storage.folder(storage_id)), os.fspath(ckpt_dir), selector)

    def get_metadata(self, storage_id: str) -> dict[str, Any]:
        """What was stored with it. Raises `FileNotFoundError` for any but the latest."""
        return _storage.metadata(storage_id)

    def delete(self, storage_id: str, globs: list[str] | None = None) -> None:
        """Nothing for one that is gone: all but the latest are, and which of Rung's snapshots are kept is the
        configuration's `checkpoint_storage`. The latest stays, since the trial goes on from it."""


def _copy(source: str, target: str, selector: Callable[[str], bool] | None) -> None:
    def unwanted(folder: str, names: list[str]) -> list[str]:
        if selector is None:
            return []
        paths = {name: os.path.join(folder, name) for name in names}  # noqa: PTH118 - compared as texts
        return [n for n, path in paths.items() if not os.path.isdir(path) and not selector(_below(source, path))]  # noqa: PTH112

    shutil.copytree(source, target, ignore=unwanted, dirs_exist_ok=True)


def _below(root: str, path: str) -> str:
    return os.path.relpath(path, root).replace(os.sep, "/")
