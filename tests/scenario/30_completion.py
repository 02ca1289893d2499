"""When is a file complete? Each way in which producers write, told to one daemon that sees writers by
leases: what is recorded is whole, once, and never a part while somebody has the file open.

A story gets a directory of its own below the root, writes there, and says in the end what the history
must hold: (name, content) for each version. The detector tells the size that it saw. 30_settling.py
tells where leases do not work.
"""
import ctypes
import hashlib
import mmap
import os
import shutil
import signal
import socket
import stat
import subprocess
import uuid

import scenario
from scenario import Carved, Skip, broapt_name, check, fuid, same

CHUNK = b"one chunk of a file that is carved; "
AT_FDCWD, AT_SYMLINK_FOLLOW, RENAME_EXCHANGE = -100, 0x400, 2
# The size that a detector saw is its outcome's detail.
SIZE = ("rescan_interval: 1s\nmax_file_size: 1G\ndetectors:\n  - { type: noop }\n  - { type: command, name: size, run: [/bin/sh, -c, "
        "'printf \"{\\\"outcome\\\":\\\"clean\\\",\\\"detail\\\":{\\\"size\\\":%d}}\" "
        "\"$(wc -c <\"$1\")\" >&3', sh, '{path}'] }\n")
LIBC = ctypes.CDLL(None, use_errno=True)


def digest(content):
    return hashlib.sha256(content).hexdigest().encode()


def zeek_name():
    return f"extract-1258867934.558264-HTTP-{fuid()}"


def descriptor(path, flags=os.O_WRONLY | os.O_CREAT):
    return os.open(path, flags | os.O_CLOEXEC, 0o644)


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


# Each story: (story) -> None. The daemon runs.

def closed(story):
    name = broapt_name()
    fd = descriptor(story.at(name))
    os.write(fd, CHUNK)
    story.held(name)
    os.write(fd, CHUNK)
    os.close(fd)
    story.ends_with((name, 2 * CHUNK))


def moved_in(story):
    name = broapt_name()
    write_at_once(story.beside(name), CHUNK)
    os.rename(story.beside(name), story.at(name))
    story.ends_with((name, CHUNK))


def moved_in_while_it_is_written(story):
    name = broapt_name()
    fd = descriptor(story.beside(name))
    os.write(fd, CHUNK)
    os.rename(story.beside(name), story.at(name))
    story.held(name)
    os.write(fd, CHUNK)
    os.close(fd)
    story.ends_with((name, 2 * CHUNK))


def renamed_while_it_is_written(story):
    first, second = broapt_name(), broapt_name()
    fd = descriptor(story.at(first))
    os.write(fd, CHUNK)
    story.held(first)
    os.rename(story.at(first), story.at(second))
    story.held(second)
    os.write(fd, CHUNK)
    os.close(fd)
    story.ends_with((second, 2 * CHUNK))


def moved_in_from_another_file_system(story):
    if os.stat("/dev/shm").st_dev == os.stat(story.top).st_dev:
        raise Skip("/dev/shm is the same file system")
    name = broapt_name()
    source = os.path.join("/dev/shm", f"carved-{uuid.uuid4()}")
    write_at_once(source, 1000 * CHUNK)
    subprocess.run(["mv", source, story.at(name)], check=True)
    story.ends_with((name, 1000 * CHUNK))


def linked(story):
    name = broapt_name()
    write_at_once(story.beside(name), CHUNK)
    os.link(story.beside(name), story.at(name))
    story.ends_with((name, CHUNK))


def linked_while_it_is_written(story):
    name = broapt_name()
    fd = descriptor(story.beside(name))
    os.write(fd, CHUNK)
    os.link(story.beside(name), story.at(name))
    story.held(name)
    os.write(fd, CHUNK)
    os.close(fd)  # told outside only
    os.utime(story.at(name))
    story.carved.send(signal.SIGUSR2)
    story.ends_with((name, 2 * CHUNK))


def made_without_a_name(story):
    name = broapt_name()
    fd = descriptor(story.top, os.O_WRONLY | os.O_TMPFILE)
    os.write(fd, CHUNK)
    story.barrier()
    done = LIBC.linkat(AT_FDCWD, b"/proc/self/fd/%d" % fd, AT_FDCWD, os.fsencode(story.at(name)),
                       AT_SYMLINK_FOLLOW)
    same(done, 0, "linkat")
    story.held(name)
    os.write(fd, CHUNK)
    os.close(fd)
    story.ends_with((name, 2 * CHUNK))


def appended_again_and_again(story):
    """Open, append, close: nobody has it open in between, so what is there then may be recorded."""
    name = broapt_name()
    count = 20
    for i in range(count):
        append(story.at(name), CHUNK)
        if i % 5 == 0:
            story.barrier()
    whole = digest(count * CHUNK)
    story.carved.until(lambda: (os.fsencode(name), whole, b"done", b"clean") in story.rows(),
                       "the last version has all bytes")
    story.barrier()
    sums = [row[1] for row in story.rows()]
    check(set(sums) <= {digest(i * CHUNK) for i in range(1, count + 1)},
          f"{name}: a version is no whole number of chunks")
    same(len(sums), len(set(sums)), "versions and contents")
    story.check_sizes()


def closed_by_one_of_two_writers(story):
    name = broapt_name()
    one = descriptor(story.at(name))
    two = descriptor(story.at(name), os.O_WRONLY)
    os.write(one, CHUNK)
    os.close(one)
    story.held(name)
    os.pwrite(two, CHUNK, len(CHUNK))
    os.close(two)
    story.ends_with((name, 2 * CHUNK))


def held_by_a_child(story):
    """One description in two processes: it is closed when the last of them has closed it."""
    name = broapt_name()
    release, wait = os.pipe()
    fd = descriptor(story.at(name))
    os.write(fd, CHUNK)
    child = os.fork()
    if child == 0:
        os.close(wait)
        os.read(release, 1)
        os.write(fd, CHUNK)
        os._exit(0)
    os.close(fd)
    os.close(release)
    story.held(name)
    os.close(wait)
    os.waitpid(child, 0)
    story.ends_with((name, 2 * CHUNK))


def written_through_a_mapping(story):
    name = broapt_name()
    fd = descriptor(story.at(name), os.O_RDWR | os.O_CREAT)
    os.ftruncate(fd, 4096)
    memory = mmap.mmap(fd, 4096)
    os.close(fd)
    memory[:4] = b"half"
    story.held(name)
    memory[4:8] = b"more"
    memory.close()
    story.ends_with((name, b"halfmore".ljust(4096, b"\0")))


def rewritten_in_place(story):
    """As Zeek does with a name that it uses again: fopen(name, "wb")."""
    name = zeek_name()
    write_at_once(story.at(name), CHUNK)
    story.ends_with((name, CHUNK))
    with open(story.at(name), "wb") as file:
        file.write(b"another")
        file.flush()
        story.carved.send(signal.SIGUSR2)  # nobody tells that it was opened
        story.held(name)
        file.write(b" content")
    story.ends_with((name, CHUNK), (name, b"another content"))


def rewritten_with_the_same_size(story):
    name = zeek_name()
    versions = [CHUNK[:-1] + bytes([65 + i]) for i in range(4)]
    for i, content in enumerate(versions):
        write_at_once(story.at(name), content)
        story.ends_with(*[(name, version) for version in versions[:i + 1]])


def copied_and_truncated(story):
    """copytruncate: the file goes on with new content under the same inode."""
    name = broapt_name()
    write_at_once(story.at(name), 3 * CHUNK)
    story.ends_with((name, 3 * CHUNK))
    fd = descriptor(story.at(name), os.O_WRONLY | os.O_APPEND)
    os.ftruncate(fd, 0)
    story.carved.send(signal.SIGUSR2)
    story.held(name)
    os.write(fd, b"after")
    os.close(fd)
    story.ends_with((name, 3 * CHUNK), (name, b"after"))


def holes(story):
    """Zeek seeks over gaps of what it saw."""
    name = zeek_name()
    fd = descriptor(story.at(name))
    os.pwrite(fd, CHUNK, 100000)
    os.close(fd)
    empty = f"extract-1258867934.5-ZIP-{fuid()}"
    write_at_once(story.at(empty), b"")
    story.ends_with((name, bytes(100000) + CHUNK), (empty, b""))


def renamed_over(story):
    name, other = broapt_name(), broapt_name()
    write_at_once(story.at(name), b"victim")
    story.ends_with((name, b"victim"))
    write_at_once(story.beside(other), b"victor")
    os.rename(story.beside(other), story.at(name))
    story.ends_with((name, b"victim"), (name, b"victor"))


def exchanged(story):
    """Inside the root, then with a file outside: each name gets what it has now."""
    first, second, third = broapt_name(), broapt_name(), broapt_name()
    write_at_once(story.at(first), b"first")
    write_at_once(story.at(second), b"second")
    write_at_once(story.beside(third), b"third")
    versions = [(first, b"first"), (second, b"second")]
    story.ends_with(*versions)
    exchange(story.at(first), story.at(second))
    versions += [(first, b"second"), (second, b"first")]
    story.ends_with(*versions)
    exchange(story.at(first), story.beside(third))
    story.ends_with(*versions, (first, b"third"))


def exchange(one, two):
    done = LIBC.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(two), RENAME_EXCHANGE)
    if done != 0:
        raise Skip(f"renameat2: {os.strerror(ctypes.get_errno())}")


def truncated_by_its_path(story):
    """truncate(2) closes nothing: the next walk sees it."""
    name = broapt_name()
    write_at_once(story.at(name), 2 * CHUNK)
    story.ends_with((name, 2 * CHUNK))
    os.truncate(story.at(name), len(CHUNK))
    story.carved.send(signal.SIGUSR2)
    story.ends_with((name, 2 * CHUNK), (name, CHUNK))


def opened_to_write_without_writing(story):
    name = broapt_name()
    write_at_once(story.at(name), CHUNK)
    story.ends_with((name, CHUNK))
    for _ in range(3):
        os.close(descriptor(story.at(name), os.O_RDWR))
        story.ends_with((name, CHUNK))


def touched(story):
    name = broapt_name()
    write_at_once(story.at(name), CHUNK)
    story.ends_with((name, CHUNK))
    subprocess.run(["touch", story.at(name)], check=True)
    story.ends_with((name, CHUNK))
    os.utime(story.at(name), (1, 1))
    story.ends_with((name, CHUNK))
    same(story.rows("f.mtime_ns"), [(10**9,)], "the row's time")


def touched_while_somebody_has_it_open(story):
    """It waits in the queue, and is found to be what it was: no row of its own stays."""
    name = broapt_name()
    write_at_once(story.at(name), CHUNK)
    story.ends_with((name, CHUNK))
    fd = descriptor(story.at(name), os.O_WRONLY)
    os.utime(story.at(name), (1, 1))
    story.held(name)
    os.close(fd)
    story.ends_with((name, CHUNK))
    same(story.rows("f.mtime_ns"), [(10**9,)], "the row's time")


def written_through_one_of_its_names(story):
    """The write is told at that name only; those that the history knows are looked at as well."""
    names = [broapt_name() for _ in range(3)]
    write_at_once(story.at(names[0]), CHUNK)
    for name in names[1:]:
        os.link(story.at(names[0]), story.at(name))
    versions = [(name, CHUNK) for name in names]
    story.ends_with(*versions)
    os.unlink(story.at(names[2]))
    append(story.at(names[1]), CHUNK)
    story.ends_with(*versions, (names[0], 2 * CHUNK), (names[1], 2 * CHUNK))


def touched_through_one_of_its_names(story):
    """The next walk brings the other name's row up to date; it gets no second one."""
    names = [broapt_name() for _ in range(2)]
    write_at_once(story.at(names[0]), CHUNK)
    os.link(story.at(names[0]), story.at(names[1]))
    story.ends_with(*[(name, CHUNK) for name in names])
    os.utime(story.at(names[0]), (1, 1))
    story.carved.until(lambda: (10**9,) in story.rows("f.mtime_ns"), "one row's time")
    story.carved.send(signal.SIGUSR2)
    story.carved.until(lambda: story.rows("f.mtime_ns") == 2 * [(10**9,)], "both rows' times")
    story.ends_with(*[(name, CHUNK) for name in names])


def killed_writer(story):
    """Its close looks like any other. What comes later is a later version."""
    name = broapt_name()
    ready, says = os.pipe()
    child = os.fork()
    if child == 0:
        fd = descriptor(story.at(name))
        os.write(fd, CHUNK)
        os.write(says, b"!")
        signal.pause()
    os.read(ready, 1)
    story.held(name)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(ready)
    os.close(says)
    story.ends_with((name, CHUNK))
    write_at_once(story.at(name), 2 * CHUNK)
    story.ends_with((name, CHUNK), (name, 2 * CHUNK))


def replaced_with_the_old_one_closed_late(story):
    """The close of the old inode is told under a name that is another's by now."""
    name = broapt_name()
    old = descriptor(story.at(name))
    os.write(old, b"old")
    story.held(name)
    os.unlink(story.at(name))
    new = descriptor(story.at(name))
    os.write(new, b"new")
    os.write(old, b"er")
    os.close(old)
    story.held(name)
    os.write(new, b"est")
    os.close(new)
    story.ends_with((name, b"newest"))


def unlinked_while_it_is_written(story):
    name = broapt_name()
    fd = descriptor(story.at(name))
    os.write(fd, CHUNK)
    story.held(name)
    os.unlink(story.at(name))
    os.write(fd, CHUNK)
    os.close(fd)
    story.carved.until(lambda: story.rows() == [(os.fsencode(name), None, b"unscanned", None)],
                       "it vanished")
    same(story.rows("f.reason"), [(b"vanished",)], "the reason")


def made_and_unlinked(story):
    """Whatever was seen of them has an end; what stays is found."""
    for i in range(200):
        path = story.at(broapt_name())
        write_at_once(path, b"%d" % i)
        os.unlink(path)
    name = broapt_name()
    write_at_once(story.at(name), CHUNK)
    story.carved.until(lambda: (os.fsencode(name), digest(CHUNK), b"done", b"clean") in
                       story.rows(), "the one that stays")
    story.barrier()
    story.carved.until(lambda: b"queued" not in [row[2] for row in story.rows()], "all have an end")
    check({row[0] for row in story.rows("f.reason")} <= {None, b"vanished"}, "reasons")


def inode_used_again(story):
    """One name and, mostly, one inode number for file after file: each is a file of its own."""
    name = broapt_name()
    versions = []
    for i in range(8):
        content = b"file %d" % i
        write_at_once(story.at(name), content)
        versions.append((name, content))
        story.ends_with(*versions)
        os.unlink(story.at(name))


def special_files(story):
    names = [broapt_name() for _ in range(4)]
    os.mkfifo(story.at(names[0]))
    top = os.open(story.top, os.O_PATH | os.O_CLOEXEC)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.join(b"/proc/self/fd/%d" % top, os.fsencode(names[1])))
    os.symlink("/etc/passwd", story.at(names[2]))
    os.mknod(story.at(names[3]), 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    expected = sorted(((os.fsencode(name), b"unscanned", b"not-regular") for name in names),
                      key=repr)
    os.close(top)
    story.carved.until(lambda: story.rows("f.name, f.state, f.reason") == expected, "not regular")
    os.unlink(story.at(names[0]))
    write_at_once(story.at(names[0]), CHUNK)
    story.carved.until(lambda: (os.fsencode(names[0]), digest(CHUNK), b"done", b"clean") in
                       story.rows(), "a file in a FIFO's place")


def installed(story):
    """install -m changes the mode after it has closed the file."""
    name = broapt_name()
    write_at_once(story.beside(name), CHUNK)
    subprocess.run(["install", "-m", "600", story.beside(name), story.at(name)], check=True)
    story.ends_with((name, CHUNK))


def copied_over(story):
    name = broapt_name()
    for content in (CHUNK, 2 * CHUNK):
        write_at_once(story.beside(name), content)
        subprocess.run(["cp", "-a", story.beside(name), story.at(name)], check=True)
        story.carved.until(lambda size=len(content): (size,) in story.rows("f.size"), "its version")
    story.ends_with((name, CHUNK), (name, 2 * CHUNK))


def as_rsync_does(story):
    """A temporary beside it, closed, then renamed: the temporary is no file of its own."""
    name = broapt_name()
    temporary = f".{name}.Ab3dEf"
    fd = descriptor(story.at(temporary))
    os.write(fd, CHUNK)
    story.barrier()
    os.close(fd)
    os.utime(story.at(temporary), (1, 1))
    story.barrier()
    os.rename(story.at(temporary), story.at(name))
    story.ends_with((name, CHUNK))


def as_suricata_does(story):
    """Open, append, close for each chunk in tmp/, then the rename to the digest's place; a duplicate
    is told by the times of the first, and its temporary goes."""
    content = CHUNK + os.urandom(8)
    name = digest(content).decode()
    os.makedirs(story.at(f"{name[:2]}"))
    os.makedirs(story.at("tmp"))

    def carve(number):
        for part in (content[:9], content[9:30], content[30:]):
            append(story.at(f"tmp/file.{number}"), part)
            story.barrier()
        return story.at(f"tmp/file.{number}")
    final = f"{name[:2]}/{name}"
    os.rename(carve(1), story.at(final))
    story.ends_with((name, content))
    with open(story.at(f"{final}.1700000000.1.json"), "w", encoding="ascii") as sidecar:
        sidecar.write('{"fileinfo":{"state":"CLOSED"}}\n')
    duplicate = carve(2)
    os.utime(story.at(final))
    os.unlink(duplicate)
    story.ends_with((name, content))
    same(story.rows("f.mtime_ns, f.incomplete"),
         [(os.stat(story.at(final)).st_mtime_ns, 0)], "the row of a file that was seen again")


def as_security_onion_does(story):
    """Stage one is copied to its complete name, and removed."""
    first = f"HTTP-{fuid()}.exe"
    second = f"complete/{first[:-4]}-{hashlib.md5(CHUNK).hexdigest()}.exe"
    os.mkdir(story.at("complete"))
    write_at_once(story.at(first), CHUNK)
    shutil.copyfile(story.at(first), story.at(second))
    os.unlink(story.at(first))
    base = os.fsencode(os.path.basename(second))
    story.carved.until(lambda: (base, digest(CHUNK), b"done", b"clean") in story.rows(), "its copy")


def closes_that_were_one_event(story):
    """The kernel tells six closes of one file as one when nobody reads in between."""
    name = broapt_name()
    story.carved.send(signal.SIGSTOP)
    for _ in range(6):
        append(story.at(name), CHUNK)
    story.carved.send(signal.SIGCONT)
    story.ends_with((name, 6 * CHUNK))


def changed_while_it_is_hashed(story):
    """The daemon is seen reading it, by the position of its descriptor, when the change comes."""
    name = broapt_name()
    size = 1 << 29
    story.carved.send(signal.SIGSTOP)
    write_at_once(story.at(name), CHUNK)
    os.truncate(story.at(name), size)
    story.carved.send(signal.SIGCONT)
    story.carved.until(lambda: is_open_in(story.carved.process.pid, story.at(name)), "it is read")
    fd = descriptor(story.at(name), os.O_WRONLY)
    os.ftruncate(fd, 100)
    os.close(fd)
    story.carved.until(lambda: b"done" in [row[2] for row in story.rows()], "it is done")
    story.ends_with((name, CHUNK.ljust(100, b"\0")))


def is_open_in(pid, path):
    there = os.stat(path)
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            seen = os.stat(f"/proc/{pid}/fd/{fd}")
        except FileNotFoundError:
            continue
        if (seen.st_dev, seen.st_ino) == (there.st_dev, there.st_ino):
            return True
    return False


STORIES = [
    closed, moved_in, moved_in_while_it_is_written, renamed_while_it_is_written,
    moved_in_from_another_file_system, linked, linked_while_it_is_written, made_without_a_name,
    appended_again_and_again, closed_by_one_of_two_writers, held_by_a_child,
    written_through_a_mapping, rewritten_in_place, rewritten_with_the_same_size,
    copied_and_truncated, holes, renamed_over, exchanged, truncated_by_its_path,
    opened_to_write_without_writing, touched, touched_while_somebody_has_it_open,
    written_through_one_of_its_names, touched_through_one_of_its_names, killed_writer,
    replaced_with_the_old_one_closed_late, unlinked_while_it_is_written, made_and_unlinked,
    inode_used_again, special_files, installed, copied_over, as_rsync_does, as_suricata_does,
    as_security_onion_does, closes_that_were_one_event, changed_while_it_is_hashed,
]


def test_each_way_to_write():
    failed = []
    with Carved(SIZE) as carved:
        carved.start()
        for tell in STORIES:
            result = scenario.run_one(f"  {tell.__name__}",
                                      lambda tell=tell: tell(Story(carved, tell.__name__)))
            failed += [tell.__name__] if result == "FAILED" else []
        check(not failed, ", ".join(failed))


if __name__ == "__main__":
    scenario.main()
