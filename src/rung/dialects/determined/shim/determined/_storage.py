"""Where checkpoints are: in the trial's working copy, the latest one only, in a folder that bears its id.

    RUNG_CHECKPOINT_DIR/UUID/        what the program saved, with `metadata.json`
    RUNG_CHECKPOINT_DIR/latest       the UUID
    RUNG_CHECKPOINT_DIR/place        how far the trial was, in the study's resource

Rung keeps older ones as snapshots of the working copy (`rung checkpoint list`). A checkpoint is made beside the working
copy and moved into it when it is complete, so that no report ever finds half of one.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import Any

from rung.inside import session

LATEST = "latest"
PLACE = "place"
METADATA = "metadata.json"
STEPS = "steps_completed"


class Making:
    """A checkpoint in the making: `path` is an empty folder for it, `storage_id` what it will be called."""

    def __init__(self) -> None:
        self.storage_id = str(uuid.uuid4())
        working = session.checkpoint_dir()
        self._root = Path(tempfile.mkdtemp(prefix=".determined-", dir=working.parent))  # moving it must not copy
        self.path = self._root / self.storage_id
        self.path.mkdir()

    def complete(self, metadata: dict[str, Any], place: float) -> None:
        """It is the latest checkpoint, made at `place`, and the one before is not in the working copy any more."""
        working = session.checkpoint_dir()
        (self.path / METADATA).write_text(json.dumps(metadata, default=str), encoding="utf-8")
        before = [path for path in working.iterdir() if path.is_dir()]
        self.path.rename(working / self.storage_id)
        _replace(working / LATEST, self.storage_id)
        _replace(working / PLACE, repr(float(place)))
        for path in before:
            shutil.rmtree(path, ignore_errors=True)
        self.abandon()

    def abandon(self) -> None:
        """Nothing is left of what was not completed."""
        shutil.rmtree(self._root, ignore_errors=True)


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def _read(name: str) -> str:
    try:
        return (session.checkpoint_dir() / name).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def latest() -> str | None:
    """The id of the checkpoint to go on from; None without any."""
    return _read(LATEST) or None


def place() -> float:
    """How far the trial was at that checkpoint, in the study's resource; -1 without any."""
    return float(_read(PLACE) or -1)


def touch() -> None:
    """The working copy counts as changed: the next report commits it, whether or not one did before."""
    _replace(session.checkpoint_dir() / PLACE, _read(PLACE))


def folder(storage_id: str) -> Path:
    """The checkpoint's folder. Raises `FileNotFoundError` for any but the latest."""
    path = session.checkpoint_dir() / os.path.basename(storage_id)  # noqa: PTH119 - an id, whatever it says
    if not path.is_dir():
        raise FileNotFoundError(
            f"there is no checkpoint {storage_id!r} at hand: a trial has its latest one ({latest()}); "
            "see `rung checkpoint list` for those that Rung keeps"
        )
    return path


def metadata(storage_id: str) -> dict[str, Any]:
    """What was stored beside the checkpoint. Raises `FileNotFoundError` for any but the latest."""
    found = json.loads((folder(storage_id) / METADATA).read_text(encoding="utf-8"))
    return found if isinstance(found, dict) else {}


def steps_completed() -> int:
    """How far the latest checkpoint says that it is; 0 without any, or when it does not say."""
    found = latest()
    value = metadata(found).get(STEPS, 0) if found is not None else 0
    return int(value) if isinstance(value, (int, float)) else 0
