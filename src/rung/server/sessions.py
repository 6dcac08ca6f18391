"""Who may do what: two tokens a runs directory, and the sessions that a token is exchanged for.

The tokens lie in `RUNS/.ui`, a folder that only its owner may enter. `control` may do everything, `read` may look. A
browser hands in its token once and gets a cookie: `v1.ROLE.EXPIRES.ID.MAC`, signed with a key made from the control
token. So a session outlives the server, whoever knows the reading token cannot make one that controls, and new tokens
end all sessions.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import hmac
import os
import re
import secrets
import shutil
import stat
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from rung.model import BadInput

Role = Literal["control", "read"]
ROLES: tuple[Role, ...] = ("control", "read")
FOLDER = ".ui"
SESSION_S = 30 * 24 * 3600.0
RENEW_S = 24 * 3600.0  # a session that is older than this is renewed while its page is open
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_LONGEST = 64  # bytes read of a token's file
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """The two tokens, 256 bits each, and the folder that holds them (None: they end with this process)."""

    control: str
    read: str
    folder: Path | None = None

    def __repr__(self) -> str:
        return f"Tokens(folder={self.folder})"


# ------------------------------------------------------------------------------------------------- where they are kept


def tokens_of(runs: Path) -> Tokens:
    """The tokens of a runs directory, made if there are none.

    Where none can be kept (a folder that is not writable or somebody else's, a file system that is full or knows no
    permissions), they are new ones that end with this process. Raises `BadInput` when others could have read or put
    what is there.
    """
    folder = runs / FOLDER
    try:
        runs.mkdir(parents=True, exist_ok=True)
        if _made(folder) and stat.S_IMODE(folder.lstat().st_mode) & 0o077:  # FAT, some network shares
            shutil.rmtree(folder)
            return fresh_tokens()
        with _entered(folder) as place:
            _keep_out_of_git(place)
            return Tokens(**{role: _kept(place, folder, role) for role in ROLES}, folder=folder)
    except OSError as error:
        if _is_ours(folder) and error.errno not in _NO_ROOM:
            raise _refused(folder, error.strerror or str(error)) from None
        return fresh_tokens()


def forget_tokens(runs: Path) -> None:
    """The tokens of a runs directory are gone: links and sessions that were made with them lead nowhere once the
    servers that use them are restarted. Raises `BadInput`."""
    folder = runs / FOLDER
    try:
        if folder.is_symlink():
            raise _refused(folder, "is a symbolic link")
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _refused(folder, error.strerror or str(error)) from None


def fresh_tokens() -> Tokens:
    """Tokens that end with this process."""
    return Tokens(control=secrets.token_urlsafe(32), read=secrets.token_urlsafe(32))


def _is_ours(folder: Path) -> bool:
    try:
        return folder.lstat().st_uid == os.geteuid()
    except OSError:
        return False


def _made(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return False
    return True


def _keep_out_of_git(place: int) -> None:
    """`git add runs` takes no secrets along. Where there is no room for that now, the next start sees to it."""
    text = b"*\n"
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with contextlib.suppress(OSError):
        descriptor = os.open(".gitignore", flags, 0o644, dir_fd=place)
        with os.fdopen(descriptor, "wb") as file:
            if os.fstat(descriptor).st_size < len(text):
                file.write(text)


@contextlib.contextmanager
def _entered(folder: Path) -> Iterator[int]:
    """A descriptor of the folder, which is private: what is opened under it is in it, whatever becomes of its name."""
    try:
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except NotADirectoryError:  # so says O_NOFOLLOW of a link, too
        raise _refused(folder, "is no folder, or a symbolic link") from None
    try:
        found = os.fstat(place)
        if found.st_uid != os.geteuid():
            raise PermissionError(f"{folder} belongs to somebody else")
        _check(found, folder, "0700")
        yield place
    finally:
        os.close(place)


def _kept(place: int, folder: Path, role: Role) -> str:
    """The token in the file `role`, which is made if there is none."""
    path = folder / role
    for _ in range(2):
        try:
            descriptor = os.open(role, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=place)
        except FileNotFoundError:
            _put(place, role, secrets.token_urlsafe(32))
            continue
        except OSError:
            if path.is_symlink():
                raise _refused(path, "is a symbolic link") from None
            raise
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise _refused(path, "is no file")
            _check(found, path, "0600")
            text = file.read(_LONGEST).decode("ascii", "replace").strip()
        if not _TOKEN.fullmatch(text):
            raise _refused(path, "holds no token")
        return text
    raise _refused(path, "comes and goes")


def _put(place: int, role: Role, token: str) -> None:
    """The file is there, whole, and nobody's but ours; another server that was quicker wins. Raises `OSError`, having
    left nothing, where there is no room."""
    name = f".{role}-{secrets.token_hex(8)}"
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=place)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token + "\n")
        try:
            os.link(name, role, src_dir_fd=place, dst_dir_fd=place, follow_symlinks=False)
        except FileExistsError:
            pass  # that of the quicker one is the token
        except OSError:  # a file system without hard links
            os.rename(name, role, src_dir_fd=place, dst_dir_fd=place)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=place)


def _check(found: os.stat_result, path: Path, wanted: str) -> None:
    if found.st_uid != os.geteuid():
        raise _refused(path, "belongs to somebody else")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise _refused(path, f"is open to others (mode {stat.S_IMODE(found.st_mode):04o}, not {wanted})")


def _refused(path: Path, why: str) -> BadInput:
    return BadInput(
        f"{why}, so the tokens in it are no secret; look who did that, then `rung ui --new-tokens`, or remove it",
        place=str(path),
    )


# ---------------------------------------------------------------------------------------------------------- sessions


class Access:
    """What tokens and sessions are good for. With `read_only`, nothing is good for more than looking."""

    def __init__(self, tokens: Tokens, *, read_only: bool = False, clock: Callable[[], float] = time.time) -> None:
        self.tokens, self.read_only, self.attempts, self._clock = tokens, read_only, Attempts(), clock
        self._key = hmac.digest(tokens.control.encode(), b"rung session key v1", hashlib.sha256)

    def of_token(self, token: str) -> Role | None:
        """What a token allows; None for one that is not ours. Takes as long for a good one as for a bad one."""
        given = token.encode("utf-8", "surrogatepass")
        control = hmac.compare_digest(given, self.tokens.control.encode())
        reading = hmac.compare_digest(given, self.tokens.read.encode())
        if control:
            return "read" if self.read_only else "control"
        return "read" if reading else None

    def session(self, role: Role) -> str:
        """A new session's cookie value."""
        text = f"v1.{role}.{int(self._clock() + SESSION_S)}.{secrets.token_urlsafe(12)}"
        return f"{text}.{self._mac(text)}"

    def of_session(self, value: str) -> tuple[Role, float] | None:
        """What a session allows, and for how many more seconds; None for one that is over or not ours."""
        text, _, mac = value.rpartition(".")
        if not hmac.compare_digest(mac.encode("utf-8", "surrogatepass"), self._mac(text).encode()):
            return None
        _, role, expires, _ = text.split(".")
        left = int(expires) - self._clock()
        if left <= 0:
            return None
        return ("control" if role == "control" and not self.read_only else "read"), left

    def _mac(self, text: str) -> str:
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()


class Attempts:
    """How many wrong tokens each address may still show: `burst` at once, then one every `every_s` seconds."""

    MOST = 1024  # addresses kept in mind; the one that was longest silent is forgotten first

    def __init__(self, *, burst: int = 10, every_s: float = 2.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst, self._every_s, self._clock = burst, every_s, clock
        self._used: OrderedDict[str, tuple[float, float]] = OrderedDict()  # address -> (wrong ones, when that was)

    def wait_s(self, address: str) -> float:
        """Seconds until a token from this address is looked at again; 0 when at once."""
        return max(0.0, (self._level(address) - self._burst + 1) * self._every_s)

    def wrong(self, address: str) -> None:
        """This address has shown a wrong token."""
        self._used[address] = (self._level(address) + 1, self._clock())
        self._used.move_to_end(address)
        if len(self._used) > self.MOST:
            self._used.popitem(last=False)

    def _level(self, address: str) -> float:
        used, when = self._used.get(address, (0.0, 0.0))
        return max(0.0, used - (self._clock() - when) / self._every_s)
