"""The files of an experiment: metadata.json and results.csv.zip. They are written whole, and replaced at once."""

from __future__ import annotations

import csv
import io
import json
import os
import zipfile
from typing import TYPE_CHECKING, Any

from .constants import ST_METADATA_FILENAME, ST_RESULTS_DATAFRAME_FILENAME

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_INSIDE = "results.csv"


def write_metadata(folder: Path, metadata: dict[str, Any]) -> None:
    """metadata.json holds this."""
    text = json.dumps(metadata, default=lambda value: value.item() if hasattr(value, "item") else str(value))
    _replace(folder, ST_METADATA_FILENAME, text.encode())


def read_metadata(folder: Path) -> dict[str, Any] | None:
    """What metadata.json holds; None where there is none that can be read."""
    try:
        found = json.loads((folder / ST_METADATA_FILENAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_rows(folder: Path, rows: Sequence[dict[str, Any]]) -> None:
    """results.csv.zip holds these rows, with every column that any of them has."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="")
    writer.writeheader()
    writer.writerows(rows)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_INSIDE, text.getvalue())
    _replace(folder, ST_RESULTS_DATAFRAME_FILENAME, packed.getvalue())


def _replace(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f".{name}.{os.getpid()}"
    fresh.write_bytes(content)
    fresh.replace(folder / name)
