"""`det.core.init()`: everything that a script may ask or say."""

from __future__ import annotations

import enum
import logging
import sys
from typing import TYPE_CHECKING, Any

from determined import LOG_FORMAT, _study
from determined._errors import InvalidHP
from determined._info import get_cluster_info
from determined.core._checkpoint import CheckpointContext
from determined.core._distributed import DistributedContext, DummyDistributedContext
from determined.core._preempt import PreemptContext, PreemptMode
from determined.core._searcher import SearcherContext
from determined.core._train import ProfilerContext, TrainContext
from rung.inside import session

if TYPE_CHECKING:
    from types import TracebackType


class TensorboardMode(enum.Enum):
    """Who sends TensorBoard files; they stay where they are."""

    AUTO = "AUTO"
    MANUAL = "MANUAL"


class Context:
    """What `init` gives. Leaving it writes what is still to be reported; `InvalidHP` leaves the program, quietly."""

    def __init__(self, distributed: DistributedContext, preempt_mode: PreemptMode) -> None:
        self.distributed = distributed
        self.checkpoint = CheckpointContext()
        self.preempt = PreemptContext(preempt_mode)
        self.searcher = SearcherContext()
        self.train = TrainContext()
        self.profiler = ProfilerContext()
        self.info = get_cluster_info()

    def __enter__(self) -> Context:  # noqa: PYI034 - Self is not in every Python that runs trials
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, InvalidHP):
            session.invalid(str(error) or "the program raised InvalidHP")
            _study.say(f"InvalidHP: {error}")
            sys.exit(0)
        self.close()

    def close(self) -> None:
        """What is still to be reported is written."""
        _study.reports.flush()

    def alert(self, *_: Any, title: str = "", description: str = "", **__: Any) -> None:
        """The text is in the trial's log: nobody is notified."""
        _study.say(f"alert: {title} {description}".rstrip())


def init(
    *,
    distributed: DistributedContext | None = None,
    checkpoint_storage: Any = None,  # noqa: ARG001 - of the original: where checkpoints are is Rung's
    preempt_mode: PreemptMode = PreemptMode.WorkersAskChief,
    tensorboard_mode: TensorboardMode = TensorboardMode.AUTO,
    **_: Any,
) -> Context:
    """The context of this trial; outside a study one that reports nowhere and keeps checkpoints in a temporary folder.

    Raises `ValueError` for an unknown mode.
    """
    TensorboardMode(tensorboard_mode)
    if not logging.getLogger().handlers:
        logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    return Context(distributed or DummyDistributedContext(), PreemptMode(preempt_mode))
