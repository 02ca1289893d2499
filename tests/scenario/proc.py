"""What /proc says of a process: its memory, its threads, and who traces or stopped them."""
import os
import re


def read(pid, name):
    with open(f"/proc/{pid}/{name}", encoding="utf-8", errors="replace") as file:
        return file.read()


def threads(pid):
    return [f"{pid}/task/{task}" for task in os.listdir(f"/proc/{pid}/task")]


def thread_names(pid):
    """(thread, name) of each; those that end meanwhile may be left out."""
    found = []
    for thread in threads(pid):
        try:
            found.append((thread, read(thread, "comm").strip()))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def memory(pid, word="VmRSS"):
    """VmRSS, VmHWM or VmSize in KiB."""
    return int(re.search(rf"^{word}:\s+(\d+) kB", read(pid, "status"), re.MULTILINE).group(1))


def switches_of(thread):
    """Context switches of one thread so far."""
    return sum(map(int, re.findall(r"ctxt_switches:\s+(\d+)", read(thread, "status"))))


def switches(pid):
    """Of all its threads."""
    return sum(map(switches_of, threads(pid)))


def fields(pid):
    """Those of "stat" behind the name; the state is the first."""
    return read(pid, "stat").rpartition(") ")[2].split()


def ticks(pid):
    """Of processor time, by its own threads so far."""
    return sum(map(int, fields(pid)[11:13]))


def is_stopped(pid):
    """All its threads are, by a signal or a tracer."""
    return {fields(thread)[0] for thread in threads(pid)} <= {"T", "t"}


def is_traced(pid):
    """All its threads are."""
    return all("TracerPid:\t0\n" not in read(thread, "status") for thread in threads(pid))


def children(pid):
    return {int(child) for thread in threads(pid) for child in read(thread, "children").split()}


def opened(pid):
    """Paths of what it has open."""
    paths = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            paths.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except FileNotFoundError:
            pass  # closed meanwhile
    return paths
