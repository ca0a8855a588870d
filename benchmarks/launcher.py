"""Starts a program and records its cost, in a process of its own: a child's peak memory begins at its parent's.

python -S launcher.py FILE PROGRAM [ARGUMENT]...
"""

import json
import os
import sys
import time


def main(file: str, words: list[str]) -> int:
    """Run the command ``words``, write its cost to ``file``, and return its exit code."""
    began = time.monotonic()
    process = os.posix_spawnp(words[0], words, os.environ)
    _, status, used = os.wait4(process, 0)
    cost = {"wall": time.monotonic() - began, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss}
    with open(file, "w", encoding="utf-8") as stream:  # noqa: PTH123 - pathlib would cost more than the rest
        json.dump(cost, stream)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
