"""What the scenarios about mounts share: a mount namespace of their own, and mounts that end.

enter() tells the scenario anew in a namespace whose mounts are seen nowhere else, and goes with the
process. Where none is to be had every test is skipped.
"""
import contextlib
import ctypes
import errno
import os
import shutil
import subprocess
import sys

import scenario
from scenario import Skip, files_below

MS_BIND, MS_MOVE = 4096, 8192
MNT_DETACH = 2
LIBC = ctypes.CDLL(None, use_errno=True)


def enter():
    """Goes on in a mount namespace of its own; to be called before scenario.main()."""
    if os.environ.get("CARVED_OWN_MOUNTS"):
        return
    words = ["unshare", "--mount", "--propagation", "private"]
    if subprocess.run([*words, "true"], check=False, stderr=subprocess.DEVNULL).returncode == 0:
        os.environ["CARVED_OWN_MOUNTS"] = "yes"
        os.execvp(words[0], [*words, sys.executable, "-B", *sys.argv])


def mount(source, target, kind=None, flags=0, options=None):
    """mount(2)."""
    words = [None if word is None else os.fsencode(word) for word in (source, target, kind)]
    data = None if options is None else os.fsencode(options)
    if LIBC.mount(*words, ctypes.c_ulong(flags), data) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), os.fspath(target))


def umount(target, flags=0):
    """umount2(2)."""
    if LIBC.umount2(os.fsencode(target), flags) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), os.fspath(target))


def run(*words):
    return subprocess.run(words, check=False, capture_output=True)


def ext4_image(carved, mib, *options):
    """A file with an empty ext4 file system of that size beside the daemon's places; its path."""
    image = os.path.join(carved.home, "disk.img")
    with open(image, "wb") as file:
        file.truncate(mib << 20)
    mkfs = shutil.which("mkfs.ext4", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not mkfs or run(mkfs, "-q", "-F", *options, image).returncode:
        raise Skip("mkfs.ext4 (package e2fsprogs) makes no such file system here")
    return image


@contextlib.contextmanager
def mounted(target, *words):
    """A mount over target by mount(8), gone at the end; where it is to be seen by programs that are started."""
    done = run("mount", *words, target)
    if done.returncode:
        raise Skip(f"cannot mount here: {done.stderr.decode(errors='replace').strip()}")
    try:
        yield
    finally:
        run("umount", "-l", target)


class Mounts:
    """Mounts that are gone at the end of a "with", in whatever order they were made."""

    def __init__(self):
        if not os.environ.get("CARVED_OWN_MOUNTS"):
            raise Skip("no mount namespace of its own (unshare --mount)")
        self.targets = []

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for target in reversed(self.targets):
            try:
                umount(target, MNT_DETACH)
            except OSError as error:
                if error.errno not in (errno.EINVAL, errno.ENOENT):
                    raise

    def add(self, source, target, kind=None, flags=0, options=None):
        os.makedirs(target, exist_ok=True)
        try:
            mount(source, target, kind, flags, options)
        except OSError as error:
            if error.errno in (errno.EPERM, errno.ENODEV):
                raise Skip(f"no mount of {kind or 'a directory'}: {error}") from None
            raise
        self.targets.append(target)
        return target

    def tmpfs(self, target):
        return self.add("tmpfs", target, "tmpfs")

    def bind(self, source, target):
        if os.path.isdir(source):
            return self.add(source, target, flags=MS_BIND)
        mount(source, target, flags=MS_BIND)
        self.targets.append(target)
        return target


def at_rest(carved):
    """Waits until the daemon has nothing to do; its status then."""
    def resting():
        status = carved.status()
        return status if scenario.at_rest(status, "recorded") else None
    return carved.until(resting, "the daemon rests")


def leave(carved, target):
    """A plain umount while the daemon idles: nothing of it keeps the mount busy."""
    at_rest(carved)
    umount(target)


def leave_in_the_end(carved, target):
    """A plain umount, tried again while the daemon works; how often that took."""
    tries = [0]

    def gone():
        tries[0] += 1
        try:
            umount(target)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            return False
        return True
    carved.until(gone, f"{target} can be unmounted")
    return tries[0]


def gaps(carved, cause):
    """(opened, closed) gaps of that cause."""
    return carved.sql("SELECT count(*), count(closed_ns) FROM gap WHERE cause = ?", cause)[0]


def wait_for_gap(carved, cause, seen=0):
    """Waits until more gaps of that cause than were seen were opened, and all are closed; how many."""
    def closed():
        opened, ended = gaps(carved, cause) if os.path.exists(carved.history) else (0, 0)
        return opened if opened > seen and opened == ended else None
    return carved.until(closed, f"a gap {cause!r} is opened and closed; now {gaps(carved, cause)}")


def wait_done(carved, *paths):
    """Waits until each path has exactly one version, which is done."""
    for path in paths:
        carved.until(lambda path=path: carved.sql(
            "SELECT state FROM file WHERE path = CAST(? AS TEXT)", os.fsencode(path)) == [(b"done",)],
            f"{path!r} has one version, which is done")


def wait_rows_are_files(carved, root, besides=()):
    """Waits until each file below root has one row that is done, and nothing else has one but besides."""
    expected = files_below(root) | {os.fsencode(path) for path in besides}

    def equal():
        rows = carved.sql("SELECT CAST(path AS BLOB), state FROM file")
        return len(rows) == len(expected) and \
            {path for path, state in rows if state == b"done"} == expected
    carved.until(equal, f"rows are files: {carved.sql('SELECT path, state, reason FROM file')} "
                 f"and {sorted(expected)}")


def way(carved, index=0):
    """(mode, reason) of a root as carved status tells it."""
    root = carved.status()["roots"][index]
    return root["mode"], root["reason"]


def wait_way(carved, mode, words="", index=0):
    """Waits until a root has that mode, for a reason with these words in it."""
    def is_so():
        got, reason = way(carved, index)
        return got == mode and words in (reason or "")
    carved.until(is_so, f"root {index} is {mode!r}, {words!r}; it is {way(carved, index)}")
