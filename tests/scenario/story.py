"""Stories about files, told to one daemon that sees writers by leases.

A story is a function that takes a Story: a directory of its own below the daemon's root. It writes
there, and says in the end what the history must hold, (name, content) for each version. A detector
tells the size that it saw, so a part of a file that is announced is found out.
"""
import atexit
import ctypes
import functools
import hashlib
import os

import scenario
from scenario import Carved, broapt_name, check, fuid, same

CHUNK = b"one chunk of a file that is carved; "
# The size that a detector saw is its outcome's detail.
SIZE = ("rescan_interval: 1s\nmax_file_size: 1G\ndetectors:\n  - { type: noop }\n"
        "  - { type: command, name: size, run: [/bin/sh, -c, "
        "'printf \"{\\\"outcome\\\":\\\"clean\\\",\\\"detail\\\":{\\\"size\\\":%d}}\" "
        "\"$(wc -c <\"$1\")\" >&3', sh, '{path}'] }\n")
LIBC = ctypes.CDLL(None, use_errno=True)


def digest(content):
    return hashlib.sha256(content).hexdigest().encode()


def zeek_name():
    return f"extract-1258867934.558264-HTTP-{fuid()}"


def descriptor(path, flags=os.O_WRONLY | os.O_CREAT):
    return os.open(path, flags | os.O_CLOEXEC, 0o644)


def begun(path, flags=os.O_WRONLY | os.O_CREAT):
    """A descriptor by which a first chunk was written."""
    fd = descriptor(path, flags)
    os.write(fd, CHUNK)
    return fd


def write_at_once(path, content):
    with open(path, "wb", buffering=0) as file:
        file.write(content)


def append(path, content):
    with open(path, "ab", buffering=0) as file:
        file.write(content)


class Story:
    """A directory below the daemon's root, and one beside it that nobody watches."""

    def __init__(self, carved, word):
        self.carved = carved
        self.top = os.path.join(carved.root, word)
        self.outside = os.path.join(carved.home, "outside", word)
        os.mkdir(self.top)
        os.makedirs(self.outside)

    def at(self, name):
        return os.path.join(self.top, name)

    def beside(self, name):
        return os.path.join(self.outside, name)

    def rows(self, columns="f.name, f.sha256, f.state, f.verdict"):
        return sorted(self.carved.sql(
            f"SELECT {columns} FROM file f WHERE f.path GLOB CAST(? AS TEXT)",
            os.fsencode(self.top) + b"/*"), key=repr)

    def barrier(self):
        """All that happened before has been taken in, and what could be decided is decided."""
        path = self.carved.put("barrier/" + broapt_name())
        self.carved.until(lambda: self.carved.sql(
            "SELECT 1 FROM file WHERE path = CAST(? AS TEXT) AND state = 'done'", path), "barrier")
        os.unlink(path)

    def held(self, name):
        """Waits until name waits for its writer; nothing of it is announced."""
        def waits():
            return self.carved.sql("SELECT 1 FROM file WHERE path = CAST(? AS TEXT) AND "
                                   "state = 'queued' AND wait = 'writer'",
                                   os.fsencode(self.at(name)))
        self.carved.until(waits, f"{name} waits for its writer", timeout=60)
        self.barrier()
        check(not self.carved.sql("SELECT 1 FROM file WHERE path = CAST(? AS TEXT) AND "
                                  "finished_ns >= ?", os.fsencode(self.at(name)),
                                  os.stat(self.at(name)).st_ctime_ns),
              f"{name} was announced while somebody writes to it")

    def ends_by(self, fd, name):
        """Its second chunk is written and it is closed: that is its one version."""
        os.write(fd, CHUNK)
        os.close(fd)
        self.ends_with((name, 2 * CHUNK))

    def ends_with(self, *versions):
        """The history of this directory is these versions (name, content), each done and clean,
        and every detector saw all of its bytes."""
        expected = sorted(((os.fsencode(name), digest(content), b"done", b"clean")
                           for name, content in versions), key=repr)
        try:
            self.carved.until(lambda: self.rows() == expected, "the versions", timeout=30)
        except scenario.Failed:
            same(self.rows(), expected, "the versions")
        self.barrier()
        same(self.rows(), expected, "the versions after that")
        self.check_sizes()

    def check_sizes(self):
        for name, size, detail in self.rows(
                "f.name, f.size, (SELECT detail FROM scan s WHERE s.file_id = f.id AND "
                "s.detector = 'size' AND s.cached = 0)"):
            check(detail is None or detail == b'{"size":%d}' % size,
                  f"{name}: the detector saw {detail}, {size} bytes are recorded")


DAEMON = []


def daemon():
    """The one daemon of this scenario; it runs."""
    if not DAEMON:
        DAEMON.append(Carved(SIZE).start())
        atexit.register(abandon)
    return DAEMON[0]


def abandon():
    """Where the last test did not come to end it."""
    for carved in DAEMON:
        carved.kill()
        carved.remove(None)
    DAEMON.clear()


def told(function):
    """A test that tells the story to the daemon."""
    @functools.wraps(function)
    def test():
        function(Story(daemon(), function.__name__.removeprefix("test_")))
    del test.__wrapped__
    return test


def end():
    """The last test: the daemon's watches are its directories, and nothing is recorded twice."""
    with daemon() as carved:
        DAEMON.clear()
        carved.wait_until("SELECT path, waits_for FROM pending", [])
