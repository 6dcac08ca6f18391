"""Names to classes, by the entry points that a third party uses too, or by a file that the user names.

Groups: `rung.search`, `rung.schedule`, `rung.store`, `rung.execute`, `rung.dialects`. Only what a user writes on a
command line or in a study file is ever loaded; nothing that a store, a page or a trial says is (ARCHITECTURE rule 13).
"""

from __future__ import annotations

import importlib.util
import inspect
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rung.dialects.names import did_you_mean
from rung.model import BadInput
from rung.schedule.base import Contest
from rung.search.base import Problem, Searcher
from rung.study.policy import Combined, Policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rung.store.base import Store
    from rung.study.state import State

WORDS = {"search": "searcher", "schedule": "scheduler", "execute": "executor", "dialects": "dialect"}


@cache
def names(group: str) -> dict[str, Any]:
    """The entry points of `rung.GROUP` by name."""
    return {point.name: point for point in entry_points(group=f"rung.{group}")}


def find(group: str, name: str) -> Any:
    """The class registered as `name`. Raises `BadInput` naming the nearest known one."""
    known = names(group)
    if name not in known:
        raise BadInput(f"unknown {WORDS.get(group, group)} {name!r}{did_you_mean(name, known)}")
    return known[name].load()


def searcher_class(name: str) -> type[Any]:
    """The searcher of that name, or the one that the file `name` defines."""
    return _from_file(Path(name), "suggest") if name.endswith(".py") else find("search", name)


def scheduler_class(name: str) -> type[Any]:
    """The scheduler of that name, or the one that the file `name` defines."""
    return _from_file(Path(name), "resource") if name.endswith(".py") else find("schedule", name)


def _from_file(path: Path, method: str) -> type[Any]:
    """The one class of a plug-in file that has `method` and was defined there."""
    spec = importlib.util.spec_from_file_location(f"rung_plugin_{path.stem}", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise BadInput(f"{path}: no such file; name a plug-in file or one of the built-in algorithms")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = [
        item
        for item in vars(module).values()
        if inspect.isclass(item) and item.__module__ == module.__name__ and callable(getattr(item, method, None))
    ]
    if len(found) != 1:
        raise BadInput(f"{path}: expected one class with a method `{method}`, found {len(found)}")
    return found[0]


def _check_options(given: Mapping[str, Any], known: Mapping[str, Any], *, of: str) -> None:
    for name in given:
        if name not in known:
            raise BadInput(f"{of} has no option `{name}`{did_you_mean(name, known) if known else '; it takes none'}")


def make_searcher(state: State) -> Searcher:
    """The study's searcher, fresh. Raises `BadInput` for an unknown one or an option that it does not have."""
    spec = state.created.spec  # not as edited since: what a searcher does must not depend on when it was made
    kind = searcher_class(spec.search.method)
    _check_options(spec.search.options, kind.options, of=f"search: {spec.search.method}")
    problem = Problem(
        space=state.space, seed=state.seed, search=spec.search, objectives=spec.objectives, outcomes=spec.outcomes,
        budget=spec.budget, workers=spec.run.workers,
    )  # fmt: skip
    searcher: Searcher = kind(problem)
    return searcher


def policy_for(state: State) -> Policy:
    """The study's policy, fresh: it has seen nothing of the state's history beyond what a fold would show it.

    A state that comes from a snapshot has a history: the policy is brought up to it from the columns.
    """
    spec = state.spec
    kind = scheduler_class(spec.schedule.method)
    _check_options(spec.schedule.options, kind.options, of=f"schedule: {spec.schedule.method}")
    contest = Contest(schedule=spec.schedule, objectives=spec.objectives, seed=state.seed)
    policy = Combined(state, make_searcher(state), kind(contest))
    policy.catch_up(state)
    return policy


def open_store(url: str) -> Store:
    """The store at an address such as `sqlite:///runs/rung.db` or `memory:`. Raises `BadInput`, `StoreUnusable`."""
    scheme = url.partition(":")[0]
    store: Store = find("store", scheme)(url)
    return store
