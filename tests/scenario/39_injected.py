"""Faults and pauses that strace(1) puts into system calls: signals that interrupt them, listings and watches
that come late, connections that are gone, helpers that cannot be heard or started. Nothing is lost by any
of them, what fails is never clean, and the next start goes on. (Limits are scenario 35.)

Left alone is what no signal interrupts in a real kernel, and would be lost: futex(2) that wakes, and what is
read from and written to eventfds, which do not block.
"""
import os

import scenario
import steps
from scenario import Carved, broapt_name, check, command, same, scaled

RULE = 'rule bad { strings: $a = "INJECT-EVIL" condition: $a }\n'
YARA = """workers: 2
rescan_interval: 1s
detectors:
  - {{ type: yara, rules: [{rules}], retries: 5, retry_pause: 10ms }}
"""
COMMAND = '  - {{ type: command, name: true, run: [/bin/true, "{{path}}"], retry_pause: 10ms }}\n'


class Injected(Carved):
    """A daemon, the system calls of which strace meddles with: faults are what -e inject= takes. only: but
    for those that have to do with a path. attach: from the moment on when it is ready; else from its
    first instruction on. follow: its helpers, too, that are started from then on."""

    def __init__(self, *faults, only=None, attach=False, follow=True):
        super().__init__(scenario.NOOP)
        self.trace_path = os.path.join(self.home, "strace")
        self.faults = faults
        self.only = only
        self.attach = attach
        self.follow = follow
        self.tracer = None

    def start(self, *words, **options):
        steps.need_strace()
        how = {"only": [self.only] if self.only else (), "follow": self.follow}
        if self.faults and not self.attach:
            options["before"] = steps.before(*self.faults, output=self.trace_path, **how)
        super().start(*words, env=steps.environment(), **options)
        if self.faults and self.attach:
            self.tracer = steps.Attached(self, *self.faults, **how)
            self.tracer.__enter__()   # and it ends with what it traces
        return self

    def remove(self, kind):
        if self.tracer:
            self.tracer.end()
        super().remove(kind)

    def check_injected(self):
        self.until(lambda: steps.injected(self.trace_path) > 0, "a system call was meddled with")

    def scans(self, config=YARA):
        """With detectors in processes of their own."""
        rules = os.path.join(self.home, "inject.yar")
        with open(rules, "w", encoding="ascii") as file:
            file.write(RULE)
        self.write_config(config.format(rules=rules))
        return self


def put_some(carved, count, place=""):
    """Files of which every fifth is bad; path -> verdict."""
    found = {}
    for i in range(count):
        bad = i % 5 == 0
        content = b"INJECT-EVIL" if bad else b"harmless"
        found[carved.put(place + broapt_name(), content + os.urandom(8).hex().encode())] = \
            b"malicious" if bad else b"clean"
    return found


def check_verdicts(carved, expected):
    """All of them are there, once, with the right answer."""
    carved.wait_settled(len(expected))
    rows = dict(carved.sql("SELECT path, verdict FROM file"))
    same(rows, expected, "paths and verdicts")


def clean(paths):
    return {path: b"clean" for path in paths}


def test_interrupted_calls():
    """EINTR for every third of what the threads wait in, talk to helpers by, and read files by (FUSE)."""
    calls = "epoll_wait,poll,accept4,recvmsg,sendmsg,pread64"
    faults = (f"{call}:error=EINTR:when=2+3" for call in calls.split(","))
    with Injected(*faults, attach=True).scans() as carved:
        carved.start()
        expected = put_some(carved, scaled(20, 300), "a/b/")
        check_verdicts(carved, expected)
        same(carved.status()["state"], "running", "what it is doing")
        carved.check_injected()
        carved.stop()


def test_late_watches():
    """A watch that takes its time: what is made in new directories meanwhile is met by their listing."""
    with Injected("inotify_add_watch:delay_enter=60000:when=6+") as carved:
        carved.start()
        paths = []
        for i in range(scaled(8, 100)):
            os.makedirs(carved.path_of(f"d{i}/x/y"))
            paths.append(carved.put(f"d{i}/x/y/{broapt_name()}"))
            paths.append(carved.put(f"d{i}/{broapt_name()}"))
        check_verdicts(carved, clean(paths))
        carved.check_injected()


def test_late_listings():
    """Directories are renamed, filled and removed between their opening and the end of their listing."""
    with Injected("getdents64:delay_exit=30000:when=3+") as carved:
        carved.start()
        paths = {}
        for i in range(scaled(8, 100)):
            os.makedirs(carved.path_of(f"d{i}/x"))
            name = broapt_name()
            carved.put(f"d{i}/x/{name}")
            os.rename(carved.path_of(f"d{i}"), carved.path_of(f"e{i}"))
            os.makedirs(carved.path_of(f"d{i}"))
            paths[carved.path_of(f"e{i}/x/{name}")] = b"clean"
            paths[carved.put(f"d{i}/{broapt_name()}")] = b"clean"
        # a path that was seen before its directory moved may have a row of its own
        carved.until(lambda: paths.items() <= set(carved.sql(
            "SELECT path, verdict FROM file WHERE state = 'done'")), "all files are done where they are")
        same(carved.sql("SELECT count(*) FROM file WHERE state = 'unscanned' AND reason <> 'vanished'"),
             [(0,)], "versions that were not looked at")
        carved.check_injected()


def test_clients_that_are_gone_and_no_descriptors_for_them():
    for fault in ("accept4:error=ECONNABORTED:when=1..3", "accept4:error=EMFILE:when=1..4",
                  "accept4:error=ENOMEM:when=1..2"):
        with Injected(fault, follow=False) as carved:
            carved.start()
            done = command("status", "--json", "--history", carved.history)
            same(done.returncode, 0, f"exit status of status with {fault}: {done.stderr!r}")
            carved.check_injected()
            check_verdicts(carved, clean([carved.put()]))
            carved.stop()


def test_helpers_that_cannot_be_heard():
    """Errors of the channel to a helper are the detector's errors: tried again, and never clean. A helper that
    is started then has none, or it would die again and again, which is waited for longer each time."""
    for fault in ("recvmsg:error=ECONNRESET:when=2", "sendmsg:error=ENOBUFS:when=2",
                  "recvmsg:error=ENOMEM:when=3"):
        with Injected(fault, attach=True, follow=False).scans() as carved:
            carved.start()
            check_verdicts(carved, put_some(carved, 10))
            carved.check_injected()


def test_a_file_that_cannot_be_read():
    """EIO from the disk: it is not looked at, and not clean; touched when the disk is well, it is."""
    with Injected("pread64:error=EIO", "read:error=EIO") as carved:
        path = carved.put(content=b"harmless")
        carved.only = os.fsdecode(path)
        carved.start()
        carved.wait_until("SELECT count(*) FROM file WHERE state = 'unscanned'", [(1,)])
        carved.check_injected()
        same(carved.row(path), (b"unscanned", b"unreadable", None), "its row")
        carved.stop()
        carved.faults = ()
        carved.start()
        carved.wait_until("SELECT state, verdict FROM file", [(b"done", b"clean")])


def survive(*faults, files=6):
    """One start with faults, whatever becomes of it, then one without; how the first one ended, None: it
    was told to."""
    with Injected(*faults).scans(YARA + COMMAND) as carved:
        expected = put_some(carved, files)
        carved.start(ready=False)
        carved.until(lambda: carved.ended(0) or carved.sql("SELECT count(*) FROM pending") == [(0,)]
                     and carved.sql("SELECT count(*) FROM file") == [(files,)], "it ends, or is through")
        code = end(carved)
        wrong = [row for row in carved.sql("SELECT path, verdict FROM file WHERE state = 'done'")
                 if expected.get(row[0]) != row[1]]
        same(wrong, [], f"wrong verdicts with {faults}")
        carved.faults = ()
        carved.start()
        check_verdicts(carved, expected)
        carved.stop()
        return code


def end(carved):
    """Its exit status when it has ended by itself, which it must have said a word about."""
    if not carved.ended(0):
        carved.stop()
        return None
    code = carved.wait()
    check(code < 0 or code == 3, f"exit status {code}: {carved.stderr()!r}")
    check(carved.stderr().strip(), f"it ended with {code} and without a word")
    return code


def test_no_threads_and_no_processes():
    codes = [survive(f"clone3:error=EAGAIN:when={nth}") for nth in scaled((1, 3), range(1, 12))]
    print(f"        it ended with {codes}", flush=True)


if __name__ == "__main__":
    scenario.main()
