"""The words of Rung: frozen records that every room shares, and the errors a user can meet.

Nothing here acts. A `StudySpec` says what to search; a `Trial` says what became of one configuration; the *commands*
are what a policy may ask for; `StateView` is all that a searcher or a scheduler may see of a study.

Numbers: a metric is a float that may be NaN or infinite. JSON has neither, so on every wire of ours such a number is
one of the strings "NaN", "Infinity", "-Infinity" (`to_wire`, `from_wire`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence  # noqa: TC003 - msgspec resolves annotations at run time
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

WireNumber: TypeAlias = float | Literal["NaN", "Infinity", "-Infinity"]
TrialState = Literal["waiting", "running", "paused", "complete", "pruned", "failed"]
StudyState = Literal["running", "paused", "complete", "failed", "interrupted"]
FINAL_STATES: frozenset[str] = frozenset({"complete", "pruned", "failed"})


# ---------------------------------------------------------------------------------------------------------- errors


class RungError(Exception):
    """An error whose text is meant for the user: one line that says where, what, and what to do."""


class BadInput(RungError):
    """Something the user wrote cannot be used. `place` is `file:line` or an option's name."""

    def __init__(self, message: str, *, place: str = "", key: str = "") -> None:
        self.message, self.place, self.key = message, place, key
        super().__init__(": ".join(part for part in (place, key, message) if part))


class UnknownStudy(BadInput):
    """No study of that name is in the store."""


class StoreUnusable(BadInput):
    """The store cannot be opened: not there, not ours, not writable, or written by a newer version."""


class Conflict(RungError):
    """A decision was refused: the study holds another number of decisions than it was computed from."""


class Fenced(RungError):
    """An append was refused: the runner's lease is gone, another runner took over."""


class LogError(RungError):
    """The log holds an event that does not fit the state it meets."""


# --------------------------------------------------------------------------------------------------------- numbers


def to_wire(number: float) -> WireNumber:
    """A number as JSON can carry it."""
    if math.isfinite(number):
        return number
    if number != number:  # NaN is the one number that differs from itself
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"


def from_wire(number: WireNumber) -> float:
    """The float that `to_wire` wrote."""
    return float(number)


# ------------------------------------------------------------------------------------------------------------ spec


class Parameter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One parameter as it was declared. `space.Space` checks and compiles it.

    `min`, `max`, `step` are in the parameter's own unit, bounds inclusive; `count` makes a finite range of that many
    evenly spaced values on `scale`. `mean` and `sd` are those of the normal, or of the logarithm for `lognormal`.
    `when` is a condition (inactive parameters are absent), `times` names the parameter the draw is multiplied with.
    """

    name: str
    type: Literal["float", "int", "bool", "choice", "ordinal", "normal", "lognormal", "constant"]
    min: float | int | None = None
    max: float | int | None = None
    scale: Literal["linear", "log", "reverselog"] = "linear"
    step: float | int | None = None
    count: int | None = None
    values: tuple[Any, ...] | None = None
    mean: float | None = None
    sd: float | None = None
    default: Any = msgspec.UNSET
    when: str | None = None
    times: str | None = None
    prior: Any = None
    value: Any = None


class Objective(msgspec.Struct, frozen=True, kw_only=True):
    """What is optimised. `goal` is a direction, or the number to come near to. `value` picks from a trial's reports."""

    metric: str
    goal: Literal["minimize", "maximize"] | float = "minimize"
    value: Literal["last", "best", "min", "max"] = "last"

    def loss(self, value: float) -> float:
        """`value` as something to minimise; NaN and both infinities are worst (+inf), ARCHITECTURE rule 11."""
        if not math.isfinite(value):
            return math.inf
        if self.goal == "minimize":
            return value
        if self.goal == "maximize":
            return -value
        return abs(value - float(self.goal))


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A metric that must stay within bounds for a configuration to be feasible."""

    metric: str
    at_most: float | None = None
    at_least: float | None = None

    def violation(self, value: float | None) -> float:
        """By how much `value` breaks the bound; 0 when kept, +inf when it is missing or NaN."""
        if value is None or value != value:
            return math.inf
        above = value - self.at_most if self.at_most is not None else 0.0
        below = self.at_least - value if self.at_least is not None else 0.0
        return max(0.0, above, below)


class MethodOption(msgspec.Struct, frozen=True):
    """An option of a searcher or a scheduler, as its class declares it: its default, and in a line what it says.

    `kind`: what is written for it, where the default does not show that: a number, ascending numbers, a text, true or
    false, or anything that a study file may hold. `words`: the texts that it may be, where these are few.
    """

    default: Any
    text: str
    kind: Literal["number", "numbers", "text", "flag", "data"] | None = None
    words: tuple[str, ...] = ()


def defaults(declared: Mapping[str, MethodOption]) -> dict[str, Any]:
    """What a class declares as its `options`: their defaults by name."""
    return {name: option.default for name, option in declared.items()}


class SearchSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Which searcher proposes, its seed (None: drawn when the study is created), and its own options.

    `repeats`: how often one configuration may be evaluated. `lag`: in a deterministic study, proposal k sees exactly
    the results of trials below k - lag; None: arrival order. `batch`: so many proposals at a time, all made from the
    results of the batches before; None: one at a time, as results come. `timeout_s`: after so many seconds without a
    proposal a random one takes its place; None: 60 for a plug-in, no limit for ours.
    """

    method: str = "auto"
    seed: int | None = None
    repeats: int = 1
    lag: int | None = None
    batch: int | None = None
    timeout_s: float | None = None
    options: dict[str, Any] = {}


class ScheduleSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Which scheduler stops early, the resource it counts in, and its own options."""

    method: str = "none"
    resource: str | None = None
    options: dict[str, Any] = {}


class CheckpointSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Which checkpoints are kept. `enabled`: None means as soon as a trial writes one. Kept are those of the
    `study_best` best trials, the `trial_best` best and the `trial_latest` latest of each trial, and whatever a paused
    trial, a clone or a running trial may need. `disk_bytes`: how much room they may take together, None: no limit."""

    enabled: bool | None = None
    study_best: int = 0
    trial_best: int = 1
    trial_latest: int = 1
    disk_bytes: int | None = None


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """When a study ends, at whichever comes first. `trials`: configurations evaluated (failed ones do not count);
    `time_s`: seconds a runner was attached; `target`: value of the first objective; `max_failures`: None means
    max(10, trials); `cost`: money, in the unit that trials report as the metric `cost`, or by `run.price`; `patience`:
    complete or pruned trials in a row without a better value; `stop`: an expression over reported metrics;
    `improvement`: the least expected improvement of the first objective that is worth another trial; `on_failure`: what
    failed trials mean: "continue" nothing, "fail" the study is failed when it is over, "stop" the first one ends it at
    once (in all three they count as trials, and end it early only by a `max_failures` that is set); None: too many of
    them end it."""

    trials: int | None = None
    time_s: float | None = None
    target: float | None = None
    max_failures: int | None = None
    cost: float | None = None
    patience: int | None = None
    stop: str | None = None
    improvement: float | None = None
    on_failure: Literal["continue", "fail", "stop"] | None = None


class RunSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How trials are run. `gpus` and `cpus` are devices per trial (hundredths count); times are in seconds; `price` is
    what an hour of one trial costs; `mirrors` are the addresses of other tools' records that are kept in step."""

    workers: int = 1
    gpus: float = 0.0
    cpus: float = 0.0
    timeout_s: float | None = None
    grace_s: float = 10.0
    retries: int = 0
    executor: str = "local"
    inject: Literal["args", "env", "file", "source"] = "args"
    cwd: str = ""
    price: float | None = None
    mirrors: tuple[str, ...] = ()


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """Another tuner's way to start a trial: `dialect` is who knows it, `settings` (plain JSON) is what it needs to."""

    dialect: str
    settings: dict[str, Any] = {}


class StudySpec(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that defines a study. At most one of `command`, `function` is set; neither, and no `program`: ask and
    tell.

    `command` is an argv template with `{name}`, `{rest}`, `{params}`; `function` is `module:function` or
    `file.py:function`; with a `program` its dialect makes the command line, of `command` where one is set. `start` is
    "default", "middle", "random" (no first point), or a list of configurations.
    """

    name: str | None = None
    command: tuple[str, ...] | None = None
    function: str | None = None
    program: Program | None = None
    parameters: tuple[Parameter, ...] = ()
    constraints: tuple[str, ...] = ()
    objectives: tuple[Objective, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    start: Literal["default", "middle", "random"] | tuple[dict[str, Any], ...] = "random"
    search: SearchSpec = msgspec.field(default_factory=SearchSpec)
    schedule: ScheduleSpec = msgspec.field(default_factory=ScheduleSpec)
    checkpoint: CheckpointSpec = msgspec.field(default_factory=CheckpointSpec)
    budget: Budget = msgspec.field(default_factory=Budget)
    run: RunSettings = msgspec.field(default_factory=RunSettings)

    @property
    def runs_something(self) -> bool:
        """Whether a runner can start trials; without, only the process that asks for them can evaluate them."""
        return self.command is not None or self.function is not None or self.program is not None


# ---------------------------------------------------------------------------------------------------------- trials


class Report(msgspec.Struct, frozen=True, array_like=True):
    """Metrics at a step. `time` is Unix seconds; `values` are on the wire form of numbers."""

    step: float
    time: float
    values: dict[str, WireNumber]


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one configuration. Times are Unix seconds; `values` has each metric's last (or picked) value."""

    number: int
    state: TrialState
    params: dict[str, Any]
    value: float | None = None
    values: dict[str, float] = {}
    steps: int = 0
    started: float | None = None
    ended: float | None = None
    attempt: int = 0
    reason: str | None = None
    error: str | None = None


class Checkpoint(msgspec.Struct, frozen=True, array_like=True):
    """A snapshot that a report line named, and so committed. `name`: its folder in the attempt's `checkpoints/`;
    `step` and `reports`: the line's step, and how many reports the trial had made with it; `bytes`: its size."""

    attempt: int
    name: str
    step: float
    reports: int
    bytes: int = 0


class Source(msgspec.Struct, frozen=True, array_like=True):
    """Where an attempt begins: a checkpoint, of this trial or of the one it was cloned from."""

    trial: int
    checkpoint: Checkpoint


class Reason(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a decision was taken: `text` for people, the rest for programs (rule, rung, value, threshold, ...)."""

    by: str
    text: str
    space_version: int | None = None
    phase: str | None = None
    parent: int | None = None
    data: dict[str, Any] = {}


# -------------------------------------------------------------------------------------------------------- commands


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """Begin a new trial with these parameters, up to `resource` (None: to the end), cloned from `parent` if given."""

    params: dict[str, Any]
    reason: Reason
    resource: float | None = None
    parent: int | None = None
    memo: dict[str, Any] | None = None
    ticket: dict[str, Any] | None = None


class Continue(msgspec.Struct, frozen=True, kw_only=True):
    """Let a trial go on up to resource `to` (None: to its end): a paused one runs again, a running one runs on."""

    trial: int
    to: float | None
    reason: Reason


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """Hold a running trial; it may be continued, from its checkpoint where it has one."""

    trial: int
    reason: Reason


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """End a trial now; it is pruned, or `complete` when it has had all the resource that there is."""

    trial: int
    reason: Reason
    complete: bool = False


class Wait(msgspec.Struct, frozen=True):
    """Nothing to do until the next fact."""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """The search has nothing more to propose."""

    reason: Reason


Command = Start | Continue | Pause | Stop | Wait | Done


# ---------------------------------------------------------------------------------------------- what others may see


class StateView(Protocol):
    """The read protocol of a study's state: all that searchers, schedulers and readers may use."""

    @property
    def spec(self) -> StudySpec:
        """What is searched, as it stands now."""

    @property
    def seed(self) -> int:
        """The study's seed."""

    @property
    def seq(self) -> int:
        """The sequence number of the last event folded."""

    @property
    def decisions(self) -> int:
        """How many decisions the log holds up to `seq`."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Trials by state."""

    def __len__(self) -> int:
        """How many trials were proposed."""
        ...

    def trial(self, number: int) -> Trial:
        """The record of one trial. Raises `IndexError`."""
        ...

    def trials(self) -> Iterator[Trial]:
        """All trials, by number."""
        ...

    def running(self) -> Sequence[int]:
        """Numbers of the trials that are waiting, running or paused, ascending."""
        ...
