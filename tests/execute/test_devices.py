from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from rung.execute import shares
from rung.execute.base import Held
from rung.execute.devices import Devices, Gpu, Taken, find_gpus, own_folder
from rung.execute.local import LocalExecutor
from rung.execute.shares import WHOLE, RangeLocks, SlotLocks
from rung.model import BadInput
from rung.testing.executors import run, told_by
from rung.testing.programs import shell, wait_for

TWO = (Gpu("0", "GPU-aaaa"), Gpu("1", "GPU-bbbb"))


@pytest.fixture
def two(tmp_path: Path) -> Devices:
    return Devices(gpus=TWO, cpus=4, folder=tmp_path)


def took(devices: Devices, gpus: float = 0, cpus: float = 0) -> Taken:
    taken = devices.take(gpus=gpus, cpus=cpus)
    assert isinstance(taken, Taken), taken
    return taken


def names(taken: Sequence[Taken]) -> list[str]:
    return [",".join(one.names) for one in taken]


def test_free_devices_come_first_and_then_they_are_shared(two: Devices) -> None:
    held = [took(two, 0.5) for _ in range(4)]
    assert names(held[:2]) == ["0", "1"]
    assert sorted(names(held[2:])) == ["0", "1"]
    assert two.take(gpus=0.5, cpus=0) == "waiting for 0.5 of 2 GPUs to be free"
    held[1].close()
    assert took(two, 0.5).names == held[1].names


def test_a_part_goes_to_the_fullest_device_that_has_room(two: Devices) -> None:
    held = [took(two, 0.6), took(two, 0.3)]
    assert names(held) == ["0", "1"]
    assert took(two, 0.4).names == ("0",)
    assert took(two, 0.4).names == ("1",)


def test_a_whole_device_is_taken_alone(two: Devices) -> None:
    part = took(two, 0.1)
    whole = took(two, 1)
    assert (part.names, whole.names) == (("0",), ("1",))
    assert isinstance(two.take(gpus=1, cpus=0), str)
    part.close()
    whole.close()
    both = took(two, 2)
    assert both.variables == {"CUDA_VISIBLE_DEVICES": "0,1"}


def test_the_least_used_free_device_comes_first(tmp_path: Path) -> None:
    busy = Devices(gpus=(Gpu("0", "a", used=4000), Gpu("1", "b", used=10)), folder=tmp_path)
    assert took(busy, 1).names == ("1",)


@pytest.mark.parametrize(
    ("gpus", "cpus", "says"),
    [
        (1.5, 0, "share of one"),
        (3, 0, "wants 3, this machine has 2"),
        (-1, 0, "expected 0, or 0.01 or more"),
        (0.001, 0, "expected 0, or 0.01 or more"),
        (float("nan"), 0, "expected 0, or 0.01 or more"),
        (0, 5, "wants 5, this machine has 4"),
    ],
)
def test_what_can_never_be_given_is_refused(two: Devices, gpus: float, cpus: float, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        two.take(gpus=gpus, cpus=cpus)


def test_a_machine_without_gpus_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no GPU that it may use"):
        Devices(gpus=(), folder=tmp_path).take(gpus=1, cpus=0)


def test_cpus_are_shared_and_set_the_number_of_threads(two: Devices) -> None:
    first = took(two, cpus=2.5)
    assert first.limits["OMP_NUM_THREADS"] == "2"
    assert two.take(gpus=0, cpus=2) == "waiting for 2 of 4 CPUs to be free"
    second = took(two, cpus=1.5)
    first.close()
    second.close()
    assert took(two, cpus=4).limits["MKL_NUM_THREADS"] == "4"


def test_nothing_stays_taken_when_the_other_half_is_missing(two: Devices) -> None:
    held = took(two, cpus=4)
    assert isinstance(two.take(gpus=2, cpus=1), str)
    assert took(two, gpus=2).names == ("0", "1")
    held.close()


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, ["0 GPU-aaaa", "1 GPU-bbbb"]),
        ("", []),
        ("-1", []),
        ("1", ["1 GPU-bbbb"]),
        ("1,0", ["1 GPU-bbbb", "0 GPU-aaaa"]),
        ("1, -1, 0", ["1 GPU-bbbb"]),
        ("GPU-aa", ["GPU-aa GPU-aaaa"]),
        ("7", ["7 7"]),
        ("MIG-1234", ["MIG-1234 MIG-1234"]),
    ],
)
def test_only_visible_gpus_are_handed_out(visible: str | None, expected: list[str]) -> None:
    environ = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    assert [f"{gpu.name} {gpu.identity}" for gpu in find_gpus(environ, TWO)] == expected


def fake_smi(folder: Path, script: str) -> None:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo '0, GPU-a, 12'; echo '1, GPU-b, [N/A]'", [Gpu("0", "GPU-a", 12), Gpu("1", "GPU-b", 0)]),
        ("echo 'No devices were found'", []),
        ("echo 'driver failed' >&2; exit 9", []),
    ],
)
def test_nvidia_smi_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, expected: list[Gpu]) -> None:
    fake_smi(tmp_path, script)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert list(Devices(folder=tmp_path).gpus) == expected


def test_the_folder_of_locks_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = own_folder({"XDG_RUNTIME_DIR": str(tmp_path)})
    assert folder == tmp_path / "rung"
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)
    with pytest.raises(BadInput, match="belongs to another user"):
        own_folder({"XDG_RUNTIME_DIR": str(tmp_path)})
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(BadInput):
        own_folder({"XDG_RUNTIME_DIR": str(tmp_path)})


def test_an_unusable_runtime_folder_falls_back_to_a_named_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    assert own_folder({"XDG_RUNTIME_DIR": str(tmp_path / "gone")}) == tmp_path / f"rung-{os.getuid()}"


def test_a_runner_that_keeps_choosing_does_not_hang_the_others(two: Devices, tmp_path: Path) -> None:
    choosing = shares.lock_whole(tmp_path / "choosing")
    assert choosing is not None
    assert two.take(gpus=1, cpus=0) == "another runner is choosing devices"
    os.close(choosing)
    assert took(two, 1).names == ("0",)


@pytest.mark.parametrize("kind", [RangeLocks, SlotLocks])
def test_shares_add_up_to_the_whole_and_no_more(kind: type[RangeLocks | SlotLocks], tmp_path: Path) -> None:
    def locks() -> RangeLocks | SlotLocks:
        return kind(tmp_path / "gpu", WHOLE)

    first, second, third = (locks().take(amount) for amount in (30, 50, 20))
    assert first and second and third
    assert locks().free() == 0
    assert locks().take(10) is None
    for fd in (*first, *third):
        os.close(fd)
    assert locks().free() == 50
    assert locks().take(60) is None
    scattered = locks().take(50)
    assert scattered
    assert locks().free() == 0
    for fd in (*second, *scattered):
        assert fd >= shares.FIRST_FD
        os.close(fd)
    assert locks().free() == WHOLE


def test_a_share_lives_as_long_as_the_process_that_inherited_it(tmp_path: Path) -> None:
    taken = RangeLocks(tmp_path / "gpu", WHOLE).take(70)
    assert taken
    with subprocess.Popen(["sleep", "600"], pass_fds=taken) as process:
        os.close(taken[0])
        assert RangeLocks(tmp_path / "gpu", WHOLE).free() == 30
        process.kill()
        process.wait(10)
    assert RangeLocks(tmp_path / "gpu", WHOLE).free() == WHOLE


CHOOSER = """
import sys
from pathlib import Path
from rung.execute.devices import Devices, Gpu
devices = Devices(gpus=[Gpu("0", "a"), Gpu("1", "b")], folder=Path(sys.argv[1]))
held = []
while len(held) < 40:
    taken = devices.take(gpus=0.3, cpus=0)
    held.append(taken)
    if isinstance(taken, str) and "choosing" not in taken:
        break
print(sum(not isinstance(one, str) for one in held), flush=True)
sys.stdin.read()
"""


def test_runners_at_once_never_hand_out_more_than_there_is(tmp_path: Path) -> None:
    """Two devices hold three shares of 0.3 each: six, however many runners ask at once."""
    runners = [
        subprocess.Popen(
            [sys.executable, "-c", CHOOSER, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    counts = [int(runner.stdout.readline()) for runner in runners if runner.stdout]
    assert sum(counts) == 6
    for runner in runners:
        runner.communicate(timeout=10)
    assert took(Devices(gpus=(Gpu("0", "a"), Gpu("1", "b")), folder=tmp_path), 2).names == ("0", "1")


def test_two_executors_share_the_gpus_and_wait_for_each_other(tmp_path: Path) -> None:
    def executor() -> LocalExecutor:
        return LocalExecutor(devices=Devices(gpus=TWO, cpus=4, folder=tmp_path))

    async def story() -> None:
        os.mkfifo(tmp_path / "go")
        script = f'echo "$CUDA_VISIBLE_DEVICES $CUDA_DEVICE_ORDER"; read x < {tmp_path}/go'
        jobs = [shell(tmp_path / str(number), script, gpus=1.0) for number in range(3)]
        async with told_by(executor()) as first, told_by(executor()) as second:
            first.executor.start(jobs[0])
            second.executor.start(jobs[1])
            assert (await first.started(jobs[0].key)).devices == ("0",)
            assert (await second.started(jobs[1].key)).devices == ("1",)
            first.executor.start(jobs[2])
            await first.until(lambda: first.all(Held, jobs[2].key))
            assert "waiting for 1 of 2 GPUs" in first.all(Held, jobs[2].key)[0].why
            writer = threading.Thread(target=(tmp_path / "go").write_text, args=("x\n" * 2,))
            second.executor.kill(jobs[1].key)
            await second.end(jobs[1].key)
            first.executor.start(jobs[2])
            assert (await first.started(jobs[2].key)).devices == ("1",)
            writer.start()
            writer.join(10)
            first.executor.kill(jobs[0].key)
            first.executor.kill(jobs[2].key)
            await first.end(jobs[0].key, jobs[2].key)
        assert (tmp_path / "0" / "stdout").read_text() == "0 PCI_BUS_ID\n"
        wait_for(lambda: isinstance(Devices(gpus=TWO, folder=tmp_path).take(gpus=2, cpus=0), Taken))

    run(story())
