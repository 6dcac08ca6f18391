"""`rung doctor`: what this machine, store and installation can do; for a script, what Rung would pass and read."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from rung.cli.options import find, format_options, place_options, store_at
from rung.model import RungError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rung.api.places import Places

Grade = Literal["ok", "note", "bad"]
Finding = tuple[Grade, str, str]  # how it is, what, and in words

LEAST_FREE = 1 << 30  # bytes: below this a study may soon be held for want of room
SLOW_APPEND_S = 0.05


@click.command("doctor")
@click.argument("script", required=False)
@place_options
@format_options
def examine(script: str | None, *, store: str | None, directory: str | None, form: str) -> int:
    """Look at the environment and the store; or, for a SCRIPT, at the options and metrics in its text (it is not run).

    Exit code 1: something is wrong.
    """
    from rung.cli.tables import print_rows

    if script is not None:
        from rung.cli.scripts import examine_script

        return examine_script(Path(script), form=form)
    found = list(environment(find(directory, store)))
    print_rows(["", "what", "found"], found, form=form, records=[dict(zip(KEYS, row, strict=True)) for row in found])
    return 1 if any(grade == "bad" for grade, _, _ in found) else 0


KEYS = ("grade", "what", "found")


def environment(places: Places) -> Iterator[Finding]:
    """What was found, one line each."""
    from rung import __version__

    yield "ok", "rung", f"{__version__} ({Path(__file__).parents[1]})"
    yield "ok", "python", f"{platform.python_version()} ({sys.executable})"
    yield _program()
    yield "ok", "sqlite", sqlite3.sqlite_version
    yield "ok", "system", f"{platform.platform()}, {os.cpu_count()} CPUs"
    yield from _store(places.store)
    yield _disk(places.runs)
    yield from _abilities()
    yield _gpus()
    yield from _plugins()


def _program() -> Finding:
    """The `python` that runs a `.py` target is the first on PATH, which may be another than ours."""
    found = shutil.which("python")
    if found is None:
        return "bad", "python on PATH", "none: a .py target cannot run; activate an environment that has `python`"
    return "ok", "python on PATH", f"{found} (runs .py targets)"


def _store(url: str) -> Iterator[Finding]:
    """Whether the store can be used, and how long one durable append takes: measured beside it, never in it."""
    from rung.store.errors import StoreMissing

    try:
        store = store_at(url)
        rows = store.studies()
        yield "ok", "store", f"{url}, {len(rows)} studies"
    except StoreMissing:
        yield "ok", "store", f"{url}, not there yet: `rung run` makes it"
    except RungError as error:
        yield "bad", "store", str(error)
        return
    place = url.partition("sqlite:///")[2]
    folder = _existing(Path(place).absolute().parent) if place else None
    if folder is not None and os.access(folder, os.W_OK):
        yield _round_trip(folder)


def _round_trip(folder: Path) -> Finding:
    """The time that a new store in `folder` needs for one durable append."""
    import secrets

    from rung.plugins import open_store
    from rung.store.base import Entry

    path = folder / f".rung-doctor-{secrets.token_hex(4)}.db"
    try:
        store = open_store(f"sqlite:///{path}")
        store.create("probe", [Entry("fact", b"{}")], at=time.time())
        took = _median([_timed(lambda: store.append("probe", [Entry("fact", b"{}")])) for _ in range(9)])
        store.close()
    finally:
        for left in folder.glob(f"{path.name}*"):
            left.unlink()
    grade: Grade = "note" if took > SLOW_APPEND_S else "ok"
    return grade, "append", f"{1000 * took:.1f} ms for one durable append in {folder}"


def _timed(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _median(amounts: list[float]) -> float:
    return sorted(amounts)[len(amounts) // 2]


def _existing(folder: Path) -> Path:
    """The nearest directory above that there is."""
    return next(place for place in [folder, *folder.parents] if place.is_dir())


def _disk(runs: Path) -> Finding:
    place = _existing(runs)
    free = shutil.disk_usage(place).free
    text = f"{free / (1 << 30):.1f} GiB free in {place}"
    if not os.access(place, os.W_OK):
        return "bad", "disk", f"{place} is not writable; name another with --dir"
    return (
        ("note", "disk", f"{text}: new trials are held when it is full") if free < LEAST_FREE else ("ok", "disk", text)
    )


def _abilities() -> Iterator[Finding]:
    """What the system offers, and what is done without it."""
    import fcntl
    import signal

    offers = (
        ("pidfd", hasattr(os, "pidfd_open") and hasattr(signal, "pidfd_send_signal"), "exits are noticed by a poll"),
        ("inotify", sys.platform == "linux", "reports are noticed by a poll"),
        ("open file description locks", hasattr(fcntl, "F_OFD_SETLK"), "devices are shared in whole slots"),
        ("/proc", Path("/proc/self/stat").exists(), "processes are found through psutil"),
    )
    for name, there, otherwise in offers:
        yield ("ok", name, "there") if there else ("note", name, f"not there: {otherwise}")


def _gpus() -> Finding:
    from rung.execute.devices import find_gpus, installed_gpus

    installed = installed_gpus()
    usable = find_gpus(os.environ, installed)
    if not installed and not usable:
        return "ok", "GPUs", "none (no nvidia-smi)" if shutil.which("nvidia-smi") is None else "none"
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    limit = f", CUDA_VISIBLE_DEVICES={visible}" if visible is not None else ""
    return "ok", "GPUs", f"{len(usable)} of {len(installed)} may be used{limit}"


def _plugins() -> Iterator[Finding]:
    """Every algorithm and driver that is registered, loaded once to see that it can be."""
    from rung.plugins import names

    for group in ("search", "schedule", "execute", "store", "dialects"):
        found = names(group)
        yield "ok", group, ", ".join(sorted(found))
        for name, point in sorted(found.items()):
            try:
                point.load()
            except Exception as error:  # noqa: BLE001 - a third party's module may raise anything; that is the finding
                yield "bad", f"{group} {name}", f"cannot be loaded: {type(error).__name__}: {error}"


COMMANDS = {"doctor": examine}
