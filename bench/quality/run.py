"""`make bench-quality`: runs tuners on problems with many seeds, goes on where it stopped, and writes the report.

    bench/quality/run.py [--methods M,M] [--problems P,P] [--seeds N] [--trials N] [--workers N] [--jobs N] [--report]

Methods are `random`, `optuna:tpe`, ... and `rung:NAME`; problems are named singly or by family.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import sys
import threading
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from typing import TYPE_CHECKING, NamedTuple

from bench.measure import code_version
from bench.peers import Peers
from bench.quality.children import ChildFailed, Crew
from bench.quality.methods import PEERS, Method, method
from bench.quality.play import Play
from bench.quality.problems import PROBLEMS, of_families
from bench.quality.report import publish
from bench.quality.runs import Key, Run, append, read, statement

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results"
JOURNAL = RESULTS / "quality.jsonl"
SCRATCH = RESULTS / "scratch" / "quality"
PARALLEL = ("fcnet-protein", "nas-cifar100", "bbob-f24-5d", "mixint-f15-5d", "svm-diabetes", "branches")


class Asked(NamedTuple):
    """What is to be run."""

    methods: list[Method]
    problems: list[str]
    seeds: int
    trials: int
    workers: int


def say(line: str) -> None:
    """The line is on stderr."""
    print(line, file=sys.stderr, flush=True)


def source_copy() -> tuple[Path, str]:
    """A copy of the package as it is now, and its version: edits while it is measured change nothing."""
    code = code_version(ROOT / "src" / "rung")
    target = SCRATCH / f"source-{code}"
    if not target.exists():
        half = target.with_suffix(".new")
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(ROOT / "src" / "rung", half / "rung", ignore=shutil.ignore_patterns("__pycache__"))
        half.rename(target)
    return target, code


def versions(methods: Sequence[Method], peers: Peers, code: str) -> dict[str, str]:
    """Each method's version: of our code, or of the peer and its adapter."""
    found = {}
    for one in methods:
        version = code if one.ours else "1" if one.peer is None else peers.version(one.peer)
        found[one.name] = version if one.ours else f"{version}/{one.revision}"
    return found


def keys(asked: Asked, codes: dict[str, str]) -> Iterator[tuple[Key, Method]]:
    """All runs, so that what is there at any time is balanced: by seed, then by problem, then by method."""
    for seed, name, one in itertools.product(range(asked.seeds), asked.problems, asked.methods):
        if one.seeds is None or seed < one.seeds:
            yield (
                Key(one.name, codes[one.name], name, statement(PROBLEMS[name]), seed, asked.workers, asked.trials),
                one,
            )


class Work:
    """The runs that are left, taken by threads that each have children of their own."""

    def __init__(
        self, left: list[tuple[Key, Method]], peers: Peers, source: Path, sink: Callable[[Run], object]
    ) -> None:
        self.left, self.total, self.peers, self.source, self.sink = iter(left), len(left), peers, source, sink
        self.lock, self.done, self.started = threading.Lock(), 0, time.time()
        self.broken: set[str] = set()

    def work(self, number: int) -> None:
        """Until nothing is left."""
        crew = Crew(self.peers, SCRATCH, source=self.source, number=number)
        while True:
            with self.lock:
                found = next(self.left, None)
            if found is None:
                break
            if found[1].name not in self.broken:
                self.one(crew, *found)
        crew.close()

    def one(self, crew: Crew, key: Key, one: Method) -> None:
        """One run is where it belongs."""
        try:
            run = Play(key, crew.tuner(one), crew.objectives).run()
        except ChildFailed as failure:
            self.broken.add(one.name)
            say(f"{one.name} does not start and is left out:\n{failure}")
            crew.drop(one)
            return
        if run.error:
            crew.drop(one)
        if crew.objectives.process.poll() is not None:
            raise ChildFailed(f"the objectives ended: {run.error}")
        with self.lock:
            self.sink(run)
            self.done += 1
            took = sum(run.seconds)
            error = f", FAILED: {run.error.splitlines()[-1][:200]}" if run.error else ""
            hours = (time.time() - self.started) / self.done * (self.total - self.done) / 3600
            say(f"{self.done}/{self.total} {key.method} {key.problem} seed {key.seed}: {took:.1f} s{error}"
                f" ({hours:.1f} h left)")  # fmt: skip


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="bench/quality/run.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--methods", default=",".join([*PEERS, "rung:auto"]), help="by commas")
    parser.add_argument("--problems", default="", help="problems or families, by commas (all)")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--workers", type=int, default=1, help="trials at the same time, simulated")
    parser.add_argument("--jobs", type=int, default=2, help="runs at the same time")
    parser.add_argument("--report", action="store_true", help="run nothing, write the report of what there is")
    parser.add_argument("--out", default=str(ROOT / "docs" / "benchmarks"), help="the report's folder")
    return parser.parse_args(words)


def run_all(asked: Asked, jobs: int, *, done: Container[Key], sink: Callable[[Run], object]) -> None:
    """All that was asked for and is not done has been given to `sink`."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    peers = Peers(ROOT / ".venvs")
    source, code = source_copy()
    left = [(key, one) for key, one in keys(asked, versions(asked.methods, peers, code)) if key not in done]
    say(f"{len(left)} runs are left")
    work = Work(left, peers, source, sink)
    threads = [threading.Thread(target=work.work, args=(number,)) for number in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(words: Sequence[str] | None = None) -> int:
    """What was asked for has been run and reported."""
    options = arguments(words)
    names = [name for name in options.problems.split(",") if name]
    problems = list(PARALLEL) if options.workers > 1 and not names else of_families(names)
    methods = [method(name) for name in options.methods.split(",")]
    asked = Asked(methods, problems, options.seeds, options.trials, options.workers)
    if not options.report:
        run_all(asked, options.jobs, done={run.key for run in read(JOURNAL)}, sink=partial(append, JOURNAL))
    print(publish(list(read(JOURNAL)), Path(options.out), Peers(ROOT / ".venvs")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
