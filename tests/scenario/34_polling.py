"""Polling: a root without events is walked at every rescan, through the same states to the same rows.

Each story is told twice, to a root that is watched and to one that is polled, and ends with the same
rows. A FUSE file system (bindfs) is the real peer for what no event tells: changes made underneath.
"""
import os
import shutil
import signal
import subprocess

import mounting
import oracle
import scenario
from mounting import Mounts, at_rest, leave_in_the_end, umount, wait_done, wait_for_gap, wait_way
from scenario import Carved, Skip, check, same

CONFIG = """unmatched: scan
rescan_interval: 200ms
detectors:
  - {{ type: noop }}
roots:
  - {{ path: '{root}', mode: {mode}, settle: {settle} }}
"""
# What became of everything, but for what differs from one directory to the next.
ROWS = """SELECT substr(CAST(path AS BLOB), length(CAST(? AS BLOB)) + 2), state, reason, verdict, size, sha256
    FROM file ORDER BY 1, size, sha256"""


def begin(carved, mode, settle="100ms"):
    carved.write_config(CONFIG.format(root=carved.root, mode=mode, settle=settle))
    carved.start(roots=[])


def rows(carved):
    return carved.sql(ROWS, carved.root)


def watches(carved):
    tree, others = oracle.watches(carved.process.pid)
    return len(tree), len(others)


def all_watches(carved):
    """Watches of all inotify descriptors of the daemon."""
    count = 0
    for fd in os.listdir(f"/proc/{carved.process.pid}/fd"):
        try:
            with open(f"/proc/{carved.process.pid}/fdinfo/{fd}", "rb") as file:
                count += file.read().count(b"inotify wd:")
        except FileNotFoundError:
            pass
    return count


def told_twice(story, before=None):
    """The rows that a story leaves in either way are the same; they are returned."""
    left = []
    for mode, is_called in (("inotify", "events"), ("poll", "polled")):
        with Carved() as carved:
            if before:
                before(carved)
            begin(carved, mode)
            story(carved)
            at_rest(carved)
            wait_way(carved, is_called, "" if mode == "inotify" else "mode: poll")
            if mode == "poll":
                same(all_watches(carved), 0, "watches for a polled root")
            left.append(rows(carved))
    same(left[1], left[0], "rows of the polled root, and of the watched one")
    return left[0]


def contents(carved, path, count):
    """Waits until the path has so many versions, all done."""
    carved.until(lambda: carved.sql("SELECT state FROM file WHERE path = CAST(? AS TEXT)",
                                    os.fsencode(path)) == [(b"done",)] * count,
                 f"{path!r} has {count} versions")


def test_new_files_and_directories():
    def story(carved):
        wait_done(carved, carved.put("one", b"one"))
        wait_done(carved, carved.put("a/b/c/d/e/f", b"deep"), carved.put("a/b/empty", b""))
        os.makedirs(carved.path_of("x/y/z"))
        wait_done(carved, *[carved.put(f"x/y/z/{i}", b"%d" % i) for i in range(50)])
        wait_done(carved, carved.put(b"name\n\xff\x01 of bytes", b"bytes"))
    same(len(told_twice(story)), 54, "rows")


def test_what_is_there_at_the_start():
    def before(carved):
        for i in range(20):
            carved.put(f"d{i % 3}/{i}", b"%d" % i)
        os.symlink("/etc/passwd", carved.path_of("link"))
        os.mkfifo(carved.path_of("fifo"))

    def story(carved):
        carved.wait_settled(22)
    left = told_twice(story, before)
    same(sum(row[1:3] == (b"unscanned", b"not-regular") for row in left), 2, "what is no file")


def wait_a_tick(carved):
    """A change in the very tick of the clock in which a file was looked at is not told by its time."""
    looked = carved.sql("SELECT max(checked_ns) FROM version")[0][0]
    mark = os.path.join(carved.home, "mark")

    def passed():
        with open(mark, "wb"):
            pass
        os.utime(mark)
        return os.stat(mark).st_ctime_ns > looked
    carved.until(passed, "the clock goes on")


def test_a_file_that_is_written_again():
    def story(carved):
        path = carved.put("f", b"first")
        contents(carved, path, 1)
        carved.put("f", b"other")  # of the same size
        contents(carved, path, 2)
        with open(path, "ab") as file:
            file.write(b", and more")
        contents(carved, path, 3)
        carved.put("new", b"put over it")
        wait_done(carved, carved.path_of("new"))
        os.rename(carved.path_of("new"), path)
        contents(carved, path, 4)
        wait_a_tick(carved)
        times = os.stat(path)
        with open(path, "r+b") as file:  # nothing tells of it but the time of the change
            file.write(b"PUT")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        contents(carved, path, 5)
        os.chmod(path, 0o600)
        wait_done(carved, carved.put("last", b"last"))
    same(len({row[5] for row in told_twice(story)}), 6, "contents")


def test_files_that_are_renamed_linked_and_deleted():
    def story(carved):
        wait_done(carved, carved.put("a", b"a"), carved.put("b", b"b"), carved.put("c", b"c"))
        os.rename(carved.path_of("a"), carved.path_of("A"))
        wait_done(carved, carved.path_of("A"))
        os.link(carved.path_of("b"), carved.path_of("B"))
        wait_done(carved, carved.path_of("B"))
        os.unlink(carved.path_of("c"))
        os.unlink(carved.path_of("A"))
        wait_done(carved, carved.put("d", b"d"))
        os.mkdir(carved.path_of("out"))
        os.rename(carved.path_of("b"), carved.path_of("out/b"))
        wait_done(carved, carved.path_of("out/b"))
    same(len(told_twice(story)), 7, "rows")


def test_directories_that_are_renamed_exchanged_and_moved():
    def story(carved):
        wait_done(carved, carved.put("a/s/1", b"1"), carved.put("b/s/2", b"2"))
        os.rename(carved.path_of("a"), carved.path_of("c"))
        wait_done(carved, carved.path_of("c/s/1"))
        wait_done(carved, carved.put("c/s/3", b"3"))
        os.rename(carved.path_of("c"), os.path.join(carved.home, "outside"))
        os.rename(carved.path_of("b"), carved.path_of("c"))
        wait_done(carved, carved.path_of("c/s/2"))
        with open(os.path.join(carved.home, "outside", "s", "4"), "wb") as file:
            file.write(b"4")
        os.rename(os.path.join(carved.home, "outside"), carved.path_of("c/in"))
        wait_done(carved, *[carved.path_of(f"c/in/s/{name}") for name in "134"])
        shutil.rmtree(carved.path_of("c"))
        wait_done(carved, carved.put("c/s/5", b"5"))
    same(len(told_twice(story)), 9, "rows")


def test_a_writer_that_takes_its_time():
    def story(carved):
        with open(carved.path_of("f"), "wb") as writer:
            carved.made += 1
            writer.write(b"half")
            writer.flush()
            # its row says that it waits
            carved.until(lambda: carved.sql("SELECT state FROM file") == [(b"queued",)], "it waits")
            wait_done(carved, carved.put("g", b"meanwhile"))
            writer.write(b" and whole")
        wait_done(carved, carved.path_of("f"))
    same([row[4] for row in told_twice(story)], [14, 9], "sizes")


def test_a_root_that_comes_goes_and_is_mounted_over():
    with Mounts() as mounts:
        def story(carved):
            wait_done(carved, carved.put("below", b"below"))
            shutil.rmtree(carved.root)
            carved.until(lambda: mounting.gaps(carved, "root") == (1, 0), "the root is missed")
            os.mkdir(carved.root)
            wait_done(carved, carved.put("d/again", b"again"))
            wait_for_gap(carved, "root")
            mounts.tmpfs(carved.root)
            wait_done(carved, carved.put("above", b"above"))
            wait_for_gap(carved, "mount")
            leave_in_the_end(carved, carved.root)
            wait_for_gap(carved, "mount", 1)
            wait_done(carved, carved.put("d/last", b"last"))
        same(len(told_twice(story)), 4, "rows")


def bindfs(mounts, source, target):
    """A FUSE file system that shows source at target; the server's process."""
    if not shutil.which("bindfs"):
        raise Skip("no bindfs (package bindfs)")
    process = subprocess.Popen(["bindfs", "-f", source, target], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    mounts.targets.append(target)
    return process


class Fuse:
    """bindfs of <home>/source at the root, for the length of a "with"."""

    def __init__(self, carved, mounts):
        self.carved, self.mounts = carved, mounts
        self.source = os.path.join(carved.home, "source")
        os.makedirs(self.source, exist_ok=True)
        self.process = None

    def __enter__(self):
        before = os.stat(self.carved.root).st_dev
        self.process = bindfs(self.mounts, self.source, self.carved.root)
        end = scenario.time.monotonic() + scenario.PATIENCE
        while self.process.poll() is None and os.stat(self.carved.root).st_dev == before:
            check(scenario.time.monotonic() < end, "bindfs mounts")
            scenario.select.select([], [], [], scenario.PAUSE)
        if self.process.poll() is not None:
            raise Skip("FUSE is not to be had (bindfs ended)")
        return self

    def __exit__(self, kind, value, trace):
        try:
            umount(self.carved.root, mounting.MNT_DETACH)
        except OSError:
            pass
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()

    def beneath(self, name, content):
        """A file made where no event is told to who watches the mount."""
        path = os.path.join(self.source, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        self.carved.made += 1
        return self.carved.path_of(name)


def test_a_file_system_that_others_change_is_polled():
    with Carved() as carved, Mounts() as mounts, Fuse(carved, mounts) as fuse:
        begin(carved, "auto")
        wait_way(carved, "polled", "type 0x65735546")  # FUSE_SUPER_MAGIC
        check(b"may not tell changes that others make" in carved.stderr(), "it is said")
        same(watches(carved)[0], 0, "watches of its tree")
        path = fuse.beneath("a/b/f", b"first")
        contents(carved, path, 1)
        fuse.beneath("a/b/f", b"second")
        contents(carved, path, 2)
        os.rename(os.path.join(fuse.source, "a"), os.path.join(fuse.source, "c"))
        contents(carved, carved.path_of("c/b/f"), 1)
        wait_done(carved, carved.put("through", b"the mount"))
        same(carved.sql("SELECT count(*) FROM file WHERE state = 'done'"), [(4,)], "rows")
        # when it goes the root is a directory like any other again
        leave_in_the_end(carved, carved.root)
        wait_for_gap(carved, "mount")
        wait_way(carved, "events")
        wait_done(carved, carved.put("local", b"local"))
        carved.check_watches()


def test_nobody_can_say_who_writes_there_so_it_must_rest():
    settle_ns = 700 * 10**6
    with Carved() as carved, Mounts() as mounts, Fuse(carved, mounts) as fuse:
        begin(carved, "auto", "700ms")
        wait_done(carved, fuse.beneath("beneath", b"x"), carved.put("through", b"y"))
        for mtime_ns, finished_ns in carved.sql("SELECT mtime_ns, finished_ns FROM file"):
            check(finished_ns - mtime_ns >= settle_ns, f"it rested: {finished_ns - mtime_ns} ns")


def test_events_can_be_asked_for_there_but_are_not_called_enough():
    with Carved() as carved, Mounts() as mounts, Fuse(carved, mounts):
        carved.watched = False  # the numbers of its inodes are the server's, not the kernel's
        begin(carved, "inotify")
        wait_way(carved, "degraded", "mode: inotify on a file system")
        wait_done(carved, carved.put("d/through", b"the mount"))
        check(watches(carved)[0] > 0, "it is watched")


def test_a_file_system_below_a_watched_root_is_listed_again():
    with Carved() as carved, Mounts() as mounts:
        root = carved.root
        carved.root = os.path.join(root, "m")
        os.mkdir(carved.root)
        with Fuse(carved, mounts) as fuse:
            carved.root, below = root, carved.root
            carved.watched = False
            begin(carved, "auto")
            wait_way(carved, "degraded", "another file system")
            carved.root = below
            wait_done(carved, fuse.beneath("d/f", b"beneath"))
            carved.root = root
            leave_in_the_end(carved, below)
            wait_way(carved, "events")
            carved.root = below
        carved.root = root


def test_a_server_that_dies_is_missed_until_it_is_back():
    with Carved() as carved, Mounts() as mounts:
        with Fuse(carved, mounts) as fuse:
            begin(carved, "auto")
            path = fuse.beneath("d/f", b"first")
            wait_done(carved, path)
            fuse.process.send_signal(signal.SIGKILL)
            fuse.process.wait()
            wait_way(carved, "absent")
            carved.until(lambda: b"Transport endpoint is not connected" in carved.stderr(), "it is said")
        with Fuse(carved, mounts) as fuse:
            wait_way(carved, "polled")
            again = fuse.beneath("d/g", b"second")
            wait_done(carved, again, path)
            wait_for_gap(carved, "root")
            leave_in_the_end(carved, carved.root)
        wait_way(carved, "events")


if __name__ == "__main__":
    mounting.enter()
    scenario.main()
