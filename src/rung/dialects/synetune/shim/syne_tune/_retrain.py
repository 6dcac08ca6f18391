"""One configuration more, after a tuning: a study of its own that holds a single trial."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .backend.trial_status import Trial

if TYPE_CHECKING:
    from .tuner import Tuner


def retrained(tuner: Tuner, config: dict[str, Any], checkpoint_trial_id: int | None) -> Trial:
    """The trial, once it is over, of the study NAME-retrain-N. Raises `RuntimeError` where it failed."""
    from rung.cli import drivers
    from rung.dialects.synetune.domains import to_parameters
    from rung.dialects.synetune.driver import single

    if checkpoint_trial_id is not None:
        raise NotImplementedError(
            "start_trial from a checkpoint is not covered: copy tuner.trial_backend.checkpoint_trial_path(trial_id) "
            "to where your script looks first, and start without"
        )
    parameters = to_parameters({**tuner.scheduler.config_space, **config})
    opened = drivers.opened(single(tuner.experiment.handle.state.spec, parameters), stem=f"{tuner.name}-retrain")
    drivers.worked_on(opened.handle, observe=lambda *_: None, attached=lambda _: None, objective=tuner.objective())
    trial = opened.handle.trial(0)
    if trial.state == "failed":
        raise RuntimeError(f"study {opened.handle.name}: {(trial.error or trial.state).splitlines()[0]}")
    return Trial(0, dict(trial.params))
