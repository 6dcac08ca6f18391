"""`rung compare`: methods times seeds of study files, as a table and a figure."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rung.cli.options import find, format_options, place_options, say, store_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.analysis.standings import Row, RunFound, Standings
    from rung.api.compare import Problem, Run, Studies
    from rung.api.crew import Crew, Outcome
    from rung.api.handle import Handle

SEEDS = "5"


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILES...")
@click.option("--methods", metavar="A,B,...", help="tpe, auto+asha, other.yaml, ... [the file's own, and random+none]")
@click.option("--seeds", default=SEEDS, metavar="N|A:B", help=f"Seeds 0 to N-1, or A to B [{SEEDS}].")
@click.option("-n", "--trials", type=click.IntRange(1), metavar="N", help="Trials of each run [as the file says].")
@click.option("--time", "duration", metavar="T", help="Time of each run, such as 2h30m.")
@click.option("--workers-per-study", "workers", type=click.IntRange(1), metavar="W", help="[as the file says]")
@click.option("--parallel", type=click.IntRange(1), metavar="P", help="Runs at a time [what the CPUs allow].")
@click.option("--set", "settings", multiple=True, metavar="KEY.PATH=VALUE", help="Any field of the study files.")
@click.option("--table", metavar="FILE", help="Simulate: trials report what this table of learning curves holds.")
@click.option("--dataset", "datasets", metavar="ID,...", help="Which of the table's data sets, each a problem.")
@click.option("--conditions", metavar="WORDS", default="", help="More options of `rung simulate`, in one word.")
@click.option("--over", type=click.Choice(["time", "cost", "trials", "resource"]), default="time", help="[time]")
@click.option("--band", type=click.Choice(["ci", "quartiles", "iqm"]), default="ci", help="[ci: mean, 95 % interval]")
@click.option("--final", is_flag=True, help="Count final values only, not what trials report on the way.")
@click.option("--within", type=click.FloatRange(0), default=1.0, metavar="PERCENT", help="Of the best: reached [1].")
@click.option("--studies", is_flag=True, help="FILES are studies that exist; NAME-sN is seed N of NAME.")
@click.option("--out", metavar="FOLDER", help="Where the figures go [compare-STEM in the directory of the studies].")
@place_options
@format_options
@click.pass_obj
def compare(
    command_line: list[str], /, files: tuple[str, ...], *, studies: bool, store: str | None, directory: str | None,
    form: str, out: str | None, **given: Any,
) -> int:  # fmt: skip
    """Compare methods on study files: each method with each seed is a study of its own, run to its end.

    What is finished is not run again, what was interrupted goes on.

    \b
    rung compare digits.yaml --methods tpe,gp,tpe+asha --seeds 20
    rung compare a.yaml b.yaml --methods auto,random --over trials --band quartiles
    rung compare --studies digits-tpe-s0 digits-tpe-s1 digits-gp-s0 digits-gp-s1
    """
    places = find(directory, store)
    code = 0
    if studies:
        standings, stem = _existing(files, store_at(places.store), given)
    else:
        code, standings, stem = _worked(command_line, files, store_at(places.store), places, given)
        if code > 1:
            return code
    folder = Path(out) if out is not None else places.runs / f"compare-{stem}"
    _print(standings, form)
    _written(standings, folder)
    return code


# --------------------------------------------------------------------------------------------------------- running


def _worked(
    command_line: list[str], files: Sequence[str], store: Any, places: Any, given: dict[str, Any]
) -> tuple[int, Standings, str]:
    """Every run is over, or a signal came: the exit code, what was found, and a name for it."""
    from rung.api.compare import default_methods, label_of, parse_seeds, planned
    from rung.api.crew import LOG, SIGNALS, Crew

    cwd, settings = Path.cwd(), _settings(given)
    problems = _problems(files, settings, given)
    methods = given["methods"].split(",") if given["methods"] else default_methods(problems[0])
    runs = planned(problems, methods, parse_seeds(given["seeds"]), settings=settings, cwd=cwd)
    opened = _studies(store, places, command_line, problems, given)
    opened.check(runs)
    crew = Crew(opened.resume, places.runs, parallel=given["parallel"] or _parallel(runs, given))
    say(f"{len(runs)} runs, {crew.parallel} at a time; what each says: {places.runs}/STUDY/{LOG}")
    failed = _work(opened, crew, runs)
    if crew.ended_by is not None:
        say("the comparison is interrupted: the same command goes on with it")
        return SIGNALS[crew.ended_by], _standings(problems, [], [], given), ""
    found = [_found(handle, run, given) for run in runs if (handle := opened.find(run)) is not None]
    standings = _standings(problems, [label_of(m, cwd=cwd) for m in methods], found, given)
    _say_failed(failed, len(runs))
    return (1 if failed else 0), standings, problems[0].stem if len(problems) == 1 else f"{len(problems)}-files"


def _settings(given: dict[str, Any]) -> list[str]:
    """`--trials` and `--time` are short for fields of the study file."""
    short = {"budget.trials": given["trials"], "budget.time": given["duration"]}
    return [*given["settings"], *(f"{key}={value}" for key, value in short.items() if value is not None)]


def _problems(files: Sequence[str], settings: Sequence[str], given: dict[str, Any]) -> list[Problem]:
    from rung.api.compare import read_problem, read_simulated
    from rung.model import BadInput

    if given["table"] is None:
        if given["datasets"] or given["conditions"]:
            raise BadInput("only counts with --table", place="--dataset" if given["datasets"] else "--conditions")
        return [read_problem(file, settings, cwd=Path.cwd()) for file in files]
    datasets = given["datasets"].split(",") if given["datasets"] else []
    return [p for file in files for p in read_simulated(file, settings, datasets, cwd=Path.cwd())]


def _studies(
    store: Any, places: Any, command_line: list[str], problems: Sequence[Problem], given: dict[str, Any]
) -> Studies:
    from rung.api.compare import SimulatedStudies, Studies

    if given["table"] is None:
        return Studies(store, places, command_line, workers=given["workers"])
    return SimulatedStudies(
        store, places, command_line, workers=given["workers"], table=given["table"], problems=problems,
        conditions=shlex.split(given["conditions"]),
    )  # fmt: skip


def _parallel(runs: Sequence[Run], given: dict[str, Any]) -> int:
    """As many as keep the CPUs busy; a simulated run needs one, whatever its workers."""
    each = 1 if given["table"] is not None else given["workers"] or max(run.spec.run.workers for run in runs)
    return max(1, (os.cpu_count() or 1) // each)


def _work(studies: Studies, crew: Crew, runs: Sequence[Run]) -> list[tuple[Run, str]]:
    """The runs that have work left are over; which of them failed, and why."""
    from rung.model import RungError

    failed: list[tuple[Run, str]] = []
    done = 0

    def waiting() -> Iterator[Run]:
        nonlocal done
        for run in runs:
            try:
                todo = studies.open(run) is not None
            except RungError as error:
                failed.append((run, str(error)))
                todo = False
            if todo:
                yield run
            else:
                done += 1

    for outcome in crew.work(waiting()):
        done += 1
        if outcome.code:
            failed.append((outcome.run, outcome.said or f"exit code {outcome.code}"))
        say(f"{done}/{len(runs)} {_ended(studies, outcome)}")
    return failed


def _ended(studies: Studies, outcome: Outcome) -> str:
    from rung.api.crew import SIGNALS
    from rung.cli.tables import number, seconds

    took = seconds(outcome.seconds)
    if outcome.code in SIGNALS.values():
        return f"{outcome.run.study} is interrupted after {took}"
    if outcome.code:
        return f"{outcome.run.study} failed after {took}: {outcome.said}"
    handle = studies.find(outcome.run)
    best = handle.best(top=1) if handle is not None else []
    metric = outcome.run.spec.objectives[0].metric
    value = f", {metric} {number(best[0].value)}" if best and best[0].value is not None else ""
    return f"{outcome.run.study} is done in {took}{value}"


def _say_failed(failed: Sequence[tuple[Run, str]], total: int) -> None:
    if failed:
        say(f"{len(failed)} of {total} runs failed:")
        for run, why in failed:
            say(f"  {run.study}: {why}")


# --------------------------------------------------------------------------------------------------------- reading


def _found(handle: Handle, run: Run, given: dict[str, Any]) -> RunFound:
    return _read(handle, problem=run.problem, method=run.method, seed=run.seed, given=given)


def _read(handle: Handle, *, problem: int, method: int, seed: int, given: dict[str, Any]) -> RunFound:
    """The study as its log has it now."""
    from rung.analysis.standings import RunFound
    from rung.analysis.trajectories import points_of
    from rung.model import BadInput

    points = points_of((event for _, event in handle.story()), handle.state.spec, final=given["final"])
    if given["over"] == "cost" and not points.costed:
        raise BadInput(
            f"what {handle.name} cost is not known: set run.price, or report the metric `cost`", place="--over"
        )  # fmt: skip
    counts = handle.state.counts
    return RunFound(
        problem=problem, method=method, seed=seed, study=handle.name, state=handle.status(), trials=len(handle.state),
        failed=counts["failed"], points=points,
    )  # fmt: skip


def _existing(names: Sequence[str], store: Any, given: dict[str, Any]) -> tuple[Standings, str]:
    """Studies that exist: those whose names differ in `-sN` alone are one method."""
    from rung.api.compare import Problem, grouped
    from rung.api.handle import Handle
    from rung.model import BadInput

    methods = grouped(names)
    handles = {name: Handle(store, name) for name in names}
    spec = handles[names[0]].state.spec
    if not spec.objectives:
        raise BadInput(f"{names[0]} has no metric to compare by", place="--studies")
    other = next((name for name, handle in handles.items() if handle.state.spec.objectives != spec.objectives), None)
    if other is not None:
        raise BadInput(f"{other} has other objectives than {names[0]}", place="--studies")
    found = [
        _read(handles[name], problem=0, method=m, seed=seed, given=given)
        for m, own in enumerate(methods.values())
        for seed, name in own.items()
    ]
    return _standings([Problem("studies", spec)], list(methods), found, given), "studies"


def _standings(
    problems: Sequence[Problem], methods: Sequence[str], found: Sequence[RunFound], given: dict[str, Any]
) -> Standings:
    from rung.analysis.standings import Asked, Standings

    asked = Asked(
        problems=tuple(p.stem for p in problems), specs=tuple(p.spec for p in problems), methods=tuple(methods),
        over=given["over"], band=given["band"], within=given["within"] / 100,
    )  # fmt: skip
    return Standings(asked, found)


# ------------------------------------------------------------------------------------------------------- for people


def _print(standings: Standings, form: str) -> None:
    import msgspec

    from rung.cli.tables import print_json, print_rows

    rows = standings.rows()
    if form == "json":
        print_json(standings.record())
    elif form == "csv":
        names = list(rows[0].__struct_fields__) if rows else ["method"]
        print_rows(names, [list(msgspec.structs.astuple(row)) for row in rows], form=form)
    else:
        names, cells = _cells(standings, rows)
        print_rows(names, cells, form=form)
        click.echo(f"\n{standings.sentence()}.")


def _cells(standings: Standings, rows: Sequence[Row]) -> tuple[list[str], list[list[Any]]]:
    """The table's head and rows; a column that would be empty is left out."""
    head = ["file", "method", "runs", "mean", "interval", "median", "rank", "rank interval", "wins"]
    within = f"{standings.asked.over} to {100 * standings.asked.within:g} %"
    head += [within, "reached", "trials", "failed"]
    cells = [_row_cells(standings, row) for row in rows]
    kept = [i for i in range(len(head)) if any(row[i] not in {None, ""} for row in cells)]
    if len(standings.asked.problems) == 1:
        kept = [i for i in kept if head[i] != "file"]
    return [head[i] for i in kept], [[row[i] for i in kept] for row in cells]


def _row_cells(standings: Standings, row: Row) -> list[Any]:
    from rung.cli.tables import seconds

    timed = standings.asked.over == "time" and row.to_best is not None
    return [
        row.problem or "all", row.method, row.runs, row.mean, _interval(row.low, row.high, ".4g"), row.median,
        None if row.rank is None else round(row.rank, 2), _interval(row.rank_low, row.rank_high, ".2f"),
        _share(row.wins), seconds(row.to_best) if timed else row.to_best, _share(row.reached), row.trials, row.failed,
    ]  # fmt: skip


def _interval(low: float | None, high: float | None, digits: str) -> str:
    return "" if low is None or high is None else f"{low:{digits}} to {high:{digits}}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.0f} %"


def _written(standings: Standings, folder: Path) -> None:
    """The figures are in the folder, and the numbers beside them."""
    import msgspec

    from rung.analysis.figures import svg, write_png
    from rung.model import BadInput

    panels = standings.panels()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "comparison.json").write_bytes(msgspec.json.format(msgspec.json.encode(standings.record()), indent=1))
    if not panels:
        say(f"nothing to draw: no run has found anything; the numbers are in {folder}")
        return
    (folder / "comparison.svg").write_text(svg(panels))
    try:
        write_png(panels, folder / "comparison.png")
    except BadInput as error:
        say(str(error))
    say(f"figures and numbers: {folder}")


COMMANDS = {"compare": compare}
