"""Folders, names, and which metric a caller means."""

from __future__ import annotations

import os
import random
import re
import string
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .constants import SYNE_TUNE_DEFAULT_FOLDER, SYNE_TUNE_ENV_FOLDER


def experiment_path(tuner_name: str | None = None, local_path: str | None = None) -> Path:
    """The folder of an experiment, or that of all: below `local_path`, else SYNETUNE_FOLDER, else ~/syne-tune."""
    root = Path(local_path or os.environ.get(SYNE_TUNE_ENV_FOLDER) or SYNE_TUNE_DEFAULT_FOLDER).expanduser()
    return root / tuner_name if tuner_name else root


def metric_name_mode(metric_names: list[str], metric_mode: str | list[str], metric: str | int) -> tuple[str, str]:
    """The name and the mode of the metric that `metric`, a name or a place from 0, means.

    Raises `ValueError` for a name, or a place, that is none of them.
    """
    names = list(metric_names)
    if isinstance(metric, str):
        if metric not in names:
            raise ValueError(f"metric {metric!r} is none of {', '.join(names)}")
        place = names.index(metric)
    elif 0 <= metric < len(names):
        place = metric
    else:
        raise ValueError(f"there are {len(names)} metrics, counted from 0: got {metric}")
    return names[place], metric_mode if isinstance(metric_mode, str) else metric_mode[place]


def check_valid_sagemaker_name(name: str) -> None:
    """Raises `AssertionError` for a name that is no letters and digits with single dashes between."""
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", name), f"{name!r}: expected letters, digits and dashes"


def name_from_base(base: str, default: str | None = "st-tuner", max_length: int = 63) -> str:
    """`base` with the time behind it, at most so long."""
    now = datetime.now(timezone.utc)
    suffix = f"{now:%Y-%m-%d-%H-%M-%S}-{now.microsecond // 1000:03d}"
    return f"{(base or default or '')[: max_length - len(suffix) - 1]}-{suffix}"


def random_string(length: int) -> str:
    """So many letters and digits."""
    return "".join(random.choices(string.ascii_uppercase + string.digits, k=length))  # noqa: S311 - a name, no secret


def dump_json_with_numpy(x: dict[str, Any], filename: str | Path | None = None) -> str | None:
    """The JSON of `x`, NumPy's numbers as plain ones; written where a file is named."""
    import json

    text = json.dumps(x, default=lambda value: value.item() if hasattr(value, "item") else str(value))
    if filename is None:
        return text
    Path(filename).write_text(text, encoding="utf-8")
    return None
