"""Trials as programs on this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ..backend.trial_backend import TrialBackend


class LocalBackend(TrialBackend):
    """Runs the script `entry_point` as a process for each trial.

    `binary`: what runs it, instead of this Python. `gpus_to_use`: numbers of the devices that trials may have.
    """

    def __init__(
        self,
        entry_point: str,
        delete_checkpoints: bool = False,
        pass_args_as_json: bool = False,
        rotate_gpus: bool = True,
        num_gpus_per_trial: int = 1,
        gpus_to_use: list[int] | None = None,
        binary: str | None = None,
    ) -> None:
        """Raises `FileNotFoundError` where there is no such script."""
        super().__init__(delete_checkpoints, pass_args_as_json)
        path = Path(entry_point)
        if not path.is_file():
            raise FileNotFoundError(f"the script of the trials does not exist: {path.absolute()}")
        self.entry_point = str(path.absolute())
        self.rotate_gpus, self.num_gpus_per_trial, self.gpus_to_use = rotate_gpus, num_gpus_per_trial, gpus_to_use
        self.binary = binary

    def entrypoint_path(self) -> Path:
        """The script."""
        return Path(self.entry_point)

    def program(self) -> dict[str, Any]:
        """How a trial is started."""
        return {"script": self.entry_point, "python": self.binary or sys.executable, "json": self.pass_args_as_json}
