"""What strace does to a process at the N-th system call of a kind: kill it, delay or refuse the call.

So every step of the daemon can be its last, without anything in the product that is for tests only.
strace counts the calls of each thread by themselves: it strikes in the thread that comes to N first.
A fault is what strace's -e inject= takes.
"""
import functools
import os
import re
import shutil
import signal
import subprocess
import tempfile

import proc
from scenario import Skip, check

# Everything by which the daemon changes or learns something, or waits.
CALLS = ("openat openat2 rename statx newfstatat fcntl read pread64 write pwrite64 fdatasync ftruncate unlink "
         "mkdir rmdir inotify_add_watch getdents64 eventfd2 clone3 clone futex epoll_wait poll mmap bind "
         "close waitid timerfd_settime getrandom").split()


@functools.cache
def need_strace():
    if not shutil.which("strace"):
        raise Skip("strace is not installed")
    done = subprocess.run(["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=none", "true"],
                          check=False, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode or done.stderr:
        raise Skip(f"strace may not trace here: {done.stderr!r}")


def strace(*faults, output="/dev/null", only=(), follow=True):
    """Words of strace. only: but for calls that have to do with these paths. follow: also in threads and
    children that are made later."""
    calls = ",".join(sorted({fault.partition(":")[0] for fault in faults}))
    words = ["strace", "-qq", "-o", output, "-e", f"trace={calls}"]
    for fault in faults:
        words += ["-e", f"inject={fault}"]
    for path in only:
        words += ["-P", path]
    return words + (["-f"] if follow else [])


def before(*faults, **options):
    """Words before a command, which keeps its process id: faults from its first instruction on."""
    need_strace()
    return [*strace(*faults, **options), "-D"]


def inject(call, when, what="signal=SIGKILL"):
    """The same: what happens at the calls of that kind that when names (3, 3+, 3..5)."""
    return before(f"{call}:{what}:when={when}")


class Attached:
    """strace at work on a daemon that runs, for the length of a "with"; or until both end. follow: also on
    threads and children that it makes from then on."""

    def __init__(self, carved, *faults, follow=True, **options):
        self.carved = carved
        self.output = os.path.join(carved.home, "strace")
        self.words = strace(*faults, output=self.output, follow=follow, **options)
        pid = carved.process.pid
        own = [str(pid)] if follow else map(os.path.basename, proc.threads(pid))
        self.words += [word for thread in own for word in ("-p", thread)]
        self.tracer = None

    def __enter__(self):
        need_strace()
        self.tracer = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.carved.until(self.at_work, "strace is attached to all threads")
        return self

    def at_work(self):
        if self.tracer.poll() is not None:
            raise Skip(f"strace cannot attach: {self.tracer.stderr.read()!r}")
        return proc.is_traced(self.carved.process.pid)

    def until_it_stops_itself(self):
        """By signal=SIGSTOP. Its threads are not all on their way from an earlier stop as soon as that was ended."""
        def stopped():
            with open(self.output, "rb") as file:
                return b"--- SIGSTOP {si_signo=SIGSTOP, si_code=SI_KERNEL}" in file.read() and \
                    proc.is_stopped(self.carved.process.pid)
        self.carved.until(stopped, "it stops itself")

    def __exit__(self, kind, value, trace):
        self.tracer.send_signal(signal.SIGINT)
        self.end()
        if kind is None:
            check(injected(self.output) > 0, "nothing was injected")

    def end(self):
        """It ends, at the latest with what it traces."""
        self.tracer.communicate()


def injected(output):
    """How often strace has meddled with a call, by what it wrote; or has stopped who did it."""
    try:
        with open(output, "rb") as file:
            return len(re.findall(rb"\((?:INJECTED|DELAYED)|--- SIGSTOP ", file.read()))
    except FileNotFoundError:
        return 0


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
