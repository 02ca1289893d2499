"""Other rules: what is done is looked at again, behind new files, and nothing of the old is lost."""
import json
import os
import random
import signal

import scenario
from scenario import Carved, broapt_name, check, command, same

LIST = "detectors:\n  - {{ type: hashlist, file: {} }}\n"
# A detector whose rules are its script: says what stands in the file "rules" beside the root, and holds
# still as long as "hold" is there.
SCRIPT = """#!/bin/sh
home=${1%%/in/*}
while test -e "$home/hold"; do sleep 0.02; done
# version %s
%s
"""
COMMAND = ("detectors:\n  - {{ type: command, name: script, retries: 2, retry_pause: 100ms, "
           "run: [ {}/rules.sh, \"{{path}}\" ] }}\n")


def listing(extra="", contents=()):
    """A daemon with a hash list of its own, not started."""
    carved = Carved()
    carved.write_config(LIST.format(carved.write_hashlist(*contents)) + extra)
    return carved


def scripted(extra=""):
    """A daemon with a script for a detector that finds everything clean, not started."""
    carved = Carved()
    carved.write_config(COMMAND.format(carved.home) + extra)
    write_script(carved, "exit 0")
    return carved


def write_script(carved, words):
    """The script is another one from the next reload on."""
    path = os.path.join(carved.home, "rules.sh")
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write(SCRIPT % (random.random(), words))
    os.chmod(path + ".new", 0o755)
    os.rename(path + ".new", path)


def hold(carved, on):
    path = os.path.join(carved.home, "hold")
    if on:
        with open(path, "wb"):
            pass
    else:
        os.unlink(path)


def asked(carved):
    """Paths that the script was asked about and answered, as bytes, in the order of the questions."""
    return [path for path, in carved.sql(
        "SELECT f.path FROM scan s JOIN file f ON f.id = s.file_id "
        "WHERE s.detector = 'script' AND NOT s.cached ORDER BY s.started_ns")]


def reload_rules(carved):
    """HUP, and the digests in force stand in the history."""
    before = carved.stderr().count(b"detectors reloaded")
    carved.send(signal.SIGHUP)
    carved.until(lambda: carved.stderr().count(b"detectors reloaded") > before, "reloaded")


def rescan(carved, *words):
    """Asks; what the command printed as a dictionary."""
    done = command("rescan", "--history", carved.history, *words)
    same(done.returncode, 0, f"exit status of rescan ({done.stderr!r})")
    return {name: int(value) for name, value in
            (line.split(": ") for line in done.stdout.decode().splitlines())}


def wait_answered(carved):
    carved.wait_until("SELECT count(*) FROM rescan WHERE state = 'waiting'", [(0,)])


def status(carved):
    done = command("status", "--json", "--history", carved.history)
    same(done.returncode, 0, f"exit status of status ({done.stderr!r})")
    return json.loads(done.stdout)


def tally_is_right(carved):
    counted = carved.sql("SELECT state, verdict, count(*) FROM file WHERE state <> 'queued' GROUP BY 1, 2")
    told = carved.sql("SELECT state, verdict, sum(files) FROM daily WHERE state <> 'queued' GROUP BY 1, 2")
    same(sorted(told), sorted(counted), "the daily view")


def test_a_verdict_that_changes_is_announced():
    bad = b"harmless until today"
    with listing() as carved:
        carved.start("--json")
        path, other = carved.put(content=bad), carved.put()
        carved.wait_settled(2)
        carved.write_hashlist(bad)
        reload_rules(carved)
        carved.wait_until("SELECT count(*) FROM stale", [(2,)])
        same(carved.sql("SELECT verdict FROM file"), [(b"clean",)] * 2, "verdicts before it is asked for")
        same(rescan(carved, "--dry-run")["would be asked for"], 2, "a dry run")
        same(carved.sql("SELECT count(*) FROM rescan"), [(0,)], "what a dry run leaves")
        same(rescan(carved)["asked for"], 2, "asked for")
        wait_answered(carved)
        same(carved.row(path), (b"done", None, b"malicious"), "the listed file")
        same(carved.row(other), (b"done", None, b"clean"), "the other")
        same(carved.sql("SELECT outcome, attempt, cached FROM scan WHERE file_id ="
                        " (SELECT id FROM file WHERE path = CAST(? AS TEXT)) ORDER BY id", path),
             [(b"clean", 1, 0), (b"malicious", 2, 0)], "evidence of both looks")
        carved.wait_until("SELECT count(*) FROM stale", [(0,)])
        line = b"malicious path=" + path + b" signature=Test-Sample rescan=yes was=clean"
        carved.until(lambda: line in carved.stderr(), "a log line")
        tally_is_right(carved)
        now = status(carved)["rescan"]
        same((now["waiting"], now["running"], now["answered_since_start"], now["changed_since_start"]),
             (0, 0, 2, 1), "status")
        # asked for once more with the same rules: nothing is done, nothing is added
        rescan(carved)
        wait_answered(carved)
        same(carved.sql("SELECT count(*) FROM scan"), [(4,)], "scan rows")
        carved.stop()
        with open(carved.stdout_path, "rb") as file:
            told = [json.loads(line) for line in file.read().splitlines()]
        again = [one for one in told if one.get("rescan")]
        same(len(again), 2, "JSON lines of rescans")
        flips = [one for one in again if one["was"] != one["verdict"]]
        same([(os.fsencode(one["path"]), one["was"], one["verdict"]) for one in flips],
             [(path, "clean", "malicious")], "the JSON line of the change")


def test_a_false_alarm_is_taken_back():
    content = b"only looks bad"
    with listing(contents=[content]) as carved:
        carved.start()
        path = carved.put(content=content)
        carved.wait_settled(1)
        same(carved.row(path)[2], b"malicious", "verdict by the old list")
        carved.write_hashlist()
        reload_rules(carved)
        rescan(carved)
        wait_answered(carved)
        same(carved.row(path)[2], b"clean", "verdict by the new list")
        # the old list again: its answer is known, and is taken over
        carved.write_hashlist(content)
        reload_rules(carved)
        rescan(carved)
        wait_answered(carved)
        same(carved.row(path)[2], b"malicious", "verdict")
        tally_is_right(carved)
        carved.stop()


def test_the_same_content_a_thousand_times():
    content = b"one of a thousand"
    with listing("rescan: auto\nworkers: 3\n") as carved:
        carved.start()
        for _ in range(1000):
            carved.put(content=content)
        carved.wait_settled(1000)
        by_digest = ("SELECT sum(cached = 0), sum(cached = 1), min(outcome) FROM scan"
                     " GROUP BY detector_digest ORDER BY min(scan.id)")
        by_attempt = "SELECT attempt, sum(cached = 0), sum(cached = 1), min(outcome) FROM scan GROUP BY 1"
        same(carved.sql(by_digest), [(1, 999, b"clean")], "one scan and 999 cached")
        carved.write_hashlist(content)
        reload_rules(carved)
        carved.wait_until("SELECT count(*) FROM file WHERE verdict = 'malicious'", [(1000,)])
        same(carved.sql(by_attempt), [(1, 1, 999, b"clean"), (2, 1, 999, b"malicious")],
             "new rules: scanned once more")
        tally_is_right(carved)
        carved.stop()


def test_rules_that_changed_while_it_was_down():
    with listing("rescan: auto\n") as carved:
        carved.start()
        bad = carved.put(content=b"bad")
        for _ in range(50):
            carved.put()
        carved.wait_settled(51)
        carved.stop()
        carved.write_hashlist(b"bad")
        carved.start()
        carved.wait_until("SELECT count(*) FROM file WHERE verdict = 'malicious'", [(1,)])
        carved.wait_until("SELECT count(*) FROM file WHERE attempt = 2", [(51,)])
        same(carved.row(bad)[2], b"malicious", "verdict")
        carved.stop()
        # the same rules at the next start: nothing to do
        carved.start()
        carved.wait_until("SELECT count(*) FROM rescan", [(0,)])
        same(carved.sql("SELECT max(attempt) FROM file"), [(2,)], "attempts")
        carved.stop()


def test_a_change_of_mode_catches_up():
    with listing("rescan: manual\n") as carved:
        carved.start()
        path = carved.put(content=b"bad")
        carved.wait_settled(1)
        carved.write_hashlist(b"bad")
        reload_rules(carved)
        carved.wait_until("SELECT count(*) FROM stale", [(1,)])
        carved.write_config(LIST.format(carved.write_hashlist(b"bad")) + "rescan: auto\n")
        reload_rules(carved)
        carved.wait_until("SELECT verdict FROM file", [(b"malicious",)])
        same(carved.row(path)[0], b"done", "state")
        carved.stop()


def test_what_is_gone_or_replaced_says_so():
    with listing() as carved:
        carved.start()
        gone, replaced, linked, stays = (carved.put() for _ in range(4))
        moved = carved.put(content=b"moved")
        carved.wait_settled(5)
        new_place = carved.path_of(broapt_name())
        os.rename(moved, new_place)
        carved.wait_settled(6)
        os.unlink(gone)
        carved.put(os.path.basename(replaced))  # as long as before: only the hash tells
        os.unlink(linked)
        os.symlink(b"/etc/passwd", linked)
        carved.wait_until("SELECT count(*) FROM file WHERE state <> 'queued'", [(8,)])
        before = carved.sql("SELECT id, state, reason, verdict FROM file ORDER BY id")
        carved.write_hashlist(b"nothing of this")
        reload_rules(carved)
        same(rescan(carved)["asked for"], 7, "asked for")
        wait_answered(carved)
        same(dict(carved.sql("SELECT path, state FROM rescan")),
             {gone: b"gone", replaced: b"replaced", linked: b"replaced", moved: b"gone"},
             "the view rescan")
        same(carved.sql("SELECT id, state, reason, verdict FROM file ORDER BY id"), before,
             "what the history says of them")
        same(carved.row(stays, "attempt"), (2,), "attempts of the file that stayed")
        same(carved.row(new_place, "attempt"), (2,), "attempts of the file that was moved")
        now = status(carved)["rescan"]
        same((now["gone"], now["replaced"], now["failed"], now["waiting"]), (2, 2, 0, 0), "status")
        # one comes back; it is asked for again with the rest, and is answered
        carved.put(os.path.basename(gone), b"new")
        told = rescan(carved)
        same((told["asked for"], told["gone"]), (told["waiting"], 0), "what the command prints")
        carved.stop()


def test_a_writer_is_waited_for():
    with listing("rescan_interval: 100ms\n") as carved:
        carved.start()
        path = carved.put()
        carved.wait_settled(1)
        carved.write_hashlist(b"x")
        reload_rules(carved)
        with open(path, "ab"):
            rescan(carved)
            carved.wait_until("SELECT state, due_ns > 0 FROM rescan", [(b"waiting", 1)])
        carved.wait_until("SELECT count(*) FROM rescan", [(0,)])
        same(carved.row(path, "attempt"), (2,), "attempts")
        carved.stop()


def test_touched_files_are_the_same_content():
    with listing() as carved:
        carved.start()
        path = carved.put(content=b"bad")
        carved.wait_settled(1)
        carved.stop()
        carved.write_hashlist(b"bad")
        os.utime(path, (1, 1))
        same(rescan(carved)["asked for"], 1, "asked for without a daemon")
        same(carved.sql("SELECT state FROM rescan"), [(b"waiting",)], "it waits for the next start")
        carved.start()
        carved.wait_until("SELECT count(*) FROM rescan", [(0,)])
        same(carved.row(path)[2], b"malicious", "verdict")
        carved.stop()


def test_new_files_overtake():
    with scripted("workers: 1\n") as carved:
        carved.start()
        for _ in range(40):
            carved.put()
        carved.wait_settled(40)
        write_script(carved, "exit 1")
        reload_rules(carved)
        hold(carved, True)
        rescan(carved)
        carved.until(lambda: status(carved)["rescan"]["running"] == 1, "the first rescan is under way")
        new = [carved.put() for _ in range(5)]
        # the only worker is held, so they get rows of their own
        carved.wait_until("SELECT count(*) FROM pending", [(5,)])
        hold(carved, False)
        carved.wait_settled(45)
        wait_answered(carved)
        order = asked(carved)[41:]
        same(sorted(order[:5]), sorted(new), "who comes after the one that was under way")
        same(carved.sql("SELECT verdict, count(*) FROM file GROUP BY 1"), [(b"malicious", 45)], "verdicts")
        carved.stop()


def test_one_worker_is_left_for_new_files():
    with scripted("workers: 3\nstop_grace: 0s\n") as carved:
        carved.start()
        for _ in range(10):
            carved.put()
        carved.wait_settled(10)
        # the old files hold still, and new ones do not
        write_script(carved, 'case "$1" in *Fnew*) exit 0;; esac; exec tail -f /dev/null')
        reload_rules(carved)
        rescan(carved)
        carved.until(lambda: status(carved)["rescan"]["running"] == 2, "two rescans are under way")
        new = [carved.put(f"HTTP-Fnew{number}.x.text.plain.txt") for number in range(20)]
        carved.wait_until("SELECT count(*) FROM file WHERE state = 'done'", [(30,)])
        same(sorted(asked(carved)[10:]), sorted(new), "nobody else was asked about")
        same(status(carved)["rescan"]["running"], 2, "rescans in memory")
        carved.stop()
        same(carved.sql("SELECT count(*) FROM rescan WHERE state = 'waiting'"), [(10,)],
             "a stop leaves them")


def test_killed_in_the_middle():
    with scripted("workers: 3\nrescan: auto\n") as carved:
        carved.start()
        for _ in range(200):
            carved.put()
        carved.wait_settled(200)
        write_script(carved, "exit 1")
        reload_rules(carved)
        answered = "SELECT count(*) FROM file WHERE verdict = 'malicious'"
        for part in (30, 60, 90, 120, 150):
            carved.wait_until(answered, lambda rows, part=part: rows[0][0] >= part)
            carved.kill()
            same(carved.sql("SELECT count(*) FROM file WHERE state <> 'done'"), [(0,)], "holes")
            carved.start()
        carved.wait_until(answered, [(200,)])
        wait_answered(carved)
        same(carved.sql("SELECT answers, count(*) FROM (SELECT count(*) AS answers, max(attempt) FROM"
                        " scan WHERE outcome = 'malicious' GROUP BY file_id) GROUP BY 1"),
             [(1, 200)], "nothing is recorded twice")
        same(carved.sql("SELECT count(*) FROM rescan"), [(0,)], "the queue")
        tally_is_right(carved)
        carved.stop()


def test_a_detector_that_fails_takes_no_answer_away():
    with scripted() as carved:
        carved.start()
        path = carved.put()
        carved.wait_settled(1)
        write_script(carved, "exit 9")
        reload_rules(carved)
        rescan(carved)
        carved.wait_until("SELECT state, tries, note FROM rescan", [(b"failed", 2, b"script: error")])
        same(carved.row(path), (b"done", None, b"clean"), "what the older rules said")
        same(carved.sql("SELECT attempt, outcome FROM scan ORDER BY id"),
             [(1, b"clean"), (2, b"error"), (3, b"error")], "evidence")
        check(carved.sql("SELECT count(*) FROM stale") == [(1,)], "it is stale still")
        write_script(carved, "exit 1")
        reload_rules(carved)
        rescan(carved)
        carved.wait_until("SELECT count(*) FROM rescan", [(0,)])
        same(carved.row(path), (b"done", None, b"malicious"), "with rules that work")
        tally_is_right(carved)
        carved.stop()


def test_only_the_detector_that_is_named():
    with scripted() as carved:
        with open(carved.config_path, "a", encoding="utf-8") as file:
            file.write(f"  - {{ type: hashlist, file: {carved.write_hashlist()} }}\n")
        carved.start()
        carved.put(content=b"bad")
        carved.wait_settled(1)
        write_script(carved, "exit 1")
        carved.write_hashlist(b"bad", b"worse")
        reload_rules(carved)
        rescan(carved, "--detector", "script")
        wait_answered(carved)
        newest = "SELECT detector, outcome FROM scan WHERE attempt = {} ORDER BY 1"
        same(carved.sql(newest.format(2)), [(b"script", b"malicious")], "who was asked")
        rescan(carved)
        wait_answered(carved)
        same(carved.sql(newest.format(3)), [(b"hashlist", b"malicious")], "who was asked then")
        done = command("rescan", "--history", carved.history, "--detector", "scirpt")
        same(done.returncode, 3, "exit status for a detector that is unknown")
        check(b"script" in done.stderr and b"hashlist" in done.stderr, f"{done.stderr!r}")
        carved.stop()


def test_lists_of_known_good_files():
    good = b"looks bad, and is not"
    with Carved() as carved:
        carved.write_config("rescan: auto\n" + COMMAND.format(carved.home) +
                            f"  - {{ type: hashlist, name: good, known: good, skips: [ script ], "
                            f"file: {carved.write_hashlist(b'x')} }}\n")
        write_script(carved, "exit 1")
        carved.start()
        path = carved.put(content=good)
        carved.wait_settled(1)
        same(carved.row(path)[2], b"malicious", "verdict before it is known to be good")
        for listed, verdict in (([good], b"clean"), ([b"y"], b"malicious"), ([good], b"clean")):
            carved.write_hashlist(*listed)
            reload_rules(carved)
            carved.wait_until("SELECT verdict FROM file", [(verdict,)])
            carved.wait_until("SELECT count(*) FROM stale", [(0,)])
            wait_answered(carved)
        # other rules of a detector that is spared concern nobody
        before = len(asked(carved))
        write_script(carved, "exit 1 # again")
        reload_rules(carved)
        carved.wait_until("SELECT count(*) FROM stale", [(0,)])
        rescan(carved)
        wait_answered(carved)
        same((carved.row(path)[2], len(asked(carved))), (b"clean", before), "after other rules of the script")
        tally_is_right(carved)
        carved.stop()


def test_join_and_once_leave_rescans():
    with listing() as carved:
        carved.start()
        for _ in range(3):
            carved.put()
        carved.wait_settled(3)
        carved.stop()
        carved.write_hashlist(b"x")
        rescan(carved)
        done = command("run", "--once", "-c", carved.config_path, "--history", carved.history, carved.root)
        same(done.returncode, 0, f"run --once: {done.stderr!r}")
        same(carved.sql("SELECT state, count(*) FROM rescan"), [(b"waiting", 3)], "what --once leaves")
        carved.start()
        carved.wait_until("SELECT count(*) FROM rescan", [(0,)])
        same(carved.sql("SELECT attempt, count(*) FROM file"), [(2, 3)], "attempts")
        carved.stop(signal.SIGUSR1)


def test_a_clean_text_does_not_clear_a_program():
    with Carved() as carved:
        carved.write_config("unmatched: scan\ndetectors:\n  - { type: command, name: names, run: [ /bin/sh, -c, "
                            "'case \"$1\" in *.exe) exit 1;; esac', sh, \"{name}\", \"{fd}\" ] }\n")
        carved.start()
        clean, bad = carved.path_of("a.txt"), carved.path_of("invoice.pdf.exe")
        carved.put("a.txt", b"same")
        carved.wait_settled(1)
        carved.put("invoice.pdf.exe", b"same")
        carved.wait_settled(2)
        same((carved.row(clean)[2], carved.row(bad)[2]), (b"clean", b"malicious"), "verdicts of one content")
        rescan(carved)
        wait_answered(carved)
        same((carved.row(clean)[2], carved.row(bad)[2]), (b"clean", b"malicious"), "verdicts after a rescan")
        carved.stop()


def test_without_hashes():
    with scripted("hash: never\n") as carved:
        carved.start()
        stays, touched = carved.put(), carved.put()
        carved.wait_settled(2)
        carved.stop()
        os.utime(touched, (1, 1))  # may be another content, by all that is known
        write_script(carved, "exit 1")
        rescan(carved)
        carved.start()
        wait_answered(carved)
        same(carved.row(stays)[2], b"malicious", "verdict")
        same(carved.sql("SELECT path, state, verdict FROM rescan"), [(touched, b"replaced", b"clean")],
             "what cannot be told from another content")
        carved.stop()


def test_what_broapt_had_done():
    with scripted() as carved:
        path = carved.put()
        log = os.path.join(carved.home, "dump.log")
        with open(log, "wb") as file:
            file.write(path + b"\n")
        done = command("import", "--history", carved.history, log)
        same(done.returncode, 0, f"import: {done.stderr!r}")
        write_script(carved, "exit 1")
        carved.start()
        same(carved.row(path)[2], b"unknown", "verdict of an imported file")
        same(rescan(carved)["asked for"], 1, "asked for")
        wait_answered(carved)
        same(carved.row(path, "state, verdict, sha256 IS NOT NULL"), (b"done", b"malicious", 1),
             "verdict of a detector")
        tally_is_right(carved)
        carved.stop()


def test_asking_for_less():
    with listing("unmatched: scan\n") as carved:
        carved.start()
        carved.put(broapt_name("application/pdf", "pdf"))
        carved.put(broapt_name("text/plain", "txt"))
        carved.put("plain")
        carved.wait_settled(3)
        for words, wanted in ((["--mime", "APPLICATION/*"], 1), (["--mime", "*"], 2), ([], 3),
                              (["--since", "1h"], 3), (["--until", "1h"], 0)):
            same((words, rescan(carved, "-n", *words)["would be asked for"]), (words, wanted), "counted")
        for words in (["--since", "yesterday"], ["extra"], ["--mime"]):
            done = command("rescan", "--history", carved.history, *words)
            same((words, done.returncode), (words, 2), "exit status")
        done = command("rescan", "--history", carved.home + "/none.db")
        same(done.returncode, 3, "exit status without a history")
        carved.stop()


if __name__ == "__main__":
    scenario.main()
