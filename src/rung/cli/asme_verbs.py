"""`rung asme search` and `rung asme optimize`: `hyper_opt` configurations, with the original's arguments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rung.cli.options import find, place_flags, place_options, say, store_at
from rung.cli.run_verbs import carry_on, json_option

if TYPE_CHECKING:
    from collections.abc import Callable

    from rung.dialects.hyperopt.asme import Wanted
    from rung.model import StudySpec

_DIRECTIONS = ("minimize", "maximize")


@click.group("asme", epilog="The program comes last, after `--`, or is the template's own `command`.")
def asme() -> None:
    """Search a configuration with `hyper_opt` blocks, as `asme search` and `asme optimize` do."""


def _shared(verb: Callable[..., Any]) -> Callable[..., Any]:
    options = (
        click.argument("command", nargs=-1, metavar="[-- CMD {config}...]"),
        click.option(
            "--study-direction", type=click.Choice(_DIRECTIONS), default="maximize", help="What is better [maximize]."
        ),
        click.option("--num-trials", type=click.IntRange(1), default=20, metavar="N", help="Of the whole study [20]."),
        click.option(
            "-w", "--workers", type=click.IntRange(1), default=1, metavar="N", help="Trials at once here [1]."
        ),
        click.option("--seed", type=click.IntRange(0), metavar="N", help="Of the search [drawn]."),
        place_options,
        json_option,
        click.pass_obj,
    )
    for option in reversed(options):
        verb = option(verb)
    return verb


@asme.command()
@click.argument("template")
@click.argument("opt_config")
@click.argument("study_name")
@click.argument("study_storage")
@click.argument("objective_metric")
@_shared
def search(command_line: list[str], /, template: str, opt_config: str, study_storage: str, **given: Any) -> int:
    """Lay the resolved OPT_CONFIG over the configuration TEMPLATE, and search.

    STUDY_STORAGE is where an Optuna study is kept in step with ours; None for no such study. The same STUDY_NAME from
    several processes is one study.
    """
    from rung.dialects.hyperopt.asme import search_study

    return _run(command_line, search_study(template, opt_config, _wanted(given, study_storage)), given)


@asme.command()
@click.argument("template")
@click.argument("opt_config")
@click.argument("objective_metric")
@click.argument("study_name")
@click.option("--study-storage", metavar="URL", help="Where an Optuna study is kept in step with ours [None].")
@_shared
def optimize(
    command_line: list[str], /, template: str, opt_config: str, study_storage: str | None, **given: Any
) -> int:
    """Render the Jinja2 TEMPLATE with the resolved OPT_CONFIG to a JSON configuration, and search."""
    from rung.dialects.hyperopt.asme import optimize_study

    return _run(command_line, optimize_study(template, opt_config, _wanted(given, study_storage)), given)


def _wanted(given: dict[str, Any], storage: str | None) -> Wanted:
    from rung.dialects.hyperopt.asme import Wanted

    return Wanted(
        study=given["study_name"], storage=None if storage in {None, "", "None"} else storage,
        metric=given["objective_metric"], goal=given["study_direction"], trials=given["num_trials"],
        command=given["command"], cwd=Path.cwd(),
    )  # fmt: skip


def _run(command_line: list[str], spec: StudySpec, given: dict[str, Any]) -> int:
    """The study is made, or the one of that name joined, and worked on here; returns the exit code."""
    import msgspec

    from rung.api.advice import spec_warnings
    from rung.api.creation import create_or_continue, created_event
    from rung.api.studyfiles import remarks_on

    spec = msgspec.structs.replace(
        spec,
        search=msgspec.structs.replace(spec.search, seed=given["seed"]),
        run=msgspec.structs.replace(spec.run, workers=given["workers"]),
    )
    places = find(given["directory"], given["store"])
    event = created_event(spec, runs=places.runs, cwd=Path.cwd(), command_line=command_line, surface="cli")
    opened = create_or_continue(store_at(places.store), event, stem="asme")
    if opened.how == "created":
        say(f"study {opened.handle.name}")
        for text in (*(f"warning: {text}" for text in spec_warnings(spec)), *remarks_on(spec)):
            say(text)
    flags = place_flags(given["directory"], given["store"])
    return carry_on(opened, workers=given["workers"], form=given["form"], flags=flags)


COMMANDS = {"asme": asme}
