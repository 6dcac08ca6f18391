"""Files that an execution reads and writes."""

from __future__ import annotations

import fnmatch
import os
from typing import IO, TYPE_CHECKING, Any

from .state import current

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Input:
    """An input of the execution: local files. Nothing is downloaded or unpacked."""

    def __init__(self, name: str, default: Any = None) -> None:
        self.name, self.default = str(name), default

    def dir_path(self) -> str:
        """The folder where the input's files are put."""
        return os.path.join(os.environ.get("VH_INPUTS_DIR", f".valohai/inputs/{current().step}"), self.name)  # noqa: PTH118

    def paths(
        self,
        path_filter: str | None = None,
        default: Iterable[str] | None = None,
        process_archives: bool = True,
        force_download: bool = False,
    ) -> Iterator[str]:
        """The paths of its files, those that fit the pattern; the default where there are none.

        Raises `FileNotFoundError` for an address, which nobody has downloaded.
        """
        del process_archives, force_download
        found = [path for path in self._files() if path_filter is None or fnmatch.fnmatch(path, f"*{path_filter}")]
        yield from found or default or ()

    def path(
        self,
        path_filter: str | None = None,
        default: str | None = None,
        process_archives: bool = True,
        force_download: bool = False,
    ) -> str | None:
        """The path of its first file; the default where there is none."""
        del process_archives, force_download
        return next(self.paths(path_filter), default)

    def streams(
        self, path_filter: str | None = None, process_archives: bool = True, force_download: bool = False
    ) -> Iterator[IO[bytes]]:
        """Its files, open for reading."""
        del process_archives, force_download
        for path in self.paths(path_filter):
            yield open(path, "rb")  # noqa: SIM115, PTH123 - whoever takes it closes it

    def stream(
        self, path_filter: str | None = None, process_archives: bool = True, force_download: bool = False
    ) -> IO[bytes] | None:
        """Its first file, open for reading."""
        del process_archives, force_download
        return next(self.streams(path_filter), None)

    def _files(self) -> list[str]:
        folder = self.dir_path()
        here = [os.path.join(base, name) for base, _, names in os.walk(folder) for name in names]  # noqa: PTH118
        return sorted(here) or [
            _local(each, self.name) for each in _listed(current().inputs.get(self.name, self.default))
        ]


def _listed(given: Any) -> list[str]:
    if given is None:
        return []
    if isinstance(given, dict):  # as inputs.json has it
        return [each["path"] if _is_there(each["path"]) else each.get("uri") or each["path"] for each in given["files"]]
    return [given] if isinstance(given, str) else list(given)


def _is_there(path: str) -> bool:
    return os.path.exists(path)  # noqa: PTH110


def _local(path: str, name: str) -> str:
    if "://" in path and not path.startswith("file://"):
        raise FileNotFoundError(
            f"input {name}: {path} is not downloaded by Rung; download it and give --{name} PATH after the file, "
            "or put it into $VH_INPUTS_DIR"
        )
    return path.removeprefix("file://") if path.startswith("file://") else path


class Output:
    """Where the execution writes."""

    def __init__(self, name: str = "") -> None:
        self.name = str(name)

    @property
    def dir_path(self) -> str:
        """The folder of all outputs."""
        return os.environ.get("VH_OUTPUTS_DIR", ".valohai/outputs")

    def path(self, filename: str, makedirs: bool = True) -> str:
        """The path of an output file, whose folder exists now. Raises `ValueError` for an output outside the folder."""
        folder = os.path.join(self.dir_path, self.name)  # noqa: PTH118
        if os.path.isabs(self.name) and not self.name.startswith(self.dir_path):  # noqa: PTH117
            raise ValueError(f"expected a name below {self.dir_path}, got {self.name}")
        found = os.path.join(folder, filename)  # noqa: PTH118
        if makedirs:
            os.makedirs(os.path.dirname(found), exist_ok=True)  # noqa: PTH103, PTH120
        return found

    def live_upload(self, filename: str) -> None:
        """Nothing: outputs are where they are written."""

    def compress(self, *_: Any, **__: Any) -> str:
        """Raises: not in the stand-in."""
        raise NotImplementedError(
            "valohai.outputs().compress is not in the stand-in that Rung provides: use shutil.make_archive, or install "
            "it with: pip install valohai-utils"
        )


inputs = Input
outputs = Output
Outputs = Output
