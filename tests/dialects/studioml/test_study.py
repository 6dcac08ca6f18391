from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rung.dialects.studioml.reader import StudioDialect
from rung.dialects.studioml.study import OPTIMIZER, Artifact, Flags, artifact, optimizer_section, study_of
from rung.execute.base import Place
from rung.inside.workspace import PLAN
from rung.model import BadInput, Objective, RunSettings, StudySpec


def flags(*hyperparams: str, **more: Any) -> Flags:
    return Flags(script="train.py", command=("python", "train.py"), hyperparams=hyperparams, **more)


def spec(*hyperparams: str, **more: Any) -> StudySpec:
    return study_of(flags(*hyperparams, **more)).spec


def test_a_grid_is_searched_whole() -> None:
    made = spec("lr=0.01:0.01:0.1", "act=relu,tanh", "n=3")
    assert [(p.name, p.type) for p in made.parameters] == [("lr", "ordinal"), ("act", "choice"), ("n", "constant")]
    assert (made.search.method, made.budget.trials, made.run.inject) == ("grid", 20, "source")
    assert spec("lr=0.01:0.01:0.1", trials=3).budget.trials == 3
    assert spec().budget.trials == 1


@pytest.mark.parametrize(
    ("metric", "objective"),
    [
        ("val_loss:min", Objective(metric="val_loss", value="min")),
        ("acc:max", Objective(metric="acc", goal="maximize", value="max")),
        ("val_loss", Objective(metric="val_loss")),
        ("val_loss:", Objective(metric="val_loss")),
        ("val_loss:final", Objective(metric="val_loss")),
        ("a:b", Objective(metric="a:b")),
        ("fitness", Objective(metric="fitness", goal="maximize")),
    ],
)
def test_metrics(metric: str, objective: Objective) -> None:
    assert spec("lr=1,2", metric=metric).objectives == (objective,)


def test_without_a_metric_the_printed_fitness_counts_or_the_end() -> None:
    assert spec("lr=1,2", source="print('Fitness: %s' % x)").objectives[0].metric == "fitness"
    assert spec("lr=1:2", optimizer="cmaes").objectives == (Objective(metric="fitness", goal="maximize"),)
    described = study_of(flags("lr=1,2"))
    assert described.spec.objectives[0].metric == "exit_status"
    assert "none is better" in described.remarks[0]


def test_durations_and_devices() -> None:
    made = spec(max_duration="48h2m10s", lifetime="5h", gpus=2.0, cpus=1.0, workers=3, executor="inline")
    assert made.run == RunSettings(
        timeout_s=48 * 3600 + 130.0, gpus=2.0, cpus=1.0, workers=3, executor="inline", inject="source"
    )
    assert made.budget.time_s == 5 * 3600.0


def test_cmaes_is_ours_with_the_originals_termination() -> None:
    made = spec("lr=1e-4:1:l", "n=0:1:3:a", optimizer="cmaes")
    assert (made.search.method, made.search.options, made.budget.trials, made.budget.target) == ("cmaes", {}, 500, 999)
    assert made.start == "middle"
    assert made.program is not None
    assert made.program.settings["arrays"] == {"n": 3}
    section = optimizer_section({"optimizer": {"cmaes_config": {"popsize": 7}}}, place="c")
    assert spec("lr=0:1", optimizer="cmaes", section=section).search.options == {"population": 7}


def test_the_start_is_random_where_it_is_asked_for() -> None:
    assert spec("lr=0:1:r", optimizer="cmaes").start == "random"
    made = spec("a=0:1:r", "b=1e-4:1:l", "c=3:3", "d=0:4:u", optimizer="cmaes")
    point: Any = made.start[0]
    assert len(made.start) == 1
    assert set(point) == {"a", "b", "d"}
    assert 0 <= point["a"] <= 1
    assert (point["b"], point["d"]) == (pytest.approx(1e-2), 2.0)
    assert spec("a=0:1:r", "b=1e-4:1:l", "c=3:3", "d=0:4:u", optimizer="cmaes").start == made.start


def test_an_optimizer_file_gets_the_ranges() -> None:
    made = spec("a=0:1", "b=1:9:2:al", optimizer="/x/opt.py")
    assert (made.search.method, made.search.batch, made.budget.trials, made.start) == ("/x/opt.py", 1, None, "random")
    a, b = made.search.options["hyperparameters"]
    assert (a["name"], a["index"], b["index"], b["array_length"], b["is_log"]) == ("a", 0, 1, 2, True)
    assert made.search.options["config"] == OPTIMIZER


@pytest.mark.parametrize(
    ("hyperparams", "more", "message"),
    [
        (("lr",), {}, "--hyperparam: expected NAME=RANGE"),
        (("=1",), {}, "--hyperparam: expected NAME=RANGE"),
        (("lr=1", "lr=2"), {}, "--hyperparam: lr: is given twice"),
        (("lr=5:0",), {}, "--hyperparam: lr: 5:0 holds no value"),
        (("lr=0:l3:1",), {}, "--hyperparam: lr: a log scale needs bounds above 0"),
        (("lr=0:5:l",), {"optimizer": "cmaes"}, "--hyperparam: lr: a log scale needs bounds above 0, got 0; write lr=5e-04:5:l"),
        ((), {"optimizer": "cmaes"}, "has nothing to search"),
        ((), {"max_duration": "x"}, "--max-duration: expected a duration"),
        ((), {"lifetime": "0s"}, "--lifetime: must be above 0"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_where_it_was_written(hyperparams: Any, more: Any, message: str) -> None:
    with pytest.raises(BadInput) as error:
        spec(*hyperparams, **more)
    assert message in str(error.value)


def test_a_start_that_is_no_number_is_remarked() -> None:
    assert any("`l3` is no number" in text for text in study_of(flags("lr=l3:1:2", metric="m:min")).remarks)


def test_artifacts() -> None:
    assert artifact("~/w:x", mutable=True, home="/h") == Artifact(path="/h/w", tag="x", mutable=True)
    assert artifact("a/b.txt", mutable=False, home="/h") == Artifact(path="a/b.txt", tag="b.txt")
    for text in ("", ":x", "a:", "a:../x", "a:.x"):
        with pytest.raises(BadInput, match="PATH:TAG"):
            artifact(text, mutable=True, home="/h")


def test_the_section_of_the_configuration() -> None:
    assert optimizer_section(None, place="c") == OPTIMIZER
    found = optimizer_section({"optimizer": {"termination_criterion": {"generation": 2}, "mine": 1}}, place="c")
    assert (found["termination_criterion"]["generation"], found["termination_criterion"]["fitness"]) == (2, 999)
    assert found["mine"] == 1
    bad: Any
    for bad in ([], {"optimizer": 3}, {"optimizer": {"cmaes_config": {"popsize": "x"}}}):
        with pytest.raises(BadInput):
            optimizer_section(bad, place="c")


def test_a_trial_is_started_with_its_scalars_and_arrays(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("lr = 1\nprint(lr)\n")
    made = spec("lr=0:1", "w=0:1:2:a", "gone=0:1", optimizer="cmaes", arguments=("a b",), experiment="e",
                capture=(Artifact(path="d", tag="t", mutable=True),))  # fmt: skip
    place = Place(study="s", trial=4, attempt=1, seed=0, directory="/d", cwd=str(tmp_path))
    how = StudioDialect().launch(made, {"lr": 0.5, "w.0": 1.0, "w.1": 2.0, "gone": 3.0}, place)
    assert how.shown == ("python", "train.py", "a b")
    assert how.env["STUDIOML_EXPERIMENT"] == "e__4"
    record = json.loads(how.files[PLAN])
    assert record["values"] == {"lr": 0.5, "gone": 3.0}
    assert record["arrays"] == {"w": [1.0, 2.0]}
    assert record["capture"] == [{"path": str(tmp_path / "d"), "tag": "t", "mutable": True}]
    placed = StudySpec(
        **{f: getattr(made, f) for f in made.__struct_fields__} | {"run": RunSettings(cwd=str(tmp_path))}
    )
    [text] = StudioDialect().remarks(placed)
    assert text.startswith("warning: gone: no place in train.py takes it")


def test_there_are_no_files_of_this_format() -> None:
    with pytest.raises(BadInput, match="rung studio run"):
        StudioDialect().read("", file="x")
    assert not StudioDialect().detect(Path("x.yaml"), "", {})
