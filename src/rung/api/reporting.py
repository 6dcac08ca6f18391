"""A study's page as one file that needs no server: what the page would ask for is in it, and nothing else is asked."""

from __future__ import annotations

import base64
import hashlib
import html
import math
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import msgspec
import numpy as np

import rung
from rung.analysis import trialtable
from rung.analysis.ranking import losses, ranked
from rung.analysis.records import iso
from rung.analysis.views import View, views
from rung.api.describing import summary
from rung.api.studydetail import detail
from rung.api.trialcurves import trial_curve
from rung.api.trialdetail import trial_detail
from rung.model import BadInput, RungError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.analysis.views.options import Option
    from rung.api.handle import Handle
    from rung.study.state import State

MOST_ROWS = 10_000
TRIAL_PAGES = 25
VARIANTS_S = 20.0  # so long further choices of options are computed
SLOW_S = 2.0  # a view that took longer is there with its defaults alone
MOST_BYTES = 3_000_000  # of all further choices together
CURVE_MARKS = 1_000

BUILT = Path(rung.__file__).parent / "server" / "static" / "report"

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-{digest}'; \
style-src 'unsafe-inline'; img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<div id="root"></div>
<noscript>This report needs JavaScript. The same is on the command line: rung show, rung trials, rung view.</noscript>
<script type="application/json" id="rung-report">{data}</script>
<script type="module">{script}</script>
</body>
</html>
"""


def report_html(handle: Handle) -> str:
    """The study as it is now, as one HTML file. Raises `BadInput` where the page is not part of this installation."""
    script, style = _built("report.js"), _built("report.css")
    # Inside of a script element these would end it or change how it is read; inside of literals they mean the same.
    script = script.replace("\r\n", "\n").replace("</script", "<\\/script").replace("<!--", "<\\!--")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    # In JSON this character stands in texts only, where it can be written so.
    data = msgspec.json.encode(embedded(handle)).decode().replace("<", "\\u003c")
    return PAGE.format(
        digest=digest, title=html.escape(f"{handle.name} · Rung"), style=style.replace("</style", "<\\/style"),
        data=data, script=script,
    )  # fmt: skip


def _built(name: str) -> str:
    try:
        return (BUILT / name).read_text(encoding="utf-8")
    except OSError:
        raise BadInput(
            "the page is not in this installation, so no report can be made of it: install Rung from a wheel "
            "(pip install --force-reinstall rung), or in a checkout run `make web`"
        ) from None


def write_report(handle: Handle, path: Path) -> int:
    """The report is the file at `path`, whole or not at all; returns its bytes. Raises `BadInput`, `OSError`."""
    text = report_html(handle).encode()
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
    try:
        partial.write_bytes(text)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return len(text)


def embedded(handle: Handle) -> dict[str, Any]:
    """What the page may ask for, and the answers."""
    state, now = handle.state, time.time()
    base = f"/api/studies/{quote(handle.name, safe='')}"
    infos = {"seq": state.seq, "columns": trialtable.available(state)}
    answers: dict[str, Any] = {
        "/api/me": {"role": "read", "version": rung.__version__, "project": "a report", "token_file": None},
        "/api/studies": [summary(handle)],
        "/api/views": [{"name": view.name, "about": view.about} for view in views().values()],
        base: detail(handle),
        f"{base}/columnlist": infos,
    }
    for number in _pages(state):
        answers[f"{base}/trials/{number}"] = _trial(handle, number, now)
        answers[f"{base}/trials/{number}/curve"] = trial_curve(handle, number, marks=CURVE_MARKS)
    return {
        "format": 1,
        "study": handle.name,
        "made": iso(now),
        "version": rung.__version__,
        "answers": answers,
        "views": dict(_views(handle)),
        "trials": trials_table(state),
    }


def _pages(state: State) -> list[int]:
    """The trials whose pages are in the file: the best, then those that are still to end, then the first."""
    found = [*ranked(state)[:TRIAL_PAGES], *sorted(state.active)[:TRIAL_PAGES], *range(min(len(state), TRIAL_PAGES))]
    return list(dict.fromkeys(found))[:TRIAL_PAGES]


def _trial(handle: Handle, number: int, now: float) -> dict[str, Any]:
    """The trial without what only a server can give."""
    found = msgspec.to_builtins(trial_detail(handle, number, clock=now))
    for checkpoint in found["checkpoints"]:
        checkpoint["artifact"] = None
    found["usage"]["now"] = None
    return dict(found)


# ------------------------------------------------------------------------------------------------------------ views


def _views(handle: Handle) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each view with its defaults, and with other choices as far as there is time and room."""
    left_s, left = VARIANTS_S, MOST_BYTES
    for view in views().values():
        records: dict[str, msgspec.Raw] = {}
        refused: dict[str, str] = {}
        took, record = _made(handle, view, {})
        if isinstance(record, str):
            refused[""] = record
        else:
            records[""] = record
        for choice in _choices(handle.state, view) if took < SLOW_S else ():
            if left_s <= 0:
                break
            took, record = _made(handle, view, choice)
            left_s -= took
            key = urlencode(sorted((name, _text(value)) for name, value in choice.items()))
            if isinstance(record, str):
                refused[key] = record
            elif len(bytes(record)) <= left:
                left -= len(bytes(record))
                records[key] = record
        defaults = {option.name: _text(option.default) for option in view.options}
        yield view.name, {"defaults": defaults, "records": records, "refused": refused}


def _made(handle: Handle, view: View, choice: dict[str, Any]) -> tuple[float, msgspec.Raw | str]:
    """How long it took, and the view's record with these options, or why there is none."""
    from rung.analysis.views.options import chosen

    begun = time.perf_counter()
    try:
        record = msgspec.json.encode(view.make(handle, **chosen(view.make, choice, view=view.name)))
    except RungError as error:  # such as a plot for several objectives of a study that has one
        return time.perf_counter() - begun, str(error)
    return time.perf_counter() - begun, msgspec.Raw(record)


def _choices(state: State, view: View) -> Iterator[dict[str, Any]]:
    """Options other than the defaults that are worth having: each word of a choice, each objective, each switch."""
    several = len(state.spec.objectives) > 1
    for option in view.options:
        for value in _values(state, option):
            yield {option.name: value}
            if several and any(other.name == "objective" for other in view.options) and option.name != "objective":
                yield from ({option.name: value, "objective": o.metric} for o in state.spec.objectives[1:])


def _values(state: State, option: Option) -> list[Any]:
    if option.words and not option.many:
        return [word for word in option.words if word != option.default]
    if option.kind is bool:
        return [not option.default]
    if option.name == "objective":
        return [objective.metric for objective in state.spec.objectives[1:]]
    return []


def _text(value: Any) -> str:
    """The option's value as the page writes it in an address."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


# ----------------------------------------------------------------------------------------------------------- trials


def trials_table(state: State, *, most: int = MOST_ROWS) -> dict[str, Any]:
    """The rows of the trial table as columns: of more than `most` trials the best, and then the first ones."""
    numbers = list(range(len(state)))
    if len(numbers) > most:
        numbers = sorted(list(dict.fromkeys([*ranked(state)[:most], *numbers]))[:most])
    rows = trialtable.rows(state, numbers)
    names = [name for name in rows[0] if name not in {"params", "values"}] if rows else []
    return {
        "of": len(state),
        "seq": state.seq,
        "columns": {name: [row[name] for row in rows] for name in names} or {"number": []},
        "params": {name: _column(rows, "params", name) for name in trialtable.parameter_names(state)},
        "values": {name: _column(rows, "values", name) for name in trialtable.metric_names(state)},
        "losses": _losses(state, numbers),
    }


def _column(rows: list[dict[str, Any]], group: str, name: str) -> Any:
    """The values of a column; where some trials have none: which have, and theirs."""
    at = [i for i, row in enumerate(rows) if name in row[group]]
    values = [rows[i][group][name] for i in at]
    return values if len(at) == len(rows) else {"at": at, "values": values}


def _losses(state: State, numbers: list[int]) -> list[float | None]:
    """How bad each of the trials is by the first objective; None where that is not known."""
    if not state.spec.objectives or not numbers:
        return [None] * len(numbers)
    found = losses(state, np.array(numbers))[:, 0]
    return [loss if math.isfinite(loss) else None for loss in found.tolist()]
