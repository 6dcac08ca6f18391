"""The verbs: which there are, where each lives, and what becomes of their errors. A verb's module is imported only
when the verb is used."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

VERBS: dict[str, dict[str, tuple[str, str]]] = {
    "Search": {
        "run": ("run_verbs", "Run a study of a script, a function, a command or a study file."),
        "plan": ("plan", "Say what `run` would do, and run nothing."),
        "resume": ("run_verbs", "Attach a runner to a study."),
        "simulate": ("simulating", "Run a study file on a virtual clock."),
        "compare": ("compare", "Compare methods on study files, over seeds."),
    },
    "Look": {
        "ls": ("study_verbs", "List the studies."),
        "show": ("study_verbs", "Show one study: its spec, its code, every change since."),
        "trials": ("trial_verbs", "List the trials of a study."),
        "best": ("trial_verbs", "Show the best configuration."),
        "logs": ("trial_verbs", "Print a trial's output."),
        "why": ("why", "Say why each decision was taken."),
        "checkpoint": ("checkpoint", "List the checkpoints, or copy out the best."),
        "view": ("view", "Show what a plot of the page shows."),
        "export": ("trial_verbs", "Write the trials as CSV or JSON lines."),
        "ui": ("ui", "Serve the web page and the REST API."),
    },
    "Control": {
        "pause": ("control", "Start no new trials."),
        "unpause": ("control", "Start trials again."),
        "stop": ("stopping", "End a study, or single trials of it."),
        "retry": ("control", "Run trials again."),
        "enqueue": ("control", "Evaluate this configuration next."),
        "tell": ("control", "Give a trial its values."),
        "edit": ("control", "Change budget, run settings and space of a study."),
        "note": ("notes", "Keep a note or tags beside a study or a trial; put it aside."),
        "rm": ("removal", "Remove a study and its folder."),
    },
    "Check": {
        "lint": ("file_verbs", "Say what is most likely not meant in a study file."),
        "convert": ("file_verbs", "Write a study file of any dialect as ours."),
        "replay": ("replaying", "Fold the log again, and recompute its decisions."),
        "doctor": ("doctor", "Look at the environment, the store, or a script."),
    },
    "Other tuners": {
        "studio": ("studio_verbs", "Run a script with StudioML's flags: `studio run`, `studio plan`."),
        "asme": ("asme_verbs", "Search a configuration with `hyper_opt`, as `asme search` and `asme optimize` do."),
    },
    "Inside a trial": {
        "report": ("report_verb", "Report metrics from a shell script."),
    },
}
HOMES = {name: home for section in VERBS.values() for name, (home, _) in section.items()}


class Verbs(click.Group):
    """The group whose commands are loaded by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs, in the order of the help."""
        return list(HOMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb, imported now."""
        if cmd_name not in HOMES:
            return None
        module = importlib.import_module(f"rung.cli.{HOMES[cmd_name]}")
        command: click.Command = module.COMMANDS[cmd_name]
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that `args` begins with; an unknown one is an error that names the nearest."""
        if args and args[0] not in HOMES and not args[0].startswith("-"):
            from rung.dialects.names import did_you_mean

            raise click.UsageError(f"no verb `{args[0]}`{did_you_mean(args[0], HOMES)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs by section, from the table alone."""
        for section, verbs in VERBS.items():
            with formatter.section(section):
                formatter.write_dl([(name, text) for name, (_, text) in verbs.items()])


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from rung import __version__

        click.echo(f"rung {__version__}")
        ctx.exit()


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
def front_door() -> None:
    """Finds good hyperparameters for any program.

    A first search:  rung run -p lr=loguniform(1e-5,0.1) -m loss train.py
    """


def run_command(words: Sequence[str]) -> int:
    """The exit code of `rung WORDS…`; errors are one line on stderr."""
    try:
        code = front_door.main(list(words), prog_name="rung", standalone_mode=False, obj=["rung", *words])
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.ClickException as error:
        return _complain(_usage(error), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return _complain("interrupted", 130)
    except BrokenPipeError:
        _forget_stdout()
        return 1
    except Exception as error:
        known = _explained(error)
        if known is None:
            raise
        return _complain(*known)
    return code if isinstance(code, int) else 0


def _usage(error: click.ClickException) -> str:
    text = error.format_message()
    text = text if text.endswith("...") else text.removesuffix(".")
    context = getattr(error, "ctx", None)
    return f"{text[:1].lower()}{text[1:]} (see {context.command_path} --help)" if context is not None else text


def _explained(error: Exception) -> tuple[str, int] | None:
    """The line and exit code for an error that a user can meet; None for one of ours."""
    from rung.inside.call import TargetError
    from rung.model import BadInput, RungError

    if isinstance(error, BadInput | TargetError):
        return str(error), 2
    if isinstance(error, RungError):
        return str(error), 1
    if isinstance(error, OSError):
        name = f"{error.filename}: " if error.filename else ""
        return f"{name}{error.strerror or error}", 1
    return None


def _complain(line: str, code: int) -> int:
    text = " ".join(line.split())
    click.echo(f"rung: {text}", err=True)
    return code


def _forget_stdout() -> None:
    """The reader of stdout is gone: what is still buffered goes nowhere, and quietly."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
