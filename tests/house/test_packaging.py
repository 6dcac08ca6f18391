"""The page is in what people install: built with the package, carried by the source archive, left out on demand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

STATIC = "rung/server/static/"
BUILD = "import shutil\n\ndef build():\n    shutil.copytree({page!r}, {static!r})\n"
CARRIED = ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def checkout(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as a fresh clone has it, but that building the page, which `make test` has just done, takes it from
    where that put it."""
    page = root / "src" / STATIC
    if not (page / "index.html").is_file():
        pytest.skip("the page is not built; `make web` builds it")
    folder = tmp_path_factory.mktemp("checkout")
    for name in CARRIED:
        shutil.copy(root / name, folder / name)
    shutil.copy(root / ".gitignore", folder / ".gitignore")
    left_out = shutil.ignore_patterns("__pycache__", "static", "node_modules", "schema.ts")
    shutil.copytree(root / "src", folder / "src", ignore=left_out)
    shutil.copytree(root / "web", folder / "web", ignore=left_out)
    (folder / "web" / "node_modules").mkdir()
    (folder / "web" / "node_modules" / "left.js").write_text("// not to be carried")
    (folder / "web" / "build.py").write_text(BUILD.format(page=str(page), static=str(folder / "src" / STATIC)))
    return folder


def built(folder: Path, kind: str, target: Path, **variables: str) -> Path:
    """The archive that a build backend makes of the folder."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)], cwd=folder,
        env=os.environ | variables, capture_output=True, text=True, timeout=55,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return next(target.iterdir())


def assert_whole(names: set[str], index: str) -> None:
    """Everything that the page's first file names is there."""
    wanted = re.findall(r'(?:src|href)="/([^"]+)"', index)
    assert any(name.endswith(".js") for name in wanted)
    assert not [name for name in wanted if STATIC + name not in names]


def test_a_source_archive_carries_the_page_and_installs_without_building_it(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = built(checkout, "sdist", tmp_path / "sdist")
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path / "unpacked", filter="data")
    unpacked = next((tmp_path / "unpacked").iterdir())
    assert not (unpacked / "web" / "node_modules").exists()
    (unpacked / "web" / "build.py").write_text("raise SystemExit('it was to be built again')")
    with zipfile.ZipFile(built(unpacked, "wheel", tmp_path / "wheel")) as wheel:
        assert_whole(set(wheel.namelist()), wheel.read(STATIC + "index.html").decode())


def test_the_page_can_be_left_out(checkout: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(built(checkout, "wheel", tmp_path / "wheel", RUNG_SKIP_WEB="1")) as wheel:
        assert "rung/server/app.py" in wheel.namelist()
        assert not [name for name in wheel.namelist() if name.startswith(STATIC)]
