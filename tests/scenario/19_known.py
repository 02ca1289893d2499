"""Hash lists: bad and good files by every kind of sum, detectors that are spared, long lists."""
import hashlib
import json
import os
import signal
import sqlite3

import scenario
from scenario import Carved, broapt_name, check, command, same

EVIL = "run: [/bin/sh, -c, 'exit 1', sh, '{path}']"
OUTCOMES = "SELECT s.detector, s.outcome, s.signature FROM scan s JOIN file f ON f.id = s.file_id " \
           "WHERE f.path = ? ORDER BY s.id"
LONG = 300_000


def md5(content):
    return hashlib.md5(content).hexdigest()


def sha1(content):
    return hashlib.sha1(content).hexdigest()


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def write_list(carved, name, *lines):
    """A list beside carved.yml, put into its place as a whole."""
    path = os.path.join(carved.home, name)
    with open(path + ".part", "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)
    os.rename(path + ".part", path)
    return path


def configure(carved, *detectors):
    carved.write_config("detectors:\n" + "".join(f"  - {{ {detector} }}\n" for detector in detectors))


def ask_sql(carved, statement):
    """Rows as dictionaries, by `carved sql`."""
    done = command("sql", "--history", carved.history, "--format", "json", statement)
    same(done.returncode, 0, f"exit status ({done.stderr!r})")
    return [json.loads(line) for line in done.stdout.splitlines()]


def settled(carved, path):
    """state, reason, verdict of the file once it has an end."""
    rows = carved.until(lambda: carved.sql(
        "SELECT state, reason, verdict FROM file WHERE path = ? AND state <> 'queued' ORDER BY id DESC",
        os.fsdecode(path)), f"an end of {path!r}")
    return rows[0]


def outcomes(carved, path):
    return {row[0].decode(): (row[1].decode(), row[2] and row[2].decode())
            for row in carved.sql(OUTCOMES, os.fsdecode(path))}


def test_bad_files_by_every_kind_of_sum():
    kinds = {"md5": md5, "sha1": sha1, "sha256": sha256}
    with Carved() as carved:
        for name, sum_of in kinds.items():
            write_list(carved, name, f"# {name}", sum_of(name.encode()).upper() + f"  Bad.{name}")
        write_list(carved, "mixed", *[sum_of(b"any " + name.encode()) + " Bad.mixed"
                                      for name, sum_of in kinds.items()])
        configure(carved, *[f"type: hashlist, name: {name}, file: {name}" for name in [*kinds, "mixed"]])
        carved.start()
        for name in kinds:
            path = carved.put(content=name.encode())
            same(settled(carved, path), (b"done", None, b"malicious"), f"what {name} knows")
            same({detector: outcome for detector, outcome in outcomes(carved, path).items()
                  if outcome[0] != "clean"}, {name: ("malicious", f"Bad.{name}")}, "who says so")
            path = carved.put(content=b"any " + name.encode())
            same(settled(carved, path), (b"done", None, b"malicious"), "what the mixed list knows")
            same(outcomes(carved, path)["mixed"], ("malicious", "Bad.mixed"), "who says so")
        same(settled(carved, carved.put(content=b"nothing")), (b"done", None, b"clean"), "another file")


def test_a_known_good_file_is_not_shown_to_the_detector_that_would_find_it_bad():
    with Carved() as carved:
        write_list(carved, "good", sha1(b"good") + "  kernel32.dll")
        configure(carved, f"type: command, name: nervous, {EVIL}", "type: noop",
                  "type: hashlist, name: nsrl, file: good, known: good, skips: [nervous]")
        carved.start()
        good = carved.put(content=b"good")
        same(settled(carved, good), (b"done", None, b"clean"), "the known good file")
        rows = ask_sql(carved, "SELECT detector, outcome, detail FROM scan ORDER BY detector")
        same([(row["detector"], row["outcome"]) for row in rows],
             [("nervous", "skipped"), ("noop", "clean"), ("nsrl", "clean")], "outcomes")
        details = [row["detail"] if isinstance(row["detail"], (dict, type(None)))
                   else json.loads(row["detail"]) for row in rows]
        same(details[0], {"reason": "known good", "by": "nsrl"}, "why it was skipped")
        same(details[2], {"known": "good", "list": "nsrl", "hash": "SHA-1", "name": "kernel32.dll"},
             "what the list says")
        other = carved.put(content=b"other")
        same(settled(carved, other), (b"done", None, b"malicious"), "a file that is not on the list")
        same(outcomes(carved, other)["nsrl"], ("unknown", None), "what the list says of it")
        # the same content again: the list's answer is taken over, what was skipped is skipped anew
        again = carved.put(content=b"good")
        same(settled(carved, again), (b"done", None, b"clean"), "the good file once more")
        same(carved.sql("SELECT detector, outcome, cached FROM scan s JOIN file f ON f.id = s.file_id "
                        "WHERE f.path = ? ORDER BY detector", os.fsdecode(again)),
             [(b"nervous", b"skipped", 0), (b"noop", b"clean", 1), (b"nsrl", b"clean", 1)],
             "outcomes of the same content")


def test_what_is_known_to_be_bad_is_bad():
    with Carved() as carved:
        write_list(carved, "both", sha256(b"both") + "  both")
        configure(carved, "type: hashlist, name: good, file: both, known: good, skips: '*'",
                  "type: hashlist, name: bad, file: both", "type: noop")
        carved.start()
        path = carved.put(content=b"both")
        same(settled(carved, path), (b"done", None, b"malicious"), "a file on both lists")
        same(outcomes(carved, path), {"good": ("clean", None), "bad": ("malicious", "both"),
                                      "noop": ("skipped", None)}, "outcomes")


def test_a_file_that_only_a_good_list_was_asked_about_is_not_clean():
    with Carved() as carved:
        write_list(carved, "good", md5(b"good"))
        configure(carved, "type: hashlist, name: good, file: good, known: good",
                  "type: noop, mime: ['text/*']")
        carved.start()
        same(settled(carved, carved.put(content=b"good")), (b"done", None, b"clean"), "on the list")
        same(settled(carved, carved.put(content=b"other")), (b"done", None, b"unknown"), "not on it")
        text = carved.put(name=broapt_name("text/plain", "txt"), content=b"other")
        same(settled(carved, text), (b"done", None, b"clean"), "not on it, and looked at")


def test_other_failures_and_skips_stay_what_they_are():
    with Carved() as carved:
        write_list(carved, "good", sha256(b"good"))
        shy = write_list(carved, "shy", """echo '{"outcome":"skipped"}' >&3""")
        configure(carved, "type: hashlist, name: good, file: good, known: good, skips: [spared]",
                  f"type: command, name: spared, {EVIL}",
                  "type: command, name: broken, mime: ['text/*'], retries: 2, retry_pause: 100ms, "
                  "run: [/bin/sh, -c, 'exit 7', sh, '{path}']",
                  "type: command, name: shy, retries: 1, mime: ['image/*'], "
                  f"run: [/bin/sh, {shy}, '{{path}}']")
        carved.start()
        path = carved.put(name=broapt_name("text/plain", "txt"), content=b"good")
        same(settled(carved, path)[:2], (b"unscanned", b"failed"), "a good file and a broken detector")
        same(carved.sql("SELECT detector, outcome, attempt FROM scan ORDER BY detector, attempt"),
             [(b"broken", b"error", 1), (b"broken", b"error", 2), (b"good", b"clean", 1),
              (b"spared", b"skipped", 1)], "rows: each said once")
        path = carved.put(name=broapt_name("image/png", "png"), content=b"good")
        same(settled(carved, path)[:2], (b"unscanned", b"failed"), "a detector that skips by itself")
        same(outcomes(carved, path)["shy"][0], "skipped", "its outcome")


def test_a_new_list_of_md5_sums_is_asked_about_a_file_that_is_only_renamed():
    with Carved() as carved:
        write_list(carved, "bad", md5(b"nothing"))
        configure(carved, "type: hashlist, file: bad")
        carved.start()
        path = carved.put(content=b"sleeper")
        same(settled(carved, path), (b"done", None, b"clean"), "before")
        write_list(carved, "bad", md5(b"sleeper") + " Woken")
        carved.send(signal.SIGHUP)
        carved.until(lambda: b"reloaded" in carved.stderr(), "the reload")
        moved = carved.path_of(broapt_name())
        os.rename(path, moved)
        same(settled(carved, moved), (b"done", None, b"malicious"), "after")
        same(outcomes(carved, moved), {"hashlist": ("malicious", "Woken")}, "outcomes")


def test_a_hash_of_the_history_that_is_not_the_files_is_not_believed():
    with Carved() as carved:
        write_list(carved, "bad", md5(b"nothing"))
        configure(carved, "type: noop", "type: hashlist, file: bad")
        carved.start()
        path = carved.put(content=b"sleeper")
        same(settled(carved, path), (b"done", None, b"clean"), "before")
        with sqlite3.connect(carved.history, timeout=scenario.PATIENCE) as history:
            history.execute("UPDATE version SET sha256 = ?", (sha256(b"another"),))
        history.close()
        write_list(carved, "bad", md5(b"sleeper") + " Woken")
        carved.send(signal.SIGHUP)
        carved.until(lambda: b"reloaded" in carved.stderr(), "the reload")
        moved = carved.path_of(broapt_name())
        os.rename(path, moved)
        same(settled(carved, moved), (b"done", None, b"malicious"), "after")
        same(carved.row(moved, "sha256"), (sha256(b"sleeper").encode(),), "its hash")
        same(carved.sql("SELECT cached FROM scan s JOIN file f ON f.id = s.file_id WHERE f.path = ? "
                        "AND detector = 'noop'", os.fsdecode(moved)), [(0,)],
             "what was said of the other content is not taken over")


def long_lines(first):
    return [f"{sha256(str(i).encode())}  Family.{i // 1000}" for i in range(first, first + LONG)]


def test_a_long_list_is_indexed_mended_and_replaced():
    with Carved() as carved:
        path = write_list(carved, "bad", *long_lines(0))
        index = carved.history + ".hashlist.hashlist"
        configure(carved, "type: hashlist, file: bad")
        carved.start()
        check(os.path.exists(index), "there is no index beside the history")
        same(os.stat(index).st_mode & 0o777, 0o600, "mode of the index")
        used = carved.memory("VmHWM")
        if not scenario.sanitizer():
            check(used < 32 * 1024, f"{used} KiB of memory for a list of {LONG} lines")
        for i in (0, 4321, LONG - 1):
            bad = carved.put(content=str(i).encode())
            same(settled(carved, bad), (b"done", None, b"malicious"), f"line {i}")
            same(outcomes(carved, bad)["hashlist"][1], f"Family.{i // 1000}", "signature")
        probe = str(LONG).encode()
        same(settled(carved, carved.put(content=probe)), (b"done", None, b"clean"), "not on the list")
        carved.stop()
        kept = os.stat(index).st_ino
        carved.start()
        same(os.stat(index).st_ino, kept, "the index was made anew without need")
        carved.stop()
        with open(index, "r+b") as file:
            file.seek(-4_000_000, os.SEEK_END)
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte[0] ^ 1]))
        carved.start()
        check(os.stat(index).st_ino != kept, "a damaged index is trusted")
        same(settled(carved, carved.put(content=b"77")), (b"done", None, b"malicious"), "mended")
        before = carved.sql("SELECT DISTINCT detector_digest FROM scan")
        same(len(before), 1, "digests so far")
        write_list(carved, "bad", *long_lines(1))
        carved.send(signal.SIGHUP)
        carved.until(lambda: b"reloaded" in carved.stderr(), "the reload")
        fresh = carved.put(content=probe)
        same(settled(carved, fresh), (b"done", None, b"malicious"), "the new list knows it")
        same(carved.sql("SELECT cached, detector_digest <> ? FROM scan s JOIN file f ON f.id = s.file_id "
                        "WHERE f.path = ?", before[0][0].decode(), os.fsdecode(fresh)), [(0, 1)],
             "asked anew, under another digest")
        with open(path, "rb") as file:
            same(carved.sql("SELECT detector_digest FROM scan ORDER BY id DESC LIMIT 1")[0][0].decode(),
                 sha256(file.read()), "the digest is the list's sum")


def test_check_warns_of_lists_that_cannot_help():
    with Carved() as carved:
        write_list(carved, "empty", "# nothing yet")
        write_list(carved, "weak", md5(b"x"))
        write_list(carved, "eicar", hashlib.sha256(scenario.EICAR).hexdigest())
        configure(carved, "type: hashlist, name: none, file: empty", "type: noop",
                  "type: hashlist, name: weak, file: weak, known: good, skips: [noop]",
                  "type: hashlist, name: bad, file: eicar")
        done = command("check", "-c", carved.config_path, "--history", carved.history, carved.root)
        same(done.returncode, 0, "exit status")
        check(b"detector none: the list has no hashes: every file is clean to it" in done.stdout,
              f"{done.stdout!r}")
        check(b"detector weak: SHA-1 and MD5 sums of good files" in done.stdout, f"{done.stdout!r}")
        carved.start()
        check(b'detector "none": the list has no hashes' in carved.stderr(), "the log does not say so")
        carved.stop()
        configure(carved, "type: noop, name: macros",
                  "type: hashlist, file: weak, known: good, skips: [marcos]")
        done = command("check", "-c", carved.config_path, carved.root)
        same(done.returncode, 2, "exit status of an unknown name")
        check(b"carved.yml:3:" in done.stderr and b'"macros"' in done.stderr, f"{done.stderr!r}")


if __name__ == "__main__":
    scenario.main()
