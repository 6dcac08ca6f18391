"""The studies of a store."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import get
from litestar.datastructures import State as Shared

from rung.analysis.records import iso
from rung.model import StudyState, WireNumber, to_wire
from rung.server.site import Site


class StudySummary(msgspec.Struct, frozen=True, kw_only=True):
    """A study as the list shows it. `best` is its first objective's best value."""

    name: str
    state: StudyState
    trials: int
    counts: dict[str, int]
    metric: str | None
    best: WireNumber | None
    created: str | None


@get("/api/studies", sync_to_thread=True)
def list_studies(state: Shared) -> list[StudySummary]:
    """All studies, the newest first."""
    site: Site = state.site
    return [_summary(site, row.name) for row in reversed(site.store.studies())]


def _summary(site: Site, name: str) -> StudySummary:
    with site.study(name).read() as study:
        best = study.best(top=1)
        value = best[0].value if best else None
        objectives = study.state.spec.objectives
        return StudySummary(
            name=name,
            state=study.status(),
            trials=len(study.state),
            counts=dict(study.state.counts),
            metric=objectives[0].metric if objectives else None,
            best=None if value is None else to_wire(value),
            created=iso(study.state.created.at),
        )


HANDLERS: tuple[Any, ...] = (list_studies,)
