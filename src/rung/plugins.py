"""Names to classes, by the entry points that a third party uses too, or by a file that the user names.

Groups: `rung.search`, `rung.schedule`, `rung.store`, `rung.execute`, `rung.dialects`, `rung.mirror`. Only what a user
writes on a command line or in a study file is ever loaded; nothing that a store, a page or a trial says is
(ARCHITECTURE rule 13).
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from rung.dialects.names import did_you_mean
from rung.mirrors.address import absolute
from rung.model import BadInput, RungError
from rung.runner.draws import Draws
from rung.schedule.base import Contest, Scheduler
from rung.search.base import Problem, Searcher
from rung.search.racing import Raced
from rung.study.guard import raised
from rung.study.policy import Combined, Policy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from rung.model import StudySpec
    from rung.runner.jobs import Launcher
    from rung.store.base import Store
    from rung.study.state import State

FOREIGN_LIMIT_S = 60.0  # how long a proposal of somebody else's searcher may take, when the study does not say
USUAL = {
    "store": {"sqlite": ("rung.store.sqlite", "SqliteStore")},
    "execute": {"local": ("rung.execute.local", "LocalExecutor")},
    "search": {"auto": ("rung.search.auto", "Auto")},
    "schedule": {"none": ("rung.schedule.none", "RunToTheEnd")},
}
"""What nearly every start of `rung` uses, known without a look at all that is installed. Entry points like the rest."""
WORDS = {"search": "searcher", "schedule": "scheduler", "execute": "executor", "dialects": "dialect"}


@cache
def names(group: str) -> dict[str, Any]:
    """The entry points of `rung.GROUP` by name."""
    return {point.name: point for point in _installed().select(group=f"rung.{group}")}


@cache
def _installed() -> Any:
    """The entry points of all that is installed, looked for once: each search reads a file of every distribution."""
    from importlib.metadata import entry_points  # brings the parser of mail along: only what loads a plug-in pays

    return entry_points()


def find(group: str, name: str) -> Any:
    """The class registered as `name`, or a part of a family as `name:part` (`optuna:TPESampler`). Raises `BadInput`
    naming the nearest known one."""
    if name in USUAL.get(group, ()):
        module, attribute = USUAL[group][name]
        return getattr(importlib.import_module(module), attribute)
    known = names(group)
    family, colon, part = name.partition(":")
    if family not in known:
        raise BadInput(f"unknown {WORDS.get(group, group)} {name!r}{did_you_mean(name, known)}")
    found = known[family].load()
    if colon and not hasattr(found, "named"):
        raise BadInput(f"the {WORDS.get(group, group)} {family} takes no name after it: give {family!r} alone")
    return found.named(part) if colon else found


def searcher_class(name: str) -> type[Any]:
    """The searcher of that name, or the one that the file `name` defines: a class with `suggest`, or one with `ask` and
    `tell` in an adapter."""
    found = _from_file(Path(name), ("suggest",), ("ask", "tell")) if name.endswith(".py") else find("search", name)
    if hasattr(found, "named"):
        raise BadInput(f"{name} is a family: give one of it as {name}:NAME")
    return found if hasattr(found, "suggest") else _adapted(found, name)


def _adapted(found: Any, name: str) -> type[Any]:
    from rung.search import generations  # both only for plug-ins
    from rung.search.asktell import adapted

    if not (hasattr(found, "ask") and hasattr(found, "tell")):
        raise BadInput(f"{name} is no searcher: it has neither `suggest` nor `ask` and `tell`")
    if generations.is_optimizer(found):
        return generations.adapted(found, Draws)
    return adapted(found)


def scheduler_class(name: str) -> type[Any]:
    """The scheduler of that name, or the one that the file `name` defines."""
    return _from_file(Path(name), ("next", "levels")) if name.endswith(".py") else find("schedule", name)


def _from_file(path: Path, *kinds: tuple[str, ...]) -> type[Any]:
    """The one class of a plug-in file that has the methods of the first of `kinds` that any has."""
    if not path.is_file():
        raise BadInput(f"{path}: no such file; name a plug-in file or one of the built-in algorithms")
    module = _loaded(path, path.stat().st_mtime_ns)
    classes = [item for item in vars(module).values() if inspect.isclass(item) and item.__module__ == module.__name__]
    for methods in kinds:
        found = [item for item in classes if all(callable(getattr(item, method, None)) for method in methods)]
        if len(found) == 1:
            return found[0]
        if found:
            which = ", ".join(item.__name__ for item in found)
            raise BadInput(f"{path}: expected one class with {_methods(methods)}, found {len(found)} ({which})")
    wanted = ", or with ".join(_methods(methods) for methods in kinds)
    raise BadInput(f"{path}: expected a class with {wanted}, found none")


def _methods(methods: tuple[str, ...]) -> str:
    return " and ".join(f"`{method}`" for method in methods)


@lru_cache(maxsize=64)
def _loaded(path: Path, changed: int) -> ModuleType:
    """The file as a module, made once for each time it was written (`changed`)."""
    name = f"rung_plugin_{path.stem}_{changed}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None  # its name ends with .py
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # dataclasses look themselves up there
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise BadInput(f"{path} cannot be loaded: it {raised(error).what}") from error
    return module


def is_foreign(kind: type[Any]) -> bool:
    """Whether a searcher is somebody else's: it is waited for only so long."""
    return bool(getattr(kind, "foreign", not kind.__module__.startswith("rung.")))


def plugin_files(spec: StudySpec) -> list[Path]:
    """The plug-in files that a spec names."""
    return [Path(name) for name in (spec.search.method, spec.schedule.method) if name.endswith(".py")]


def located(spec: StudySpec, folder: Path) -> StudySpec:
    """The spec with plug-in files and those of mirrors named in full, since the study may be resumed from anywhere."""
    search, schedule = (
        msgspec.structs.replace(part, method=str(folder / part.method)) if part.method.endswith(".py") else part
        for part in (spec.search, spec.schedule)
    )
    mirrors = tuple(absolute(address, folder) for address in spec.run.mirrors)
    run = msgspec.structs.replace(spec.run, mirrors=mirrors) if mirrors else spec.run
    return msgspec.structs.replace(spec, search=search, schedule=schedule, run=run)


def _check_options(given: Mapping[str, Any], known: Mapping[str, Any], *, of: str) -> None:
    for name in given:
        if name not in known:
            raise BadInput(f"{of} has no option `{name}`{did_you_mean(name, known) if known else '; it takes none'}")


def make_searcher(state: State) -> Searcher:
    """The study's searcher, fresh. Raises `BadInput` for an unknown one or an option that it does not have."""
    spec = state.created.spec  # not as edited since: what a searcher does must not depend on when it was made
    kind = searcher_class(spec.search.method)
    _check_options(spec.search.options, getattr(kind, "options", {}), of=f"search: {spec.search.method}")
    problem = Problem(
        space=state.space, seed=state.seed, search=spec.search, objectives=spec.objectives, outcomes=spec.outcomes,
        budget=spec.budget, workers=spec.run.workers, space_version=len(state.spaces),
    )  # fmt: skip
    try:
        raced = spec.search.repeats > 1 and not spec.search.options.get("independent")
        searcher: Searcher = Raced(problem, kind) if raced else kind(problem)
    except RungError:
        raise
    except (Exception, SystemExit) as error:
        if not is_foreign(kind):
            raise
        raise BadInput(f"search: {spec.search.method} cannot be made: it {raised(error).what}") from error
    return searcher


def make_scheduler(state: State) -> Scheduler:
    """The study's scheduler, fresh. Raises `BadInput` for an unknown one or an option that it does not have."""
    spec = state.spec
    kind = scheduler_class(spec.schedule.method)
    _check_options(spec.schedule.options, kind.options, of=f"schedule: {spec.schedule.method}")
    contest = Contest(
        schedule=spec.schedule, objectives=spec.objectives, seed=state.seed, outcomes=spec.outcomes, space=state.space,
        budget=state.created.spec.budget, workers=state.created.spec.run.workers,
    )  # fmt: skip
    scheduler: Scheduler = kind(contest)
    return scheduler


def policy_for(state: State) -> Policy:
    """The study's policy, fresh: it has seen nothing of the state's history beyond what a fold would show it.

    A state that comes from a snapshot has a history: the policy is brought up to it from the columns.
    """
    spec = state.spec
    foreign = is_foreign(searcher_class(spec.search.method))
    limit_s = spec.search.timeout_s or (FOREIGN_LIMIT_S if foreign else None)
    policy = Combined(state, make_searcher, make_scheduler(state), limit_s=limit_s)
    policy.catch_up(state)
    return policy


def launcher_for(spec: StudySpec) -> Launcher:
    """How the study's trials are started: our own way, or as the dialect of its program does."""
    from rung.runner.jobs import native  # only who runs trials pays

    if spec.program is None:
        return native
    launch: Launcher = find("dialects", spec.program.dialect)().launch
    return launch


def open_store(url: str) -> Store:
    """The store at an address such as `sqlite:///runs/rung.db` or `memory:`. Raises `BadInput`, `StoreUnusable`."""
    scheme = url.partition(":")[0]
    store: Store = find("store", scheme)(url)
    return store
