"""Named SQL: statements live in `sql/*.sql`, Python never assembles one."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).with_name("sql")
_MARK = "-- name: "


def statements(file: str) -> dict[str, str]:
    """The statements of `sql/FILE` by the name in the `-- name: ...` line above each, in the order written.

    Whole-line comments are dropped; two statements of one name are a `ValueError`.
    """
    named: dict[str, list[str]] = {}
    for line in (FOLDER / file).read_text(encoding="utf-8").splitlines():
        if line.startswith(_MARK):
            name = line.removeprefix(_MARK).strip()
            if name in named:
                raise ValueError(f"{file}: two statements are called {name}")
            named[name] = []
        elif line.strip() and not line.lstrip().startswith("--"):
            named[name].append(line)
    return {name: "\n".join(lines) for name, lines in named.items()}


def migrations() -> list[str]:
    """The migration files below `sql/`, in order: the n-th leads from schema n - 1 to schema n."""
    return sorted(f"migrations/{path.name}" for path in (FOLDER / "migrations").glob("*.sql"))
