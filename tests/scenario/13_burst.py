"""Bursts beyond the kernel's queue, and a queue that grows behind a slow detector: nothing lost, nothing
twice, and memory that does not grow with it.

$CARVED_BURST: files that each of the two producers makes (20000); $CARVED_BURST_HASHED: the same with
hashing (5000); $CARVED_QUEUE: how long the queue gets (40000). $CARVED_PRODUCER: the program that
makes them (tests/bench/producer.c); without it the test makes them itself, more slowly.
"""
import os
import subprocess
import sys
import time

import scenario
from scenario import Carved, check, same

BURST = int(os.environ.get("CARVED_BURST", 20000))
HASHED = int(os.environ.get("CARVED_BURST_HASHED", 5000))
QUEUE = int(os.environ.get("CARVED_QUEUE", 40000))
PRODUCER = os.environ.get("CARVED_PRODUCER")
DIRECTORIES = 8
PATIENCE = 600.0
MEMORY_MOST = 48 * 1024   # KiB, at any time
QUEUED_MOST = 32 * 1024   # KiB, while the queue waits: DESIGN.md
GROWTH_MOST = 16 * 1024   # KiB, between a fifth of the queue and all of it: buffers that fill

IN_PYTHON = """
import os, random, string, sys
top, count, size, dirs, seed = sys.argv[1], *map(int, sys.argv[2:])
random.seed(seed)
for i in range(dirs):
    os.makedirs(f"{top}/d{i}", exist_ok=True)
for i in range(count):
    fuid = "".join(random.choices(string.ascii_letters + string.digits, k=17))
    fd = os.open(f"{top}/d{i % dirs}/HTTP-F{fuid}.burst.text.plain.txt", os.O_WRONLY | os.O_CREAT)
    os.write(fd, os.urandom(size))
    os.close(fd)
"""


def produce(carved, count, size, seed):
    """Starts a producer."""
    program = [PRODUCER] if PRODUCER else [sys.executable, "-c", IN_PYTHON]
    return subprocess.Popen([*program, carved.root, str(count), str(size), str(DIRECTORIES), str(seed)],
                            stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


def check_memory(kilobytes, most, words):
    check(scenario.sanitizer() or kilobytes <= most, f"{words}: {kilobytes} KiB, more than {most}")


def report(carved, files, seconds):
    gaps = carved.sql("SELECT cause, count(*), count(closed_ns), sum(found) FROM gap GROUP BY 1")
    told = ", ".join(f"{n} {cause.decode()} ({found} found)" for cause, n, _, found in gaps) or "none"
    print(f"        {files} files in {seconds:.1f} s, VmHWM {carved.memory('VmHWM')} KiB, gaps: {told}",
          flush=True)
    same([row for row in gaps if row[1] != row[2]], [], "causes with gaps that are still open")


def check_each_once(carved, files):
    same(carved.sql("SELECT state, verdict, count(*) FROM file GROUP BY 1, 2"),
         [(b"done", b"clean", files)], "the states")
    same(carved.sql("SELECT count(DISTINCT path) FROM file"), [(files,)], "paths")
    same(carved.sql("SELECT count(*), count(DISTINCT file_id) FROM scan"), [(files, files)],
         "outcomes")
    on_disk = sum(len(names) for _, _, names in os.walk(carved.root))
    same(on_disk, files, "files on disk")


def burst(count, config):
    with Carved(config + "detectors:\n  - { type: noop }\n") as carved:
        carved.start()
        began = time.monotonic()
        producers = [produce(carved, count, 20, seed) for seed in (1, 2)]
        same([producer.wait() for producer in producers], [0, 0], "producers")
        carved.wait_until("SELECT count(*), count(*) FILTER (WHERE state = 'queued') FROM file",
                          [(2 * count, 0)], PATIENCE)
        carved.wait_gaps_closed()
        report(carved, 2 * count, time.monotonic() - began)
        check_each_once(carved, 2 * count)
        check_memory(carved.memory("VmHWM"), MEMORY_MOST, "memory at most")
        carved.stop()
        check_each_once(carved, 2 * count)


def test_two_producers_without_hashing():
    burst(BURST, "hash: never\n")


def test_two_producers_with_hashing():
    burst(HASHED, "")


def accounted(carved):
    return carved.sql("SELECT count(*) FROM file")[0][0]


def grow(carved, count, seed):
    """Makes the queue longer and waits until the history has all of it; VmRSS then."""
    before = accounted(carved)
    same(produce(carved, count, 20, seed).wait(), 0, "producer")
    carved.until(lambda: accounted(carved) >= before + count, "all of it is in the history", PATIENCE)
    return carved.memory("VmRSS")


def test_a_queue_behind_a_slow_detector():
    config = ("workers: 1\nstop_grace: 0s\ndetectors:\n  - { type: command, name: slow, "
              "run: [/bin/sh, -c, 'exec sleep 600', sh, '{path}'], timeout: 900s }\n")
    with Carved(config) as carved:
        carved.start()
        carved.put()
        carved.wait_until("SELECT count(*) FROM file", [(1,)])
        first = grow(carved, QUEUE // 5, 1)
        last = grow(carved, QUEUE - QUEUE // 5, 2)
        print(f"        VmRSS {first} KiB behind {QUEUE // 5} queued files, {last} KiB behind {QUEUE}, "
              f"VmHWM {carved.memory('VmHWM')} KiB", flush=True)
        same(carved.sql("SELECT count(*), count(DISTINCT path) FROM pending"),
             [(QUEUE + 1, QUEUE + 1)], "pending")
        check_memory(last, QUEUED_MOST, "memory behind the whole queue")
        check_memory(last - first, GROWTH_MOST, "growth of memory with the queue")
        carved.stop()
        same(carved.sql("SELECT count(*), count(DISTINCT path) FROM pending"),
             [(QUEUE + 1, QUEUE + 1)], "pending after its end")
        carved.write_config("workers: 2\ndetectors:\n  - { type: noop }\n")
        carved.start()
        carved.wait_until("SELECT count(*) FROM pending", [(0,)], PATIENCE)
        check_each_once(carved, QUEUE + 1)


if __name__ == "__main__":
    scenario.main()
