"""What every bench of this folder needs: the binary, an environment for Python packages, a place to work, tables.

Python 3.9 and nothing else; each bench adds its packages to a virtual environment outside the repository.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

REPOSITORY = Path(__file__).resolve().parent.parent


class Stop(Exception):
    """Why it cannot go on, for a reader."""


def environment(work: Path, requirements: Path) -> Path:
    """The Python of a virtual environment with the packages in their pinned versions; made where it is missing."""
    folder = work / "venv"
    python, stamp = folder / "bin" / "python", folder / "installed.txt"
    if stamp.exists() and stamp.read_bytes() == requirements.read_bytes() and python.exists():
        return python
    say(f"Virtual environment: {folder}")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], capture_output=True, text=True)
    if made.returncode:
        why = "no virtual environment could be made (are Python's venv and ensurepip installed?)"
        raise Stop(f"{why}:\n{tail(made.stdout + made.stderr)}")
    for package in requirements.read_text().split():
        say(f"  {package}")
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
        got = subprocess.run([*pip, package], capture_output=True, text=True)
        if got.returncode:
            version = ".".join(map(str, sys.version_info[:3]))
            why = f"{package} could not be had for Python {version} (no network? a Python too old or too new for it?)"
            raise Stop(f"{why}:\n{tail(got.stderr, 3)}")
    shutil.copyfile(requirements, stamp)
    return python


def find_binary(wanted: Optional[Path]) -> Path:
    """The binary asked for, or the checkout's own, built if it is missing."""
    if wanted:
        if not os.access(wanted, os.X_OK) or wanted.is_dir():
            raise Stop(f"{wanted} is not a program")
        return wanted.resolve()
    binary = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "release" / "rosterdiff"
    if not binary.exists():
        if not shutil.which("cargo"):
            raise Stop(f"{binary} is missing and there is no cargo to build it; name another one with --binary")
        say("Building rosterdiff (a few minutes)")
        if subprocess.run(["cargo", "build", "--release"], cwd=REPOSITORY).returncode:
            raise Stop("rosterdiff could not be built")
    return binary.resolve()


def work_folder(wanted: Optional[Path], prefix: str) -> Path:
    """Rather /var/tmp than /tmp, which may be memory; outputs are to be written to a disk."""
    if wanted:
        wanted.mkdir(parents=True, exist_ok=True)
        return wanted.resolve()
    var_tmp = Path("/var/tmp")
    parent = var_tmp if "TMPDIR" not in os.environ and os.access(var_tmp, os.W_OK) else None
    return Path(tempfile.mkdtemp(prefix=prefix, dir=parent))


def say(text: str) -> None:
    print(text, flush=True)


def tail(text: str, lines: int = 15, width: int = 200) -> str:
    """The end of what a program said; pip lists every version there ever was in one line."""
    return "\n".join(line if len(line) <= width else line[:width] + "…" for line in text.strip().splitlines()[-lines:])


def say_table(head: "Sequence[str]", rows: "Sequence[Sequence[str]]") -> None:
    for line in (head, ["---"] * len(head), *rows):
        say("| " + " | ".join(word.replace("|", "\\|") for word in line) + " |")


def machine() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{cores} cores, {memory / 2**30:.0f} GiB"
