"""A disk that is full, fails, or is taken away; a history that others lock, hold or change; file systems
whose clocks are coarse. What cannot be written is held and written later, once; what to mend is said; and
what cannot be held is found again.
"""
import contextlib
import fcntl
import hashlib
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import time

import scenario
import steps
from mounting import ext4_image, mounted, run
from scenario import NOOP, Carved, Skip, broapt_name, check, command, same, scaled

TWICE = "SELECT path, sha256, count(*) FROM file GROUP BY 1, 2 HAVING count(*) > 1"


@contextlib.contextmanager
def disk(carved, target, *options):
    """An ext4 file system of its own over target."""
    with mounted(target, "-o", "loop", ext4_image(carved, 24, *options)):
        yield


def said(carved, *words):
    """Waits until the log has all these words."""
    carved.until(lambda: all(word in carved.stderr() for word in words), f"the log says {words}")


def trouble(carved):
    done = command("status", "--json", "--history", carved.history)
    return json.loads(done.stdout)["trouble"] if done.returncode == 0 else None


def check_all(carved, paths):
    """Each path has one row, done, and one outcome; nothing is twice."""
    carved.wait_until("SELECT count(*) FROM file WHERE state = 'done'",
                      lambda rows: rows and rows[0][0] >= len(paths))
    same(sorted(carved.sql("SELECT path FROM file")), sorted((path,) for path in paths), "the paths")
    same(carved.sql(TWICE), [], "versions that are there twice")
    same(carved.sql("SELECT count(*), count(DISTINCT file_id) FROM scan"), [(len(paths), len(paths))],
         "outcomes")
    same(carved.sql("PRAGMA integrity_check"), [(b"ok",)], "integrity_check")


def fill(directory):
    """Takes all the room that is left there; the file to be removed."""
    path = os.path.join(directory, "ballast")
    with open(path, "wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(bytes(1 << 16))
        with contextlib.suppress(OSError):
            while True:
                file.write(bytes(512))
    return path


def test_a_full_disk_is_waited_for():
    files = scaled(3000, 50000)
    with Carved(NOOP) as carved, mounted(carved.state, "-t", "tmpfs", "-o", scaled("size=40m", "size=400m"), "none"):
        carved.start()
        paths = [carved.put() for _ in range(50)]
        carved.wait_settled(50)
        ballast = fill(carved.state)
        for _ in range(files):
            paths.append(carved.put())
        # what the log's file has room for already still goes in
        said(carved, b"the disk is full: free some space", b"everything is held")
        full = trouble(carved)
        check(full and "disk is full" in full, f"status says {full!r}")
        held = carved.memory()
        done = carved.sql("SELECT count(*) FROM file WHERE state = 'done'")[0][0]
        check(done < len(paths), "it was never full")
        freed_ns = time.time_ns()
        os.unlink(ballast)
        check_all(carved, paths)
        said(carved, b"the history can be written again")
        same(trouble(carved), None, "trouble")
        before = carved.sql(f"SELECT count(*) FROM scan WHERE started_ns < {freed_ns}")[0][0]
        check(before > done, "no answer was held: all that were missing have been asked for again")
        print(f"        {len(paths)} files, {done} before it was full, {before - done} answers held, "
              f"{held} KiB meanwhile", flush=True)
        carved.stop()


def test_started_on_a_full_disk_it_says_so_or_waits():
    with Carved(NOOP) as carved, mounted(carved.state, "-t", "tmpfs", "-o", "size=2m", "none"):
        carved.start()
        paths = [carved.put()]
        carved.wait_settled(1)
        carved.stop()
        ballast = fill(carved.state)
        paths += [carved.put() for _ in range(400)]
        carved.start(ready=False)
        # a supervisor starts it again and again
        while carved.ended(0.5):
            same(carved.wait(), 3, "exit status")
            said(carved, b"space")
            if ballast:
                os.unlink(ballast)
                ballast = None
            carved.start(ready=False)
        if ballast:
            os.unlink(ballast)
        check_all(carved, paths)
        carved.stop()


def test_writes_that_fail_for_a_while():
    """Whatever the error, at whatever call: held, said, written later, once. The start takes 9 to 12 calls, and may fail of
    the last of them; the store has made the 16th when there are answers."""
    steps.need_strace()
    held = b"everything is held"
    faults = [("pwrite64", "ENOSPC", (b"the disk is full", held)),
              ("pwrite64", "EDQUOT", (b"the disk quota is used up", held)),
              ("pwrite64", "EROFS", (b"the file system is read-only", held)),
              ("pwrite64", "EIO", (b"I/O error", held)), ("fdatasync", "EIO", ()),
              ("fdatasync", "ENOSPC", ()), ("ftruncate", "EIO", ())]
    with Carved("rescan_interval: 1s\n" + NOOP) as carved:
        paths = [carved.put(f"{number % 3}/{broapt_name()}", b"%d" % number)
                 for number in range(scaled(150, 500))]
        for call, error, words in faults:
            before = len(carved.stderr())
            for first in scaled((16 if words else 1,), (1, 3, 8, 12, 16, 20)):
                shutil.rmtree(carved.state)
                os.mkdir(carved.state)
                carved.start()   # what makes the history may fail and say so
                carved.stop()
                carved.start(before=steps.inject(call, f"{first}..{first + scaled(1, 4)}", f"error={error}"),
                             env=steps.environment(), ready=False)
                more = carved.put("more/" + broapt_name(), b"more")
                try:
                    check_all(carved, paths + [more])
                except scenario.Failed:
                    # at the very start it may end, and say why; a supervisor starts it again
                    if not carved.ended(0):
                        raise
                    same(carved.wait(), 3, "exit status")
                    carved.start()
                    check_all(carved, paths + [more])
                carved.stop()
                os.unlink(more)
            for word in words:
                check(word in carved.stderr()[before:], f"{call} {error}: the log has no {word!r}")


def test_a_file_size_limit_is_no_death():
    with Carved(NOOP) as carved:
        carved.start()
        paths = [carved.put()]
        carved.wait_settled(1)
        limits = resource.prlimit(carved.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(carved.process.pid, resource.RLIMIT_FSIZE, (5000, limits[1]))
        paths += [carved.put() for _ in range(50)]
        said(carved, b"everything is held")
        resource.prlimit(carved.process.pid, resource.RLIMIT_FSIZE, limits)
        check_all(carved, paths)
        carved.stop()


def test_a_disk_that_becomes_read_only():
    with Carved("stop_grace: 100ms\n" + NOOP) as carved, disk(carved, carved.state):
        carved.start()
        paths = [carved.put() for _ in range(5)]
        carved.wait_settled(5)
        # as after an error of the disk: what was open for writing stays open, and fails
        if run("mount", "-o", "remount,abort", carved.state).returncode:
            raise Skip("the file system cannot be made to fail")
        paths += [carved.put() for _ in range(20)]
        said(carved, b"everything is held")
        carved.send(signal.SIGTERM)
        same(carved.wait(), 0, "exit status")
        carved.start(ready=False)
        same(carved.wait(), 3, "exit status on a read-only disk")
        said(carved, b"ead-only file system")
        run("umount", carved.state)
        same(run("mount", "-o", "loop", os.path.join(carved.home, "disk.img"), carved.state).returncode, 0,
             "mount")
        carved.start()
        check_all(carved, paths)
        carved.stop()


def test_an_analyst_who_keeps_it_locked():
    with Carved(NOOP) as carved:
        carved.start()
        paths = [carved.put()]
        carved.wait_settled(1)
        with contextlib.closing(sqlite3.connect(carved.history, isolation_level=None)) as analyst:
            analyst.execute("BEGIN EXCLUSIVE")
            until = time.monotonic() + scaled(1.5, 60)
            paths += [carved.put() for _ in range(200)]
            said(carved, b"another process keeps it locked")
            while time.monotonic() < until and not carved.ended(0.1):
                paths.append(carved.put())
            same(analyst.execute("SELECT count(*) FROM version").fetchone(), (1,), "rows meanwhile")
            analyst.execute("COMMIT")
        check_all(carved, paths)
        said(carved, b"the history can be written again")
        carved.stop()


def second(carved, *before, history=None):
    """Another daemon on the same history: its exit status and words."""
    done = subprocess.run([*before, carved.binary, "run", "--once", "-c", carved.config_path, "--history",
                           history or carved.history, carved.root], check=False, capture_output=True,
                          env=scenario.clean_environment(), timeout=scenario.PATIENCE)
    return done.returncode, done.stderr


def test_a_second_daemon_is_refused_by_whatever_name_it_comes():
    with Carved(NOOP) as carved:
        carved.start()
        carved.put()
        carved.wait_settled(1)
        pid = str(carved.process.pid).encode()
        link = os.path.join(carved.home, "link.db")
        os.symlink(carved.history, link)
        code, words = second(carved, history=link)
        check(code == 3 and pid in words, f"by a symbolic link: {code} {words!r}")
        hard = os.path.join(carved.state, "hard.db")
        os.link(carved.history, hard)
        code, words = second(carved, history=hard)
        check(code == 3 and b"hard links" in words, f"by a hard link: {code} {words!r}")
        os.unlink(hard)
        container = ("unshare", "-pf", "--mount-proc")    # not to be had where "/" is no mount
        if subprocess.run([*container, "true"], check=False, capture_output=True).returncode == 0:
            code, words = second(carved, *container)
            check(code == 3 and b"another carved" in words, f"from another container: {code} {words!r}")
        os.unlink(carved.history + ".lock")
        code, words = second(carved)
        check(code == 3 and b"another carved" in words, f"with the lock file removed: {code} {words!r}")
        carved.stop()


def test_a_second_daemon_is_refused_by_bind_mounts():
    with Carved(NOOP) as carved:
        carved.start()
        carved.put()
        carved.wait_settled(1)
        other = os.path.join(carved.home, "other")
        os.mkdir(other)
        with mounted(other, "--bind", carved.state):
            code, words = second(carved, history=os.path.join(other, "history.db"))
            check(code == 3 and b"another carved" in words, f"the directory: {code} {words!r}")
        single = os.path.join(other, "single.db")
        with open(single, "wb"):
            pass
        with mounted(single, "--bind", carved.history):
            code, words = second(carved, history=single)
            check(code == 3 and b"another name" in words, f"the file: {code} {words!r}")
        carved.put()
        carved.wait_settled(2)
        carved.stop()


def take_away(carved, name):
    os.rename(name, os.path.join(carved.home, "away"))


def test_a_history_that_is_moved_and_comes_back():
    with Carved("rescan_interval: 60s\n" + NOOP) as carved:
        carved.start()
        paths = [carved.put()]
        carved.wait_settled(1)
        for name in (carved.history, carved.history + "-wal", carved.history + "-shm", carved.state):
            before = len(carved.stderr())
            take_away(carved, name)
            paths.append(carved.put())
            carved.until(lambda before=before: b"moved, removed or replaced" in carved.stderr()[before:],
                         f"{name} is missed")
            os.rename(os.path.join(carved.home, "away"), name)
            carved.until(lambda before=before: b"can be written again" in carved.stderr()[before:],
                         f"{name} is back")
        check_all(carved, paths)
        carved.stop()


def test_a_history_that_does_not_come_back():
    with Carved("rescan_interval: 100ms\n" + NOOP) as carved:
        paths = [carved.put() for _ in range(5)]
        for name in ("history.db", "history.db-wal", "history.db-shm"):
            carved.start()
            carved.wait_settled(len(paths))
            os.unlink(os.path.join(carved.state, name))
            paths.append(carved.put())
            same(carved.wait(), 3, f"exit status without {name}")
            said(carved, b"ending, to be started again")
        carved.start()   # a supervisor does
        check_all(carved, paths)
        carved.stop()


def test_an_index_that_is_cut_short_under_it():
    """The -shm is a shared map: nothing can be done for who has it, but to start again."""
    with Carved(NOOP) as carved:
        carved.start()
        paths = [carved.put()]
        carved.wait_settled(1)
        os.truncate(carved.history + "-shm", 0)
        paths.append(carved.put())
        check(carved.ended(scenario.PATIENCE), "it goes on with an index that is not there")
        check(carved.wait() != 0, "exit status")
        with open(carved.stderr_path, "wb"):
            pass   # where a sanitizer has told of the signal
        carved.start()
        check_all(carved, paths)
        carved.stop()


def refused(carved, *words):
    before = len(carved.stderr())
    carved.start(ready=False)
    same(carved.wait(), 3, "exit status")
    text = carved.stderr()[before:]
    for word in (os.path.basename(carved.history).encode(), *words):
        check(word in text, f"{word!r} is not said: {text!r}")


def spoil(path, at, data):
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)


def test_histories_that_cannot_be_used_are_left_as_they_are():
    with Carved(NOOP) as carved:
        carved.start()
        paths = [carved.put()]
        carved.wait_settled(1)
        carved.stop()
        carved.start()
        paths.append(carved.put())
        carved.wait_settled(2)
        carved.kill()   # the log holds what a checkpoint would write into the history
        kept = os.path.join(carved.home, "kept")
        shutil.copytree(carved.state, kept, ignore=shutil.ignore_patterns("*.sock"))
        for at, data, words in ((0, b"garbage" * 20, b"not an SQLite database"),
                                (60, (99).to_bytes(4, "big"), b"newer"),
                                (68, b"ABCD", b"another application"),
                                (100, b"\xff" * 8000, b"corrupt")):
            spoil(carved.history, at, data)
            with open(carved.history, "rb") as file:
                before = file.read()
            refused(carved, words)
            with open(carved.history, "rb") as file:
                same(file.read() == before, True, "it was left as it is")
            shutil.rmtree(carved.state)
            shutil.copytree(kept, carved.state)
        carved.start()
        check_all(carved, paths)
        carved.stop()


def test_a_history_that_may_not_be_written():
    if os.geteuid() != 0:
        raise Skip("only root can run a daemon as somebody else")
    with Carved(NOOP, user=65534) as carved:
        carved.start()
        carved.put()
        carved.wait_settled(1)
        carved.stop()
        os.chown(carved.history, 0, 0)
        refused(carved, b"ermission")
        os.chown(carved.history, 65534, 65534)
        os.chmod(carved.state, 0o555)
        carved.start(ready=False)   # all that it needs is there but the socket, which is made anew
        same(carved.wait(), 3, "exit status")
        check(b"ermission" in carved.stderr(), "what is wrong is said")
        os.chmod(carved.state, 0o755)
        carved.start()
        carved.put()
        carved.wait_settled(2)
        carved.stop()


def test_a_log_that_cannot_be_written_stops_nobody():
    with Carved(NOOP) as carved:
        carved.write_config("detectors:\n  - { type: hashlist, file: %s }\n" % carved.write_hashlist(b"bad"))
        for log in ("/dev/full", "a closed pipe"):
            shutil.rmtree(carved.state)
            os.mkdir(carved.state)
            if log == "/dev/full":
                words = os.open(log, os.O_WRONLY)
            else:
                reader, words = os.pipe()
                os.close(reader)
            daemon = subprocess.Popen(
                [carved.binary, "run", "-c", carved.config_path, "--history", carved.history,
                 carved.root], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=words,
                env=scenario.clean_environment())
            os.close(words)
            try:
                last = carved.put(content=b"bad")
                carved.wait_until("SELECT count(*) FROM file WHERE verdict = 'malicious' AND path = "
                                  f"CAST(x'{last.hex()}' AS TEXT)", [(1,)])
            finally:
                daemon.terminate()
            same(daemon.wait(scenario.PATIENCE), 0, f"exit status with {log}")


def test_a_root_that_comes_to_hold_the_history_takes_no_lock_away():
    with Carved(NOOP + "unmatched: scan\n") as carved:
        real = carved.root + ".real"
        os.rename(carved.root, real)
        os.symlink(real, carved.root)
        carved.start()
        carved.put()
        carved.wait_settled(1)
        with open(os.path.join(carved.state, "other"), "wb") as file:
            file.write(b"something else that lies there")
        os.unlink(carved.root)
        os.symlink(carved.state, carved.root)
        carved.wait_until("SELECT count(*) FROM file WHERE state = 'done' AND path LIKE '%/other'", [(1,)])
        with contextlib.closing(sqlite3.connect(carved.history, isolation_level=None)) as analyst:
            try:
                mode = analyst.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
            except sqlite3.OperationalError as error:
                mode = str(error)
        check("locked" in mode, f"an analyst turned the log of a running daemon off: {mode}")
        carved.wait_until("SELECT count(*) FROM file WHERE path LIKE '%history.db%'", [(1,)])  # the socket
        carved.stop()


def unread(carved, stream, *words):
    """A daemon whose stdout or stderr is a full pipe that nobody reads; ends it with TERM."""
    reader, full = os.pipe()
    fcntl.fcntl(full, fcntl.F_SETPIPE_SZ, 4096)
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: full}
    daemon = subprocess.Popen(
        [carved.binary, "run", *words, "-c", carved.config_path, "--history", carved.history,
         carved.root], stdin=subprocess.DEVNULL, env=scenario.clean_environment(), **streams)
    os.close(full)
    try:
        yield daemon
        daemon.terminate()
        same(daemon.wait(scenario.PATIENCE), 0, "exit status")
    finally:
        daemon.kill()
        daemon.wait()
        os.close(reader)


def test_a_log_that_nobody_reads_holds_nobody_up():
    with Carved(NOOP) as carved:
        with contextlib.contextmanager(unread)(carved, "stderr", "-v"):
            for _ in range(200):
                carved.put()
            carved.wait_until("SELECT count(*) FROM file WHERE state = 'done'", [(200,)])


def test_json_that_nobody_reads_keeps_nobody_from_ending():
    with Carved(NOOP + "stop_grace: 100ms\n") as carved:
        with contextlib.contextmanager(unread)(carved, "stdout", "--json"):
            for _ in range(200):
                carved.put()
            carved.wait_until("SELECT count(*) >= 20 FROM file WHERE state = 'done'", [(1,)])
        carved.start()  # and nothing was lost by that
        carved.wait_until("SELECT count(*) FROM file WHERE state = 'done'", [(200,)])
        carved.stop()


# ---- coarse clocks ----

def within_one_second(deed):
    """Runs deed at the beginning of a second, and again until it has ended in the same."""
    while True:
        now = time.time()
        time.sleep(1.02 - now % 1)
        began = int(time.time())
        deed()
        if int(time.time()) == began:
            return


def test_two_contents_of_one_second_where_times_are_whole_seconds():
    """ext4 with small inodes has neither nanoseconds nor times of birth."""
    with Carved(NOOP) as carved, disk(carved, carved.root, "-I", "128"):
        probe = carved.put("probe", b"x")
        same(os.stat(probe).st_ctime_ns % 10**9, 0, "nanoseconds")
        os.unlink(probe)
        carved.start()
        seen = []

        def twice():
            path = carved.put(content=b"one")
            carved.wait_until(f"SELECT state FROM file WHERE path = CAST(x'{path.hex()}' AS TEXT)",
                              [(b"done",)])
            with open(path, "r+b") as file:
                file.write(b"two")
            seen.append(path)
        within_one_second(twice)
        path = seen[-1]
        carved.wait_until("SELECT count(*), count(DISTINCT sha256) FROM file WHERE state = 'done' AND "
                          f"path = CAST(x'{path.hex()}' AS TEXT)", [(2, 2)])
        carved.stop()


def test_a_walk_finds_the_second_content_of_one_second():
    with Carved(NOOP) as carved, disk(carved, carved.root, "-I", "128"):
        carved.start()
        seen = []

        def twice():
            path = carved.put(content=b"one")
            carved.wait_until(f"SELECT state FROM file WHERE path = CAST(x'{path.hex()}' AS TEXT)",
                              [(b"done",)])
            carved.kill()
            with open(path, "r+b") as file:
                file.write(b"two")
            seen.append(path)
            carved.start()
        within_one_second(twice)
        carved.wait_until("SELECT count(*), count(DISTINCT sha256) FROM file WHERE state = 'done' AND "
                          f"path = CAST(x'{seen[-1].hex()}' AS TEXT)", [(2, 2)])
        carved.stop()


# ---- inodes and devices ----

def reuse_inode(carved, options, by_rename):
    """A file goes, and another one of its size, time and inode number comes: both are seen."""
    with disk(carved, carved.root, *options):
        below = carved.path_of("below")
        os.mkdir(below)
        carved.start(roots=[below])
        made = []
        for attempt in range(20):
            path = carved.put(f"below/{broapt_name()}", b"one")
            carved.wait_until(f"SELECT state FROM file WHERE path = CAST(x'{path.hex()}' AS TEXT)",
                              [(b"done",)])
            before = os.stat(path)
            os.unlink(path)
            place = carved.path_of("beside") if by_rename else path
            with open(place, "wb") as file:
                file.write(b"two")
                file.flush()
                os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
                made.append(carved.path_of(f"below/{broapt_name()}") if by_rename else path)
            if by_rename:
                os.rename(place, made[-1])
            if os.stat(made[-1]).st_ino == before.st_ino:
                break
            check(attempt < 19, "no inode number is used again")
        digest = hashlib.sha256(b"two").hexdigest()
        carved.wait_until(f"SELECT count(*) FROM file WHERE state = 'done' AND sha256 = '{digest}' AND "
                          f"path = CAST(x'{made[-1].hex()}' AS TEXT)", [(1,)])
        carved.stop()


def test_an_inode_number_that_is_used_again_is_another_file():
    for options in ((), ("-I", "128")):   # with times of birth, and without
        for by_rename in (False, True):
            with Carved(NOOP) as carved:
                reuse_inode(carved, options, by_rename)


def test_the_same_file_system_under_another_device_number():
    with Carved(NOOP) as carved:
        with disk(carved, carved.root):
            carved.start()
            paths = [carved.put() for _ in range(5)]
            carved.wait_settled(5)
            carved.stop()
            first = os.stat(carved.root).st_dev
        blocker = os.path.join(carved.home, "blocker")
        with open(blocker, "wb") as file:
            file.truncate(1 << 20)
        loop = run("losetup", "-f", "--show", blocker).stdout.decode().strip()
        if not loop:
            raise Skip("no loop device is left")
        try:
            with mounted(carved.root, "-o", "loop", os.path.join(carved.home, "disk.img")):
                if os.stat(carved.root).st_dev == first:
                    raise Skip("the device got the same number again")
                carved.start()
                paths.append(carved.put())
                check_all(carved, paths)
                carved.stop()
        finally:
            run("losetup", "-d", loop)


if __name__ == "__main__":
    scenario.main()
