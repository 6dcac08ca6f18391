"""`rung simulate`: the same study on a virtual clock, its trials looked up in a table of learning curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rung.cli.options import say
from rung.cli.placing import placed

if TYPE_CHECKING:
    from rung.api.simulating import Figures, Simulated
    from rung.execute.simulation.conditions import Conditions

ASKED = (
    "dataset", "workers", "trials", "time", "seed", "search", "schedule", "charge", "store", "name",
)  # fmt: skip
_RATE = click.FloatRange(0)
_CHANCE = click.FloatRange(0, 1)


@click.command(epilog="docs/simulation.md says what tables hold, and what is simulated how.")
@click.argument("study_file", metavar="STUDYFILE")
@click.option("--table", required=True, metavar="FILE", help="Learning curves: .npz (FILE.npz#ID), .csv or .csv.gz.")
@click.option("--dataset", metavar="ID", help="Which data set of an archive with several.")
@click.option("-w", "--workers", type=click.IntRange(1), metavar="N", help="How many trials run at once [the file's].")
@click.option("-n", "--trials", type=click.IntRange(1), metavar="N", help="How many configurations [the file's].")
@click.option("--time", metavar="T", help="End after so much virtual time, such as 2h30m.")
@click.option(
    "--seed", type=click.IntRange(0), metavar="N", help="Of the search and of all that happens [the file's, else 0]."
)
@click.option("--search", metavar="NAME|FILE", help="Who proposes [the file's].")
@click.option("--schedule", metavar="NAME", help="Who stops trials early [the file's].")
@click.option("--set", "settings", multiple=True, metavar="KEY.PATH=VALUE", help="Any field of the study file.")
@click.option("--failures", type=_CHANCE, default=0.0, metavar="P", help="Chance that an attempt fails on its way [0].")
@click.option("--stragglers", type=_RATE, default=0.0, metavar="SD", help="Deviation of the log of slowness [0].")
@click.option("--preemption", type=_RATE, default=0.0, metavar="RATE", help="Machines lost an hour of running [0].")
@click.option("--holds", type=_CHANCE, default=0.0, metavar="P", help="Chance that a start finds no room [0].")
@click.option("--startup", metavar="T", default="0", help="From the start of a trial until it trains [0].")
@click.option("--stop-delay", metavar="T", default="0", help="How long a trial takes to end that is told to [0].")
@click.option("--checkpoints", is_flag=True, help="Scripts save a checkpoint with each report.")
@click.option("--checkpoint-time", metavar="T", default="0", help="How long saving one takes [0].")
@click.option("--restore-time", metavar="T", default="0", help="How long resuming from one takes [0].")
@click.option("--ends-at-resource", is_flag=True, help="Scripts heed RUNG_RESOURCE and end there by themselves.")
@click.option("--gulp", metavar="T", default="0", help="News are collected for so long before the study sees them [0].")
@click.option(
    "--charge", type=click.Choice(["real", "cpu", "nothing"]), default="real", help="What decisions take [real]."
)
@click.option("--free-decisions", "charge", flag_value="nothing", help="Short for --charge nothing.")
@click.option("--store", metavar="URL", help="Keep the study there [in memory].")
@click.option("--name", metavar="STUDY", help="Keep the study under this name; the same name goes on with it.")
@click.option("--json", "form", flag_value="json", default="table", help="Print the best and the figures as JSON.")
def simulate(study_file: str, *, table: str, form: str, settings: tuple[str, ...], **given: Any) -> int:
    """Run a study file on a virtual clock: its trials report what the table holds for the nearest configuration.

    Searcher, scheduler, runner and store are those of `rung run`; the command of the file is not run. What decisions
    take is charged to the clock.

    \b
    rung simulate study.yaml --table curves.csv -w 64
    rung simulate study.yaml --table lcbench.npz --dataset 7593 -w 1000 --preemption 0.1 --checkpoints
    """
    from rung.api.simulating import simulate as simulated

    asked = {name: given.pop(name) for name in ASKED}
    pairs, conditions = [_setting(text) for text in settings], _conditions(given)
    with placed(study_file, settings):
        found = simulated(study_file, table, conditions=conditions, settings=pairs, **asked)
    return _print(found, form)


def _conditions(given: dict[str, Any]) -> Conditions:
    from rung.dialects import parse_duration
    from rung.execute.simulation.conditions import Conditions
    from rung.model import BadInput

    options = {
        "startup": "startup_s", "stop_delay": "stop_delay_s", "checkpoint_time": "checkpoint_s",
        "restore_time": "restore_s", "gulp": "gulp_s",
    }  # fmt: skip
    times: dict[str, Any] = {}
    for option, field in options.items():
        try:
            times[field] = parse_duration(given.pop(option))
        except BadInput as error:
            raise BadInput(error.message, place=f"--{option.replace('_', '-')}") from None
    return Conditions(**given, **times)


def _setting(text: str) -> tuple[str, str]:
    from rung.model import BadInput

    path, equals, value = text.partition("=")
    if not equals or not path:
        raise BadInput(f"expected key.path=value, got {text!r}", place="--set")
    return path, value


def _print(found: Simulated, form: str) -> int:
    """The best is on stdout, the figures beside it: in the same object, or on stderr."""
    from rung.api.describing import winner_record
    from rung.cli.winners import NO_BEST, print_best

    handle = found.handle
    if form != "json":
        _say_figures(found)
        return print_best(handle, form=form)
    from rung.analysis.records import wired
    from rung.cli.tables import print_json

    winners = [winner_record(handle, winner) for winner in handle.winners()]
    several = len(handle.state.spec.objectives) > 1
    counts = {name: count for name, count in handle.state.counts.items() if count}
    best = winners if several else winners[0] if winners else None
    print_json({"best": best, "counts": counts, **wired(_as_tree(found.figures))})
    return 0 if winners else NO_BEST


def _as_tree(figures: Figures) -> dict[str, Any]:
    import msgspec

    return {**msgspec.structs.asdict(figures), "decisions_per_second": figures.decisions_per_second}


def _say_figures(found: Simulated) -> None:
    from rung.analysis.trajectories import resource_name
    from rung.cli.panel import counted
    from rung.cli.tables import number, seconds

    figures, state = found.figures, found.handle.state
    completed = state.switches.completed
    assert completed is not None
    unit = resource_name(state.spec)
    say(f"study {found.name} is {completed.state} ({completed.reason.text}): {counted(state)}")
    say(
        f"{seconds(figures.seconds)} of virtual time on {figures.workers} workers, {figures.busy:.1%} busy "
        f"({figures.busy_filling:.1%} until the last trial began); work: {number(figures.work)} {unit}, "
        f"{figures.reports} reports"
    )
    say(
        f"simulated in {seconds(figures.real_s)}, {seconds(figures.charged_s)} of it charged to the clock: "
        f"{figures.decisions} decisions, {figures.decisions_per_second:.0f} a second"
    )


COMMANDS = {"simulate": simulate}
