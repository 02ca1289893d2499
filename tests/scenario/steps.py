"""What strace does to a process at the N-th system call of a kind: kill it, or refuse the call.

So every step of the daemon can be its last, without anything in the product that is for tests only.
strace counts the calls of each thread by themselves: it strikes in the thread that comes to N first.
"""
import os
import re
import shutil
import tempfile

import scenario
from scenario import Skip, check

# Everything by which the daemon changes or learns something, or waits.
CALLS = ("openat openat2 rename statx newfstatat fcntl read pread64 write pwrite64 fdatasync ftruncate unlink "
         "mkdir rmdir inotify_add_watch getdents64 eventfd2 clone3 clone futex epoll_wait poll mmap bind "
         "close waitid timerfd_settime getrandom").split()


def need_strace():
    if not shutil.which("strace"):
        raise Skip("strace is not installed")
    done = scenario.subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], check=False,
                                   capture_output=True)
    if done.returncode:
        raise Skip(f"strace may not trace here: {done.stderr!r}")


def inject(call, when, what="signal=SIGKILL"):
    """Words before a command: what happens at the calls of that kind that when names (3, 3+, 3..5)."""
    return ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
            "-e", f"inject={call}:{what}:when={when}"]


def environment():
    """The leak sanitizer cannot work under strace; all else of the sanitizers can."""
    return {"ASAN_OPTIONS": "detect_leaks=0"}


class Counter:
    """Words before a command that count its calls; counts() after its end."""

    def __init__(self):
        self.file = tempfile.NamedTemporaryFile(prefix="carved-scenario-", suffix=".strace")
        self.words = ["strace", "-D", "-f", "-qq", "-o", self.file.name, "-e", "signal=none",
                      "-e", "trace=" + ",".join(CALLS)]

    def counts(self):
        """call -> how often the busiest of its own threads did it. Its children are left out."""
        by_thread, own = {}, set()
        for line in self.file.read().decode(errors="replace").splitlines():
            thread, _, rest = line.partition(" ")
            own = own or {thread}
            call = re.match(r"\s*(\w+)\(", rest)
            if call:
                by_thread.setdefault(thread, {}).setdefault(call[1], 0)
                by_thread[thread][call[1]] += 1
            made = re.search(r"CLONE_THREAD.*= (\d+)$", rest)
            made = made or re.search(r"clone3 resumed> => \{parent_tid.*= (\d+)$", rest)
            if made:
                own.add(made[1])
        most = {}
        for thread in own:
            for call, count in by_thread.get(thread, {}).items():
                most[call] = max(most.get(call, 0), count)
        check(most, "strace has counted nothing")
        return most
