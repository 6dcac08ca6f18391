"""Early removal of checkpoints: Rung keeps only those that a trial may still need in any case."""

from __future__ import annotations

from typing import Any

from ..tuner_callback import TunerCallback


class HyperbandRemoveCheckpointsCallback(TunerCallback):
    """Accepted, and does nothing: see `rung checkpoint` and the section `checkpoint` of a study file."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()
