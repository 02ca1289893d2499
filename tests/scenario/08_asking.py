"""Asking the history, and the commands that change it: sql, history, retry, prune, import."""
import json
import os
import pty
import sqlite3
import subprocess
import time

import scenario
from scenario import NOOP, Carved, binary, broapt_name, check, clean_environment, command, same

NAMES = [b"plain", b"new\nline", b"\xff\xfe", b"comma,quote\"", b"\x1b[2J", "é".encode()]


def put(carved, name, content=b"x"):
    path = os.path.join(os.fsencode(carved.root), name)
    with open(path, "wb") as file:
        file.write(content)
    return path


def filled():
    """A stopped daemon that has scanned one file of each of NAMES (none matches a scheme)."""
    carved = Carved(NOOP + "unmatched: scan\n")
    paths = {put(carved, name, name) for name in NAMES}
    done = command("run", "--once", "-c", carved.config_path, "--history", carved.history, carved.root)
    same(done.returncode, 0, f"run --once: {done.stderr!r}")
    return carved, paths


def ask(carved, *words, **options):
    return command(words[0], "--history", carved.history, *words[1:], **options)


def test_formats_keep_names():
    carved, paths = filled()
    with carved:
        done = ask(carved, "history", "--format", "paths", "-0")
        same(done.returncode, 0, f"{done.stderr!r}")
        same(set(done.stdout.split(b"\0")[:-1]), paths, "paths -0")
        lines = ask(carved, "history", "--format", "json").stdout
        check(lines.isascii(), "JSON is ASCII")
        got = {os.fsencode(json.loads(line)["path"]) for line in lines.splitlines()}
        same(got, paths, "paths in JSON")
        table = ask(carved, "sql", "SELECT path FROM file").stdout
        check(b"\x1b" not in table and b"\xff" not in table and rb"\x1B[2J" in table,
              f"a table is escaped: {table!r}")
        rows = ask(carved, "sql", "--format", "csv", "SELECT path FROM file").stdout
        for path in paths:
            check(path.replace(b'"', b'""') in rows, f"{path!r} in CSV")
        database = sqlite3.connect(carved.history)
        database.text_factory = bytes
        same({row[0] for row in database.execute("SELECT path FROM file")}, paths, "paths in SQL")
        database.close()


def test_a_terminal_is_not_driven():
    carved, _ = filled()
    with carved:
        for words in (["history"], ["history", "--format", "paths"],
                      ["sql", "--format", "csv", "SELECT path FROM file"]):
            leader, follower = pty.openpty()
            environment = clean_environment({"COLUMNS": "60"})
            process = subprocess.Popen([binary(), words[0], "--history", carved.history, *words[1:]],
                                       stdout=follower, stdin=subprocess.DEVNULL, env=environment)
            os.close(follower)
            shown = b""
            try:
                while True:
                    shown += os.read(leader, 4096)
            except OSError:
                pass
            os.close(leader)
            same(process.wait(), 0, "exit status")
            check(b"\x1b" not in shown and b"\xff" not in shown, f"{words}: {shown!r}")
            if words == ["history"]:
                check(all(len(line) <= 60 for line in shown.decode().split("\r\n")), f"{shown!r}")


def test_questions():
    with Carved(NOOP) as carved:
        names = [broapt_name() for _ in range(3)] + [broapt_name("text/plain", "txt")]
        for name in names:
            put(carved, name.encode())
        done = command("run", "--once", "-c", carved.config_path, "--history", carved.history,
                       carved.root)
        same(done.returncode, 0, f"{done.stderr!r}")

        def count(*words):
            done = ask(carved, "history", "--format", "paths", *words)
            same(done.returncode, 0, f"{words}: {done.stderr!r}")
            return done.stdout.count(b"\n")

        fuid = names[0].split("-")[1].split(".")[0]
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86400))
        for words, wanted in ((), 4), (("--mime", "text/*"), 1), (("--mime", "TEXT/*"), 1), \
                (("--mime", "*"), 4), (("--fuid", fuid), 1), (("--fuid", "Fnone"), 0), \
                (("--since", "1h"), 4), (("--until", "1h"), 0), (("--since", day), 4), \
                (("--since", str(int(time.time()) - 60)), 4), (("--until", day), 0), \
                (("--verdict", "clean"), 4), (("--verdict", "malicious"), 0), \
                (("--state", "done"), 4), (("--state", "queued"), 0), (("--limit", "2"), 2), \
                (("--path", "*.txt"), 1), (("--path", carved.root + "/*"), 4), \
                (("--sha256", "2D711642B726B04401627CA9FBAC32F5C8530FB1903CC4DB02258717921A4881"), 4), \
                (("--mime", "' OR 1=1 --"), 0), \
                (("--mime", "*/*", "--fuid", fuid, "--since", "1h", "--state", "done", "--limit", "9"),
                 1):
            same(count(*words), wanted, f"history {words}")
        for words in ("--since", "soon"), ("--verdict", "bad"), ("--state", "x"), ("--limit", "-1"), \
                ("--sha256", "ab"), ("--format", "xml"), ("-0",), ("word",), \
                ("--fuid", "a", "--fuid", "b"):
            done = ask(carved, "history", *words)
            same((words, done.returncode), (words, 2), f"{done.stderr!r}")


def test_sql_only_reads():
    carved, _ = filled()
    with carved:
        for sql in "DELETE FROM version", "SELECT 1; SELECT 2", "SELEC", "", "PRAGMA user_version = 4", \
                "ATTACH 'x' AS y":
            done = ask(carved, "sql", sql)
            same((sql, done.returncode), (sql, 2), f"{done.stderr!r}")
            check(done.stderr.startswith(b"carved"), f"{done.stderr!r}")
        same(ask(carved, "sql", "SELECT count(*) AS n FROM file").stdout, b"n\n6\n", "sql")


def test_no_history():
    with Carved(NOOP) as carved:
        os.rmdir(carved.state)
        for words in ["sql", "SELECT 1"], ["history"], ["retry", "--failed"], ["prune"]:
            done = ask(carved, *words)
            same((words, done.returncode), (words, 3), f"{done.stderr!r}")
            check(carved.history.encode() in done.stderr, f"{done.stderr!r}")
        check(not os.path.exists(carved.state), "nothing is made")


def test_retry():
    config = ("detectors:\n  - { type: command, name: test, retries: 1,"
              " run: [/bin/sh, -c, 'exit 7', '{path}'] }\n")
    with Carved(config + "unmatched: scan\n") as carved:
        put(carved, b"a")
        done = command("run", "--once", "-c", carved.config_path, "--history", carved.history,
                       carved.root)
        same(ask(carved, "sql", "--format", "csv", "SELECT state, reason FROM file").stdout,
             b"state,reason\r\nunscanned,failed\r\n", f"a file whose detector fails: {done.stderr!r}")
        for words in (), ("--failed", "1"), ("x",):
            same(ask(carved, "retry", *words).returncode, 2, f"retry {words}")
        same(ask(carved, "retry", "77").returncode, 3, "an id that is not there")
        done = ask(carved, "retry", "--failed")
        same((done.returncode, done.stdout), (0, b"queued again: 1\n"), f"{done.stderr!r}")
        same(ask(carved, "sql", "--format", "csv", "SELECT count(*) FROM pending").stdout,
             b"count(*)\r\n1\r\n", "pending")
        same(ask(carved, "retry", "1").stdout, b"queued again: 0\n", "it is queued already")


def test_prune():
    carved, paths = filled()
    with carved:
        gone = sorted(paths)[0]
        os.unlink(gone)
        same(ask(carved, "prune", "--older-than", "0s", "--dry-run").stdout, b"would be pruned: 1\n",
             "dry run")
        same(ask(carved, "prune").stdout, b"pruned: 0\n", "nothing is older than 30 days")
        same(ask(carved, "prune", "--older-than", "0s").stdout, b"pruned: 1\n", "prune")
        got = ask(carved, "history", "--format", "paths", "-0").stdout.split(b"\0")[:-1]
        same(set(got), paths - {gone}, "what is on disk stays")
        same(ask(carved, "prune", "--older-than", "soon").returncode, 2, "a wrong span")


def test_import():
    with Carved(NOOP + "unmatched: scan\n") as carved:
        names = [broapt_name().encode() for _ in range(3)] + [b"odd \xff"]
        for name in names:
            put(carved, name)
        lines = [b"/dump/" + name for name in names] + [b"", b"/dump/gone", b"/dumpling/x"]
        log = os.path.join(carved.home, "dump.log")
        with open(log, "wb") as file:
            file.write(b"\n".join(lines))
        done = ask(carved, "import", "--map", "/dump/=" + carved.root, log)
        same((done.returncode, done.stdout),
             (0, b"imported: 6\nalready known: 0\nnot there now: 2\n"), f"{done.stderr!r}")
        done = ask(carved, "import", "--map", "/dump=" + carved.root, log)
        same(done.stdout, b"imported: 0\nalready known: 6\nnot there now: 2\n", "again")
        done = ask(carved, "sql", "--format", "csv", "SELECT path, verdict, mime FROM file, scan"
                   " WHERE file_id = file.id AND detector = 'broapt' ORDER BY mime, path")
        check(b"/dumpling/x,unknown,\r\n" in done.stdout and
              names[0] + b",unknown,application/pdf\r\n" in done.stdout, f"{done.stdout!r}")
        done = command("run", "--once", "-c", carved.config_path, "--history", carved.history,
                       carved.root)
        same(ask(carved, "sql", "--format", "csv",
                 "SELECT count(*) FROM scan WHERE detector <> 'broapt'").stdout,
             b"count(*)\r\n0\r\n", f"nothing is scanned again: {done.stderr!r}")
        with open(log, "wb") as file:
            file.write(b"/dump/fine\n/dump/" + b"x" * 5000 + b"\n")
        done = ask(carved, "import", log)
        same(done.returncode, 3, "a line that is too long")
        check(f"{log}:2:".encode() in done.stderr, f"{done.stderr!r}")
        same(ask(carved, "import", os.path.join(carved.home, "none")).returncode, 3, "no log")
        same(ask(carved, "import").returncode, 2, "no word")


if __name__ == "__main__":
    scenario.main()
