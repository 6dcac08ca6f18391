"""Trials as calls of a function, each in a process of its own."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..backend.trial_backend import TrialBackend

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_CHECKPOINTS = "st_checkpoint_dir"


class PythonBackend(TrialBackend):
    """Calls `tune_function(**config)` in a fork of this process for each trial, so whatever it sees here, globals and
    closures too, it sees there. It reports with `Reporter`."""

    def __init__(
        self,
        tune_function: Callable[..., Any],
        config_space: dict[str, Any],
        rotate_gpus: bool = True,
        delete_checkpoints: bool = False,
        num_gpus_per_trial: int = 1,
        gpus_to_use: list[int] | None = None,
    ) -> None:
        super().__init__(delete_checkpoints)
        if not callable(tune_function):
            raise TypeError(f"tune_function: expected a function, got {tune_function!r}")
        self.tune_function, self.config_space = tune_function, config_space
        self.rotate_gpus, self.num_gpus_per_trial, self.gpus_to_use = rotate_gpus, num_gpus_per_trial, gpus_to_use
        self._takes_folder = _CHECKPOINTS in inspect.signature(tune_function).parameters

    def entrypoint_path(self) -> Path:
        """The file that defines the function, as far as it is known."""
        return Path(getattr(getattr(self.tune_function, "__code__", None), "co_filename", "function"))

    @property
    def entrypoint_name(self) -> str:
        """The name of the function."""
        return str(getattr(self.tune_function, "__name__", "function")).strip("<>")

    def call(self, params: Mapping[str, Any]) -> Any:
        """The function has run on a trial's parameters."""
        config = dict(params)
        if self._takes_folder:
            from rung.inside import session

            config[_CHECKPOINTS] = str(session.checkpoint_dir())
        return self.tune_function(**config)
