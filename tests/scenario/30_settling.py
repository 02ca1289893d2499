"""Where leases do not work, nobody sees who writes: what the producer's names promise, and a
settling time, must do. The daemon runs as a user who may read the files but does not own them.

With a settling time of an hour nothing settles, so whatever ends was taken for complete at once; a
second start with a short one finds the rest.
"""
import hashlib
import json
import mmap
import os

import scenario
from scenario import NOOP, Carved, Skip, broapt_name, check, command, fuid, same

NOBODY = 65534
FUTURE = 4102444800  # 2100
OLD = 10**18  # ns, 2001
# producer of a root -> is a BroAPT-Core name complete at its close there? Is another?
PRODUCERS = {
    "auto": (True, False),
    "broapt": (True, False),
    "suricata": (False, False),
    "'(?P<fuid>F.*)|HTTP-(?P<extension>.*)'": (False, False),  # one's own pattern promises nothing
}


def needs_root():
    if os.geteuid() != 0:
        raise Skip("files of another user can be made only by root")


class Settling(Carved):
    """A root for each producer; the files below them are root's, the daemon is not."""

    def __init__(self):
        needs_root()
        super().__init__(user=NOBODY)
        self.roots = {producer: os.path.join(self.root, f"root{i}")
                      for i, producer in enumerate(PRODUCERS)}
        for path in self.roots.values():
            os.mkdir(path)

    def begin(self, settle):
        roots = "".join(f"  - {{ path: {path}, producer: {producer}, settle: {settle} }}\n"
                        for producer, path in self.roots.items())
        self.write_config(f"rescan_interval: 1s\nunmatched: scan\nroots:\n{roots}{NOOP}")
        return self.start(roots=[])

    def at(self, name, producer="auto"):
        return os.path.join(self.roots[producer], name)

    def path_of(self, name):
        return os.fsencode(self.at(os.fsdecode(name)))

    def barrier(self):
        path = self.put(broapt_name())
        self.ended_at(path)

    def ended_at(self, *paths):
        """Waits until these have one row each, done."""
        for path in paths:
            self.until(lambda path=path: self.sql(
                "SELECT state FROM file WHERE path = CAST(? AS TEXT)", os.fsencode(path)) ==
                [(b"done",)], f"{path!r} is done")

    def waits_at(self, *paths):
        """Waits until these stand in the queue and settle."""
        for path in paths:
            self.until(lambda path=path: self.sql(
                "SELECT state, wait FROM file WHERE path = CAST(? AS TEXT)", os.fsencode(path)) ==
                [(b"queued", b"settle")], f"{path!r} settles")

    def seen(self):
        told = json.loads(command("status", "--history", self.history, "--json").stdout)
        return {root["path"]: root["writers"] for root in told["roots"]}


def write(path, content=b"all of it"):
    with open(path, "wb", buffering=0) as file:
        file.write(content)
    return path


def append(path, content):
    with open(path, "ab", buffering=0) as file:
        file.write(content)


def test_a_close_is_the_end_where_the_name_promises_it():
    with Settling() as carved:
        carved.begin("1h")
        same(set(carved.seen().values()), {"untried"}, "what is known of writers at first")
        ended, waits = [], []
        for name, path in scenario.names().items():
            path = carved.at(path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            (waits if name == "suricata" else ended).append(write(path))
        for producer, promises in PRODUCERS.items():
            for name, promised in zip((broapt_name(), "report.pdf"), promises):
                (ended if promised else waits).append(write(carved.at(name, producer)))
        carved.ended_at(*ended)
        carved.waits_at(*waits)
        same(set(carved.seen().values()), {"settle"}, "what is known of writers then")
        same(carved.stderr().count(b"no lease on a file"), len(PRODUCERS), "words about it")
        carved.stop()
        carved.begin("50ms")
        carved.ended_at(*ended, *waits)


def test_a_move_is_the_end_and_a_link_is_not():
    with Settling() as carved:
        carved.begin("1h")
        moved, linked, known = (carved.at(name) for name in (fuid(), broapt_name(), broapt_name()))
        os.rename(write(os.path.join(carved.home, "moved")), moved)
        os.link(write(os.path.join(carved.home, "linked"), b"linked"), linked)
        carved.ended_at(moved, write(known, b"known"))
        carved.waits_at(linked)
        # what happens to a file that is known is seen at once where it is no write
        other = carved.at(broapt_name())
        os.link(known, other)
        carved.ended_at(other)
        os.rename(linked, other)
        carved.barrier()
        carved.until(lambda: carved.sql("SELECT size FROM file WHERE path = CAST(? AS TEXT) AND "
                                        "state = 'done' ORDER BY size", os.fsencode(other)) ==
                     [(5,), (6,)], "the one that was moved over it")
        same(carved.sql("SELECT path FROM pending"), [], "what waits")


def test_suricata_is_complete_at_its_rename():
    with Settling() as carved:
        carved.begin("1h")
        final = scenario.names()["suricata"]
        for directory in ("tmp", os.path.dirname(final)):
            os.makedirs(carved.at(directory, "suricata"))
        for part in (b"one ", b"two ", b"three"):
            append(carved.at("tmp/file.7", "suricata"), part)
            carved.barrier()
        os.rename(carved.at("tmp/file.7", "suricata"), carved.at(final, "suricata"))
        carved.ended_at(carved.at(final, "suricata"))
        same(carved.sql("SELECT size FROM file WHERE path LIKE '%/root2/%'"), [(13,)], "versions")


def test_nothing_of_an_append_close_loop_is_recorded_before_it_rests():
    with Settling() as carved:
        carved.begin("1h")
        path = carved.at("table.csv")
        for _ in range(20):
            append(path, b"a line\n")
            carved.barrier()
        carved.waits_at(path)
        carved.stop()
        carved.waits_at(path)
        carved.begin("50ms")
        carved.ended_at(path)
        same(carved.row(path, "size"), (140,), "its size")


def test_found_by_a_walk_it_settles_whatever_its_name_and_time():
    with Settling() as carved:
        found, future = carved.at(broapt_name()), carved.at(broapt_name())
        write(found, b"found")
        write(future, b"future")
        os.utime(found, (1, 1))  # nobody can set when it was written really
        os.utime(future, (FUTURE, FUTURE))
        carved.begin("1h")
        carved.waits_at(found, future)
        carved.stop()
        carved.begin("50ms")
        carved.ended_at(found, future)


def test_renamed_and_written_while_nobody_looked_it_is_read_when_it_has_settled():
    with Settling() as carved:
        carved.begin("100ms")
        path = carved.at("before.bin")
        write(path, b"old text")
        os.utime(path, ns=(OLD, OLD))
        carved.until(lambda: carved.sql("SELECT state, mtime_ns FROM file") ==
                     [(b"done", OLD)], "it is done as it is")
        carved.stop()
        with open(path, "r+b", buffering=0) as file:
            file.write(b"new text")
        os.utime(path, ns=(OLD, OLD))
        after = carved.at("after.bin")
        os.rename(path, after)
        carved.begin("100ms")
        carved.ended_at(after)
        same(carved.row(after, "sha256"), (hashlib.sha256(b"new text").hexdigest().encode(),),
             "whose content it has")


def test_a_writer_that_rests_longer_is_not_seen_but_its_end_is():
    """The limit of settling: what is there after the settling time is taken for a version."""
    with Settling() as carved:
        carved.begin("50ms")
        path = carved.at("slow.bin")
        with open(path, "wb", buffering=0) as file:
            file.write(b"half")
            carved.ended_at(path)
            file.write(b"whole")
        carved.until(lambda: carved.sql("SELECT size FROM file WHERE path = CAST(? AS TEXT) AND "
                                        "state = 'done' ORDER BY id", os.fsencode(path)) ==
                     [(4,), (9,)], "both versions")


def test_a_mapping_that_was_written_to_after_the_look_is_read_at_its_end():
    """A page that is dirty already is written to without a time telling."""
    with Settling() as carved:
        carved.begin("50ms")
        path = carved.at("mapped.bin")
        with open(path, "w+b", buffering=0) as file:
            file.truncate(4096)
            with mmap.mmap(file.fileno(), 4096) as memory:
                memory[0] = 1
                before = os.stat(path)
                carved.ended_at(path)
                memory[0] = 2
        if os.stat(path).st_ctime_ns != before.st_ctime_ns:
            raise Skip("the page was written back in between")
        carved.until(lambda: carved.sql("SELECT count(*) FROM file WHERE path = CAST(? AS TEXT) AND "
                                        "state = 'done'", os.fsencode(path)) == [(2,)],
                     "both versions")


def test_owners_of_the_files_see_writers():
    with Settling() as carved:
        carved.begin("1h")
        path = carved.at("mine.bin")
        with open(path, "wb", buffering=0) as file:
            os.fchown(file.fileno(), NOBODY, NOBODY)
            file.write(b"half")
            carved.until(lambda: carved.sql("SELECT wait FROM file") == [(b"writer",)],
                         "it waits for its writer")
            same(carved.seen()[carved.roots["auto"]], "lease", "what is known of writers")
            file.write(b"whole")
        carved.ended_at(path)
        same(carved.row(path, "size"), (9,), "its size")
        check(b"no lease on a file" not in carved.stderr(), "words about leases")


def test_unreadable_until_its_mode_is_changed():
    with Settling() as carved:
        carved.begin("1h")
        path = write(carved.at(broapt_name()))
        carved.ended_at(path)
        closed = carved.at(broapt_name())
        fd = os.open(closed, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0)
        os.write(fd, b"closed to us")
        os.close(fd)
        carved.until(lambda: carved.sql("SELECT reason FROM file WHERE path = CAST(? AS TEXT)",
                                        os.fsencode(closed)) == [(b"unreadable",)], "unreadable")
        os.chmod(closed, 0o644)
        carved.barrier()
        carved.stop()
        carved.begin("50ms")
        carved.ended_at(closed)


if __name__ == "__main__":
    scenario.main()
