"""`[OPTIONS] TARGET [ARGS…]` of `run` and `plan`: which words are our options, which the program's, which a file's."""

from __future__ import annotations

import copy
import itertools
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
from click.core import ParameterSource

from rung.cli.placing import placed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rung.api.targets import Target
    from rung.dialects.base import Asked

OPTIONS = (
    (("-p", "--param", "params"), "NAME=RANGE", "A parameter, such as lr=loguniform(1e-5,0.1) or opt=sgd,adam."),
    (("-m", "--metric", "metrics"), "NAME[:max]", "What to minimise, or maximise; several are several objectives."),
    (("-n", "--trials"), "N", "How many configurations to evaluate [the whole grid up to 1000, else 100]."),
    (("--time",), "T", "End after so long, such as 2h30m."),
    (("--target",), "VALUE", "End when the metric reaches this."),
    (("-w", "--workers"), "N", "How many trials run at once [1]."),
    (("--search",), "NAME|FILE", "Who proposes: auto, gp, tpe, ... (docs/searching.md), or a file of yours [auto]."),
    (("--schedule",), "NAME", "Who stops trials early [none]."),
    (("--seed",), "N", "Of the search [drawn]."),
    (("--name",), "STUDY", "The same name goes on with the same study [STEM-1, STEM-2, ...]."),
    (("--gpus-per-trial", "gpus"), "X", "GPUs for each trial; 0.5 shares one between two."),
    (("--cpus-per-trial", "cpus"), "X", "CPUs for each trial."),
    (("--trial-timeout", "timeout"), "T", "End a trial after so long."),
    (("--max-failures",), "N", "Give up after so many failed trials [max(10, trials)]."),
    (("--retries",), "N", "Start a failed trial again so often [0]."),
    (("--executor",), "NAME", "Where trials run: local, inline [local]."),
    (("--inject",), "HOW", "How trials get their parameters: args, env, file, source (in a copy) [args]."),
    (("--set", "settings"), "KEY.PATH=VALUE", "Any field of the study file."),
    (("--from", "warm_start"), "STUDY", "Begin with what this earlier study found; may be given again."),
    (("--mirror", "mirrors"), "URL", "Keep another tool's record in step: optuna:STORAGE or mlflow:URI."),
    (("--step",), "NAME", "Of a Valohai file: the step to run."),
    (("--task",), "NAME", "Of a Valohai file: the task to run."),
    (("--style",), "NAME=STYLE:...", "Of a Valohai file: a task on the spot, such as lr=logspace:-5:-1:5."),
    (("--config",), "KEY.PATH=VALUE", "Of a Determined file: any field of it."),
)
SEVERAL = frozenset({"params", "metrics", "settings", "warm_start", "mirrors", "step", "task", "style", "config"})
TYPES: Mapping[str, click.ParamType[Any]] = {
    "N": click.INT, "X": click.FLOAT, "VALUE": click.FLOAT, "HOW": click.Choice(["args", "env", "file", "source"]),
}  # fmt: skip


def _search_options() -> list[click.Parameter]:
    found: list[click.Parameter] = [
        click.Option(
            names, metavar=metavar, help=text, type=TYPES.get(metavar), multiple=names[-1].strip("-") in SEVERAL
        )
        for names, metavar, text in OPTIONS
    ]
    text = "Make proposals independent of which trial is faster."
    return [*found, click.Option(["--deterministic"], is_flag=True, help=text)]


class TargetCommand(click.Command):
    """A command whose own options end at TARGET.

    `words` are TARGET and what follows it; `dashed` says that `--` stood before them. After a study file or a function
    what follows are options too: those that the file defines (`-p NAME=...`), then ours.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = click.Argument(["words"], nargs=-1, type=click.UNPROCESSED, metavar="TARGET [ARGS]...")
        self.params = [*_search_options(), *self.params, words]
        self.context_settings = {**self.context_settings, "allow_interspersed_args": False}

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """All options are known, wherever they stood."""
        given = list(args)
        rest = super().parse_args(ctx, args)
        words = ctx.params["words"]
        ctx.params["dashed"] = dashed = given[: len(given) - len(words)][-1:] == ["--"]
        if not words and not dashed and not ctx.resilient_parsing:
            raise click.UsageError("expected a TARGET: a script, a study file, module:function, or -- COMMAND", ctx)
        if words and not dashed:
            self._parse_after(ctx, words[0], list(words[1:]))
        return rest

    def invoke(self, ctx: click.Context) -> Any:
        """What is wrong with the study is said where it was written."""
        from rung.api.studyfiles import is_study_file

        words = ctx.params["words"]
        target = words[0] if words and not ctx.params["dashed"] else None
        keyed = is_study_file(target, cwd=Path.cwd()) and not str(target).endswith(".py")  # a script has no keys
        with placed(target if keyed else None, ctx.params["settings"]):
            return super().invoke(ctx)

    def _parse_after(self, ctx: click.Context, target: str, arguments: list[str]) -> None:
        """What follows a study file or a function is merged into the options that stood before it."""
        found = _file_options(target, _peeked(ctx.params, arguments))
        if found is None or not arguments:
            return
        names, takes_command = found
        ctx.params["words"] = (target,)
        cut = arguments.index("--") if "--" in arguments else len(arguments)
        ours = [option for option in self.params if isinstance(option, click.Option)]
        self._merge(ctx, arguments[:cut], _unshadowed(ours, names), names)
        if takes_command:
            ctx.params["command"] = tuple(arguments[cut + 1 :])
        else:
            self._merge(ctx, arguments[cut + 1 :], [], names)

    def _merge(
        self, ctx: click.Context, arguments: list[str], ours: list[click.Option], names: Mapping[str, str]
    ) -> None:
        theirs = [click.Option([key, f"--{name}"], multiple=True, **_bare(name)) for key, name in names.items()]
        command = click.Command(self.name, params=[*ours, *theirs], context_settings=self.context_settings)
        with command.make_context(ctx.info_name, list(arguments), parent=ctx.parent) as later:
            for key, value in later.params.items():
                if later.get_parameter_source(key) is not ParameterSource.COMMANDLINE:
                    continue
                if key in names:
                    given = ctx.params.setdefault("values", {})
                    given[names[key]] = (*given.get(names[key], ()), *value)
                else:
                    ctx.params[key] = (*ctx.params[key], *value) if key in SEVERAL else value


def _bare(name: str) -> dict[str, Any]:
    """How an option is made that may stand without a value."""
    from rung.dialects.base import Switch

    return {"is_flag": False, "flag_value": "true"} if isinstance(name, Switch) else {}


def _peeked(given: Mapping[str, Any], arguments: Sequence[str]) -> Asked:
    """What decides which options a study file has, also among words that were not parsed yet."""
    from rung.api.studyfiles import OF_DIALECTS
    from rung.api.targets import Options, asked_for

    texts: dict[str, Any] = {name: (*given[name], *_given_in(arguments, f"--{name}")) for name in OF_DIALECTS}
    return asked_for(Options(settings=(*given["settings"], *_given_in(arguments, "--set")), **texts))


def _given_in(arguments: Sequence[str], option: str) -> list[str]:
    """What an option says among words that were not parsed yet."""
    spaced = [value for word, value in itertools.pairwise(arguments) if word == option]
    return spaced + [word.partition("=")[2] for word in arguments if word.startswith(f"{option}=")]


def _file_options(target: str, asked: Asked) -> tuple[dict[str, str], bool] | None:
    """The options that a study file brings, by key, and whether it takes a command after `--`; none for a function;
    None where the words are the program's."""
    from rung.api.studyfiles import dialect_of, is_study_file
    from rung.dialects import read_text

    if not is_study_file(target, cwd=Path.cwd()):
        return (_function_options(target), False) if ":" in target and not Path(target).is_file() else None
    text = read_text(Path(target))
    dialect = dialect_of(Path(target), text, target)
    asked = msgspec.structs.replace(asked, folder=Path(target).parent.absolute())
    return _keyed(dialect.names(text, file=target, asked=asked)), dialect.takes_command


def _function_options(target: str) -> dict[str, str]:
    """The options of the study that a function returns, by key; none for a function like any other."""
    from rung.api.returned import names_of_function

    return _keyed(names_of_function(target, cwd=Path.cwd()) or ())


def _keyed(names: Sequence[str]) -> dict[str, str]:
    """The names that an option can have, by key."""
    return {f"file_{i}": name for i, name in enumerate(names) if "/" not in name and name.strip() == name}


def _unshadowed(ours: Sequence[click.Option], names: Mapping[str, str]) -> list[click.Option]:
    """Our options without the spellings that the file uses for parameters of its own."""
    taken = {f"--{name}" for name in names.values()}
    kept = []
    for option in ours:
        left = copy.copy(option)
        left.opts = [spelling for spelling in option.opts if spelling not in taken]
        if left.opts:
            kept.append(left)
    return kept


def resolved(given: Mapping[str, Any]) -> Target:
    """The study that the command line describes, with the fields of `Options` taken from `given`.

    Raises `BadInput`.
    """
    from rung.api.targets import Options, resolve
    from rung.model import BadInput

    names = [text.partition("=")[0] for text in given["params"]] + list(given.get("values", ()))
    for name in names:
        if names.count(name) > 1:
            raise BadInput("is given twice; give it once", place=f"-p {name}")
    if given["target"] is not None and not math.isfinite(given["target"]):
        raise BadInput(f"expected a number, got {given['target']}", place="--target")
    options = Options(**{name: given[name] for name in Options.__struct_fields__ if name in given})
    words = list(given["words"])
    target = None if given["dashed"] else words.pop(0)
    return resolve(target, words, options, cwd=Path.cwd())
