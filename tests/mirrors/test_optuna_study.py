"""A study of Optuna follows ours: every state, every kind of goal, nothing twice, in each of its storages."""

from __future__ import annotations

import contextlib
import math
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from mirrors.conftest import record, subject
from rung.mirrors import optuna_storage
from rung.mirrors.base import Mirror, Subject
from rung.mirrors.optuna_study import OptunaMirror
from rung.model import BadInput, Objective, Outcome, Parameter

INF, NAN = math.inf, math.nan


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Optuna's tables, which take a second to make."""
    path = tmp_path_factory.mktemp("optuna") / "o.db"
    optuna_storage.close(optuna.storages.RDBStorage(f"sqlite:///{path}"))
    return path


@pytest.fixture
def url(tmp_path: Path, empty: Path) -> str:
    shutil.copy(empty, tmp_path / "o.db")
    return f"sqlite:///{tmp_path}/o.db"


@pytest.fixture
def mirror(url: str) -> Iterator[OptunaMirror]:
    found = OptunaMirror(f"optuna:{url}")
    yield found
    found.close()


@contextlib.contextmanager
def loaded(url: str, name: str = "digits") -> Iterator[Any]:
    """Optuna's study, as anybody sees it."""
    storage = optuna_storage.Storage(url, place="test").open()
    try:
        yield optuna.load_study(study_name=name, storage=storage)
    finally:
        optuna_storage.close(storage)


def trials(url: str, name: str = "digits") -> list[Any]:
    with loaded(url, name) as study:
        found: list[Any] = study.get_trials()
    return found


def best(url: str, name: str = "digits") -> list[int]:
    """Our numbers of the trials that Optuna calls best."""
    with loaded(url, name) as study:
        return sorted(trial.user_attrs["rung:trial"] for trial in study.best_trials)


def test_a_trial_is_kept_with_all_that_is_known_of_it(url: str, mirror: OptunaMirror) -> None:
    assert mirror.join(subject()) == set()
    told = record(4, 0.5, reason="done")
    mirror.add(told)
    (trial,) = trials(url)
    assert (trial.state, trial.value, trial.number) == (TrialState.COMPLETE, 0.5, 0)
    assert trial.params == {"lr": 0.01, "opt": "sgd", "epochs": 3}
    assert trial.intermediate_values == {1: 0.9, 2: 0.5}
    assert trial.datetime_start == datetime.fromtimestamp(1_700_000_000)
    assert trial.duration.total_seconds() == 2.5
    assert trial.user_attrs == {
        "rung:uid": "u1", "rung:study": "digits", "rung:trial": 4, "rung:attempt": 1, "rung:state": "complete",
        "rung:record": told.key, "rung:values": {"loss": 0.5}, "rung:reason": "done",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "goal", "value", "became", "kept"),
    [
        ("complete", "minimize", 0.5, TrialState.COMPLETE, 0.5),
        ("complete", "minimize", INF, TrialState.COMPLETE, INF),
        ("complete", "maximize", -INF, TrialState.COMPLETE, -INF),
        ("complete", "minimize", -INF, TrialState.FAIL, None),  # Optuna would call it best, and we call it worst
        ("complete", "maximize", INF, TrialState.FAIL, None),
        ("complete", "minimize", NAN, TrialState.FAIL, None),
        ("complete", 0.95, 0.5, TrialState.COMPLETE, 0.45),
        ("complete", 0.95, NAN, TrialState.FAIL, None),
        ("pruned", "minimize", 0.5, TrialState.PRUNED, 0.5),
        ("pruned", "minimize", INF, TrialState.PRUNED, None),
        ("pruned", 0.95, 1.0, TrialState.PRUNED, 0.05),
        ("failed", "minimize", None, TrialState.FAIL, None),
    ],
)
def test_each_state_has_its_own(
    url: str, mirror: OptunaMirror, state: str, goal: Any, value: float | None, became: TrialState, kept: float | None
) -> None:
    mirror.join(subject(Objective(metric="loss", goal=goal)))
    mirror.add(record(0, *([] if value is None else [value]), state=state, error="exit status 1\0"))
    (trial,) = trials(url)
    assert trial.state == became
    assert trial.value == (None if kept is None else pytest.approx(kept))
    assert trial.user_attrs["rung:state"] == state
    assert trial.user_attrs["rung:error"] == "exit status 1"


def test_the_curve_of_a_distance_is_one_too(url: str, mirror: OptunaMirror) -> None:
    mirror.join(subject(Objective(metric="loss", goal=0.5)))
    mirror.add(record(0, 0.5, reports=((1, 0.9), (2, "NaN"), (3, "Infinity"))))
    (trial,) = trials(url)
    assert trial.intermediate_values[1] == pytest.approx(0.4)
    assert math.isnan(trial.intermediate_values[2])
    assert trial.intermediate_values[3] == INF


@pytest.mark.parametrize("steps", [(0.5, 1.0), (1.0, 3e9)])
def test_steps_that_optuna_cannot_keep_are_counted(url: str, mirror: OptunaMirror, steps: tuple[float, ...]) -> None:
    mirror.join(subject())
    mirror.add(record(0, 0.5, reports=[(step, 0.1 * i) for i, step in enumerate(steps)]))
    assert set(trials(url)[0].intermediate_values) == {1, 2}


def test_several_objectives_have_their_directions(url: str, mirror: OptunaMirror) -> None:
    study = subject(Objective(metric="loss"), Objective(metric="acc", goal="maximize"))
    mirror.join(study)
    for number, values in enumerate([(1.0, 0.5), (0.5, 0.9), (2.0, 0.95)]):
        mirror.add(record(number, *values, metrics=("loss", "acc")))
    with loaded(url) as found:
        assert [direction.name for direction in found.directions] == ["MINIMIZE", "MAXIMIZE"]
    assert best(url) == [1, 2]


def test_outcomes_are_constraints(url: str, mirror: OptunaMirror) -> None:
    mirror.join(subject(outcomes=(Outcome(metric="ms", at_most=20), Outcome(metric="mb", at_most=5))))
    mirror.add(record(0, 0.1, violations=(5.0, 0.0)))
    mirror.add(record(1, 0.2, violations=(0.0, INF)))
    mirror.add(record(2, 0.3, violations=(0.0, 0.0)))
    assert best(url) == [2]


def test_whoever_joins_knows_what_is_there(url: str, mirror: OptunaMirror) -> None:
    mirror.join(subject())
    mirror.add(record(0, 0.5))
    again = OptunaMirror(f"optuna:{url}")
    assert again.join(subject()) == {record(0, 0.5).key}
    assert again.join(Subject(name="digits", uid="u2", objectives=subject().objectives)) == set()
    again.close()


def test_another_attempt_or_another_value_is_another_record(url: str, mirror: OptunaMirror) -> None:
    mirror.join(subject())
    keys = [record(0, 0.5).key, record(0, 0.5, attempt=2).key, record(0, 0.6).key, record(0, state="failed").key]
    assert len(set(keys)) == 4
    assert record(0, 0.5, reason="other").key == keys[0]


def test_a_study_that_optuna_made_is_joined(url: str, mirror: OptunaMirror) -> None:
    storage = optuna.storages.RDBStorage(url)
    made = optuna.create_study(storage=storage, study_name="digits", direction="minimize")
    made.add_trial(
        optuna.trial.create_trial(
            value=0.7, params={"opt": "x"}, distributions={"opt": optuna.distributions.CategoricalDistribution(["x"])}
        )
    )
    optuna_storage.close(storage)
    mirror.check(subject())
    assert mirror.join(subject()) == set()
    mirror.add(record(0, 0.5))
    theirs, ours = trials(url)
    assert theirs.params == {"opt": "x"}
    assert ours.params == {"lr": 0.01, "opt@2": "sgd", "epochs": 3}
    assert ours.user_attrs["rung:params"] == {"lr": 0.01, "opt": "sgd", "epochs": 3}


@pytest.mark.parametrize("method", ["check", "join"])
def test_a_study_with_other_directions_is_not(url: str, mirror: OptunaMirror, method: str) -> None:
    other = OptunaMirror(f"optuna:{url}")
    other.join(subject(Objective(metric="acc", goal="maximize")))
    other.close()
    with pytest.raises(BadInput, match=r"o\.db: its study digits is to maximize, this one is to minimize \(loss\)"):
        getattr(mirror, method)(subject())


def test_it_may_have_another_name_there(url: str) -> None:
    mirror = OptunaMirror(f"optuna:{url}#theirs")
    mirror.join(subject())
    mirror.close()
    assert trials(url, "theirs") == []


def test_a_check_makes_no_study(url: str, mirror: OptunaMirror) -> None:
    mirror.check(subject())
    with pytest.raises(KeyError):
        trials(url)


def test_an_edited_space_keeps_its_trials_apart(url: str, mirror: OptunaMirror) -> None:
    mirror.join(subject())
    mirror.add(record(0, 0.5))
    wider = (Parameter(name="opt", type="choice", values=("sgd", "adam", "lion")),)
    mirror.add(record(1, 0.4, parameters=wider, params={"opt": "lion"}))
    assert [trial.params.get("opt@2") for trial in trials(url)] == [None, "lion"]


def round_trip(address: str) -> None:
    """A record is added once, found by whoever comes next, and best."""
    first: Mirror = OptunaMirror(address)
    first.check(subject())
    assert first.join(subject()) == set()
    first.add(record(0, 0.5, reports=[(1.0, 0.5), (2.0, "NaN")]))
    first.add(record(1, state="failed", error="é\0"))
    first.close()
    second: Mirror = OptunaMirror(address)
    assert second.join(subject()) == {record(0, 0.5).key, record(1, state="failed").key}
    second.add(record(2, 0.25))
    second.close()
    url, _, name = address.removeprefix("optuna:").partition("#")
    assert best(url, name or "digits") == [2]
    assert [trial.state.name for trial in trials(url, name or "digits")] == ["COMPLETE", "FAIL", "COMPLETE"]


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_journal_in_a_file_is_kept(tmp_path: Path) -> None:
    round_trip(f"optuna:journal:///{tmp_path}/a.log")
    round_trip(f"optuna:{tmp_path}/new/b.log")


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_journal_in_redis_is_kept(redis_url: str) -> None:
    round_trip(f"optuna:{redis_url}#one")
    round_trip(f"optuna:{redis_url}?socket_timeout=5#two")


def test_postgresql_is_kept(postgres_url: str) -> None:
    round_trip(f"optuna:{postgres_url}#one")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("foo", "not a storage of Optuna: expected sqlite:///FILE"),
        ("nosuch://x", "not a storage of Optuna"),
        ("mssql+pymssql://h/db", "its driver is not installed"),
    ],
)
def test_what_is_no_storage_is_said(url: str, said: str) -> None:
    with pytest.raises(BadInput, match=f"--mirror optuna:.*: {said}"):
        OptunaMirror(f"optuna:{url}").check(subject())


@pytest.mark.parametrize(
    ("url", "missing", "said"),
    [
        ("redis://h/0", {"redis"}, r"redis is not installed: pip install 'rung\[optuna\]'"),
        ("postgresql://h/db", {"psycopg", "psycopg2"}, "no driver of PostgreSQL is installed: pip"),
    ],
)
def test_a_driver_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, url: str, missing: set[str], said: str
) -> None:
    monkeypatch.setattr(optuna_storage, "find_spec", lambda name: None if name in missing else object())
    with pytest.raises(BadInput, match=said):
        OptunaMirror(f"optuna:{url}")
