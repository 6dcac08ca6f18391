"""Syne Tune's training scripts and benchmark definitions as studies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rung.dialects.base import NOTHING_ASKED, Asked
from rung.dialects.foreign import Foreign
from rung.dialects.synetune import definitions, importing, scripts, starting
from rung.dialects.synetune.domains import to_parameters
from rung.dialects.synetune.driver_scripts import is_launcher
from rung.dialects.synetune.values import GOALS, with_values
from rung.model import BadInput, Objective, Program, RunSettings, ScheduleSpec, StudySpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rung.execute.base import Launch, Place
    from rung.model import Parameter

NAME = "synetune"
_OWN = frozenset({"st_checkpoint_dir", "st_config_json_filename"})


class SyneTuneDialect(Foreign):
    """Training scripts with a `_config_space`, and functions that return a benchmark definition."""

    name = NAME
    scripts = True
    takes_values = True
    picks: Literal["last", "best"] = "best"

    def detect(self, path: Path, text: str, tree: Any) -> bool:
        """Whether it is a Python file that imports from `syne_tune` and binds `_config_space` at its top; a launcher
        runs itself."""
        return path.suffix == ".py" and scripts.declares_space(text) and not is_launcher(text)

    def names(self, text: str, *, file: str, asked: Asked = NOTHING_ASKED) -> Sequence[str]:
        """The entries of the space, and the options of the script's own parser that take a value."""
        found, space = _known(text, file, asked)
        return list(dict.fromkeys([*space, *(option.name for option in found.options if option.name not in _OWN)]))

    def read(self, text: str, *, file: str, asked: Asked = NOTHING_ASKED) -> StudySpec:
        """The study of the script's own space, started with its default configuration.

        `asked.values`: of an entry of the space a range, of any other option of the script its value.

        Raises:
            BadInput: with `file:line`, the key, what was expected and what to do.
        """
        found, space = _known(text, file, asked)
        try:
            parameters = to_parameters(space)
        except BadInput as error:
            raise BadInput(error.message, place=f"{file}:{found.line}", key=_key(error.key)) from None
        parameters = with_values(parameters, asked.values)
        _check_given(found, parameters, file=file)
        return StudySpec(
            program=Program(
                dialect=NAME,
                settings={
                    "script": str((asked.folder or Path()).absolute() / Path(file).name),
                    "max_resource": scripts.stated(found.names, *scripts.MAX_RESOURCE),
                    **_taken(text),
                },
            ),
            parameters=parameters,
            objectives=_objectives(found.names, file),
            start="default",
            schedule=ScheduleSpec(resource=scripts.stated(found.names, *scripts.RESOURCE)),
            run=RunSettings(cwd=str(Path.cwd())),
        )

    def function_names(self, path: Path, function: str, *, file: str) -> Sequence[str] | None:
        """The options of the benchmark definition that the function returns; None where it returns none."""
        return definitions.names(path, function, shown=file)

    def read_function(self, path: Path, function: str, *, file: str, asked: Asked = NOTHING_ASKED) -> StudySpec | None:
        """The study of the benchmark definition that the function returns; None where it returns none."""
        return definitions.read(path, function, shown=file, asked=asked)

    def program_of(self, path: Path, text: str) -> Program | None:
        """A script that reports as Syne Tune's do, and declares no space, is started as those are."""
        if not scripts.uses_syne_tune(text) or is_launcher(text):
            return None
        maximum = scripts.stated(scripts.texts(text), *scripts.MAX_RESOURCE)
        return Program(dialect=NAME, settings={"max_resource": maximum, **_taken(text)})

    def remarks(self, spec: StudySpec) -> Sequence[str]:
        """Which metric is optimised, where the script alone said so, and what a definition says that has no use."""
        remarks = [] if spec.program is None else spec.program.settings.get("remarks", [])
        return [str(remark) for remark in remarks]

    def launch(self, spec: StudySpec, params: Mapping[str, Any], place: Place) -> Launch:
        """`python script.py --k v ... --st_checkpoint_dir DIR`, or with the configuration in a JSON file."""
        assert spec.program is not None
        return starting.launch(spec.program.settings, params, place, command=spec.command)


def _taken(text: str) -> dict[str, bool]:
    """Which of the options of Syne Tune's own the script takes."""
    return {"json": scripts.takes_json(text), "checkpoints": scripts.takes_checkpoints(text)}


def _key(name: str) -> str:
    return f"{scripts.SPACE}.{name}" if name else scripts.SPACE


def _known(text: str, file: str, asked: Asked) -> tuple[scripts.Script, dict[str, Any]]:
    """The script and its space: as read, else as the file says when it is imported."""
    found = scripts.read_script(text, file=file)
    if found.space is not None:
        return found, found.space
    imported = importing.space_of((asked.folder or Path()) / Path(file).name, shown=file)
    space = imported["space"]
    if not isinstance(space, dict):
        place = f"{file}:{found.line}"
        raise BadInput("expected a dictionary of domains and constants", place=place, key=scripts.SPACE)
    return scripts.read_script(text, file=file, known=imported["names"]), space


def _objectives(names: Mapping[str, str], file: str) -> tuple[Objective, ...]:
    metric, mode = scripts.stated(names, *scripts.METRIC), scripts.stated(names, *scripts.MODE) or "min"
    if metric is None:
        return ()
    if mode not in GOALS:
        raise BadInput(f"expected a mode of min or max, got {mode!r}", place=file)
    return (Objective(metric=metric, goal=GOALS[mode], value="best"),)  # type: ignore[arg-type]


def _check_given(found: scripts.Script, parameters: Sequence[Parameter], *, file: str) -> None:
    """What the script's parser requires has a value."""
    if found.takes_json or found.subcommands:
        return
    known = {parameter.name for parameter in parameters} | _OWN
    for option in found.options:
        if option.required and option.name not in known:
            raise BadInput(
                f"the script requires it: give it after the script (--{option.name} VALUE)",
                place=f"{file}:{option.line}", key=f"--{option.name}",
            )  # fmt: skip
