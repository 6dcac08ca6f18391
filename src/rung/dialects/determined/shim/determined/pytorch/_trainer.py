"""`det.pytorch.init()` and `Trainer`: training a trial from a script of one's own."""

from __future__ import annotations

import contextlib
import random
from typing import TYPE_CHECKING, Any

from determined import _absent, _storage, _study, core
from determined.pytorch import _load
from determined.pytorch._context import PyTorchTrialContext
from determined.pytorch._controller import Controller, Plan
from determined.pytorch._units import Batch, TrainUnit, configured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from determined._study import Study


@contextlib.contextmanager
def init(
    *,
    hparams: dict[str, Any] | None = None,
    exp_conf: dict[str, Any] | None = None,
    distributed: core.DistributedContext | None = None,
    aggregation_frequency: int | None = None,
    enable_tensorboard_logging: bool = True,  # noqa: ARG001 - metrics are reported, not logged to event files
    **_: Any,
) -> Iterator[PyTorchTrialContext]:
    """A context to make a trial with; all random numbers start from the trial's seed.

    Inside a study the hyperparameters and the configuration are the study's, and what is passed stands back.
    """
    study = _study.current()
    if study is not None:
        hparams, exp_conf = study.hparams, study.config
    optimizations = (exp_conf or {}).get("optimizations") or {}
    with core.init(distributed=distributed) as core_context:
        context = PyTorchTrialContext(
            core_context,
            hparams,
            exp_conf,
            trial_seed=None if study is not None else random.randrange(2**31),  # noqa: S311 - no secret
            aggregation_frequency=aggregation_frequency or int(optimizations.get("aggregation_frequency") or 1),
            average_aggregated_gradients=bool(optimizations.get("average_aggregated_gradients", True)),
            slots=study.slots if study is not None else 1,
        )
        _load.seed_all(context.get_trial_seed())
        yield context


class Trainer:
    """Trains a trial: to where the study lets it run, or outside a study as far as `fit` says."""

    def __init__(self, trial: Any, context: PyTorchTrialContext) -> None:
        self._trial, self._context = trial, context

    def configure_profiler(self, **_: Any) -> None:
        """Raises: nothing is profiled."""
        _absent.refuse("pytorch.Trainer.configure_profiler", "use torch.profiler in train_batch")

    def fit(
        self,
        checkpoint_period: TrainUnit | None = None,
        validation_period: TrainUnit | None = None,
        max_length: TrainUnit | None = None,
        reporting_period: TrainUnit | None = None,
        checkpoint_policy: str | None = None,
        latest_checkpoint: str | None = None,
        step_zero_validation: bool | None = None,
        test_mode: bool = False,
        profiling_enabled: bool | None = None,
        **_: Any,
    ) -> None:
        """The trial is trained, validated, and its checkpoints saved.

        Inside a study it goes on from its own checkpoint, up to where the schedule lets it run; `max_length` counts
        where the configuration has no length of its own. Outside, `latest_checkpoint` names where to go on from.

        Raises `ValueError` when nobody says how long to train, `TypeError` for a period that is no `TrainUnit`.
        """
        study = _study.current()
        given = (checkpoint_period, validation_period, max_length, reporting_period)
        for unit in given:
            if unit is not None and not isinstance(unit, TrainUnit):
                raise TypeError(f"a length is a Batch, an Epoch or a Record of det.pytorch, got {unit!r}")
        plan = configured_plan(study) if study is not None else Plan(reporting_period=Batch(100))
        plan = plan._replace(
            checkpoint_period=checkpoint_period or plan.checkpoint_period,
            validation_period=validation_period or plan.validation_period,
            reporting_period=reporting_period or plan.reporting_period,
            max_length=max_length,
            checkpoint_policy=checkpoint_policy or plan.checkpoint_policy,
            step_zero_validation=plan.step_zero_validation if step_zero_validation is None else step_zero_validation,
            test_mode=test_mode and study is None,
            own_length=study is None or study.time_metric is not None,
        )
        if study is not None and max_length is not None and not plan.own_length and study.told is not None:
            _study.say(f"max_length={max_length} stands back: the searcher says how long to train")
        Controller(self._trial, self._context, plan).run(_storage.latest() if study is not None else latest_checkpoint)


def configured_plan(study: Study) -> Plan:
    """When what is done, as the experiment configuration says."""
    config, steps = study.config, study.batches_per_step
    return Plan(
        validation_period=configured(config.get("min_validation_period"), steps),
        checkpoint_period=configured(config.get("min_checkpoint_period"), steps),
        reporting_period=Batch(study.scheduling_unit if study.era != "0.12" else steps),
        checkpoint_policy=str(config.get("checkpoint_policy") or "best"),
        step_zero_validation=bool(config.get("perform_initial_validation", False)),
    )
