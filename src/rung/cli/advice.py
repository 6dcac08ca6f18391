"""What is worth a warning before a study starts."""

from __future__ import annotations

import shutil
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
    return found


def key_of(parameter: str, field: str) -> str:
    """The dotted key that a finding is about."""
    return ".".join(part for part in (("parameters", parameter, field) if parameter else (field,)) if part)


def check_machine(spec: StudySpec) -> None:
    """This machine has the program, and could ever give a trial the devices it wants. Raises `BadInput`."""
    program = (spec.command or ("",))[0]
    if program and "/" not in program and "{" not in program and shutil.which(program) is None:
        raise BadInput(f"no program {program!r} on PATH; activate its environment, or give its path", key="command")
    if spec.run.executor == "local" and (spec.run.gpus or spec.run.cpus):
        from rung.execute.devices import Devices

        Devices().require(gpus=spec.run.gpus, cpus=spec.run.cpus)
