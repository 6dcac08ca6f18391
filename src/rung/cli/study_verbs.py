"""`rung ls` and `rung show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rung.cli.options import find, format_options, one_trial, open_study, place_options, store_at

if TYPE_CHECKING:
    from rung.api.handle import Handle
    from rung.study.state import State


@click.command()
@place_options
@format_options
def ls(store: str | None, directory: str | None, form: str) -> None:
    """List the studies, the newest last."""
    from rung.api.handle import Handle
    from rung.cli.tables import print_rows

    opened = store_at(find(directory, store).store)
    records = [_summary(Handle(opened, row.name)) for row in opened.studies()]
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

    state = handle.state
    best = handle.best(top=1)
    return {
        "name": handle.name,
        "state": handle.status(),
        "trials": len(state),
        **state.counts,
        "metric": ", ".join(objective.metric for objective in state.spec.objectives),
        "best": wired(best[0].value) if best else None,
        "elapsed": round(state.switches.elapsed, 3),
        "created": iso(state.created.at),
    }


@click.command()
@click.argument("words", nargs=-1, metavar="[STUDY] [TRIAL]")
@place_options
@format_options
def show(words: tuple[str, ...], *, store: str | None, directory: str | None, form: str) -> None:
    """Show one study: its spec, the code it ran on, and every change since it was created. With TRIAL: that trial, its
    folder, and what was changed in its script (`--inject source`)."""
    from rung.cli.showing import trial_record, trial_text
    from rung.cli.tables import print_json, print_rows

    handle, left = open_study(words, store=store, directory=directory)
    number = one_trial(left)
    found = described(handle) if number is None else trial_record(handle, number)
    if form == "json":
        print_json(found)
    elif form == "csv":
        print_rows(["field", "value"], list(found.items()), form=form)
    else:
        click.echo("\n".join(_text(handle, found) if number is None else trial_text(found)))


def described(handle: Handle) -> dict[str, Any]:
    """All that is known of a study beside its trials (CONTRACT, section JSON)."""
    from rung.analysis.records import iso, wired
    from rung.cli.winners import winner_record
    from rung.dialects import spec_to_tree

    state = handle.state
    best = [winner_record(handle, winner) for winner in handle.winners()]
    several = len(state.spec.objectives) > 1
    completed = state.switches.completed
    return {
        "name": handle.name,
        "state": handle.status(),
        "spec": wired(spec_to_tree(state.spec)),
        "seed": state.seed,
        "counts": state.counts,
        "best": best if several else best[0] if best else None,
        "elapsed": round(state.switches.elapsed, 3),
        "code": _code(state.created.provenance),
        "changes": [change for event in state.changes for change in _changes(event)],
        "created": iso(state.created.at),
        "deterministic": state.created.deterministic,
        "earlier": [{"study": name, "read": read, "trials": total} for name, read, total in _earlier(state)],
        "reason": completed.reason.text if completed is not None else None,
        "store": handle.store.url,
        "runs": state.created.provenance.get("runs"),
        "runners": [{"host": r.host, "pid": r.pid, "workers": r.workers} for r in state.runners.values()],
    }


def _earlier(state: State) -> list[tuple[str, int, int]]:
    """Each study that this one began with: how many of its complete trials were read, and how many it had."""
    read: dict[tuple[int, str, int], int] = {}
    for event in state.earlier:
        key = (event.source, event.study, event.total)
        read[key] = read.get(key, 0) + len(event.params)
    return [(name, count, total) for (_, name, total), count in read.items()]


def _code(provenance: dict[str, Any]) -> dict[str, Any]:
    """Commit and dirty first, as scripts expect them; then all else that was recorded."""
    git = provenance.get("git") or {}
    rest = {key: value for key, value in provenance.items() if key not in {"git", "runs"}}
    return {"commit": git.get("commit"), "dirty": git.get("dirty"), "diff": git.get("diff"),
            "untracked": git.get("untracked"), **rest}  # fmt: skip


def _changes(event: Any) -> list[dict[str, Any]]:
    """Each change of spec or values that an event made: when, who, what."""
    from rung.analysis.records import iso, wired
    from rung.study import events as ev

    base = {"at": iso(event.at), "who": event.who}
    if isinstance(event, ev.TrialTold):
        return [{**base, "path": f"trial {event.trial}: {name}", "old": None, "new": value}
                for name, value in event.values.items()]  # fmt: skip
    if isinstance(event, ev.TrialEnqueued):
        return [{**base, "path": "enqueued", "old": None, "new": wired(event.params)}]
    return [{**base, "path": c.path, "old": wired(c.old), "new": wired(c.new)} for c in event.changes]


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
