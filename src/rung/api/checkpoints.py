"""The checkpoints of a study: which are kept, and copies of the best ones with what they are worth beside them."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from rung.analysis.ranking import losses, ranked
from rung.api.places import runs_directory
from rung.inside.wire import to_wire
from rung.model import BadInput
from rung.runner.checkpoints import Gone, bring, snapshot_directory
from rung.study.transitions import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.api.handle import Handle
    from rung.study.live import Saved
    from rung.study.state import State

CHECKPOINT, PARAMETERS, METRICS = "checkpoint", "params.json", "metrics.json"


class Exported(msgspec.Struct, frozen=True):
    """The folders that were made, best trial first, and why others could not be."""

    folders: list[Path]
    lost: list[str]


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint that is kept: where it lies, and the metrics of the report that named it. `best`, `latest`: among
    those of its trial."""

    trial: int
    state: str
    step: float
    attempt: int
    values: dict[str, float]
    bytes: int
    folder: str
    best: bool
    latest: bool


def kept(handle: Handle, trials: Sequence[int] = ()) -> Iterator[Kept]:
    """The checkpoints of these trials, of all that have any without them: by trial, oldest first."""
    state, runs = handle.state, runs_directory(handle)
    for trial in sorted(set(trials) or state.shelf.saved):
        record, saved = handle.trial(trial), state.shelf.saved.get(trial, [])
        for one in saved:
            yield Kept(
                trial=trial,
                state=record.state,
                step=one.checkpoint.step,
                attempt=one.checkpoint.attempt,
                values=one.values,
                bytes=one.checkpoint.bytes,
                folder=str(_folder(runs, handle.name, trial, one)),
                best=one is best_of(saved),
                latest=one is saved[-1],
            )


def best_of(saved: Sequence[Saved]) -> Saved:
    """The best of a trial's checkpoints by the first objective; the latest where no report said how good it is."""
    valued = [one for one in saved if not math.isnan(one.loss)]
    return min(valued, key=lambda one: (one.loss, -one.place)) if valued else saved[-1]


def by_rank(state: State) -> list[int]:
    """All trials with a value, best first: complete ones, then those that were ended early."""
    pruned = np.flatnonzero(state.table["phase"] == Phase.PRUNED)
    order = np.argsort(losses(state, pruned)[:, 0], kind="stable")
    return list(dict.fromkeys([*ranked(state), *(int(number) for number in pruned[order])]))


def export(handle: Handle, target: Path, *, top: int) -> Exported:
    """The best checkpoint of each of the `top` best trials that have one is in a folder of its own below `target`.

    The folder is named by the trial: `checkpoint/` as the program wrote it, `params.json`, and `metrics.json` with what
    was reported there.

    One that cannot be copied does not keep the others back. Raises `BadInput` when there is no checkpoint, or a folder
    is in the way.
    """
    chosen = [number for number in by_rank(handle.state) if number in handle.state.shelf.saved][:top]
    if not chosen:
        raise BadInput(
            f"study {handle.name} has no checkpoint of a trial with a value: save to rung.checkpoint_dir(), then report"
        )
    folders = [target / f"{number:05d}" for number in chosen]
    for folder in folders:
        if folder.exists():
            raise BadInput(f"{folder} is there already: name another folder with --to, or remove it")
    lost = {folder: _export(handle, number, folder) for number, folder in zip(chosen, folders, strict=True)}
    return Exported([folder for folder in folders if lost[folder] is None], [text for text in lost.values() if text])


def _export(handle: Handle, number: int, folder: Path) -> str | None:
    """The folder is whole, or a text that says why it cannot be made."""
    saved = best_of(handle.state.shelf.saved[number])
    source = _folder(runs_directory(handle), handle.name, number, saved)
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        bring(source, partial / CHECKPOINT, size=saved.checkpoint.bytes, to_attempt=False)
        _write(partial / PARAMETERS, handle.state.trial(number).params)
        _write(partial / METRICS, _metrics(handle, number, saved))
        partial.rename(folder)
    except (Gone, OSError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        return f"the checkpoint of trial {number} cannot be copied: {error}"
    return None


def _metrics(handle: Handle, number: int, saved: Saved) -> dict[str, object]:
    record = handle.state.trial(number)
    return {
        "study": handle.name,
        "trial": number,
        "state": record.state,
        "step": saved.checkpoint.step,
        "metrics": saved.values,
        "value": record.value,
        "attempt": saved.checkpoint.attempt,
    }


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(to_wire(value), indent=2, allow_nan=False) + "\n")


def _folder(runs: Path, study: str, trial: int, saved: Saved) -> Path:
    return snapshot_directory(runs, study, trial=trial, attempt=saved.checkpoint.attempt, name=saved.checkpoint.name)
