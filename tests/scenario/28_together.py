"""EICAR among ordinary files: yara, a real clamd and a command say who found what, when, in how long.

$CARVED_CORPUS names a directory of carved files (each at MEDIA/SUBTYPE/NAME); without it the test makes
some of its own.
"""
import json
import os

import scenario
from clamd import Clamd
from scenario import EICAR, Carved, broapt_name, check, command, same

GREP = "if grep -q EICAR-STANDARD \"$1\"; then exit 1; fi"
FINDERS = ["clamd", "grep", "yara"]
PLANTED = [("application/x-dosexec", "exe"), ("application/pdf", "pdf"), ("text/plain", "txt"),
           ("application/octet-stream", "bin")]
OWN = {"text/plain": b"a plain text\n", "text/html": b"<html><title>x</title></html>\n",
       "image/gif": b"GIF89a\1\0\1\0\0\0\0;", "application/pdf": b"%PDF-1.4\ntrailer << >>\n%%EOF\n"}


def configure(carved, clamd):
    carved.write_config("unmatched: scan\ndetectors:\n  - { type: magic }\n  - { type: yara }\n"
                        f"  - {{ type: clamd, socket: {clamd.socket} }}\n"
                        "  - { type: command, name: grep, run: [/bin/sh, -c, "
                        f"'{GREP}', sh, '{{path}}'] }}\n")


def ordinary():
    """(name below the root, content) of files that are no EICAR."""
    corpus = os.environ.get("CARVED_CORPUS")
    if not corpus:
        for number in range(60):
            mime = list(OWN)[number % len(OWN)]
            yield broapt_name(mime, "x"), OWN[mime] + b"%d" % (number // 8)
        return
    for directory, _, names in os.walk(corpus):
        for name in names:
            path = os.path.join(directory, name)
            if os.path.relpath(path, corpus).count("/") == 2:
                with open(path, "rb") as file:
                    yield os.path.relpath(path, corpus), file.read()


def test_eicar_is_found_by_all_three_among_ordinary_files():
    with Clamd() as clamd, Carved() as carved:
        configure(carved, clamd)
        clamd.start()
        carved.start()
        common = [carved.put(name, content) for name, content in ordinary()]
        planted = [carved.put(broapt_name(*kind), EICAR) for kind in PLANTED]
        carved.wait_settled(len(common) + len(planted))
        done = command("sql", "--history", carved.history, "--format", "json",
                       "SELECT f.path, f.verdict, s.detector, s.outcome, s.signature, s.cached,"
                       " s.started_ns, (s.finished_ns - s.started_ns) / 1e6 AS took_ms"
                       " FROM scan s JOIN file f ON f.id = s.file_id WHERE s.outcome = 'malicious'")
        same(done.returncode, 0, f"carved sql: {done.stderr!r}")
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        found = {}
        for row in rows:
            found.setdefault(row["path"].encode(), []).append(row["detector"])
            check(row["verdict"] == "malicious" and row["signature"] or row["detector"] == "grep",
                  f"a finding without a name: {row}")
            check(row["started_ns"] > 0 and row["took_ms"] >= 0, f"no time: {row}")
        same({path: sorted(names) for path, names in found.items()},
             {path: FINDERS for path in planted}, "who found what")
        same(carved.sql("SELECT count(*) FROM file WHERE state <> 'done'"), [(0,)], "not done")
        same(carved.sql("SELECT count(*) FROM scan WHERE outcome IN ('error', 'timeout')"), [(0,)],
             "failures")
        same(carved.sql("SELECT count(*) FROM file f WHERE (SELECT count(DISTINCT detector) FROM scan s"
                        " WHERE s.file_id = f.id) <> 4"), [(0,)], "files that not all four were asked about")
        verdicts = carved.sql("SELECT verdict, count(*) FROM file GROUP BY 1 ORDER BY 1")
        print(f"        {len(common)} ordinary files, {len(planted)} planted: {verdicts}", flush=True)
        slowest = carved.sql("SELECT detector, outcome, scans, cached, round(mean_ms, 2),"
                             " round(max_ms, 2) FROM detector_stats")
        for line in slowest:
            print("        ", *(part.decode() if isinstance(part, bytes) else part for part in line))
        carved.stop()


if __name__ == "__main__":
    scenario.main()
