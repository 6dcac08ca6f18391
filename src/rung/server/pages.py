"""The page's files, all read when the server starts: no address leads to the file system."""

from __future__ import annotations

import gzip
import html
import re
import secrets
from functools import cache
from pathlib import Path

import msgspec

STATIC = Path(__file__).parent / "static"
NONCE = "__NONCE__"  # stands in index.html where each answer has its own
_FIRST_WORDS = frozenset({"", "new", "studies", "compare"})  # which addresses are the page's: /, /new, /studies/...
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_PACKED = frozenset({".woff2", ".png", ".ico"})  # these are compressed as they are
_GZIP = re.compile(r"(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[^,]*)?(?:,|$)")
_SMALLEST = 1024  # bytes; less is not worth compressing

ABSENT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Rung</title></head><body>
<h1>The page is not in this installation</h1>
<p>The REST API is here, and so is the command line. To get the page, install Rung from a wheel:</p>
<pre>pip install --force-reinstall 'rung[ui]'</pre>
<p>or, in a checkout of its source, build it and start <code>rung ui</code> again:</p>
<pre>make web</pre>
</body></html>
"""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What an address of the page is answered with. `nonce`: under which its styles may be added, "" for none."""

    body: bytes
    kind: str
    cached: str
    status: int = 200
    encoding: str = ""
    nonce: str = ""

    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers of the answer, but those that every answer has."""
        found = {
            "content-type": self.kind,
            "content-length": str(len(self.body)),
            "cache-control": self.cached,
            "vary": "accept-encoding",
        }
        if self.encoding:
            found["content-encoding"] = self.encoding
        return [(name.encode(), value.encode()) for name, value in found.items()]


class _File(msgspec.Struct, frozen=True):
    plain: bytes
    packed: bytes | None
    kind: str
    cached: str


class Pages:
    """The files of a built page, by address."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._files, self._index = _read(folder)
        self.built = self._index is not None

    def answer(self, path: str, *, accepts: str = "", reader: bool = False) -> Answer | None:
        """What a GET of `path` is answered with, for a client that takes the encodings `accepts`; None for an address
        that is none of the page's, which a `reader` (a browser that looks for a page) is told by the page itself."""
        file = self._files.get(path)
        if file is not None:
            if file.packed is not None and _GZIP.search(accepts.lower()):
                return Answer(body=file.packed, kind=file.kind, cached=file.cached, encoding="gzip")
            return Answer(body=file.plain, kind=file.kind, cached=file.cached)
        known = path.split("/")[1] in _FIRST_WORDS
        if not known and (self._index is None or not reader):
            return None
        nonce = secrets.token_urlsafe(16)
        text, status = (ABSENT, 503) if self._index is None else (self._index.replace(NONCE, html.escape(nonce)), 200)
        status = status if known else 404  # the page says so itself, with a way back
        kind = "text/html; charset=utf-8"
        return Answer(body=text.encode(), kind=kind, cached="no-store", status=status, nonce=nonce)


@cache
def _read(folder: Path) -> tuple[dict[str, _File], str | None]:
    """The files below `folder` that a page can need, by address; and its index."""
    index = folder / "index.html"
    if not index.is_file():
        return {}, None
    files = {}
    for path in sorted(folder.rglob("*")):
        kind = _TYPES.get(path.suffix)
        if kind is None or path.is_symlink() or not path.is_file():
            continue
        plain = path.read_bytes()
        small = path.suffix in _PACKED or len(plain) < _SMALLEST
        name = path.relative_to(folder).as_posix()
        # Vite puts a hash of the content into the names of what lies in assets/.
        cached = "public, max-age=31536000, immutable" if name.startswith("assets/") else "no-cache"
        files[f"/{name}"] = _File(plain, None if small else gzip.compress(plain, 6, mtime=0), kind, cached)
    return files, index.read_text("utf-8")
