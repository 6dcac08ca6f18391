"""What the log keeps of an experiment configuration: the contract of the reader and of whoever starts its trials.

`Program.settings` of a study in this dialect is a `Settings` as plain JSON (`to_json`, `from_json`).

The resource of the study's schedule (`spec.schedule.resource`, here `resource`) is what a trial's progress is counted
in: `batches`, `records`, `epochs`, `steps` (of the first era), `length` (a `max_length` without unit), or the name of
the time metric. Every report of validation metrics holds it under that name, beside the metrics, e.g.
`{"validation_loss": 0.3, "batches": 400}`; the searcher judges by such reports and by nothing else. How far a trial may
run before it is looked at again is `rung.inside.session.trial.resource` in the same unit; None: up to `length`; that
None too: until its program returns.

A program that finds its configuration invalid (`InvalidHP`) says so by `rung.inside.session.invalid(why)` and then
ends, with any status: the trial fails with that text, is not retried, counts towards no limit, its results are
taken back, and the searcher proposes another one in its place (the grid does not).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

DIALECT = "determined"
Era = Literal["0.12", "0.13", "0.15", "0.38"]
Units = Literal["batches", "records", "epochs", "steps"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One experiment configuration.

    `entrypoint`: shell-like text, `module:Class`, or an argv; None where the file names none. `config`: the merged
    configuration with the defaults of its era, as the program may read it; `hyperparameters` in it as they were
    written. `units`: what `length` counts; None: nothing of the four (no unit was given, or `time_metric` names it).
    `length`: how long a trial is trained at most, None: to completion. `paths`: the keys that lead to each nested
    hyperparameter, by its dotted name; one that is not listed is a key of its own, dots and all.
    """

    entrypoint: str | tuple[str, ...] | None
    era: Era
    config: dict[str, Any]
    searcher: str
    metric: str
    smaller_is_better: bool = True
    resource: str | None = None
    units: Units | None = None
    length: int | None = None
    time_metric: str | None = None
    batches_per_step: int = 100
    records_per_epoch: int = 0
    scheduling_unit: int = 100
    slots_per_trial: int = 1
    experiment_seed: int | None = None
    environment: dict[str, str] = {}
    paths: dict[str, tuple[str, ...]] = {}

    def to_json(self) -> dict[str, Any]:
        """The settings as `Program` keeps them."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


def from_json(settings: Mapping[str, Any]) -> Settings:
    """The settings that `to_json` wrote. Raises `msgspec.ValidationError` for anything else."""
    return msgspec.convert(dict(settings), Settings)


def nested(params: Mapping[str, Any], paths: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """The parameters of a trial in the shape in which the configuration has them: groups within groups."""
    tree: dict[str, Any] = {}
    for name, value in params.items():
        *groups, last = paths.get(name, (name,))
        place = tree
        for group in groups:
            place = place.setdefault(group, {})
        place[last] = value
    return tree
