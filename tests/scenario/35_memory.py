"""Memory: what it takes for many directories, many files and long names; and a daemon that has no more of it
says so, and goes on where it was at the next start.
"""
import importlib
import os
import re
import resource
import signal
import tempfile

import scenario
from scenario import Carved, Skip, check, same

limits = importlib.import_module("35_limits")

LONG = 255
NODE = 256             # bytes that a directory takes, without its name
FIXED = 16 * 1024      # KiB that are there anyway, beside what the start took
AT_MOST = 48 * 1024    # KiB, however many files there are: DESIGN.md


def memory(carved, word):
    """VmRSS, VmHWM or VmSize in KiB."""
    with open(f"/proc/{carved.process.pid}/status", encoding="ascii") as file:
        return int(re.search(rf"^{word}:\s+(\d+) kB", file.read(), re.MULTILINE).group(1))


def needs_true_memory():
    if scenario.sanitizer():
        raise Skip("a sanitizer's memory tells nothing")


def in_memory(settings):
    """A daemon whose directories are in memory, where there is room: a disk takes minutes for a million."""
    free = os.statvfs("/dev/shm") if os.path.isdir("/dev/shm") else None
    before = tempfile.tempdir
    if free and free.f_bavail * free.f_frsize > 4 << 30:
        tempfile.tempdir = "/dev/shm"
    try:
        return Carved(settings + scenario.NOOP)
    finally:
        tempfile.tempdir = before


def make_directories(carved, count, length):
    for i in range(count):
        if i % 1000 == 0:
            above = os.path.join(carved.root, str(i // 1000))
            os.mkdir(above)
        os.mkdir(f"{above}/{i:0{length}d}")


def test_directories_by_the_million():
    needs_true_memory()
    limits.needs_namespace()  # other programs of this user need watches too
    for count, length in scenario.scaled(((20000, 8),), ((1000000, 8), (100000, LONG))):
        with in_memory("rescan_interval: 1h\n") as carved:
            carved.watched = False  # there are fewer watches than directories
            limits.limited(carved, watches=count // 10)
            carved.start()
            small = memory(carved, "VmRSS")
            make_directories(carved, count, length)
            carved.put(f"0/{0:0{length}d}/" + scenario.broapt_name())
            carved.send(signal.SIGUSR2)
            carved.wait_settled(1)
            carved.until(lambda: not carved.status()["watching"]["walking"], "all are walked")
            watching = carved.status()["watching"]
            same(watching["directories"], count + 1 + (count + 999) // 1000, "directories")
            taken = memory(carved, "VmHWM") - small
            print(f"        {count} directories with names of {length} bytes: {taken * 1024 // count} bytes for each, "
                  f"{watching['watches']} watches", flush=True)
            check(taken <= FIXED + count * (NODE + length) // 1024, f"{taken} KiB for {count} directories")
            carved.stop()


def test_many_files_with_long_names_in_one_directory():
    needs_true_memory()
    count = scenario.scaled(5000, 200000)
    with in_memory("") as carved:
        for i in range(count):
            name = scenario.broapt_name()
            prefix, suffix = name[:40], name[40:]
            with open(carved.path_of(prefix + "-" * (LONG - len(name) - 8) + f"{i:08d}" + suffix), "wb") as file:
                file.write(i.to_bytes(8, "little"))
        carved.start()
        carved.wait_settled(count)
        print(f"        {count} files with names of {LONG} bytes: at most {memory(carved, 'VmHWM')} KiB", flush=True)
        check(memory(carved, "VmHWM") <= AT_MOST, f"{memory(carved, 'VmHWM')} KiB")
        carved.stop()


def test_no_memory_is_said_and_the_next_start_goes_on():
    needs_true_memory()
    with in_memory("rescan_interval: 300ms\n") as carved:
        carved.start()
        files = 200
        for _ in range(files // 2):
            carved.put()
        most = (memory(carved, "VmSize") + 1024) * 1024
        resource.prlimit(carved.process.pid, resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
        resource.prlimit(carved.process.pid, resource.RLIMIT_CORE, (0, 0))
        make_directories(carved, 10000, 240)
        for i in range(files // 2):
            carved.put(f"{i % 10}/" + scenario.broapt_name())
        same(carved.wait(), -signal.SIGABRT, "how it ended")
        for words in (b"<2>carved: out of memory", b"MemoryMax="):
            check(words in carved.stderr(), f"{words} is said")
        carved.start()
        carved.wait_settled(files)
        same(carved.sql("SELECT count(*), count(DISTINCT path) FROM file WHERE state = 'done'"), [(files, files)],
             "files that are done")
        carved.stop()


def test_a_start_without_enough_says_so():
    needs_true_memory()
    for megabytes in (20, 40):
        with Carved(scenario.NOOP) as carved:
            path = os.path.join(carved.home, "start")
            with open(path, "w", encoding="ascii") as file:
                file.write(f"#!/bin/sh\nulimit -v {megabytes * 1024}\nexec {carved.binary} \"$@\"\n")
            os.chmod(path, 0o755)
            carved.binary = path
            carved.start("--workers", "2", ready=False)
            if not carved.ended(5):
                carved.kill()  # enough for it
                continue
            code = carved.wait()
            check(code in (3, 127, -signal.SIGABRT), f"exit status {code} with {megabytes} MiB")
            check(any(word in carved.stderr() for word in (b"memory", b"map")), f"{carved.stderr()} with {megabytes} MiB")


if __name__ == "__main__":
    scenario.main()
