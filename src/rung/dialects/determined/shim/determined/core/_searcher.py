"""How far to train: `for op in core_context.searcher.operations()`."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

from determined import _study

if TYPE_CHECKING:
    from collections.abc import Iterator


class Unit(enum.Enum):
    """What a length counts."""

    EPOCHS = "EPOCHS"
    RECORDS = "RECORDS"
    BATCHES = "BATCHES"


class SearcherMode(enum.Enum):
    """Who asks for operations, where several processes train; there is one here."""

    WorkersAskChief = "WORKERS_ASK_CHIEF"
    ChiefOnly = "CHIEF_ONLY"


class SearcherOperation:
    """Train up to `length` in all, validate, and say the searcher's metric by `report_completed`."""

    def __init__(self, length: int, study: _study.Study | None) -> None:
        self._length = length
        self._study = study
        self._completed = False

    @property
    def length(self) -> int:
        """How far the trial is to be, from its beginning, in the unit of the configuration."""
        return self._length

    def report_progress(self, length: float) -> None:
        """The trial is so far: what is reported next is reported of there. Raises `RuntimeError` once completed."""
        if self._completed and length != self._length:
            raise RuntimeError("the operation is completed: report_progress() comes before report_completed()")
        if self._study is not None:
            progress.reach(min(length, self._length))

    def report_completed(self, searcher_metric: Any) -> None:
        """The searcher's metric at `length`. Raises `RuntimeError` for a second time or what is no number."""
        if self._completed:
            raise RuntimeError("the operation is completed already: report_completed() is called once for each")
        self._completed = True
        if self._study is None:
            _study.say(f"completed length {self._length}: {searcher_metric}")
            return
        number = _study.plain(searcher_metric)
        if number is None:
            raise RuntimeError(f"report_completed() takes one number, got {searcher_metric!r:.60}")
        progress.reach(self._length)
        _study.reports.add(self._length, {self._study.metric: number}, final=True)


class Progress:
    """How far the trial is while it works on an operation whose unit is not its steps: as it says itself.

    Programs report metrics before they report their progress, or after it. Of a place that was said one number of steps
    is reported; metrics of other steps wait until the next place is said.
    """

    def __init__(self) -> None:
        self.operation: SearcherOperation | None = None
        self._place: float | None = None
        self._steps: int | None = None  # those that were reported of that place
        self._held: list[tuple[int, dict[str, Any], str]] = []

    def begin(self, operation: SearcherOperation) -> None:
        """The trial works on this operation from now on."""
        self.operation = operation

    def end(self) -> None:
        """The trial works on no operation any more."""
        self.operation = None

    def place(self, steps: int) -> float | None:
        """Where metrics of these steps belong; None: that is still to be said."""
        if self._place is not None and self._steps in {None, steps}:
            self._steps = steps
            return self._place
        return None

    def hold(self, steps: int, metrics: dict[str, Any], prefix: str) -> None:
        """The metrics wait until somebody says where they belong."""
        self._held.append((steps, metrics, prefix))

    def reach(self, place: float) -> None:
        """The trial is at this place, and so is what was held."""
        if place != self._place:
            self._place, self._steps = place, None
        held, self._held = self._held, []
        for steps, metrics, prefix in held:
            self._steps = steps
            _study.reports.add(place, metrics, prefix=prefix)


progress = Progress()


class SearcherContext:
    """Yields the operations of this trial, up to where the schedule lets it run."""

    def operations(
        self,
        searcher_mode: SearcherMode = SearcherMode.WorkersAskChief,
        auto_ack: bool = True,
    ) -> Iterator[SearcherOperation]:
        """One operation for each rung that the trial has not passed, the last one where it is looked at again.

        Outside a study: one of length 1. Raises `RuntimeError` when the body of the loop did not complete its
        operation, or when no length is configured.
        """
        SearcherMode(searcher_mode)
        study = _study.current()
        for length in _lengths(study):
            if study is not None and _study.asked_to_end():
                return
            operation = SearcherOperation(length, study)
            progress.begin(operation)
            yield operation
            if not operation._completed:
                raise RuntimeError("op.report_completed() must be called on each operation of searcher.operations()")
            if length != _last(study):
                _study.reports.flush()  # the last one waits for a checkpoint: what is saved first is kept with it
        progress.end()

    def acknowledge_out_of_ops(self) -> None:
        """Nothing waits for it."""

    def get_configured_units(self) -> Unit | None:
        """What the configured length counts; None when it has no unit."""
        study = _study.current()
        units = (study.units or "").upper() if study is not None else ""
        return Unit[units] if units in Unit.__members__ else None


def _lengths(study: _study.Study | None) -> list[int]:
    if study is None:
        return [1]
    last = _last(study)
    reached = _reached(study)
    passed = [int(level) for level in study.levels if reached < level < last]
    return [*passed, last]


def _reached(study: _study.Study) -> float:
    """The rung that the trial is known to have passed: what its checkpoint says, where that counts the same."""
    from determined import _storage  # only here

    return _storage.steps_completed() if study.resource in {"batches", "length", None} else 0


def _last(study: _study.Study | None) -> int:
    told = study.told if study is not None else 1
    if told is None:
        raise RuntimeError("searcher.operations() needs a length: set `searcher.max_length` in the configuration")
    return int(told)


def place_of(steps_completed: int) -> float | None:
    """How far a trial is in the resource when it says that it has completed so many steps; None: nobody can say yet.

    A step is a batch. While a trial works on an operation in another unit, its own word on its progress counts; where
    a length has no unit, steps are taken for that unit as long as they are not beyond the operation's length.
    """
    study = _study.current()
    if study is None or study.resource in {None, "batches"}:
        return steps_completed
    if progress.operation is None:
        return steps_completed if study.units is None else _of_batches(study, steps_completed)
    if study.units is None and steps_completed <= progress.operation.length:
        return steps_completed
    return progress.place(steps_completed)


def _of_batches(study: _study.Study, batches: int) -> float:
    """Batches in the study's unit, where a program that asks for no operations says nothing else."""
    records = batches * int(study.hparams.get("global_batch_size", 0))
    if study.units == "records" and records:
        return records
    if study.units == "epochs" and records and study.records_per_epoch:
        return records / study.records_per_epoch
    if study.units == "steps":
        return batches / study.batches_per_step
    return batches
