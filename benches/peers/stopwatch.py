"""Starts programs and measures them, itself as small as a Python can be.

What Linux calls a child's peak memory includes what its parent held when it was started: a program started from a script
that has a million rows in memory would seem to need them, too. So they are started from here. This process imports
nothing but `os`, `sys` and `time`; its own size (said by `/bin/true`) is the least that can be measured.

One request a line on standard input, fields separated by NUL: where standard error goes, the number of variables, the
variables, the program and its arguments. One answer a line: wall, CPU (s), peak (bytes), exit code (negative: a signal).
"""

import os
import sys
import time

PEAK_UNIT = 1 if sys.platform == "darwin" else 1024


def run(talk: str, env: "dict[str, str]", argv: "list[str]") -> "tuple[float, float, int, int]":
    create = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    redirect = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, talk, create, 0o600),
    ]
    start = time.monotonic()
    pid = os.posix_spawn(argv[0], argv, env, file_actions=redirect)
    _, status, usage = os.wait4(pid, 0)
    wall = time.monotonic() - start
    exit_code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * PEAK_UNIT, exit_code


def main() -> None:
    for line in sys.stdin:
        talk, count, *rest = line.rstrip("\n").split("\0")
        env = dict(pair.split("=", 1) for pair in rest[: int(count)])
        print(*run(talk, env, rest[int(count) :]), flush=True)


if __name__ == "__main__":
    main()
