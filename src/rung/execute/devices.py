"""GPUs and CPU slots, shared between all runners of this user on this host: together never more than there is.

A job's share is held by the job's own processes (`shares.py`), for exactly as long as one of them lives, whatever
becomes of the runner. While a runner chooses it holds the folder's `choosing` lock, so two never choose at once.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from rung.execute import shares
from rung.execute.shares import WHOLE, Locks
from rung.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CHOOSING_TRIES = 50
_CHOOSING_PAUSE_S = 0.001
_SMI_TIMEOUT_S = 10
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class Gpu(msgspec.Struct, frozen=True):
    """One GPU: how `CUDA_VISIBLE_DEVICES` names it, what names it for every runner of the host, MiB already used."""

    name: str
    identity: str
    used: int = 0


class Taken:
    """Devices taken for one job, held until `close` here and by every process that inherits `fds`."""

    def __init__(self) -> None:
        self.fds: list[int] = []
        self.names: tuple[str, ...] = ()
        self.variables: dict[str, str] = {}
        """What the job's environment must say."""
        self.limits: dict[str, str] = {}
        """What it says unless the user set it."""

    def close(self) -> None:
        """This process holds the devices no longer."""
        for fd in self.fds:
            os.close(fd)
        self.fds.clear()


class Devices:
    """The devices of this host that this process may hand out."""

    def __init__(
        self, *, gpus: Sequence[Gpu] | None = None, cpus: int | None = None, folder: Path | None = None
    ) -> None:
        self._gpus = gpus
        self._cpus = cpus or os.cpu_count() or 1
        self._folder = folder

    @property
    def gpus(self) -> Sequence[Gpu]:
        """The GPUs there are; the system is asked once."""
        if self._gpus is None:
            self._gpus = find_gpus(os.environ, installed_gpus())
        return self._gpus

    def require(self, *, gpus: float, cpus: float) -> None:
        """This host could ever give as much to one job. Raises `BadInput` when not."""
        share = _hundredths("gpus", gpus)
        if share > WHOLE and share % WHOLE:
            raise BadInput(f"{gpus:g} GPUs: ask for a share of one (0.5) or for whole ones (2)", key="gpus")
        if share and share > WHOLE * len(self.gpus):
            there = "no GPU that it may use (CUDA_VISIBLE_DEVICES, nvidia-smi)" if not self.gpus else len(self.gpus)
            raise BadInput(f"a trial wants {gpus:g}, this machine has {there}", key="gpus")
        if _hundredths("cpus", cpus) > WHOLE * self._cpus:
            raise BadInput(f"a trial wants {cpus:g}, this machine has {self._cpus}", key="cpus")

    def take(self, *, gpus: float, cpus: float) -> Taken | str:
        """The devices, or one line that says why not now. Raises `BadInput` when it can never be."""
        taken = Taken()
        if not gpus and not cpus:
            return taken
        self.require(gpus=gpus, cpus=cpus)
        folder = self._lock_folder()
        choosing = _choose(folder)
        if choosing is None:
            return "another runner is choosing devices"
        try:
            why = self._take_gpus(taken, folder, gpus) or self._take_cpus(taken, folder, cpus)
        finally:
            os.close(choosing)
        if why:
            taken.close()
            return why
        return taken

    def _take_gpus(self, taken: Taken, folder: Path, gpus: float) -> str:
        share = _hundredths("gpus", gpus)
        if not share:
            return ""
        chosen = self._choose_gpus(folder, share)
        for gpu in chosen:
            fds = _locks(folder, gpu).take(min(share, WHOLE))
            if fds is None:
                return f"GPU {gpu.name} was taken meanwhile"
            taken.fds += fds
        if not chosen:
            return f"waiting for {gpus:g} of {len(self.gpus)} GPUs to be free"
        taken.names = tuple(gpu.name for gpu in chosen)
        taken.variables["CUDA_VISIBLE_DEVICES"] = ",".join(taken.names)
        if all(name.isdecimal() for name in taken.names) and "CUDA_DEVICE_ORDER" not in os.environ:
            taken.limits["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # the order in which nvidia-smi counts
        return ""

    def _choose_gpus(self, folder: Path, share: int) -> list[Gpu]:
        """Free devices first, the least used of them; a part of one goes to the fullest that has room."""
        free = {gpu: _locks(folder, gpu).free() for gpu in self.gpus}
        count = max(1, share // WHOLE)
        fitting = [gpu for gpu in self.gpus if free[gpu] >= min(share, WHOLE)]
        fitting.sort(key=lambda gpu: (free[gpu] < WHOLE, free[gpu], gpu.used))
        return fitting[:count] if len(fitting) >= count else []

    def _take_cpus(self, taken: Taken, folder: Path, cpus: float) -> str:
        share = _hundredths("cpus", cpus)
        if not share:
            return ""
        fds = Locks(folder / "cpu", WHOLE * self._cpus).take(share)
        if fds is None:
            return f"waiting for {cpus:g} of {self._cpus} CPUs to be free"
        taken.fds += fds
        taken.limits.update(dict.fromkeys(_THREADS, str(max(1, int(cpus)))))
        return ""

    def _lock_folder(self) -> Path:
        if self._folder is None:
            self._folder = own_folder(os.environ)
        return self._folder


def _locks(folder: Path, gpu: Gpu) -> shares.RangeLocks | shares.SlotLocks:
    identity = re.sub(r"[^\w.-]", "_", gpu.identity)
    return Locks(folder / f"gpu-{identity}", WHOLE)


def _choose(folder: Path) -> int | None:
    """The folder's `choosing` lock; None when another runner keeps it (it may be suspended)."""
    for _ in range(_CHOOSING_TRIES):
        fd = shares.lock_whole(folder / "choosing")
        if fd is not None:
            return fd
        time.sleep(_CHOOSING_PAUSE_S)
    return None


def _hundredths(what: str, amount: float) -> int:
    if not math.isfinite(amount) or amount < 0 or 0 < amount < 0.01:
        raise BadInput(f"expected 0, or 0.01 or more, got {amount}", key=what)
    return round(amount * WHOLE)


def find_gpus(environ: Mapping[str, str], installed: Sequence[Gpu]) -> list[Gpu]:
    """The GPUs that this process may hand out: those `CUDA_VISIBLE_DEVICES` names, else all installed ones."""
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return list(installed)
    found: list[Gpu] = []
    for word in (part.strip() for part in visible.split(",")):
        if word in ("", "-1"):
            break  # as CUDA does: nothing from the first invalid one on
        known = next((gpu for gpu in installed if gpu.name == word or gpu.identity.startswith(word)), None)
        found.append(Gpu(word, known.identity if known else word, known.used if known else 0))
    return found


def installed_gpus() -> list[Gpu]:
    """The GPUs that nvidia-smi lists; none where there is no nvidia-smi."""
    if shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", "--query-gpu=index,uuid,memory.used", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=_SMI_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return []  # installed without a driver or a device
    return [gpu for gpu in map(_parse_gpu, answer.stdout.splitlines()) if gpu]


def _parse_gpu(line: str) -> Gpu | None:
    words = [word.strip() for word in line.split(",")]
    if len(words) != 3 or not words[0].isdecimal():
        return None
    return Gpu(words[0], words[1], int(words[2]) if words[2].isdecimal() else 0)


def own_folder(environ: Mapping[str, str]) -> Path:
    """This user's folder of lock files, readable by nobody else. Raises `BadInput` when its name is taken."""
    user = os.getuid()
    runtime = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{user}"
    base = Path(runtime) if _is_own(Path(runtime)) else None
    folder = base / "rung" if base else Path(tempfile.gettempdir(), f"rung-{user}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise BadInput(f"the folder for device locks cannot be made: {error.strerror}", place=str(folder)) from None
    if not _is_own(folder):
        raise BadInput(
            "belongs to another user; remove it, or set XDG_RUNTIME_DIR to a folder of yours", place=str(folder)
        )
    return folder


def _is_own(folder: Path) -> bool:
    try:
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022
