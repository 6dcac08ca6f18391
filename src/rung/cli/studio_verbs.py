"""`rung studio run` and `rung studio plan`: StudioML's command line, `[FLAGS] script.py [SCRIPT ARGS]`."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from rung.cli.options import find, format_options, place_flags, place_options, say, store_at
from rung.cli.run_verbs import carry_on, json_option

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rung.api.creation import Opened
    from rung.api.handle import Handle
    from rung.dialects.studioml.study import Artifact, Described, Flags
    from rung.model import StudySpec
    from rung.store.base import Store
    from rung.study import events as ev

ON_MACHINES = "trials run on this machine; on others: a runner on each, `rung resume STUDY --store URL`"
REPLACED = {
    "cloud": f"Rung starts no machines in a cloud: {ON_MACHINES}",
    "queue": f"Rung has no queues, a study's store is where runners find work: {ON_MACHINES}",
    "bid": "of --cloud: without a meaning here",
    "ssh_keypair": "of --cloud: without a meaning here",
    "cloud_timeout": "of --cloud: without a meaning here; a runner ends with its study",
    "user_startup_script": "of --cloud: run it before the runner on that machine",
    "branch": "of --cloud: a trial runs a copy of the working directory as it is",
    "container": "Rung starts no containers: start the runner in one, or name it in the script",
    "port": "of --container: without a meaning here",
    "ram": "not reserved: `rung run` has --executor, --cpus-per-trial and --gpus-per-trial",
    "hdd": "not reserved: trials write to --dir",
    "gpumem": "not reserved: a share of a GPU is --gpus 0.5",
    "python_pkg": "Rung installs nothing: pip install it for the Python that runs the script",
}
"""What is said of a flag that Rung has no use for, and the way to the same thing."""
_FLAGS = (
    (("--hyperparam", "-hp", "--hp", "hyperparams"), "NAME=RANGE", "A parameter; may be given again.", True),
    (("--metric", "-m"), "NAME[:min|:max]", "A scalar of TensorBoard's: its smallest, largest, or last value.", False),
    (("--optimizer", "-opt"), "NAME|FILE", "grid, cmaes, a searcher of ours, or a file with a class Optimizer.", False),
    (("--num-workers",), "N", "Experiments at once [1].", False),
    (("--max-duration",), "T", "End an experiment after so long, such as 5h or 48h2m10s.", False),
    (("--lifetime",), "T", "End the whole study after so long.", False),
    (("--experiment", "-e"), "NAME", "What the experiments are called.", False),
    (("--project",), "NAME", "What the study is called.", False),
    (("--gpus", "--gpuCount"), "X", "GPUs for each experiment.", False),
    (("--cpus",), "X", "CPUs for each experiment.", False),
    (("--capture", "-c"), "PATH:TAG", "An artifact that the script changes.", True),
    (("--capture-once", "-co"), "PATH:TAG", "An artifact that it reads.", True),
    (("--reuse", "-r"), "EXPERIMENT/TAG:NEWTAG", "An artifact of an earlier experiment.", True),
    (("--config",), "FILE", "StudioML's configuration: its section `optimizer` counts.", False),
    (("--verbose", "-v"), "LEVEL", "Accepted.", False),
    (("--executor",), "NAME", "Of ours: where trials run [local].", False),
    (("--seed",), "N", "Of ours: of the search [drawn].", False),
    (("--trials", "-n"), "N", "Of ours: how many at most [the grid, or as the optimizer ends].", False),
    (("--cloud",), "NAME", "Says what to use instead.", False),
    (("--queue", "-q"), "NAME", "Says what to use instead.", False),
    (("--bid",), "PRICE", "Says what to use instead.", False),
    (("--ssh-keypair",), "NAME", "Says what to use instead.", False),
    (("--cloud-timeout",), "S", "Says what to use instead.", False),
    (("--user-startup-script",), "FILE", "Says what to use instead.", False),
    (("--branch",), "NAME", "Says what to use instead.", False),
    (("--container",), "NAME", "Says what to use instead.", False),
    (("--port",), "PORT", "Says what to use instead.", True),
    (("--ram",), "SIZE", "Says what to use instead.", False),
    (("--hdd",), "SIZE", "Says what to use instead.", False),
    (("--gpuMem", "gpumem"), "SIZE", "Says what to use instead.", False),
    (("--python-pkg",), "NAME", "Says what to use instead.", True),
)
_SWITCHES = (("--guest", "Accepted: there is no one to log in to."),
             ("--force-git", "Accepted: what differs from the commit is recorded."))  # fmt: skip
_TYPES: dict[str, Any] = {"N": click.IntRange(0), "X": click.FloatRange(0)}


class ScriptCommand(click.Command):
    """A command whose flags end at the script."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        flags: list[click.Parameter] = [
            click.Option(names, metavar=metavar, help=text, type=_TYPES.get(metavar), multiple=several)
            for names, metavar, text, several in _FLAGS
        ]
        flags += [click.Option([name], is_flag=True, help=text) for name, text in _SWITCHES]
        words = click.Argument(["words"], nargs=-1, type=click.UNPROCESSED, metavar="script.py [ARGS]...")
        self.params = [*flags, *self.params, words]
        self.context_settings = {**self.context_settings, "allow_interspersed_args": False}


@click.group("studio")
def studio() -> None:
    """Run a script as StudioML does: its values substituted in a copy, its metrics read from TensorBoard's files."""


@studio.command("run", cls=ScriptCommand)
@place_options
@json_option
@click.pass_obj
def run(command_line: list[str], /, *, store: str | None, directory: str | None, form: str, **given: Any) -> int:
    """Run an experiment, or one for each value of the hyperparameters; the best is printed at the end.

    \b
    rung studio run --hyperparam=lr=0.01:0.01:0.1 --metric=val_loss:min train.py 30
    rung studio run -hp lr=1e-5:0.1:l -opt cmaes train.py
    """
    opened = _opened(command_line, store, directory, given)
    workers = given["num_workers"] or opened.handle.state.spec.run.workers
    return carry_on(opened, workers=workers, form=form, flags=place_flags(directory, store))


@studio.command("plan", cls=ScriptCommand)
@place_options
@format_options
@click.pass_obj
def plan(command_line: list[str], /, *, store: str | None, directory: str | None, form: str, **given: Any) -> None:
    """Say what `rung studio run` would do with the same words, and run nothing."""
    from rung.api.planning import planned
    from rung.cli.plan import print_plan

    event, remarks = _event(command_line, store, directory, given)
    for text in remarks:
        say(text)
    print_plan(planned(event), None, form)


def _opened(command_line: list[str], store: str | None, directory: str | None, given: dict[str, Any]) -> Opened:
    """The study, made or found. A project that has ended, or that was another search, gets one more study."""
    from rung.api.creation import create_or_continue
    from rung.model import BadInput

    event, remarks = _event(command_line, store, directory, given)
    opened_store = store_at(find(directory, store).store)
    name = event.spec.name
    stem = name or re.sub(r"[^A-Za-z0-9_-]+", "-", Path(given["words"][0]).stem).strip("-_") or "study"
    try:
        opened = create_or_continue(opened_store, event, stem=stem)
    except BadInput as error:
        if error.place != "--name":
            raise
        opened = None
    if opened is None or opened.how == "finished":
        unnamed = msgspec.structs.replace(event, spec=msgspec.structs.replace(event.spec, name=None))
        opened = create_or_continue(opened_store, unnamed, stem=stem)
    if opened.how == "created":
        say(f"study {opened.handle.name}")
        for text in remarks:
            say(text)
    return opened


def _event(
    command_line: list[str], store: str | None, directory: str | None, given: dict[str, Any]
) -> tuple[ev.StudyCreated, list[str]]:
    """How the study begins, and what is to be said of it before."""
    from rung.api.advice import check_machine
    from rung.api.creation import created_event
    from rung.api.studyfiles import remarks_on

    places = find(directory, store)
    described = _described(given, lambda: store_at(places.store))
    spec = described.spec
    check_machine(spec)
    event = created_event(spec, runs=places.runs, cwd=Path.cwd(), command_line=command_line, surface="cli")
    replaced = [f"--{name.replace('_', '-')}: {text}" for name, text in REPLACED.items() if given.get(name)]
    return event, [*replaced, *described.remarks, *remarks_on(spec)]


def _described(given: dict[str, Any], store: Callable[[], Store]) -> Described:
    """The study that the command line describes, with all that it needs found. Raises `BadInput`."""
    from rung.dialects.studioml.study import study_of
    from rung.plugins import find as find_plugin

    found = study_of(_flags(given, store))
    run = msgspec.structs.replace(found.spec.run, cwd=str(Path.cwd()))
    spec = msgspec.structs.replace(found.spec, run=run)
    if spec.search.method.endswith(".py"):
        spec = _by_generations(spec)
    else:
        find_plugin("search", spec.search.method)
    find_plugin("execute", spec.run.executor)
    return msgspec.structs.replace(found, spec=spec)


def _flags(given: dict[str, Any], store: Callable[[], Store]) -> Flags:
    from rung.dialects.studioml.study import GRID, OPTIMIZER, Flags, artifact

    words = list(given["words"])
    if not words:
        raise click.UsageError("expected a script that ends in .py, or module::function", click.get_current_context())
    script, command = _program(words[0])
    home = str(Path.home())
    capture = [artifact(text, mutable=True, home=home) for text in given["capture"]]
    capture += [artifact(text, mutable=False, home=home) for text in given["capture_once"]]
    return Flags(
        script=script, command=command, arguments=tuple(words[1:]), source=Path(script).read_text("utf-8", "replace"),
        hyperparams=given["hyperparams"], metric=given["metric"], optimizer=_optimizer(given["optimizer"] or GRID),
        workers=given["num_workers"] or 1, max_duration=given["max_duration"], lifetime=given["lifetime"],
        experiment=given["experiment"], name=_name(given), gpus=given["gpus"] or 0.0, cpus=given["cpus"] or 0.0,
        capture=tuple(capture), reuse=tuple(_reused(text, store) for text in given["reuse"]),
        executor=given["executor"] or "local", seed=given["seed"], trials=given["trials"] or None,
        section=OPTIMIZER if given["config"] is None else _section(given["config"]),
    )  # fmt: skip


def _program(word: str) -> tuple[str, tuple[str, ...]]:
    """The script's path, relative to the working directory, and the words that run it. Raises `BadInput`."""
    from rung.model import BadInput

    python = "python" if shutil.which("python") else "python3"
    module, colons, function = word.partition("::")
    if colons:
        script = f"{module.replace('.', '/')}.py"
        if not function.isidentifier() or not Path(script).is_file():
            raise BadInput(f"expected module::function, with {script} in this directory", place=word)
        code = f"import sys; sys.path.insert(0, ''); from {module} import {function}; {function}()"
        return script, (python, "-c", code)
    if not word.endswith(".py"):
        raise BadInput("is no script: expected one that ends in .py (Rung runs no experiment again by its key: "
                       "rung retry STUDY TRIAL)", place=word)  # fmt: skip
    path = Path(word)
    if not path.is_file():
        raise BadInput(f"the script {word} does not exist in {Path.cwd()}", place="studio run")
    own = path.absolute()
    if not own.is_relative_to(Path.cwd()) or ".." in path.parts:
        raise BadInput(f"the script must be in the working directory, of which each trial gets a copy: cd {own.parent}",
                       place=word)  # fmt: skip
    script = str(own.relative_to(Path.cwd()))
    return script, (python, script)


def _optimizer(text: str) -> str:
    """A name, or the path of a file that is there. Raises `BadInput`."""
    from rung.model import BadInput

    path = Path(text).expanduser()
    if not text.endswith(".py"):
        return text
    if not path.is_file():
        raise BadInput("no such file", place=f"--optimizer {text}")
    return str(path.absolute())


def _name(given: dict[str, Any]) -> str | None:
    """The study's: that of the project, else of the experiment, with what no study's name may hold as dashes."""
    from rung.dialects import check_study_name

    text = given["project"] or given["experiment"]
    if not text:
        return None
    place = "--project" if given["project"] else "--experiment"
    return check_study_name(re.sub(r"[^A-Za-z0-9._-]+|\.(?=\.)", "-", text).lstrip("._-"), place=place)


def _section(file: str) -> Any:
    from rung.dialects import read_text
    from rung.dialects.documents import parse
    from rung.dialects.studioml.study import optimizer_section

    return optimizer_section(parse(read_text(Path(file)), file=file)[0], place=file)


def _by_generations(spec: StudySpec) -> StudySpec:
    """The spec with as many proposals at a time as the optimizer's generations have, where several run at once."""
    if spec.run.workers == 1:
        return spec
    from rung.model import BadInput
    from rung.plugins import searcher_class
    from rung.search.base import Problem
    from rung.search.generations import population_size
    from rung.space import Space

    problem = Problem(
        space=Space(spec.parameters, spec.constraints), seed=spec.search.seed or 0, search=spec.search,
        objectives=spec.objectives, budget=spec.budget, workers=spec.run.workers,
    )  # fmt: skip
    try:
        size = population_size(searcher_class(spec.search.method), problem)
    except BadInput:
        raise
    except Exception as error:
        raise BadInput(f"asked for its first generation, it raised {type(error).__name__}: {error}",
                       place=spec.search.method) from error  # fmt: skip
    return msgspec.structs.replace(spec, search=msgspec.structs.replace(spec.search, batch=size))


def _reused(text: str, store: Callable[[], Store]) -> Artifact:
    """The artifact that `EXPERIMENT/TAG:NEWTAG` means, where it is now. Raises `BadInput`."""
    from rung.dialects.studioml.study import Artifact, is_tag
    from rung.model import BadInput

    external, colon, new = text.rpartition(":")
    key, slash, tag = (external if colon else text).rpartition("/")
    new = new if colon else tag
    if not slash or not key or not is_tag(tag) or not is_tag(new):
        raise BadInput(f"expected EXPERIMENT/TAG:NEWTAG, got {text!r}", place="--reuse")
    folder = _experiment_folder(key, store())
    own = {"tb": "tb", "modeldir": "modeldir", "workspace": "workspace", "output": "stdout", "retval": "retval"}
    paths = [folder / "artifacts" / tag, folder / "artifacts" / f"{tag}.npy"]
    paths += [folder / own[tag]] if tag in own else []
    path = next((each for each in paths if each.exists()), None)
    if path is None:
        raise BadInput(f"the experiment {key} has no artifact {tag!r} ({folder})", place="--reuse")
    return Artifact(path=str(path), tag=new)


def _experiment_folder(key: str, store: Store) -> Path:
    """Where the last attempt of an experiment is: that of `NAME__TRIAL`, or of a study's best (or last) trial."""
    from rung.cli.showing import trial_folder
    from rung.model import BadInput

    name, _, number = key.rpartition("__")
    if not name or not number.isdigit():
        name, number = key, ""
    handle = _study_of(name, store)
    if handle is None:
        raise BadInput(f"there is no experiment {key!r}: expected a study, an --experiment, or either with __TRIAL",
                       place="--reuse")  # fmt: skip
    best = handle.best(top=1)
    trial = int(number) if number else best[0].number if best else len(handle.state) - 1
    folder = trial_folder(handle, trial) if 0 <= trial < len(handle.state) else None
    if folder is None:
        raise BadInput(f"the experiment {key!r} has not run", place="--reuse")
    return folder


def _study_of(name: str, store: Store) -> Handle | None:
    """The study of that name, else the newest whose experiments are called so."""
    from rung.api.handle import Handle

    rows: Sequence[Any] = list(store.studies())
    if any(row.name == name for row in rows):
        return Handle(store, name)
    for row in reversed(rows):
        handle = Handle(store, row.name)
        program = handle.state.spec.program
        if program is not None and program.settings.get("experiment") == name:
            return handle
    return None


COMMANDS = {"studio": studio}
