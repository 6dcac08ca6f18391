"""`Tuner`: a launcher's search, carried out as a study of Rung."""

from __future__ import annotations

import dataclasses
import json
import re
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._results_files import write_metadata, write_rows
from .backend.trial_status import Status
from .optimizer._grid import gridded
from .optimizer.scheduler import TrialScheduler, warn
from .results_callback import StoreResultsCallback
from .stopping_criterion import StoppingCriterion
from .tuning_status import TuningStatus
from .util import experiment_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from rung.model import StudySpec

    from ._study import StudyReader
    from .backend.trial_backend import TrialBackend
    from .backend.trial_status import Trial
    from .tuner_callback import TunerCallback

_FEWEST_FAILURES = 10
_COUNTED = ("started", "completed", "finished")
_TIME = "max_wallclock_time"
_IN_THE_BUDGET = ("min_metric_value", "max_metric_value")


class TuningFailed(SystemExit, ValueError):
    """The study was given up, or nothing in it succeeded: a `ValueError` for who catches it, else exit code 3."""


class Tuner:
    """Searches with a scheduler, on a backend, until a criterion says that it is enough.

    `sleep_time`, `print_update_interval`, `save_tuner`, `start_jobs_without_delay`, `asynchronous_scheduling` and
    `trial_backend_path` are accepted and have no meaning: nothing waits, and the study keeps itself. `max_failures`: a
    failed trial is marked and the study goes on; it is given up after the larger of this, 10 and the number of trials,
    or when the first 5 all fail.
    """

    def __init__(
        self,
        trial_backend: TrialBackend,
        scheduler: TrialScheduler,
        stop_criterion: Callable[[TuningStatus], bool],
        n_workers: int,
        sleep_time: float = 5.0,
        results_update_interval: float = 10.0,
        print_update_interval: float = 30.0,
        max_failures: int = 1,
        tuner_name: str | None = None,
        asynchronous_scheduling: bool = True,
        wait_trial_completion_when_stopping: bool = False,
        callbacks: list[TunerCallback] | None = None,
        metadata: dict[str, Any] | None = None,
        suffix_tuner_name: bool = True,
        save_tuner: bool = True,
        start_jobs_without_delay: bool = True,
        trial_backend_path: str | None = None,
    ) -> None:
        if not isinstance(scheduler, TrialScheduler):
            raise NotImplementedError(
                f"a scheduler of your own ({type(scheduler).__name__}) is not covered: write it as a Rung plug-in and "
                "start with `rung run --schedule ./mine.py launch.py` (docs/plugins.md)"
            )
        if not callable(stop_criterion):
            raise TypeError(f"stop_criterion: expected a StoppingCriterion or a function, got {stop_criterion!r}")
        if n_workers < 1:
            raise ValueError(f"n_workers: must be 1 or more, got {n_workers}")
        self.trial_backend, self.scheduler, self.stop_criterion = trial_backend, scheduler, stop_criterion
        self.n_workers, self.max_failures = n_workers, max_failures
        self.results_update_interval = results_update_interval
        self.sleep_time, self.print_update_interval = sleep_time, print_update_interval
        self.asynchronous_scheduling = asynchronous_scheduling
        self.wait_trial_completion_when_stopping = wait_trial_completion_when_stopping
        self.callbacks = [StoreResultsCallback()] if callbacks is None else list(callbacks)
        self.save_tuner = save_tuner
        self.name = _name(tuner_name, trial_backend, suffix=suffix_tuner_name)
        self.tuner_path = Path(experiment_path(self.name))
        self.metadata = self._metadata(metadata)
        self.tuning_status = TuningStatus(scheduler.metric_names())
        self._reader: StudyReader | None = None
        self._rows_before = 0
        trial_backend.set_tuner(self)

    # ---------------------------------------------------------------------------------------------------- the search

    def run(self) -> None:
        """The search is over, its results are written. Under `rung plan` its plan is printed, and the launcher ends.

        Raises `TuningFailed` where the study was given up or nothing succeeded, and what a callback raised; ends the
        launcher where a signal came.
        """
        from rung.cli import drivers
        from rung.model import RungError

        try:
            spec = drivers.asked_for(self._spec())
            for text in self.scheduler.recipe.notes:
                warn(text)
            if drivers.handed().verb == "plan":
                drivers.planned_here(spec)
                raise SystemExit(0)
            self._work(spec)
        except RungError as error:
            if not drivers.handed().by_command:
                raise
            warn(str(error))
            raise SystemExit(2) from None

    def _work(self, spec: StudySpec) -> None:
        from rung.cli import drivers

        from ._study import StudyReader
        from ._watching import Watcher

        opened = drivers.opened(spec, stem=self.name)
        self._reader = StudyReader(opened.handle)
        self._write_metadata(opened.handle.state.created.at)
        watcher = Watcher(self, self._asked_at_reports())
        self._rows_before = len(watcher.story.rows)
        why = "done"
        if opened.how != "finished" or self._reopened(spec, watcher.story):
            watcher.call("on_tuning_start", self)
            try:
                if watcher.failure is None:
                    why = drivers.worked_on(
                        opened.handle, observe=watcher.observe, attached=watcher.attached, objective=self.objective()
                    )
                watcher.flush()
            finally:
                watcher.call("on_tuning_end")
                self.write_results(watcher.story)
        else:
            self.write_results(watcher.story)
        if watcher.failure is not None:
            raise watcher.failure
        code = drivers.said_how_it_ended(opened.handle, why)
        if code == 3:
            self._give_up(watcher)
        if code is not None:
            raise SystemExit(code)

    def _reopened(self, spec: StudySpec, story: Any) -> bool:
        """Whether a study that was over goes on, because the launcher allows more trials or more time now."""
        from rung.dialects.synetune.driver import with_budget

        handle = self.experiment.handle
        old, failed = handle.state.spec, sum(status == Status.failed for status in story.status.values())
        new = with_budget(old, spec.budget, self.most_trials(failed))
        was, now = old.budget, new.budget
        if not (_more(was.trials, now.trials) or _more(was.time_s, now.time_s)):
            return False
        handle.change(new, surface="synetune")
        handle.refresh()
        return handle.state.switches.completed is None

    def _give_up(self, watcher: Any) -> None:
        first = min(watcher.story.errors, default=None)
        if first is not None:
            said = watcher.story.errors[first].splitlines()[0]
            warn(f"trial {first}: {said}; `rung logs {self.name} {first}` shows more")
        raise TuningFailed(3)

    def objective(self) -> Callable[[Any], Any] | None:
        """What a trial calls, where the backend runs a function."""
        call = getattr(self.trial_backend, "call", None)
        if call is None:
            return None

        def called(params: Any) -> None:
            call(params)
            raise SystemExit(0)  # what it had to say it has reported

        return called

    # ---------------------------------------------------------------------------------------------------- the study

    def _spec(self) -> StudySpec:
        from rung.dialects.synetune import driver
        from rung.dialects.synetune.domains import first_points, to_parameters

        scheduler, recipe, backend = self.scheduler, self.scheduler.recipe, self.trial_backend
        space = scheduler.config_space
        if recipe.grid is not None:
            space = gridded(space, recipe.grid)
        search = "random" if recipe.search == "grid" and recipe.shuffled else recipe.search
        program = backend.program() if not hasattr(backend, "call") else None
        if program is not None and scheduler.max_resource_attr is not None:
            program["max_resource"] = scheduler.max_resource_attr
        return driver.study_spec(
            driver.Wanted(
                name=self.name,
                parameters=to_parameters(space),
                metrics=tuple(scheduler.metric_names()),
                modes=tuple(scheduler.metric_modes()),
                search=search,
                search_options=recipe.search_options,
                schedule=recipe.schedule,
                schedule_options=recipe.schedule_options,
                resource=recipe.resource,
                points=first_points(scheduler.points_to_evaluate, space),
                seed=scheduler.random_seed,
                at_most=recipe.limits,
                workers=self.n_workers,
                gpus=self._gpus(),
                max_failures=self._failure_limit(),
                cwd=str(Path.cwd()),
                keep_checkpoints=not backend.delete_checkpoints,
                limits=self._limits(),
                program=program,
                waits=self.wait_trial_completion_when_stopping,
            )
        )

    def _plain_criterion(self) -> StoppingCriterion | None:
        """The criterion where it is one of limits alone."""
        return self.stop_criterion if type(self.stop_criterion) is StoppingCriterion else None

    def _limits(self) -> Any:
        from rung.dialects.synetune.driver import Limits

        given = self._plain_criterion()
        if given is None:
            return None
        return Limits(
            seconds=given.max_wallclock_time, started=given.max_num_trials_started,
            completed=given.max_num_trials_completed, finished=given.max_num_trials_finished,
            low=given.min_metric_value or {}, high=given.max_metric_value or {},
        )  # fmt: skip

    def _asked_at_reports(self) -> Callable[[TuningStatus], bool] | None:
        """What is asked whenever something happens: the criterion, less the limits that the study's budget keeps."""
        from rung.dialects.synetune.driver import counted_by_trials

        given = self._plain_criterion()
        if given is None:
            return self.stop_criterion
        recipe = self.scheduler.recipe
        kept = [f"max_num_trials_{name}" for name in counted_by_trials(recipe.schedule, recipe.schedule_options)]
        kept += _IN_THE_BUDGET if self.wait_trial_completion_when_stopping else (_TIME, *_IN_THE_BUDGET)
        left = dataclasses.replace(given, **dict.fromkeys(kept))
        return None if left == StoppingCriterion() else left

    def most_trials(self, failed: int) -> int | None:
        """How many trials may be evaluated when so many have failed; None without such a limit, and where the command
        line has set another."""
        from rung.cli.drivers import trials_are_set
        from rung.dialects.synetune.driver import trial_limit

        if trials_are_set():
            return None
        recipe = self.scheduler.recipe
        return trial_limit(self._limits(), recipe.schedule, recipe.schedule_options, failed)

    def _failure_limit(self) -> int:
        given = self._plain_criterion()
        counts: list[int | None] = (
            [] if given is None else [getattr(given, f"max_num_trials_{name}") for name in _COUNTED]
        )
        return max([self.max_failures + 1, _FEWEST_FAILURES, *(count for count in counts if count is not None)])

    def _gpus(self) -> float:
        from rung.dialects.synetune.driver import gpu_share

        backend = self.trial_backend
        if not backend.rotate_gpus:
            return 0.0
        return gpu_share(_visible_gpus(backend.gpus_to_use), self.n_workers, backend.num_gpus_per_trial)

    # -------------------------------------------------------------------------------------------------- the results

    @property
    def experiment(self) -> StudyReader:
        """The study. Raises `RuntimeError` before `run`."""
        if self._reader is None:
            raise RuntimeError("this tuner has not run yet: call tuner.run() first")
        return self._reader

    def best_config(self, metric: str | int | None = 0) -> tuple[int, dict[str, Any]]:
        """The number of the best trial and its configuration, by an objective's name or place. Raises `ValueError`."""
        from .util import metric_name_mode

        names, mode = self.scheduler.metric_names(), self.scheduler.metric_mode()
        name, _ = metric_name_mode(names, mode, 0 if metric is None else metric)
        return self.experiment.best(name)

    def retrain(self, config: dict[str, Any], checkpoint_trial_id: int | None = None) -> Trial:
        """See `TrialBackend.start_trial`."""
        from ._retrain import retrained

        return retrained(self, config, checkpoint_trial_id)

    def write_results(self, story: Any) -> None:
        """The rows so far are in results.csv.zip."""
        rows = story.table()
        for callback in self.callbacks:
            if isinstance(callback, StoreResultsCallback):
                callback.extend(rows, self._rows_before)
        if rows:
            write_rows(self.tuner_path, rows)

    def _metadata(self, given: dict[str, Any] | None) -> dict[str, Any]:
        from .config_space import config_space_to_json_dict

        backend = self.trial_backend
        found = {
            "st_tuner_creation_timestamp": time.time(),
            **self.scheduler.metadata(),
            "config_space": json.dumps(_json_space(self.scheduler.config_space, config_space_to_json_dict)),
            "entrypoint": backend.entrypoint_path().stem,
            "backend": type(backend).__name__,
            "tuner_name": self.name,
        }
        if self.scheduler.max_resource_attr is not None:
            found["max_resource_attr"] = self.scheduler.max_resource_attr
        return {**found, **(given or {})}

    def _write_metadata(self, started: float) -> None:
        handle = self.experiment.handle
        self.metadata["st_tuner_start_timestamp"] = started
        ours = {"rung_store": _absolute(handle.store.url), "rung_study": handle.name}
        write_metadata(self.tuner_path, {**self.metadata, **ours})


def _more(old: float | None, new: float | None) -> bool:
    return old is not None and (new is None or new > old)


def _absolute(url: str) -> str:
    scheme, slashes, path = url.partition(":///")
    return f"{scheme}{slashes}{Path(path).absolute()}" if scheme == "sqlite" and slashes else url


def _json_space(space: dict[str, Any], to_json: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in to_json(space).items() if _is_json(value)}


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


def _name(given: str | None, backend: TrialBackend, *, suffix: bool) -> str:
    """The tuner's name: as `rung run --name` says, else as given or after the script, with the time where wanted."""
    from rung.cli.drivers import name_asked_for
    from rung.dialects.synetune.driver import check_name

    asked = name_asked_for()
    if asked is not None:
        return asked
    stem = given if given is not None else getattr(backend, "entrypoint_name", backend.entrypoint_path().stem)
    words = [word for word in re.split(r"[^a-zA-Z0-9]+", stem) if word]
    name = check_name(given) if given is not None else "-".join(words) or "tuner"
    if not suffix:
        return name
    now = datetime.now(timezone.utc)
    return f"{name[:39].rstrip('-')}-{now:%Y-%m-%d-%H-%M-%S}-{now.microsecond // 1000:03d}"


def _visible_gpus(wanted: list[int] | None) -> int:
    """How many GPUs trials may have; those of `wanted` alone are visible from now on."""
    import os

    from .num_gpu import get_num_gpus

    if wanted is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(str(number) for number in wanted)
    return get_num_gpus()
