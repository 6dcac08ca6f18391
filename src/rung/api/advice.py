"""What is worth a warning before a study starts."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from rung.model import BadInput

if TYPE_CHECKING:
    from rung.model import StudySpec

UNBELIEVING = frozenset(
    {"random", "grid", "sobol", "cmaes", "de", "evolution", "nsga2", "quadratic"}
)  # use no `prior:`


def spec_warnings(spec: StudySpec) -> list[str]:
    """The linter's remarks, one line each (`parameters.lr.scale: ...`), and priors that nobody will read."""
    from rung.space import Space
    from rung.space.lint import lint

    found = [
        f"{key_of(finding.parameter, finding.field)}: {finding.message}"
        for finding in lint(Space(spec.parameters, spec.constraints))
    ]
    believed = [parameter.name for parameter in spec.parameters if parameter.prior is not None]
    if believed and spec.search.method in UNBELIEVING:
        message = f"search: {spec.search.method} does not use it; auto, tpe and gp do"
        found += [f"{key_of(name, 'prior')}: {message}" for name in believed]
    return found + _unused(spec)


def _unused(spec: StudySpec) -> list[str]:
    """With `inject: source`: the parameters that would change nothing, since no place in the script takes them."""
    if spec.run.inject != "source" or spec.program is not None:
        return []
    from rung.execute.source import no_place, script_in, unused

    script = script_in(spec.command or ("python", spec.function or ""), spec.run.cwd).path
    text = Path(spec.run.cwd, script).read_text("utf-8", "replace")
    names = [parameter.name for parameter in spec.parameters]
    return [f"{key_of(name, '')}: {no_place(name, script)}" for name in unused(text, names)]


def key_of(parameter: str, field: str) -> str:
    """The dotted key that a finding is about."""
    return ".".join(part for part in (("parameters", parameter, field) if parameter else (field,)) if part)


def check_program(spec: StudySpec) -> None:
    """Another tuner's program can be started as its dialect would. Raises `BadInput`, before there is a study."""
    if spec.program is None:
        return
    from rung.execute.base import Place
    from rung.plugins import launcher_for
    from rung.space import Space, SpaceError

    space = Space(spec.parameters, spec.constraints)
    try:
        params = space.full(space.middle())
    except SpaceError:  # the constraints leave the middle out: the first trial will tell
        return
    place = Place(study=spec.name or "", trial=0, attempt=1, seed=0, directory="$RUNG_TRIAL_DIR", cwd=spec.run.cwd)
    launcher_for(spec)(spec, params, place)


def check_machine(spec: StudySpec) -> None:
    """This machine has the program, and could ever give a trial the devices it wants. Raises `BadInput`."""
    program = (spec.command or ("",))[0]
    if program and "/" not in program and "{" not in program and shutil.which(program) is None:
        raise BadInput(f"no program {program!r} on PATH; activate its environment, or give its path", key="command")
    if spec.run.executor == "local" and (spec.run.gpus or spec.run.cpus):
        from rung.execute.devices import Devices

        Devices().require(gpus=spec.run.gpus, cpus=spec.run.cpus)
