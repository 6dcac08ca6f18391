"""`--mirror mlflow:URI`: an experiment of MLflow follows the study, one run a trial.

A run is made when its trial is over, and tagged with the record's key last of all: a run without that tag was cut off,
and is made again. A trial that was run again, or told other values, has its run replaced. The runs of what `rung best`
shows are tagged `rung.best`.

States: complete is FINISHED, pruned KILLED, failed FAILED.
"""

from __future__ import annotations

import contextlib
import logging
import os
import posixpath
import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from rung.mirrors.address import is_path, shown, target
from rung.mirrors.base import Record, Refused, Subject, curve, metrics
from rung.model import BadInput, to_wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

STATUS = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}
STUDY, NUMBER, KEY, BEST = "rung.uid", "rung.trial", "rung.record", "rung.best"
LARGEST_STEP = 2**63 - 1
LONGEST_NAME, LONGEST_PARAM, LONGEST_TAG = 250, 6_000, 5_000  # characters that MLflow takes
METRICS_AT_ONCE, PARAMS_AT_ONCE = 1_000, 100
FILE_STORE = "MLFLOW_ALLOW_FILE_STORE"  # MLflow wants to be asked twice for a store of plain files
_REFUSALS = {"INVALID_PARAMETER_VALUE", "BAD_REQUEST"}
_UNUSUAL = re.compile(r"[^\w.\- :/]")


class MlflowMirror:
    """An experiment of one tracking server, data base or folder."""

    def __init__(self, address: str) -> None:
        self.place = f"--mirror {shown(address)}"
        url, self.name = target(address)
        self.uri = Path(url).absolute().as_uri() if is_path(url) else url
        if find_spec("mlflow") is None:
            raise BadInput("mlflow is not installed: pip install 'rung[mlflow]'", place=self.place)
        of_a_database = self.uri.partition(":")[0].partition("+")[0] in {"sqlite", "postgresql", "mysql", "mssql"}
        if of_a_database and (find_spec("sqlalchemy") is None or find_spec("alembic") is None):
            raise BadInput("a data base needs all of MLflow: pip install mlflow; a server does not", place=self.place)
        self.subject: Subject
        self._client: Any = None
        self._experiment = ""
        self._runs: dict[int, list[str]] = {}
        self._best: set[int] = set()

    def check(self, study: Subject) -> None:
        """The store can be reached, and an experiment of that name there is not deleted. Raises `BadInput`."""
        self._connect()
        name = self.name or study.name
        if name is not None:
            self._found(name)

    def join(self, study: Subject) -> set[str]:
        """The experiment is there; returns the keys of our records in it. Raises `BadInput` for a deleted one."""
        self.subject = study
        self._connect()
        self._experiment = self._made(self.name or study.name or study.uid)
        self._runs, self._best = {}, set()
        found = set()
        for run in self._all_runs():
            number = int(run.data.tags[NUMBER])
            self._runs.setdefault(number, []).append(run.info.run_id)
            if KEY in run.data.tags:
                found.add(run.data.tags[KEY])
            if run.data.tags.get(BEST) == "true":
                self._best.add(number)
        return found

    def add(self, record: Record) -> None:
        """The trial has its run, and only this one. Raises `Refused` with MLflow's own word."""
        from mlflow.exceptions import MlflowException

        try:
            self._add(record)
        except MlflowException as error:
            if error.error_code in _REFUSALS:
                raise Refused(f"trial {record.trial.number}: {error}") from error
            raise

    def mark(self, best: Sequence[int]) -> None:
        """Exactly these trials' runs are tagged `rung.best`."""
        wanted = {number for number in best if number in self._runs}
        for number in self._best - wanted:
            for run in self._runs.get(number, ()):
                self._client.set_tag(run, BEST, "false")
            self._best.discard(number)
        for number in wanted - self._best:
            self._client.set_tag(self._runs[number][-1], BEST, "true")
            self._best.add(number)

    def close(self) -> None:
        """Nothing is held open: each call is a request of its own."""
        self._client = None

    # ------------------------------------------------------------------------------------------------- experiment

    def _connect(self) -> None:
        if self._client is not None:
            return
        from mlflow.tracking import MlflowClient  # seconds: only a study that is mirrored pays

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)
        with _file_store_allowed():
            client = MlflowClient(tracking_uri=self.uri)
            client.search_experiments(max_results=1)
        self._client = client

    def _found(self, name: str) -> str | None:
        """The experiment's id; None where there is none of that name."""
        experiment = self._client.get_experiment_by_name(name)
        if experiment is None:
            return None
        if experiment.lifecycle_stage == "deleted":
            raise BadInput(
                f"its experiment {name} is deleted; restore it, or name another with #NAME", place=self.place
            )
        return str(experiment.experiment_id)

    def _made(self, name: str) -> str:
        from mlflow.exceptions import MlflowException

        found = self._found(name)
        if found is not None:
            return found
        try:
            return str(self._client.create_experiment(name, tags={"rung.study": self.subject.name or name}))
        except MlflowException:  # another process was first, or it cannot be made
            found = self._found(name)
            if found is None:
                raise
            return found

    def _all_runs(self) -> Iterator[Any]:
        token = None
        while True:
            page = self._client.search_runs(
                [self._experiment], filter_string=f"tags.`{STUDY}` = '{self.subject.uid}'",
                order_by=["attributes.start_time ASC"], page_token=token,
            )  # fmt: skip
            yield from page
            token = page.token
            if not token:
                return

    # -------------------------------------------------------------------------------------------------------- run

    def _add(self, record: Record) -> None:
        trial, client = record.trial, self._client
        for run_id in self._runs.pop(trial.number, ()):  # cut off, or of an earlier attempt
            client.delete_run(run_id)
        self._best.discard(trial.number)
        started = trial.ended if trial.started is None else trial.started
        run_id = client.create_run(
            self._experiment, run_name=f"trial {trial.number}", start_time=_milliseconds(started),
            tags={STUDY: self.subject.uid, NUMBER: str(trial.number)},
        ).info.run_id  # fmt: skip
        self._runs[trial.number] = [run_id]
        self._log(run_id, record)
        client.set_terminated(run_id, STATUS[trial.state], end_time=_milliseconds(trial.ended))
        client.set_tag(run_id, KEY, record.key)

    def _log(self, run_id: str, record: Record) -> None:
        from mlflow.entities import Metric, Param, RunTag

        named = _named(record.trial.params)
        params = [Param(name, _text(value)[:LONGEST_PARAM]) for name, value in named.items()]
        tags = [RunTag(name, text[:LONGEST_TAG]) for name, text in self._tags(record).items()]
        self._client.log_batch(run_id, tags=tags)
        for part in _parts(params, PARAMS_AT_ONCE):
            self._client.log_batch(run_id, params=part)
        points = list(dict.fromkeys(_points(record)))
        for some in _parts(points, METRICS_AT_ONCE):
            self._client.log_batch(run_id, metrics=[Metric(name, value, at, step) for name, value, at, step in some])

    def _tags(self, record: Record) -> dict[str, str]:
        trial = record.trial
        objectives = zip(self.subject.objectives, record.values or (), strict=False)
        found = {
            "rung.study": self.subject.name or "",
            "rung.state": trial.state,
            "rung.attempt": str(trial.attempt),
            "rung.reason": trial.reason or "",
            "rung.error": trial.error or "",
            **{f"rung.value.{_usual(o.metric)}": str(to_wire(value)) for o, value in objectives},
        }
        return {name: text for name, text in found.items() if text}


def _points(record: Record) -> Iterator[tuple[str, float, int, int]]:
    """Name, value, time and step of each number of the curve; of a trial that was only told its values, these."""
    trial = record.trial
    names: dict[str, str] = {}
    for step, report in curve(record.reports, largest=LARGEST_STEP):
        for name, value in metrics(report).items():
            if name not in names:
                names[name] = _free(name, names.values())
            yield names[name], value, _milliseconds(report.time) or 0, step
    if not record.reports:
        for name, value in _named(trial.values).items():
            yield name, value, _milliseconds(trial.ended) or 0, 0


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1000)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return msgspec.json.encode(to_wire(value) if isinstance(value, float) else value).decode().strip('"')


def _named(values: dict[str, Any]) -> dict[str, Any]:
    """The values under names that MLflow takes, no two of them equal."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found[_free(name, found)] = value
    return found


def _free(name: str, taken: Iterable[str]) -> str:
    held, usual, count = set(taken), _usual(name), 2
    free = usual
    while free in held:
        free = f"{usual[: LONGEST_NAME - 8]}_{count}"
        count += 1
    return free


def _usual(name: str) -> str:
    """The name as MLflow takes one: it is a path below the run."""
    found = _UNUSUAL.sub("_", name)[:LONGEST_NAME]
    is_path_below = found == posixpath.normpath(found) and not found.startswith(("/", "..")) and found != "."
    return found if is_path_below else found.replace("/", "_").replace("..", "__").replace(".", "_", 1) or "_"


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for begin in range(0, len(items), size):
        yield items[begin : begin + size]


@contextlib.contextmanager
def _file_store_allowed() -> Iterator[None]:
    """MLflow opens a folder that the user has named, although it prefers a data base."""
    before = os.environ.get(FILE_STORE)
    if before is None:
        os.environ[FILE_STORE] = "true"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(FILE_STORE, None)
