"""Who keeps mirrors in step: nothing is lost or doubled, nothing waits for one that is away, one process writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import rung
from rung.api import follower, mirroring
from rung.api.creation import created_event
from rung.api.handle import Handle
from rung.api.mirroring import Mirroring, catch_up, mirrored
from rung.api.places import runs_directory
from rung.api.probe import probe
from rung.mirrors.base import Record, Refused, Subject
from rung.model import BadInput, Objective, Parameter, RunSettings, StudySpec
from rung.plugins import find, open_store

STORE = "sqlite:///runs/rung.db"
SPACE = {"x": {"type": "int", "min": 0, "max": 99}}


class Shelf:
    """What the other tool holds, and how it behaves."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.best: list[int] = []
        self.away = self.hangs = False
        self.other_search = ""
        self.refused: set[int] = set()
        self.failures: dict[int, int] = {}  # how often it fails while it holds so many records
        self.joins = 0
        self.threads: set[str] = set()
        self.back = threading.Event()

    def answer(self) -> None:
        """Nothing, or an error."""
        left = self.failures.get(len(self.records), 0)
        self.failures[len(self.records)] = left - 1
        if self.away or left > 0:
            raise ConnectionError("nobody\n  there (Background on this error at: x)")

    @property
    def numbers(self) -> list[int]:
        return [record.trial.number for record in self.records]


SHELF = Shelf()


class Fake:
    """A mirror on the shelf."""

    def __init__(self, address: str) -> None:
        if address.endswith("bad"):
            raise BadInput("no such place", place=f"--mirror {address}")

    def check(self, study: Subject) -> None:
        SHELF.answer()

    def join(self, study: Subject) -> set[str]:
        SHELF.joins += 1
        SHELF.threads.add(threading.current_thread().name)
        if SHELF.hangs:
            SHELF.back.wait()
        SHELF.answer()
        if SHELF.other_search:
            raise BadInput(SHELF.other_search, place="--mirror fake:shelf")
        return {record.key for record in SHELF.records}

    def add(self, record: Record) -> None:
        SHELF.answer()
        if record.trial.number in SHELF.refused:
            raise Refused(f"trial {record.trial.number}: too long")
        SHELF.records.append(record)

    def mark(self, best: Sequence[int]) -> None:
        SHELF.best = list(best)

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """An empty shelf, and waiting times that suit a test."""
    SHELF.__init__()  # type: ignore[misc]
    monkeypatch.setattr(follower, "find", lambda group, name: Fake if name == "fake" else find(group, name))
    monkeypatch.setattr(follower, "RETRY_S", (0.01,))
    monkeypatch.setattr(follower, "FOLLOW_S", 0.01)
    yield SHELF
    SHELF.back.set()


def objective(params: dict[str, Any]) -> float:
    rung.report(value=1000, epoch=1)
    return float(params["x"])


def tuned(name: str = "mine", trials: int = 6, **other: Any) -> rung.Study:
    return rung.tune(objective, SPACE, trials=trials, seed=0, name=name, store=STORE, mirrors=["fake:shelf"], **other)


def caught_up(name: str = "mine") -> list[str]:
    """What is said when somebody resumes a study that is over."""
    said: list[str] = []
    store = open_store(STORE)
    handle = Handle(store, name)
    catch_up(handle, runs=runs_directory(handle), say=said.append)
    store.close()
    return said


@pytest.mark.parametrize("workers", [1, 2])
def test_a_mirror_is_in_step_when_the_search_ends(shelf: Shelf, workers: int) -> None:
    study = tuned(workers=workers)
    assert sorted(shelf.numbers) == list(range(6))
    assert shelf.best == [study.best.number]
    by_number = {record.trial.number: record for record in shelf.records}
    for trial in study.trials:
        told = by_number[trial.number]
        assert (told.trial, told.values) == (trial, (trial.value,))
        assert [report.step for report in told.reports][:1] == [1]
        assert [parameter.name for parameter in told.parameters] == ["x"]
    assert shelf.joins == 1
    assert shelf.threads == {"rung-mirror"}


def test_a_study_in_memory_is_mirrored_too(shelf: Shelf) -> None:
    rung.tune(objective, SPACE, trials=4, seed=0, mirrors=["fake:shelf"])
    assert sorted(shelf.numbers) == [0, 1, 2, 3]


def test_what_was_there_is_not_added_again(shelf: Shelf) -> None:
    tuned()
    assert caught_up() == []
    assert sorted(shelf.numbers) == list(range(6))
    shelf.records = shelf.records[2:]  # whatever it lacks, however that came about
    caught_up()
    assert sorted(shelf.numbers) == list(range(6))


def test_a_tool_that_is_away_loses_nothing(
    shelf: Shelf, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "AWAY_S", 0.2)

    def leaves(params: dict[str, Any]) -> float:
        shelf.away = len(shelf.records) > 1 or shelf.away
        return float(params["x"])

    study = rung.tune(leaves, SPACE, trials=30, seed=0, name="mine", store=STORE, mirrors=["fake:shelf"])
    assert len(study.trials) == 30
    held = len(shelf.records)
    said = capsys.readouterr().err
    assert said.count("it is tried again, and nothing is lost meanwhile") == 1
    assert f"mirror fake:shelf: {30 - held} trials not mirrored yet (nobody there); rung resume mine catches up" in said
    shelf.away = False
    assert caught_up() == []
    assert sorted(shelf.numbers) == list(range(30))


def test_one_that_comes_back_is_in_step_again(shelf: Shelf, capsys: pytest.CaptureFixture[str]) -> None:
    shelf.failures = {2: 3}
    tuned(trials=8)
    said = capsys.readouterr().err
    assert sorted(shelf.numbers) == list(range(8))
    assert "not mirrored" not in said
    assert said.count("it is in step again") == said.count("it is tried again") == 1


def test_one_that_hangs_is_not_waited_for_for_ever(
    shelf: Shelf, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirroring, "START_S", 0.05)
    monkeypatch.setattr(follower, "STUCK_S", 0.2)
    monkeypatch.setattr(follower, "PATIENCE_S", 0.0)
    shelf.hangs = True
    assert len(tuned().trials) == 6
    said = capsys.readouterr().err
    assert "mirror fake:shelf: it is brought up to date (Ctrl-C leaves that to the next time)" in said
    assert "not mirrored yet; rung resume mine catches up" in said or "not known to be in step; rung resume" in said


def test_one_trial_that_is_refused_holds_up_no_other(shelf: Shelf, capsys: pytest.CaptureFixture[str]) -> None:
    shelf.refused = {2}
    tuned()
    assert sorted(shelf.numbers) == [0, 1, 3, 4, 5]
    assert capsys.readouterr().err.count("mirror fake:shelf: it does not take trial 2: too long") == 1


def test_another_search_there_is_an_error_before_anything_starts(shelf: Shelf) -> None:
    shelf.other_search = "it is to maximize"
    with pytest.raises(BadInput, match="--mirror fake:shelf: it is to maximize"):
        tuned()
    assert len(rung.load("mine", store=STORE).trials) == 0


@pytest.mark.parametrize("address", ["fake:bad", "nosuch:shelf", "fake"])
def test_a_bad_address_makes_no_study(address: str, here: Path) -> None:
    with pytest.raises(BadInput, match=f"--mirror {address}: "):
        rung.tune(objective, SPACE, trials=2, name="mine", store=STORE, mirrors=[address])
    assert not (here / "runs" / "rung.db").exists()


def test_a_new_study_wants_its_mirror_to_be_there(shelf: Shelf, here: Path) -> None:
    shelf.away = True
    with pytest.raises(BadInput, match="--mirror fake:shelf: cannot be reached: nobody there"):
        tuned()
    assert not (here / "runs" / "rung.db").exists()


def test_a_trial_that_was_told_other_values_is_told_again(shelf: Shelf) -> None:
    study = tuned()
    store = open_store(STORE)
    worst = max(study.trials, key=lambda trial: trial.value or 0.0)
    Handle(store, "mine").tell(worst.number, {"value": -1.0})
    store.close()
    caught_up()
    assert shelf.records[-1].values == (-1.0,)
    assert len(shelf.records) == 7
    assert shelf.best == [worst.number]
    caught_up()
    assert len(shelf.records) == 7


def test_of_several_runners_one_keeps_the_mirror(shelf: Shelf) -> None:
    tuned()
    shelf.records.clear()
    shelf.joins = 0
    store = open_store(STORE)
    handle, said = Handle(store, "mine"), list[str]()
    runs = runs_directory(handle)
    with mirrored(handle, runs=runs, say=said.append):
        other = Mirroring(handle, runs=runs, say=said.append)
        other.start()
        assert shelf.joins == 1  # the first one holds the lock
    other.finish()  # and now the other one does
    assert sorted(shelf.numbers) == list(range(6))
    assert shelf.joins == 2
    assert said == []
    store.close()


def test_who_does_not_wait_is_told_what_is_missing(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    tuned()
    shelf.records.clear()
    monkeypatch.setattr(mirroring, "START_S", 0.05)
    shelf.hangs = True
    store = open_store(STORE)
    handle, said = Handle(store, "mine"), list[str]()
    mirrors = Mirroring(handle, runs=runs_directory(handle), say=said.append)
    mirrors.start()

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(follower.Follower, "wait", interrupted)
    mirrors.finish()
    assert said == ["mirror fake:shelf: 6 trials not mirrored yet; rung resume mine catches up"]
    store.close()


def test_probed_trials_are_told_to_nobody(shelf: Shelf, here: Path) -> None:
    (here / "t.py").write_text("print('loss: 1')\n")
    spec = StudySpec(
        command=("python", "t.py", "{rest}"), parameters=(Parameter(name="x", type="float", min=0, max=1),),
        objectives=(Objective(metric="loss"),), run=RunSettings(mirrors=("fake:shelf",), cwd=str(here)),
    )  # fmt: skip
    event = created_event(spec, runs=here / "runs", cwd=here, command_line=[], surface="test")
    found = probe(event, 1, watch=lambda _: (lambda *_: None, lambda _: None))
    assert len(found.seconds) == 1
    assert shelf.joins == 0


def test_a_file_beside_the_study_is_found_from_anywhere(shelf: Shelf, here: Path) -> None:
    rung.tune(objective, SPACE, trials=1, name="mine", store=STORE, mirrors=["fake:sqlite:///o.db"])
    store = open_store(STORE)
    assert Handle(store, "mine").state.spec.run.mirrors == (f"fake:sqlite:///{here}/o.db",)
    store.close()
