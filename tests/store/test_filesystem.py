from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from rung.store.filesystem import NETWORK, Mount, network_type, parse_mountinfo, type_at

MOUNTINFO = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:21 / /proc rw,nosuid shared:5 master:2 - proc proc rw
40 22 0:40 / /home rw,relatime shared:9 - nfs4 server:/home rw,vers=4.2
41 40 0:41 / /home/me/my\\040disk rw - xfs /dev/sdb1 rw
42 22 0:42 /sub /mnt/share rw - cifs //server/share rw
43 22 0:43 / /mnt/ssh rw propagate_from:2 shared:7 - fuse.sshfs me@host: rw
44 22 0:44 / /mnt/twice rw - nfs a:/ rw
45 44 0:45 / /mnt/twice rw - tmpfs tmpfs rw
a line of another shape
46 22 0:46 / /broken rw -
"""


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/var/rung.db", "ext4"),
        ("/", "ext4"),
        ("/home/me/runs/rung.db", "nfs4"),
        ("/home", "nfs4"),
        ("/homework/rung.db", "ext4"),
        ("/home/me/my disk/rung.db", "xfs"),
        ("/mnt/share/x", "cifs"),
        ("/mnt/ssh/x", "fuse.sshfs"),
        ("/mnt/twice/x", "tmpfs"),
        ("/broken/x", "ext4"),
    ],
)
def test_the_longest_and_latest_mount_holds_a_path(path: str, found: str) -> None:
    assert type_at(PurePosixPath(path), parse_mountinfo(MOUNTINFO)) == found


def test_a_path_below_no_mount_has_no_type() -> None:
    assert type_at(PurePosixPath("/x"), [Mount("/y", "nfs")]) == ""
    assert parse_mountinfo("") == []


@pytest.mark.parametrize(
    "kind",
    ["nfs", "nfs4", "cifs", "smb3", "smbfs", "afpfs", "9p", "fuse.sshfs", "lustre", "beegfs", "gpfs", "ceph"],
)
def test_file_systems_over_a_network_are_known(kind: str) -> None:
    assert kind in NETWORK


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "apfs", "fuseblk", "virtiofs"])
def test_local_file_systems_are_not_refused(kind: str) -> None:
    assert kind not in NETWORK


def test_the_directory_of_the_tests_is_local(tmp_path: Path) -> None:
    assert network_type(tmp_path / "not" / "there") == ""


def test_a_link_is_followed_to_where_it_leads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "near").symlink_to(tmp_path / "far")
    mounts = [Mount("/", "ext4"), Mount(str(tmp_path / "far"), "nfs4")]
    monkeypatch.setattr("rung.store.filesystem._mounts", lambda: mounts)
    assert network_type(tmp_path / "near" / "rung.db") == "nfs4"
    assert network_type(tmp_path / "rung.db") == ""
