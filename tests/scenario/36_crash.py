"""Killed at every step, and whatever the disk forgets then: in the end the tables are those of a run that
nobody disturbed. Nothing is lost, nothing is recorded twice, and nobody has to mend anything by hand.

$CARVED_SEED repeats the choices of a run.
"""
import contextlib
import hashlib
import json
import os
import random
import shutil
import sqlite3

import scenario
import steps
from scenario import Carved, broapt_name, check, command, same, scaled
from wrong_clock import YEAR, Clock

SEED = int(os.environ.get("CARVED_SEED", random.randrange(10**6)))
SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "schema")
CONFIG = """workers: 2
rescan_interval: 1s
detectors:
  - {{ type: noop }}
  - {{ type: hashlist, file: {} }}
  - {{ type: command, name: failing, mime: ["text/plain"], required: false, retries: 2,
      retry_pause: 10ms, run: [/bin/sh, -c, exit 7, sh, "{{path}}"] }}
"""
FILES = ("SELECT path, sha256, state, reason, verdict, attempt, incomplete FROM file "
         "ORDER BY 1, 2, 3, 4, 5, 6, 7")
# an attempt that was lost before its commit is made again: only its outcomes can be there
SCANS = ("SELECT f.path, f.sha256, s.detector, s.attempt, s.outcome FROM scan s "
         "JOIN file f ON f.id = s.file_id ORDER BY 1, 2, 3, 4, 5")


def tables(carved):
    """What has to be the same however often it was killed; None while it cannot be read."""
    try:
        return carved.sql(FILES), carved.sql(SCANS), carved.sql("SELECT file_id, state FROM rescan")
    except sqlite3.Error:
        return None


def difference(got, expected):
    if got is None:
        return "the history cannot be read"
    return {"missing": [row for one, two in zip(expected, got) for row in one if row not in two][:5],
            "more": [row for one, two in zip(got, expected) for row in one if row not in two][:5],
            "counts": [(len(one), len(two)) for one, two in zip(got, expected)]}


def check_sound(carved):
    """What must hold in any history."""
    same(carved.sql("PRAGMA integrity_check"), [(b"ok",)], "integrity_check")
    same(carved.sql("SELECT path, sha256, count(*) FROM file WHERE sha256 IS NOT NULL GROUP BY 1, 2 "
                    "HAVING count(*) > 1"), [], "versions that are there twice")
    same(carved.sql("SELECT file_id, detector, attempt, count(*) FROM scan GROUP BY 1, 2, 3 "
                    "HAVING count(*) > 1"), [], "outcomes that are there twice")
    counted = "SELECT state, reason, verdict, sum({}) FROM {} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    same(carved.sql(counted.format("files", "daily")), carved.sql(counted.format(1, "file")),
         "the tally and what it counts")
    same(carved.sql("SELECT count(*) FROM scan WHERE file_id NOT IN (SELECT id FROM file)"), [(0,)],
         "outcomes of no file")


class Story:
    """A tree, a history to begin with, and the tables in which everything has to end."""

    def __init__(self, carved):
        self.carved = carved
        self.template = os.path.join(carved.home, "template")
        self.expected = None
        self.live = []      # (path, content) of files that come while it runs

    def keep(self):
        """The history as it is now is what every run begins with."""
        shutil.copytree(self.carved.state, self.template, ignore=shutil.ignore_patterns("*.sock"))

    def restore(self):
        shutil.rmtree(self.carved.state)
        if os.path.isdir(self.template):
            shutil.copytree(self.template, self.carved.state)
        else:
            os.mkdir(self.carved.state)
        for path, _ in self.live:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    def come(self):
        """The files that come while it runs, each written beside its place and moved there."""
        for path, content in self.live:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            work = os.path.join(os.fsencode(self.carved.home), b"work")
            with open(work, "wb") as file:
                file.write(content)
            os.rename(work, path)
            self.carved.made += 1

    def is_reached(self):
        return tables(self.carved) == self.expected

    def finish(self):
        """To its end, undisturbed: the tables are the expected ones, and stay so."""
        carved = self.carved
        carved.start()
        try:
            carved.until(self.is_reached, "the tables of the undisturbed run")
        except scenario.Failed as failure:
            raise scenario.Failed(f"{failure}: {difference(tables(carved), self.expected)}") from None
        carved.stop()
        check(self.is_reached(), f"after its end: {difference(tables(carved), self.expected)}")
        same(carved.sql("SELECT count(*) FROM gap WHERE closed_ns IS NULL AND cause <> 'limit'"),
             [(0,)], "open gaps")
        check_sound(carved)

    def reference(self, settled):
        """The undisturbed run; also counts its system calls. settled: a query that gives 0 at its end."""
        self.restore()
        counter = steps.Counter()
        self.carved.start(before=counter.words, env=steps.environment(), ready=False)
        self.come()
        paths = {path for path, _ in self.live}
        self.carved.until(lambda: paths <= {row[0] for row in self.carved.sql("SELECT path FROM file")}
                          and self.carved.sql(settled) == [(0,)], settled)
        self.carved.stop()
        self.expected = tables(self.carved)
        check_sound(self.carved)
        return counter.counts()

    def strike(self, call, when):
        """One run with a kill at that call; True when it came to that."""
        carved = self.carved
        self.restore()
        carved.start(before=steps.inject(call, when), env=steps.environment(), ready=False)
        self.come()
        while not carved.ended(0.02):
            if self.is_reached():
                with contextlib.suppress(ProcessLookupError):
                    carved.send(scenario.signal.SIGTERM)
                carved.ended(scenario.PATIENCE)
        code = carved.wait()
        check(code in (0, -9), f"exit {code} after {call} {when}")
        return code == -9

    def strike_early_enough(self, call, when):
        """As strike(), and should the call not have been made that often this time, earlier."""
        while not self.strike(call, when):
            self.finish()
            if when == 1:
                return False
            when //= 2
        self.finish()
        return True

    def strike_all(self, points):
        struck = 0
        for call, when in points:
            try:
                struck += self.strike_early_enough(call, when)
            except scenario.Failed as failure:
                raise scenario.Failed(f"killed at {call} number {when} (seed {SEED}): {failure}") from None
        check(struck * 3 >= len(points), f"only {struck} of {len(points)} kills struck")
        print(f"        seed {SEED}: {struck} kills at {len(points)} steps, "
              f"{len(self.expected[0])} rows each time", flush=True)


def choose(counts, few):
    """Steps to be killed at: a few by chance, or all; of a call that is made very often 60, evenly."""
    every = [(call, when) for call, count in sorted(counts.items())
             for when in sorted({1 + at * count // min(count, 60) for at in range(min(count, 60))})]
    # the last calls of a run do not come each time
    early = [(call, when) for call, when in every if when <= max(1, counts[call] * 3 // 4)]
    return scaled(random.Random(SEED).sample(early, min(few, len(early))), every)


def note_sidecar(carved, content):
    digest = hashlib.sha256(content).hexdigest()
    carved.put(f"{digest[:2]}/{digest}", content)
    return (f"{digest[:2]}/{digest}.1764151200.1.json",
            json.dumps({"event_type": "fileinfo", "fileinfo": {"state": "TRUNCATED", "sha256": digest,
                        "gaps": False, "size": len(content), "stored": True}}).encode())


def rewrite(path, content, keep_time=False):
    before = os.stat(path)
    with open(path, "wb") as file:
        file.write(content)
    if keep_time:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def write_list(carved, *contents):
    with open(carved.write_hashlist(*contents), "rb") as file:
        return file.name


def many_kinds(carved):
    """A history with a past, and a tree that has gone on since: the story of the kills."""
    story = Story(carved)
    write_list(carved, b"bad one")
    paths = [carved.put(broapt_name(), b"file %d" % number) for number in range(8)]
    text = [carved.put(broapt_name("text/plain", "txt"), b"text %d" % number) for number in range(2)]
    carved.put(broapt_name(), b"bad one")
    moved = [carved.put(f"one/two/{broapt_name()}", b"moved %d" % number) for number in range(3)]
    sidecar = note_sidecar(carved, b"cut short")
    carved.put("of no scheme", b"unmatched")
    carved.start()
    carved.wait_settled(len(paths) + len(text) + len(moved) + 3)
    carved.stop()
    # the rules are others, and all is asked for again
    write_list(carved, b"bad one", b"file 7")
    same(command("rescan", "--history", carved.history).returncode, 0, "rescan")
    # renamed, linked, moved with their directory, rewritten, rewritten under the same size and time
    os.rename(paths[0], carved.path_of(broapt_name()))
    os.link(paths[1], carved.path_of(broapt_name()))
    os.rename(os.path.dirname(moved[0]), carved.path_of("three"))
    rewrite(paths[2], b"another content")
    rewrite(paths[3], b"file X", keep_time=True)
    rewrite(text[0], b"another text")
    os.unlink(paths[4])
    carved.put(*sidecar)
    for number in range(4):
        carved.put(f"new/{broapt_name()}", b"twins" if number < 2 else b"new %d" % number)
    carved.put(broapt_name("text/plain", "txt"), b"new text")
    os.mkfifo(carved.path_of(broapt_name()))
    story.live = [(carved.path_of(f"live/{broapt_name()}"), b"live %d" % number) for number in range(3)]
    story.keep()
    return story


PENDING = ("SELECT (SELECT count(*) FROM file WHERE state = 'queued') "
           "+ (SELECT count(*) FROM rescan WHERE state = 'waiting')")


def configured():
    carved = Carved()
    carved.write_config(CONFIG.format(os.path.join(carved.home, "bad.sha256")))
    return carved


def test_killed_at_every_step():
    steps.need_strace()
    with configured() as carved:
        story = many_kinds(carved)
        counts = story.reference(PENDING + " + (SELECT abs(count(*) - 33) FROM file)")
        story.strike_all(choose(counts, 8))


def test_killed_while_the_history_is_made():
    steps.need_strace()
    with configured() as carved:
        write_list(carved, b"bad one")
        for number in range(4):
            carved.put(content=b"bad one" if number == 0 else b"file %d" % number)
        story = Story(carved)
        counts = story.reference(PENDING + " + (SELECT abs(count(*) - 4) FROM file)")
        kinds = ("pwrite64", "fdatasync", "openat", "ftruncate", "fcntl", "unlink", "bind")
        story.strike_all(choose({call: counts[call] for call in kinds if call in counts}, 4))


def age(history):
    """Makes it a history as the first version of carved left it, with the same rows."""
    old = history + ".old"
    os.rename(history, old)
    with open(os.path.join(SCHEMA, "001_history.sql"), encoding="utf-8") as file:
        step = file.read()
    with contextlib.closing(sqlite3.connect(history)) as first:
        first.executescript("PRAGMA page_size = 8192; BEGIN;" + step + "; PRAGMA application_id = "
                            "0x43525644; PRAGMA user_version = 1; COMMIT; PRAGMA journal_mode = WAL;")
        first.execute("ATTACH ? AS new", (old,))
        for table in ("meta", "dir", "version", "detector", "result", "gap", "tally"):
            columns = ", ".join(row[1] for row in first.execute(f"PRAGMA main.table_info({table})"))
            first.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM new.{table}")
        first.commit()
        first.execute("DETACH new")
    os.unlink(old)


def test_killed_while_an_older_history_is_brought_up_to_date():
    steps.need_strace()
    with configured() as carved:
        write_list(carved, b"bad one")
        for number in range(5):
            carved.put(content=b"file %d" % number)
        carved.start()
        carved.wait_settled(5)
        carved.stop()
        age(carved.history)
        for ending in ("-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(carved.history + ending)
        carved.put(content=b"a later one")
        story = Story(carved)
        story.keep()
        counts = story.reference(PENDING + " + (SELECT abs(count(*) - 6) FROM file)")
        kinds = ("pwrite64", "fdatasync", "ftruncate", "unlink", "pread64")
        story.strike_all(choose({call: counts[call] for call in kinds if call in counts}, 4))


def test_killed_while_a_long_list_is_indexed():
    """The index lies beside the history, so each run begins without one."""
    steps.need_strace()
    with configured() as carved:
        with open(os.path.join(carved.home, "bad.sha256"), "w", encoding="ascii") as file:
            file.writelines(hashlib.sha256(b"%d" % number).hexdigest() + "\n" for number in range(110000))
        carved.put(content=b"4711")
        carved.put(content=b"harmless")
        story = Story(carved)
        counts = story.reference(PENDING + " + (SELECT abs(count(*) - 2) FROM file)")
        same(sorted(row[4] for row in story.expected[0]), [b"clean", b"malicious"], "verdicts")
        check(any(name.endswith(".hashlist") for name in os.listdir(carved.state)), "there is no index")
        kinds = ("pwrite64", "write", "pread64", "read", "rename", "ftruncate", "openat", "fdatasync")
        story.strike_all(choose({call: counts[call] for call in kinds if call in counts}, 3))


def test_killed_in_a_checkpoint():
    steps.need_strace()
    with configured() as carved:
        write_list(carved, b"bad one")
        files = scaled(900, 3000)
        for number in range(files):
            carved.put(content=b"file %d" % number)
        story = Story(carved)
        counts = story.reference(PENDING + f" + (SELECT abs(count(*) - {files}) FROM file)")
        check(counts["fdatasync"] > 5, f"no checkpoint while it worked: {counts}")
        story.strike_all(choose({call: counts[call] for call in ("fdatasync", "pwrite64")}, 2))


def strike_command(carved, template, words, points):
    """A command that is killed and given again does what it does undisturbed."""
    def begin():
        shutil.rmtree(carved.state)
        shutil.copytree(template, carved.state)

    begin()
    counter = steps.Counter()
    first = scenario.subprocess.run([*counter.words, carved.binary, *words], check=False,
                                    capture_output=True, env=scenario.clean_environment(
                                        steps.environment()))
    expected = tables(carved)
    for call, when in points(counter.counts()):
        begin()
        scenario.subprocess.run([*steps.inject(call, when), carved.binary, *words], check=False,
                                capture_output=True,
                                env=scenario.clean_environment(steps.environment()))
        again = command(*words)
        same(again.returncode, first.returncode, f"{words} after a kill at {call} {when}: {again.stderr!r}")
        check(tables(carved) == expected,
              f"{words} killed at {call} {when}: {difference(tables(carved), expected)}")
        check_sound(carved)


def test_commands_that_are_killed_and_given_again():
    steps.need_strace()
    with configured() as carved:
        story = many_kinds(carved)
        log = os.path.join(carved.home, "dump.log")
        with open(log, "w", encoding="ascii") as file:
            file.writelines(f"/nowhere/{broapt_name()}\n" for _ in range(5))
        history = ["--history", carved.history]
        kinds = ("pwrite64", "fcntl", "openat", "ftruncate")

        def points(counts):
            return choose({call: counts[call] for call in kinds if call in counts}, 2)
        for words in (["prune", "--older-than", "0s", *history], ["import", *history, log],
                      ["retry", "--failed", *history], ["rescan", *history],
                      ["scan", "-c", carved.config_path, *history, carved.root]):
            strike_command(carved, story.template, words, points)


# ---- power cuts ----

FRAME = 24 + 8192


def after_power_cut(rng, state, target):
    """A copy of the history as a power cut may leave it. What the last checkpoint had synced is there: the
    log up to the frame that it went to, and the database; of what came after it in the log each sector
    may be there, or not, or be something else. The index of the log is gone."""
    os.mkdir(target)
    name = os.path.join(target, "history.db")
    shutil.copy(os.path.join(state, "history.db"), name)
    with open(os.path.join(state, "history.db-wal"), "rb") as file:
        log = bytearray(file.read())
    with open(os.path.join(state, "history.db-shm"), "rb") as file:
        index = file.read(136)
    # https://www.sqlite.org/walformat.html: nBackfillAttempted
    synced = 32 + int.from_bytes(index[128:132], "little") * FRAME
    end = rng.randrange(synced, len(log) + 1) if len(log) > synced else len(log)
    for at in range((max(synced, end - 4 * FRAME) + 511) // 512 * 512, len(log), 512):
        kind = rng.randrange(4) if at < end else 1
        if kind == 1:
            log[at:at + 512] = bytes(len(log[at:at + 512]))
        elif kind == 2:
            log[at:at + 512] = rng.randbytes(len(log[at:at + 512]))
    if rng.random() < 0.5:
        del log[end:]
    with open(name + "-wal", "wb") as file:
        file.write(log)


def live(carved, rng, count):
    """count changes of the tree; what is there then: path -> content."""
    files = {}
    for number in range(count):
        deed = rng.random()
        if deed < 0.6 or not files:
            content = b"live %d" % number
            files[carved.put(f"d{rng.randrange(3)}/{broapt_name()}", content)] = content
        elif deed < 0.8:
            path = rng.choice(list(files))
            target = carved.path_of(f"d0/{broapt_name()}")
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.rename(path, target)
            files[target] = files.pop(path)
        else:
            path = rng.choice(list(files))
            files[path] = b"rewritten %d %s" % (number, b"x" * (number % 7))
            rewrite(path, files[path])
        yield files


def test_power_cuts_lose_at_most_the_last_commits():
    rng = random.Random(SEED)
    cuts = scaled(6, 40)
    with configured() as carved:
        write_list(carved, b"bad one")
        carved.start()
        changes = cuts * 40
        snapshots = []
        files = {}
        for number, files in enumerate(live(carved, rng, changes)):
            if number % 40 == 39:
                # not at a kill's moment: as it is stopped, the files are what they are at one instant
                carved.send(scenario.signal.SIGSTOP)
                snapshots.append(os.path.join(carved.home, f"cut{len(snapshots)}"))
                after_power_cut(rng, carved.state, snapshots[-1])
                carved.send(scenario.signal.SIGCONT)
        carved.stop()
        there = {(path, hashlib.sha256(content).hexdigest().encode()) for path, content in files.items()}
        lost = 0
        for snapshot in snapshots:
            shutil.rmtree(carved.state)
            os.rename(snapshot, carved.state)
            before = {row[0] for row in carved.sql("SELECT path FROM file")}
            lost += len({path for path, _ in there} - before)
            carved.start()
            carved.wait_until("SELECT path, sha256 FROM file WHERE state = 'done'",
                              lambda rows: there <= set(rows))
            carved.wait_until("SELECT count(*) FROM pending", [(0,)])
            carved.stop()
            check_sound(carved)
            done = carved.sql("SELECT path, sha256 FROM file WHERE state = 'done'")
            same(sorted(pair for pair in there if done.count(pair) != 1), [], "not there once")
        print(f"        seed {SEED}: {cuts} power cuts, {len(there)} files, {lost} rows made again",
              flush=True)


# ---- clocks ----

# fails until "mended" stands beside the root, and waits as long as "hold" does
MENDED = """workers: 2
rescan_interval: 1s
detectors:
  - {{ type: command, name: mended, retries: 9, retry_pause: {}, run: [/bin/sh, -c,
      'd=${{1%%/in/*}}; while test -e "$d/hold"; do sleep 0.02; done; test -e "$d/mended" || exit 9', sh,
      "{{path}}"] }}
"""


def flag(carved, name):
    with open(os.path.join(carved.home, name), "wb"):
        pass


def test_a_clock_that_was_a_year_ahead_lets_no_retry_wait_for_a_year():
    with Carved(MENDED.format("20s")) as carved:
        clock = Clock(carved)
        clock.set(YEAR)
        carved.start(env=clock.environment)
        carved.put()
        carved.wait_until("SELECT waits_for, attempt FROM pending", [(b"retry", 1)])
        carved.kill()
        clock.set(0)
        flag(carved, "mended")
        carved.start(env=clock.environment)
        carved.wait_until("SELECT state, attempt FROM file", [(b"done", 2)])
        check(b"the clock was ahead" in carved.stderr(), "the log says so")
        carved.stop()


def test_a_clock_set_back_or_ahead_while_it_runs_changes_no_pause():
    for offset in (-YEAR, YEAR):
        with Carved(MENDED.format("300ms")) as carved:
            clock = Clock(carved)
            carved.start(env=clock.environment)
            carved.put()
            carved.wait_until("SELECT waits_for FROM pending", [(b"retry",)])
            clock.set(offset)
            made = carved.sql("SELECT max(attempt) FROM scan")
            carved.wait_until("SELECT max(attempt) FROM scan", lambda rows, made=made: rows > made)
            flag(carved, "mended")
            carved.wait_until("SELECT state, verdict, attempt FROM file", lambda rows: rows and
                              rows[0][0] == b"done")
            carved.stop()


def test_a_clock_set_ahead_ends_no_wait_for_a_detector_that_is_away():
    with Carved() as carved:
        carved.write_config("detectors:\n  - { type: clamd, socket: %s/no.ctl, wait: 1h }\n"
                            % carved.home)
        clock = Clock(carved)
        carved.start(env=clock.environment)
        carved.put()
        due = carved.wait_until("SELECT due_ns FROM pending WHERE waits_for = 'detector'",
                                lambda rows: len(rows) == 1)[0][0]
        clock.set(YEAR)
        carved.wait_until("SELECT count(*) FROM pending WHERE waits_for = 'detector' "
                          f"AND due_ns > {due}", [(1,)])
        same(carved.sql("SELECT state FROM file"), [(b"queued",)], "its state")
        carved.stop()


def test_a_clock_set_back_makes_no_negative_duration():
    with Carved(MENDED.format("1s")) as carved:
        clock = Clock(carved)
        flag(carved, "mended")
        flag(carved, "hold")
        carved.start(env=clock.environment)
        carved.put()
        carved.until(lambda: carved.sql("SELECT 1 FROM pending"), "it is being scanned")
        clock.set(-YEAR)
        os.unlink(os.path.join(carved.home, "hold"))
        carved.wait_until("SELECT state FROM file", [(b"done",)])
        same(carved.sql("SELECT count(*) FROM scan WHERE finished_ns < started_ns"), [(0,)],
             "scans that ended before they began")
        carved.stop()


def test_a_file_that_is_rewritten_after_the_clock_was_set_back_is_seen():
    with Carved(scenario.NOOP) as carved:
        clock = Clock(carved)
        clock.set(YEAR)
        path = carved.put(content=b"one")
        carved.start(env=clock.environment)
        carved.wait_settled(1)
        carved.stop()
        clock.set(0)
        rewrite(path, b"two", keep_time=True)
        carved.start(env=clock.environment)
        carved.wait_settled(2)
        same(carved.sql("SELECT count(DISTINCT sha256) FROM file"), [(2,)], "contents")
        carved.stop()


def refreshed(carved):
    status = json.loads(command("status", "--json", "--history", carved.history).stdout)
    return status["since_start"]["refreshed"]


def test_files_from_the_future_are_hashed_once_more_and_no_more():
    with Carved(scenario.NOOP) as carved:
        clock = Clock(carved)
        clock.set(-YEAR)
        carved.put(content=b"one")
        carved.start(env=clock.environment)
        carved.wait_settled(1)
        carved.stop()
        counts = []
        for _ in range(3):
            carved.start(env=clock.environment)
            carved.until(lambda: b"gap closed cause=down" in carved.stderr(), "the walk is through")
            last = carved.put(f"mark/{broapt_name()}", os.urandom(8))
            carved.wait_until("SELECT count(*) FROM pending", [(0,)])
            carved.until(lambda last=last: carved.sql("SELECT 1 FROM file WHERE state = 'done' AND "
                         "path = CAST(? AS TEXT)", last), "a later file is done")
            counts.append(refreshed(carved))
            os.unlink(last)
            carved.stop()
        same(counts[2], 0, f"hashed again at the third start: {counts}")


if __name__ == "__main__":
    scenario.main()
