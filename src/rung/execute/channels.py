"""What a line of a job's output says, if anything: bytes in, reports out. Pure: no clock, no files.

Channels, best first: `file` (lines of `reports.jsonl`), `json` (JSON objects on lines of stdout), `events` (scalars in
TensorBoard event files), `text` (`name: value` or `name=value` for declared metrics, anywhere in a line of stdout).
Once a channel has delivered a declared metric, lesser ones are only log text. Within text, one report lasts until a
name repeats or every declared metric is there.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from rung.inside import wire
from rung.model import Report, to_wire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rung.execute.base import Channel, Cursor
    from rung.execute.eventfiles import Group

RANK: dict[Channel, int] = {"none": 0, "text": 1, "events": 2, "json": 3, "file": 4}
_NUMBER = r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|nan|inf(?:inity)?)(?!\.?\w)"
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_ANYTHING = re.compile(rf"(?P<name>[A-Za-z_][\w./-]*)[\"']?\s*[:=]\s*(?i:{_NUMBER})")
_MOST_NAMES = 8
_COUNTED = "the schedule counts increasing steps only"
MARK = b"[tune-metric]: "
"""Before a JSON report anywhere on a line: how Syne Tune's scripts print theirs."""
_WORKER_TIME = "st_worker_timestamp"
_OF_WORKER = frozenset({_WORKER_TIME, "st_worker_time", "st_worker_iter"})
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def parse_object(line: bytes) -> dict[str, Any] | None:
    """The JSON object that the line holds, or None. What strict JSON refuses (NaN, 1e999) is read leniently."""
    try:
        return _decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return _parse_leniently(line)


def _object_in(text: bytes) -> bytes:
    """From the first brace to the last: what a marked report is, wherever on the line it stands."""
    return text[text.find(b"{") : text.rfind(b"}") + 1]


def _parse_leniently(line: bytes) -> dict[str, Any] | None:
    try:  # parse_int: a digit string of any length becomes a float, at worst an infinite one
        value = json.loads(line.decode("utf-8-sig", "replace"), parse_int=float)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def numeric(value: object) -> float | None:
    """The number that a JSON value stands for; None for anything else, a bool included."""
    if type(value) is float:
        return value
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    return wire.NON_FINITE.get(value) if type(value) is str else None


def printed_names(text: str) -> list[str]:
    """The first names that stand before numbers in `text`, each once: for a message to whoever mistyped a metric."""
    return list(dict.fromkeys(match["name"] for match in _ANYTHING.finditer(_ANSI.sub("", text))))[:_MOST_NAMES]


class Named(NamedTuple):
    """A line named the checkpoint `name`: at `step`, when the trial had made so many `reports`. `bytes`: as the line
    says, None where it does not."""

    name: object
    step: float
    reports: int
    bytes: int | None


class Channels:
    """The reports of one job, line by line, from `cursor` on. Before that the trial had made `before` reports, in
    earlier attempts; so whether this attempt has reported yet can be told from any cursor. `resource`: what the
    schedule counts in, None where it does not say."""

    def __init__(
        self,
        metrics: Sequence[str],
        steps: Sequence[str],
        cursor: Cursor,
        *,
        before: int = 0,
        resource: str | None = None,
    ) -> None:
        self._metrics = frozenset(metrics)
        self._steps = tuple(steps)
        self.reports, self.step = cursor.reports, cursor.step
        self.channel: Channel = cursor.channel
        self._before, self._resource = before, resource
        self._text = TextGroup(metrics, steps)
        self._named: list[Named] = []
        self._notes: list[str] = []
        self._noted: set[str] = set()

    def take_named(self) -> list[Named]:
        """The checkpoints that were named since this was last asked."""
        named, self._named = self._named, []
        return named

    def take_notes(self) -> list[str]:
        """What was odd about the lines since this was last asked."""
        notes, self._notes = self._notes, []
        return notes

    @property
    def pending(self) -> int | None:
        """Where the first line of a text report that is not yet complete begins; None when there is none."""
        return self._text.start

    def file_line(self, line: bytes, now: float) -> tuple[list[Report], bool]:
        """The report in a line of `reports.jsonl`, and whether the line was understood."""
        found = parse_object(line)
        if found is None:
            return [], not line.strip()
        return self._from_object("file", found, now), True

    def stdout_line(self, line: bytes, start: int, now: float) -> list[Report]:
        """The reports that this line of stdout, beginning at offset `start`, completes."""
        if RANK[self.channel] > RANK["json"]:
            return []
        begins = line.lstrip()[:1] == b"{"
        marked = -1 if begins else line.find(MARK)
        if begins or marked >= 0:
            found = parse_object(line if begins else _object_in(line[marked + len(MARK) :]))
            if found is not None:
                return self._stdout_object(found if begins else self._marked(found), now)
        if RANK[self.channel] > RANK["text"] or not self._metrics:
            return []
        text = line.decode("utf-8", "replace")
        if "\x1b" in text:
            text = _ANSI.sub("", text)
        return self._from_groups(self._text.line(text, start), now)

    def _marked(self, found: dict[str, Any]) -> dict[str, Any]:
        """A marked report without what the reporter says of itself: its timestamp is the report's time. What is
        declared as a metric or a step stays one."""
        wanted = self._metrics.union(self._steps)
        values = {name: value for name, value in found.items() if name not in _OF_WORKER or name in wanted}
        return values if _WORKER_TIME not in found else {wire.TIME: found[_WORKER_TIME], **values}

    def _stdout_object(self, found: dict[str, Any], now: float) -> list[Report]:
        """A JSON report ends the text report that came before it: read on from any logged offset, both count once."""
        if wire.NAMED not in found and all(numeric(value) is None for value in found.values()):
            return []
        return self.flush(now) + self._from_object("json", found, now)

    def event_group(self, group: Group, now: float) -> list[Report]:
        """The report that one step's scalars in an event file make. The step is the file's own, unless a scalar bears
        the name of what the schedule counts in."""
        if RANK[self.channel] > RANK["events"]:
            return []
        values = dict(group.values)
        counted = values.get(self._resource) if self._resource is not None else None
        if counted is not None and math.isfinite(counted) and self._resource not in self._metrics:
            del values[self._resource or ""]
        step = counted if counted is not None and math.isfinite(counted) else group.step
        at = group.time if math.isfinite(group.time) and group.time > 0 else now
        return self._stepped("events", values, at, None if step is None else float(step))

    def flush(self, now: float) -> list[Report]:
        """The text report that was not yet complete, now that nothing more can belong to it."""
        group = self._text.take()
        if RANK[self.channel] > RANK["text"]:
            return []
        return self._from_groups([group] if group else [], now)

    def silence_text(self) -> None:
        """What the text channel had begun is forgotten when a better one has spoken."""
        if RANK[self.channel] > RANK["text"]:
            self._text.take()

    def _from_object(self, channel: Channel, found: dict[str, Any], now: float) -> list[Report]:
        if RANK[channel] < RANK[self.channel]:
            return []
        time = numeric(found.pop(wire.TIME, None))
        commits = wire.NAMED in found
        checkpoint, size = found.pop(wire.NAMED, None), found.pop(wire.BYTES, None) if commits else None
        values: dict[str, float] = {}
        for name, value in found.items():
            number = numeric(value)
            if number is not None:
                values[name] = number
        reports = self._report(channel, values, now if time is None or not math.isfinite(time) else time)
        if commits:
            known = type(size) is int and size >= 0
            self._named.append(Named(checkpoint, self.step, self.reports, size if known else None))
        return reports

    def _from_groups(self, groups: Sequence[Mapping[str, float]], now: float) -> list[Report]:
        return [report for group in groups for report in self._report("text", dict(group), now)]

    def _report(self, channel: Channel, values: dict[str, float], time: float) -> list[Report]:
        return self._stepped(channel, values, time, self._take_step(values))

    def _stepped(self, channel: Channel, values: dict[str, float], time: float, step: float | None) -> list[Report]:
        if not values:
            return []
        if step is not None and self.reports > self._before:
            self._compare(step)
        self.reports += 1
        self.step = float(self.reports) if step is None else step
        if not self._metrics or not self._metrics.isdisjoint(values):
            self.channel = channel
        return [Report(self.step, time, {name: to_wire(value) for name, value in values.items()})]

    def _compare(self, step: float) -> None:
        """A step that does not increase is noted, once of each kind."""
        if step < self.step:
            self._note("backwards", f"step {step:g} came after step {self.step:g}: {_COUNTED}")
        elif step == self.step:
            self._note("twice", f"step {step:g} was reported twice: {_COUNTED}")

    def _note(self, kind: str, text: str) -> None:
        if kind not in self._noted:
            self._noted.add(kind)
            self._notes.append(text)

    def _look_for_resource(self, name: str | None) -> None:
        """A step that goes by another `name` (None: by none) is taken for the resource, and that is noted. A program
        that reports once an epoch need not say so."""
        if self._resource in {None, name} or (name is None and self._resource in {"step", "epoch", "iteration"}):
            return
        took = f"its {name}" if name is not None else "the number of the report"
        self._note(
            "resource", f"it does not report {self._resource}, which the schedule counts in: {took} is taken for it"
        )

    def _take_step(self, values: dict[str, float]) -> float | None:
        """The first step name with a finite number; it leaves `values` unless it is a declared metric too."""
        for name in self._steps:
            step = values.get(name)
            if step is not None and math.isfinite(step):
                if name not in self._metrics:
                    del values[name]
                self._look_for_resource(name)
                return step
        if values:
            self._look_for_resource(None)
        return None


class TextGroup:
    """The names and numbers of the text report that is being read."""

    def __init__(self, metrics: Sequence[str], steps: Sequence[str]) -> None:
        self._metrics = frozenset(metrics)
        self._pattern = _pattern(metrics, steps)
        self._step_names = {name.lower(): name for name in reversed(steps)}
        self._values: dict[str, float] = {}
        self.start: int | None = None

    def line(self, text: str, start: int) -> list[dict[str, float]]:
        """The groups that this line completes; a group it leaves open begins at the start of a line.

        A line is taken whole: when it repeats a name of the open group, all of it belongs to the next one. So whoever
        reads on from where an open group begins sees the same groups.
        """
        parts = self._parts(text)
        if not parts:
            return []
        done = [self.take()] if not self._values.keys().isdisjoint(parts[0]) else []
        self._values.update(parts[0])
        self.start = start if self.start is None else self.start
        if len(parts) > 1 or self._metrics <= self._values.keys():
            done += [self.take(), *parts[1:]]
        return [group for group in done if not self._metrics.isdisjoint(group)]

    def _parts(self, text: str) -> list[dict[str, float]]:
        """The names and numbers in one line, a new part whenever a name repeats."""
        parts: list[dict[str, float]] = []
        for match in self._pattern.finditer(text):
            name = match["metric"] or self._step_names[match["step"].lower()]
            if not parts or name in parts[-1]:
                parts.append({})
            parts[-1][name] = float(match["value"] or match["at"])
        return parts

    def take(self) -> dict[str, float]:
        """The open group, which is closed and forgotten; empty when it holds no metric."""
        group, self._values, self.start = self._values, {}, None
        return {} if self._metrics.isdisjoint(group) else group


def _pattern(metrics: Sequence[str], steps: Sequence[str]) -> re.Pattern[str]:
    """Matches one `name: value`; longest names first, so that `loss_val` is never read as `loss`."""
    names = sorted(map(re.escape, metrics), key=len, reverse=True)
    counts = sorted((re.escape(name) for name in steps if name not in metrics), key=len, reverse=True)
    metric = rf"(?P<metric>{'|'.join(names) or '(?!)'})[\"']?\s*[:=]\s*(?P<value>(?i:{_NUMBER}))"
    step = rf"(?i:(?P<step>{'|'.join(counts) or '(?!)'}))[\"']?(?:\s*[:=]\s*|\s*\[|\s+)(?P<at>(?i:{_NUMBER}))"
    return re.compile(rf"(?<![\w.-])(?:{metric}|{step})")
