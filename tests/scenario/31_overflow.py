"""More events than the kernel's queue holds, in every way in which that comes about: a daemon that is
stopped or slow, a buffer that is full, a history that is locked, a walk that is under way. One kind of
gap, recorded with what was found; nothing lost, nothing twice, memory flat, and asleep when idle.

The sizes are for a few seconds; $CARVED_FULL makes them those that the promises are about.
"""
import importlib
import itertools
import math
import os
import select
import shutil
import signal
import sqlite3
import time

import proc
import scenario
import steps
import trees
from scenario import NOOP, Carved, Skip, broapt_name, check, files_below, in_memory, letters, same, scaled

burst = importlib.import_module("13_burst")

QUEUE_PATH = "/proc/sys/fs/inotify/max_queued_events"
QUEUE_MOST = 100000  # events; a longer queue takes too long to fill
RING = 8 << 20       # bytes: the reader's buffer, watcher.h
LONG = 150           # bytes that make a name long enough to fill it soon
EVENT = 240          # bytes of an event with such a name, at least
EXIT_MOST = 30.0     # seconds; a bound on a hang, not what is aimed at
OVERFLOWS = "SELECT count(*), count(closed_ns), sum(found) FROM gap WHERE cause = 'overflow'"


def queue_length():
    with open(QUEUE_PATH, encoding="ascii") as file:
        length = int(file.read())
    if length > QUEUE_MOST:
        raise Skip(f"{QUEUE_PATH} is {length}: more than can be filled")
    return length


class Mounts:
    """Tells whether somebody mounted anything: each time the daemon walks everything."""

    def __init__(self):
        self.file = open("/proc/self/mountinfo", encoding="utf-8", errors="replace")
        self.poll = select.poll()
        self.poll.register(self.file, select.POLLPRI)

    def changed(self):
        """Since the last time that this was asked."""
        return bool(self.poll.poll(0))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.file.close()


def say(words):
    print(f"        {words}", flush=True)


def watching(carved, word):
    return carved.status()["watching"][word]


def flood(paths, events):
    """So many events (metadata) of these known files, of which no two in a row are the same."""
    check(len(paths) > 1, "one file alone has its events merged")
    for path, mode in zip(itertools.islice(itertools.cycle(paths), events),
                          itertools.cycle((0o600, 0o640, 0o644))):
        os.chmod(path, mode)


def produce(carved, count):
    """So many more files, in directories that are made the first time."""
    same(burst.produce(carved, count, 20, 1 + carved.made).wait(), 0, "producer")
    carved.made += count


class Stopped:
    """The daemon stopped: what happens meanwhile goes to the kernel's queue alone."""

    def __init__(self, carved):
        self.carved = carved

    def __enter__(self):
        self.carved.send(signal.SIGSTOP)

    def __exit__(self, kind, value, trace):
        self.carved.send(signal.SIGCONT)


def overflow(carved, known, meanwhile):
    """Fills the kernel's queue with events of known files, does meanwhile() and goes on: not one event
    of that is told."""
    before = watching(carved, "overflows")
    with Stopped(carved):
        flood(known, queue_length() + 1)
        result = meanwhile()
    carved.until(lambda: watching(carved, "overflows") > before, "the overflow is seen")
    return result


def wait_at_rest(carved):
    """Waits until all that is below the root has an answer, gaps are closed and nothing is under way."""
    def at_rest():
        now = carved.status()
        return (now["watching"]["gaps_open"] == 0 and not now["watching"]["walking"]
                and not any(now["queue"].values()) and not files_below(carved.root) - done_paths(carved))
    carved.until(at_rest, "every file has an answer and no job is left", burst.PATIENCE)
    carved.wait_gaps_closed()
    same(carved.sql("SELECT count(*) FROM pending"), [(0,)], "pending")


def done_paths(carved):
    return {path for (path,) in carved.sql("SELECT path FROM file WHERE state = 'done'")}


def check_rows(carved, gone=frozenset()):
    """Each file has one row, done, and one answer; other rows are of paths that are gone."""
    tree = files_below(carved.root)
    rows = carved.sql("SELECT path, state, reason FROM file")
    done = [path for path, state, _ in rows if state == b"done"]
    same(len(done), len(set(done)), "paths with an answer, and answers")
    same(tree - set(done), set(), "files without an answer")
    left = {path for path, state, reason in rows
            if path not in tree and (state, reason) != (b"unscanned", b"vanished")}
    same(left - gone, set(), "rows of files that never were there")
    same([row for row in rows if row[0] in tree and row[1] != b"done"], [], "files with another state")


def check_gap(carved, mounts, found):
    """One gap, closed. A walk because of somebody's mount may have found files before it was opened."""
    gaps, closed, counted = carved.sql(OVERFLOWS)[0]
    same((gaps, closed), (1, 1), "gaps, and those that are closed")
    check(counted == found or (mounts.changed() and counted < found), f"found {counted}, not {found}")


def used(carved):
    return f"VmRSS {carved.memory()} KiB, VmHWM {carved.memory('VmHWM')} KiB"


def test_two_producers_and_the_default_queue():
    count = scaled(3000, 100000)
    with Carved(NOOP) as carved:
        carved.start()
        queue_length()
        began = time.monotonic()
        producers = [burst.produce(carved, count, 20, seed) for seed in (1, 2)]
        same([producer.wait() for producer in producers], [0, 0], "producers")
        carved.made += 2 * count
        carved.wait_settled(2 * count, burst.PATIENCE)
        wait_at_rest(carved)
        seconds = time.monotonic() - began
        now = carved.status()["watching"]
        say(f"{2 * count} files in {seconds:.1f} s, {now['events'] / seconds:.0f} events/s, "
            f"{now['overflows']} overflows, {now['buffered_most']} bytes buffered at most, {used(carved)}")
        burst.check_each_once(carved, 2 * count)
        burst.check_memory(carved.memory("VmHWM"), burst.MEMORY_MOST, "memory at most")
        carved.stop()
        burst.check_each_once(carved, 2 * count)


def test_found_is_what_no_event_had_told():
    """The queue holds two events a file; what the walk finds is the rest, to the file."""
    told = queue_length() // 2
    lost = scaled(500, 20000)
    with Carved(NOOP) as carved, Mounts() as mounts:
        carved.start()
        produce(carved, 0)
        carved.check_watches()
        with Stopped(carved):
            produce(carved, told + lost)
        carved.wait_settled(told + lost)
        wait_at_rest(carved)
        check_gap(carved, mounts, lost)
        check_rows(carved)


def test_a_file_that_is_looked_at_again_is_found_once():
    """A walk finds a file that is held open; it is looked at again and again until it is closed."""
    user = 65534 if os.getuid() == 0 else None
    with Carved(NOOP, user=user) as carved:
        closed = os.path.join(carved.root, "closed")
        away = os.path.join(carved.home, "away")
        os.mkdir(closed)
        os.chmod(closed, 0)
        os.mkdir(away)
        path = os.path.join(away, broapt_name())
        with open(path, "wb") as writer:
            if user:
                os.fchown(writer.fileno(), user, user)
                os.chown(closed, user, user)
            carved.start()
            carved.wait_until("SELECT cause FROM gap WHERE closed_ns IS NULL", [(b"unreadable",)])
            os.rename(away, os.path.join(carved.root, "moved"))
            carved.made += 1
            carved.wait_until("SELECT count(*) FROM file WHERE wait = 'writer' OR wait = 'settle'", [(1,)])
            writer.write(b"x")
        carved.wait_settled(1)
        os.chmod(closed, 0o755)
        closed_gap = "SELECT found FROM gap WHERE cause = 'unreadable' AND closed_ns IS NOT NULL"
        same(carved.wait_until(closed_gap, lambda rows: rows), [(1,)], "found")


class Tree:
    """Directories and files below the root, and what becomes of them."""

    def __init__(self, carved):
        self.carved = carved

    def at(self, *parts):
        return os.path.join(self.carved.root, *parts)

    def plant(self, name):
        """A directory with one below it and a file in each."""
        os.makedirs(self.at(name, "s"), exist_ok=True)
        for place in (name, os.path.join(name, "s")):
            self.carved.put(os.path.join(place, broapt_name()))

    def move(self, old, new):
        os.rename(self.at(old), self.at(new))

    def swap(self, one, other):
        self.move(one, "swapping")
        self.move(other, one)
        self.move("swapping", other)

    def grow(self, count, name):
        """count directories, every third of them below the one before."""
        last = name
        for i in range(count):
            last = os.path.join(last, f"n{i}") if i % 3 else f"{name}{i}"
            os.mkdir(self.at(last))
            self.carved.put(os.path.join(last, broapt_name()))

    def shuffle(self, known, new):
        """Renames directories known or not yet seen: to new names, into each other, with each other,
        and onto names that were others'; and files inside them."""
        self.move(f"{known}0", f"{known}-renamed")
        self.move(f"{known}1", f"{known}2/inside")
        self.swap(f"{known}3", f"{known}4")
        trees.exchange(self.at(f"{known}5"), self.at(f"{known}6"))
        shutil.rmtree(self.at(f"{known}7"))
        self.plant(f"{known}7")
        self.move(f"{known}8", f"{known}-moved")
        self.plant(f"{known}8")
        trees.exchange(self.at(f"{known}9"), self.at(f"{new}0"))
        self.move(f"{new}3", f"{new}-renamed")
        self.move(f"{new}6", f"{known}2/inside/{new}")
        self.swap(f"{new}9", f"{new}12")
        files = sorted(files_below(self.at(f"{known}2")))
        trees.exchange(files[0], files[1])
        os.rename(files[2], files[2] + b".txt")
        os.rename(files[0], files[1])


def test_stopped_while_trees_are_made_and_moved():
    count = scaled(10000, 30000)
    directories = scaled(60, 300)
    with Carved(NOOP) as carved, Mounts() as mounts:
        tree = Tree(carved)
        for name in ("a", "b", "c"):
            for i in range(10):
                tree.plant(f"{name}{i}")
        carved.start()
        carved.wait_settled(60)
        produce(carved, 0)
        carved.check_watches()
        before = files_below(carved.root)
        with Stopped(carved):
            tree.grow(30, "x")
            tree.shuffle("a", "x")  # told
            produce(carved, count)
            tree.grow(directories, "y")
            tree.shuffle("b", "y")  # lost, and so is all that follows
            tree.move("c0", "b0")
            tree.plant("x27/told/lost")
        wait_at_rest(carved)
        gaps, closed, found = carved.sql(OVERFLOWS)[0]
        say(f"{count} files, found {found}, {used(carved)}")
        same((gaps, closed), (1, 1), "gaps and how many are closed")
        check(found >= directories, f"found: {found}")
        check_rows(carved, before)
        for directory, _, _ in os.walk(carved.root):
            carved.put(os.path.join(directory, broapt_name()))
        wait_at_rest(carved)
        check_gap(carved, mounts, found)
        check_rows(carved, before)
        carved.stop()


def start_wide(carved, directories):
    """Starts it on so many directories; two files that it knows then."""
    for i in range(directories):
        os.mkdir(carved.path_of(f"d{i}"))
    carved.start()
    known = [carved.put() for _ in range(2)]
    carved.wait_settled(2)
    return known


SLOW = ("stop_grace: 0s\ndetectors:\n  - { type: command, name: slow, "
        "run: [/bin/sh, -c, 'sleep 0.02', sh, '{path}'] }\n")


def reconciles_most(seconds):
    """Walks of everything that the backoff allows: after 0, 100 ms, 200 ms, ... and then every 10 s."""
    return 3 + math.log2(1 + seconds / 0.1) + seconds / 10


def test_overload_without_end():
    """Overflow upon overflow, and files faster than the detector can follow, until the rules change."""
    minute = scaled(0.0, 60.0)
    directories = 40
    with Carved(SLOW) as carved, Mounts() as mounts:
        known = start_wide(carved, directories)
        walks = watching(carved, "walks")
        began = time.monotonic()

        def one_in_each():
            for i in range(directories):
                carved.put(f"d{i}/{broapt_name()}")
        pulses = 0
        sizes = []
        lost = 0
        while pulses < 6 or time.monotonic() - began < minute:
            for i in range(200):
                carved.put(f"d{i % directories}/{broapt_name()}")
            overflow(carved, known, one_in_each)
            lost += directories
            pulses += 1
            sizes.append(carved.memory())
        seconds = time.monotonic() - began
        now = carved.status()["watching"]
        reconciles = (now["walks"] - walks) / (directories + 1)
        say(f"{pulses} overflows in {seconds:.1f} s: {reconciles:.1f} walks, VmRSS "
            f"{sizes[::max(1, pulses // 5)]} KiB, {used(carved)}")
        check(now["overflows"] >= pulses, f"overflows: {now['overflows']}")
        carved.write_config(NOOP)
        carved.send(signal.SIGHUP)
        wait_at_rest(carved)
        check_rows(carved)
        gaps, closed, found = carved.sql(OVERFLOWS)[0]
        say(f"{gaps} gaps, found {found}, {used(carved)}")
        same(gaps, closed, "gaps, and those that are closed")
        disturbed = mounts.changed()
        check(reconciles <= reconciles_most(seconds) or disturbed,
              f"{reconciles} walks, more than {reconciles_most(seconds):.1f}")
        check((lost <= found or disturbed) and found <= carved.made,
              f"found {found}, lost were {lost} of {carved.made}")
        burst.check_memory(carved.memory("VmHWM"), burst.MEMORY_MOST, "memory at most")
        burst.check_memory(sizes[-1] - sizes[pulses // 5], burst.GROWTH_MOST, "growth of memory")
        carved.stop()


def test_overflow_while_the_walk_of_another_is_under_way():
    """The events before the second overflow are taken while the first one's walk goes on: eight for each
    of its steps. It has more steps left than that takes, four a directory."""
    directories = scaled(1200, 6000)
    with Carved(NOOP) as carved, Mounts() as mounts:
        known = start_wide(carved, directories)
        walks = watching(carved, "walks")

        def hidden():
            flood(known, queue_length() + 1)
            for i in range(0, directories, 10):
                carved.put(f"d{i}/{broapt_name()}")
        # it stops itself when it lists a directory for the 100th time
        with steps.Attached(carved, "getdents64:signal=SIGSTOP:when=100") as attached:
            with Stopped(carved):
                hidden()
            attached.until_it_stops_itself()
            hidden()
            carved.send(signal.SIGCONT)
            wait_at_rest(carved)
        same(watching(carved, "overflows"), 2, "overflows")
        again = watching(carved, "walks") - walks
        check(again >= 2 * (directories + 1), f"only {again} directories were listed")
        check_gap(carved, mounts, directories // 10 * 2)
        check_rows(carved)


def fill_the_store(carved):
    """No more is taken while so much waits for the history."""
    produce(carved, 9000)

    def full():
        queue = carved.status()["queue"]
        return queue["saving"] + queue["running"] >= 3072  # beside 1024 more rows of those that run
    carved.until(full, "the store is full")


def fill_all_buffers(carved):
    """Events until the reader's buffer and the kernel's queue are full, with the daemon running but
    taking none; then files of which nothing is told."""
    before = watching(carved, "overflows")
    long = [carved.put(broapt_name(extension=letters(LONG))) for _ in range(2)]
    events = (RING // EVENT + queue_length()) * 5 // 4
    flood(long, events)
    lost = 50
    for _ in range(lost):
        carved.put()
    now = carved.status()["watching"]
    check(now["buffered"] > RING * 3 // 4, f"the buffer is not full: {now['buffered']} bytes")
    same(now["overflows"], before, "overflows that are seen already")
    return lost


def test_buffer_full_behind_a_locked_history():
    with Carved(NOOP) as carved, Mounts() as mounts:
        carved.start()
        for _ in range(10):
            carved.put()
        carved.wait_settled(10)
        lock = sqlite3.connect(carved.history, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        try:
            fill_the_store(carved)
            lost = fill_all_buffers(carved)
            say(f"all full: {used(carved)}")
        finally:
            lock.execute("ROLLBACK")
            lock.close()
        wait_at_rest(carved)
        check_gap(carved, mounts, lost)
        check_rows(carved)
        burst.check_memory(carved.memory("VmHWM"), 2 * burst.MEMORY_MOST, "memory at most")


def test_buffer_full_behind_detectors_that_hang():
    """Files that may have been written to without a trace wait in memory, for the worker is busy; no more
    events are taken then, until it is free."""
    known = 17000
    with Carved(NOOP) as carved, Mounts() as mounts:
        produce(carved, known)
        carved.start()
        carved.wait_settled(known)
        carved.stop()
        fifo = os.path.join(carved.home, "fifo")
        os.mkfifo(fifo)
        carved.write_config("workers: 1\ndetectors:\n  - { type: command, name: hung, timeout: 900s, "
                            f"run: [/bin/sh, -c, 'exec cat $0', {fifo}, '{{path}}'] }}\n")
        carved.start()
        carved.put()
        gate = carved.opened_to_read(fifo)
        for path in files_below(carved.root):
            os.chmod(path, 0o640)
            with open(path, "ab"):
                pass
        carved.until(lambda: carved.status()["queue"]["running"] >= 16000, "memory is full")
        lost = fill_all_buffers(carved)
        say(f"all full: {used(carved)}")
        carved.write_config(NOOP)
        carved.send(signal.SIGHUP)
        os.close(gate)
        wait_at_rest(carved)
        check_gap(carved, mounts, lost)
        check_rows(carved)


def test_files_made_and_deleted_while_the_daemon_is_held_up():
    """More paths that lead nowhere than there is room for jobs, behind events that are still unread."""
    gone = scaled(20000, 60000)
    with Carved(NOOP) as carved:
        carved.start()
        carved.put()
        carved.wait_settled(1)
        lock = sqlite3.connect(carved.history, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        try:
            fill_the_store(carved)
            for _ in range(gone):
                os.unlink(carved.put(content=b""))
        finally:
            lock.execute("ROLLBACK")
            lock.close()
        carved.put()
        wait_at_rest(carved)
        check_rows(carved)
        burst.check_memory(carved.memory("VmHWM"), 2 * burst.MEMORY_MOST, "memory at most")


def end(carved, number):
    began = time.monotonic()
    carved.send(number)
    same(carved.wait(burst.PATIENCE), 0, f"exit status after {signal.Signals(number).name}")
    return time.monotonic() - began


def test_signals_during_a_walk():
    count = scaled(10000, 500000)
    took = []
    with Carved(NOOP) as carved:
        produce(carved, count)
        carved.start(ready=False)
        carved.wait_until("SELECT count(*) > 0 FROM file", [(1,)])
        took.append(("of new files", end(carved, signal.SIGTERM)))
        some = carved.sql("SELECT count(*) FROM file")[0][0]
        check(0 < some <= count, f"rows at the end: {some}")
        carved.start(ready=False)
        carved.until(carved.status, "it answers")
        for i in range(30):
            carved.send((signal.SIGUSR2, signal.SIGHUP, signal.SIGUSR2)[i % 3])
        carved.wait_settled(count, burst.PATIENCE)
        wait_at_rest(carved)
        burst.check_each_once(carved, count)
        walks = watching(carved, "walks")
        for _ in range(50):
            carved.send(signal.SIGUSR2)
        carved.until(lambda: watching(carved, "walks") > walks, "the walk has begun")
        took.append(("of known files", end(carved, signal.SIGTERM)))
        for i in range(10):
            carved.put()
        carved.start(ready=False)
        carved.until(carved.status, "it answers")
        took.append(("joining", end(carved, signal.SIGUSR1)))
        carved.start()
        carved.wait_settled(count + 10)
        wait_at_rest(carved)
        burst.check_each_once(carved, count + 10)
        say(f"{count} files; seconds to the end in a walk " +
            ", ".join(f"{what}: {seconds:.2f}" for what, seconds in took))
        check(max(seconds for _, seconds in took[:2]) < EXIT_MOST, f"ends: {took}")


def spent(carved):
    """Context switches of all threads, and ticks of CPU time, so far."""
    return proc.switches(carved.process.pid), proc.ticks(carved.process.pid)


def rest(carved, seconds):
    """Context switches and ticks in so many seconds, once it has come to rest; what somebody who mounts
    something costs is not counted."""
    last = [None]

    def still():
        before, last[0] = last[0], spent(carved)
        return before == last[0]
    with Mounts() as mounts:
        for _ in range(20):
            carved.until(lambda: still() and not carved.ended(1.0) and still(), "it comes to rest")
            if mounts.changed():
                continue
            carved.ended(seconds)
            if not mounts.changed():
                return tuple(now - then for now, then in zip(spent(carved), last[0]))
    raise Skip("somebody mounts things all the time")


def test_idle_with_ten_thousand_directories():
    if scenario.sanitizer() == "thread":
        raise Skip("the thread sanitizer has a thread that never rests")
    seconds = scaled(5.0, 60.0)
    with in_memory(NOOP) as carved:
        tree = Tree(carved)
        for i in range(100):
            for j in range(99):
                os.makedirs(tree.at(f"d{i}", f"s{j}"))
        carved.start()
        carved.put("d0/s0/" + broapt_name())
        carved.wait_settled(1)
        overflowed = [carved.put() for _ in range(2)]
        carved.wait_settled(3)
        overflow(carved, overflowed, carved.put)
        wait_at_rest(carved)
        same(watching(carved, "directories"), 10001, "directories")
        switches, ticks = rest(carved, seconds)
        say(f"{seconds:.0f} s idle with 10001 directories: {switches} context switches, {ticks} ticks, "
            f"{used(carved)}")
        same((switches, ticks), (0, 0), "context switches and ticks")


if __name__ == "__main__":
    scenario.main()
