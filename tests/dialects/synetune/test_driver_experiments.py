"""Results of experiments from their files, and the command line that runs methods by seeds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rung.dialects.synetune.shim.syne_tune import backend, config_space, experiments
from rung.dialects.synetune.shim.syne_tune._results_files import read_metadata, write_metadata, write_rows
from rung.dialects.synetune.shim.syne_tune.backend.trial_status import Status, Trial
from rung.dialects.synetune.shim.syne_tune.experiments.benchmark_definitions.common import RealBenchmarkDefinition
from rung.dialects.synetune.shim.syne_tune.experiments.default_baselines import ASHA, RandomSearch
from rung.dialects.synetune.shim.syne_tune.experiments.launchers import hpo_main_local
from rung.dialects.synetune.shim.syne_tune.results_callback import StoreResultsCallback
from rung.dialects.synetune.shim.syne_tune.tuner import Tuner
from rung.dialects.synetune.shim.syne_tune.util import experiment_path

pytest.importorskip("pandas")
METADATA = {
    "metric_names": ["loss", "acc"], "metric_mode": ["min", "max"], "entrypoint": "train",
    "st_tuner_creation_timestamp": 1e9,
}  # fmt: skip
ROWS = [
    {"loss": 0.5, "acc": 0.1, "st_decision": "CONTINUE", "trial_id": 0, "config_opt": 'a,"b"\n', "st_tuner_time": 1.0},
    {
        "loss": 0.2,
        "acc": 0.3,
        "st_decision": "STOP",
        "trial_id": 1,
        "config_opt": "c",
        "st_tuner_time": 2.0,
        "extra": 7,
    },
    {
        "loss": float("nan"),
        "acc": 0.2,
        "st_decision": "CONTINUE",
        "trial_id": 0,
        "config_opt": "d",
        "st_tuner_time": 3.0,
    },
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SYNETUNE_FOLDER", str(tmp_path))
    return tmp_path


def test_an_experiment_is_read_from_its_files(home: Path) -> None:
    for name, at in (("old", 1.0), ("new", 2.0)):
        write_metadata(home / name, {**METADATA, "st_tuner_creation_timestamp": at})
        write_rows(home / name, ROWS)
    write_metadata(home / "empty", METADATA)
    found = experiments.load_experiment("new")
    assert found.metric_names() == ["loss", "acc"]
    assert found.best_config() == {"loss": 0.2, "acc": 0.3, "trial_id": 1, "config_opt": "c", "extra": 7.0}
    assert found.best_config("acc")["trial_id"] == found.best_config(1)["trial_id"] == 1
    assert list(found.results["config_opt"]) == ['a,"b"\n', "c", "d"]
    assert list(found.results.columns) == [*ROWS[0], "extra"]
    assert str(found) == "Experiment new contains 3 evaluations from 2 trials"
    assert experiments.load_experiment("empty").results is None
    assert [one.name for one in experiments.list_experiments()] == ["new", "old"]
    assert sorted(experiments.get_metadata()) == ["empty", "new", "old"]
    assert len(experiments.load_experiments_df(lambda path: "old" in path)) == 3


def test_what_is_not_there_is_said(home: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no experiment nothing: there is no metadata.json in"):
        experiments.load_experiment("nothing")
    write_metadata(home / "empty", METADATA)
    with pytest.raises(ValueError, match="has no results for loss"):
        experiments.load_experiment("empty").best_config()
    with pytest.raises(ValueError, match="metric 'cost' is none of loss, acc"):
        experiments.load_experiment("empty").best_config("cost")
    (home / "empty" / "metadata.json").write_text("[1")
    assert read_metadata(home / "empty") is None
    with pytest.raises(ImportError, match="rung compare"):
        experiments.ComparativeResults  # noqa: B018 - asking is the test


def test_further_columns_of_a_composer() -> None:
    class Said:
        tuning_status: Any = None

    callback = StoreResultsCallback(add_wallclock_time=False, extra_results_composer=lambda tuner: {"level": 3})
    callback.on_tuning_start(Said())  # type: ignore[arg-type]
    callback.on_trial_result(Trial(1, {"x": 2}), Status.in_progress, {"loss": 1.0}, "CONTINUE")
    rows = [{"loss": 9.0}, {"loss": 1.0}]
    callback.extend(rows, 1)
    assert rows == [{"loss": 9.0}, {"loss": 1.0, "level": 3, **_of_the_callback(callback)}]


def _of_the_callback(callback: StoreResultsCallback) -> dict[str, Any]:
    (row,) = callback.results
    assert row["config_x"] == 2
    return {name: value for name, value in row.items() if name not in {"loss", "level"}}


def benchmarks(script: Path, **keywords: Any) -> dict[str, RealBenchmarkDefinition]:
    space = {"x": config_space.uniform(0, 1), "epochs": 9}
    fields: dict[str, Any] = {
        "script": script, "config_space": space, "max_wallclock_time": 60, "n_workers": 4, "instance_type": "",
        "metric": "loss", "mode": "min", "max_resource_attr": "epochs", "framework": "", "resource_attr": "epoch",
    }  # fmt: skip
    return {"one": RealBenchmarkDefinition(**{**fields, **keywords})}


def test_methods_by_seeds(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = home / "train.py"
    script.touch()
    ran: list[Tuner] = []
    monkeypatch.setattr(Tuner, "run", lambda self: ran.append(self))
    words = [
        "x",
        "--experiment_tag",
        "my_tag",
        "--start_seed",
        "1",
        "--num_seeds",
        "3",
        "--n_workers",
        "2",
        "--mine",
        "5",
    ]
    monkeypatch.setattr("sys.argv", words)
    methods: dict[str, Any] = {"RS": RandomSearch, "ASHA": lambda given: ASHA(given, type="promotion")}
    mine = [{"name": "mine", "type": int, "default": 1}]
    hpo_main_local.main(methods, lambda **given: benchmarks(script, **given), extra_args=mine)
    names = [tuner.name.split("-20", 1)[0] for tuner in ran]
    assert names == ["my-tag-RS-1", "my-tag-ASHA-1", "my-tag-RS-2", "my-tag-ASHA-2"]
    assert ran[1].scheduler.recipe.schedule_options["type"] == "promotion"
    assert {tuner.n_workers for tuner in ran} == {2}
    said = ran[2].metadata
    assert {name: said[name] for name in ("seed", "algorithm", "tag", "benchmark", "n_workers", "mine")} == {
        "seed": 2, "algorithm": "RS", "tag": "my_tag", "benchmark": "one", "n_workers": 2, "mine": 5,
    }  # fmt: skip
    assert json.loads(said["config_space"])["epochs"] == 9
    seeds = {tuner.scheduler.random_seed for tuner in ran}
    assert len(seeds) == 2
    monkeypatch.setattr("sys.argv", ["x", "--benchmark", "two"])
    with pytest.raises(SystemExit, match="expected one of one, got two"):
        hpo_main_local.main(methods, benchmarks(script))


def test_a_tuner_is_named_after_its_script(home: Path) -> None:
    script = home / "my_train script.py"
    script.touch()
    scheduler = asha()
    tuner = Tuner(backend.LocalBackend(str(script)), scheduler, lambda status: True, n_workers=1)
    assert tuner.name.startswith("my-train-script-20")
    assert tuner.tuner_path == experiment_path(tuner.name) == home / tuner.name
    named = Tuner(
        backend.LocalBackend(str(script)), scheduler, lambda status: True, 1, tuner_name="mine", suffix_tuner_name=False
    )
    assert named.name == "mine"
    with pytest.raises(RuntimeError, match=r"call tuner.run\(\) first"):
        named.best_config()
    with pytest.raises(NotImplementedError, match="a scheduler of your own"):
        Tuner(backend.LocalBackend(str(script)), object(), lambda status: True, 1)  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError, match=r"the script of the trials does not exist: .*nowhere.py"):
        backend.LocalBackend("nowhere.py")


def asha() -> Any:
    from rung.dialects.synetune.shim.syne_tune.optimizer import baselines

    return baselines.ASHA({"x": config_space.uniform(0, 1), "epochs": 9}, metric="loss", resource_attr="epoch")
