"""What `rung show` says of one trial, and of scripts that were substituted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pathlib import Path

    from rung.api.handle import Handle

LONGEST = 64 * 1024  # characters of a diff that are shown


def trial_record(handle: Handle, number: int) -> dict[str, Any]:
    """All that is known of one trial (as in `rung trials --json`), where its files are, and the diff of its script."""
    from rung.analysis.records import record

    if number >= len(handle.state):
        raise click.ClickException(f"study {handle.name} has no trial {number}; it has {len(handle.state)} trials")
    folder = trial_folder(handle, number)
    return {
        **record(handle.state, handle.state.trial(number)),
        "directory": None if folder is None else str(folder),
        "diff": None if folder is None else source_diff(folder),
    }


def trial_folder(handle: Handle, number: int) -> Path | None:
    """The folder of the trial's last attempt; None before the first."""
    from rung.api.places import runs_directory
    from rung.runner.jobs import attempt_directory

    attempt = handle.trial(number).attempt
    if not attempt:
        return None
    return attempt_directory(runs_directory(handle), handle.name, trial=number, attempt=attempt)


def source_diff(folder: Path) -> str | None:
    """What was changed in the script of that attempt; None where nothing is substituted."""
    from rung.inside.workspace import DIFF

    try:
        with (folder / DIFF).open(encoding="utf-8", errors="replace", newline="") as file:
            return file.read(LONGEST)
    except OSError:
        return None


def trial_text(found: dict[str, Any]) -> list[str]:
    """The record for people."""
    from rung.cli.tables import assigned, seconds

    why = found["reason"] or (found["error"] or "").strip().rpartition("\n")[2]
    lines = [
        f"trial    {found['number']}",
        f"state    {found['state']}" + (f" ({why})" if why else ""),
        f"params   {assigned(found['params'])}",
        f"values   {assigned(found['values'])}",
        f"reports  {found['steps']}",
        f"took     {seconds(found['duration'])}, attempt {found['attempt']}",
        f"folder   {found['directory'] or 'it has not started yet'}",
    ]
    return lines + _diff_lines(found["diff"])


def source_lines(handle: Handle) -> list[str]:
    """What a study did to its script, by the example of the best trial, else of the first."""
    best = handle.best(top=1)
    numbers = [best[0].number] if best else list(range(min(1, len(handle.state))))
    for number in numbers:
        folder = trial_folder(handle, number)
        diff = None if folder is None else source_diff(folder)
        if diff is not None:
            return ["", f"the script of trial {number} (of another: rung show {handle.name} TRIAL):",
                    *(_diff_lines(diff)[1:] or ["nothing in it was changed"])]  # fmt: skip
    return []


def _diff_lines(diff: str | None) -> list[str]:
    return ["", *diff.splitlines()] if diff else []
