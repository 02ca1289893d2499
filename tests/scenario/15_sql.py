"""The commands over the history while the daemon runs: sql, history, list, import, retry, prune."""
import csv
import io
import json
import os
import re
import shutil

import scenario
from scenario import EICAR, NOOP, Carved, broapt_name, check, command, same

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../README.md")
HOSTILE = [b"x\x1b[2Jy", b"sp ace", b"tail ", b"\xff\xfe", b"'; DROP TABLE version; --", b"a,\"b\"",
           "\u202etxt".encode(), b"%s%n", b"-", b"back\\slash"]


def hostile_name(word):
    """A name that matches, with word after its extension: nothing there is asked to be a letter."""
    return os.fsencode(broapt_name()) + word


def ask(carved, *words):
    done = command(*words[:1], "--history", carved.history, *words[1:])
    same(done.returncode, 0, f"exit status of {words!r} ({done.stderr!r})")
    return done.stdout


def ask_sql(carved, statement):
    """Rows as dictionaries, by `carved sql`."""
    return [json.loads(line) for line in ask(carved, "sql", "--format", "json", statement).splitlines()]


def questions():
    with open(README, encoding="utf-8") as file:
        text = file.read()
    return re.findall(r"```sql\n(.*?)```", text, re.DOTALL)


def with_samples(carved):
    """Starts with a hash list that knows EICAR; the paths of EICAR twice, and of a clean file."""
    carved.write_config("detectors:\n  - { type: hashlist, file: %s }\n" % carved.write_hashlist(EICAR))
    carved.start()
    paths = [carved.put(content=EICAR), carved.put(content=b"clean")]
    carved.wait_settled(2)
    paths.append(carved.put(content=EICAR))
    carved.wait_settled(3)
    return paths


def test_the_five_questions():
    five = questions()
    same(len(five), 5, "questions in README.md")
    with Carved() as carved:
        bad, clean, again = with_samples(carved)
        fuid, digest = carved.row(clean, "fuid")[0].decode(), carved.row(bad, "sha256")[0].decode()
        statements = [re.sub(r"fuid = '.*?'", f"fuid = '{fuid}'", statement) for statement in five]
        statements = [re.sub(r"sha256 = '.*?'", f"sha256 = '{digest}'", statement)
                      for statement in statements]
        answers = [ask_sql(carved, statement) for statement in statements]
        same(sorted(row["path"] for row in answers[0]), sorted([bad.decode(), again.decode()]),
             "found in the last hour")
        same([(row["path"], row["verdict"]) for row in answers[1]], [(clean.decode(), "clean")],
             "one fuid")
        same(sorted(list(row.values()) for row in answers[2]),
             [["done", None, "clean", 1], ["done", None, "malicious", 2]], "the account")
        same(sorted(row["path"] for row in answers[3]), sorted([bad.decode(), again.decode()]),
             "where this content was seen")
        check(all(row["cause"] for row in answers[4]), "gaps")
        carved.stop()
        carved.start()
        # opened at the start, but not before it is ready
        carved.until(lambda: "down" in [row["cause"] for row in ask_sql(carved, five[4])],
                     "the stop is a gap")
        same(command("sql", "--history", carved.history, "DELETE FROM version").returncode, 2,
             "exit status of a statement that writes")


def test_history_filters_and_formats():
    with Carved() as carved:
        bad, clean, again = with_samples(carved)
        paths = ask(carved, "history", "--format", "paths", "-0").split(b"\0")[:-1]
        same(sorted(paths), sorted([bad, clean, again]), "all")
        for words, expected in ((["--verdict", "malicious"], {bad, again}),
                                (["--fuid", carved.row(clean, "fuid")[0].decode()], {clean}),
                                (["--sha256", carved.row(bad, "sha256")[0].decode()], {bad, again}),
                                (["--mime", "application/*"], {bad, clean, again}),
                                (["--mime", "text/*"], set()), (["--state", "unscanned"], set()),
                                (["--since", "1h"], {bad, clean, again}), (["--until", "1h"], set()),
                                (["--path", "*" + os.path.basename(clean).decode()], {clean})):
            lines = ask(carved, "history", "--format", "paths", *words).splitlines()
            same(set(lines), expected, f"history {words}")
        same(len(ask(carved, "history", "--limit", "1", "--format", "json").splitlines()), 1, "limit")
        rows = list(csv.DictReader(io.StringIO(ask(carved, "history", "--format", "csv").decode())))
        same(sorted(row["path"] for row in rows), sorted(p.decode() for p in (bad, clean, again)), "CSV")


def test_list_new_is_what_sql_lacks():
    with Carved(NOOP) as carved:
        carved.start()
        old = [carved.put(hostile_name(word)) for word in HOSTILE]
        carved.wait_settled(len(old))
        carved.send(scenario.signal.SIGSTOP)
        try:
            new = [carved.put(hostile_name(word)) for word in HOSTILE]
            listed = ask(carved, "list", "--new", "-0", carved.root).split(b"\0")[:-1]
            everything = ask(carved, "list", "-0", carved.root).split(b"\0")[:-1]
        finally:
            carved.send(scenario.signal.SIGCONT)
        same(listed, sorted(map(os.path.basename, new)), "new files")
        known = {os.fsencode(row["name"]) for row in ask_sql(carved, "SELECT name FROM file")}
        check(set(map(os.path.basename, old)) <= known, "sql knows the old ones byte by byte")
        same(set(everything) - set(map(os.path.basename, old)), set(listed), "all but the old")
        carved.wait_settled(len(old) + len(new))
        same(ask(carved, "list", "--new", carved.root), b"", "new files once all is done")
        table = ask(carved, "history")
        check(not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", table), "a raw control character in the table")


def test_imported_files_are_not_scanned_again():
    with Carved(NOOP) as carved:
        done = [carved.put(hostile_name(word)) for word in HOSTILE]
        with open(os.path.join(carved.home, "dump.log"), "wb") as log:
            for path in done:
                log.write(b"/dump/" + os.path.basename(path) + b"\n")
            log.write(b"/dump/gone/" + os.fsencode(broapt_name()) + b"\n")
        ask(carved, "import", "--map", f"/dump={carved.root}", log.name)
        ask(carved, "import", "--map", f"/dump={carved.root}", log.name)
        same(carved.sql("SELECT state, verdict, count(*) FROM file GROUP BY 1, 2"),
             [(b"done", b"unknown", len(done) + 1)], "what was imported, once")
        fresh = carved.put()
        carved.start()
        carved.wait_settled(len(done) + 2)
        same(carved.sql("SELECT path FROM file WHERE id IN (SELECT file_id FROM scan "
                        "WHERE detector = 'noop')"), [(fresh,)], "what was scanned")
        more = carved.put()
        carved.wait_settled(len(done) + 3)
        with open(log.name, "wb") as other:
            other.write(more + b"\n")
        ask(carved, "import", log.name)
        same(carved.row(more), (b"done", None, b"clean"), "what was known stays as it is")


def test_import_spells_paths_as_the_daemon_does():
    with Carved(NOOP) as carved:
        path = carved.put()
        with open(os.path.join(carved.home, "dump.log"), "wb") as log:
            log.write(b"/dump/" + os.path.basename(path) + b"\n")
        for word in ("/dump/=" + carved.root + "/", "/dump=" + carved.root + "//"):
            ask(carved, "import", "--map", word, log.name)
        same(carved.sql("SELECT path FROM file"), [(path,)], "what was imported, once")
        for line in (b"bare", b"/dump/"):
            with open(log.name, "wb") as other:
                other.write(line + b"\n")
            done = command("import", "--history", carved.history, log.name)
            same(done.returncode, 3, f"exit status of the line {line!r}")
            check(b"dump.log:1: " in done.stderr, f"{done.stderr!r}")
        same(carved.sql("SELECT count(*) FROM file"), [(1,)], "versions after lines that are no paths")


def test_import_beside_a_running_daemon():
    with Carved(NOOP) as carved:
        carved.start()
        late = carved.path_of("sub/" + broapt_name())
        with open(os.path.join(carved.home, "dump.log"), "wb") as log:
            log.write(late + b"\n")
        ask(carved, "import", log.name)
        carved.put(os.path.relpath(late, os.fsencode(carved.root)), b"it is there now")
        other = carved.put()
        carved.wait_settled(2)
        same(carved.row(late), (b"done", None, b"unknown"), "the imported one")
        same(carved.row(other), (b"done", None, b"clean"), "the other one")


def test_retry_brings_failed_ones_back():
    with Carved() as carved:
        flag = os.path.join(carved.home, "mended")
        carved.write_config("detectors:\n  - { type: command, name: flaky, retries: 2, retry_pause: 50ms, "
                            f"run: [/bin/sh, -c, 'test -e {flag} || exit 9', sh, '{{path}}'] }}\n")
        carved.start()
        paths = [carved.put() for _ in range(3)]
        carved.wait_settled(3)
        for path in paths:
            same(carved.row(path), (b"unscanned", b"failed", b"error"), "before")
        ids = [row[0] for row in carved.sql("SELECT id FROM file ORDER BY id")]
        with open(flag, "wb"):
            pass
        ask(carved, "retry", str(ids[0]))
        carved.wait_until("SELECT id, state, verdict FROM file WHERE state = 'done'",
                          [(ids[0], b"done", b"clean")])
        ask(carved, "retry", "--failed")
        carved.wait_until("SELECT state, reason, verdict, count(*) FROM file GROUP BY 1, 2, 3",
                          [(b"done", None, b"clean", 3)])
        same(carved.sql("SELECT outcome, count(*) FROM scan GROUP BY 1 ORDER BY 1"),
             [(b"clean", 3), (b"error", 6)], "all outcomes stay")
        same(command("retry", "--history", carved.history, "424242").returncode, 3, "an unknown id")


def test_prune_keeps_what_is_there():
    with Carved(NOOP) as carved:
        carved.start()
        kept = [carved.put() for _ in range(3)]
        gone = [carved.put("sub/" + broapt_name()) for _ in range(3)]
        carved.wait_settled(6)
        shutil.rmtree(os.path.dirname(gone[0]))
        ask(carved, "prune", "--older-than", "1d")
        same(carved.sql("SELECT count(*) FROM file"), [(6,)], "versions after pruning what is old")
        ask(carved, "prune", "--older-than", "0s", "--dry-run")
        same(carved.sql("SELECT count(*) FROM file"), [(6,)], "versions after a dry run")
        ask(carved, "prune", "--older-than", "0s")
        same(sorted(row[0] for row in carved.sql("SELECT path FROM file")), sorted(kept), "what is left")
        same(carved.sql("SELECT count(*) FROM scan"), [(3,)], "outcomes that are left")
        same(sum(row["files"] for row in ask_sql(carved, "SELECT files FROM daily")), 3, "the tally")
        more = carved.put()
        carved.wait_settled(4)
        same(carved.row(more)[0], b"done", "the daemon goes on")
        carved.stop()
        carved.start()
        carved.wait_settled(4)


def test_prune_keeps_what_was_seen_in_a_root_that_is_missing():
    with Carved(NOOP) as carved:
        carved.start()
        path = carved.put()
        carved.wait_settled(1)
        carved.stop()
        os.unlink(path)
        os.rmdir(carved.root)
        words = ("prune", "--history", carved.history, "--older-than", "0s")
        root = {"CARVED_ROOT": carved.root}
        done = command(*words, env=scenario.clean_environment(root))
        same((done.returncode, done.stdout), (0, b"pruned: 0\n"), "prune with a missing root")
        check(carved.root.encode() in done.stderr, f"{done.stderr!r} does not name the root")
        done = command(*words, env=scenario.clean_environment({**root, "CARVED_WORKERS": "many"}))
        same(done.returncode, 2, "exit status with a configuration that is wrong")
        same(carved.sql("SELECT path FROM file"), [(path,)], "what is left")
        done = command(*words)
        same((done.returncode, done.stdout), (0, b"pruned: 1\n"), "prune without a root")


if __name__ == "__main__":
    scenario.main()
