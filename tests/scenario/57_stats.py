"""carved stats: a small chart of what the history counts, with and without a daemon; the figures are those of the
tables; nothing in it moves the cursor of a terminal.
"""
import fcntl
import json
import os
import pty
import select
import sqlite3
import struct
import sys
import termios
import time

import scenario
from scenario import Carved, Skip, check, clean_environment, command, same, scaled

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))
import histories  # pylint: disable=wrong-import-position

BAD = b"bad to the bone"
VERSIONS = scaled(20000, 1000000)


def stats(carved, *words, **environment):
    """What it prints, as text."""
    done = command("stats", "--history", carved.history, *words, env=clean_environment(environment))
    same((done.returncode, done.stderr), (0, b""), f"stats {words}")
    return done.stdout.decode()


def as_json(carved, *words):
    return json.loads(stats(carved, "--json", *words))


def test_of_a_running_daemon_and_without_one():
    with Carved() as carved:
        carved.write_config(f"detectors:\n  - {{ type: hashlist, file: {carved.write_hashlist(BAD)} }}\n"
                            "  - { type: noop }\n")
        carved.start()
        for number in range(30):
            carved.put(content=b"%d" % number)
        carved.put(content=BAD)
        carved.put("no scheme")
        carved.wait_settled(32)
        told = as_json(carved)
        today = time.strftime("%Y-%m-%d", time.gmtime())
        check(sum(day["files"] for day in told["days"]) == 32 and told["days"][-1]["day"] <= today, f"{told['days']}")
        same(sum(day["alarms"] for day in told["days"]), 1, "alarms")
        same((told["verdicts"], told["unscanned"], told["queued"], told["rescans"]),
             ({"malicious": 1, "clean": 30}, {"unmatched": 1}, {}, 0), "verdicts")
        same({one["name"]: one["answers"] for one in told["detectors"]}["hashlist"], 31, "answers")
        same((told["daemon"]["pid"], told["daemon_missing"]), (carved.process.pid, None), "the daemon")
        text = stats(carved)
        for words in ("The daemon: running, healthy\n", "files/s", "malicious", "unscanned, unmatched", "hashlist"):
            check(words in text, f"{words!r} is not in {text!r}")
        carved.stop()
        told = as_json(carved)
        check(told["daemon"] is None and "no carved runs" in told["daemon_missing"], f"{told}")
        check("The daemon: no carved runs" in stats(carved), "its words without one")
        same(told["verdicts"], {"malicious": 1, "clean": 30}, "verdicts without one")


def test_figures_are_those_of_the_history():
    with Carved() as carved:
        filler = os.environ.get("CARVED_FILLER")
        if not filler:
            raise Skip("CARVED_FILLER names no program that fills histories")
        histories.make(carved.binary, filler, carved.history, VERSIONS)
        carved.once = False
        middle, = carved.sql("SELECT date(first_seen_ns / 1000000000, 'unixepoch') FROM file WHERE id = ?",
                             VERSIONS // 2)[0]
        for since in ("1970-01-01", middle.decode()):
            told = as_json(carved, "--since", since)
            files = carved.sql("SELECT date(first_seen_ns / 1000000000, 'unixepoch') AS d, count(*),"
                               " sum(verdict IN ('malicious', 'suspicious')) FROM file"
                               " WHERE state <> 'queued' AND d >= ? GROUP BY d", since)
            same([(day["day"].encode(), day["files"], day["alarms"]) for day in told["days"]],
                 [(day, count, alarms or 0) for day, count, alarms in files], f"days since {since}")
            verdicts = dict(carved.sql("SELECT verdict, count(*) FROM file WHERE state = 'done'"
                                       " AND date(first_seen_ns / 1000000000, 'unixepoch') >= ? GROUP BY 1", since))
            same({name.encode(): count for name, count in told["verdicts"].items()}, verdicts, "verdicts")
        same(sum(told["queued"].values()), carved.sql("SELECT count(*) FROM pending")[0][0], "what waits")
        for one in as_json(carved, "--since", "1970-01-01")["detectors"]:
            row, = carved.sql("SELECT count(*), sum(cached), avg(iif(cached, NULL, finished_ns - started_ns)) / 1e6,"
                              " max(iif(cached, NULL, finished_ns - started_ns)) / 1e6 FROM scan WHERE detector = ?",
                              one["name"])
            same((one["answers"], one["cached"]), row[:2], f"answers of {one['name']}")
            check(abs(one["mean_ms"] - row[2]) < 0.001 and abs(one["max_ms"] - row[3]) < 0.001, f"{one}, {row}")


def on_terminal(carved, columns, **environment):
    """What it writes to a terminal of that width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    try:
        done = command("stats", "--history", carved.history, "--since", "1970-01-01", stdout=theirs,
                       env=clean_environment(environment))
        same(done.returncode, 0, "exit status")
        got = b""
        while select.select([ours], [], [], 0)[0]:
            got += os.read(ours, 65536)
        return got.decode().split("\r\n")
    finally:
        os.close(ours)
        os.close(theirs)


def test_width_and_letters_are_the_terminals():
    with Carved(scenario.NOOP) as carved:
        carved.start()
        for _ in range(5):
            carved.put()
        carved.wait_settled(5)
        carved.stop()
        with sqlite3.connect(carved.history) as connection:     # what no daemon writes
            connection.execute("UPDATE detector SET name = CAST(x'1b5b324a0aff' AS TEXT)")
            connection.execute("UPDATE tally SET reason = CAST(x'1b5b324a0ac3a4' AS TEXT), state = 'unscanned'")
        connection.close()
        for columns in (40, 60, 120):
            for locale, bar in (("C.UTF-8", "\u2588"), ("C", "#"), ("xx_NOWHERE.UTF-8", "#")):
                lines = on_terminal(carved, columns, LC_ALL=locale)
                bars = [line for line in lines if bar in line]
                check(bars and max(map(len, bars)) == columns, f"{columns} columns: {lines}")
                text = "".join(lines)
                check(all(letter.isprintable() for letter in text), f"not for a terminal: {text!r}")
                check("\\x1B[2J\\x0A\\xFF" in text or columns == 40, f"the name is not there: {text!r}")
                check(text.isascii() == (locale != "C.UTF-8"), f"letters in {locale}: {text!r}")


def test_what_cannot_be_told():
    with Carved() as carved:
        done = command("stats", "--history", carved.history)
        same(done.returncode, 3, "exit status without a history")
        check(carved.history.encode() in done.stderr, done.stderr)
        same(command("stats", "--since", "whenever").returncode, 2, "a bad time")
        same(command("stats", "more").returncode, 2, "a word too many")


if __name__ == "__main__":
    scenario.main()
