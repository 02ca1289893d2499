"""A real clamd with signatures of its own, in a directory of its own, for scenarios and benchmarks.

Signatures lie in a database "daily.cud" made here, because only of a daily database clamd tells the
version. Its format is that of libclamav/cvd.c: 512 bytes of header, then a tar.gz whose first file
repeats the header and names the others with their SHA-256. A .cud wants no signature of its own.
"""
import hashlib
import io
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import time

import proc
import scenario

BINARY = "/usr/sbin/clamd"


def exact(name, content):
    """A line of an .ndb: this content anywhere in any file."""
    return f"{name}:0:*:{content.hex()}\n"


def slow(count):
    """Signatures that begin with bytes found often and end with ones that are not: with 2000 of them
    a mebibyte of random bytes takes a fifth of a second."""
    return "".join(f"Slow-{i}:0:*:{i & 0xff:02x}{i >> 8:02x}*{os.urandom(12).hex()}\n"
                   for i in range(count))


class Clamd:
    """with Clamd() as clamd: clamd.start(). settings are lines of clamd.conf; tcp: listen there too."""

    def __init__(self, settings="", tcp=False, user=None):
        if not os.access(BINARY, os.X_OK):
            raise scenario.Skip("there is no clamd: packaging/install-packages test")
        self.home = tempfile.mkdtemp(prefix="carved-clamd-")
        os.chmod(self.home, 0o755)
        self.database = os.path.join(self.home, "db")
        self.socket = os.path.join(self.home, "clamd.ctl")
        self.conf = os.path.join(self.home, "clamd.conf")
        self.log = os.path.join(self.home, "log")
        self.port = 0
        self.process = None
        os.mkdir(self.database)
        lines = f"DatabaseDirectory {self.database}\nLocalSocket {self.socket}\nForeground yes\n" \
                f"User {user or pwd.getpwuid(os.getuid()).pw_name}\nSelfCheck 0\n{settings}"
        if tcp:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
            lines += f"TCPSocket {self.port}\nTCPAddr 127.0.0.1\n"
        with open(self.conf, "w", encoding="ascii") as file:
            file.write(lines)
        if user:
            shutil.chown(self.home, user)
        self.write_signatures(1, exact("Eicar-Test", scenario.EICAR))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.kill()
        if kind is not None and not issubclass(kind, scenario.Skip):
            self.tell()
        shutil.rmtree(self.home)

    def tell(self):
        try:
            with open(self.log, encoding="utf-8", errors="backslashreplace") as file:
                print("clamd said:", file.read()[-1500:])
        except FileNotFoundError:
            pass

    def write_signatures(self, version, ndb):
        """The daily database; a running clamd knows of it after reload()."""
        stamp = int(time.time())

        def head(md5):
            return f"ClamAV-VDB:01 Jan 2026 10-00 +0000:{version}:1:60:{md5}:X:carved:{stamp}"
        signatures = ndb.encode()
        listed = f"{head('X')}\ndaily.ndb:{len(signatures)}:" \
                 f"{hashlib.sha256(signatures).hexdigest()}\n"
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz", format=tarfile.USTAR_FORMAT) as tar:
            for name, content in (("daily.info", listed.encode()), ("daily.ndb", signatures)):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        body = packed.getvalue()
        beside = os.path.join(self.home, "new")
        with open(beside, "wb") as file:
            file.write(head(hashlib.md5(body).hexdigest()).ljust(512).encode() + body)
        os.rename(beside, os.path.join(self.database, "daily.cud"))

    def ask(self, command):
        """The reply to one command outside of a session."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(scenario.PATIENCE)
            connection.connect(self.socket)
            connection.sendall(b"z" + command + b"\0")
            reply = b""
            while not reply.endswith(b"\0"):
                part = connection.recv(4096)
                if not part:
                    break
                reply += part
        return reply.rstrip(b"\0")

    def busy(self):
        """How many scans it has under way."""
        live, idle = re.search(rb"THREADS: live (\d+)\s+idle (\d+)", self.ask(b"STATS")).groups()
        return int(live) - int(idle) - 1  # one answers us

    def _until(self, holds, words):
        end = time.monotonic() + scenario.PATIENCE
        while not holds():
            scenario.check(time.monotonic() < end, f"clamd: not {words}")
            scenario.check(self.process.poll() is None, "clamd ended")
            time.sleep(scenario.PAUSE)

    def _answers(self):
        try:
            return self.ask(b"PING") == b"PONG"
        except OSError:
            return False

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([BINARY, "-c", self.conf], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, cwd=self.home)
        self._until(self._answers, "answering")
        return self

    def reload(self, version):
        """Waits until it says that version of its signatures."""
        scenario.same(self.ask(b"RELOAD"), b"RELOADING", "reply to RELOAD")
        self._until(lambda: f"/{version}/".encode() in self.ask(b"VERSION"), f"version {version}")

    def send(self, number):
        self.process.send_signal(number)

    def await_busy(self):
        self._until(lambda: self.busy() > 0, "scanning")

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stopped(self):
        """SIGSTOP, and waits until it holds."""
        self.send(signal.SIGSTOP)
        self._until(lambda: proc.is_stopped(self.process.pid), "stopped")
