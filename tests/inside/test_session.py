from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import rung.inside as inside
from rung.inside import session, wire
from rung.inside.session import Session


@pytest.fixture(autouse=True)
def no_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in wire.TRIAL_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """We are trial 7 of `digits-1`."""
    (tmp_path / "params.json").write_text('{"lr": 0.5, "bound": "Infinity", "layers": [1, 2]}')
    variables = {
        wire.TRIAL_DIR: str(tmp_path),
        wire.PARAMS_FILE: str(tmp_path / "params.json"),
        wire.TRIAL: "7",
        wire.STUDY: "digits-1",
        wire.SEED: "123456789012",
        wire.ATTEMPT: "2",
        wire.RESOURCE: "9",
        wire.CHECKPOINT_DIR: str(tmp_path / "deep" / "checkpoint"),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    yield tmp_path
    session.current().close()


def lines(directory: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (directory / "reports.jsonl").read_text().splitlines()]


def test_outside_a_study_everything_works_and_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert inside.params(lr=1e-3, width=32) == {"lr": 1e-3, "width": 32}
    inside.report(loss=0.3, epoch=4)
    with pytest.raises(TypeError, match="'loss'"):
        inside.report(loss="low")
    assert inside.should_stop() is False
    assert not inside.trial
    trial = inside.trial
    assert (trial.number, trial.study, trial.seed, trial.attempt, trial.resource) == (None,) * 5
    assert repr(trial) == "<no trial>"
    folder = inside.checkpoint_dir()
    assert folder.is_dir() and folder == inside.checkpoint_dir()
    assert list(tmp_path.iterdir()) == []
    folder.rmdir()


def test_inside_a_trial(directory: Path) -> None:
    assert inside.params({"a.b": 1}, lr=1e-3, width=32) == {
        "a.b": 1,
        "lr": 0.5,
        "width": 32,
        "bound": float("inf"),
        "layers": [1, 2],
    }
    trial = inside.trial
    assert trial
    assert (trial.number, trial.study, trial.seed, trial.attempt, trial.resource) == (7, "digits-1", 123456789012, 2, 9)
    assert repr(trial) == "<trial 7 of digits-1, attempt 2>"
    assert inside.checkpoint_dir() == directory / "deep" / "checkpoint"
    assert inside.checkpoint_dir().is_dir()


def test_params_are_a_copy(directory: Path) -> None:
    inside.params()["lr"] = 9
    assert inside.params()["lr"] == 0.5


@pytest.mark.parametrize(("text", "resource"), [("", None), ("2.5", 2.5), ("27.0", 27), ("much", None)])
def test_resources(directory: Path, monkeypatch: pytest.MonkeyPatch, text: str, resource: float | None) -> None:
    monkeypatch.setenv(wire.RESOURCE, text)
    assert inside.trial.resource == resource


def test_reports_are_lines(directory: Path) -> None:
    inside.report(loss=0.5, epoch=1)
    inside.report({"val/loss": float("nan"), "größe": 2}, loss=1)
    first, second = lines(directory)
    assert (first["loss"], first["epoch"]) == (0.5, 1)
    assert (second["val/loss"], second["größe"], second["loss"]) == ("NaN", 2, 1)
    assert (directory / "reports.jsonl").stat().st_mode & 0o077 == 0


def test_a_report_is_one_write_below_fifty_microseconds(directory: Path) -> None:
    took = []
    for epoch in range(500):
        begin = time.perf_counter()
        inside.report(loss=0.25, epoch=epoch)
        took.append(time.perf_counter() - begin)
    assert sorted(took)[250] < 50e-6
    assert [line["epoch"] for line in lines(directory)] == list(range(500))


def test_threads_and_forks_never_mix_their_lines(directory: Path) -> None:
    def write(who: int) -> None:
        for number in range(200):
            inside.report(who=who, number=number, **{"x" * 300: 1.0})

    pids = []
    for child in range(2):
        pid = os.fork()
        if pid == 0:
            write(10 + child)
            os._exit(0)
        pids.append(pid)
    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0, 0]
    found = lines(directory)
    for who in (0, 1, 2, 3, 10, 11):
        assert [line["number"] for line in found if line["who"] == who] == list(range(200))


def test_a_fork_has_a_descriptor_of_its_own(directory: Path) -> None:
    inside.report(loss=1)
    pid = os.fork()
    if pid == 0:
        inside.report(loss=2)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    inside.report(loss=3)
    assert [line["loss"] for line in lines(directory)] == [1, 2, 3]


def test_should_stop_looks_now_and_then_and_remembers(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    assert not inside.should_stop()
    (directory / "stop").touch()
    assert not inside.should_stop()
    now[0] += 0.051
    assert inside.should_stop()
    (directory / "stop").unlink()
    now[0] += 1
    assert inside.should_stop()


def test_the_environment_may_change_its_trial(directory: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    inside.report(loss=1)
    other = tmp_path / "other"
    other.mkdir()
    session.current().close()
    monkeypatch.setenv(wire.TRIAL_DIR, str(other))
    inside.report(loss=2)
    assert lines(other)[0]["loss"] == 2


def test_sessions_in_one_process_are_kept_apart(tmp_path: Path) -> None:
    barrier = threading.Barrier(3)

    def one(number: int) -> None:
        folder = tmp_path / str(number)
        folder.mkdir()
        here = Session(str(folder), {wire.TRIAL: str(number)}, values={"x": number})
        with here.entered():
            barrier.wait(10)
            assert inside.trial.number == number
            assert inside.params(x=-1) == {"x": number}
            inside.report(loss=number)
            assert inside.checkpoint_dir() == folder / "checkpoint"
            barrier.wait(10)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert [lines(tmp_path / str(number))[0]["loss"] for number in range(3)] == [0, 1, 2]
    assert not inside.trial


def test_a_thread_of_the_only_session_belongs_to_it(tmp_path: Path) -> None:
    found: list[int | None] = []
    with Session(str(tmp_path), {wire.TRIAL: "5"}).entered():
        thread = threading.Thread(target=lambda: found.append(inside.trial.number))
        thread.start()
        thread.join(10)
    assert found == [5]


def test_a_report_that_was_cut_does_not_spoil_the_next(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside.report(loss=1)
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda fd, data: write(fd, data[:6]))
        with pytest.raises(OSError, match="disk is full"):
            inside.report(loss=2)
    inside.report(loss=3)
    text = (directory / "reports.jsonl").read_text().splitlines()
    assert [json.loads(line)["loss"] for line in (text[0], text[2])] == [1, 3]
    assert text[1] == '{"loss'


def test_params_that_are_no_object_are_refused(directory: Path) -> None:
    (directory / "params.json").write_text("[1]")
    with pytest.raises(TypeError, match="expected a JSON object of parameters"):
        inside.params()


def test_importing_it_loads_next_to_nothing() -> None:
    code = "import sys; before = set(sys.modules); import rung.inside; print(*sorted(set(sys.modules) - before))"
    loaded = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, env={"PYTHONPATH": path()}
    )
    assert loaded.returncode == 0, loaded.stderr
    names = set(loaded.stdout.split())
    assert not names & {
        "json",
        "re",
        "pathlib",
        "typing",
        "asyncio",
        "msgspec",
        "numpy",
        "tempfile",
        "subprocess",
        "inspect",
    }
    assert {name for name in names if name.startswith("rung")} == {
        "rung",
        "rung.inside",
        "rung.inside.session",
        "rung.inside.wire",
    }


def path() -> str:
    return str(Path(inside.__file__).parents[2])


def test_an_invalid_configuration_is_said_in_one_file(directory: Path) -> None:
    session.invalid("first")
    session.invalid("hidden must divide heads")
    assert (directory / wire.INVALID).read_text() == "hidden must divide heads"
    assert [one.name for one in directory.iterdir() if one.name.startswith("invalid")] == ["invalid"]


def test_outside_a_study_nothing_is_invalid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    session.invalid("no matter")
    assert list(tmp_path.iterdir()) == []
