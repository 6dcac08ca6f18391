"""StudioML's `fs_tracker`: where a trial finds its artifacts. Each lies below the attempt's own directory.

A tag is a file or folder that was captured or reused, an array parameter (a `.npy` file), or one of StudioML's own:
`tb`, `modeldir`, `workspace`, `output`, `retval`, `_metrics`.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

STUDIOML_EXPERIMENT = "STUDIOML_EXPERIMENT"
STUDIOML_HOME = "STUDIOML_HOME"
_FOLDERS = ("tb", "modeldir", "_metrics")
_FILES = {"output": "stdout", "workspace": "workspace", "retval": "retval"}
_outside: list[str] = []


def get_experiment_key() -> str:
    """The experiment's name, `STUDY__TRIAL`."""
    return os.environ.get(STUDIOML_EXPERIMENT, "local")


def get_studio_home() -> str:
    """The attempt's directory; outside a study a temporary one of this process."""
    home = os.environ.get("RUNG_TRIAL_DIR")
    if home:
        return home
    if not _outside:
        _outside.append(tempfile.mkdtemp(prefix="studioml-"))
    return _outside[0]


def get_artifact(tag: str) -> str | None:
    """The path of the artifact `tag`; None where this experiment has none of that name."""
    return get_artifact_cache(tag) if tag in _FOLDERS or tag in _FILES else get_artifacts().get(tag)


def get_artifacts() -> dict[str, str]:
    """The path of each artifact that was captured or reused, and of each array parameter, by tag."""
    folder = Path(get_studio_home(), "artifacts")
    if not folder.is_dir():
        return {}
    return {path.stem if path.suffix == ".npy" else path.name: str(path) for path in sorted(folder.iterdir())}


def get_artifact_cache(tag: str, experiment_name: str | None = None) -> str:
    """The path of the artifact `tag` of this experiment; StudioML's own folders exist afterwards."""
    _check_own(experiment_name)
    home = Path(get_studio_home())
    if tag in _FOLDERS:
        (home / tag).mkdir(parents=True, exist_ok=True)
        return str(home / tag)
    if tag in _FILES:
        return str(home / _FILES[tag])
    return get_artifacts().get(tag, str(home / "artifacts" / tag))


def get_model_directory(experiment_name: str | None = None) -> str:
    """The folder for the model's checkpoints."""
    return get_artifact_cache("modeldir", experiment_name)


def get_tensorboard_dir(experiment_name: str | None = None) -> str:
    """The folder for TensorBoard's event files: what is written there is reported."""
    return get_artifact_cache("tb", experiment_name)


def _check_own(experiment_name: str | None) -> None:
    if experiment_name is not None and experiment_name != get_experiment_key():
        raise NotImplementedError(
            f"the artifacts of another experiment ({experiment_name}) are not covered by Rung's stand-in for StudioML; "
            "name them on the command line: --reuse EXPERIMENT/TAG:NEWTAG"
        )


def __getattr__(name: str) -> object:
    """Raises, saying what is here."""
    if name.startswith("__"):
        raise AttributeError(name)
    raise AttributeError(
        f"studio.fs_tracker.{name} is not covered by Rung's stand-in for StudioML; it has get_artifact, "
        "get_artifacts, get_artifact_cache, get_model_directory, get_tensorboard_dir, get_experiment_key and "
        "get_studio_home"
    )
