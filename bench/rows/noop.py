"""Script trials that do nothing, or wait for a moment, through `rung run`, a bare shell loop, and Syne Tune."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bench.claims import Claim
from bench.measure import run_process
from bench.rows.base import Row, Side, Sizes

if TYPE_CHECKING:
    from pathlib import Path

    from bench.journal import Values
    from bench.workshop import Workshop

_SCRIPT = "#!/bin/sh\n{wait}echo loss=0.5\n"
_FOR_SYNE_TUNE = (
    "#!/bin/sh\n{wait}echo "
    """'[tune-metric]: {{"loss": 0.5, "st_worker_timestamp": 0.0, "st_worker_iter": 0}}'\n"""
)


def _script(folder: Path, sizes: Sizes, text: str) -> Path:
    path = folder / "script.sh"
    wait = f"sleep {sizes['wait_ms'] / 1e3:g}\n" if sizes["wait_ms"] else ""
    path.write_text(text.format(wait=wait))
    path.chmod(0o755)
    return path


def rung(shop: Workshop, sizes: Sizes) -> Values:
    """`rung run` from start to end; the processor time is of the runner's own process."""
    with shop.folder() as folder:
        script = _script(folder, sizes, _SCRIPT)
        place = ["--dir", str(folder / "runs")]
        options = ["-n", sizes["trials"], "-w", 2, "--search", "random", "--seed", 0, "--name", "b", *place]
        finished = shop.time_side(
            "rung_run.py", folder / "cpu", "run", *options, "-p", "x=uniform(0,1)", "-m", "loss", script, folder=folder
        )
        cpu = json.loads((folder / "cpu").read_text())["cpu_s"]
        shown = run_process([str(shop.rung), "show", "b", "--json", *place], cwd=folder).stdout
        counts = json.loads(shown)["counts"]
        if counts["complete"] != sizes["trials"]:
            raise RuntimeError(f"expected {sizes['trials']} complete trials, got {counts}")
        return {
            "ms_per_trial": 1e3 * finished.wall_s / sizes["trials"],
            "runner_cpu_ms_per_trial": 1e3 * cpu / sizes["trials"],
            "all_cpu_ms_per_trial": 1e3 * finished.cpu_s / sizes["trials"],
        }


def loop(shop: Workshop, sizes: Sizes) -> Values:
    """`xargs -P2` that starts the same script as often."""
    return _looped(shop, sizes, [])


def loop_of_two(shop: Workshop, sizes: Sizes) -> Values:
    """The same, with each script started by a shell that stays to see how it ended."""
    return _looped(shop, sizes, ["/bin/sh", "-c", '"$0" "$@"; exit $?'])


def _looped(shop: Workshop, sizes: Sizes, before: list[str]) -> Values:
    with shop.folder() as folder:
        script = _script(folder, sizes, _SCRIPT)
        numbers = folder / "numbers"
        numbers.write_text("\n".join(map(str, range(sizes["trials"]))))
        finished = run_process(["xargs", "-P2", "-n1", *before, str(script)], cwd=folder, stdin=numbers)
        if finished.stdout.count("loss=0.5") != sizes["trials"]:
            raise RuntimeError("the loop did not run every script")
        return {
            "ms_per_trial": 1e3 * finished.wall_s / sizes["trials"],
            "all_cpu_ms_per_trial": 1e3 * finished.cpu_s / sizes["trials"],
        }


def _syne(poll_s: float, trials: str) -> Side:
    def side(shop: Workshop, sizes: Sizes) -> Values:
        with shop.folder() as folder:
            script = _script(folder, sizes, _FOR_SYNE_TUNE)
            env = {"SYNETUNE_FOLDER": str(folder / "runs")}
            arguments = (script, sizes[trials], poll_s)
            said = shop.side("syne_noop.py", *arguments, folder=folder, peer="syne-tune", env=env)
            return {"ms_per_trial": 1e3 * said["seconds"] / said["trials"], "trials": said["trials"]}

    return side


_SIDES: dict[str, Side] = {
    "rung": rung,
    "loop": loop,
    "loop of two": loop_of_two,
    "syne-tune": _syne(5.0, "peer_trials"),
    "syne-tune, eager": _syne(0.01, "eager_trials"),
}


def _claims(what: str, *, cpu: tuple[Claim, ...]) -> tuple[Claim, ...]:
    metric, unit = "ms_per_trial", "ms a trial"
    return (
        Claim(
            what=what, metric=metric, unit=unit, kind="times as much", peer="loop", goal=1.3,
            peer_name="bare `xargs -P2` loop",
        ),
        Claim(
            what="the same", metric=metric, unit=unit, kind="times as much", peer="loop of two",
            peer_name="the loop, each script through a second shell",
        ),
        *cpu,
        Claim(
            what="the same", metric=metric, unit=unit, peer="syne-tune", peer_name="Syne Tune", goal=20.0, least=True
        ),
        Claim(
            what="the same", metric=metric, unit=unit, peer="syne-tune, eager",
            peer_name="Syne Tune told to look every 10 ms",
        ),
    )  # fmt: skip


NOOP = Row(
    name="noop",
    title="Script trials that do nothing, two workers",
    sides=_SIDES,
    claims=_claims(
        "script trials that do nothing",
        cpu=(
            Claim(
                what="the same: the runner's processor time", metric="runner_cpu_ms_per_trial", unit="ms a trial",
                kind="reading", goal=2.0,
            ),
        ),
    ),
    how=(
        "The script is `#!/bin/sh` and `echo loss=0.5`. Rung: `rung run` as a whole process, random search, its "
        "log in SQLite, one directory a trial. The loop: `xargs -P2 -n1` starting the same script as often; once "
        "more with a second shell that waits for each. Syne Tune: `LocalBackend` with `/bin/sh` as its binary and "
        "a script that prints the one line its protocol asks for. Syne Tune sleeps 5 s whenever it finds all "
        "workers busy, which with such scripts is only now and then; it runs fewer trials and its time is given "
        "per trial; once more told to sleep 10 ms. Ray Tune is not measured here."
    ),
    limits=(
        "the runner is one thread and does a trial's work in turn: three flushed commits (what happened, its "
        "outcome, the next proposal), the start of the process, the attempt's directory with its files, and the "
        "line on the screen. Each trial also starts a second shell, the wrapper that records how it ended, which "
        "a bare loop does not; the loop through a second shell shows that part. The "
        "rest of the gap is what recording and isolating a trial costs; it does not grow with the trial's length."
    ),
    sizes={"trials": 2000, "peer_trials": 200, "eager_trials": 1000, "wait_ms": 0},
    quick={"trials": 60, "peer_trials": 2, "eager_trials": 10, "wait_ms": 0},
    rounds=5,
    quick_rounds=1,
    needs=("syne-tune",),
    programs=("xargs",),
)  # fmt: skip

SHORT = Row(
    name="short",
    title="Script trials of 50 ms, two workers",
    sides=_SIDES,
    claims=_claims("script trials that wait for 50 ms", cpu=()),
    how="The same with a script that begins with `sleep 0.05`: now Syne Tune finds all workers busy at every look.",
    limits=(
        "the same work for each trial as in the row above, hidden behind the waiting as far as the two workers overlap."
    ),
    sizes={"trials": 400, "peer_trials": 16, "eager_trials": 100, "wait_ms": 50},
    quick={"trials": 20, "peer_trials": 2, "eager_trials": 4, "wait_ms": 50},
    rounds=5,
    quick_rounds=1,
    needs=("syne-tune",),
    programs=("xargs",),
)
