"""`rung ls` and `rung show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rung.cli.options import find, format_options, one_trial, open_study, place_options, say, store_at

if TYPE_CHECKING:
    from rung.api.handle import Handle


@click.command()
@click.option("--all", "everything", is_flag=True, help="The archived ones too.")
@place_options
@format_options
def ls(*, everything: bool, store: str | None, directory: str | None, form: str) -> None:
    """List the studies, the newest last, but for those that are archived."""
    from rung.api.handle import Handle
    from rung.cli.tables import print_rows

    opened = store_at(find(directory, store).store)
    found = [_summary(Handle(opened, row.name)) for row in opened.studies()]
    records = [record for record in found if everything or not record["archived"]]
    hidden = len(found) - len(records)
    if hidden:
        say(f"{hidden} archived {'study is' if hidden == 1 else 'studies are'} not listed: rung ls --all")
    names = ["name", "state", "trials", "complete", "failed", "metric", "best", "elapsed", "created"]
    print_rows(names, [_row(r, names, form=form) for r in records], form=form, records=records)


def _row(summary: dict[str, Any], names: list[str], *, form: str) -> list[Any]:
    from rung.cli.tables import local_time, seconds

    row = [summary[name] for name in names]
    if form == "table":
        row[names.index("elapsed")] = seconds(summary["elapsed"])
        row[names.index("created")] = local_time(summary["created"])
    return row


def _summary(handle: Handle) -> dict[str, Any]:
    from rung.analysis.records import iso, wired
    from rung.study.live import Note

    state = handle.state
    best, note = handle.best(top=1), state.notes.get(None, Note())
    return {
        "name": handle.name,
        "state": handle.status(),
        "trials": len(state),
        **state.counts,
        "metric": ", ".join(objective.metric for objective in state.spec.objectives),
        "best": wired(best[0].value) if best else None,
        "elapsed": round(state.switches.elapsed, 3),
        "created": iso(state.created.at),
        "tags": list(note.tags),
        "archived": note.archived,
    }


@click.command()
@click.argument("words", nargs=-1, metavar="[STUDY] [TRIAL]")
@place_options
@format_options
def show(words: tuple[str, ...], *, store: str | None, directory: str | None, form: str) -> None:
    """Show one study: its spec, the code it ran on, and every change since it was created. With TRIAL: that trial, its
    folder, and what was changed in its script (`--inject source`)."""
    from rung.api.describing import shown
    from rung.cli.showing import trial_record, trial_text
    from rung.cli.tables import print_json, print_rows

    handle, left = open_study(words, store=store, directory=directory)
    number = one_trial(left)
    found = shown(handle) if number is None else trial_record(handle, number)
    if form == "json":
        print_json(found)
    elif form == "csv":
        print_rows(["field", "value"], list(found.items()), form=form)
    else:
        click.echo("\n".join(_text(handle, found) if number is None else trial_text(found)))


def _text(handle: Handle, found: dict[str, Any]) -> list[str]:
    from rung.cli.panel import counted
    from rung.cli.showing import source_lines
    from rung.cli.tables import local_time, one_line, seconds, shown
    from rung.dialects import to_yaml

    lines = [
        f"study    {found['name']}",
        f"state    {found['state']}" + (f" ({found['reason']})" if found["reason"] else ""),
        f"trials   {counted(handle.state)}",
        f"elapsed  {seconds(found['elapsed'])}, created {local_time(found['created'])} by {found['code'].get('who')}",
        f"seed     {found['seed']}",
    ]
    lines += [f"runner   {r['host']}, process {r['pid']}, {r['workers']} workers" for r in found["runners"]]
    lines += [f"from     {e['study']}: {e['read']} of its {e['trials']} trials were read" for e in found["earlier"]]
    lines += [f"tags     {', '.join(map(one_line, found['tags']))}"] if found["tags"] else []
    lines += [f"note     {one_line(line)}" for line in found["note"].splitlines()]
    lines += ["archived rung note --unarchive brings it back to rung ls"] if found["archived"] else []
    lines += [f"best     {line}" for line in _best_lines(handle)]
    lines += ["", *_code_lines(found["code"]), "", *to_yaml(handle.state.spec).rstrip().splitlines()]
    lines += source_lines(handle)
    if found["changes"]:
        lines += ["", "changes since it was created:"]
        for change in found["changes"]:
            lines += [f"  {local_time(change['at'])}  {one_line(change['who'])}  {change['path']}"]
            lines += [f"    - {shown(change['old'])}"] if change["old"] is not None else []
            lines += [f"    + {shown(change['new'])}"]
    return lines


def _best_lines(handle: Handle) -> list[str]:
    from rung.cli.tables import assigned, number
    from rung.cli.winners import reached

    lines = []
    for trial, estimate in handle.winners():
        values = ", ".join(f"{o.metric} {reached(o, trial.values[o.metric])}" for o in handle.state.spec.objectives)
        mean = "" if estimate is None else f", mean {number(estimate.mean)} of {estimate.evaluations}"
        lines.append(f"trial {trial.number}: {values}{mean}  {assigned(trial.params)}")
    return lines


def _code_lines(code: dict[str, Any]) -> list[str]:
    import shlex

    from rung.cli.tables import one_line

    commit = code["commit"] or "not in a git repository"
    script = code.get("script") or {}
    lines = [f"commit   {commit}" + (" and uncommitted changes (rung show --json has them)" if code["dirty"] else "")]
    lines += [f"script   {script['path']} (sha256 {script['sha256'][:12]})"] if script else []
    lines += [f"command  {one_line(shlex.join(code.get('command_line') or []))}"]
    return [*lines, f"python   {code.get('python')} on {code.get('platform')}, in {code.get('cwd')}"]


COMMANDS = {"ls": ls, "show": show}
