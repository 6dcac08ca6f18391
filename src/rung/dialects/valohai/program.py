"""How an execution is started: its commands, its configuration files, its variables."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from rung.dialects.shims import shim_environment
from rung.dialects.valohai.commands import build_command, interpreter, join_commands
from rung.dialects.valohai.parameters import ParameterItem
from rung.dialects.valohai.reuse import KEY, again, earlier_attempt, key_of
from rung.execute.base import Launch
from rung.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rung.execute.base import Place
    from rung.model import StudySpec

DIALECT = "valohai"
PACKAGE = "valohai"
_NAMESPACE = uuid.UUID("0e7a2f0c-6b0f-5d0e-9a54-3f8a2c1d7b61")  # ours alone, so that names make the same ids anywhere
_REFUSED = 'printf "%s\\n" "$1" >&2; exit 64'  # EX_USAGE


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a study keeps of the file. `inputs`: addresses or full paths; `task`, `type`: None for one execution;
    `reuse`: an execution that ran before is not run again; `remarks`: lines to say before it starts."""

    step: str
    command: list[str]
    source_path: str | None = None
    parameters: list[ParameterItem] = []
    inputs: dict[str, list[str]] = {}
    variables: dict[str, str] = {}
    task: str | None = None
    type: str | None = None
    reuse: bool = False
    remarks: list[str] = []


def launch(spec: StudySpec, params: Mapping[str, Any], place: Place) -> Launch:
    """How an execution with these values is started. One whose values cannot be quoted fails, and says why."""
    assert spec.program is not None
    settings = msgspec.convert(spec.program.settings, Settings)
    values = {item.name: params[item.name] for item in settings.parameters if params.get(item.name) is not None}
    try:
        commands = build_command(settings.command, _bare(settings), values, source_path=settings.source_path)
    except BadInput as error:
        return Launch(argv=("sh", "-c", _REFUSED, "valohai", str(error)))
    script = join_commands(commands)
    program = interpreter(script)
    same = {"step": settings.step, "script": script, "values": values, "inputs": settings.inputs, "in": place.cwd}
    key = key_of({**same, "variables": settings.variables}, place.cwd)
    files = _files(settings, values, place, key)
    earlier = earlier_attempt(key, place.directory) if settings.reuse and key is not None else None
    if earlier is not None:
        return Launch(argv=again(earlier, place.directory), env=_variables(settings, place), files=files)
    argv: tuple[str, ...] = (_shell(), "-c", script)
    shown = None
    if program:
        files["command"] = script if script.endswith("\n") else f"{script}\n"
        argv, shown = (*program, f"{place.directory}/command"), (*program, "-c", script.partition("\n")[2])
    shim = shim_environment(DIALECT, PACKAGE, argv, spec.run.cwd)
    return Launch(argv=argv, env={**_variables(settings, place), **shim}, files=files, shown=shown)


def _bare(settings: Settings) -> list[ParameterItem]:
    """The parameters without their defaults: the trial's own values are all that it has."""
    return [msgspec.structs.replace(item, default=None) for item in settings.parameters]


def _shell() -> str:
    """Who reads commands without a `#!` line. bash takes all that sh does, and what people write for bash."""
    return "bash" if any(os.access(f"{folder}/bash", os.X_OK) for folder in os.get_exec_path()) else "sh"


def _id(*names: str) -> str:
    """An id that is always the same for these names."""
    return str(uuid.uuid5(_NAMESPACE, "\0".join(names)))


def _variables(settings: Settings, place: Place) -> dict[str, str]:
    execution = _id("execution", place.study, str(place.trial))
    own = {
        "VH_CONFIG_DIR": f"{place.directory}/config",
        "VH_INPUTS_DIR": f"{place.directory}/inputs",
        "VH_OUTPUTS_DIR": f"{place.directory}/outputs",
        "VH_REPOSITORY_DIR": place.cwd,
        "VH_JOB_ID": f"exec-{execution}",
        "VH_EXECUTION_ID": execution,
        "VH_PROJECT_ID": _id("project", place.cwd),
    }
    if settings.task is not None:
        own["VH_TASK_ID"] = _id("task", place.study)
    if os.environ.get("VH_INPUTS_DIR"):
        del own["VH_INPUTS_DIR"]  # where the user keeps them
    return {**{name: value for name, value in settings.variables.items() if name not in os.environ}, **own}


def _files(settings: Settings, values: Mapping[str, Any], place: Place, key: str | None) -> dict[str, str]:
    """The configuration that programs read, by path below the attempt's directory, and the folders they write to."""
    typed = {item.name: _typed(item, values[item.name]) for item in settings.parameters if item.name in values}
    return {
        "config/parameters.json": json.dumps(typed, indent=2) + "\n",
        "config/parameters.yaml": yaml.safe_dump(typed, sort_keys=False, allow_unicode=True),
        "config/execution.json": json.dumps({**_execution(settings, place), KEY: key}, indent=2) + "\n",
        "config/inputs.json": json.dumps(_inputs(settings, place), indent=2) + "\n",
        "outputs/": "",
        "inputs/": "",
    }


def _typed(item: ParameterItem, value: Any) -> Any:
    """The value as a program wants it: of the parameter's type, where it is."""
    if isinstance(value, list):
        return [_typed(item, atom) for atom in value]
    if item.is_number and isinstance(value, str):
        return item.typed(value, [])
    return value


def _execution(settings: Settings, place: Place) -> dict[str, Any]:
    found: dict[str, Any] = {
        "valohai.execution-id": _id("execution", place.study, str(place.trial)),
        "valohai.execution-counter": place.trial + 1,
        "valohai.execution-step": settings.step,
        "valohai.project-id": _id("project", place.cwd),
    }
    if settings.task is not None:
        found |= {"valohai.task-id": _id("task", place.study), "valohai.task-counter": 1}
    return found


def _inputs(settings: Settings, place: Place) -> dict[str, Any]:
    return {
        name: {"files": [_file(each, f"{place.directory}/inputs/{name}") for text in texts for each in _expanded(text)]}
        for name, texts in settings.inputs.items()
    }


def _expanded(text: str) -> list[str]:
    """The files that a path means: a folder's own files, by name."""
    path = Path(text)
    if "://" in text or not path.is_dir():
        return [text]
    return sorted(str(each) for each in path.iterdir() if each.is_file())


def _file(text: str, folder: str) -> dict[str, Any]:
    """One input file: a local one where it lies, another where the original would have put it."""
    name = text.rstrip("/").rpartition("/")[2]
    local = "://" not in text
    size = Path(text).stat().st_size if local and Path(text).is_file() else None
    return {
        "name": name, "path": text if local else f"{folder}/{name}", "size": size,
        "uri": Path(text).as_uri() if local else text, "checksums": {},
    }  # fmt: skip
