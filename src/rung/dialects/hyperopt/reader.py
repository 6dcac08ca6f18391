"""Configurations with `hyper_opt` as studies: every block is a parameter, and each trial's program is handed the
configuration with values in their places."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import msgspec

from rung.dialects.base import NOTHING_ASKED, Asked, Finding
from rung.dialects.foreign import Foreign
from rung.dialects.hyperopt import jsonnet
from rung.dialects.hyperopt import settings as settings_
from rung.dialects.hyperopt.blocks import KEY, emptied, find_blocks, left_alone, mentions
from rung.dialects.hyperopt.commands import COMMAND, checked, own_command, own_objective, words_of
from rung.dialects.hyperopt.dependencies import connect, read_dependency
from rung.dialects.hyperopt.settings import CONFIG, Settings, plain_settings, settings_of
from rung.dialects.hyperopt.sources import YAML, load
from rung.dialects.hyperopt.suggest import read_suggest
from rung.dialects.values import Value
from rung.execute.base import Launch
from rung.model import BadInput, Objective, Program, RunSettings, StudySpec
from rung.space import Space, SpaceError
from rung.space.template import render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rung.dialects.hyperopt.blocks import Block
    from rung.execute.base import Place
    from rung.model import Parameter


class HyperOptDialect(Foreign):
    """The dialect of configurations with `hyper_opt` blocks (ASME)."""

    name = "hyperopt"
    takes_command = True
    picks = "best"

    def detect(self, path: Path, text: str, tree: Any) -> bool:
        """Whether `hyper_opt` is a key in it. Evaluating jsonnet to find out would run it: it is always ours."""
        if isinstance(tree, dict) and isinstance(tree.get("program"), dict) and "dialect" in tree["program"]:
            return False  # a study file of ours, made from one of these
        return path.suffix.lower() in jsonnet.ENDINGS or mentions(tree)

    def names(self, text: str, *, file: str, asked: Asked = NOTHING_ASKED) -> Sequence[str]:
        """The dotted paths of the blocks."""
        return [block.name for block in find_blocks(load(text, file=file, folder=asked.folder))]

    def read(self, text: str, *, file: str, asked: Asked = NOTHING_ASKED) -> StudySpec:
        """The study that a configuration describes, with the program that its `command` or the command line names.

        Raises:
            BadInput: with `file:line` and the key.
        """
        root = load(text, file=file, folder=asked.folder)
        command, objective, root = _beside(root, asked)
        parameters, found = read_configuration(root)
        folder = Path.cwd() if asked.command else asked.folder
        words = _checked(command, parameters, asked, folder)
        form: Any = "yaml" if PurePath(file).suffix.lower() in YAML else "json"
        return StudySpec(
            program=Program(
                dialect=self.name,
                settings=plain_settings(msgspec.structs.replace(found, command=words, format=form)),
            ),
            parameters=parameters,
            objectives=() if objective is None else (objective,),
            run=RunSettings(cwd=str(folder) if asked.command else ""),
        )

    def lint(self, text: str, *, file: str) -> Sequence[Finding]:
        """Blocks inside lists, which stay as they are; nothing else is said in the original's words."""
        root = load(text, file=file, folder=Path(file).parent)
        return [
            Finding("warning", root.error("", *_parts(root.value, path)).place, path, _LEFT)
            for path in left_alone(root.value)
        ]

    def remarks(self, spec: StudySpec) -> Sequence[str]:
        """Which blocks stay as they are. Raises `BadInput` where there is no program: only now is one needed."""
        if not settings_of(spec.program).command:
            raise BadInput(NO_PROGRAM)
        return [f"{path}: {_LEFT}" for path in left_alone(settings_of(spec.program).config)]

    def launch(self, spec: StudySpec, params: Mapping[str, Any], place: Place) -> Launch:
        """The program gets the path of its resolved configuration, a file in the attempt's own directory."""
        settings = settings_of(spec.program)
        path = f"{place.directory}/{settings_.config_name(settings)}"
        argv = render(settings.command, {**params, CONFIG: path})
        return Launch(argv=tuple(argv), files=settings_.files(settings, params))


NO_PROGRAM = (
    f"which program? give it after `--`, as in: -- python train.py {{{CONFIG}}} "
    f"(or as `{COMMAND}` beside the configuration)"
)
_LEFT = f"a `{KEY}` inside a list is left as it is; name the place with keys for it to be searched"


def _parts(tree: Any, path: str) -> tuple[str | int, ...]:
    """The parts of a dotted path that `left_alone` gave, whose keys may hold dots."""
    from rung.dialects.positions import undotted

    found: list[str | int] = []
    for part in undotted(path):
        if (isinstance(tree, dict) and part not in tree) or not isinstance(tree, (dict, list)):
            break
        found.append(part)
        tree = tree[part]  # type: ignore[index]
    return tuple(found)


def _beside(root: Value, asked: Asked) -> tuple[Value | None, Objective | None, Value]:
    """The command and the objective that stand beside the configuration, and the configuration without them."""
    command = own_command(root, needed=not asked.command)
    if command is None:
        return None, None, root
    objective = own_objective(root)
    taken = {COMMAND} | ({objective[0]} if objective else set())
    left = {key: item for key, item in root.value.items() if key not in taken}
    return command, objective[1] if objective else None, Value(left, (), root.positions)


def _checked(
    command: Value | None, parameters: Sequence[Parameter], asked: Asked, folder: Path | None
) -> tuple[str, ...]:
    names = [parameter.name for parameter in parameters]
    if asked.command:
        try:
            return checked(asked.command, names, folder=folder)
        except BadInput as error:
            raise BadInput(error.message, place="--") from None
    if command is None:
        return ()
    try:
        return checked(words_of(command), names, folder=folder)
    except BadInput as error:
        raise command.error(error.message) if not error.place else error from None


def read_configuration(root: Value) -> tuple[tuple[Parameter, ...], Settings]:
    """The parameters of a configuration, and its settings without a command.

    Raises:
        BadInput: with the line and the key of what cannot be used.
    """
    blocks = find_blocks(root)
    names = [block.name for block in blocks]
    found = {block.name: read_dependency(block, names, root.value) for block in blocks}
    needs = {name: dependency for name, dependency in found.items() if dependency is not None}
    connected = connect([read_suggest(block.value, block.name) for block in blocks], needs)
    _check_space(connected.parameters, blocks)
    return connected.parameters, Settings(
        command=(),
        config=emptied(root.value, blocks),
        holes={block.name: block.path for block in blocks},
        products=connected.products,
    )


def _check_space(parameters: tuple[Parameter, ...], blocks: Sequence[Block]) -> None:
    try:
        Space(parameters)
    except SpaceError as error:
        block = next((block for block in blocks if block.name == error.parameter), None)
        if block is None:
            raise
        below = ["dependency"] if error.field in {"when", "times"} else []
        raise block.value.error(error.message, *below) from None
