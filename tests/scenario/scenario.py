"""What the scenarios share: the real daemon in a directory of its own, files as producers name them,
and a runner.

A scenario is a file NN_story.py with functions test_*(), run in order, each printing one line. It ends
with scenario.main(). Exit 0: all held; 1: one did not; 77: none could run, for the reason printed.
The binary is $CARVED, or what --carved names. Nothing here waits blindly: every wait ends when its
condition holds or when the daemon ends, and fails when its time is up.
"""
import hashlib
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import sqlite3
import string
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse
import uuid

import oracle
import proc

# In two halves, so that this file is not what it is about: the EICAR test file, 68 bytes.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" + rb"ANTIVIRUS-TEST-FILE!$H+H*"
SANITIZER = re.compile(rb"ERROR: [A-Za-z]+Sanitizer|runtime error:|WARNING: ThreadSanitizer")
PATIENCE = 240.0  # seconds; generous, for sanitizers on a loaded machine
PAUSE = 0.02

NOOP = "detectors:\n  - { type: noop }\n"

running = None  # the name of the test that runs now


class Skip(Exception):
    """This cannot be tried here; the text says why."""


class Failed(Exception):
    """The scenario does not hold; the text says what is."""


def check(condition, words):
    if not condition:
        raise Failed(words)


def same(got, expected, words):
    check(got == expected, f"{words}: {got!r}, not {expected!r}")


def scaled(small, full):
    """A size: the full one when $CARVED_FULL asks for it, else one that fits into minutes."""
    return full if os.environ.get("CARVED_FULL") else small


def letters(count):
    return "".join(random.choice(string.ascii_letters + string.digits) for _ in range(count))


def fuid():
    return "F" + letters(17)


def broapt_name(mime="application/pdf", extension="pdf"):
    media, subtype = mime.split("/")
    return f"HTTP-{fuid()}.monday-{uuid.uuid4()}.{media}.{subtype}.{extension}"


def names():
    """One fresh name of each scheme: scheme word -> name (Suricata's has a directory)."""
    content = hashlib.sha256(os.urandom(8)).hexdigest()
    parts = [str(random.randrange(1000, 99999)), "HTTP", "C" + letters(17), fuid(), "192.0.2.7",
             "198.51.100.9", "text%2Fplain", ""]
    return {
        "broapt": broapt_name(),
        "zeek": f"extract-1258867934.558264-HTTP-{fuid()}",
        "malcolm": f"SSL-{fuid()}-C{letters(17)}-20190402105425.crt",
        "securityonion": f"HTTP-{fuid()}-{hashlib.md5(os.urandom(8)).hexdigest()}.exe",
        "bzar": f"C{letters(17)}_{fuid()}__admin-pc_c$temp_tool.exe",
        "suricata": f"{content[:2]}/{content}",
        "strelka": "S^E^P".join(parts),
    }


def files_below(top):
    """Paths of all files there, as bytes."""
    return {os.path.join(directory, name)
            for directory, _, names in os.walk(os.fsencode(top)) for name in names}


def processes_with(word):
    """Ids of processes that have word as one of their arguments (zombies have none)."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if word.encode() in file.read().split(b"\0"):
                    found.append(int(pid))
        except OSError:
            pass
    return found


def binary():
    path = os.environ.get("CARVED")
    if not path and "--carved" in sys.argv[1:-1]:
        path = sys.argv[sys.argv.index("--carved") + 1]
    if not path or not os.access(path, os.X_OK):
        print(f"no carved binary: {path!r}; name it by $CARVED or --carved PATH")
        sys.exit(1)
    return os.path.abspath(path)


def sanitizer():
    """"address" or "thread" when the binary was built with that sanitizer, else None: with one, memory
    tells nothing, and the thread sanitizer never sleeps for long."""
    with open(binary(), "rb") as file:
        image = file.read()
    return "address" if b"__asan_init" in image else "thread" if b"__tsan_init" in image else None


def clean_environment(extra=None):
    """Ours without what would configure the daemon."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("CARVED", "BROAPT_", "SERVER_NAME_"))
            and name not in ("STATE_DIRECTORY", "NOTIFY_SOCKET")}
    kept.update(extra or {})
    return kept


def command(*words, before=(), **options):
    """Runs a subcommand to its end: .returncode, .stdout, .stderr (bytes). before: as in Carved.start()."""
    options.setdefault("env", clean_environment())
    options.setdefault("timeout", PATIENCE)
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    done = subprocess.run([*before, binary(), *words], check=False, **options)
    check(not SANITIZER.search(done.stderr or b""), f"a sanitizer speaks: {done.stderr!r}")
    return done


def at_rest(status, *more):
    """Nothing is walked, and no file is at one of the places of the queue that work is done at, or more."""
    return not status["watching"]["walking"] and \
        not any(status["queue"][place] for place in ("running", "waiting", "saving", *more))


class Carved:
    """A daemon with a directory, a root and a history of its own; "with" removes all of it.

    It may be started several times, one after the other. config is the text of carved.yml; without
    it the built-in defaults hold.

    When it rests while it is stopped, or is left running at the end, its watches are compared with the
    directories, unless watched is False. At the end nothing may be recorded twice, unless once is
    False; and its row goes to $CARVED_ACCOUNT. made counts the files made below its roots: put() does
    so; who makes files otherwise, and takes them away again, adds them.
    """

    def __init__(self, config=None, user=None):
        self.home = tempfile.mkdtemp(prefix="carved-scenario-")
        os.chmod(self.home, 0o755)
        self.root = os.path.join(self.home, "in")
        self.state = os.path.join(self.home, "state")
        self.history = os.path.join(self.state, "history.db")
        self.stderr_path = os.path.join(self.home, "stderr")
        self.stdout_path = os.path.join(self.home, "stdout")
        self.config_path = None
        self.process = None
        self.pidfd = -1
        self.user = user
        self.made = 0
        self.watched = user is None  # another user cannot watch all that we can list
        self.once = True
        self.counted = (0, 0)  # the tree's watches and directories, when they were compared last
        self.binary = binary()
        os.mkdir(self.root)
        os.mkdir(self.state)
        if user is not None:
            os.chown(self.root, user, user)
            os.chown(self.state, user, user)
            # where the build lies may be closed to that user
            launcher = os.path.join(os.path.dirname(self.binary), "carved-launch")
            if os.path.exists(launcher):
                shutil.copy(launcher, self.home)
            self.binary = shutil.copy(self.binary, os.path.join(self.home, "carved"))
        if config is not None:
            self.write_config(config)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                if self.process is not None and not self.ended(0):
                    self.check_watches_at_rest()
                self.kill()
                self.check_once()
                self.account()
        except BaseException as failure:  # told with what the daemon said, like any other
            kind = type(failure)
            raise
        finally:
            self.kill()
            self.remove(kind)

    def remove(self, kind):
        """Removes its directory; of a daemon that failed the last words are shown."""
        words = self.stderr()
        if kind is not None and not issubclass(kind, Skip):
            sys.stdout.write(words[-4000:].decode(errors="backslashreplace"))
        shutil.rmtree(os.fsencode(self.home))
        if kind is None:
            check(not SANITIZER.search(words), f"a sanitizer speaks: {words!r}")

    # files

    def write_config(self, text):
        self.config_path = os.path.join(self.home, "carved.yml")
        with open(self.config_path, "w", encoding="utf-8") as file:
            file.write(text)

    def write_hashlist(self, *contents):
        """A hash list that knows these contents; its path."""
        path = os.path.join(self.home, "bad.sha256")
        with open(path, "w", encoding="ascii") as file:
            for content in contents:
                file.write(f"{hashlib.sha256(content).hexdigest()}  Test-Sample\n")
        return path

    def path_of(self, name):
        return os.path.join(os.fsencode(self.root), os.fsencode(name))

    def put(self, name=None, content=None):
        """Writes a file below the root as a sensor does, open to close; its path as bytes."""
        path = self.path_of(name if name is not None else broapt_name())
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(os.urandom(64) if content is None else content)
        self.made += 1
        return path

    # the process

    def memory(self, word="VmRSS"):
        """VmRSS, VmHWM or VmSize in KiB."""
        return proc.memory(self.process.pid, word)

    def start(self, *words, ready=True, roots=None, env=None, before=()):
        """before: words of a program that runs it and keeps its process id, say strace -D."""
        check(self.process is None, "it is running already")
        arguments = [*before, self.binary, "run", "--history", self.history]
        if self.config_path:
            arguments += ["-c", self.config_path]
        arguments += list(words) + (roots if roots is not None else [self.root])
        notify_path = os.path.join(self.home, "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, \
                open(self.stdout_path, "ab") as stdout, open(self.stderr_path, "ab") as stderr:
            notify.bind(notify_path)
            os.chmod(notify_path, 0o777)
            self.process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, cwd=self.home,
                env=clean_environment({"NOTIFY_SOCKET": notify_path, **(env or {})}), **self.as_user())
            self.pidfd = os.pidfd_open(self.process.pid)
            try:
                if ready:
                    self._await_ready(notify)
            finally:
                os.unlink(notify_path)
        return self

    def as_user(self):
        """Options of subprocess for what is to run as the daemon's user does."""
        return {} if self.user is None else {"user": self.user, "group": self.user, "extra_groups": []}

    def _await_ready(self, notify):
        until = time.monotonic() + PATIENCE
        while True:
            left = until - time.monotonic()
            check(left > 0, "it does not say READY=1")
            able, _, _ = select.select([notify, self.pidfd], [], [], left)
            if notify in able:
                if b"READY=1" in notify.recv(4096).split(b"\n"):
                    return
            elif self.pidfd in able:
                raise Failed(f"it ended before it was ready, exit {self.process.wait()}")

    def ended(self, within):
        """True when the daemon has ended; waits for that at most so many seconds."""
        return bool(select.select([self.pidfd], [], [], within)[0])

    def send(self, number):
        """A signal; one that stops the daemon has done so: the others of its threads run on for a moment."""
        self.process.send_signal(number)
        if number == signal.SIGSTOP:
            self.until(lambda: proc.is_stopped(self.process.pid), "it is stopped")

    def wait(self, timeout=PATIENCE):
        """Its exit status, once it ends by itself."""
        check(self.ended(timeout), f"it has not ended within {timeout} s")
        os.close(self.pidfd)
        code = self.process.wait()
        self.process = None
        return code

    def stop(self, number=signal.SIGTERM, timeout=PATIENCE):
        self.check_watches_at_rest()
        self.send(number)
        same(self.wait(timeout), 0, f"exit status after {signal.Signals(number).name}")

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.wait()

    def stderr(self):
        try:
            with open(self.stderr_path, "rb") as file:
                return file.read()
        except FileNotFoundError:
            return b""

    # the oracle

    def status(self):
        """What the daemon says of itself; None when it does not answer."""
        done = command("status", "--json", "--history", self.history)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def check_watches(self, status=None):
        """Waits until the watches are the directories below the roots that are watched by events."""
        roots = [root["path"] for root in (status or self.status())["roots"]
                 if root["mode"] != "polled"]
        words = [""]

        def holds():
            words[0], *self.counted = oracle.compare(self.process.pid, roots)
            return not words[0]
        try:
            self.until(holds, "the watches are the directories")
        except Failed as failure:
            raise Failed(f"{failure}: {words[0]}") from None

    def check_watches_at_rest(self):
        """The same, where it can be told: not in the middle of work, or by other means."""
        status = self.status() if self.watched else None
        if status and at_rest(status):
            self.check_watches(status)

    def check_once(self):
        """Nothing is recorded twice."""
        faults = oracle.twice(self.sql) if self.once else []
        check(not faults, f"recorded twice: {faults}")

    def account(self):
        """Tells what became of the files, for the table of tests/scenario/run."""
        path = os.environ.get("CARVED_ACCOUNT")
        if path and os.path.exists(self.history):
            name = os.path.basename(sys.argv[0]).removesuffix(".py")
            there = sum(len(names) for _, _, names in os.walk(os.fsencode(self.root)))
            oracle.tell(path, oracle.account(
                self.sql, scenario=name, test=running, made=max(self.made, there),
                watches=self.counted[0], directories=self.counted[1]))

    # the history

    def sql(self, query, *parameters):
        """Rows of one query; text comes as bytes. No history yet: no rows."""
        uri = f"file:{urllib.parse.quote(self.history)}?mode=ro"
        try:
            connection = sqlite3.connect(uri, uri=True, timeout=PATIENCE)
        except sqlite3.OperationalError:
            return []
        try:
            connection.text_factory = bytes
            return connection.execute(query, parameters).fetchall()
        except sqlite3.OperationalError as error:
            if not os.path.exists(self.history) or "no such table" in str(error):
                return []
            raise
        finally:
            connection.close()

    def until(self, holds, words, timeout=PATIENCE):
        """Waits until holds() is true and returns what it returned."""
        end = time.monotonic() + timeout
        while True:
            result = holds()
            if result:
                return result
            check(time.monotonic() < end, f"within {timeout} s not: {words}")
            if self.process is None:
                select.select([], [], [], PAUSE)
            elif self.ended(PAUSE) and not holds():
                raise Failed(f"it ended before: {words}")

    def opened_to_read(self, fifo):
        """Waits until a command has opened the FIFO to read; a descriptor that holds it there."""
        def opened():
            try:
                return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError:
                return None
        return self.until(opened, f"somebody reads {fifo}")

    def wait_until(self, query, expected, timeout=PATIENCE):
        """Waits until the query gives the expected rows, or rows that expected(rows) accepts."""
        accepts = expected if callable(expected) else lambda rows: rows == expected
        last = []

        def holds():
            last[:] = self.sql(query)
            return accepts(last)
        try:
            self.until(holds, query, timeout)
        except Failed as failure:
            raise Failed(f"{failure}; the rows are {last!r}, not {expected!r}") from None
        return last

    def wait_settled(self, count, timeout=PATIENCE):
        """Waits until there are count versions and none is queued."""
        self.wait_until("SELECT count(*), count(*) FILTER (WHERE state = 'queued') FROM file",
                        [(count, 0)], timeout)

    def wait_gaps_closed(self, timeout=PATIENCE):
        self.wait_until("SELECT count(*) FROM gap WHERE closed_ns IS NULL", [(0,)], timeout)

    def row(self, path, columns="state, reason, verdict"):
        """The one row of a path."""
        rows = self.sql(f"SELECT {columns} FROM file WHERE path = CAST(? AS TEXT)", path)
        same(len(rows), 1, f"rows of {path!r}")
        return rows[0]


def in_memory(config, room=0):
    """A daemon whose directory lies in memory, where there is such a place with so many bytes of room:
    thousands of directories are made and removed there in no time, whatever else the disk has to do."""
    before = tempfile.tempdir
    if os.access("/dev/shm", os.W_OK):
        there = os.statvfs("/dev/shm")
        if there.f_bavail * there.f_frsize >= room:
            tempfile.tempdir = "/dev/shm"
    try:
        return Carved(config)
    finally:
        tempfile.tempdir = before


def run_one(name, test):
    """Prints one line and returns "ok", "skipped" or "FAILED"."""
    global running  # pylint: disable=global-statement
    running = name.removeprefix("test_")
    began = time.monotonic()
    result, why = "ok", ""
    try:
        test()
    except Skip as reason:
        result, why = "skipped", f": {reason}"
    except (Failed, subprocess.TimeoutExpired) as reason:
        result, why = "FAILED", f": {reason}"
    except Exception:  # pylint: disable=broad-except
        result, why = "FAILED", f":\n{traceback.format_exc()}"
    print(f"{result:8}{name} ({time.monotonic() - began:.1f} s){why}", flush=True)
    return result


def main():
    random.seed()
    tests = [(name, test) for name, test in sys.modules["__main__"].__dict__.items()
             if name.startswith("test_") and callable(test)]
    results = [run_one(name, test) for name, test in tests]
    if "FAILED" in results:
        sys.exit(1)
    sys.exit(77 if all(result == "skipped" for result in results) else 0)
