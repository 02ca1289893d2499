"""Files that go because there is too much of them: by age, number, bytes, and how full their disk is. Each removal is
recorded before it is done, what waits for a scan stays unless "shed" names its type, and the ledger adds up, through
kill -9 as well.
"""
import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import time

import held
import mounting
import scenario
from mounting import ext4_image, mounted
from scenario import NOOP, Carved, Skip, broapt_name, check, files_below, same, scaled
from wrong_clock import YEAR, Clock

MIB = 1 << 20


def removed(carved, cause=None):
    """Paths of the files that were removed, in the order of that. What a kill left done and not said is "gone"."""
    where = f" AND cause = '{cause}'" if cause else ""
    return [path for path, in carved.sql("SELECT CAST(path AS BLOB) FROM disposal WHERE state IN ('removed', 'gone')"
                                         f"{where} ORDER BY id")]


def check_ledger(carved, made, killed=False):
    """Every file that was made has a row, each row an end, and each file is there or was removed."""
    rows = carved.sql("SELECT CAST(path AS BLOB), state, reason FROM file")
    same(sorted(path for path, *_ in rows), sorted(made), "a row for each file that was made")
    check(all(state in (b"done", b"unscanned") for _, state, _ in rows), f"not all have their end: {rows}")
    same(sum(files for files, in carved.sql("SELECT files FROM daily")), len(made), "the counts' sum")
    there, gone = files_below(carved.root), removed(carved)
    same(len(gone), len(set(gone)), "removed once each")
    same(sorted(there | set(gone)), sorted(made), "what is there and what was removed")
    check(not there & set(gone), f"removed, and there: {there & set(gone)}")
    others = carved.sql("SELECT DISTINCT state FROM removal WHERE state <> 'removed'")
    check(not others or (killed and others == [(b"gone",)]), f"other ends: {others}")


def put_one_by_one(carved, count, size=64, others=0):
    """Files, each first seen after the one before. others: rows that are of no file that was put."""
    made = []
    for _ in range(count):
        made.append(carved.put(content=os.urandom(size)))
        carved.wait_settled(carved.made + others)
    return made


def test_the_oldest_go_when_there_are_too_many():
    with Carved("retention: { count: 5 }\n" + NOOP) as carved:
        carved.start()
        made = put_one_by_one(carved, 12)
        carved.until(lambda: len(removed(carved)) == 7, "seven are removed")
        same(removed(carved, "count"), made[:7], "the oldest, in their order")
        check_ledger(carved, made)
        carved.stop()
        carved.start()
        made += put_one_by_one(carved, 1)
        carved.until(lambda: len(removed(carved)) == 8, "one more is removed")
        same(removed(carved), made[:8], "the oldest that is left")
        os.unlink(made[8])   # by somebody else: no more than five are there
        made += put_one_by_one(carved, 1)
        carved.until(lambda: carved.sql("SELECT seq FROM sink") == [(14,)], "it has heard of it")
        same(len(files_below(carved.root)), 5, "files that are there")
        made += put_one_by_one(carved, 1)
        carved.until(lambda: len(removed(carved)) == 9, "another one is removed")
        same(removed(carved)[-1], made[9], "not the one that was gone already")
        same(len(files_below(carved.root)), 5, "files that are there then")
        carved.stop()


def test_a_reload_ends_it_and_begins_it_again():
    limit = "retention: { count: 2 }\n" + NOOP
    with Carved(limit) as carved:
        def reload(text):
            carved.write_config(text)
            return scenario.command("reload", "--history", carved.history).stdout

        carved.start()
        made = put_one_by_one(carved, 3)
        carved.until(lambda: len(removed(carved)) == 1, "one is removed")
        check(b"retention has ended" in reload(NOOP), "that it ends is said")
        made += put_one_by_one(carved, 3)
        carved.wait_until("SELECT count(*) FROM event", [(0,)])  # it has heard of them
        same(removed(carved), made[:1], "removed while there is no limit")
        check(b"retention" not in reload(limit), "it begins at once")
        carved.until(lambda: len(removed(carved)) == 4, "three more are removed")
        check_ledger(carved, made)
        carved.stop()


def test_bytes():
    with Carved("retention: { bytes: 100K }\n" + NOOP) as carved:
        carved.start()
        made = put_one_by_one(carved, 6, 30 << 10)
        carved.until(lambda: len(removed(carved)) == 3, "three are removed")
        same(removed(carved, "bytes"), made[:3], "the oldest, in their order")
        check_ledger(carved, made)
        carved.stop()


def test_age():
    with Carved("retention: { age: 2s }\n" + NOOP) as carved:
        carved.start()
        made = put_one_by_one(carved, 5)
        carved.until(lambda: len(removed(carved)) == 5, "all are removed")
        early = carved.sql("SELECT path FROM disposal WHERE cause <> 'age' OR intended_ns - first_seen_ns < 2000000000")
        same(early, [], "removed before their time")
        check_ledger(carved, made)
        carved.stop()


def notes_of_clock(carved):
    return carved.sql("SELECT count(*) FROM meta WHERE key GLOB 'clock_set_*' AND value > 10000000000")[0][0]


def put_and_choose(carved):
    """One more file, of which retention has heard, so it has looked at all of them."""
    path = put_one_by_one(carved, 1)[0]
    carved.until(lambda: carved.sql("SELECT seq FROM sink") == [(carved.made,)], "it is heard of")
    carved.until(lambda: carved.status()["disposal"]["silent_s"] is None, "and was chosen from")
    return path


def test_a_clock_that_is_set_makes_nothing_old():
    """Forward by a year and back again, through a restart."""
    with Carved("retention: { age: 30d, quarantine: 30d }\n" + NOOP) as carved:
        clock = Clock(carved)
        carved.start(env=clock.environment)
        before = put_one_by_one(carved, 3)
        clock.set(YEAR)
        made = [*before, put_and_choose(carved)]
        same(notes_of_clock(carved), 1, "it is noted")
        carved.kill()
        carved.start(env=clock.environment)
        made.append(put_and_choose(carved))
        same(carved.sql("SELECT count(*) FROM removal"), [(0,)], "removed, as the clock is a year ahead")
        clock.set(0)
        made.append(put_and_choose(carved))
        same(notes_of_clock(carved), 0, "it was set back as far")
        clock.set(-YEAR)
        made.append(put_and_choose(carved))
        clock.set(0)
        made.append(put_and_choose(carved))
        same(carved.sql("SELECT count(*) FROM removal"), [(0,)], "removed, as the clock was a year behind")
        carved.write_config("retention: { age: 1s }\n" + NOOP)
        carved.send(signal.SIGHUP)
        # those that came while it was ahead are younger than any
        ahead = set(made[3:5])
        carved.until(lambda: set(removed(carved)) == set(made) - ahead, "all others go")
        same(files_below(carved.root), ahead, "what is left")
        carved.stop()


def test_a_clock_that_was_behind_at_the_start():
    """A machine without a battery: what came before it knew the time is no older than that."""
    with Carved("retention: { age: 30d }\n" + NOOP) as carved:
        clock = Clock(carved)
        clock.set(-30 * YEAR)
        carved.start(env=clock.environment)
        made = put_one_by_one(carved, 2)
        clock.set(0)
        made.append(put_and_choose(carved))
        carved.stop()
        carved.start(env=clock.environment)
        made.append(put_and_choose(carved))
        same(carved.sql("SELECT count(*) FROM removal"), [(0,)], "removed")
        same(files_below(carved.root), set(made), "what is there")
        carved.stop()


def test_files_of_other_places_stay():
    """What a scan by hand has left in the history is nobody's to remove."""
    with Carved("retention: { age: 1s }\n" + NOOP) as carved:
        elsewhere = os.path.join(carved.home, broapt_name())
        with open(elsewhere, "wb") as file:
            file.write(b"mine")
        done = scenario.command("scan", "-c", carved.config_path, "--history", carved.history, elsewhere)
        same(done.returncode, 0, f"the scan by hand: {done.stderr}")
        carved.start()
        made = put_one_by_one(carved, 1, others=1)
        carved.until(lambda: removed(carved) == made, "the one below the root is removed")
        check(os.path.exists(elsewhere), "the other one is gone")
        carved.stop()


def test_unscanned_ones_go_last_and_only_when_told():
    config = "retention: { count: 1, unscanned: %s }\n" + NOOP
    with Carved(config % "keep") as carved:
        carved.start()
        unscanned = [carved.put("of no scheme"), carved.put("nor this")]
        carved.wait_settled(2)
        done = put_one_by_one(carved, 3)
        carved.until(lambda: removed(carved) == done[:2], "the scanned ones are removed")
        same(files_below(carved.root), {*unscanned, done[2]}, "what is left")
        carved.stop()
        carved.write_config(config % "delete")
        carved.start()
        carved.until(lambda: len(removed(carved)) == 4, "four are removed")
        same(removed(carved)[:3], done, "the scanned ones first")
        same(len(files_below(carved.root)), 1, "files that are there")
        same(set(removed(carved)[3:]) | files_below(carved.root), set(unscanned), "the unscanned ones")
        carved.stop()


def test_what_changed_since_stays():
    with Carved("hash: never\nretention: { count: 1 }\n" + NOOP) as carved:
        carved.start()
        first = put_one_by_one(carved, 1)[0]
        carved.stop()
        with open(first, "ab") as file:
            file.write(b"more")
        os.rename(first, first + b".away")
        os.rename(first + b".away", first)
        carved.start()
        carved.wait_settled(2)
        made = put_one_by_one(carved, 2, others=1)
        carved.until(lambda: len(removed(carved)) >= 2, "two are removed")
        sizes = [size for size, in carved.sql("SELECT size FROM disposal WHERE state = 'removed' ORDER BY id LIMIT 1")]
        same(sizes, [64 + 4], "the content that went first is the one that is there")
        check(made[-1] in files_below(carved.root), "the last one is there")
        carved.stop()


def test_check_says_what_stands_in_its_way():
    with Carved(user=scenario_user()) as carved:
        carved.write_config(f"roots: [ {carved.root} ]\nretention: {{ age: 1d }}\npressure: nowhere/p\n" + NOOP)

        def lines():
            return scenario.command("check", "-c", carved.config_path, "--history", carved.history,
                                    executable=carved.binary, **carved.as_user()).stdout
        check(b"pressure" in lines() and b"make the directory" in lines(), lines())
        check(b"cannot be removed" not in lines(), lines())
        os.chown(carved.root, 0, 0)
        check(b"files cannot be removed from it" in lines(), lines())


def scenario_user():
    if os.geteuid() != 0:
        raise Skip("only root can act for another user")
    return 65534


def test_the_quarantine_is_no_attic():
    with Carved("dispose: { clean: quarantine }\nretention: { quarantine: 2s }\n" + NOOP) as carved:
        carved.start()
        put_one_by_one(carved, 3)
        state = "SELECT state, count(*), min(ended_ns - intended_ns) >= 2000000000 FROM removal GROUP BY 1"
        carved.wait_until(state, [(b"expired", 3, 1)])
        same(os.listdir(os.path.join(carved.state, "quarantine")), [], "what is left there")
        same(files_below(carved.root), set(), "and below the root")
        carved.stop()


SIZE = 64 << 10
DISK = 12 * MIB
MARKS = "retention: { disk_high: 80%, disk_low: 60% }\n"
HELD = held.ALONE + MARKS
SLOW = ("workers: 1\ndetectors:\n  - { type: command, name: slow, timeout: 60s, "
        "run: [/bin/sh, -c, 'sleep 0.02', '{path}'] }\n" + MARKS)


@contextlib.contextmanager
def on_a_small_disk(config):
    """A daemon whose root is a file system of 12 MiB."""
    with Carved() as carved:
        held.configure(carved, config)
        with mounted(carved.root, "-t", "tmpfs", "-o", f"size={DISK}", "none"):
            yield carved
            carved.kill()


def room(carved):
    there = os.statvfs(carved.root)
    return there.f_bavail * there.f_frsize


def percent(carved):
    return 100 * (DISK - room(carved)) / DISK


def wait_for_room(carved):
    """As a sensor that is told by the pressure file, or loses the file."""
    carved.until(lambda: room(carved) >= 4 * SIZE, "there is room for another file")


def put_type(carved, mime, extension):
    return carved.put(broapt_name(mime, extension), os.urandom(SIZE))


def check_answers(carved):
    """What was removed had its answer, but what was given up; of that each is recorded as such."""
    early = carved.sql("SELECT count(*) FROM disposal WHERE cause <> 'shed' AND (verdict IS NULL OR finished_ns > intended_ns)")
    same(early, [(0,)], "removed without an answer")
    same(carved.sql("SELECT count(*) FROM file WHERE reason = 'shed' AND id NOT IN "
                    "(SELECT file_id FROM disposal WHERE cause = 'shed' AND state IN ('removed', 'gone'))"), [(0,)],
         "given up without a removal")


def test_a_producer_that_is_faster_than_the_scanner():
    """Nothing is given up: what has its answer makes room, and what waits is left alone."""
    with on_a_small_disk(SLOW) as carved:
        carved.start()
        made, most = [], 0
        for _ in range(scaled(400, 4000)):
            wait_for_room(carved)
            made.append(carved.put(content=os.urandom(SIZE)))
            most = max(most, percent(carved))
        carved.wait_settled(len(made))
        carved.until(lambda: percent(carved) < 80, "the disk is not too full in the end")
        check(most > 80, f"it was never full: {most}")
        gone = removed(carved, "disk")
        print(f"        {len(made)} files, {len(gone)} removed, {most:.0f}% at most")
        check_answers(carved)
        check_ledger(carved, made)
        same(carved.sql("SELECT count(*) FROM file WHERE state <> 'done'"), [(0,)], "all were scanned")


def test_nothing_that_waits_goes_unless_told():
    with on_a_small_disk(HELD) as carved:
        carved.start()
        made = []
        while percent(carved) < 90:
            made.append(put_type(carved, "image/png", "png"))
        carved.until(lambda: b"nothing on it may be deleted any more" in carved.stderr(), "it is told")
        same(files_below(carved.root), set(made), "all are there")
        same(carved.sql("SELECT count(*) FROM removal"), [(0,)], "removals")
        fd = held.wait(carved)
        held.let_through(carved, fd)
        carved.until(lambda: percent(carved) <= 61 and carved.sql("SELECT count(*) FROM file WHERE state = 'queued'")
                     == [(0,)], "there is room again, when they are scanned")
        check_answers(carved)
        check_ledger(carved, made)
        same(sorted(removed(carved)), sorted(made[:len(removed(carved))]), "the oldest went")


def test_nothing_is_given_up_in_vain():
    """What cannot be removed anyway stays in the queue, and nothing is meant to go once it can be."""
    with on_a_small_disk(HELD + 'shed: ["*"]\n') as carved:
        held.let_through(carved)
        carved.start()
        made = put_one_by_one(carved, 8, SIZE)
        carved.stop()
        held.hold_again(carved)
        while percent(carved) < 90:
            made.append(carved.put(content=os.urandom(SIZE)))
        same(subprocess.run(["mount", "-o", "remount,ro", carved.root], check=False).returncode, 0, "mount it read-only")
        carved.start()
        carved.until(lambda: b"nothing on it may be deleted any more" in carved.stderr(), "it is told")
        same(carved.sql("SELECT state, count(*) FROM file GROUP BY 1 ORDER BY 1"),
             [(b"done", 8), (b"queued", len(made) - 8)], "what waits")
        same(carved.sql("SELECT count(*) FROM removal"), [(0,)], "removals")


def pressure(carved):
    """The pressure file as Zeek's input framework reads it: {field: value}."""
    with open(os.path.join(carved.home, "pressure.tsv"), "rb") as file:
        text = file.read()
    check(text.endswith(b"\n"), f"a line is cut: {text}")
    head, row, *rest = text.decode("ascii").split("\n")
    same(rest, [""], "one row")
    names = head.split("\t")
    same(names, ["#fields", "level", "reason", "queued", "oldest_s", "disk", "shed", "ts"], "its columns")
    values = dict(zip(names[1:], row.split("\t")))
    same(len(values), len(names) - 1, "values")
    kinds = {"level": int, "reason": str, "queued": int, "oldest_s": int, "disk": int, "shed": int, "ts": float}
    return {name: kinds[name](value) for name, value in values.items()}


def wait_pressure(carved, level, reason):
    def told():
        now = pressure(carved)
        return now if (now["level"], now["reason"]) == (level, reason) else None
    return carved.until(told, f"level {level}, {reason}; at first it is {pressure(carved)}")


def test_the_pressure_rises_and_falls():
    with on_a_small_disk(HELD + "pressure: pressure.tsv\n") as carved:
        carved.start()
        idle = wait_pressure(carved, 0, "idle")
        same((idle["queued"], idle["disk"] <= 1), (0, True), "numbers of an idle one")
        made = [put_type(carved, "image/png", "png")]
        fd = held.wait(carved)
        while percent(carved) < 70:
            made.append(put_type(carved, "image/png", "png"))
        carved.until(lambda: pressure(carved)["queued"] == len(made), "they are counted")
        between = wait_pressure(carved, 2, "disk")
        check(70 <= between["disk"] <= 72, f"how full: {between}")
        while percent(carved) < 85:
            made.append(put_type(carved, "image/png", "png"))
        wait_pressure(carved, 3, "full")
        carved.until(lambda: pressure(carved)["queued"] == len(made), "they are counted")
        full = pressure(carved)
        same((full["level"], full["reason"], full["shed"]), (3, "full", 0), "numbers of a full one")
        check(85 <= full["disk"] <= 87, f"how full: {full}")
        status = carved.status()["pressure"]
        same((status["level"], status["reason"], status["queued"], status["file"]),
             (3, "full", len(made), os.path.join(carved.home, "pressure.tsv")), "what the status says")
        held.let_through(carved, fd)
        carved.wait_settled(len(made))
        wait_pressure(carved, 0, "idle")
        carved.until(lambda: pressure(carved)["queued"] == 0, "nothing waits in the end")
        carved.stop()
        same((pressure(carved)["level"], pressure(carved)["reason"]), (0, "stopped"), "when it has ended")


def test_a_file_that_is_named_no_more_holds_nobody_up():
    with on_a_small_disk(HELD + "pressure: pressure.tsv\n") as carved:
        carved.start()
        while percent(carved) < 85:
            put_type(carved, "image/png", "png")
        wait_pressure(carved, 3, "full")
        held.configure(carved, HELD + "pressure: other.tsv\n")
        carved.send(signal.SIGHUP)
        wait_pressure(carved, 0, "stopped")
        carved.until(lambda: os.path.exists(os.path.join(carved.home, "other.tsv")), "the other one is there")


@contextlib.contextmanager
def locked(carved):
    """Somebody else is writing to the history, for ever."""
    with contextlib.closing(sqlite3.connect(carved.history, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_nothing_is_given_up_while_the_history_takes_nothing():
    """It would make no room, and more would be given up each second."""
    with on_a_small_disk(HELD + 'shed: ["*"]\npressure: pressure.tsv\n') as carved:
        carved.start()
        made = []
        while percent(carved) < 70:
            made.append(put_type(carved, "image/png", "png"))
        carved.wait_until("SELECT count(*) FROM pending", [(len(made),)])
        with locked(carved):
            made.append(put_type(carved, "image/png", "png"))
            wait_pressure(carved, 3, "history")
            while percent(carved) < 85:
                made.append(put_type(carved, "image/png", "png"))
            carved.until(lambda: pressure(carved)["disk"] > 80, "it sees that the disk is full")
            since = pressure(carved)["ts"]
            carved.until(lambda: pressure(carved)["ts"] > since + 3, "it looks at the disk again and again")
            while percent(carved) > 55:   # somebody makes room
                os.unlink(made.pop())
            carved.until(lambda: pressure(carved)["disk"] < 60, "it sees that")
            check(b"are given up" not in carved.stderr(), "it is told that files are given up")
        carved.until(lambda: carved.status()["trouble"] is None, "it writes again")
        held.let_through(carved, held.wait(carved))
        carved.wait_until("SELECT count(*) FROM pending", [(0,)])
        same(carved.sql("SELECT count(*) FROM file WHERE reason = 'shed'"), [(0,)], "given up")


@contextlib.contextmanager
def frozen(target):
    """A disk that answers to nobody who writes."""
    if mounting.run("fsfreeze", "--freeze", target).returncode:
        raise Skip("no fsfreeze, or not for us")
    try:
        yield
    finally:
        mounting.run("fsfreeze", "--unfreeze", target)


def test_a_disk_that_does_not_answer_shows_in_the_status():
    with Carved("retention: { count: 5 }\n" + NOOP) as carved:
        with mounted(carved.root, "-o", "loop", ext4_image(carved, 16)):
            os.rmdir(os.path.join(carved.root, "lost+found"))
            carved.start()
            made = put_one_by_one(carved, 5)
            carved.until(lambda: carved.status()["disposal"]["silent_s"] is None, "it rests")
            with frozen(carved.root):
                carved.write_config("retention: { count: 1 }\n" + NOOP)
                carved.send(signal.SIGHUP)
                status = carved.until(lambda: (carved.status()["disposal"]["silent_s"] or 0) >= 2 and carved.status(),
                                      "it stands still")
                same((status["disposal"]["intended"], status["healthy"]), (4, True), "the rest of the daemon is well")
                words = scenario.command("status", "--history", carved.history).stdout
                check(b"  silent s: " in words, words)
            carved.until(lambda: len(removed(carved)) == 4, "it goes on")
            carved.until(lambda: carved.status()["disposal"]["silent_s"] is None, "and rests")
            check_ledger(carved, made)
            carved.stop()


TYPES = (("application/pdf", "pdf"), ("text/html", "html"), ("image/png", "png"))
SHED = 'shed: ["image/*", "text/*"]\n'


def put_answered(carved, count):
    """Files that have their answer; from then on the worker is held."""
    held.let_through(carved)
    made = [put_type(carved, *TYPES[number % 3]) for number in range(count)]
    carved.wait_settled(count)
    held.hold_again(carved)
    return made


def types_given_up(carved, answered):
    """Of the files that were given up, in their order; none was while one with an answer was there."""
    first = carved.sql("SELECT min(id) FROM removal WHERE cause = 'shed'")[0][0]
    same(carved.sql("SELECT count(*) FROM disposal WHERE id < ? AND path IN (SELECT value FROM json_each(?))", first,
                    json.dumps([path.decode() for path in answered])), [(len(answered),)], "files with an answer that went before")
    types = [path.rpartition(b".")[2] for path in removed(carved, "shed")]
    check(b"pdf" not in types, "a type that is not in shed was given up")
    return types


def finish(carved, made, killed=False):
    """All is scanned that is left, and accounted for."""
    held.let_through(carved, held.wait(carved))
    carved.wait_settled(len(made))
    carved.until(lambda: percent(carved) < 80 and carved.sql("SELECT count(*) FROM removal WHERE state = 'intended'")
                 == [(0,)], "there is room in the end")
    print(f"        {len(made)} files, {len(removed(carved))} removed, {len(removed(carved, 'shed'))} given up")
    check_answers(carved)
    check_ledger(carved, made, killed)
    same(carved.sql("SELECT count(*) FROM file WHERE state = 'unscanned' AND reason = 'shed'"),
         [(len(removed(carved, "shed")),)], "rows")


def test_what_waits_is_given_up_in_the_order_of_shed():
    """Nothing goes until all is there."""
    with on_a_small_disk(held.ALONE + "retention: { disk_high: 99%, disk_low: 98% }\n" + SHED) as carved:
        carved.start()
        answered = put_answered(carved, 30)
        waiting = [put_type(carved, *TYPES[kind]) for kind in (0, 0, *[1, 2] * 10, *[0, 1] * 50)]
        while percent(carved) < 93:
            waiting.append(put_type(carved, *TYPES[0]))
        carved.wait_until("SELECT count(*) FROM file WHERE state = 'queued'", [(len(waiting),)])
        held.configure(carved, HELD + SHED)
        same(scenario.command("reload", "--history", carved.history).returncode, 0, "the reload")
        carved.until(lambda: percent(carved) <= 61, "there is room")
        types = types_given_up(carved, answered)
        same((types[:10], set(types[10:])), ([b"png"] * 10, {b"html"}), "in the order of shed")
        finish(carved, answered + waiting)
        check(percent(carved) >= 58, f"more was given up than makes room: {percent(carved):.0f}%")


def shedding(kills=0):
    with on_a_small_disk(HELD + SHED) as carved:
        carved.start()
        answered = put_answered(carved, 30)
        made = list(answered)
        for number in range(scaled(240, 2000)):
            if kills and number % 60 == 59:
                time.sleep(random.random() * 0.3)   # any moment will do
                carved.kill()
                carved.start(ready=False)
            if percent(carved) > 95:
                carved.until(lambda: percent(carved) < 80 or b"may be deleted any more" in carved.stderr(), "there is room")
            if percent(carved) > 95:
                break
            made.append(put_type(carved, *TYPES[number % 3]))
        carved.until(lambda: removed(carved, "shed"), "some are given up")
        check(b"png" in types_given_up(carved, answered), "nothing of the first type was given up")
        finish(carved, made, kills > 0)
        check(b"files that wait for a scan are given up" in carved.stderr(), "it is not told")


def test_files_are_given_up_while_more_come():
    shedding()


def test_kill_while_files_are_given_up():
    shedding(kills=4)


if __name__ == "__main__":
    mounting.enter()
    scenario.main()
