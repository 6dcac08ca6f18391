"""The driver side: which files are launchers, schedulers as searches of ours, limits as budgets, criteria, the story."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rung.api.creation import check_startable
from rung.dialects.synetune.domains import first_points, to_parameters
from rung.dialects.synetune.driver import (
    Limits,
    Wanted,
    check_name,
    counted_by_trials,
    gpu_share,
    stop_expression,
    study_spec,
    trial_limit,
)
from rung.dialects.synetune.driver_scripts import is_launcher
from rung.dialects.synetune.driver_story import Story
from rung.dialects.synetune.shim.syne_tune import backend, config_space, util
from rung.dialects.synetune.shim.syne_tune.backend.trial_status import Status, Trial
from rung.dialects.synetune.shim.syne_tune.experiments import baselines as method_arguments
from rung.dialects.synetune.shim.syne_tune.experiments import default_baselines
from rung.dialects.synetune.shim.syne_tune.optimizer import baselines, schedulers
from rung.dialects.synetune.shim.syne_tune.optimizer._grid import gridded
from rung.dialects.synetune.shim.syne_tune.optimizer.schedulers import searchers
from rung.dialects.synetune.shim.syne_tune.optimizer.schedulers.multiobjective import utils
from rung.dialects.synetune.shim.syne_tune.stopping_criterion import PlateauStopper, StoppingCriterion
from rung.dialects.synetune.shim.syne_tune.tuning_status import TuningStatus
from rung.model import BadInput, Reason, Report, StudySpec
from rung.space import Space
from rung.space.expressions import metric_expression
from rung.study import events as ev

VECTORS = Path(__file__).parents[4] / "shared" / "vectors"
SPACE = {"lr": config_space.loguniform(1e-4, 1.0), "width": config_space.randint(1, 8), "epochs": 27}
RUNGS: dict[str, Any] = {"resource_attr": "epoch", "max_resource_attr": "epochs"}
Tally = Callable[[str], None]


def cases(kind: str, key: str) -> list[Any]:
    found = []
    for path in sorted(VECTORS.glob(f"synetune_{kind}*.json")):
        content = json.loads(path.read_text())
        names = {"metric_names": content["metric_names"]} if "metric_names" in content else {}
        found += [
            pytest.param({**names, **case}, id=f"{path.stem}-{key}-{i}") for i, case in enumerate(content.get(key, []))
        ]
    absent = pytest.mark.skip(reason=f"the vectors synetune_{kind}*.json are not beside this project")
    return found or [pytest.param(None, marks=absent, id="absent")]


@pytest.fixture(scope="module")
def counts() -> Iterator[dict[str, Counter[str]]]:
    found: dict[str, Counter[str]] = {}
    yield found
    for kind, outcomes in sorted(found.items()):
        deviating = {why: n for why, n in outcomes.items() if why != "passed"}
        text = f"{outcomes['passed']} passed, {sum(deviating.values())} deviating {deviating or ''}, 0 skipped"
        print(f"\n{kind}: {text}")


@pytest.fixture
def tally(request: pytest.FixtureRequest, counts: dict[str, Counter[str]]) -> Tally:
    kind = request.function.__name__.removeprefix("test_")

    def count(outcome: str) -> None:
        counts.setdefault(kind, Counter())[outcome] += 1

    return count


# ----------------------------------------------------------------------------------------------------------- vectors


@pytest.mark.parametrize("case", cases("metric_name_mode", "cases"))
def test_metric_name_mode(case: dict[str, Any], tally: Tally) -> None:
    found = util.metric_name_mode(case["metric_names"], case["mode"], case["query"])
    assert list(found) == case["expect"]
    tally("passed")


@pytest.mark.parametrize("case", cases("hypervolume", "hypervolume"))
def test_hypervolume(case: dict[str, Any], tally: Tally) -> None:
    assert utils.hypervolume(case["points"], case["ref"]) == pytest.approx(case["value"])
    tally("passed")


@pytest.mark.parametrize("case", cases("hypervolume", "hypervolume_cumulative"))
def test_hypervolume_cumulative(case: dict[str, Any], tally: Tally) -> None:
    assert utils.hypervolume_cumulative(case["points"], case["ref"]) == pytest.approx(case["values"])
    tally("passed")


@pytest.mark.parametrize("case", cases("grid", "cases"))
def test_grid(case: dict[str, Any], tally: Tally) -> None:
    """As a set: their order of floats is that of a `set`."""
    space = {name: _domain(text) for name, text in case["space"].items()}
    scheduler = baselines.GridSearch(space, metric="loss", num_samples=case["num_samples"], shuffle_config=False)
    assert scheduler.recipe.grid is not None
    cut = Space(to_parameters(gridded(space, scheduler.recipe.grid)))
    ours, theirs = (
        sorted(json.dumps({n: float(f"{v:.9g}") for n, v in sorted(p.items())}) for p in points)
        for points in ((cut.full(p) for p in cut.grid()), case["sequence"])
    )
    assert ours == theirs
    tally("passed")


def _domain(text: str) -> Any:
    name, _, arguments = text.partition("(")
    if not arguments:
        return json.loads(text)
    values = json.loads(f"[{arguments.removesuffix(')')}]")
    if name == "finrange":
        (points,) = values
        return config_space.finrange(points[0], points[-1], len(points))
    return getattr(config_space, name)(*values)


def test_a_hypervolume_of_three_objectives() -> None:
    points = [(0, 1, 1), (1, 0, 1), (1, 1, 0), (2, 2, 2)]
    whole, corner = 8, 1  # each of three boxes of 2 x 1 x 1 from its point to (2, 2, 2), all with one corner in common
    assert utils.hypervolume(points, (2, 2, 2)) == 3 * 2 - 2 * corner
    assert utils.hypervolume([(0, 0, 0), *points], (2, 2, 2)) == whole


# ----------------------------------------------------------------------------------------------------------- launchers


@pytest.mark.parametrize(("text", "launches"), [
    ("from syne_tune import Tuner, StoppingCriterion\n", True),
    ("from syne_tune.tuner import Tuner\n", True),
    ("import syne_tune\nt = syne_tune.Tuner()\n", True),
    ("if True:\n    from syne_tune import Reporter, Tuner as T\n", True),
    ("from syne_tune.experiments.launchers.hpo_main_local import main\n", True),
    ("from syne_tune import Reporter\n", False),
    ("from syne_tune.tuner_callback import TunerCallback\n", False),
    ("# from syne_tune import Tuner\n", False),
    ("from syne_tune import Tuner\n(", False),
    ("from elsewhere import Tuner\nimport syne_tune\n", False),
    ("\0syne_tune", False),
])  # fmt: skip
def test_a_launcher_takes_its_tuner_from_syne_tune(text: str, launches: bool) -> None:
    assert is_launcher(text) is launches


# ---------------------------------------------------------------------------------------------------------- schedulers


def spec_of(scheduler: Any, limits: Limits | None = None) -> StudySpec:
    recipe = scheduler.recipe
    space = scheduler.config_space if recipe.grid is None else gridded(scheduler.config_space, recipe.grid)
    return study_spec(
        Wanted(
            name="t", parameters=to_parameters(space), metrics=tuple(scheduler.metric_names()),
            modes=tuple(scheduler.metric_modes()), search=recipe.search, search_options=recipe.search_options,
            schedule=recipe.schedule, schedule_options=recipe.schedule_options, resource=recipe.resource,
            points=first_points(scheduler.points_to_evaluate, space), seed=scheduler.random_seed,
            at_most=recipe.limits, workers=2, gpus=0.0, max_failures=10, cwd="", limits=limits, program={},
        )
    )  # fmt: skip


PLAIN = {
    "RandomSearch": ("random", "none"), "GridSearch": ("grid", "none"), "BayesianOptimization": ("gp", "none"),
    "BoTorch": ("gp", "none"), "BOTorch": ("gp", "none"), "KDE": ("tpe", "none"), "TPE": ("tpe", "none"),
    "BORE": ("tpe", "none"), "CQR": ("gp", "none"), "REA": ("evolution", "none"),
    "CostAwareCoarseBayesianOptimization": ("gp", "none"), "CostAwareFineBayesianOptimization": ("gp", "none"),
}  # fmt: skip
HALVING = {
    "ASHA": ("random", "asha"), "MOBSTER": ("gp", "asha"), "HyperTune": ("gp", "hyperband"), "BOHB": ("tpe", "asha"),
    "DyHPO": ("gp", "auto"), "PASHA": ("random", "asha"), "ASHABORE": ("tpe", "asha"), "ASHACQR": ("gp", "asha"),
    "SyncHyperband": ("random", "hyperband"), "SyncBOHB": ("tpe", "hyperband"), "SyncMOBSTER": ("gp", "hyperband"),
    "DEHB": ("de", "hyperband"),
}  # fmt: skip
SEVERAL = {
    "NSGA2": ("nsga2", "none"), "MOREA": ("nsga2", "none"), "EHVI": ("gp", "none"),
    "MORandomScalarizationBayesOpt": ("gp", "none"), "MOLinearScalarizationBayesOpt": ("gp", "none"),
    "RandomSearch": ("random", "none"),
}  # fmt: skip


@pytest.mark.parametrize("name", [*PLAIN, *HALVING])
def test_every_baseline_is_a_search_that_can_start(name: str) -> None:
    keywords = RUNGS if name in HALVING else {}
    scheduler = getattr(baselines, name)(SPACE, metric="loss", mode="max", random_seed=7, **keywords)
    spec = spec_of(scheduler)
    assert (spec.search.method, spec.schedule.method) == {**PLAIN, **HALVING}[name]
    assert [(o.metric, o.goal, o.value) for o in spec.objectives] == [("loss", "maximize", "best")]
    assert spec.search.seed == 7
    if name in HALVING:
        assert spec.schedule.resource == "epoch"
        assert spec.schedule.options["max"] == 27
    startable(spec)


@pytest.mark.parametrize("name", SEVERAL)
def test_several_objectives(name: str) -> None:
    spec = spec_of(getattr(baselines, name)(SPACE, metric=["loss", "acc"], mode=["min", "max"]))
    assert (spec.search.method, spec.schedule.method) == SEVERAL[name]
    assert [o.goal for o in spec.objectives] == ["minimize", "maximize"]
    startable(spec)


def startable(spec: StudySpec) -> None:
    """Its searcher and its scheduler take every option that they are given."""
    check_startable(ev.StudyCreated(at=0.0, uid="u", spec=spec, seed=0))


def test_the_names_of_both_editions() -> None:
    old = baselines.ASHA(SPACE, metric="loss", resource_attr="epoch", mode="max", max_t=9, type="promotion")
    new = baselines.ASHA(SPACE, "loss", "epoch", 9, do_minimize=False, type="promotion")
    assert spec_of(old) == spec_of(new)
    assert old.recipe.schedule_options == {
        "max": 9,
        "min": 1,
        "eta": 3,
        "brackets": 1,
        "type": "promotion",
        "cut": "quantile",
    }
    several = baselines.RandomSearch(SPACE, metrics=["a", "b"], do_minimize=True)
    assert several.metric_modes() == ["min", "min"]


def test_rungs_as_they_are_said() -> None:
    given = baselines.ASHA(SPACE, metric="loss", grace_period=2, reduction_factor=4, brackets=2, **RUNGS)
    assert {"min": 2, "eta": 4, "brackets": 2}.items() <= given.recipe.schedule_options.items()
    levels = schedulers.HyperbandScheduler(SPACE, searcher="kde", metric="loss", rung_levels=[1, 5, 27], **RUNGS)
    assert levels.recipe.schedule_options["levels"] == [1, 5]
    assert levels.recipe.search == "tpe"
    even = schedulers.HyperbandScheduler(SPACE, metric="loss", rung_increment=5, grace_period=3, **RUNGS)
    assert {"min": 3, "increment": 5}.items() <= even.recipe.schedule_options.items()


def test_populations_and_the_median_rule() -> None:
    found = schedulers.PopulationBasedTraining(
        SPACE, metric="loss", resource_attr="epoch", max_t=27, population_size=6, perturbation_interval=3,
        quantile_fraction=0.3, resample_probability=0.1,
    )  # fmt: skip
    spec = spec_of(found)
    assert spec.schedule.options == {"population": 6, "interval": 3, "quantile": 0.3, "resample": 0.1, "max": 27}
    startable(spec)
    median = schedulers.MedianStoppingRule(
        baselines.RandomSearch(SPACE, metric="loss"), resource_attr="epoch", grace_population=3
    )
    assert spec_of(median).schedule.method == "median"
    share = schedulers.MedianStoppingRule(baselines.RandomSearch(SPACE, metric="loss"), "epoch", rank_cutoff=0.25)
    assert spec_of(share).schedule.options["percentile"] == 25
    startable(spec_of(median))
    startable(spec_of(share))


def test_a_constraint_is_an_outcome() -> None:
    found = spec_of(baselines.ConstrainedBayesianOptimization(SPACE, metric="loss", constraint_attr="over"))
    assert [(o.metric, o.at_most) for o in found.outcomes] == [("over", 0.0)]


def test_a_searcher_object_brings_its_points_and_its_seed() -> None:
    searcher = searchers.RegularizedEvolution(SPACE, points_to_evaluate=[{"width": 3}], random_seed=5)
    spec = spec_of(schedulers.FIFOScheduler(SPACE, searcher=searcher, metric="loss"))
    assert (spec.search.method, spec.search.seed) == ("evolution", 5)
    assert spec.start == ({"lr": pytest.approx(0.01), "width": 3},)


def test_first_points_are_the_default_unless_said() -> None:
    assert spec_of(baselines.RandomSearch(SPACE, metric="loss")).start == ({"lr": pytest.approx(0.01), "width": 4},)
    assert spec_of(baselines.RandomSearch(SPACE, metric="loss", points_to_evaluate=[])).start == "random"
    assert spec_of(baselines.GridSearch(SPACE, metric="loss")).start == "random"


def test_what_has_no_counterpart_is_said_or_refused() -> None:
    noted = baselines.BayesianOptimization(SPACE, metric="loss", search_options={"opt_nstarts": 3, "debug_log": True})
    assert noted.recipe.notes == [
        "BayesianOptimization: left out, since Rung's searchers have no such setting: opt_nstarts"
    ]
    assert baselines.BORE(SPACE, metric="loss").recipe.notes
    initial = baselines.BayesianOptimization(SPACE, metric="loss", search_options={"num_init_random": 6})
    assert initial.recipe.search_options == {"initial": 6}
    with pytest.raises(TypeError, match="recylce is not covered"):
        baselines.RandomSearch(SPACE, metric="loss", recylce=1)
    with pytest.raises(TypeError, match="metric is missing"):
        baselines.RandomSearch(SPACE)
    with pytest.raises(ValueError, match="expected min or max, got 'lowest'"):
        baselines.RandomSearch(SPACE, metric="loss", mode="lowest")
    with pytest.raises(NotImplementedError, match="rung run --from STUDY"):
        baselines.ZeroShotTransfer(SPACE, metric="loss")
    with pytest.raises(NotImplementedError, match="it needs AWS"):
        backend.SageMakerBackend()  # type: ignore[abstract,unused-ignore]
    with pytest.raises(NotImplementedError, match="a searcher of your own"):
        schedulers.FIFOScheduler(SPACE, searcher=object(), metric="loss")
    with pytest.raises(ImportError, match="is not covered by Rung's stand-in"):
        baselines.Zebra  # noqa: B018 - asking is the test


def test_methods_of_an_experiment_get_its_arguments() -> None:
    told = method_arguments.MethodArguments(SPACE, "acc", "max", 3, resource_attr="epoch", max_resource_attr="epochs")
    spec = spec_of(default_baselines.ASHA(told, type="promotion"))
    assert (spec.search.seed, spec.schedule.options["type"], spec.schedule.options["max"]) == (3, "promotion", 27)
    assert spec_of(default_baselines.RandomSearch(told)).objectives[0].goal == "maximize"


# -------------------------------------------------------------------------------------------------------------- limits


def test_limits_on_trials_are_budgets_where_beginning_decides() -> None:
    limits = Limits(started=9, completed=7, finished=8)
    assert trial_limit(limits, "none", {}, failed=0) == 7
    assert trial_limit(limits, "none", {}, failed=3) == 5
    assert trial_limit(limits, "asha", {"type": "stopping"}, failed=1) == 7
    assert trial_limit(limits, "asha", {"type": "promotion"}, failed=1) == 8
    assert trial_limit(Limits(finished=2), "none", {}, failed=5) == 0
    assert trial_limit(Limits(seconds=3.0), "none", {}, failed=0) is None
    assert trial_limit(None, "none", {}, failed=0) is None
    assert counted_by_trials("hyperband", {"synchronous": True}) == {"started"}


def test_a_criterion_as_a_budget() -> None:
    limits = Limits(seconds=60.0, completed=5, low={"loss": 0.1}, high={"val-acc": 0.9})
    budget = spec_of(baselines.RandomSearch(SPACE, metric="loss"), limits).budget
    assert (budget.time_s, budget.trials, budget.max_failures) == (60.0, 5, 10)
    assert budget.stop == "loss <= 0.1 or `val-acc` >= 0.9"
    stop = metric_expression(budget.stop)
    assert stop.holds({"loss": 0.1})
    assert stop.holds({"loss": 3.0, "val-acc": 0.95})
    assert not stop.holds({"loss": 0.2, "val-acc": 0.5})
    assert stop_expression({}, {}) is None
    for bad in (Limits(seconds=0.0), Limits(started=0), Limits(seconds=-3.0)):
        with pytest.raises(BadInput, match=r"max_(wallclock_time|num_trials_started): must be"):
            spec_of(baselines.RandomSearch(SPACE, metric="loss"), bad)


def test_names_that_syne_tune_would_refuse() -> None:
    assert check_name("my-tuner1") == "my-tuner1"
    for bad in ("a_b", "-a", "a-", "", "a" * 64, "a b"):
        with pytest.raises(BadInput, match="tuner_name"):
            check_name(bad)


@pytest.mark.parametrize(("devices", "workers", "each", "share"), [
    (0, 4, 1, 0.0), (4, 4, 1, 1.0), (1, 4, 1, 0.25), (2, 3, 1, 0.66), (4, 2, 2, 2.0), (2, 4, 4, 2.0), (8, 4, 0, 0.0),
])  # fmt: skip
def test_gpus_are_shared_where_there_are_less_than_workers(devices: int, workers: int, each: int, share: float) -> None:
    assert gpu_share(devices, workers, each) == share


# ------------------------------------------------------------------------------------------------------------ criteria


def status_of(*trials: tuple[str, list[dict[str, Any]]]) -> TuningStatus:
    status = TuningStatus(["loss"])
    for number, (state, reports) in enumerate(trials):
        trial = Trial(number, {"x": number})
        status.update({number: (trial, Status.in_progress)}, [])
        status.update({number: (trial, state)}, [(number, report) for report in reports])
    return status


SOME = status_of(
    (Status.completed, [{"loss": 0.5, "st_worker_time": 1.0}, {"loss": 0.3, "st_worker_time": 2.0}]),
    (Status.stopped, [{"loss": 0.9, "st_worker_cost": 2.0}]),
    (Status.failed, []),
    (Status.in_progress, [{"loss": float("nan"), "st_worker_time": 4.0}]),
)


def test_a_status_counts() -> None:
    counts = (SOME.num_trials_started, SOME.num_trials_completed, SOME.num_trials_failed, SOME.num_trials_finished)
    assert counts == (4, 1, 1, 3)
    assert (SOME.num_trials_running, SOME.num_evaluations, SOME.user_time, SOME.cost) == (1, 4, 6.0, 2.0)
    assert SOME.overall_metric_statistics.min_metrics["loss"] == 0.3
    assert SOME.trial_metric_statistics[0].max_metrics["loss"] == 0.5


@pytest.mark.parametrize(("limit", "below", "at"), [
    ("max_num_evaluations", 5, 4), ("max_num_trials_started", 5, 4), ("max_num_trials_completed", 2, 1),
    ("max_num_trials_finished", 4, 3), ("max_cost", 2.1, 2.0), ("min_metric_value", {"loss": 0.2}, {"loss": 0.3}),
    ("max_metric_value", {"loss": 1.0}, {"loss": 0.9}), ("max_wallclock_time", 1e9, 0.0),
])  # fmt: skip
def test_a_criterion_holds_at_the_number_and_not_before(limit: str, below: Any, at: Any) -> None:
    assert not StoppingCriterion(**{limit: below})(SOME)
    assert StoppingCriterion(**{limit: at})(SOME)
    assert StoppingCriterion(**{"max_num_evaluations": 100, limit: at})(SOME)  # any of them is enough


def test_a_plateau_is_a_small_spread_of_the_best() -> None:
    flat = status_of(*[(Status.completed, [{"loss": value}]) for value in (0.1, 0.1001, 0.1002, 5.0)])
    assert PlateauStopper("loss", std=0.001, num_trials=3)(flat)
    assert not PlateauStopper("loss", std=0.001, num_trials=4)(flat)
    assert not PlateauStopper("loss", std=0.001, num_trials=3, mode="max")(flat)
    patient = PlateauStopper("loss", std=0.001, num_trials=3, patience=2)
    assert [patient(flat) for _ in range(4)] == [False, False, True, True]
    with pytest.raises(ValueError, match="num_trials"):
        PlateauStopper("loss", num_trials=1)


# ----------------------------------------------------------------------------------------------------------- the story


def decided(kind: type[ev.Decision], at: float, **fields: Any) -> Any:
    return kind(at=at, based_on=0, runner="r", epoch=1, **fields)


def test_the_story_of_a_study(tmp_path: Path) -> None:
    """Rows are whole where a trial's own output has the report, else as the log has it; time with no runner is none."""
    spec = spec_of(baselines.ASHA(SPACE, metric="loss", **RUNGS))
    (tmp_path / "0").write_text(
        'noise\nx [tune-metric]: {"loss": 0.5, "epoch": 1, "note": "a", "_checkpoint": "1"}\n[tune-metric]: {"loss": 1}\n'
    )
    why = Reason(by="asha", text="lost")

    def report(at: float, trial: int, *values: tuple[float, Any]) -> ev.TrialReported:
        reports = tuple(Report(float(step), at, {"loss": loss}) for step, loss in values)
        return ev.TrialReported(at=at, trial=trial, attempt=1, reports=reports, offsets={}, channel="json")

    def started(at: float, trial: int) -> ev.TrialStarted:
        return ev.TrialStarted(at=at, trial=trial, attempt=1, pid=1, ticks=1, boot="b", host="h")

    def attached(at: float, epoch: int) -> ev.RunnerAttached:
        return ev.RunnerAttached(at=at, runner="r", epoch=epoch, host="h", pid=1, workers=1)

    story = Story(spec, lambda trial, attempt: tmp_path / str(trial)).tell([
        attached(0.0, 1),
        decided(ev.TrialProposed, 0.0, trial=0, params={"width": 2, "lr": 0.1}, reason=why),
        decided(ev.TrialProposed, 0.0, trial=1, params={"width": 3, "lr": 0.1}, reason=why),
        started(0.5, 0), started(0.5, 1),
        report(1.0, 0, (1, 0.5)), report(2.0, 1, (1, "NaN"), (2, 0.9)),
        decided(ev.TrialStopped, 2.0, trial=1, attempt=1, reason=why),
        report(2.5, 1, (3, 0.8)),
        ev.RunnerDetached(at=3.0, runner="r", epoch=1, why="interrupted"),
        attached(100.0, 2),
        report(101.0, 0, (2, 0.2)),
        decided(ev.TrialCompleted, 101.0, trial=0, attempt=1, state="complete", values=(0.2,)),
        decided(ev.TrialCompleted, 101.5, trial=1, attempt=1, state="pruned", values=(0.9,), reason=why),
    ])  # fmt: skip
    rows = story.table()
    assert rows[0] == {
        "loss": 0.5, "epoch": 1, "note": "a", "st_decision": "CONTINUE", "st_status": "InProgress", "trial_id": 0,
        "config_lr": 0.1, "config_width": 2, "config_epochs": 27, "st_tuner_time": 1.0,
    }  # fmt: skip
    assert [(r["trial_id"], r["epoch"], r["st_decision"], r["st_status"]) for r in rows] == [
        (0, 1, "CONTINUE", "InProgress"), (1, 1, "CONTINUE", "InProgress"), (1, 2, "STOP", "InProgress"), (1, 3, "STOP", "Stopped"),
        (0, 2, "CONTINUE", "Completed"),
    ]  # fmt: skip
    assert rows[1]["loss"] != rows[1]["loss"]
    assert rows[4]["st_tuner_time"] == pytest.approx(4.0)
    assert story.status == {0: "Completed", 1: "Stopped"}
