"""Experiment configurations of the four eras as specs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dialects.determined.material import complaint, read, remarks, searcher
from rung.dialects import spec_to_tree, to_yaml
from rung.dialects.base import NoProgram
from rung.dialects.determined.reader import DeterminedDialect
from rung.dialects.determined.settings import Settings, from_json, nested
from rung.dialects.documents import parse
from rung.dialects.rung.reader import spec_from_tree
from rung.execute.base import Place
from rung.model import CheckpointSpec, StudySpec
from rung.schedule.adaptive.scheduler import Adaptive
from rung.schedule.base import Contest
from rung.testing.studies import World

ASHA = {"name": "adaptive_asha", "max_trials": 32, "time_metric": "batches", "max_time": 1024}


def settings_of(spec: StudySpec) -> Settings:
    assert spec.program is not None
    return from_json(json.loads(json.dumps(spec.program.settings)))


def rungs(spec: StudySpec) -> list[tuple[int, list[int]]]:
    contest = Contest(schedule=spec.schedule, objectives=spec.objectives, seed=0, budget=spec.budget)
    return [(shape.trials, list(shape.units)) for shape in Adaptive(contest).shapes]


# ---------------------------------------------------------------------------------------------------------- the eras


@pytest.mark.parametrize(
    ("fields", "era", "resource", "kind"),
    [
        ({"max_time": 1024, "time_metric": "batches"}, "0.38", "batches", "stopping"),
        ({"max_time": 1024, "time_metric": "my_clock"}, "0.38", "my_clock", "stopping"),
        ({"max_length": {"batches": 1024}}, "0.15", "batches", "promotion"),
        ({"max_length": {"records": 1024}}, "0.15", "records", "promotion"),
        ({"max_length": {"epochs": 1024}, "stop_once": True}, "0.15", "epochs", "stopping"),
        ({"max_length": 1024}, "0.15", "length", "promotion"),
        ({"max_length": {"batches": 5}, "max_time": 1024, "time_metric": "b"}, "0.38", "b", "stopping"),
    ],
)
def test_every_era_of_asha_has_the_same_rungs(fields: dict[str, Any], era: str, resource: str, kind: str) -> None:
    spec = read(searcher(name="adaptive_asha", max_trials=32, **fields))
    assert rungs(spec) == [(24, [64, 256, 1024]), (8, [256, 1024])]
    assert (settings_of(spec).era, spec.schedule.resource, spec.schedule.options["type"]) == (era, resource, kind)
    assert settings_of(spec).length == 1024
    assert spec.budget.trials == 32


def test_the_seed_page_s_configuration() -> None:
    spec = read(searcher(name="adaptive_simple", max_steps=1024, max_trials=32))
    assert [trials for trials, _ in rungs(spec)] == [11, 11, 10]
    assert next(units for _, units in rungs(spec)) == [4, 16, 64, 256, 1024]
    assert (settings_of(spec).era, settings_of(spec).units, spec.schedule.resource) == ("0.12", "steps", "steps")


@pytest.mark.parametrize(
    ("fields", "more", "era"),
    [
        ({"name": "single", "max_steps": 9}, {}, "0.12"),
        ({"name": "single", "max_steps": 9}, {"batches_per_step": 16, "min_checkpoint_period": 2}, "0.12"),
        ({"name": "adaptive_simple", "max_trials": 4, "max_length": {"batches": 9}}, {}, "0.13"),
        ({"name": "single", "max_length": {"batches": 9}}, {"min_validation_period": {"epochs": 1}}, "0.15"),
        ({"name": "single"}, {}, "0.38"),
    ],
)
def test_the_keys_tell_the_era(fields: dict[str, Any], more: dict[str, Any], era: str) -> None:
    settings = settings_of(read(searcher(**fields) | more))
    assert settings.era == era
    assert settings.batches_per_step == more.get("batches_per_step", 100)
    assert settings.length == (fields.get("max_steps") or (fields.get("max_length") or {}).get("batches"))


# ----------------------------------------------------------------------------------------------------- what is read


def test_a_whole_configuration() -> None:
    spec = read(
        searcher(**ASHA, smaller_is_better=False)
        | {
            "max_restarts": 3,
            "reproducibility": {"experiment_seed": 999},
            "checkpoint_storage": {"save_experiment_best": 2, "save_trial_best": 0, "save_trial_latest": 3},
            "environment": {"environment_variables": ["A=1", "B=x=y", "C="]},
            "records_per_epoch": 500,
            "scheduling_unit": 20,
            "resources": {"slots_per_trial": 0},
            "name": "vision transformer, adaptive!",
        }
    )
    assert (spec.objectives[0].metric, spec.objectives[0].goal) == ("loss", "maximize")
    assert (spec.run.retries, spec.search.seed, spec.run.gpus, spec.run.workers) == (3, 999, 0, 1)
    assert spec.checkpoint == CheckpointSpec(study_best=2, trial_best=0, trial_latest=3)
    settings = settings_of(spec)
    assert settings.environment == {"A": "1", "B": "x=y", "C": ""}
    assert (settings.records_per_epoch, settings.scheduling_unit, settings.slots_per_trial) == (500, 20, 0)
    assert settings.experiment_seed == 999
    assert spec.name is None  # a name of theirs is a title, given to many experiments
    assert settings.config["name"] == "vision transformer, adaptive!"


def test_what_is_not_said_is_as_it_is_by_default() -> None:
    spec = read(searcher(**ASHA))
    assert spec.run.retries == 5
    assert spec.checkpoint == CheckpointSpec(study_best=0, trial_best=1, trial_latest=1)
    assert spec.schedule.options["max_concurrent_trials"] == 16
    config = settings_of(spec).config
    assert config["searcher"]["divisor"] == 4
    assert config["min_validation_period"] == {"batches": 0}
    assert config["optimizations"]["aggregation_frequency"] == 1


def test_null_is_as_good_as_absent() -> None:
    given = searcher(**ASHA, divisor=None, mode=None, source_trial_id=None) | {"max_restarts": None, "data": None}
    assert read(given) == read(searcher(**ASHA))


@pytest.mark.parametrize(("name", "value"), [("single", "best"), ("random", "best"), ("adaptive_asha", "last")])
def test_which_validation_counts(name: str, value: str) -> None:
    fields = ASHA if name == "adaptive_asha" else {"name": name} | ({"max_trials": 3} if name == "random" else {})
    assert read(searcher(**fields)).objectives[0].value == value


@pytest.mark.parametrize(
    ("entrypoint", "kept"),
    [
        ("model_def:MNistTrial", "model_def:MNistTrial"),
        ("python3 -m x 'a b'", "python3 -m x 'a b'"),
        (["python3", "train.py", "--x=a b"], ("python3", "train.py", "--x=a b")),
        (None, None),
    ],
)
def test_the_entrypoint_is_text_or_words(entrypoint: Any, kept: Any) -> None:
    spec = read(searcher(name="single") | {"entrypoint": entrypoint})
    assert settings_of(spec).entrypoint == kept


def test_without_an_entrypoint_it_is_planned_and_not_run() -> None:
    spec = read(searcher(name="single") | {"entrypoint": None})
    said = "the configuration names no program: give `entrypoint`, such as model_def:Trial or python3 train.py"
    assert said in remarks(spec)
    with pytest.raises(NoProgram, match="names no program"):
        DeterminedDialect().launch(spec, {}, Place(study="s", trial=0, attempt=1, seed=0, directory="/x"))


def test_variables_may_be_given_for_each_kind_of_slot() -> None:
    by_slot = {"cpu": ["WHERE=cpu"], "cuda": ["WHERE=cuda"]}
    config = searcher(name="single") | {"environment": {"environment_variables": by_slot}}
    assert settings_of(read(config | {"resources": {"slots_per_trial": 0}})).environment == {"WHERE": "cpu"}


def test_a_laptop_without_gpus_runs_what_asks_for_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rung.execute.devices.installed_gpus", list)
    spec = read(searcher(name="single") | {"resources": {"slots_per_trial": 2}})
    assert spec.run.gpus == 0
    assert any("2 slots are asked for" in line and "the CPU" in line for line in remarks(spec))
    assert not any("slots" in line for line in remarks(read(searcher(name="single"))))


def test_a_spec_is_the_same_after_it_was_written_as_our_own_file() -> None:
    spec = read(searcher(**ASHA))
    assert spec_from_tree(spec_to_tree(spec)) == spec
    assert spec_from_tree(parse(to_yaml(spec), file="study.yaml")[0]) == spec


def test_the_same_seed_gives_the_same_configurations_also_within_groups() -> None:
    space = {
        "opt": {
            "lr": {"type": "log", "base": 10, "minval": -4, "maxval": 0},
            "n": {"type": "int", "minval": 1, "maxval": 9},
        }
    }
    config = searcher(name="random", max_trials=5) | {"hyperparameters": space}
    config["reproducibility"] = {"experiment_seed": 7}
    spec = read(config)
    assert spec.search.seed is not None
    runs = [World(spec, seed=spec.search.seed).run().proposals for _ in range(2)]
    assert runs[0] == runs[1]
    tree = nested(runs[0][0], settings_of(spec).paths)
    assert set(tree) == {"opt"}
    assert set(tree["opt"]) == {"lr", "n"}


# ----------------------------------------------------------------------------------------------- random, grid, pbt


def test_of_one_configuration_as_many_trials_run_as_are_asked_for() -> None:
    config = searcher(name="random", max_trials=5) | {"hyperparameters": {"x": 1}}
    world = World(read(config)).run()
    assert world.state.counts["complete"] == 5


def test_a_trial_that_fails_is_one_of_those_asked_for() -> None:
    world = World(read(searcher(name="random", max_trials=3) | {"max_restarts": 0}))
    world.turn()
    world.start(0)
    world.exit(0, code=1)
    world.run()
    assert (len(world.state), world.state.counts["complete"], world.state.counts["failed"]) == (3, 2, 1)


def test_no_limit_of_trials_at_once() -> None:
    world = World(read(searcher(name="random", max_trials=40, max_concurrent_trials=0)), workers=40)
    world.turn()
    assert len(world.running()) == 40
    world = World(read(searcher(name="random", max_trials=40)), workers=40)
    world.turn()
    assert len(world.running()) == 16


def grid(**fields: Any) -> dict[str, Any]:
    axis = {"type": "int", "minval": 0, "maxval": 20, "count": 3}
    return {"searcher": {"name": "grid", "metric": "loss", **fields}, "hyperparameters": {"b": axis, "a": {"z": axis}}}


def test_a_grid_is_taken_from_its_end_and_in_the_first_era_from_its_beginning() -> None:
    newest, first = World(read(grid())).run().proposals, World(read(grid(max_steps=3))).run().proposals
    assert newest == first[::-1]
    assert list(first[0]) == ["a.z", "b"]
    assert [tuple(params.values()) for params in first[:4]] == [(0, 0), (0, 10), (0, 20), (10, 0)]


def test_an_invalid_point_of_a_grid_is_lost() -> None:
    from rung.study import events as ev

    world = World(read(grid()))
    world.turn()
    world.start(0)
    world.fact(ev.TrialExited, trial=0, attempt=1, how="exited", code=1, invalid="no")
    world.run()
    assert (len(world.state), world.state.counts["complete"]) == (9, 8)


def test_an_invalid_draw_is_replaced() -> None:
    from rung.study import events as ev

    world = World(read(searcher(name="random", max_trials=3)))
    world.turn()
    world.start(0)
    world.fact(ev.TrialExited, trial=0, attempt=1, how="exited", code=1, invalid="no")
    world.run()
    assert (len(world.state), world.state.counts["complete"]) == (4, 3)


PBT: dict[str, Any] = {
    "name": "pbt",
    "population_size": 8,
    "num_rounds": 4,
    "length_per_round": {"batches": 100},
    "replace_function": {"truncate_fraction": 0.25},
    "explore_function": {"resample_probability": 0.2, "perturb_factor": 0.5},
}


def test_a_population() -> None:
    spec = read(searcher(**PBT))
    assert spec.schedule.method == "pbt"
    options = spec.schedule.options
    assert (options["population"], options["interval"], options["max"]) == (8, 100, 400)
    assert (options["quantile"], options["resample"], options["factors"]) == (0.25, 0.2, [0.5, 1.5])
    assert spec.budget.trials == 8 + 3 * 2


@pytest.mark.parametrize("changes", [{"num_rounds": 1}, {"replace_function": {"truncate_fraction": 0}}, {"population_size": 1}])  # fmt: skip
def test_a_population_of_whom_nobody_is_replaced_is_a_random_search(changes: dict[str, Any]) -> None:
    spec = read(searcher(**PBT | changes))
    assert (spec.schedule.method, spec.search.method) == ("none", "random")
    assert spec.budget.trials == (PBT | changes)["population_size"]
    assert settings_of(spec).length == 100 * (PBT | changes)["num_rounds"]


# --------------------------------------------------------------------------------------------------------- the plan


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({**ASHA, "mode": "aggressive"}, "24 trials to 64 batches, 6 to 256, 2 to 1024"),
        (ASHA, "18 trials to 64 batches, 11 to 256, 3 to 1024"),
        ({"name": "single"}, "1 trial trains to completion"),
        ({"name": "single", "max_length": {"batches": 64}}, "1 trial trains for 64 batches"),
        ({"name": "random", "max_trials": 7, "max_steps": 9}, "7 trials train for 9 steps"),
        ({"name": "random", "max_trials": 2}, "2 trials train to completion"),
        ({"name": "random", "max_trials": 2, "max_length": 5}, "2 trials train for 5 units"),
    ],
)
def test_a_preview(fields: dict[str, Any], said: str) -> None:
    assert remarks(read(searcher(**fields)))[0] == said


def test_what_has_no_effect_is_said_once() -> None:
    more = {"bind_mounts": [{"host_path": "/x", "container_path": "/y"}], "workspace": "w", "debug": False}
    more |= {"resources": {"resource_pool": "p", "slots_per_trial": 1}, "environment": {"image": "i"}}
    (line,) = [line for line in remarks(read(searcher(name="single") | more)) if line.startswith("without effect")]
    assert line == "without effect here: bind_mounts, environment.image, resources.resource_pool, workspace"


def test_the_last_version_warns_of_what_it_will_remove() -> None:
    text = "the `{}` field of the searcher config has been deprecated and will be removed in a future release."
    config = searcher(**ASHA, max_length={"batches": 5}, stop_once=True)
    assert [f"warning: {text.format(field)}" in remarks(read(config)) for field in ("max_length", "stop_once")] == [
        True,
        True,
    ]
    found = DeterminedDialect().lint(json.dumps(config, indent=1), file="c.yaml")
    assert [one.level for one in found] == ["warning", "warning"]
    assert [one.message for one in found] == [text.format("max_length"), text.format("stop_once")]
    assert found[0].key == "searcher.max_length"
    assert found[0].place.startswith("c.yaml:")


def test_lint_says_what_reading_complains_of() -> None:
    (found,) = DeterminedDialect().lint("searcher: {name: grid, metric: x}\n", file="c.yaml")
    assert (found.level, found.place, found.key) == ("error", "c.yaml:1", "searcher")
    (broken,) = DeterminedDialect().lint("searcher: {", file="c.yaml")
    assert broken.level == "error"


# ------------------------------------------------------------------------------------------------------ recognising


@pytest.mark.parametrize(
    ("tree", "known"),
    [
        ({"searcher": {"name": "single"}}, True),
        ({"hyperparameters": {}, "entrypoint": "x"}, True),
        ({"name": "adaptive_asha", "metric": "x", "max_trials": 3}, True),
        ({"name": "random", "objective": {"metric": "x"}, "metric": 1}, False),
        ({"searcher": "tpe"}, False),
        ({"searcher": {"max_trials": 3}, "entrypoint": "x"}, True),
        ({"searcher": {"beam": 3}, "model": {}}, False),
        ({"name": "random", "metric": {"name": "x"}, "method": "grid"}, False),
        ({"name": "random", "metric": "x", "parameters": {}}, False),
        ({"parameters": {}, "command": "x"}, False),
        ([], False),
        (None, False),
    ],
)
def test_which_files_are_ours(tree: Any, known: bool) -> None:
    assert DeterminedDialect().detect(Path("c.yaml"), "", tree) is known


def test_a_file_without_a_searcher() -> None:
    text = "Missing 'searcher' config section in experiment config."
    assert text in complaint({"hyperparameters": {}, "entrypoint": "x"})
    assert text in complaint({"name": "adaptive_asha", "metric": "loss"})
