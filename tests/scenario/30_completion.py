"""When is a file complete? Each way in which producers write: what is recorded is whole, once, and
never a part while somebody has the file open. 30_settling.py tells where leases do not work."""
import hashlib
import mmap
import os
import shutil
import signal
import subprocess
import uuid

import scenario
from scenario import Carved, Skip, broapt_name, check, fuid, same
from story import (CHUNK, LIBC, SIZE, Story, append, begun, descriptor, digest, end, told,
                   write_at_once, zeek_name)

AT_FDCWD, AT_SYMLINK_FOLLOW = -100, 0x400


@told
def test_closed(story):
    name = broapt_name()
    fd = begun(story.at(name))
    story.held(name)
    story.ends_by(fd, name)


@told
def test_moved_in(story):
    name = broapt_name()
    write_at_once(story.beside(name), CHUNK)
    os.rename(story.beside(name), story.at(name))
    story.ends_with((name, CHUNK))


@told
def test_moved_in_while_it_is_written(story):
    name = broapt_name()
    fd = begun(story.beside(name))
    os.rename(story.beside(name), story.at(name))
    story.held(name)
    story.ends_by(fd, name)


@told
def test_renamed_while_it_is_written(story):
    first, second = broapt_name(), broapt_name()
    fd = begun(story.at(first))
    story.held(first)
    os.rename(story.at(first), story.at(second))
    story.held(second)
    story.ends_by(fd, second)


@told
def test_moved_in_from_another_file_system(story):
    if os.stat("/dev/shm").st_dev == os.stat(story.top).st_dev:
        raise Skip("/dev/shm is the same file system")
    name = broapt_name()
    source = os.path.join("/dev/shm", f"carved-{uuid.uuid4()}")
    write_at_once(source, 1000 * CHUNK)
    subprocess.run(["mv", source, story.at(name)], check=True)
    story.ends_with((name, 1000 * CHUNK))


@told
def test_linked(story):
    name = broapt_name()
    write_at_once(story.beside(name), CHUNK)
    os.link(story.beside(name), story.at(name))
    story.ends_with((name, CHUNK))


@told
def test_linked_while_it_is_written(story):
    name = broapt_name()
    fd = begun(story.beside(name))
    os.link(story.beside(name), story.at(name))
    story.held(name)
    os.write(fd, CHUNK)
    os.close(fd)  # told outside only
    os.utime(story.at(name))
    story.carved.send(signal.SIGUSR2)
    story.ends_with((name, 2 * CHUNK))


@told
def test_made_without_a_name(story):
    name = broapt_name()
    fd = begun(story.top, os.O_WRONLY | os.O_TMPFILE)
    story.barrier()
    done = LIBC.linkat(AT_FDCWD, b"/proc/self/fd/%d" % fd, AT_FDCWD, os.fsencode(story.at(name)),
                       AT_SYMLINK_FOLLOW)
    same(done, 0, "linkat")
    story.held(name)
    story.ends_by(fd, name)


@told
def test_appended_again_and_again(story):
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


@told
def test_closed_by_one_of_two_writers(story):
    name = broapt_name()
    one = descriptor(story.at(name))
    two = descriptor(story.at(name), os.O_WRONLY)
    os.write(one, CHUNK)
    os.close(one)
    story.held(name)
    os.pwrite(two, CHUNK, len(CHUNK))
    os.close(two)
    story.ends_with((name, 2 * CHUNK))


@told
def test_held_by_a_child(story):
    """One description in two processes: it is closed when the last of them has closed it."""
    name = broapt_name()
    release, wait = os.pipe()
    fd = begun(story.at(name))
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


@told
def test_written_through_a_mapping(story):
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


@told
def test_holes(story):
    """Zeek seeks over gaps of what it saw."""
    name = zeek_name()
    fd = descriptor(story.at(name))
    os.pwrite(fd, CHUNK, 100000)
    os.close(fd)
    empty = f"extract-1258867934.5-ZIP-{fuid()}"
    write_at_once(story.at(empty), b"")
    story.ends_with((name, bytes(100000) + CHUNK), (empty, b""))


@told
def test_installed(story):
    """install -m changes the mode after it has closed the file."""
    name = broapt_name()
    write_at_once(story.beside(name), CHUNK)
    subprocess.run(["install", "-m", "600", story.beside(name), story.at(name)], check=True)
    story.ends_with((name, CHUNK))


@told
def test_as_rsync_does(story):
    """A temporary beside it, closed, then renamed: the temporary is no file of its own."""
    name = broapt_name()
    temporary = f".{name}.Ab3dEf"
    fd = begun(story.at(temporary))
    story.barrier()
    os.close(fd)
    os.utime(story.at(temporary), (1, 1))
    story.barrier()
    os.rename(story.at(temporary), story.at(name))
    story.ends_with((name, CHUNK))


@told
def test_as_suricata_does(story):
    """Open, append, close for each chunk in tmp/, then the rename to the digest's place; a
    duplicate is told by the times of the first, and its temporary goes."""
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


@told
def test_as_security_onion_does(story):
    """Stage one is copied to its complete name, and removed."""
    first = f"HTTP-{fuid()}.exe"
    second = f"complete/{first[:-4]}-{hashlib.md5(CHUNK).hexdigest()}.exe"
    os.mkdir(story.at("complete"))
    write_at_once(story.at(first), CHUNK)
    shutil.copyfile(story.at(first), story.at(second))
    os.unlink(story.at(first))
    base = os.fsencode(os.path.basename(second))
    story.carved.until(lambda: (base, digest(CHUNK), b"done", b"clean") in story.rows(), "its copy")


@told
def test_closes_that_were_one_event(story):
    """The kernel tells six closes of one file as one when nobody reads in between."""
    name = broapt_name()
    story.carved.send(signal.SIGSTOP)
    for _ in range(6):
        append(story.at(name), CHUNK)
    story.carved.send(signal.SIGCONT)
    story.ends_with((name, 6 * CHUNK))


def test_found_by_the_walk_while_they_are_written():
    """The daemon starts while files are open, mapped, and half moved in."""
    with Carved(SIZE) as carved:
        story = Story(carved, "before")
        opened, mapped, linked = (broapt_name() for _ in range(3))
        held = [descriptor(story.at(opened)), descriptor(story.beside(linked))]
        for fd in held:
            os.write(fd, CHUNK)
        os.link(story.beside(linked), story.at(linked))
        fd = descriptor(story.at(mapped), os.O_RDWR | os.O_CREAT)
        os.ftruncate(fd, 4096)
        memory = mmap.mmap(fd, 4096)
        os.close(fd)
        carved.start()
        for name in (opened, mapped, linked):
            story.held(name)
        memory[:5] = b"whole"
        memory.close()
        for fd in held:
            os.write(fd, CHUNK)
            os.close(fd)
        story.ends_with((opened, 2 * CHUNK), (mapped, b"whole".ljust(4096, b"\0")),
                        (linked, 2 * CHUNK))
        same([root["writers"] for root in carved.status()["roots"]], ["lease"], "status")


def test_nothing_else_happened():
    end()


if __name__ == "__main__":
    scenario.main()
