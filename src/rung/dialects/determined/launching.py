"""How a trial of an experiment configuration is started: its entrypoint, and what the stand-in for Determined reads.

Entrypoints (Determined's own kinds): `module:Class` is a trial class, which the stand-in's harness trains; any other
text is shell text; a list is a command line. The program runs in the folder of the configuration.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shlex
import shutil
import subprocess
import zlib
from typing import TYPE_CHECKING, Any

from rung.dialects.determined.settings import DIALECT, from_json, nested
from rung.dialects.shims import shim_environment
from rung.execute.base import Launch
from rung.model import BadInput
from rung.schedule.adaptive import Adaptive
from rung.schedule.base import Contest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rung.dialects.determined.settings import Settings
    from rung.execute.base import Place
    from rung.model import StudySpec

PACKAGE = "determined"
FILE = "determined.json"
VARIABLE = "RUNG_DETERMINED"
TRIAL_CLASS = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
SHELL = "/bin/sh"
LARGEST_VARIABLE = 100_000  # Linux refuses a variable of 128 KiB or more
_PATH = "PYTHONPATH"
_PYTHON = re.compile(r"(?:[\w./-]*/)?python[\d.]*")


def launch(spec: StudySpec, params: Mapping[str, Any], place: Place) -> Launch:
    """The command line of the configuration's entrypoint, with the trial's hyperparameters, nested, in a file and in
    Determined's variables. Raises `BadInput` where the configuration names no program, or a trial class would meet the
    real package, which wants a master."""
    assert spec.program is not None
    settings = from_json(spec.program.settings)
    hparams = nested(params, settings.paths)
    argv, shown = _command(settings)
    shim = shim_environment(DIALECT, PACKAGE, (_python_of(argv), *argv[1:]), place.cwd)
    if not shim and _is_class(settings.entrypoint) and _has_package(argv[0], place.cwd):
        raise BadInput(
            f"{argv[0]} has the package determined itself, which trains a trial class only for a master: run rung with "
            "a Python that does not have it first on PATH (`pip uninstall determined`)",
            key="entrypoint",
        )
    said = _said(spec, settings, hparams, place)
    return Launch(
        argv=argv,
        env=_joined(settings.environment, {**_variables(settings, hparams, place), **shim}),
        files={FILE: json.dumps(said, separators=(",", ":"))},  # with NaN as Python writes it: words stay words
        shown=shown,
    )


# ----------------------------------------------------------------------------------------------------- the command line


def _is_class(entrypoint: str | tuple[str, ...] | None) -> bool:
    return isinstance(entrypoint, str) and TRIAL_CLASS.fullmatch(entrypoint.strip()) is not None


def _command(settings: Settings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is run, and what the user knows it as."""
    entrypoint = settings.entrypoint
    if not entrypoint or (isinstance(entrypoint, str) and not entrypoint.strip()):
        raise BadInput(
            "the configuration names no program: add `entrypoint: model_def:MyTrial`, or a command such as "
            "`entrypoint: python3 train.py`",
            key="entrypoint",
        )
    if not isinstance(entrypoint, str):
        return entrypoint, entrypoint
    text = entrypoint.strip()
    if _is_class(text):
        return (_python(), "-m", "determined.exec.harness", "--train-entrypoint", text), (text,)
    return (SHELL, "-c", text), _words(text)


def _words(text: str) -> tuple[str, ...]:
    """The shell text as words to show, where it means no more than that."""
    try:
        words = tuple(shlex.split(text))
    except ValueError:
        return (text,)
    return words if shlex.join(words) == " ".join(text.split()) else (text,)


def _python() -> str:
    """The Python on PATH, with which scripts run too."""
    return shutil.which("python") or shutil.which("python3") or "python3"


def _python_of(argv: tuple[str, ...]) -> str:
    """The Python that a command runs: the first word of its shell text that is one."""
    if argv[:2] != (SHELL, "-c"):
        return argv[0]
    return next((word for word in argv[2].split() if _PYTHON.fullmatch(word)), argv[0])


@functools.lru_cache(maxsize=8)
def _has_package(python: str, cwd: str) -> bool:
    """Whether that Python runs at all and finds the real package."""
    probe = "import importlib.util, sys; sys.exit(importlib.util.find_spec('determined') is None)"
    try:
        return subprocess.run([python, "-c", probe], cwd=cwd or None, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


# ----------------------------------------------------------------------------------------------- what the program reads


def _said(spec: StudySpec, settings: Settings, hparams: dict[str, Any], place: Place) -> dict[str, Any]:
    """What the stand-in reads; its `_study.py` says what each is."""
    return {
        "hparams": hparams,
        "config": settings.config,
        "entrypoint": settings.entrypoint,
        "era": settings.era,
        "metric": settings.metric,
        "smaller_is_better": settings.smaller_is_better,
        "resource": settings.resource,
        "units": settings.units,
        "length": settings.length,
        "time_metric": settings.time_metric,
        "batches_per_step": settings.batches_per_step,
        "records_per_epoch": settings.records_per_epoch,
        "scheduling_unit": settings.scheduling_unit,
        "slots_per_trial": settings.slots_per_trial,
        "levels": _levels(spec),
        "experiment_id": _experiment_id(place.study),
    }


def _levels(spec: StudySpec) -> list[float]:
    """The rungs that a trial passes without being held there: of stopping halving, of all brackets. At each of them it
    is validated, so that it can be judged whatever `min_validation_period` says."""
    if spec.schedule.method != "adaptive" or spec.schedule.options.get("type", "stopping") != "stopping":
        return []
    contest = Contest(
        schedule=spec.schedule, objectives=spec.objectives, seed=0, budget=spec.budget, workers=spec.run.workers
    )
    return [float(level) for level in Adaptive(contest).levels()]


def _joined(theirs: dict[str, str], ours: dict[str, str]) -> dict[str, str]:
    """Our variables over those of the configuration, whose PYTHONPATH comes after ours."""
    paths = [env[_PATH] for env in (ours, theirs) if env.get(_PATH)]
    return {**theirs, **ours, **({_PATH: os.pathsep.join(paths)} if paths else {})}


def _experiment_id(study: str) -> int:
    """A number for the study: the original's experiments have one. Positive, the same for the same name."""
    return zlib.crc32(study.encode()) % (2**31 - 1) + 1


def _variables(settings: Settings, hparams: dict[str, Any], place: Place) -> dict[str, str]:
    """Those of Determined's variables that mean something here, and where the stand-in's file is."""
    found = {
        VARIABLE: f"{place.directory}/{FILE}",
        "DET_TASK_TYPE": "TRIAL",
        "DET_EXPERIMENT_ID": str(_experiment_id(place.study)),
        "DET_TRIAL_ID": str(place.trial),
        "DET_TRIAL_RUN_ID": str(place.attempt),
        "DET_TRIAL_SEED": str(place.seed % 2**31),
        "DET_HPARAMS": json.dumps(hparams),
        "DET_EXPERIMENT_CONFIG": json.dumps(settings.config),
    }
    return {name: text for name, text in found.items() if len(text.encode()) < LARGEST_VARIABLE}
