#!/usr/bin/env python3
"""A history as months leave it behind: what is counted beside it is true, the usual questions have answers, and the
daemon goes on with it. tests/bench/run questions says how long they take."""
import json
import os
import sys

import scenario
from scenario import Carved, Skip, check, command, same, scaled

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))
import histories  # pylint: disable=wrong-import-position

VERSIONS = scaled(20000, 1000000)


def filled(carved):
    filler = os.environ.get("CARVED_FILLER")
    if not filler:
        raise Skip("CARVED_FILLER names no program that fills histories")
    histories.make(carved.binary, filler, carved.history, VERSIONS)
    carved.once = False     # the same content may lie twice in one second


def ask(carved, *words):
    done = command(words[0], "--history", carved.history, *words[1:])
    same((done.returncode, done.stderr), (0, b""), f"{words}")
    return done.stdout


def test_what_is_counted_is_what_there_is():
    with Carved("hash: always\n" + scenario.NOOP) as carved:
        filled(carved)
        same(histories.faults(carved.history), [], "faults of the filled history")
        carved.start()
        for _ in range(20):
            carved.put()
        carved.wait_until("SELECT count(*) FROM pending", [(0,)])   # what was queued has vanished
        carved.wait_until("SELECT count(*) FROM file WHERE path LIKE ?1 || '%'".replace("?1", f"'{carved.root}'"), [(20,)])
        carved.stop()
        same(histories.faults(carved.history), [], "faults after a daemon has gone on")
        same(carved.sql("SELECT count(*) FROM file WHERE reason = 'vanished' AND id > ?", VERSIONS - 500), [(500,)],
             "of the queued")


def test_usual_questions_have_answers():
    with Carved() as carved:
        filled(carved)
        questions = {question.name: question.words for question in histories.questions(carved.history)}
        empty = {"fuid, unknown", "sha256, unknown"}
        if not carved.sql("SELECT 1 FROM rules x JOIN detector d ON d.name = x.detector AND d.digest <> x.digest"):
            empty.add("20 that are stale")      # all of a day, and of one set of rules
        for name, words in questions.items():
            if words[0] == "sql":
                rows = ask(carved, *words).count(b"\n") - 1
                check((rows == 0) == (name in empty), f"{name}: {rows} rows")
            else:
                ask(carved, *words)
        first = json.loads(ask(carved, "history", "--limit", "1", "--format", "json"))
        same(first["id"], VERSIONS, "the newest")


def test_types_are_looked_for_between_their_days():
    """By path and time, as the counts are: what history says is what filtering all of it says."""
    with Carved() as carved:
        filled(carved)
        middle = carved.sql("SELECT first_seen_ns / 1000000000 FROM file WHERE id = ?", VERSIONS // 2)[0][0]
        for mime in ("application/java-archive", "application/*", "application/x-none", "image/gif"):
            for bounds, where in (((), "true"), (("--since", str(middle)), f"first_seen_ns >= {middle}000000000"),
                                  (("--until", str(middle)), f"first_seen_ns < {middle}000000000"),
                                  (("--since", str(middle), "--until", str(middle + 60)),
                                   f"first_seen_ns BETWEEN {middle}000000000 AND {middle + 60}000000000 - 1")):
                got = ask(carved, "history", "--mime", mime, *bounds, "--format", "paths").splitlines()
                wanted = carved.sql(f"SELECT path FROM file WHERE mime GLOB '{mime}' AND {where}"
                                    " ORDER BY first_seen_ns DESC, id DESC")
                same(got, [path for path, in wanted], f"{mime} {bounds}")


def test_rare_verdicts_are_found():
    with Carved() as carved:
        filled(carved)
        for verdict in ("malicious", "suspicious", "unknown", "timeout"):
            got = ask(carved, "history", "--verdict", verdict, "--format", "paths").splitlines()
            wanted = carved.sql("SELECT path FROM file WHERE verdict = ? ORDER BY first_seen_ns DESC, id DESC", verdict)
            same(got, [path for path, in wanted], verdict)


if __name__ == "__main__":
    scenario.main()
