"""StudioML's experiments: how they are started. Their studies come from a command line (`rung studio run`)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rung.dialects.foreign import Foreign
from rung.dialects.shims import shim_environment
from rung.dialects.studioml import experiment
from rung.execute.base import Launch
from rung.execute.source import Script, no_place, plan_of, unused
from rung.inside import workspace
from rung.model import BadInput
from rung.space import template

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rung.execute.base import Place
    from rung.model import StudySpec


class StudioDialect(Foreign):
    """StudioML's command lines."""

    name = "studioml"

    def read(self, text: str, **_: Any) -> StudySpec:
        """Raises: a study of StudioML's is a command line."""
        raise BadInput("StudioML has no study files; write: rung studio run --hyperparam=NAME=RANGE script.py")

    def remarks(self, spec: StudySpec) -> Sequence[str]:
        """How many experiments there will be, and which parameters the script has no place for."""
        script = _settings(spec)["script"]
        arrays = _arrays(spec)
        names = [p.name for p in spec.parameters if p.name not in {own for each in arrays.values() for own in each}]
        text = Path(spec.run.cwd, script).read_text("utf-8", "replace")
        return [f"warning: {name}: {no_place(name, script)}" for name in unused(text, names)]

    def launch(self, spec: StudySpec, params: Mapping[str, Any], place: Place) -> Launch:
        """The script in a copy of the working directory, its scalars substituted, its arrays as artifacts."""
        settings = _settings(spec)
        argv = tuple(template.render(spec.command or (), {}))
        arrays = _arrays(spec)
        own = {name for each in arrays.values() for name in each}
        values = {name: value for name, value in params.items() if name not in own}
        plan = plan_of(spec, argv, Script(settings["script"], settings["at"]), values, cwd=place.cwd)
        plan |= {
            "arrays": {tag: [params[name] for name in names] for tag, names in arrays.items()},
            "reports_exit": settings["reports_exit"],
            "capture": [_absolute(one, place.cwd) for one in settings["capture"]],
            "reuse": settings["reuse"],
        }  # fmt: skip
        base = settings["experiment"] or place.study
        env = {"STUDIOML_EXPERIMENT": f"{base}__{place.trial}", "STUDIOML_HOME": place.directory}
        return Launch(
            argv=(sys.executable, "-I", experiment.__file__),
            env=env | shim_environment(self.name, "studio", argv, place.cwd),
            files={workspace.PLAN: f"{json.dumps(plan, allow_nan=False)}\n"},
            shown=argv,
        )


def _settings(spec: StudySpec) -> dict[str, Any]:
    assert spec.program is not None
    return spec.program.settings


def _arrays(spec: StudySpec) -> dict[str, list[str]]:
    """The names of the numbers of each array parameter."""
    return {tag: [f"{tag}.{i}" for i in range(length)] for tag, length in _settings(spec)["arrays"].items()}


def _absolute(one: Mapping[str, Any], cwd: str) -> dict[str, Any]:
    return {**one, "path": str(Path(cwd, one["path"]))}
