"""clamd: a real one finds, is down and comes back, gets new signatures, has limits, hangs."""
import json
import os
import signal

import scenario
from clamd import Clamd, exact, slow
from scenario import EICAR, Carved, Skip, check, same

SCANS = "SELECT f.path, s.outcome, s.signature, s.cached, s.attempt FROM scan s" \
        " JOIN file f ON f.id = s.file_id ORDER BY s.id"


def config(clamd, keys="", tcp=False):
    where = f"tcp://127.0.0.1:{clamd.port}" if tcp else clamd.socket
    return "detectors:\n  - { type: clamd, socket: \"%s\"%s }\n" % (where, keys)


def outcome(carved, path):
    """(outcome, signature, detail) of the last scan of a path."""
    rows = carved.sql("SELECT s.outcome, s.signature, s.detail FROM scan s JOIN file f"
                      " ON f.id = s.file_id WHERE f.path = CAST(? AS TEXT) ORDER BY s.id", path)
    check(rows, f"no scan of {path!r}")
    return rows[-1]


def waiting(carved, count):
    """Waits until so many files wait for the detector."""
    carved.wait_until("SELECT count(*) FROM pending WHERE waits_for = 'detector'", [(count,)])


def status(carved):
    done = scenario.command("status", "--json", "--history", carved.history)
    same(done.returncode, 0, "exit status of status")
    return json.loads(done.stdout)


def finds(tcp):
    with Clamd(tcp=tcp) as clamd, Carved(config(clamd, tcp=tcp)) as carved:
        clamd.start()
        carved.start()
        bad = carved.put(content=EICAR)
        good = carved.put(content=b"harmless")
        empty = carved.put(content=b"")
        large = carved.put(content=os.urandom(1 << 20) + EICAR + os.urandom(1 << 20))
        carved.wait_settled(4)
        for path in (bad, large):
            same(carved.row(path), (b"done", None, b"malicious"), "a file with EICAR")
            same(outcome(carved, path)[:2], (b"malicious", b"Eicar-Test.UNOFFICIAL"), "its scan")
        for path in (good, empty):
            same(carved.row(path), (b"done", None, b"clean"), "a harmless file")
        same(status(carved)["detectors_away"], [], "detectors that are away")
        carved.stop()


def test_eicar_is_found_through_the_socket():
    finds(tcp=False)


def test_eicar_is_found_over_tcp():
    finds(tcp=True)


def test_many_files_go_through_few_sessions():
    with Clamd() as clamd, Carved(config(clamd)) as carved:
        clamd.start()
        carved.start("--workers", "4")
        for i in range(200):
            carved.put(content=EICAR if i % 10 == 0 else os.urandom(200))
        carved.wait_settled(200)
        same(carved.sql("SELECT verdict, count(*) FROM file GROUP BY 1 ORDER BY 1"),
             [(b"clean", 180), (b"malicious", 20)], "verdicts")
        links = [os.readlink(f"/proc/{carved.process.pid}/fd/{fd}")
                 for fd in os.listdir(f"/proc/{carved.process.pid}/fd")]
        check(sum(link.startswith("socket:") for link in links) <= 4 + 3,
              f"no more sessions than workers: {links!r}")
        carved.stop()


def test_new_signatures_make_old_answers_stale():
    with Clamd() as clamd, Carved(config(clamd)) as carved:
        clamd.start()
        carved.start()
        first = carved.put(content=b"not yet known to be bad")
        carved.wait_settled(1)
        second = carved.put(content=b"not yet known to be bad")
        carved.wait_settled(2)
        clamd.write_signatures(2, exact("New-One", b"known to be bad"))
        clamd.reload(2)
        # what it says of its version counts for two seconds
        carved.until(lambda: carved.put(content=os.urandom(16)) and len(carved.sql(
            "SELECT DISTINCT detector_digest FROM scan")) == 2, "another digest")
        carved.put(content=os.urandom(16))
        third = carved.put(content=b"not yet known to be bad")
        fourth = carved.put(content=b"not yet known to be bad")
        carved.wait_until("SELECT count(*) FROM pending", [(0,)])
        carved.until(lambda: all(carved.sql(
            "SELECT 1 FROM file WHERE path = CAST(? AS TEXT)", path) for path in (third, fourth)),
            "the last two are recorded")
        carved.stop()
        rows = {row[0]: row[1:] for row in carved.sql(SCANS)}
        same(rows[first], (b"clean", None, 0, 1), "the first is asked about")
        same(rows[second], (b"clean", None, 1, 1), "the second is taken over")
        both = sorted((rows[third], rows[fourth]), key=lambda row: row[2])
        same(both, [(b"malicious", b"New-One.UNOFFICIAL", 0, 1),
                    (b"malicious", b"New-One.UNOFFICIAL", 1, 1)],
             "with new signatures the same content is asked about once more")


def test_new_signatures_find_what_was_there_before():
    with Clamd() as clamd, Carved("rescan: auto\n" + config(clamd)) as carved:
        clamd.start()
        carved.start()
        path = carved.put(content=b"not yet known to be bad")
        carved.wait_settled(1)
        same(carved.row(path), (b"done", None, b"clean"), "with the signatures of before")
        clamd.write_signatures(2, exact("New-One", b"known to be bad"))
        clamd.reload(2)
        # another file's answer tells that the signatures are new
        carved.until(lambda: carved.put(content=os.urandom(16)) and carved.row(path, "verdict")
                     == (b"malicious",), "the old file is looked at again")
        carved.stop()


def test_while_it_is_down_files_wait_and_lose_no_attempt():
    with Clamd() as clamd, Carved(config(clamd, ", retries: 1")) as carved:
        clamd.start()
        carved.start()
        carved.put(content=b"before")
        carved.wait_settled(1)
        clamd.kill()
        bad = carved.put(content=EICAR)
        good = carved.put(content=b"harmless")
        waiting(carved, 2)
        away = status(carved)["detectors_away"]
        same([one["name"] for one in away], ["clamd"], "status names it")
        check(clamd.socket in away[0]["why"] and "is clamd running?" in away[0]["why"],
              f"status says why: {away!r}")
        text = scenario.command("status", "--history", carved.history).stdout
        check(b"name=clamd" in text, f"status for people: {text!r}")
        clamd.start()
        carved.wait_settled(3)
        same(carved.row(bad), (b"done", None, b"malicious"), "EICAR")
        same(carved.row(good), (b"done", None, b"clean"), "a harmless file")
        same([row[4] for row in carved.sql(SCANS)], [1, 1, 1], "attempts")
        same(status(carved)["detectors_away"], [], "detectors that are away")
        carved.stop()
        words = carved.stderr()
        for line in (b"detector clamd is away, files wait for it: ", b"detector clamd is back"):
            same(words.count(line), 1, f"lines {line!r}")


def test_a_daemon_that_starts_before_clamd_waits_for_it():
    with Clamd() as clamd, Carved(config(clamd)) as carved:
        carved.start()
        check(b"detector clamd is away, files wait for it: " in carved.stderr(), "it is told")
        path = carved.put(content=EICAR)
        waiting(carved, 1)
        clamd.start()
        carved.wait_settled(1)
        same(carved.row(path), (b"done", None, b"malicious"), "EICAR")
        carved.stop()


def test_when_the_wait_is_over_the_file_ends_as_failed():
    with Clamd() as clamd, Carved(config(clamd, ", wait: 1s")) as carved:
        carved.start()
        path = carved.put()
        carved.wait_settled(1)
        same(carved.row(path), (b"unscanned", b"failed", b"error"), "a file")
        said, _, detail = outcome(carved, path)
        same(said, b"error", "outcome")
        check(b"clamd is away: " in detail and clamd.socket.encode() in detail, f"{detail!r}")
        carved.stop()


def test_a_clamd_that_hangs_in_a_scan_is_left_at_the_deadline():
    with Clamd() as clamd, Carved(config(clamd, ", timeout: 8s, retries: 1")) as carved:
        clamd.write_signatures(1, slow(8000))
        clamd.start()
        carved.start()
        path = carved.put(content=os.urandom(16 << 20))
        clamd.await_busy()
        clamd.stopped()
        carved.wait_settled(1)
        same(carved.row(path), (b"unscanned", b"failed", b"timeout"), "a file it hung at")
        clamd.send(signal.SIGCONT)
        after = carved.put()
        carved.wait_settled(2)
        same(carved.row(after), (b"done", None, b"clean"), "a file after it")
        carved.stop()


def test_while_it_hangs_files_wait():
    keys = ", timeout: 3s, retries: 100, retry_pause: 100ms"
    with Clamd() as clamd, Carved(config(clamd, keys)) as carved:
        clamd.start()
        carved.start()
        clamd.stopped()
        # what it said of its version counts for two seconds; what is asked then hangs with it
        carved.until(lambda: carved.put() and carved.sql(
            "SELECT 1 FROM pending WHERE waits_for = 'detector'"), "a file that waits")
        check("does not answer" in status(carved)["detectors_away"][0]["why"], "status says why")
        clamd.send(signal.SIGCONT)
        carved.wait_until("SELECT count(*) FROM pending", [(0,)])
        same(carved.sql("SELECT DISTINCT state, verdict FROM file"), [(b"done", b"clean")], "files")
        carved.stop()


def test_one_that_dies_in_a_scan_costs_that_file_an_attempt():
    with Clamd() as clamd, Carved(config(clamd, ", retry_pause: 100ms")) as carved:
        clamd.write_signatures(1, slow(8000))
        clamd.start()
        carved.start()
        path = carved.put(content=os.urandom(16 << 20))
        clamd.await_busy()
        clamd.kill()
        waiting(carved, 1)
        same(carved.sql("SELECT outcome, attempt FROM scan"), [(b"error", 1)], "its first scan")
        check(b"connection" in outcome(carved, path)[2], "the reason is recorded")
        clamd.write_signatures(1, exact("Eicar-Test", EICAR))
        clamd.start()
        carved.wait_settled(1)
        same(carved.row(path), (b"done", None, b"clean"), "the file")
        same([row[4] for row in carved.sql(SCANS)], [1, 2], "attempts")
        carved.stop()


def test_a_stream_beyond_its_limit_is_skipped():
    with Clamd("StreamMaxLength 1M\n", tcp=True) as clamd, \
            Carved(config(clamd, ", retries: 1", tcp=True)) as carved:
        clamd.start()
        carved.start()
        large = carved.put(content=os.urandom(3 << 20) + EICAR)
        small = carved.put(content=EICAR)
        carved.wait_settled(2)
        same(carved.row(large), (b"unscanned", b"failed", b"skipped"), "beyond StreamMaxLength")
        check(b"StreamMaxLength" in outcome(carved, large)[2], "the reason names the limit")
        same(carved.row(small), (b"done", None, b"malicious"), "a small one after it")
        carved.stop()


def test_what_clamd_did_not_look_at_is_skipped():
    with Clamd("MaxFileSize 1M\nAlertExceedsMax yes\n") as clamd, Carved(config(clamd)) as carved:
        clamd.start()
        carved.start()
        path = carved.put(content=bytes(2 << 20) + EICAR)
        carved.wait_settled(1)
        same(carved.row(path), (b"unscanned", b"failed", b"skipped"), "beyond MaxFileSize")
        said, signature, detail = outcome(carved, path)
        same(said, b"skipped", "outcome")
        check(signature.startswith(b"Heuristics.Limits.Exceeded"), f"{signature!r}")
        check("reason" in json.loads(detail), f"{detail!r}")
        carved.stop()


def test_what_is_larger_than_the_detector_takes_is_skipped():
    with Clamd() as clamd, Carved(config(clamd, ", max_file_size: 1K")) as carved:
        clamd.start()
        carved.start()
        large = carved.put(content=EICAR + bytes(2000))
        carved.wait_settled(1)
        same(carved.row(large), (b"unscanned", b"failed", b"skipped"), "a large file")
        same(json.loads(outcome(carved, large)[2]),
             {"reason": "2068 bytes, max_file_size of the detector is 1024"}, "its reason")
        carved.stop()


def test_a_socket_that_is_closed_to_us_says_what_to_mend():
    if os.getuid() != 0:
        raise Skip("another user is needed: run it as root")
    with Clamd("LocalSocketMode 600\n") as clamd, \
            Carved(config(clamd, ", wait: 500ms"), user=65534) as carved:
        clamd.start()
        carved.start()
        path = carved.put()
        os.chown(path, 65534, 65534)
        carved.wait_settled(1)
        same(carved.row(path), (b"unscanned", b"failed", b"error"), "a file")
        check(b"LocalSocketGroup" in outcome(carved, path)[2], "the words name the setting")
        carved.stop()


def test_clamd_needs_no_right_to_the_files():
    if os.getuid() != 0:
        raise Skip("another user is needed: run it as root")
    with Clamd(user="nobody") as clamd, Carved(config(clamd)) as carved:
        clamd.start()
        carved.start()
        os.chmod(carved.root, 0o700)
        path = carved.put(content=EICAR)
        carved.wait_settled(1)
        same(carved.row(path), (b"done", None, b"malicious"), "a file that clamd could not open")
        carved.stop()


def test_check_tells_its_version_and_tries_it():
    with Clamd() as clamd, Carved(config(clamd)) as carved:
        away = scenario.command("check", "-c", carved.config_path)
        check(b"warn" in away.stdout and b"it is away, files wait for it: " in away.stdout,
              f"{away.stdout!r}")
        clamd.start()
        there = scenario.command("check", "-c", carved.config_path)
        check(b": ClamAV " in there.stdout and b"/1/" in there.stdout, f"{there.stdout!r}")
        check(b"detector clamd: finds EICAR" in there.stdout, f"{there.stdout!r}")


if __name__ == "__main__":
    scenario.main()
