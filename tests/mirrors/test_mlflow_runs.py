"""An experiment of MLflow follows the study: one run a trial, its curve at its steps, the best marked, nothing twice."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mirrors.conftest import record, subject
from rung.mirrors import mlflow_runs
from rung.mirrors.base import Refused, Subject
from rung.mirrors.mlflow_runs import MlflowMirror
from rung.model import BadInput, Report

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]
pytest.importorskip("mlflow", reason="mlflow-skinny is not installed")


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MlflowMirror]:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE", raising=False)
    found = MlflowMirror(f"mlflow:{tmp_path}/mlruns")
    yield found
    found.close()


def runs(mirror: MlflowMirror, name: str = "digits") -> dict[int, Any]:
    """The runs of an experiment, by our trial number."""
    client = mirror._client
    found = client.search_runs([client.get_experiment_by_name(name).experiment_id])
    by_number = {int(run.data.tags["rung.trial"]): run for run in found}
    assert len(by_number) == len(found), "a trial has two runs"
    return by_number


def history(mirror: MlflowMirror, run: Any, name: str = "loss") -> list[tuple[int, float, int]]:
    found = mirror._client.get_metric_history(run.info.run_id, name)
    return sorted((metric.step, metric.value, metric.timestamp) for metric in found)


def test_a_trial_is_a_run_with_all_that_is_known_of_it(mirror: MlflowMirror) -> None:
    assert mirror.join(subject()) == set()
    params = {"lr": 1e-3, "opt": "sgd", "layers": [1, 2], "on": True, "none": None, "odd#name": float("inf")}
    told = record(4, 0.5, params=params, reason="because")
    mirror.add(told)
    run = runs(mirror)[4]
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "trial 4"
    assert (run.info.start_time, run.info.end_time) == (1_700_000_000_000, 1_700_000_002_500)
    assert run.data.params == {
        "lr": "0.001", "opt": "sgd", "layers": "[1,2]", "on": "true", "none": "null", "odd_name": "Infinity",
    }  # fmt: skip
    assert history(mirror, run) == [(1, 0.9, 1_700_000_000_000), (2, 0.5, 1_700_000_001_000)]
    tags = run.data.tags
    assert (tags["rung.study"], tags["rung.state"], tags["rung.reason"]) == ("digits", "complete", "because")
    assert (tags["rung.value.loss"], tags["rung.record"]) == ("0.5", told.key)


def test_states_are_statuses(mirror: MlflowMirror) -> None:
    mirror.join(subject())
    mirror.add(record(0, 0.5, state="pruned"))
    mirror.add(record(1, state="failed", error="exit status 1"))
    found = runs(mirror)
    assert [found[number].info.status for number in (0, 1)] == ["KILLED", "FAILED"]
    assert found[1].data.tags["rung.error"] == "exit status 1"


def test_strange_numbers_steps_and_names_are_kept(mirror: MlflowMirror) -> None:
    mirror.join(subject())
    told = record(0, 0.5)
    reports = tuple(
        Report(step, 1_700_000_000.0, {"loss": "NaN", "val loss (%)": 1.0, "val loss [%]": 2.0, "../x": "Infinity"})
        for step in (0.5, 1.5)
    )
    mirror.add(type(told)(**{**{f: getattr(told, f) for f in told.__struct_fields__}, "reports": reports}))
    run = runs(mirror)[0]
    assert [step for step, *_ in history(mirror, run)] == [1, 2]
    assert math.isnan(run.data.metrics["loss"])
    assert (run.data.metrics["val loss ___"], run.data.metrics["val loss ____2"]) == (1.0, 2.0)
    assert run.data.metrics["___x"] == math.inf


def test_a_trial_without_a_curve_has_its_values(mirror: MlflowMirror) -> None:
    mirror.join(subject())
    mirror.add(record(0, 0.5, reports=()))
    assert history(mirror, runs(mirror)[0]) == [(0, 0.5, 1_700_000_002_500)]


def test_a_long_curve_goes_in_parts(mirror: MlflowMirror) -> None:
    mirror.join(subject())
    mirror.add(record(0, 0.5, reports=[(step, 0.1) for step in range(2_300)], params={f"p{i}": i for i in range(230)}))
    run = runs(mirror)[0]
    assert len(history(mirror, run)) == 2_300
    assert len(run.data.params) == 230


def test_only_the_best_is_marked(mirror: MlflowMirror) -> None:
    mirror.join(subject())
    for number, value in enumerate([0.5, 0.4, 0.3]):
        mirror.add(record(number, value))
    for best in ([0], [1], [1, 2], [2], [2]):
        mirror.mark(best)
        assert [n for n, run in sorted(runs(mirror).items()) if run.data.tags.get("rung.best") == "true"] == best
    again = MlflowMirror(mirror.uri.replace("file://", "mlflow:"))
    again.join(subject())
    again.mark([0])
    assert [n for n, run in runs(again).items() if run.data.tags.get("rung.best") == "true"] == [0]


def test_whoever_joins_knows_what_is_whole(mirror: MlflowMirror, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror.join(subject())
    mirror.add(record(0, 0.5))

    def killed(*_: Any, **__: Any) -> None:
        raise ConnectionError("gone")

    client = mirror._client
    for at in ("log_batch", "set_terminated"):
        with monkeypatch.context() as patch:
            patch.setattr(type(client), at, killed)
            with pytest.raises(ConnectionError):
                mirror.add(record(1, 0.4))
        assert mirror.join(subject()) == {record(0, 0.5).key}
    mirror.add(record(1, 0.4))
    assert mirror.join(subject()) == {record(0, 0.5).key, record(1, 0.4).key}
    assert {run.info.status for run in runs(mirror).values()} == {"FINISHED"}
    assert mirror.join(Subject(name="digits", uid="u2", objectives=subject().objectives)) == set()


def test_a_trial_that_ran_again_has_one_run(mirror: MlflowMirror) -> None:
    mirror.join(subject())
    mirror.add(record(0, state="failed"))
    mirror.mark([0])
    mirror.add(record(0, 0.5, attempt=2))
    assert runs(mirror)[0].data.tags["rung.attempt"] == "2"
    mirror.mark([0])
    assert runs(mirror)[0].data.tags["rung.best"] == "true"


def test_what_mlflow_refuses_is_said(mirror: MlflowMirror, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE

    mirror.join(subject())

    def refuse(*_: Any, **__: Any) -> None:
        raise MlflowException("too long", error_code=INVALID_PARAMETER_VALUE)

    monkeypatch.setattr(type(mirror._client), "log_batch", refuse)
    with pytest.raises(Refused, match="trial 3: too long"):
        mirror.add(record(3, 0.5))


def test_an_experiment_of_another_name_and_a_deleted_one(mirror: MlflowMirror) -> None:
    other = MlflowMirror(mirror.uri.replace("file://", "mlflow:") + "#theirs")
    other.check(subject())
    other.join(subject())
    other.add(record(0, 0.5))
    assert list(runs(other, "theirs")) == [0]
    other._client.delete_experiment(other._experiment)
    with pytest.raises(BadInput, match=r"its experiment theirs is deleted; restore it, or name another with #NAME"):
        other.check(subject())


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow_runs, "find_spec", lambda name: None if name == "mlflow" else object())
    with pytest.raises(BadInput, match=r"mlflow is not installed: pip install 'rung\[mlflow\]'"):
        MlflowMirror("mlflow:http://h")
    monkeypatch.setattr(mlflow_runs, "find_spec", lambda name: None if name == "alembic" else object())
    with pytest.raises(BadInput, match="a data base needs all of MLflow: pip install mlflow"):
        MlflowMirror("mlflow:sqlite:///m.db")
