"""The loop of training: which batch is next, when to validate, to save, to report, and to stop.

At a place where several things are due the order is: train the batch, report its stretch of training, validate, save
the checkpoint, write the report, which commits it. So a trial that goes on from a checkpoint trains the batch after the
last one that any report knew of, with everything as it was then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from determined import _storage, _study
from determined.pytorch import _load
from determined.pytorch._batches import Worker, averaged
from determined.pytorch._data import DataLoader
from determined.pytorch._lengths import Lengths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from determined.pytorch._context import PyTorchTrialContext
    from determined.pytorch._units import TrainUnit

POLICIES = ("best", "all", "none")


class Plan(NamedTuple):
    """When what is done. Periods and `max_length` may be None: then only where a trial is looked at, and no length."""

    validation_period: TrainUnit | None = None
    checkpoint_period: TrainUnit | None = None
    reporting_period: TrainUnit | None = None
    max_length: TrainUnit | None = None
    checkpoint_policy: str = "best"
    step_zero_validation: bool = False
    test_mode: bool = False
    own_length: bool = True  # `max_length` counts beside what the study says; else the study's alone


class Controller:
    """One process of a trial, from its checkpoint to where it is looked at next."""

    def __init__(self, trial: Any, context: PyTorchTrialContext, plan: Plan) -> None:
        if plan.checkpoint_policy not in POLICIES:
            raise ValueError(f"checkpoint_policy must be one of {', '.join(POLICIES)}, got {plan.checkpoint_policy!r}")
        self.study = _study.current()
        self.context, self.plan = context, plan
        self.worker = Worker(trial, context)
        self.training = self._checked(trial.build_training_data_loader(), "training")
        self.validation = self._checked(trial.build_validation_data_loader(), "validation")
        self.epoch = len(self.training)
        if self.epoch == 0:
            raise ValueError("the training data loader has no batches: is the data set smaller than one batch?")
        context._epoch_batches = self.epoch
        self.size = self._batch_size()
        self.lengths = Lengths(self.study, self.epoch, self.size) if self.study is not None else None
        self.target = self._target()
        self.rungs = frozenset(self.lengths.rungs()) if self.lengths is not None else frozenset()
        self.batches = 0
        self.best: float | None = None
        self.stretch: list[dict[str, Any]] = []  # the metrics of each batch since the report before
        self.saved_at = -1

    # ------------------------------------------------------------------------------------------------------ the set-up

    def _checked(self, loader: Any, what: str) -> Any:
        """The loader. Raises `TypeError` for one from which no batch can be found again."""
        if isinstance(loader, DataLoader):
            return loader
        if isinstance(loader, torch.utils.data.DataLoader):
            if not self.context._reproducible or what == "validation":
                return loader
            raise TypeError(
                "build_training_data_loader() returned torch's DataLoader, of which no trial could go on in the middle "
                "of an epoch: return det.pytorch.DataLoader with the same arguments, or call "
                "context.experimental.disable_dataset_reproducibility_checks() first"
            )
        raise TypeError(f"the {what} data loader must be a det.pytorch.DataLoader, got {type(loader).__name__}")

    def _batch_size(self) -> int:
        hparams = self.context._hparams or {}
        found = hparams.get("global_batch_size") or getattr(self.training, "batch_size", None)
        return int(found) if isinstance(found, (int, float)) and found >= 1 else 1

    def _target(self) -> int:
        """The batch to train to. Raises `ValueError` when neither the study nor the program says one."""
        if self.plan.test_mode:
            return 1
        own = self.plan.max_length.batches(self.epoch, self.size) if self.plan.max_length is not None else None
        told = self.lengths.target() if self.lengths is not None else None
        if told is not None:
            return min(told, own) if own is not None and self.plan.own_length else told
        if own is None:
            raise ValueError(
                "nobody says how long to train: set `searcher.max_length` in the configuration, or pass "
                "Trainer.fit(max_length=...)"
            )
        return own

    def _every(self, period: TrainUnit | None) -> int | None:
        return period.batches(self.epoch, self.size) if period is not None else None

    # -------------------------------------------------------------------------------------------------------- the loop

    def run(self, latest: str | None) -> None:
        """The trial is at its target, or was asked to end, or wants to: all that it reported is written, and its
        checkpoint saved. `latest`: the checkpoint to go on from."""
        if self.study is not None:
            _study.watch_for_the_end()
        states = self._restore(latest)
        source = self._source()
        if states is not None:  # making an iterator draws random numbers
            _load.set_random_states(states)
        self.worker.call("on_trial_startup", self.batches, latest)
        try:
            self._run(source)
        finally:
            self.worker.call("on_trial_shutdown")
            _study.reports.flush()

    def _restore(self, latest: str | None) -> dict[str, Any] | None:
        """The states of the random numbers in the checkpoint, all else of which is loaded; None without one."""
        checkpoint = _load.read(_storage.folder(latest)) if latest is not None else None
        self.worker.call("on_checkpoint_load_start", checkpoint)
        if checkpoint is None:
            return None
        _load.restore(checkpoint, self.context, self.worker.callbacks)
        self.batches, self.best = checkpoint["batches"], checkpoint["best"]
        self.saved_at = self.batches
        states: dict[str, Any] = checkpoint[_load.RNG]
        return states

    def _source(self) -> Iterator[Any]:
        """The batches that come next."""
        if isinstance(self.training, DataLoader):
            return self.training.endless(self.context.get_trial_seed(), self.batches)
        return _skipping(self.training, self.batches)

    def _run(self, source: Iterator[Any]) -> None:
        if self.plan.step_zero_validation and self.batches == 0:
            self._validate()
        self.worker.training()
        self.worker.call("on_training_start")
        self.context._reducers.reset(training=True)
        if self.batches >= self.target:  # what it is to be judged at was trained already
            self._stand_still()
            return
        if self.batches % self.epoch:
            self.worker.call("on_training_epoch_start", self.batches // self.epoch)
        while not self._step(source):
            pass

    def _stand_still(self) -> None:
        """The trial is where it was to come to: it is validated there, and saved."""
        self._validate(save=True)

    def _step(self, source: Iterator[Any]) -> bool:
        """One more batch was trained, and what is due after it was done; returns whether that was all."""
        self._train(next(source))
        asked = self.study is not None and _study.asked_to_end()
        last = self.batches >= self.target or self.context.get_stop_requested()
        validate = last or self._due(self.plan.validation_period) or self.batches in self.rungs
        save = last or asked or self._due(self.plan.checkpoint_period)
        if validate or save or self._due(self.plan.reporting_period):
            self._report_stretch()
        if validate:
            last = self._validate(save=save) or last
        elif save:
            self._save()
            _study.reports.commit()
        return last or asked

    def _due(self, period: TrainUnit | None) -> bool:
        every = self._every(period)
        return every is not None and self.batches % every == 0

    def _train(self, batch: Any) -> None:
        index, context = self.batches, self.context
        epoch = index // self.epoch
        context._batch_index = index
        if index % self.epoch == 0:
            self.worker.call("on_training_epoch_start", epoch)
        self.stretch.append(self.worker.train(batch, epoch, index))
        self.batches = index + 1
        for scheduler in context.lr_schedulers:
            scheduler.after_batch(self.batches, self.epoch)
        if self.batches % self.epoch == 0:
            self.worker.call("on_training_epoch_end", epoch)

    # ------------------------------------------------------------------------------------------- reporting and saving

    def _place(self, metrics: dict[str, Any]) -> float | None:
        """How far the trial is, in the study's unit; None where only a validation's time metric says it."""
        if self.lengths is None or self.study is None or self.study.resource is None:
            return self.batches
        if self.lengths.known:
            return self.lengths.place(self.batches)
        time = _study.plain(metrics.get(self.study.time_metric or ""))
        return None if time is None else float(time)

    def _report_stretch(self) -> None:
        """The averages since the report before are part of the next one."""
        metrics = {**averaged(self.stretch), **self.context._reducers.metrics(training=True)}
        self.worker.call("on_training_workload_end", metrics, self.stretch)
        place = self._place(metrics)
        if place is None:
            return  # they go with the next validation
        self.stretch = []
        self.context._reducers.reset(training=True)
        if self.study is not None:
            _study.reports.add(place, metrics, prefix="training.")
        else:
            _study.say(f"batch {self.batches}: training {_shown(metrics)}")

    def _validate(self, *, save: bool = False) -> bool:
        """A validation was reported, with the checkpoint of this place if one is wanted; returns whether the trial has
        come to the end by its own time metric."""
        states = _load.random_states()
        metrics = self.worker.validate(self.validation)
        _load.set_random_states(states)  # so that it makes no difference to training how often a trial is validated
        self.context._reducers.reset(training=True)  # one that counts for both has counted the validation
        better = self._judged(metrics)
        policy = self.plan.checkpoint_policy
        if save or (self.batches > 0 and (policy == "all" or (policy == "best" and better))):
            self._save(metrics)
        if self.study is None:
            _study.say(f"batch {self.batches}: validation {_shown(metrics)}")
            return False
        if self.study.time_metric is not None:
            metrics = {"batches": self.batches, "epochs": self.batches / self.epoch, **metrics}
        place = self._place(metrics)
        if place is None:
            raise RuntimeError(f"error parsing searcher time metric ({self.study.time_metric}) in validation metrics")
        _study.reports.add(place, metrics, final=True)
        if self.lengths is not None and not self.lengths.known and self.stretch:
            _study.reports.add(place, averaged(self.stretch), prefix="training.")
            self.stretch = []
        _study.reports.flush()
        told = self.study.told
        return told is not None and place >= told

    def _judged(self, metrics: dict[str, Any]) -> bool:
        """Whether this validation is the trial's best. Raises `RuntimeError` where it says nothing to the searcher."""
        if self.study is None:
            return True
        value = _study.plain(metrics.get(self.study.metric))
        if value is None:
            found = ", ".join(sorted(metrics)) or "none"
            raise RuntimeError(
                f"the searcher's metric {self.study.metric!r} is not among the validation metrics ({found}): name one "
                "of them as `searcher.metric`, or return it"
            )
        better = self.best is None or (value < self.best if self.study.smaller_is_better else value > self.best)
        if better:
            self.best = value
        return better

    def _save(self, metrics: dict[str, Any] | None = None) -> None:
        """The checkpoint of this place is in the working copy; the next report commits it."""
        if self.saved_at == self.batches and metrics is None:
            return
        state = _load.gathered(self.context, self.worker.callbacks)
        state |= {"batches": self.batches, "best": self.best}
        self.worker.call("on_checkpoint_save_start", state)
        making = _storage.Making()
        try:
            torch.save(state, making.path / _load.FILE)
            self.worker.call("on_checkpoint_end", str(making.path))
            self.worker.call("on_checkpoint_write_end", str(making.path))
            place = self._place(metrics or {})
            metadata = {_storage.STEPS: self.batches, "trial_type": "PyTorchTrial"}
            making.complete(metadata, _study.reports.here if place is None else place)
        except BaseException:
            making.abandon()
            raise
        self.saved_at = self.batches
        self.worker.call("on_checkpoint_upload_end", making.storage_id)


def _skipping(loader: Any, skip: int) -> Iterator[Any]:
    """The batches of a loader of torch's, again and again, those before a place read and left out."""
    seen = 0
    while True:
        for batch in loader:
            seen += 1
            if seen > skip:
                yield batch


def _shown(metrics: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in metrics.items())
