"""`tune`: a whole search on a Python function, in one call."""

from __future__ import annotations

import contextlib
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from rung.api.asktell import Study
from rung.api.attachment import run_beside, run_forked, run_inline
from rung.api.creation import Opened, create_or_continue, created_event
from rung.api.goals import objectives
from rung.api.mirroring import Mirroring, check_new
from rung.api.places import find_places
from rung.api.progress import Progress
from rung.api.targets import budgeted
from rung.api.warmstart import studies_named
from rung.dialects import check_study_name, spec_from_tree
from rung.model import BadInput, StudySpec
from rung.plugins import find, open_store, policy_for
from rung.runner.loop import Runner, Settings
from rung.space.declare import parameters_from

if TYPE_CHECKING:
    from rung.execute.base import Executor

Objective = Callable[[dict[str, Any]], Any]


def tune(
    objective: Objective | str,
    space: Mapping[str, Any],
    *,
    metric: str | Sequence[str] = "value",
    goal: str | float | Sequence[str | float] = "minimize",
    trials: int | None = None,
    workers: int = 1,
    seed: int | None = None,
    time: float | str | None = None,
    target: float | None = None,
    search: str | Mapping[str, Any] = "auto",
    schedule: str | Mapping[str, Any] = "none",
    budget: Mapping[str, Any] | None = None,
    checkpoint: bool | Mapping[str, Any] | None = None,
    constraints: Sequence[str] = (),
    start: str | Sequence[Mapping[str, Any]] = "random",
    timeout: float | str | None = None,
    retries: int = 0,
    max_failures: int | None = None,
    repeats: int = 1,
    deterministic: bool = False,
    store: str | None = None,
    name: str | None = None,
    warm_start: Sequence[str] = (),
    mirrors: Sequence[str] = (),
    dir: str | None = None,  # noqa: A002 - the name that the command line uses
) -> Study:
    """The study after the search: `study.best.params`, `study.best.value`, `study.trials`, `study.dataframe()`.

    `objective(params)` returns the metric, or a dict of metrics, and may `rung.report` on the way; or it is the text
    `module:function` or `file.py:function`. With one worker it runs in this thread, where a breakpoint works; with
    more it runs in processes: forked from this one on Linux (so a lambda will do), elsewhere by import. In memory
    unless `store` or `name` is given; a `name` whose study is unfinished goes on. `warm_start` names studies of the
    same store to learn from. `search` and `schedule` are names, or mappings as in a study file (`{"method": "asha",
    "max": 81}`); so are `budget` (what ends the study, beside the four that have a name here) and `checkpoint` (which
    are kept). `mirrors` are addresses of other tools' records that are kept in step (docs/mirrors.md). Times are
    seconds or text like "2h30m". Raises `BadInput` for what cannot be searched, `KeyboardInterrupt` on Ctrl-C (the
    study can go on).
    """
    if not isinstance(objective, str) and not callable(objective):
        raise BadInput(
            f"expected a function, or the text module:function, got {objective!r}", place="tune", key="objective"
        )
    settings = {
        "search": {"seed": seed, "repeats": repeats, **_section("search", search)},
        "schedule": _section("schedule", schedule),
        "checkpoint": checkpoint,
        "budget": {"trials": trials, "time": time, "target": target, "max_failures": max_failures, **(budget or {})},
        "run": {
            "workers": workers, "timeout": timeout, "retries": retries, "cwd": str(Path.cwd()), "mirrors": [*mirrors],
        },
    }  # fmt: skip
    spec = msgspec.structs.replace(
        spec_from_tree({**settings, "parameters": {}}, place="tune"),
        name=None if name is None else check_study_name(name, place="tune", key="name"),
        function=objective if isinstance(objective, str) else _importable(objective),
        parameters=parameters_from(space),
        constraints=(constraints,) if isinstance(constraints, str) else tuple(constraints),
        objectives=objectives(metric, goal),
        start=start if isinstance(start, str) else tuple(dict(point) for point in start),
    )
    spec, _ = budgeted(spec)
    earlier = studies_named(warm_start)
    if earlier and (store, name, dir) == (None, None, None):
        raise BadInput("needs a store that holds these studies: give store= or name=", place="tune", key="warm_start")
    with _kept(store, name, dir) as (url, runs):
        event = created_event(
            spec, runs=runs, cwd=Path.cwd(), command_line=sys.argv, surface="python", deterministic=deterministic
        )
        stem = getattr(objective, "__name__", "study").strip("<>")
        kept = open_store(url)
        check_new(event, kept)
        opened = create_or_continue(kept, event, stem=stem, warm_start=earlier, place="warm_start")
        if opened.how != "finished":
            _search(opened, objective, spec, runs)
    return Study.joined(opened.handle)


def load(name: str, *, store: str | None = None) -> Study:
    """The study of that name. Raises `UnknownStudy`, `StoreUnusable`."""
    from rung.api.handle import Handle

    return Study.joined(Handle(open_store(find_places(store=store).store), name))


def _section(key: str, given: str | Mapping[str, Any]) -> dict[str, Any]:
    """A section of a study file; a name alone is its method. Raises `BadInput`."""
    if not isinstance(given, str | Mapping):
        raise BadInput(
            f"expected the name of a method, or a mapping with `method`, got {given!r}", place="tune", key=key
        )
    return {"method": given} if isinstance(given, str) else dict(given)


@contextlib.contextmanager
def _kept(store: str | None, name: str | None, directory: str | None) -> Iterator[tuple[str, Path]]:
    """Where the study is kept and its trials write: places that stay, or memory and a folder that goes."""
    if store is not None or name is not None or directory is not None:
        places = find_places(store=store, directory=directory)
        yield places.store, places.runs
        return
    with tempfile.TemporaryDirectory(prefix="rung-") as folder:
        yield "memory://", Path(folder)


def _importable(objective: Objective) -> str | None:
    """`module:function` when importing that gives this very object, so that `rung resume` can run it too."""
    module, name = getattr(objective, "__module__", None), getattr(objective, "__qualname__", "<lambda>")
    if module in {None, "__main__"} or "<" in name:
        return None
    found: Any = sys.modules.get(str(module))
    for part in name.split("."):
        found = getattr(found, part, None)
    return f"{module}:{name}" if found is objective else None


def _search(opened: Opened, objective: Objective | str, spec: StudySpec, runs: Path) -> None:
    handle = opened.handle
    own = spec.run.workers if spec.run.workers != handle.state.spec.run.workers else None
    settings = Settings(study=handle.name, runs=runs, workers=own)
    progress = Progress(spec.budget.trials)
    mirroring = Mirroring(handle, runs=runs, say=progress.say)
    for text in opened.notes:
        progress.say(text)

    def make(executor: Executor) -> Runner:
        mirroring.start()  # not earlier: objectives are forked from a process without threads
        observe = mirroring.beside(progress.update)
        return Runner(handle.store, executor, policy_for, settings, observe=observe, say=progress.say)

    why = "error"
    try:
        if isinstance(objective, str):
            why = run_beside(_local, make)
        elif spec.run.workers == 1:
            why = run_inline(objective, make)
        elif platform.system() == "Linux":
            why = run_forked(objective, make)
        elif spec.function is not None:
            why = run_beside(_local, make)
        else:
            raise BadInput(
                "more than one worker needs a function that can be imported by name on this system: "
                "move the objective into a module of its own, or use workers=1",
                place="tune",
                key="workers",
            )
    finally:
        mirroring.finish(why)
        progress.close()
        handle.refresh()
    if why == "interrupted":
        raise KeyboardInterrupt


def _local() -> Executor:
    made: Executor = find("execute", "local")()
    return made
