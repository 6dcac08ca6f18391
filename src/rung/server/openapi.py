"""The description of the REST API, from which the page's types are made: `python -m rung.server.openapi FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from rung.api.places import Places
from rung.server.app import make_app
from rung.server.site import Site
from rung.store.memory import MemoryStore


def document() -> bytes:
    """The OpenAPI document as JSON, the same bytes for the same routes."""
    site = Site(MemoryStore(), Places("memory://", Path("/")), Path("/"))
    schema = make_app(site).openapi_schema.to_schema()
    return msgspec.json.format(msgspec.json.encode(schema, order="sorted"), indent=1) + b"\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(document())
