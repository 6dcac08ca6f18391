"""Which file system a path lies on: SQLite's locks and shared memory do not work across a network.

`/proc/self/mountinfo` is described in proc(5): fields are separated by single spaces, the mount point is the fifth,
the type is the first after a lone `-`, and blanks within a field are octal escapes.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

# Those that reach over a network, or (9p) into another operating system.
_NETWORK = """
9p acfs afpfs afs beegfs ceph cifs coda davfs davfs2 fhgfs glusterfs gpfs lustre mmfs ncpfs nfs nfs3 nfs4 ocfs2 orangefs
panfs pvfs2 smb2 smb3 smbfs webdav wekafs
fuse.beegfs fuse.ceph fuse.ceph-fuse fuse.cephfs fuse.davfs fuse.gcsfuse fuse.glusterfs fuse.goofys fuse.juicefs
fuse.JuiceFS fuse.mount-s3 fuse.moosefs fuse.rclone fuse.s3fs fuse.seaweedfs fuse.smbnetfs fuse.sshfs
"""
NETWORK = frozenset(_NETWORK.split())
_ESCAPE = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """One mounted file system."""

    point: str
    type: str


def parse_mountinfo(text: str) -> list[Mount]:
    """The mounts of a `/proc/PID/mountinfo`, in the order mounted; lines of another shape are left out."""
    mounts = []
    for line in text.splitlines():
        fields = line.split(" ")
        dash = fields.index("-") if "-" in fields else len(fields)
        if 4 < dash < len(fields) - 1:
            mounts.append(Mount(_ESCAPE.sub(lambda match: chr(int(match[1], 8)), fields[4]), fields[dash + 1]))
    return mounts


def type_at(path: PurePath, mounts: Iterable[Mount]) -> str:
    """The type of the file system that holds the absolute `path`; "" when no mount does.

    The longest mount point that is a whole-component prefix wins; of equal ones the last, which covers the others.
    """
    holder = Mount("", "")
    for mount in mounts:
        if len(mount.point) >= len(holder.point) and path.is_relative_to(mount.point):
            holder = mount
    return holder.type


def network_type(path: Path) -> str:
    """The name of the network file system that holds `path`; "" when it is local or cannot be told.

    `path` need not exist: links are followed as far as it does.
    """
    found = type_at(path.resolve(), _mounts())
    return found if found in NETWORK else ""


def _mounts() -> list[Mount]:
    """The mounts this process sees; none when it may not look (a process that gave up its user may not)."""
    try:
        return parse_mountinfo(Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape"))
    except PermissionError:
        return []
    except FileNotFoundError:
        import psutil

        return [Mount(partition.mountpoint, partition.fstype) for partition in psutil.disk_partitions(all=True)]
