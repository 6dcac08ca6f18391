"""Files of tables: NumPy archives (.npz) and comma-separated values (.csv, .csv.gz).

An archive holds `columns` (the parameters' names), `configs` (n, d), and for each data set `ID|METRIC` and
`ID|seconds` (n, m): the metric after each step, and the seconds from the start until then. `ID|steps` (m,) says which
steps; without it they are 1 to m. With one data set the `ID|` may be left out.

A line of a text file is one configuration at one step (columns for the parameters, the step, the seconds and the
metrics), or one configuration with columns `METRIC@STEP` and `seconds@STEP`; there, empty cells say that the run was
shorter.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import math
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rung.execute.simulation.curves import Curve, checked
from rung.execute.tables import Table
from rung.model import BadInput
from rung.space.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

STEPS = ("step", "epoch", "iteration")
SECONDS = "seconds"
_WIDE = re.compile(r"(?P<name>.+)@(?P<step>\d+(\.\d+)?([eE][+-]?\d+)?)")
_NOT_METRICS = frozenset({"columns", "configs"})


class Line(NamedTuple):
    """A line of a text file: its number, and its cells by column."""

    number: int
    cells: dict[str, str]


def read_table(
    path: str | Path,
    *,
    dataset: str | None = None,
    parameters: Sequence[str] | None = None,
    metrics: Sequence[str] | None = None,
    step: str | None = None,
    seconds: str = SECONDS,
) -> Table:
    """The table in a file: `.npz` (`FILE.npz#ID` or `dataset` says which of several), `.csv` or `.csv.gz`.

    In a text file `parameters` or `metrics` says which columns are what; with one of them, the rest are the other.
    `step` and `seconds` name those columns. Raises `BadInput` naming file, line and column.
    """
    name, hash_, after = str(path).rpartition("#")
    if hash_ and name.endswith(".npz"):
        path, dataset = name, after if dataset is None else dataset
    file = Path(path)
    if not file.is_file():
        raise BadInput("is a folder; name a table in it" if file.is_dir() else "no such file", place=str(path))
    if file.suffix == ".npz":
        return _archive(file, str(path), dataset)
    if dataset is not None:
        raise BadInput("only an .npz archive holds several data sets", place=str(path), key="dataset")
    if file.name.endswith((".csv", ".csv.gz")):
        return _Text(str(path), parameters, metrics, step, seconds).table(_lines(file, str(path)))
    raise BadInput("expected .npz, .csv or .csv.gz", place=str(path))


def text_columns(path: str | Path) -> list[str] | None:
    """The columns of a text file, `METRIC@STEP` as METRIC; None for any other file."""
    file = Path(path)
    if not file.name.endswith((".csv", ".csv.gz")) or not file.is_file():
        return None
    header = next(_lines(file, str(path))).cells
    return list(dict.fromkeys(match["name"] if (match := _WIDE.fullmatch(name)) else name for name in header))


# --------------------------------------------------------------------------------------------------------- archives


def _archive(file: Path, place: str, dataset: str | None) -> Table:
    try:
        with np.load(file, allow_pickle=False) as arrays:  # unpickling would run whatever the file says
            return _from_arrays(arrays, place, dataset)
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        why = "no archive, or one of Python objects, which are not read" if "pickle" in str(error) else str(error)
        raise BadInput(f"cannot be read as a NumPy archive: {why}", place=place) from None


def _from_arrays(arrays: Any, place: str, dataset: str | None) -> Table:
    for name in ("columns", "configs"):
        if name not in arrays.files:
            raise BadInput(f"has no array {name!r}; it has {', '.join(arrays.files[:8])}", place=place)
    prefix = _chosen(arrays.files, place, dataset)
    columns, configs = [str(name) for name in arrays["columns"]], arrays["configs"]
    if configs.ndim != 2 or configs.shape[1] != len(columns):
        raise BadInput(f"expected the shape (n, {len(columns)}), got {configs.shape}", place=place, key="configs")
    data = {
        name[len(prefix) :]: arrays[name]
        for name in arrays.files
        if name.startswith(prefix) and name not in _NOT_METRICS
    }
    if SECONDS not in data:
        raise BadInput(f"has no array {prefix + SECONDS!r}: the times say when a step is reported", place=place)
    shape = (len(configs), data[SECONDS].shape[-1])
    steps = np.asarray(data.pop("steps", np.arange(1, shape[1] + 1)), dtype=np.float64)
    for name, array in data.items():
        if array.shape != shape:
            raise BadInput(f"expected the shape {shape}, got {array.shape}", place=place, key=prefix + name)
    numbers = {name: array.astype(np.float64) for name, array in data.items()}
    seconds = numbers.pop(SECONDS)
    if not numbers:
        raise BadInput("holds no metric", place=place)
    curves = [
        checked(Curve(steps, seconds[i], {name: array[i] for name, array in numbers.items()}), f"{place}: row {i + 1}")
        for i in range(len(configs))
    ]
    rows = list(zip(*(_typed([str(cell) for cell in column]) for column in configs.T), strict=True))
    _refuse_repeated(rows, place)
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    return Table(found, curves, metrics=tuple(numbers), place=place)


def _chosen(names: Iterable[str], place: str, dataset: str | None) -> str:
    """What the names of the wanted data set's arrays begin with."""
    known = sorted({name.partition("|")[0] for name in names if "|" in name})
    if dataset is not None:
        if dataset not in known:
            raise BadInput(
                f"has no data set {dataset!r}; it has {', '.join(known) or 'one without a name'}", place=place
            )
        return f"{dataset}|"
    if len(known) > 1:
        raise BadInput(f"holds {len(known)} data sets, say which: {', '.join(known)}", place=place, key="dataset")
    return f"{known[0]}|" if known else ""


def _refuse_repeated(rows: Sequence[tuple[Any, ...]], place: str) -> None:
    seen: dict[tuple[Any, ...], int] = {}
    for i, row in enumerate(rows):
        first = seen.setdefault(row, i)
        if first != i:
            raise BadInput(f"row {i + 1} repeats the configuration of row {first + 1}: remove one", place=place)


# ------------------------------------------------------------------------------------------------------------- text


def _lines(file: Path, place: str) -> Iterator[Line]:
    """The header as a line whose cells are its names, then the lines below it."""
    opened = gzip.open if file.suffix == ".gz" else open
    try:
        with opened(file, "rt", encoding="utf-8-sig", newline="") as text:
            reader = csv.reader(text)
            names = next(reader, [])
            yield Line(1, {name.strip(): name for name in names})
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(names):
                    what = f"expected {len(names)} cells, as in the first line, got {len(cells)}"
                    raise BadInput(what, place=f"{place}:{reader.line_num}")
                yield Line(reader.line_num, dict(zip((name.strip() for name in names), cells, strict=True)))
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"cannot be read as comma-separated values: {error}", place=place) from None


class _Text:
    """One text file being read."""

    def __init__(
        self,
        place: str,
        parameters: Sequence[str] | None,
        metrics: Sequence[str] | None,
        step: str | None,
        seconds: str,
    ) -> None:
        self.place, self.wanted_parameters, self.wanted_metrics = place, parameters, metrics
        self.step, self.seconds = step, seconds

    def table(self, lines: Iterator[Line]) -> Table:
        """The table that the lines hold."""
        header = list(next(lines).cells)
        if not header:
            raise BadInput("is empty", place=self.place)
        wide = {name: match for name in header if (match := _WIDE.fullmatch(name)) is not None}
        names = list(dict.fromkeys(wide[name]["name"] if name in wide else name for name in header))
        if self.seconds not in names:
            raise self._missing(self.seconds, names, "the seconds from the start of a run")
        if not wide:
            self.step = self._step(names)
        metrics = self._metrics([name for name in names if name not in {self.seconds, self.step}])
        if wide:
            return self._wide(list(lines), header, metrics)
        return self._long(list(lines), metrics)

    def _missing(self, name: str, have: Iterable[str], what: str) -> BadInput:
        return BadInput(f"has no column {name!r} ({what}){did_you_mean(name, have)}", place=f"{self.place}:1")

    def _step(self, names: Sequence[str]) -> str:
        if self.step is not None and self.step not in names:
            raise self._missing(self.step, names, "the step")
        found = self.step or next((name for name in STEPS if name in names), None)
        if found is None:
            raise BadInput(
                f"has no column for the step: expected {', '.join(STEPS)}, or say which", place=f"{self.place}:1"
            )
        return found

    def _metrics(self, names: list[str]) -> list[str]:
        """Which of the columns are metrics; the parameters are found on the way."""
        for name in (*(self.wanted_metrics or ()), *(self.wanted_parameters or ())):
            if name not in names:
                raise self._missing(name, names, "a parameter or a metric")
        if self.wanted_metrics is None and self.wanted_parameters is None:
            raise BadInput("say which columns are metrics: metrics=[...]", place=self.place)
        metrics = self.wanted_metrics
        if metrics is None:
            metrics = [name for name in names if name not in (self.wanted_parameters or ())]
        if self.wanted_parameters is None:
            self.wanted_parameters = [name for name in names if name not in metrics]
        if not metrics:
            raise BadInput("holds no metric", place=self.place)
        return list(metrics)

    def _key(self, line: Line) -> tuple[str, ...]:
        return tuple(line.cells[name].strip() for name in self.wanted_parameters or ())

    def _long(self, lines: list[Line], metrics: list[str]) -> Table:
        assert self.step is not None
        runs: dict[tuple[str, ...], list[Line]] = {}
        for line in lines:
            runs.setdefault(self._key(line), []).append(line)
        curves = []
        for run in runs.values():
            points = sorted((self._number(line, self.step), line.number, line) for line in run)
            for (one, first, _), (other, second, _) in itertools.pairwise(points):
                if one == other:
                    raise BadInput(
                        f"repeats the configuration of line {first} at step {one:g}: remove one, or search what tells "
                        "them apart",
                        place=f"{self.place}:{second}",
                    )
            cells = [(step, line, self.seconds, {name: name for name in metrics}) for step, _, line in points]
            curves.append(self._curve(cells, metrics))
        return self._made(list(runs), curves, metrics)

    def _wide(self, lines: list[Line], header: list[str], metrics: list[str]) -> Table:
        steps = sorted(
            {float(match["step"]): match["step"] for name in header if (match := _WIDE.fullmatch(name))}.items()
        )
        for name in (self.seconds, *metrics):
            for _, text in steps:
                if f"{name}@{text}" not in header:
                    raise self._missing(f"{name}@{text}", header, "every step has all metrics and the seconds")
        curves, keys = [], []
        for line in lines:
            cells = [
                (step, line, f"{self.seconds}@{text}", {name: f"{name}@{text}" for name in metrics})
                for step, text in steps
                if any(line.cells[f"{name}@{text}"].strip() for name in (self.seconds, *metrics))
            ]
            if not cells:
                raise BadInput("holds no step", place=f"{self.place}:{line.number}")
            curves.append(self._curve(cells, metrics))
            keys.append(self._key(line))
        _refuse_repeated(keys, self.place)
        return self._made(keys, curves, metrics)

    def _curve(self, points: list[tuple[float, Line, str, dict[str, str]]], metrics: list[str]) -> Curve:
        """The curve of one configuration: at each step a line, the column of its seconds and those of its metrics."""
        seconds: list[float] = []
        for step, line, column, _ in points:
            found, before = self._number(line, column), seconds[-1] if seconds else 0.0
            if not math.isfinite(found) or found < before:
                raise BadInput(
                    f"seconds count from the start and must not fall: got {found:g} at step {step:g} after {before:g}",
                    place=f"{self.place}:{line.number}",
                    key=column,
                )
            seconds.append(found)
        if not points[0][0] > 0:
            raise BadInput(
                "steps are numbers above 0", place=f"{self.place}:{points[0][1].number}", key=self.step or ""
            )
        values = {
            name: np.array([self._number(line, columns[name]) for _, line, _, columns in points]) for name in metrics
        }
        return Curve(np.array([step for step, *_ in points]), np.array(seconds), values)

    def _number(self, line: Line, column: str) -> float:
        text = line.cells[column].strip()
        try:
            return float(text)
        except ValueError:
            what = repr(text) if text else "nothing (write NaN for a value that is no number)"
            raise BadInput(f"expected a number, got {what}", place=f"{self.place}:{line.number}", key=column) from None

    def _made(self, keys: Sequence[tuple[str, ...]], curves: list[Curve], metrics: list[str]) -> Table:
        names = self.wanted_parameters or ()
        columns = [_typed([key[i] for key in keys]) for i in range(len(names))]
        configs = [
            {name: column[row] for name, column in zip(names, columns, strict=True) if column[row] is not None}
            for row in range(len(keys))
        ]
        return Table(configs, curves, metrics=metrics, place=self.place)


def _typed(texts: Sequence[str]) -> list[Any]:
    """A column as ints, else as floats, else as booleans, else as text; None where a cell is empty."""
    filled = [text for text in texts if text]
    for read in (_whole, float, _truth):
        try:
            known = {text: read(text) for text in dict.fromkeys(filled)}
        except ValueError:
            continue
        return [known.get(text) for text in texts]
    return [text or None for text in texts]


def _whole(text: str) -> int:
    number = float(text)
    if not number.is_integer():
        raise ValueError(text)
    return int(number)


def _truth(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"
