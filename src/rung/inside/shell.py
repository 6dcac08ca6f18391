"""`rung report NAME=VALUE…`: reports from shell scripts and anything else that can start a program."""

from __future__ import annotations

import sys

from rung.inside.session import report

TYPE_CHECKING = False  # not `typing.TYPE_CHECKING`: importing typing costs 3 ms
if TYPE_CHECKING:
    from collections.abc import Sequence


def parse(words: Sequence[str]) -> dict[str, float | int]:
    """The metrics that `NAME=VALUE` words say. Raises `ValueError` with one clear line."""
    metrics: dict[str, float | int] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise ValueError(f"expected NAME=VALUE, got {word!r}")
        if name in metrics:
            raise ValueError(f"{name} is given twice")
        metrics[name] = _number(name, text)
    if not metrics:
        raise ValueError("expected at least one NAME=VALUE, such as loss=0.3")
    return metrics


def _number(name: str, text: str) -> float | int:
    try:
        return int(text) if text.lstrip("+-").isdecimal() else float(text)
    except ValueError:
        raise ValueError(f"{name} must be a number, got {text!r}") from None


def main(argv: Sequence[str]) -> int:
    """The metrics in `argv` are reported; returns the exit code: 0 done, 1 not written, 2 not understood."""
    try:
        report(parse(argv))
    except (ValueError, TypeError) as error:
        sys.stderr.write(f"rung report: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"rung report: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
