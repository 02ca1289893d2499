"""Real extracts: copied with and without their times, moved in as trees, renamed, killed half way.

$CARVED_CORPUS names a directory of carved files with a MANIFEST.tsv (columns mime, name, bytes, sha256;
a file lies at MIME/NAME). Without it the test makes one of the same form itself.
"""
import collections
import csv
import hashlib
import os
import random
import shutil
import subprocess
import tempfile

import scenario
from scenario import NOOP, Carved, broapt_name, check, same

KINDS = {"text/plain": "txt", "text/html": "html", "image/png": "png", "application/pdf": "pdf",
         "application/vnd.ms-cab-compressed": "cab", "application/octet-stream": "bin"}
OWN_FILES = 120
SLOW = ("workers: 2\ndetectors:\n  - { type: noop }\n"
        "  - { type: command, name: slow, run: [/bin/sh, -c, 'exec sleep 0.02', sh, '{path}'] }\n")

Extract = collections.namedtuple("Extract", "path mime sha256 source")


def make_corpus(directory):
    """Extracts of several types in MIME/NAME, every fourth content under another name as well."""
    contents = [os.urandom(random.randrange(1, 20000)) for _ in range(OWN_FILES * 3 // 4)]
    with open(os.path.join(directory, "MANIFEST.tsv"), "w", encoding="ascii") as manifest:
        manifest.write("mime\tname\tbytes\tsha256\n")
        for i in range(OWN_FILES):
            mime, extension = random.choice(list(KINDS.items()))
            content, name = contents[i % len(contents)], broapt_name(mime, extension)
            os.makedirs(os.path.join(directory, mime), exist_ok=True)
            with open(os.path.join(directory, mime, name), "wb") as file:
                file.write(content)
            digest = hashlib.sha256(content).hexdigest()
            manifest.write(f"{mime}\t{name}\t{len(content)}\t{digest}\n")


def read_corpus(directory):
    with open(os.path.join(directory, "MANIFEST.tsv"), encoding="ascii", newline="") as manifest:
        rows = list(csv.DictReader(manifest, delimiter="\t"))
    return [Extract(f"{row['mime']}/{row['name']}", row["mime"].encode(), row["sha256"].encode(),
                    os.path.join(directory, row["mime"], row["name"])) for row in rows]


CORPUS = os.environ.get("CARVED_CORPUS")
OWN = None if CORPUS else tempfile.TemporaryDirectory(prefix="carved-corpus-")
if OWN:
    make_corpus(OWN.name)
EXTRACTS = read_corpus(CORPUS or OWN.name)
CONTENTS = len({extract.sha256 for extract in EXTRACTS})


def expected(carved, top=""):
    return sorted((carved.path_of(os.path.join(top, extract.path)), extract.mime, extract.sha256,
                   b"done", b"clean") for extract in EXTRACTS)


def table(carved):
    return sorted(carved.sql("SELECT path, mime, sha256, state, verdict FROM file"))


def copy_into(directory, copy):
    for extract in EXTRACTS:
        target = os.path.join(directory, extract.path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        copy(extract.source, target)


def check_content_was_scanned_once(carved):
    rows = carved.sql("SELECT count(*), sum(cached = 0), count(DISTINCT file_id) FROM scan")
    same(rows, [(len(EXTRACTS), CONTENTS, len(EXTRACTS))],
         "outcomes, those that were no repetition, and versions that have one")


def check_nothing_changes_at_a_restart(carved):
    before = carved.sql("SELECT id, path FROM file"), carved.sql("SELECT * FROM scan")
    carved.stop()
    carved.start()
    carved.stop()
    same((carved.sql("SELECT id, path FROM file"), carved.sql("SELECT * FROM scan")), before,
         "the tables after another start")


def copied(copy):
    with Carved(NOOP) as carved:
        carved.start()
        copy_into(carved.root, copy)
        carved.wait_settled(len(EXTRACTS))
        same(table(carved), expected(carved), "the history")
        check_content_was_scanned_once(carved)
        check_nothing_changes_at_a_restart(carved)


def test_copied_without_their_times():
    copied(shutil.copyfile)


def test_copied_with_their_times():
    copied(shutil.copy2)


def test_copied_as_a_tree_by_cp():
    with Carved(NOOP) as carved:
        carved.start()
        source = os.path.join(carved.home, "source")
        copy_into(source, shutil.copy2)
        subprocess.run(["cp", "-a", f"{source}/.", carved.root], check=True)
        carved.wait_settled(len(EXTRACTS))
        same(table(carved), expected(carved), "the history")
        check_nothing_changes_at_a_restart(carved)


def move_in(carved, top):
    """Makes the tree beside the root and moves it in at once."""
    outside = os.path.join(carved.home, "outside")
    copy_into(outside, shutil.copyfile)
    os.rename(outside, os.path.join(carved.root, top))


def test_moved_in_and_renamed_as_a_tree():
    with Carved(NOOP) as carved:
        carved.start()
        move_in(carved, "first")
        carved.wait_settled(len(EXTRACTS))
        same(table(carved), expected(carved, "first"), "the history")
        check_content_was_scanned_once(carved)
        scanned = carved.sql("SELECT * FROM scan ORDER BY id")
        os.rename(os.path.join(carved.root, "first"), os.path.join(carved.root, "second"))
        carved.wait_settled(2 * len(EXTRACTS))
        same(table(carved), sorted(expected(carved, "first") + expected(carved, "second")),
             "the history after the rename")
        same(carved.sql("SELECT * FROM scan ORDER BY id")[:len(scanned)], scanned, "old outcomes")
        same(carved.sql("SELECT s.cached, count(*) FROM scan s JOIN file f ON f.id = s.file_id "
                        "WHERE f.path LIKE '%/second/%' GROUP BY 1"),
             [(1, len(EXTRACTS))], "outcomes at the new paths, all taken over")
        os.rename(os.path.join(carved.root, "second"), os.path.join(carved.root, "first"))
        late = carved.put("late/" + broapt_name())
        carved.wait_until("SELECT state FROM file WHERE path LIKE '%/late/%'", [(b"done",)])
        check(carved.row(late), "what came last")
        same(len(table(carved)), 2 * len(EXTRACTS) + 1, "versions after coming back")
        check_nothing_changes_at_a_restart(carved)


def test_renamed_while_it_is_worked_on():
    with Carved(SLOW) as carved:
        carved.start()
        move_in(carved, "first")
        carved.wait_until("SELECT count(*) FROM file WHERE state = 'done'",
                          lambda rows: rows and rows[0][0] >= 5)
        os.rename(os.path.join(carved.root, "first"), os.path.join(carved.root, "second"))
        carved.wait_until("SELECT count(*) FROM file WHERE state = 'done' AND path LIKE "
                          "'%/second/%'", [(len(EXTRACTS),)])
        carved.wait_until("SELECT count(*) FROM pending", [(0,)])
        same(sorted(row for row in table(carved) if b"/second/" in row[0]),
             expected(carved, "second"), "the history at the new place")
        same(carved.sql("SELECT state, reason, count(*) FROM file WHERE state <> 'done' "
                        "GROUP BY 1, 2"), [], "rows of the old place that are not done")


def test_killed_half_way():
    with Carved(SLOW) as carved:
        carved.start()
        move_in(carved, "a")
        carved.wait_until("SELECT count(*) FROM file WHERE state = 'done'",
                          lambda rows: rows and rows[0][0] >= len(EXTRACTS) // 3)
        carved.kill()
        done = set(carved.sql("SELECT file_id, detector, outcome, started_ns FROM scan"))
        carved.start()
        carved.wait_settled(len(EXTRACTS))
        same(table(carved), expected(carved, "a"), "the history")
        scans = carved.sql("SELECT file_id, detector, outcome, started_ns FROM scan")
        same(len(scans), 2 * len(EXTRACTS), "outcomes, two a file")
        check(done <= set(scans), "an outcome from before the kill is gone")
        check_nothing_changes_at_a_restart(carved)


if __name__ == "__main__":
    scenario.main()
