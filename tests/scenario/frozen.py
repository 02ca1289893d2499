"""One thread of a process that stands still, as if a disk had not answered it, while the others go on: ptrace(2)."""
import ctypes
import os

import proc
from scenario import Skip

SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request, thread):
    if libc.ptrace(request, thread, None, None) < 0:
        raise Skip(f"threads cannot be stopped here: ptrace: {os.strerror(ctypes.get_errno())}")


def thread_named(pid, name):
    """The number of the thread of that name; None: there is none yet."""
    return next((int(thread.rpartition("/")[2]) for thread, its in proc.thread_names(pid) if its == name), None)


class Frozen:
    """with Frozen(carved, "store"): it does nothing at all."""

    def __init__(self, carved, name):
        self.thread = carved.until(lambda: thread_named(carved.process.pid, name), f"a thread {name}")

    def __enter__(self):
        ptrace(SEIZE, self.thread)
        ptrace(INTERRUPT, self.thread)
        os.waitpid(self.thread, WALL)
        return self

    def __exit__(self, *_):
        ptrace(DETACH, self.thread)
