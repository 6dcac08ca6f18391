"""A trial that imports the stand-in for Determined within this process, and what it reported."""

from __future__ import annotations

import importlib
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rung.dialects.shims import shim_path

SAID: dict[str, Any] = {
    "hparams": {}, "config": {}, "entrypoint": "model_def:MyTrial", "era": "0.15", "metric": "loss",
    "smaller_is_better": True, "resource": "batches", "units": "batches", "length": 8, "time_metric": None,
    "batches_per_step": 100, "records_per_epoch": 0, "scheduling_unit": 100, "slots_per_trial": 1, "levels": [],
    "experiment_id": 1,
}  # fmt: skip


def _ours(name: str) -> bool:
    return name == "determined" or name.startswith("determined.")


def _forget() -> None:
    for name in [name for name in sys.modules if _ours(name)]:
        del sys.modules[name]
    sys.meta_path[:] = [finder for finder in sys.meta_path if not _ours(type(finder).__module__)]


class Trial:
    """One trial, in a folder of its own; each `attempt` imports the stand-in anew, as a process of its own would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.attempts = 0

    @contextmanager
    def attempt(self, told: float | None = None, **said: Any) -> Iterator[Any]:
        """The module `determined`, imported by an attempt that may run up to `told`; `said` is what its launcher wrote.
        A later attempt begins with the working copy of the one before."""
        self.attempts += 1
        directory = self.folder / str(self.attempts)
        directory.mkdir()
        before = self.folder / str(self.attempts - 1) / "checkpoint"
        if before.exists():
            before.rename(directory / "checkpoint")
        (directory / "determined.json").write_text(json.dumps({**SAID, **said}))
        variables = {
            "RUNG_TRIAL_DIR": str(directory), "RUNG_DETERMINED": str(directory / "determined.json"),
            "RUNG_TRIAL": "3", "RUNG_STUDY": "digits-1", "RUNG_SEED": "17", "RUNG_ATTEMPT": str(self.attempts),
            "RUNG_RESOURCE": "" if told is None else str(told),
            "RUNG_RESOURCE_NAME": said.get("resource", SAID["resource"]) or "",
        }  # fmt: skip
        with standing_in(variables) as det:
            yield det

    def reports(self, attempt: int | None = None) -> list[dict[str, Any]]:
        """What an attempt (by default the last) wrote, without the times; `saved` where a line commits a checkpoint."""
        path = self.folder / str(attempt or self.attempts) / "reports.jsonl"
        found = []
        for line in path.read_text().splitlines() if path.exists() else ():
            values = json.loads(line)
            saved = {"saved": True} if values.pop("_checkpoint", None) else {}
            found.append({name: value for name, value in values.items() if not name.startswith("_")} | saved)
        return found

    def ask_to_stop(self) -> None:
        """The runner asked the running attempt to end."""
        (self.folder / str(self.attempts) / "stop").touch()

    def invalid(self) -> str | None:
        """Why the last attempt found its configuration invalid."""
        path = self.folder / str(self.attempts) / "invalid"
        return path.read_text() if path.exists() else None


@contextmanager
def standing_in(variables: dict[str, str]) -> Iterator[Any]:
    """The stand-in's module `determined`, imported with these variables; afterwards it was never there."""
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("RUNG_TRIAL_DIR", "RUNG_DETERMINED", "RUNG_CHECKPOINT_DIR", "RUNG_RESOURCE"):
            patch.delenv(name, raising=False)
        for name, value in variables.items():
            patch.setenv(name, value)
        patch.syspath_prepend(shim_path("determined"))
        _forget()
        try:
            yield importlib.import_module("determined")
        finally:
            study = sys.modules.get("determined._study")
            if study is not None:
                study.reports.flush()
            _forget()
            signal.signal(signal.SIGTERM, handler)
