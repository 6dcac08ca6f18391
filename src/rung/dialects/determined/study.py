"""An experiment configuration, checked, as a `StudySpec`; and what there is to say of it before it starts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from rung.dialects.determined import configuration as conf
from rung.dialects.determined.hyperparameters import leaves, parameters, uncounted, uncounted_names
from rung.dialects.determined.searchers import deprecated, read_searcher
from rung.dialects.determined.settings import DIALECT, Settings
from rung.model import Budget, CheckpointSpec, Objective, Program, RunSettings, SearchSpec, StudySpec
from rung.space import Space

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rung.dialects.determined.hyperparameters import Leaf
    from rung.dialects.determined.searchers import Search
    from rung.dialects.values import Value
    from rung.model import BadInput, Parameter

MOST_STEP_GRID = 2000


def read_study(root: Value) -> StudySpec:
    """The study that the whole configuration describes. Raises `BadInput`."""
    fields, era = conf.fields_of(root)
    conf.check_values(root)
    conf.check_sections(fields, era)
    search = read_searcher(fields["searcher"], era)
    found = leaves(fields["hyperparameters"]) if "hyperparameters" in fields else []
    if search.grid:
        _check_grid(fields, found, search)
    declared, paths = parameters(found, grid=search.grid)
    trials = search.trials or _points(declared, fields, search)
    slots = conf.slots(fields)
    gpus = usable_gpus(slots)
    seed = conf.experiment_seed(fields)
    settings = Settings(
        entrypoint=conf.entrypoint(fields), era=era, config=conf.defaulted(root.value, era), searcher=search.name,
        metric=search.metric, smaller_is_better=search.smaller_is_better, resource=search.schedule.resource,
        units=search.length.units if search.length else None, length=search.length.amount if search.length else None,
        time_metric=search.time_metric,
        batches_per_step=conf.whole(fields, "batches_per_step", conf.BATCHES_PER_STEP, least=1),
        records_per_epoch=conf.whole(fields, "records_per_epoch", 0),
        scheduling_unit=conf.whole(fields, "scheduling_unit", conf.BATCHES_PER_STEP, least=1),
        slots_per_trial=slots, experiment_seed=seed, environment=conf.environment(fields, gpus=gpus > 0), paths=paths,
    )  # fmt: skip
    return StudySpec(
        program=Program(dialect=DIALECT, settings=settings.to_json()),
        parameters=declared,
        objectives=(_objective(search),),
        search=_proposals(search, declared, seed, trials),
        schedule=search.schedule,
        checkpoint=conf.checkpoints(fields) if "checkpoint_storage" in fields else CheckpointSpec(),
        budget=Budget(trials=trials, on_failure="continue"),
        run=RunSettings(gpus=gpus, retries=conf.whole(fields, "max_restarts", conf.MAX_RESTARTS)),
    )


def _objective(search: Search) -> Objective:
    """Halving judges by each report as it comes; of trials that run to their end the best validation counts."""
    goal = "minimize" if search.smaller_is_better else "maximize"
    value = "best" if search.schedule.method == "none" else "last"
    return Objective(metric=search.metric, goal=goal, value=value)  # type: ignore[arg-type]


def _proposals(search: Search, declared: tuple[Parameter, ...], seed: int | None, trials: int) -> SearchSpec:
    """Every draw is independent of the others: of finitely many configurations one may come again. A grid is walked
    from its end, as trials are taken from there; the first versions began at its beginning."""
    if search.grid:
        options = {} if search.era == "0.12" else {"backwards": True}
        return SearchSpec(method="grid", seed=seed, options=options)
    if trials > 1 and Space(declared).size is not None:
        return SearchSpec(method="random", seed=seed, repeats=trials, options={"independent": True})
    return SearchSpec(method="random", seed=seed)


def _points(declared: tuple[Parameter, ...], fields: Mapping[str, Value], search: Search) -> int:
    """How many points the grid has."""
    points = 1
    for parameter in declared:
        points *= len(parameter.values or (None,))
    if search.era == "0.12" and points > MOST_STEP_GRID:
        raise fields["searcher"].error(f"number of trials for grid search must be <= {MOST_STEP_GRID}")
    if points.bit_length() > 62:
        raise fields["searcher"].error("the grid has more points than can be counted; leave some values out")
    return points


def _check_grid(fields: Mapping[str, Value], found: list[Leaf], search: Search) -> None:
    if not found:
        raise fields["searcher"].error("a grid over no hyperparameters has no trials; name the searcher `single`")
    if search.era == "0.12":
        if names := uncounted_names(found):
            listed = ", ".join(names)
            raise fields["searcher"].error(f"these hyperparameters must specify counts for grid search: {listed}")
        return
    if error := next(grid_errors(fields), None):
        raise error


def grid_errors(fields: Mapping[str, Value]) -> Any:
    """What is wrong with the hyperparameters as a grid, one after the other."""
    return uncounted(fields["hyperparameters"])


def usable_gpus(slots: int) -> int:
    """How many GPUs a trial that asks for so many slots gets: as many of them as this machine has."""
    if slots == 0:
        return 0
    from rung.execute.devices import find_gpus, installed_gpus  # asks the system: only where GPUs are asked for

    return min(slots, len(find_gpus(os.environ, installed_gpus())))


def warnings_of(root: Value) -> list[tuple[BadInput, str]]:
    """The places of fields that the last versions warn about, and what they say."""
    searcher = root.value.get("searcher") if isinstance(root.value, dict) else None
    if not isinstance(searcher, dict):
        return []
    return [
        (root.error("", "searcher", field), deprecated(field))
        for field in ("max_length", "stop_once")
        if searcher.get(field) is not None
    ]
