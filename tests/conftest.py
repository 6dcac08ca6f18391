"""What all tests share."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings

# How fast an example runs says more of the machine than of the code. More of them: `HYPOTHESIS_EXAMPLES=1000 make test`.
settings.register_profile("untimed", deadline=None, max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "50")))
settings.load_profile("untimed")


@pytest.fixture(scope="module")
def outcomes_of_vectors() -> Iterator[dict[str, Counter[str]]]:
    """How the vectors of a module fared, by the test that tried them; printed at its end (`pytest -s`)."""
    found: dict[str, Counter[str]] = {}
    yield found
    for kind, outcomes in sorted(found.items()):
        deviating = {why: n for why, n in outcomes.items() if why != "passed"}
        print(
            f"\n{kind}: {outcomes['passed']} passed, {sum(deviating.values())} deviating {deviating or ''}, 0 skipped"
        )


@pytest.fixture
def tally(request: pytest.FixtureRequest, outcomes_of_vectors: dict[str, Counter[str]]) -> Callable[[str], None]:
    """Called with `passed`, or with the reason of a deviation."""
    kind = request.function.__name__.removeprefix("test_")

    def count(outcome: str) -> None:
        outcomes_of_vectors.setdefault(kind, Counter())[outcome] += 1

    return count
