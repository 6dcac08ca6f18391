"""Search spaces: domains, conditions, derived values, constraints; their encoding, range grammar and linter."""

from __future__ import annotations

from rung.space.constructors import Domain
from rung.space.declare import declare, parameters_from
from rung.space.errors import SpaceError
from rung.space.expressions import Expression
from rung.space.lint import Finding, lint
from rung.space.ranges import parse_range
from rung.space.space import Space

__all__ = [
    "Domain",
    "Expression",
    "Finding",
    "Space",
    "SpaceError",
    "declare",
    "lint",
    "parameters_from",
    "parse_range",
]
