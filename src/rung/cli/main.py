"""The entry point of `rung`. Loads nothing but what the verb needs: `rung report` runs inside trials."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # not `typing.TYPE_CHECKING`: importing typing costs 3 ms
if TYPE_CHECKING:
    from collections.abc import Sequence

HELP = frozenset({"--help", "-h"})


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code of `rung ARGV…` (CONTRACT, Exit codes), everything having been said on stdout and stderr."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["report"] and not HELP & set(words[1:]):
        from rung.inside import shell

        return shell.main(words[1:])
    from rung.cli.group import run_command

    return run_command(words)
