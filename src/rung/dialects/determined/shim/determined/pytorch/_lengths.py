"""How far to train, in batches, and how far that is in the unit that the study counts in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from determined._study import Study

TIME_METRICS = {"batch": "batches", "batches": "batches", "epoch": "epochs", "epochs": "epochs", "records": "records"}


class Lengths:
    """The study's unit in batches: `told` is how far the trial may run, in the unit; None: nobody says.

    A length in records is `length // batch_size` batches, at least one, so that a trial is at a length it was told when
    it has trained these: the length counts as reached, though it may have seen a few records less.
    """

    def __init__(self, study: Study, epoch_batches: int, batch_size: int) -> None:
        self.told = study.told
        self.levels = sorted(study.levels)
        self._unit = self._unit_of(study)
        self._study = study
        self._epoch, self._size = epoch_batches, batch_size

    @staticmethod
    def _unit_of(study: Study) -> str | None:
        """What the resource counts; None for a time metric of the program's own, of which nothing follows."""
        if study.time_metric is not None:
            return TIME_METRICS.get(study.time_metric)
        return study.units or "batches"

    @property
    def known(self) -> bool:
        """Whether the unit can be said in batches."""
        return self._unit is not None

    def batches(self, length: float) -> int:
        """How many batches a trial has trained that is at this length."""
        study = self._study
        if self._unit == "records":
            found = length // self._size
        elif self._unit == "epochs" and study.era == "0.13" and study.records_per_epoch:
            found = length * study.records_per_epoch // self._size
        elif self._unit == "epochs":
            found = length * self._epoch
        elif self._unit == "steps":
            found = length * study.batches_per_step
        else:
            found = length
        return max(int(found), 1)

    def place(self, batches: int) -> float:
        """How far a trial is that has trained so many batches: never short of a length that it was to train to."""
        if self.told is not None and batches >= self.batches(self.told):
            return self.told
        passed = [level for level in self.levels if self.batches(level) <= batches]
        return max([self._natural(batches), *passed])

    def _natural(self, batches: int) -> float:
        study = self._study
        if self._unit == "records":
            return batches * self._size
        if self._unit == "epochs" and study.era == "0.13" and study.records_per_epoch:
            return batches * self._size / study.records_per_epoch
        if self._unit == "epochs":
            return batches / self._epoch
        if self._unit == "steps":
            return batches / study.batches_per_step
        return batches

    def target(self) -> int | None:
        """The batch to train to; None: nobody says."""
        return self.batches(self.told) if self.told is not None and self.known else None

    def rungs(self) -> list[int]:
        """The batches at which a validation is looked at, before the last."""
        return [self.batches(level) for level in self.levels] if self.known else []
