"""Stands for the package `rung` in a trial whose Python does not have it: what runs inside a trial needs only the
standard library, so the runner's own copy serves any interpreter."""

from pathlib import Path as _Path

_package = _Path(__file__).resolve().parents[3]
__path__ = [str(_package)]
__file__ = str(_package / "__init__.py")
exec(compile(_Path(__file__).read_text(encoding="utf-8"), __file__, "exec"))  # noqa: S102 - the package's own text
