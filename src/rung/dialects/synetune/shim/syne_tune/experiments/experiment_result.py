"""Results of experiments, read from Rung's log where the study is there, else from the experiment's own files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._results_files import read_metadata
from ..constants import ST_RESULTS_DATAFRAME_FILENAME
from ..optimizer.scheduler import warn
from ..util import experiment_path, metric_name_mode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_OURS = ("trial_id", "st_tuner_time")


@dataclass
class ExperimentResult:
    """An experiment: `results`, a frame with a row a report (None without any), and `metadata`. `tuner` is None: start
    the launcher again with the same name to go on."""

    name: str
    results: Any
    metadata: dict[str, Any]
    tuner: Any = None
    path: Path | None = None

    def __str__(self) -> str:
        if self.results is None:
            return f"Experiment {self.name}"
        trials = len(self.results.trial_id.unique())
        return f"Experiment {self.name} contains {len(self.results)} evaluations from {trials} trials"

    def creation_date(self) -> datetime:
        """When the tuner was made."""
        return datetime.fromtimestamp(self.metadata["st_tuner_creation_timestamp"])

    def entrypoint_name(self) -> str:
        """The name of the script."""
        return str(self.metadata["entrypoint"])

    def metric_names(self) -> list[str]:
        """The objectives."""
        return list(self.metadata["metric_names"])

    def metric_mode(self) -> str | list[str]:
        """`min` or `max`, a list where the objectives differ."""
        found: str | list[str] = self.metadata["metric_mode"]
        return found

    def metric_name_mode(self, metric: str | int) -> tuple[str, str]:
        """The name and the mode of the objective that a name or a place means."""
        return metric_name_mode(self.metric_names(), self.metric_mode(), metric)

    def best_config(self, metric: str | int = 0) -> dict[str, Any]:
        """The best row by that objective, without the tuner's own columns: `config_*`, the metrics, `trial_id`.

        Raises `ValueError` where there are no results.
        """
        name, mode = self.metric_name_mode(metric)
        if self.results is None or name not in self.results or self.results[name].isna().all():
            raise ValueError(f"experiment {self.name} has no results for {name}")
        column = self.results[name]
        row = self.results.loc[column.idxmin() if mode == "min" else column.idxmax()]
        return {
            key: value.item() if hasattr(value, "item") else value
            for key, value in row.items()
            if not str(key).startswith("st_")
        }

    def plot(self, metric_to_plot: str | int = 0, figure_path: str | None = None, **plt_kwargs: Any) -> None:
        """The best value so far over time is drawn: to the file `figure_path`, else shown."""
        name, mode = self.metric_name_mode(metric_to_plot)
        figure, axes = _figure()
        rows = self._timed()
        best = rows[name].cummin() if mode == "min" else rows[name].cummax()
        axes.plot(rows["st_tuner_time"], best, **plt_kwargs)
        self._label(axes, name, f"Best result over time {self.name}")
        _finish(figure, figure_path)

    def plot_trials_over_time(
        self, metric_to_plot: str | int = 0, figure_path: str | None = None, figsize: Any = None
    ) -> None:
        """Each trial's reports over time are drawn: to the file `figure_path`, else shown."""
        name, _ = self.metric_name_mode(metric_to_plot)
        figure, axes = _figure(figsize)
        for _trial, rows in self._timed().groupby("trial_id"):
            axes.plot(rows["st_tuner_time"], rows[name], marker="x", alpha=0.8)
        self._label(axes, name, f"Trials over time {self.name}")
        _finish(figure, figure_path)

    def plot_hypervolume(
        self, metrics_to_plot: Sequence[str | int] | None = None, reference_point: Any = None,
        figure_path: str | None = None, **plt_kwargs: Any,
    ) -> None:  # fmt: skip
        """The hypervolume of all results so far, over time, is drawn; objectives to maximise count with their sign
        changed, and so does the reference point (the worst values, where none is given)."""
        from ..optimizer.schedulers.multiobjective.utils import hypervolume_cumulative

        chosen = [self.metric_name_mode(m) for m in (metrics_to_plot or range(len(self.metric_names())))]
        rows = self._timed()
        signs = [1.0 if mode == "min" else -1.0 for _, mode in chosen]
        points = rows[[name for name, _ in chosen]].to_numpy(dtype=float) * signs
        given = None if reference_point is None else [s * r for s, r in zip(signs, reference_point, strict=True)]
        reference = points.max(axis=0) if given is None else given
        figure, axes = _figure()
        axes.plot(rows["st_tuner_time"], hypervolume_cumulative(points, reference), **plt_kwargs)
        self._label(axes, "hypervolume", f"Hypervolume over time {self.name}")
        _finish(figure, figure_path)

    def _timed(self) -> Any:
        if self.results is None:
            raise ValueError(f"experiment {self.name} has no results to plot")
        return self.results.sort_values("st_tuner_time")

    @staticmethod
    def _label(axes: Any, name: str, title: str) -> None:
        axes.set_xlabel("wallclock time (s)")
        axes.set_ylabel(name)
        axes.set_title(title)


def _figure(size: Any = None) -> tuple[Any, Any]:
    try:
        import matplotlib.pyplot as plt  # only for those who plot
    except ModuleNotFoundError:
        raise ModuleNotFoundError("plot() needs the package matplotlib: install it, or use `rung export`") from None
    figure, axes = plt.subplots(figsize=size)
    return figure, axes


def _finish(figure: Any, path: str | None) -> None:
    import matplotlib.pyplot as plt  # `_figure` has found it

    if path is None:
        plt.show()
    else:
        figure.savefig(path)
    plt.close(figure)


# --------------------------------------------------------------------------------------------------------- loading


def get_metadata(
    path_filter: Callable[[str], bool] | None = None, root: Path | None = None, **_: Any
) -> dict[str, dict[str, Any]]:
    """The metadata of all experiments below `root` (the folder of all), by name; `path_filter` is given each path."""
    folder = experiment_path() if root is None else Path(root)
    found = {}
    for file in sorted(folder.glob("**/metadata.json")) if folder.is_dir() else ():
        metadata = read_metadata(file.parent)
        if metadata is not None and (path_filter is None or path_filter(str(file))):
            found[file.parent.name] = {**metadata, "path": str(file.parent)}
    return found


def load_experiment(
    tuner_name: str,
    download_if_not_found: bool = True,  # noqa: ARG001 - its place counts
    load_tuner: bool = False,
    local_path: str | None = None,
    experiment_name: str | None = None,
) -> ExperimentResult:
    """The experiment of that name, or the one in the folder of that path. `results` is None where there are none.

    Nothing is downloaded. Raises `FileNotFoundError` where there is no such experiment.
    """
    path = experiment_path(tuner_name, local_path)
    if experiment_name is not None and not path.is_dir():
        path = experiment_path(experiment_name, local_path) / tuner_name
    metadata = read_metadata(path)
    if metadata is None:
        raise FileNotFoundError(f"no experiment {tuner_name}: there is no metadata.json in {path}")
    if load_tuner:
        warn(f"{tuner_name}: there is no saved tuner; start the launcher again with this name to go on")
    return ExperimentResult(path.name, _results(path, metadata), metadata, None, path)


def _results(path: Path, metadata: dict[str, Any]) -> Any:
    """The rows as a frame: those of the log, else those of the file; None where there are none."""
    try:
        import pandas as pd  # only for those who look at results
    except ModuleNotFoundError:
        raise ModuleNotFoundError("the results are a frame of the package pandas: install it") from None
    rows = _rows_of_the_log(metadata)
    file = path / ST_RESULTS_DATAFRAME_FILENAME
    if file.is_file():
        try:
            kept = pd.read_csv(file)
        except (pd.errors.EmptyDataError, OSError, ValueError):
            kept = pd.DataFrame()
        if len(kept) and len(kept) >= len(rows):
            return kept
    return pd.DataFrame(rows) if rows else None


def _rows_of_the_log(metadata: dict[str, Any]) -> list[dict[str, Any]]:
    """What the study's log says; empty where the study is not here any more, or another tool made the experiment."""
    store, study = metadata.get("rung_store"), metadata.get("rung_study")
    if not store or not study:
        return []
    from rung.api.handle import Handle
    from rung.model import BadInput
    from rung.plugins import open_store

    from .._study import StudyReader

    try:
        opened = open_store(store)
    except BadInput:
        return []
    try:
        table: list[dict[str, Any]] = StudyReader(Handle(opened, study)).story().table()
    except BadInput:
        return []
    finally:
        opened.close()
    return table


def list_experiments(
    experiment_filter: Callable[[ExperimentResult], bool] | None = None, **_: Any
) -> list[ExperimentResult]:
    """All experiments with results, the newest first; those that `experiment_filter` is true of."""
    places = {name: str(Path(found["path"]).parent) for name, found in get_metadata().items()}
    loaded = [load_experiment(name, local_path=place) for name, place in places.items()]
    kept = [one for one in loaded if one.results is not None and (experiment_filter is None or experiment_filter(one))]
    return sorted(kept, key=lambda one: one.metadata.get("st_tuner_creation_timestamp", 0), reverse=True)


def load_experiments_df(
    path_filter: Callable[[str], bool] | None = None,
    experiment_filter: Callable[[ExperimentResult], bool] | None = None,
    **_: Any,
) -> Any:
    """The rows of all experiments in one frame, with `tuner_name` and each entry of the metadata as columns."""
    import pandas as pd  # only for those who look at results

    frames = []
    for name, found in get_metadata(path_filter).items():
        one = load_experiment(name, local_path=str(Path(found["path"]).parent))
        if one.results is None or not (experiment_filter is None or experiment_filter(one)):
            continue
        frame = one.results.copy()
        for key, value in one.metadata.items():
            if isinstance(value, list | dict):
                continue
            frame[key] = value
        frame["tuner_name"] = name
        frames.append(frame)
    return pd.concat(frames, ignore_index=True) if frames else None
