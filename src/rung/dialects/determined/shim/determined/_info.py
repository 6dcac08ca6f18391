"""What a program may know about where it runs: `det.get_cluster_info()`."""

from __future__ import annotations

import os
from typing import Any

from determined import _storage, _study
from rung.inside import session


class TrialInfo:
    """The trial. `trial_id` is its number in the study (from 0), `trial_seed` the same in each of its attempts,
    `hparams` its hyperparameters, nested as in the configuration."""

    def __init__(self, study: _study.Study) -> None:
        self.trial_id = session.trial.number or 0
        self.experiment_id = study.experiment_id
        self.trial_seed = seed()
        self.hparams = study.hparams
        self._config = study.config
        self._trial_run_id = session.trial.attempt or 1
        self._steps_completed = _storage.steps_completed()
        self._debug = bool(study.config.get("debug", False))
        self._inter_node_network_interface: str | None = None


class ClusterInfo:
    """Where the program runs. There is no cluster: addresses are those of this machine, and `master_url` is empty."""

    def __init__(self, study: _study.Study) -> None:
        self.master_url = ""
        self.cluster_id = "rung"
        self.agent_id = os.uname().nodename
        self.session_token = ""
        self.task_type = "TRIAL"
        self.task_id = f"{session.trial.study}.{session.trial.number}"
        self.allocation_id = f"{self.task_id}.{session.trial.attempt}"
        self.session_id = self.allocation_id
        self.slot_ids = [int(slot) for slot in _devices() if slot.isdigit()]
        self.gpu_uuids = _devices()
        self.container_addrs = ["127.0.0.1"]
        self.container_rank = 0
        self.container_slot_counts = [max(len(self.slot_ids), 1)]
        self.latest_checkpoint = _storage.latest()
        self.user_data: dict[str, Any] = study.config.get("data") or {}
        self._trial = TrialInfo(study)

    @property
    def trial(self) -> TrialInfo:
        """The trial that this program is."""
        return self._trial


def _devices() -> list[str]:
    return [text.strip() for text in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if text.strip()]


def seed() -> int:
    """The trial's seed, in [0, 2^31)."""
    return (session.trial.seed or 0) % 2**31


_found: list[ClusterInfo] = []


def get_cluster_info() -> ClusterInfo | None:
    """What is known of the trial that this program is; None outside a study, where programs train locally."""
    study = _study.current()
    if study is None:
        return None
    if not _found:
        _found.append(ClusterInfo(study))
    return _found[0]
