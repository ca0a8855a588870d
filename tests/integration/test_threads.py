"""Failures that need several threads, in their own processes because a crash takes everything down."""

from __future__ import annotations

import subprocess
import sys

MANY_TYPES_AT_ONCE = """
import sys, threading, types
from asrnet.files import yaml as documents

SOURCE = '''
from __future__ import annotations
import msgspec
class A(msgspec.Struct):
    x: int = 0
    y: list[B] = []
class B(msgspec.Struct):
    z: dict[str, C] = {}
class C(msgspec.Struct):
    w: tuple[A, ...] = ()
'''

sys.setswitchinterval(1e-6)
for number in range(100):
    module = types.ModuleType(f"m{number}")
    sys.modules[module.__name__] = module
    exec(SOURCE, module.__dict__)
    for kind in (module.A, module.B, module.C):
        kind.__module__ = module.__name__
    gate = threading.Barrier(4)

    def use(kind):
        gate.wait()
        documents.parse("{}", kind, "x.yaml")

    threads = [threading.Thread(target=use, args=(kind,)) for kind in (module.A, module.B, module.C, module.A)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def test_threads_that_meet_new_types_at_once_do_not_crash_the_interpreter() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", MANY_TYPES_AT_ONCE], capture_output=True, text=True, timeout=120, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
