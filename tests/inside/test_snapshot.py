from __future__ import annotations

import errno
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.inside import shell, snapshot, wire
from rung.inside.session import Session

Tree = dict[str, bytes | None]
"""What a folder holds: bytes of a file, None for a folder."""


def plant(folder: Path, tree: Mapping[str, bytes | None]) -> None:
    """The folder holds this too."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in tree.items():
        path = folder / name
        if data is None:
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def grown(folder: Path) -> Tree:
    """What the folder holds, links as the text of where they point."""
    found: Tree = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}".encode()
        else:
            found[name] = None if path.is_dir() else path.read_bytes()
    return found


def lines(directory: Path) -> list[dict[str, Any]]:
    text = (directory / "reports.jsonl").read_text() if (directory / "reports.jsonl").exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def named(directory: Path) -> list[str]:
    """The checkpoints that the lines name, in order."""
    return [line["_checkpoint"] for line in lines(directory) if "_checkpoint" in line]


class Trial:
    """A trial's session in a folder of its own."""

    def __init__(self, directory: Path, **variables: str) -> None:
        directory.mkdir(exist_ok=True)
        self.directory, self.working = directory, directory / "checkpoint"
        self.session = Session(str(directory), variables)

    def save(self, **files: bytes) -> None:
        """The working copy holds these files too, replaced as careful programs do it."""
        self.working.mkdir(exist_ok=True)
        for name, data in files.items():
            (self.working / f".{name}").write_bytes(data)
            (self.working / f".{name}").rename(self.working / name)

    def report(self, **metrics: float) -> None:
        self.session.report(metrics)

    def kept(self) -> dict[str, Tree]:
        """The snapshots that are there, with what they hold."""
        root = self.directory / "checkpoints"
        folders = sorted(root.iterdir()) if root.exists() else []
        return {one.name: grown(one) for one in folders if one.is_dir()}


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    made = Trial(tmp_path)
    yield made
    made.session.close()


def test_a_report_commits_what_was_saved_before_it(trial: Trial) -> None:
    trial.save(model=b"one")
    trial.report(loss=0.5, epoch=3)
    trial.save(model=b"two", state=b"12345")
    trial.report(loss=0.4, epoch=4)
    assert trial.kept() == {"3": {"model": b"one"}, "4": {"model": b"two", "state": b"12345"}}
    assert [(line["_checkpoint"], line["_bytes"], line["loss"]) for line in lines(trial.directory)] == [
        ("3", 3, 0.5),
        ("4", 8, 0.4),
    ]


def test_what_has_not_changed_is_not_kept_again(trial: Trial) -> None:
    trial.save(model=b"one")
    for epoch in range(3):
        trial.report(loss=0.5, epoch=epoch)
    assert named(trial.directory) == ["0"]
    (trial.working / "model").rename(trial.working / "renamed")
    trial.report(loss=0.5, epoch=3)
    (trial.working / "renamed").write_bytes(b"two")  # as long as before
    trial.report(loss=0.5, epoch=4)
    (trial.working / "renamed").unlink()
    trial.report(loss=0.5, epoch=5)
    assert named(trial.directory) == ["0", "3", "4"]
    assert trial.kept()["4"] == {"renamed": b"two"}


@pytest.mark.parametrize("tree", [None, {}, {"empty/folders": None}])
def test_nothing_is_kept_of_nothing(trial: Trial, tree: Tree | None) -> None:
    if tree is not None:
        plant(trial.working, tree)
    trial.report(loss=1)
    assert (named(trial.directory), trial.kept()) == ([], {})
    assert not (trial.directory / "checkpoints").exists()


def test_a_study_without_checkpoints_keeps_none(tmp_path: Path) -> None:
    trial = Trial(tmp_path, **{wire.SNAPSHOTS_WANTED: "0"})
    trial.save(model=b"one")
    trial.report(loss=1)
    assert (named(trial.directory), trial.kept()) == ([], {})


@pytest.mark.parametrize(
    ("metrics", "name"),
    [
        ({"loss": 1, "epoch": 4, "step": 900}, "900"),
        ({"loss": 1, "epoch": 4, "samples": 1e6}, "1000000"),
        ({"loss": 1, "epoch": 0.25}, "0.25"),
        ({"loss": 1, "iteration": 7, "epoch": float("nan")}, "7"),
        ({"loss": 1, "epoch": 1e300}, "1e+300"),
        ({"loss": 1, "epoch": -1}, "-1"),
        ({"loss": 1}, "44"),
    ],
)
def test_a_checkpoint_is_named_by_its_step(tmp_path: Path, metrics: dict[str, float], name: str) -> None:
    trial = Trial(tmp_path, **{wire.RESOURCE_NAME: "samples", wire.REPORTS_BEFORE: "41"})
    trial.report(loss=3)
    trial.report(loss=2)
    trial.save(model=b"one")
    trial.report(**metrics)
    assert named(tmp_path) == [name]


def test_a_name_is_never_used_twice(trial: Trial) -> None:
    (trial.directory / "checkpoints").mkdir()
    (trial.directory / "checkpoints" / "5-2").touch()
    for number in range(3):
        trial.save(model=bytes([number]))
        trial.report(loss=1, epoch=5)
    assert named(trial.directory) == ["5", "5-3", "5-4"]
    assert trial.kept()["5-3"] == {"model": b"\x01"}


def test_the_same_from_a_shell_script(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each `rung report` is a process of its own."""
    monkeypatch.setenv(wire.TRIAL_DIR, str(trial.directory))
    script = (
        "mkdir -p checkpoint; for n in 1 2 3; do echo $n > checkpoint/state; $1 -m rung.inside.shell loss=$n; "
        "$1 -m rung.inside.shell loss=0; done"
    )
    subprocess.run(["sh", "-c", script, "sh", sys.executable], cwd=trial.directory, check=True)
    assert named(trial.directory) == ["1", "3", "5"]
    assert [tree["state"] for tree in trial.kept().values()] == [b"1\n", b"2\n", b"3\n"]


# ----------------------------------------------------------------------------------------------------------- contents

NAME = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=6).filter(
    lambda name: name not in {".", ".."}
)
LEAVES: st.SearchStrategy[Any] = st.one_of(st.binary(max_size=50), st.just({}))
TREES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    LEAVES, lambda inner: st.dictionaries(NAME, inner, max_size=4), max_leaves=8
).filter(lambda tree: isinstance(tree, dict))


def flat(tree: Mapping[str, Any], below: str = "") -> Tree:
    found: Tree = {}
    for name, inner in tree.items():
        found[below + name] = inner if isinstance(inner, bytes) else None
        if not isinstance(inner, bytes):
            found |= flat(inner, f"{below}{name}/")
    return found


@settings(max_examples=25, deadline=None)
@given(tree=TREES)
def test_a_snapshot_holds_what_the_working_copy_holds(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, Any]
) -> None:
    trial = Trial(tmp_path_factory.mktemp("trial"))
    plant(trial.working, flat(tree))
    trial.report(loss=1)
    trial.session.close()
    assert trial.kept() == ({"1": flat(tree)} if any(flat(tree).values()) or b"" in flat(tree).values() else {})
    size = sum(len(data) for data in flat(tree).values() if data is not None)
    assert [line.get("_bytes", 0) for line in lines(trial.directory)] == [size]


def test_links_modes_and_times_are_as_they_were(trial: Trial) -> None:
    trial.save(model=b"weights")
    (trial.working / "run").mkdir()
    (trial.working / "run" / "last").symlink_to("../model")
    (trial.working / "run" / "absolute").symlink_to(trial.working / "model")
    (trial.working / "outside").symlink_to("/nowhere/at/all")
    (trial.working / "loop").symlink_to(".")
    os.link(trial.working / "model", trial.working / "twin")
    (trial.working / "model").chmod(0o750)
    os.utime(trial.working / "model", (5e8, 5e8))
    os.utime(trial.working / "run", (6e8, 6e8))
    trial.report(loss=1)
    kept = trial.directory / "checkpoints" / "1"
    assert grown(kept) == {
        "model": b"weights",
        "twin": b"weights",
        "run": None,
        "run/last": b"-> ../model",
        "run/absolute": b"-> ../model",
        "outside": b"-> /nowhere/at/all",
        "loop": b"-> .",
    }
    assert (kept / "run" / "absolute").read_bytes() == b"weights"
    assert stat.S_IMODE((kept / "model").stat().st_mode) == 0o750
    assert ((kept / "model").stat().st_mtime, (kept / "run").stat().st_mtime) == (5e8, 6e8)
    (trial.working / "twin").write_bytes(b"changed")
    assert (kept / "model").read_bytes() == b"weights"


def test_the_working_copy_may_be_elsewhere_or_a_link(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    (tmp_path / "scratch" / "model").write_bytes(b"one")
    (tmp_path / "link").symlink_to("scratch")
    trial = Trial(tmp_path / "trial", **{wire.CHECKPOINT_DIR: str(tmp_path / "link")})
    trial.report(loss=1)
    assert trial.kept() == {"1": {"model": b"one"}}


def test_what_is_no_file_is_left_out_and_said(trial: Trial, capsys: pytest.CaptureFixture[str]) -> None:
    trial.save(model=b"one")
    os.mkfifo(trial.working / "pipe")
    trial.report(loss=1)
    trial.report(loss=1)
    assert trial.kept() == {"1": {"model": b"one"}}
    assert capsys.readouterr().err == "rung: pipe is neither a file, a folder nor a link and is not in the checkpoint\n"


def after_each_copy(monkeypatch: pytest.MonkeyPatch, act: Callable[[str], None]) -> None:
    """`act` is called with the name of every file whose copying has begun, before it is found whole."""
    pour = snapshot.pour

    def pouring(source: int, target: int) -> None:
        pour(source, target)
        act(Path(os.readlink(f"/proc/self/fd/{source}")).name)

    monkeypatch.setattr(snapshot, "cloned", lambda *_: False)
    monkeypatch.setattr(snapshot, "pour", pouring)


def test_a_file_that_changes_while_it_is_copied_is_copied_again(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    trial.save(model=b"one", other=b"other")
    seen: list[str] = []

    def change(name: str) -> None:
        seen.append(name)
        if seen.count("model") == len(seen) == 1:
            (trial.working / "model").write_bytes(b"two")

    after_each_copy(monkeypatch, change)
    trial.report(loss=1)
    assert trial.kept() == {"1": {"model": b"two", "other": b"other"}}
    assert seen == ["model", "other", "model"]


def test_two_files_are_of_one_moment(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one copied first changes while the other is copied."""
    trial.save(a=b"a1", b=b"b1")
    changed: list[str] = []

    def change(name: str) -> None:
        if name == "b" and not changed:
            changed.append(name)
            trial.save(a=b"a2", b=b"b2")

    after_each_copy(monkeypatch, change)
    trial.report(loss=1)
    assert trial.kept() == {"1": {"a": b"a2", "b": b"b2"}}


def test_what_vanishes_while_it_is_copied_is_not_there(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(trial.working, {"a": b"1", "b": b"2", "deep/c": b"3", "z/deeper/d": b"4"})

    def remove(name: str) -> None:
        if name == "a":
            (trial.working / "b").unlink()
            (trial.working / "deep" / "c").unlink()
            (trial.working / "deep").rmdir()
        if name == "d":
            (trial.working / "z" / "deeper" / "d").unlink()
            (trial.working / "z" / "deeper").rmdir()
            (trial.working / "z").rmdir()
            (trial.working / "z").write_bytes(b"a file now")

    after_each_copy(monkeypatch, remove)
    trial.report(loss=1)
    assert trial.kept() == {"1": {"a": b"1", "z": b"a file now"}}


def test_a_file_that_never_rests_is_left_out_and_said(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trial.save(model=b"one", log=b"line\n")

    def write(name: str) -> None:
        if name == "log":
            with (trial.working / "log").open("ab") as file:
                file.write(b"line\n")

    after_each_copy(monkeypatch, write)
    trial.report(loss=1)
    assert trial.kept() == {"1": {"model": b"one"}}
    assert capsys.readouterr().err == "rung: log kept changing while it was copied and is not in the checkpoint\n"
    monkeypatch.undo()
    trial.report(loss=1)
    assert trial.kept()["2"] == {"model": b"one", "log": b"line\n" * (1 + snapshot.TRIES)}


def test_a_change_in_the_same_tick_of_the_clock_is_seen(trial: Trial) -> None:
    """As long as before, in the file that was there: only its time tells."""
    trial.save(model=b"0")
    for number in range(6):
        (trial.working / "model").write_bytes(b"%d" % number)
        trial.report(loss=1)
    assert [tree["model"] for tree in trial.kept().values()] == [b"%d" % number for number in range(6)]


# ------------------------------------------------------------------------------------------------------------ hardships


def test_many_files_are_on_the_disk_before_the_line(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or there is no checkpoint: one that cannot be brought there fails all."""
    plant(trial.working, {f"{n}": b"x" for n in range(100)})
    synced: list[str] = []
    sync = snapshot._sync

    def watched(path: str) -> None:
        synced.append(path)
        sync(path)

    monkeypatch.setattr(snapshot, "_sync", watched)
    trial.report(loss=1)
    root = f"{trial.directory}/checkpoints"
    expected = [f"{root}/.partial/{n}" for n in range(100)] + [f"{root}/.partial", root, f"{trial.directory}"]
    assert sorted(synced) == sorted(expected) and synced[-1] == root
    assert len(trial.kept()["1"]) == 100

    def broken(path: str) -> None:
        if path.endswith("/50"):
            raise OSError(errno.EIO, "Input/output error", path)
        sync(path)

    monkeypatch.setattr(snapshot, "_sync", broken)
    plant(trial.working, {"more": b"x"})
    trial.report(loss=2)
    assert (named(trial.directory), list(trial.kept())) == (["1"], ["1"])


def test_a_report_at_the_very_end_keeps_a_checkpoint_too(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the interpreter gives no threads any more."""
    monkeypatch.setenv(wire.TRIAL_DIR, str(trial.directory))
    plant(trial.working, {f"{n}": b"x" for n in range(40)})
    program = "import atexit, rung; atexit.register(rung.report, loss=1)"
    subprocess.run([sys.executable, "-c", program], check=True)
    assert len(trial.kept()["1"]) == 40


class Shim(types.ModuleType):
    """`os` whose calls are counted; the one with the number `at` does `instead`."""

    CALLS = frozenset(
        {
            "open",
            "close",
            "write",
            "read",
            "mkdir",
            "makedirs",
            "rename",
            "fsync",
            "fstat",
            "fchmod",
            "utime",
            "scandir",
        }
    )

    def __init__(self, at: int, instead: Callable[[], None]) -> None:
        super().__init__("os")
        self.count, self.at, self.instead = 0, at, instead

    def __getattr__(self, name: str) -> Any:
        found = getattr(os, name)
        if name not in self.CALLS:
            return found

        def call(*args: Any, **named: Any) -> Any:
            self.count += 1
            if self.count == self.at:
                self.instead()
            return found(*args, **named)

        return call


def scenario(trial: Trial, epochs: tuple[int, ...] = (1, 2)) -> None:
    """A checkpoint is committed in each of these epochs."""
    for epoch in epochs:
        plant(trial.working, {"deep/state": b"%d" % epoch * epoch})
        trial.report(loss=0.5, epoch=epoch)


def check(trial: Trial) -> list[int]:
    """Every line is whole, and so is every checkpoint that one names; returns the epochs."""
    found = lines(trial.directory)
    kept = trial.kept()
    for line in found:
        if "_checkpoint" in line:
            data = b"%d" % line["epoch"] * line["epoch"]
            assert kept[line["_checkpoint"]] == {"deep": None, "deep/state": data}
    return [line["epoch"] for line in found]


def run_with(shim: Shim, directory: Path) -> Trial:
    """A trial that has committed two checkpoints, the second one through the shim."""
    trial = Trial(directory)
    scenario(trial, (1,))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshot, "os", shim)
        scenario(trial, (2,))
    return trial


CALLS = 45


def test_so_many_calls_make_a_checkpoint(tmp_path: Path) -> None:
    shim = Shim(0, lambda: None)
    trial = run_with(shim, tmp_path)
    assert (check(trial), named(tmp_path)) == ([1, 2], ["1", "2"])
    assert CALLS - 15 < shim.count < CALLS


def test_a_kill_between_any_two_calls_leaves_whole_checkpoints_or_garbage(tmp_path: Path) -> None:
    ends = set()
    for at in range(1, CALLS):
        pid = os.fork()
        if pid == 0:
            run_with(Shim(at, lambda: os.kill(os.getpid(), signal.SIGKILL)), tmp_path / str(at))
            os._exit(0)
        ends.add(os.waitpid(pid, 0)[1])
        trial = Trial(tmp_path / str(at))
        assert check(trial) in ([1], [1, 2])
        scenario(trial, (3,))  # whoever goes on commits the next one, and clears the garbage away
        assert (check(trial)[-1], named(trial.directory)[-1]) == (3, "3")
        assert ".partial" not in trial.kept()
        trial.session.close()
    assert ends == {0, signal.SIGKILL}


def test_a_full_disk_at_any_call_costs_the_checkpoint_and_never_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    lost = 0
    for at in range(1, CALLS):
        trial = run_with(Shim(at, full), tmp_path / str(at))
        trial.session.close()
        assert check(trial) == [1, 2]
        assert ".partial" not in trial.kept()
        said = capsys.readouterr().err
        if len(named(trial.directory)) == 1:
            lost += 1
            assert said.startswith("rung: no checkpoint was kept: No space left on device: ") and said.count("\n") == 1
    assert CALLS / 2 < lost < CALLS - 5


def test_a_full_disk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A real one: what cannot be kept is said, its room is given back, the reports go on."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "rung-test", disk], capture_output=True)
    if made.returncode:
        pytest.skip(f"a small tmpfs cannot be mounted here: {made.stderr.decode().strip()}")
    try:
        trial = Trial(disk / "trial")
        plant(trial.working, {"model": b"x" * 40_000})
        trial.report(loss=1, epoch=1)
        plant(trial.working, {"model": b"y" * 120_000})
        trial.report(loss=2, epoch=2)
        trial.report(loss=3, epoch=3)
        said = capsys.readouterr().err
        assert said.startswith("rung: no checkpoint was kept: No space left on device: ") and said.count("\n") == 1
        assert [line["loss"] for line in lines(trial.directory)] == [1, 2, 3]
        assert list(trial.kept()) == ["1"]
        plant(trial.working, {"model": b"z" * 10_000})
        trial.report(loss=4, epoch=4)
        assert list(trial.kept()) == named(trial.directory) == ["1", "4"]
        trial.session.close()
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_when_the_line_finds_no_room_the_checkpoint_makes_some(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trial.save(model=b"one")
    write = os.write

    def full(fd: int, data: bytes) -> int:
        if b"_checkpoint" in data:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        trial.report(loss=1)
    assert (trial.kept(), [line["loss"] for line in lines(trial.directory)]) == ({}, [1])
    assert "no checkpoint was kept: No space left" in capsys.readouterr().err
    trial.report(loss=2)
    assert named(trial.directory) == ["2"]


PROGRAM = """
import sys, itertools
from pathlib import Path
import rung
for epoch in itertools.count(int(sys.argv[1])):
    data = b"%d" % epoch
    for name in ("a", "b"):
        (rung.checkpoint_dir() / f".{name}").write_bytes(data * 5000)
        (rung.checkpoint_dir() / f".{name}").rename(rung.checkpoint_dir() / name)
    rung.report(loss=1, epoch=epoch)
    print(epoch, flush=True)
"""


def test_a_killed_program_leaves_whole_checkpoints(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(wire.TRIAL_DIR, str(trial.directory))
    program = trial.directory / "program.py"
    program.write_text(PROGRAM)
    epoch = 0
    for turn in range(4):
        begun = subprocess.Popen([sys.executable, program, str(epoch)], stdout=subprocess.PIPE)
        assert begun.stdout is not None
        for _ in range(1 + turn):
            epoch = int(begun.stdout.readline()) + 1
        begun.kill()
        begun.communicate()
    found = [line for line in lines(trial.directory) if "_checkpoint" in line]
    assert len(found) >= 10
    kept = trial.kept()
    for line in found:
        data = b"%d" % line["epoch"] * 5000
        assert (kept[line["_checkpoint"]]["a"], kept[line["_checkpoint"]]["b"]) == (data, data)


def test_reporters_never_mix_their_snapshots(trial: Trial) -> None:
    """Threads and forks save and report at once; each checkpoint is of one moment, and named once."""

    def work(who: int) -> None:
        for number in range(5):
            trial.save(**{f"w{who}": b"%d" % number})
            trial.report(loss=1, who=who, number=number)

    pids = []
    for who in (1, 2):
        pid = os.fork()
        if pid == 0:
            work(who)
            os._exit(0)
        pids.append(pid)
    threads = [threading.Thread(target=work, args=(who,)) for who in (3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0, 0]
    found = lines(trial.directory)
    kept = trial.kept()
    names = named(trial.directory)
    assert len(found) == 20
    assert sorted(names) == sorted(kept) and len(set(names)) == len(names)
    for line in found:  # its own save was before its report, so it is in the newest snapshot that is named by then
        before = [one for one in found[: found.index(line) + 1] if "_checkpoint" in one]
        saved = [kept[one["_checkpoint"]].get(f"w{int(line['who'])}") for one in before]
        assert max(int(data) for data in saved if data is not None) >= line["number"]


def test_a_word_that_cannot_be_written_stops_no_report(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that has no room for a checkpoint may have none for stderr; what was not said is said later."""

    class Full:
        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    keeper = snapshot.Keeper(str(trial.directory / "checkpoint"), str(trial.directory), {})
    said: list[str] = []
    monkeypatch.setattr(sys, "stderr", Full())
    keeper._say("no checkpoint was kept")
    monkeypatch.setattr(sys, "stderr", types.SimpleNamespace(write=said.append))
    keeper._say("no checkpoint was kept")
    keeper._say("no checkpoint was kept")
    assert said == ["rung: no checkpoint was kept\n"]


def test_a_signal_handler_may_report_while_a_snapshot_is_made(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    trial.save(model=b"one")
    after_each_copy(monkeypatch, lambda _: trial.report(loss=2))
    trial.report(loss=1)
    assert [line["loss"] for line in lines(trial.directory)] == [2, 1]
    assert len(named(trial.directory)) == 1


def test_what_an_attempt_began_from_is_not_kept_again(trial: Trial) -> None:
    trial.save(model=b"brought")
    snapshot.mark(str(trial.directory), snapshot.listing(str(trial.working)))
    trial.report(loss=1, epoch=6)
    assert trial.kept() == {}
    trial.save(model=b"changed")
    trial.report(loss=1, epoch=7)
    assert named(trial.directory) == ["7"]


def test_words_of_ours_are_no_metrics(trial: Trial) -> None:
    for name in ("_checkpoint", "_bytes"):
        with pytest.raises(TypeError, match="is not a metric"):
            trial.report(**{name: 3})


def test_the_command_keeps_checkpoints_too(tmp_path: Path) -> None:
    trial = Trial(tmp_path)
    trial.save(model=b"one")
    with trial.session.entered():
        assert shell.main(["loss=0.5", "epoch=3"]) == 0
    assert trial.kept() == {"3": {"model": b"one"}}
