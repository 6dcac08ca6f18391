"""The API keeps to its own description, whatever it is sent: made-up requests by schemathesis, valid and invalid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.python.asgi import shutdown_lifespans
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from rung.server.app import guarded
from rung.server.pages import Pages
from rung.server.sessions import Access
from rung.server.site import Site

pytestmark = pytest.mark.xdist_group("server schema")  # its tests share a study, in their order
EXAMPLES = 3
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
ENDLESS = {"/api/stream"}


@pytest.fixture(scope="module")
def described(site: Site, access: Access, pages: Pages) -> Iterator[Any]:
    """The description of the API, and the API."""
    guard = guarded(site, access=access, hosts={"testserver": "http://testserver"}, pages=pages, port=80)
    headers = {"Authorization": f"Bearer {access.tokens.control}"}
    schema = schemathesis.openapi.from_asgi("/api/schema/openapi.json", guard, headers=headers)
    yield schema
    shutdown_lifespans()


def test_every_operation_keeps_to_its_description(described: Any, access: Access) -> None:
    broken = {}
    for result in described.get_all_operations():
        operation = result.ok()
        if operation.path not in ENDLESS:
            try:
                keeps(operation, headers={"Authorization": f"Bearer {access.tokens.control}"})
            except (Exception, FailureGroup) as error:  # noqa: BLE001 - all that are broken are told at once
                broken[f"{operation.method.upper()} {operation.path}"] = error
    assert not broken, "\n\n".join(f"{name}: {error}" for name, error in broken.items())


def keeps(operation: Any, *, headers: dict[str, str]) -> None:
    """Raises where an answer is an error of ours, or of another shape than was said."""
    modes = st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    cases = modes.flatmap(lambda mode: operation.as_strategy(generation_mode=mode))

    @given(case=cases, known=st.booleans())
    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def kept(case: Any, known: bool) -> None:
        if known and operation.method.upper() != "DELETE" and "study" in (case.path_parameters or {}):
            case.path_parameters["study"] = "score-1"
        response = case.call(headers=headers)
        case.validate_response(response, checks=CHECKS, headers=headers)
        assert response.status_code not in {401, 403} or operation.path == "/api/session"

    kept()
