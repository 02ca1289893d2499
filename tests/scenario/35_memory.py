"""Memory: what it takes for many directories, many files and long names; and a daemon that has no more of it
says so, and goes on where it was at the next start.
"""
import importlib
import os
import resource
import signal

import scenario
from scenario import Carved, Skip, check, in_memory, same

limits = importlib.import_module("35_limits")

LONG = 255
NODE = 256             # bytes that a directory takes, without its name
FIXED = 16 * 1024      # KiB that are there anyway, beside what the start took
AT_MOST = 48 * 1024    # KiB, however many files there are: DESIGN.md


def needs_true_memory():
    if scenario.sanitizer():
        raise Skip("a sanitizer's memory tells nothing")


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
        with in_memory("rescan_interval: 1h\n" + scenario.NOOP, 4 << 30) as carved:
            carved.watched = False  # there are fewer watches than directories
            limits.limited(carved, watches=count // 10)
            carved.start()
            small = carved.memory("VmRSS")
            make_directories(carved, count, length)
            carved.put(f"0/{0:0{length}d}/" + scenario.broapt_name())
            carved.send(signal.SIGUSR2)
            carved.wait_settled(1)
            carved.until(lambda: not carved.status()["watching"]["walking"], "all are walked")
            watching = carved.status()["watching"]
            same(watching["directories"], count + 1 + (count + 999) // 1000, "directories")
            taken = carved.memory("VmHWM") - small
            print(f"        {count} directories with names of {length} bytes: {taken * 1024 // count} bytes for each, "
                  f"{watching['watches']} watches", flush=True)
            check(taken <= FIXED + count * (NODE + length) // 1024, f"{taken} KiB for {count} directories")
            carved.stop()


def test_many_files_with_long_names_in_one_directory():
    needs_true_memory()
    count = scenario.scaled(5000, 200000)
    with in_memory(scenario.NOOP, 4 << 30) as carved:
        for i in range(count):
            name = scenario.broapt_name()
            prefix, suffix = name[:40], name[40:]
            with open(carved.path_of(prefix + "-" * (LONG - len(name) - 8) + f"{i:08d}" + suffix), "wb") as file:
                file.write(i.to_bytes(8, "little"))
        carved.start()
        carved.wait_settled(count)
        print(f"        {count} files with names of {LONG} bytes: at most {carved.memory('VmHWM')} KiB", flush=True)
        check(carved.memory("VmHWM") <= AT_MOST, f"{carved.memory('VmHWM')} KiB")
        carved.stop()


def test_no_memory_is_said_and_the_next_start_goes_on():
    needs_true_memory()
    with in_memory("rescan_interval: 300ms\n" + scenario.NOOP, 4 << 30) as carved:
        carved.start()
        files = 200
        for _ in range(files // 2):
            carved.put()
        most = (carved.memory("VmSize") + 1024) * 1024
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
            limits.through(carved, f"ulimit -v {megabytes * 1024}; exec {carved.binary} \"$@\"")
            carved.start("--workers", "2", ready=False)
            if not carved.ended(5):
                carved.kill()  # enough for it
                continue
            code = carved.wait()
            check(code in (3, 127, -signal.SIGABRT), f"exit status {code} with {megabytes} MiB")
            check(any(word in carved.stderr() for word in (b"memory", b"map")), f"{carved.stderr()} with {megabytes} MiB")


if __name__ == "__main__":
    scenario.main()
