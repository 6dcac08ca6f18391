"""Where measurements happen: the interpreters, the side scripts, and a fresh folder for each measurement."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.measure import Finished, run_process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.peers import Peers

HERE = Path(__file__).resolve().parent
SIDES = HERE / "sides"


class Workshop:
    """`scratch` is on the disk that is measured; `peers` has the other tuners. All that is run here runs the checkout
    that this file is part of."""

    def __init__(self, scratch: Path, peers: Peers) -> None:
        self.scratch, self.peers = scratch, peers
        scratch.mkdir(parents=True, exist_ok=True)

    @property
    def python(self) -> Path:
        """The interpreter that has Rung."""
        return Path(sys.executable)

    @property
    def rung(self) -> Path:
        """The command `rung`."""
        return self.python.with_name("rung")

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """A fresh folder, gone afterwards."""
        path = Path(tempfile.mkdtemp(dir=self.scratch))
        try:
            yield path
        finally:
            shutil.rmtree(path)

    def kept(self, name: str) -> Path:
        """A folder that stays: for what takes long to make and is only read."""
        path = self.scratch / name
        path.mkdir(exist_ok=True)
        return path

    def discard(self, stem: str, *, but: Path) -> None:
        """Of the kept folders whose names begin with `stem`, only `but` is left."""
        for old in self.scratch.glob(f"{stem}*"):
            if old != but:
                shutil.rmtree(old)

    def side(self, script: str, *arguments: object, folder: Path, peer: str | None = None,
             env: Mapping[str, str] | None = None) -> Any:  # fmt: skip
        """What the side script said: the JSON on the last line of its stdout."""
        said = self.time_side(script, *arguments, folder=folder, peer=peer, env=env).stdout
        return json.loads(said.strip().splitlines()[-1])

    def time_side(self, script: str, *arguments: object, folder: Path, peer: str | None = None,
                  env: Mapping[str, str] | None = None) -> Finished:  # fmt: skip
        """The side script has ended; the whole process's time."""
        python = self.python if peer is None else self.peers.python(peer)
        return run_process([str(python), str(SIDES / script), *map(str, arguments)], cwd=folder, env=env)
