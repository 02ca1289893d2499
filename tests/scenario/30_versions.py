"""Files that change, are replaced, renamed, linked or removed: each content gets its row, once."""
import contextlib
import hashlib
import mmap
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import tempfile
import time

import scenario
import trees
from scenario import NOOP, Carved, Skip, broapt_name, check, same, scaled
from story import CHUNK, append, begun, descriptor, digest, end, told, write_at_once, zeek_name


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


@told
def test_rewritten_in_place(story):
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


@told
def test_rewritten_with_the_same_size(story):
    name = zeek_name()
    versions = [CHUNK[:-1] + bytes([65 + i]) for i in range(4)]
    for i, content in enumerate(versions):
        write_at_once(story.at(name), content)
        story.ends_with(*[(name, version) for version in versions[:i + 1]])


@told
def test_copied_and_truncated(story):
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


@told
def test_renamed_over(story):
    name, other = broapt_name(), broapt_name()
    write_at_once(story.at(name), b"victim")
    story.ends_with((name, b"victim"))
    write_at_once(story.beside(other), b"victor")
    os.rename(story.beside(other), story.at(name))
    story.ends_with((name, b"victim"), (name, b"victor"))


@told
def test_exchanged(story):
    """Inside the root, then with a file outside: each name gets what it has now."""
    first, second, third = broapt_name(), broapt_name(), broapt_name()
    write_at_once(story.at(first), b"first")
    write_at_once(story.at(second), b"second")
    write_at_once(story.beside(third), b"third")
    versions = [(first, b"first"), (second, b"second")]
    story.ends_with(*versions)
    trees.exchange(story.at(first), story.at(second))
    versions += [(first, b"second"), (second, b"first")]
    story.ends_with(*versions)
    trees.exchange(story.at(first), story.beside(third))
    story.ends_with(*versions, (first, b"third"))


@told
def test_truncated_by_its_path(story):
    """truncate(2) closes nothing: the next walk sees it."""
    name = broapt_name()
    write_at_once(story.at(name), 2 * CHUNK)
    story.ends_with((name, 2 * CHUNK))
    os.truncate(story.at(name), len(CHUNK))
    story.carved.send(signal.SIGUSR2)
    story.ends_with((name, 2 * CHUNK), (name, CHUNK))


@told
def test_opened_to_write_without_writing(story):
    name = broapt_name()
    write_at_once(story.at(name), CHUNK)
    story.ends_with((name, CHUNK))
    for _ in range(3):
        os.close(descriptor(story.at(name), os.O_RDWR))
        story.ends_with((name, CHUNK))


@told
def test_touched(story):
    name = broapt_name()
    write_at_once(story.at(name), CHUNK)
    story.ends_with((name, CHUNK))
    subprocess.run(["touch", story.at(name)], check=True)
    story.ends_with((name, CHUNK))
    os.utime(story.at(name), (1, 1))
    story.ends_with((name, CHUNK))
    same(story.rows("f.mtime_ns"), [(10**9,)], "the row's time")


@told
def test_touched_while_somebody_has_it_open(story):
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


@told
def test_written_through_one_of_its_names(story):
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


@told
def test_touched_through_one_of_its_names(story):
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


@told
def test_replaced_with_the_old_one_closed_late(story):
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


@told
def test_unlinked_while_it_is_written(story):
    name = broapt_name()
    fd = begun(story.at(name))
    story.held(name)
    os.unlink(story.at(name))
    os.write(fd, CHUNK)
    os.close(fd)
    story.carved.until(lambda: story.rows() == [(os.fsencode(name), None, b"unscanned", None)],
                       "it vanished")
    same(story.rows("f.reason"), [(b"vanished",)], "the reason")


@told
def test_made_and_unlinked(story):
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


@told
def test_inode_used_again(story):
    """One name and, mostly, one inode number for file after file: each is a file of its own."""
    name = broapt_name()
    versions = []
    for i in range(8):
        content = b"file %d" % i
        write_at_once(story.at(name), content)
        versions.append((name, content))
        story.ends_with(*versions)
        os.unlink(story.at(name))


@told
def test_special_files(story):
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


@told
def test_copied_over(story):
    name = broapt_name()
    for content in (CHUNK, 2 * CHUNK):
        write_at_once(story.beside(name), content)
        subprocess.run(["cp", "-a", story.beside(name), story.at(name)], check=True)
        story.carved.until(lambda size=len(content): (size,) in story.rows("f.size"), "its version")
    story.ends_with((name, CHUNK), (name, 2 * CHUNK))


@told
def test_changed_while_it_is_hashed(story):
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


@told
def test_killed_writer(story):
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


def held_daemon(carved):
    """A detector that waits for each executable until something is written to the FIFO."""
    fifo = os.path.join(carved.home, "fifo")
    os.mkfifo(fifo)
    carved.write_config("workers: 1\ndetectors:\n  - { type: noop }\n  - { type: command, mime: ["
                        "application/x-dosexec], run: [/bin/sh, -c, "
                        f"'read line < {fifo}', sh, '{{path}}'], read: {fifo} }}\n")
    return fifo


def test_changed_while_a_detector_has_it():
    """What was said of the half that it saw is not announced."""
    with Carved() as carved:
        fifo = held_daemon(carved)
        carved.start()
        path = carved.put(broapt_name("application/x-dosexec", "exe"), CHUNK)
        held = carved.opened_to_read(fifo)
        append(path, CHUNK)
        os.unlink(fifo)
        os.mkfifo(fifo)
        os.write(held, b"\n")
        os.close(held)
        again = carved.opened_to_read(fifo)
        same(carved.sql("SELECT sha256 FROM file WHERE state = 'done'"), [], "what half of it is")
        os.write(again, b"\n")
        os.close(again)
        carved.wait_settled(1)
        same(carved.row(path, "state, sha256"), (b"done", digest(2 * CHUNK)), "its row")
        same(carved.sql("SELECT detector, count(*) FROM scan GROUP BY 1"),
             [(b"command", 1), (b"noop", 1)], "outcomes")


def test_a_doubt_outlives_the_daemon():
    """A write within a tick of the look leaves size and times as they were. Its close tells; but
    the daemon is killed before a worker could look, and a walk has no close to tell it."""
    with Carved() as carved:
        fifo = held_daemon(carved)
        carved.start()
        path = carved.put(broapt_name(), b"one")
        carved.wait_settled(1)
        carved.stop()
        before = os.stat(path)
        write_at_once(path, b"two")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        look_came_after(carved, path)
        carved.start()
        same(len(carved.sql("SELECT 1 FROM file")), 1, "versions, as far as a walk can tell")
        carved.put(broapt_name("application/x-dosexec", "exe"))
        held = carved.opened_to_read(fifo)
        os.close(descriptor(path, os.O_RDWR))
        carved.put(broapt_name())
        carved.wait_until("SELECT count(*) FROM file", [(3,)])
        carved.kill()
        os.close(held)
        os.unlink(fifo)
        os.mkfifo(fifo)
        carved.start()
        os.close(carved.opened_to_read(fifo))
        carved.until(lambda: carved.sql("SELECT sha256 FROM file WHERE path = CAST(? AS TEXT) "
                                        "AND state = 'done' ORDER BY id", path) ==
                     [(digest(b"one"),), (digest(b"two"),)], "both versions")


def test_written_through_a_mapping_whose_pages_are_writable_unasked():
    """tmpfs: a page that was read first is written to without a time telling; only the close does."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as root, Carved() as carved:
        carved.root = root
        carved.start()
        path = carved.put(broapt_name(), b"one")
        carved.wait_settled(1)
        carved.stop()
        before = os.stat(path)
        look_came_at(carved, time.time_ns())
        carved.start()
        with open(path, "r+b") as file, mmap.mmap(file.fileno(), 3) as memory:
            check(memory[:] == b"one", "what is mapped")
            memory[:] = b"two"
        if os.stat(path).st_ctime_ns != before.st_ctime_ns:
            raise Skip("this kernel sets the time")
        carved.until(lambda: carved.sql("SELECT sha256 FROM file WHERE state = 'done' ORDER BY id")
                     == [(digest(b"one"),), (digest(b"two"),)], "both versions")


def look_came_after(carved, path):
    """Makes the history say that the file's row was looked at just after its change time."""
    look_came_at(carved, os.stat(path).st_ctime_ns + 1)


def look_came_at(carved, ns):
    with contextlib.closing(sqlite3.connect(carved.history)) as history:
        history.execute("UPDATE version SET checked_ns = ?", (ns,))
        history.commit()


def test_nothing_else_happened():
    end()


def replace(path, other):
    """The file gets another place, and another file its old one."""
    to = path + b".txt"
    os.rename(path, to)
    os.rename(other, path)
    return to


def replace_by_new(path, _):
    to = path + b".txt"
    os.rename(path, to)
    with open(path, "wb") as file:
        file.write(b"new")
    return to


def exchange(path, other):
    trees.exchange(path, other)
    return other


def test_rewritten_and_gone_when_its_close_is_looked_at():
    """The path of the close leads to another file by then: what is known of the one that was written to is old."""
    count = scaled(60, 300)
    bad = [b"bad %06d" % number for number in range(3 * count)]
    with Carved(NOOP) as carved:
        carved.write_config(f"{NOOP}  - {{ type: hashlist, file: {carved.write_hashlist(*bad)} }}\n")
        files = [(carved.put(content=b"was %06d" % number), carved.put(content=b"other %d" % number))
                 for number in range(3 * count)]
        carved.start()
        carved.wait_settled(6 * count)
        last = {}
        for number, (path, other) in enumerate(files):
            before = os.stat(path)
            with open(path, "r+b") as file:
                file.write(bad[number])
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            last[(exchange, replace, replace_by_new)[number % 3](path, other)] = bad[number]
        carved.until(lambda: scenario.at_rest(carved.status()), "it comes to rest")
        for path, content in last.items():
            rows = carved.sql("SELECT sha256, verdict FROM file WHERE path = CAST(? AS TEXT) ORDER BY id", path)
            same(rows[-1:], [(hashlib.sha256(content).hexdigest().encode(), b"malicious")], f"the last row of {path!r}")


def test_written_by_a_new_link_before_that_has_its_row():
    """The older name holds another content too, of which nobody told there."""
    with Carved(NOOP).start() as carved:
        older = [carved.put(content=b"first %d" % number) for number in range(20)]
        carved.wait_settled(20)
        for number, path in enumerate(older):
            os.link(path, path + b".txt")
            with open(path + b".txt", "wb") as file:
                file.write(b"second %d" % number)
        carved.until(lambda: scenario.at_rest(carved.status()), "it comes to rest")
        for number, path in enumerate(older):
            content = hashlib.sha256(b"second %d" % number).hexdigest().encode()
            for name in (path, path + b".txt"):
                rows = carved.sql("SELECT sha256 FROM file WHERE path = CAST(? AS TEXT) ORDER BY id", name)
                same(rows[-1:], [(content,)], f"the last row of {name!r}")


if __name__ == "__main__":
    scenario.main()
