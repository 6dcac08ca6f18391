"""An experiment configuration as a whole: the keys it may have, what they must hold, and what they are by default."""

from __future__ import annotations

import math
import posixpath
import shlex
from typing import TYPE_CHECKING, Any

from rung.dialects.determined.lengths import read_length
from rung.dialects.determined.searchers import defaults_of, era_of
from rung.model import CheckpointSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rung.dialects.determined.settings import Era
    from rung.dialects.values import Value

NO_SEARCHER = "Missing 'searcher' config section in experiment config."
OUTSIDE = "storage_path must either be a relative directory or a subdirectory of host_path"
BEGINS_LATE = "begin_on_batch must be less than end_after_batch"
BATCHES_PER_STEP = 100
MAX_RESTARTS = 5

IGNORED = (
    "bind_mounts", "tensorboard_storage", "integrations", "data_layer", "internal", "log_policies", "pbs", "slurm",
    "preemption_timeout", "project", "workspace", "profiling", "security", "template", "retention_policy", "debug",
)  # fmt: skip
"""Keys that are known, and say nothing that matters where Rung runs the trials."""
KEYS = (
    "name", "description", "labels", "searcher", "hyperparameters", "entrypoint", "data", "environment", "resources",
    "reproducibility", "max_restarts", "checkpoint_policy", "checkpoint_storage", "min_checkpoint_period",
    "min_validation_period", "perform_initial_validation", "records_per_epoch", "scheduling_unit", "batches_per_step",
    "optimizations", *IGNORED,
)  # fmt: skip
_POLICIES = ("best", "all", "none")
_RESOURCES = (
    "devices", "native_parallel", "shm_size", "slots_per_trial", "slots", "weight", "max_slots", "priority",
    "resource_pool", "is_single_node", "agent_label",
)  # fmt: skip
_ENVIRONMENT = (
    "environment_variables", "force_pull_image", "image", "pod_spec", "ports", "proxy_ports", "registry_auth",
    "add_capabilities", "drop_capabilities",
)  # fmt: skip
_SAVES = {
    "save_experiment_best": "study_best",
    "save_trial_best": "trial_best",
    "save_trial_latest": "trial_latest",
}
_STORAGES = {
    "shared_fs": (
        "host_path", "storage_path", "propagation", "container_path", "checkpoint_path", "tensorboard_path",
    ),
    "s3": ("bucket", "access_key", "secret_key", "endpoint_url", "prefix"),
    "gcs": ("bucket", "prefix"),
    "azure": ("container", "connection_string", "account_url", "credential"),
    "hdfs": ("hdfs_url", "hdfs_path", "user"),
    "directory": ("container_path",),
}  # fmt: skip
_DEFAULTS: dict[str, Any] = {
    "bind_mounts": [],
    "checkpoint_policy": "best",
    "checkpoint_storage": None,
    "data": {},
    "integrations": None,
    "debug": False,
    "description": None,
    "hyperparameters": {},
    "labels": [],
    "max_restarts": MAX_RESTARTS,
    "optimizations": {
        "aggregation_frequency": 1, "auto_tune_tensor_fusion": False, "average_aggregated_gradients": True,
        "average_training_metrics": True, "gradient_compression": False, "grad_updates_size_file": None,
        "mixed_precision": "O0", "tensor_fusion_cycle_time": 1, "tensor_fusion_threshold": 64,
    },
    "pbs": {},
    "perform_initial_validation": False,
    "preemption_timeout": None,
    "profiling": {"enabled": False, "begin_on_batch": 0, "end_after_batch": None, "sync_timings": True},
    "records_per_epoch": 0,
    "reproducibility": {},
    "resources": {
        "devices": [], "native_parallel": False, "shm_size": None, "slots_per_trial": 1, "weight": 1,
        "max_slots": None, "priority": None, "resource_pool": "", "is_single_node": None,
    },
    "slurm": {},
    "workspace": "",
    "project": "",
}  # fmt: skip


def fields_of(root: Value) -> tuple[dict[str, Value], Era]:
    """The keys of the file, all of them known, and the versions that they are of. Raises `BadInput`."""
    tree = root.tree("a mapping with `searcher`, `hyperparameters` and `entrypoint`")
    if tree.get("searcher") is None:
        raise root.error(NO_SEARCHER)
    fields = root.fields(KEYS, "an experiment configuration")
    searcher = fields["searcher"].tree("a mapping with `name` and `metric`")
    return fields, era_of(searcher, steps=_counts_steps(tree, searcher))


def _counts_steps(tree: Mapping[str, Any], searcher: Mapping[str, Any]) -> bool:
    """Whether anything speaks of steps, which only the first versions did."""
    if any(searcher.get(key) is not None for key in ("max_length", "max_time", "time_metric", "length_per_round")):
        return False
    periods = (tree.get("min_validation_period"), tree.get("min_checkpoint_period"))
    return tree.get("batches_per_step") is not None or any(isinstance(period, int) for period in periods)


def defaulted(tree: Mapping[str, Any], era: Era) -> dict[str, Any]:
    """The configuration with what its versions take for granted."""
    found = _filled(_DEFAULTS, tree)
    period: Any = 0 if era == "0.12" else {"batches": 0}
    found = {"min_validation_period": period, "min_checkpoint_period": period} | found
    found = {("batches_per_step" if era == "0.12" else "scheduling_unit"): BATCHES_PER_STEP} | found
    searcher = tree.get("searcher")
    if isinstance(searcher, dict):
        name = searcher.get("name")
        found["searcher"] = _filled(defaults_of(name if isinstance(name, str) else "", era), searcher)
    return found


def _filled(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given, and the defaults of what is not, group by group; null is as good as absent."""
    found = {**defaults, **{key: value for key, value in given.items() if value is not None or key not in defaults}}
    for key, default in defaults.items():
        if default and isinstance(default, dict) and isinstance(given.get(key), dict):
            found[key] = _filled(default, given[key])
    return found


def check_values(value: Value) -> None:
    """Everything in the configuration can be kept as JSON. Raises `BadInput`."""
    held = value.value
    if isinstance(held, float) and not math.isfinite(held):
        value.expected("a finite number; write it as text")
    if isinstance(held, int) and not isinstance(held, bool) and held.bit_length() > 63:
        value.expected("a number of at most 63 bits")
    if isinstance(held, dict | list):
        for key in held if isinstance(held, dict) else range(len(held)):
            check_values(value.child(key))


# --------------------------------------------------------------------------------------------------- single sections


def entrypoint(fields: Mapping[str, Value]) -> str | tuple[str, ...] | None:
    """The program: shell-like text, `module:Class`, or a list of words; None where the file names none."""
    if "entrypoint" not in fields:
        return None
    value, what = fields["entrypoint"], "a command, model_def:Trial, or a list of words"
    if isinstance(value.value, list):
        words = value.elements(what)
        if not words:
            value.expected(what)
        return tuple(word.without_nul() if isinstance(word.value, str) else word.text() for word in words)
    text = value.text(what)
    try:
        words_of_text = shlex.split(text)
    except ValueError as error:
        raise value.error(f"cannot be split into words: {error}; close the quotes, or give a list") from None
    if not words_of_text:
        value.expected(what)
    return text


def check_sections(fields: Mapping[str, Value], era: Era) -> None:
    """The sections that say nothing about the search hold what they may hold. Raises `BadInput`."""
    for key in ("data", "integrations"):
        if key in fields:
            fields[key].tree()
    if "labels" in fields:
        for label in fields["labels"].elements("a list of words"):
            label.text()
    if "checkpoint_policy" in fields:
        fields["checkpoint_policy"].word(_POLICIES, "checkpoint policy")
    for key in ("min_validation_period", "min_checkpoint_period"):
        if key in fields:
            _period(fields[key], era)
    if "profiling" in fields:
        check_profiling(fields["profiling"])
    if "resources" in fields:
        fields["resources"].fields(_RESOURCES)
    if "batches_per_step" in fields and era != "0.12":
        raise fields["batches_per_step"].error("is of the versions that count in steps; write scheduling_unit")


def _period(value: Value, era: Era) -> None:
    if era == "0.12":
        value.whole(0)
    else:
        read_length(value, least=0, bare=False)


def check_profiling(value: Value) -> None:
    """The section says when profiling begins and ends, in this order. Raises `BadInput`."""
    found = value.fields(("enabled", "begin_on_batch", "end_after_batch", "sync_timings"))
    ends = [found[key].whole(0) for key in ("begin_on_batch", "end_after_batch") if key in found]
    if len(ends) == 2 and ends[0] > ends[1]:
        raise value.error(BEGINS_LATE)


def whole(fields: Mapping[str, Value], name: str, default: int, *, least: int = 0) -> int:
    """A whole number of the top level."""
    return fields[name].whole(least) if name in fields else default


def checkpoints(fields: Mapping[str, Value]) -> CheckpointSpec:
    """Which checkpoints are kept. Where they are kept is Rung's matter. Raises `BadInput`."""
    if "checkpoint_storage" not in fields:
        return CheckpointSpec()
    value = fields["checkpoint_storage"]
    if isinstance(value.value, dict) and value.value.get("type") is not None:
        kind = value.child("type").word(tuple(_STORAGES), "type of storage")
        found = value.fields(("type", *_SAVES, *_STORAGES[kind]))
        if kind == "shared_fs":
            _check_below(value, found)
    else:
        found = value.fields((*_SAVES, *(key for keys in _STORAGES.values() for key in keys)))
    kept: dict[str, Any] = {ours: found[theirs].whole(0) for theirs, ours in _SAVES.items() if theirs in found}
    return CheckpointSpec(**kept)


def _check_below(value: Value, found: Mapping[str, Value]) -> None:
    if "host_path" not in found:
        raise value.error("missing; give the folder", "host_path")
    host = posixpath.normpath(found["host_path"].text("a folder"))
    if "storage_path" in found:
        path = posixpath.normpath(posixpath.join(host, found["storage_path"].text("a folder")))
        if path != host and not path.startswith(host.rstrip("/") + "/"):
            raise value.error(OUTSIDE)


def experiment_seed(fields: Mapping[str, Value]) -> int | None:
    """The seed; None: one is drawn."""
    if "reproducibility" not in fields:
        return None
    found = fields["reproducibility"].fields(("experiment_seed",))
    return found["experiment_seed"].whole(0) if "experiment_seed" in found else None


def slots(fields: Mapping[str, Value]) -> int:
    """How many slots a trial asks for."""
    found = fields["resources"].fields(_RESOURCES) if "resources" in fields else {}
    return found["slots_per_trial"].whole(0) if "slots_per_trial" in found else 1


def environment(fields: Mapping[str, Value], *, gpus: bool) -> dict[str, str]:
    """The variables that the trials get, on GPUs or not. Raises `BadInput`."""
    found = fields["environment"].fields(_ENVIRONMENT) if "environment" in fields else {}
    if "environment_variables" not in found:
        return {}
    value = found["environment_variables"]
    if isinstance(value.value, dict):
        by_slot = value.fields(("cpu", "cuda", "gpu", "rocm"))
        wanted = next((by_slot[key] for key in (("cuda", "gpu", "rocm") if gpus else ("cpu",)) if key in by_slot), None)
        if wanted is None:
            return {}
        value = wanted
    return dict(_variables(value))


def _variables(value: Value) -> Iterator[tuple[str, str]]:
    for each in value.elements("a list of NAME=VALUE"):
        name, equals, text = each.text("NAME=VALUE").partition("=")
        if not (name and equals):
            each.expected("NAME=VALUE")
        yield name, text
