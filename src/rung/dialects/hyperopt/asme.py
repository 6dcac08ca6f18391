"""The studies of `rung asme search` and `rung asme optimize`: a template, and a configuration that is searched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from rung.dialects.documents import read_text
from rung.dialects.hyperopt.blocks import mentions
from rung.dialects.hyperopt.commands import COMMAND, checked, own_command, words_of
from rung.dialects.hyperopt.reader import NO_PROGRAM, HyperOptDialect, read_configuration
from rung.dialects.hyperopt.settings import plain_settings, resolved
from rung.dialects.hyperopt.sources import load
from rung.dialects.hyperopt.templates import rendered
from rung.dialects.names import check_study_name
from rung.dialects.positions import Positions
from rung.dialects.values import Value
from rung.model import BadInput, Budget, Objective, Program, RunSettings, StudySpec
from rung.space import Space

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.dialects.hyperopt.settings import Settings
    from rung.model import Parameter


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the two verbs are given beside files: the study's name, where an Optuna study is kept in step (None: there
    is none), what is optimised, how many trials, the words of the program, and where it runs."""

    study: str
    storage: str | None
    metric: str
    goal: Literal["minimize", "maximize"]
    trials: int
    command: tuple[str, ...]
    cwd: Path


def search_study(template: str, search: str, wanted: Wanted) -> StudySpec:
    """The study in which each trial's program gets the file `template`, with the resolved file `search` laid over it.

    Raises:
        BadInput: with the file and line of what cannot be used.
    """
    base = _loaded(template, wanted)
    parameters, settings = _searched(search, wanted)
    own = own_command(base, needed=not wanted.command)
    settings = msgspec.structs.replace(settings, base=base.value, drop=None if own is None else COMMAND)
    return _study(parameters, settings, own, wanted)


def optimize_study(template: str, search: str, wanted: Wanted) -> StudySpec:
    """The study in which each trial's program gets the JSON that the Jinja2 file `template` renders to, with the keys
    of the resolved file `search` as variables.

    The middle of the space is rendered once, so that what is wrong is said before a trial starts.

    Raises:
        BadInput: with the file of what cannot be used.
    """
    text = read_text(wanted.cwd / template)
    parameters, settings = _searched(search, wanted)
    space = Space(parameters)
    try:
        tree = rendered(text, resolved(settings, space.full(space.middle())))
    except BadInput as error:
        raise BadInput(error.message, place=template) from None
    own = own_command(Value(tree, (), Positions(template)), needed=not wanted.command)
    settings = msgspec.structs.replace(settings, template=text, drop=None if own is None else COMMAND)
    return _study(parameters, settings, own, wanted)


def _loaded(file: str, wanted: Wanted, *, lenient: bool = False) -> Value:
    path = wanted.cwd / file
    return load(read_text(path), file=file, folder=path.parent, lenient=lenient)


def _searched(file: str, wanted: Wanted) -> tuple[tuple[Parameter, ...], Settings]:
    root = _loaded(file, wanted, lenient=True)
    if not mentions(root.value):
        raise BadInput("has no `hyper_opt`: there is nothing to search", place=file)
    return read_configuration(root)


def _study(parameters: tuple[Parameter, ...], settings: Settings, own: Value | None, wanted: Wanted) -> StudySpec:
    names = [parameter.name for parameter in parameters]
    words = _words(own, names, wanted)
    form: Any = "json"
    return StudySpec(
        name=check_study_name(wanted.study, place="STUDY_NAME"),
        program=Program(
            dialect=HyperOptDialect.name,
            settings=plain_settings(msgspec.structs.replace(settings, command=words, format=form)),
        ),
        parameters=parameters,
        objectives=(Objective(metric=wanted.metric, goal=wanted.goal, value="best"),),
        budget=Budget(trials=wanted.trials),
        run=RunSettings(cwd=str(wanted.cwd), mirrors=() if wanted.storage is None else (f"optuna:{wanted.storage}",)),
    )


def _words(own: Value | None, names: Sequence[str], wanted: Wanted) -> tuple[str, ...]:
    """The program's argv template: the words of the command line, else the template's own `command`."""
    if not wanted.command and own is None:
        raise BadInput(f"the original trains in its own process, here a program of yours does; {NO_PROGRAM}")
    try:
        return checked(wanted.command or words_of(_given(own)), names, folder=wanted.cwd)
    except BadInput as error:
        if wanted.command or error.place:
            raise
        raise _given(own).error(error.message) from None


def _given(own: Value | None) -> Value:
    assert own is not None  # checked by the caller
    return own
