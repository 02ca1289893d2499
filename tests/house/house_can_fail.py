#!/usr/bin/env python3
"""Shows that each check of house.py is able to fail: a clean tree passes, each planted fault is found."""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CLEAN = {
    "tests/layers.txt": "watcher:\ncore/base:\ncore/pool: core/base\ncore/last: core/base\n",
    "core/base/a.h": "int a(void);\n",
    "core/base/a.c": '#include "core/base/a.h"\n\nint a(void)\n{\n\treturn 0; /* no strcpy() */\n}\n',
    "core/pool/p.c": '#include "core/base/a.h"\n\nint p(void);\n\nint p(void)\n{\n'
                     '\treturn a() + (int)sizeof "system(1)";\n}\n',
    "tests/pitfalls.txt": "# words\n\none: a/does_not\nanother: 01/holds\nno way: none, because\n",
    "tests/scenario/01_x.py": "def test_holds():\n    pass\n",
    "tests/unit/test_a.c": "Test(a, does_not)\n{\n}\n",
    "tests/unit/test_pool_p.c": "",
}

# check, file, its planted text, the words that the check must say
FAULTS = [
    ("pitfalls", "tests/pitfalls.txt", "one: a/does_not a/does\n", "txt:1: there is no test a/does"),
    ("pitfalls", "tests/pitfalls.txt", "one:\n", "txt:1: no test of 'one'"),
    ("layers", "core/base/a.c", '\n#include "core/pool/p.h"\n', "core/base/a.c:2: core/base may not"),
    ("layers", "core/pool/p.c", '  #  include "watcher/w.h"\n', "core/pool/p.c:1: core/pool may not"),
    ("layers", "core/base/a.c", '#include "a.h"\n', "not a path from the root"),
    ("layers", "core/new/n.c", "", "no room"),
    ("layers", "tests/layers.txt", "core/base: core/pool\ncore/pool: core/base\n",
     "tests/layers.txt:1: core/base names core/pool"),
    ("sizes", "core/base/a.c", "\n" * 501, "501 lines"),
    ("sizes", "core/base/a.h", "\n" * 161, "161 lines"),
    ("mirrors", "core/base/b.c", "", "no tests/unit/test_b.c"),
    ("mirrors", "core/last/b.c", "", "no tests/unit/test_last_b.c"),
    ("mirrors", "tests/house/unmirrored.txt", "core/base/a.c because\n", "has a test"),
    ("mirrors", "tests/house/unmirrored.txt", "core/base/gone.c because\n", "there is no"),
    ("calls", "core/base/a.c", "void f(char *s) { strcpy(s, s); }\n", "a.c:1: strcpy"),
    ("calls", "core/base/a.c", "/* x\n*/ int x = system\n(0);\n", "a.c:2: system"),
    ("calls", "core/base/a.c", "void f(void)\n{\n\tgoto out;\nout:;\n}\n", "a.c:3: goto"),
    ("format", "core/base/a.c", "int  a( void ) {return 0;}\n", "core/base/a.c:1"),
]

# For the pages the tree is a copy of what they are held against: check, file, what stands there, what is planted
# instead, the words that the check must say.
SOURCES = ("core", "schema", "packaging")
ROOT = os.path.join(HERE, "../..")
MAN = "packaging/man/"
PAGES = [
    ("pages", "core/cli/cli.c", "&cli_status,", "", "commands: status is nothing"),
    ("pages", MAN + "carved.1", ".Ss prune\n", ".Ss pruned\n", "commands: prune is not there"),
    ("pages", MAN + "carved.1", ".It Fl -older-than", ".It Fl -older", "prune: --older-than is not there"),
    ("pages", MAN + "carved.1", ".Op Fl -once", ".Op Fl -twice", "run: --twice is nothing"),
    ("pages", "core/cli/rescan.c", '{ "dry-run",', '{ "dry",', "rescan: --dry-run is nothing"),
    ("pages", "core/cli/history.c", '{ "fuid", on_fuid, true },', "", "history: --fuid is nothing"),
    ("pages", "core/cli/list.c", '":0"', '":0x"', "list: -x is not there"),
    ("pages", "core/base/outcome.c", '"timeout"', '"late"', "history --verdict: late is not there"),
    ("pages", "core/cli/printer.c", '"csv"', '"tsv"', "sql --format: tsv is not there"),
    ("pages", MAN + "carved.1", ".It Ev COLUMNS", ".It Ev LINES", "ENVIRONMENT: COLUMNS is not there"),
    ("pages", "core/config/settings.c", 'TOP("reuse"', 'TOP("remember"', "TOP LEVEL: remember is not there"),
    ("pages", "core/config/settings.c", 'ALERT("on"', 'ALERT("when"', "ALERT: when is not there"),
    ("pages", "core/config/settings.c", 'RETENTION("bytes"', 'RETENTION("size"', "RETENTION: size is not there"),
    ("pages", "core/config/settings.c", '{ RETENTION("disk_high", SETTING_PERCENT', '{ RETENTION("disk_high", SETTING_COUNT',
     "disk_high: it does not say 'Range: 2 to 99.'"),
    ("pages", "core/config/settings.c", 'DISPOSAL("clean"', 'DISPOSAL("good"', "DISPOSE: good is not there"),
    ("pages", "core/config/disposal.c", '"quarantine",', '"attic",', "clean: its value is 'Cm keep | delete | attic'"),
    ("pages", "core/config/settings.c", '.fallback = "5s"', '.fallback = "6s"', "stop_grace: it does not say 'Default: 6s.'"),
    ("pages", "core/config/settings.c", ".max = 36500", ".max = 365", "reuse: it does not say 'Range: 0 to 365d.'"),
    ("pages", "core/config/settings.c", 'NAMES("record", "scan", "ignore")', 'NAMES("record", "scan")', "unmatched: its value"),
    ("pages", "core/config/settings.c", '"CARVED_HASH"', '"CARVED_SUM"', "hash: it names ['CARVED_HASH']"),
    ("pages", "core/config/settings.c", 'NAMES("yara", "clamd")', 'NAMES("yara")', "does not say 'Types: yara.'"),
    ("pages", "core/config/settings.c", 'DETECTOR("wait", SETTING_DURATION', 'DETECTOR("wait", SETTING_COUNT',
     "wait: its value is 'Ar count', not 'Ar time'"),
    ("pages", "core/app/pressure.c", '"overrun"', '"late"', "reason: late is not there"),
    ("pages", "core/app/pressure.c", "\\tshed\\t", "\\tlost\\t", "PRESSURE: shed is nothing"),
    ("pages", "core/config/detector_rows.c", '.type = "noop"', '.type = "nothing"', "type: noop is nothing"),
    ("pages", MAN + "carved.yml.5", ".It Ic settle Ar", ".It Ic rest Ar", "ROOTS: rest is nothing"),
    ("pages", MAN + "carved-history.7", ".It Va fsid\n", ".It Va fs\n", "file: fsid is not there"),
    ("pages", "schema/003_rescan.sql", "q.tries, q.due_ns,", "q.due_ns,", "rescan: tries is nothing"),
    ("pages", "schema/004_questions.sql", "CREATE VIEW detector_days", "CREATE VIEW by_day", "views: by_day is not there"),
    ("pages", "schema/001_history.sql", "OR reason = 'shed'", "OR reason = 'lost'", "reason: lost is not there"),
    ("pages", "schema/001_history.sql", "OR state = 'unscanned')", "OR state = 'left')", "state: left is not there"),
    ("pages", "schema/001_history.sql", "'limit', ", "", "cause: limit is nothing"),
    ("pages", "schema/007_removals.sql", "OR cause = 'shed'", "OR cause = 'lost'", "cause of a removal: lost is not there"),
    ("pages", "schema/007_removals.sql", "OR state = 'expired'", "OR state = 'old'", "state of a removal: expired is nothing"),
    ("pages", "schema/002_away.sql", "'detector'", "'server'", "waits_for: server is not there"),
    ("pages", "packaging/carved.bash-completion", "echo --new -0", "echo --new --old -0", "list: --old is nothing"),
    ("pages", "packaging/carved.bash-completion", "| --map ", "", "takes a value: --map is not there"),
    ("pages", "packaging/carved.bash-completion", "sql status stats check", "sql stats check", "commands: status is not there"),
    ("pages", "core/store/version.c", '"queued"', '"waiting"', "--state: waiting is not there"),
    ("pages", "core/app/status.c", '"polled"', '"asked"', "status: asked is not there"),
    ("pages", "core/app/writers.c", 'return "lease"', 'return "seen"', "status: lease is nothing"),
    ("pages", "core/sink/line.c", '"real_mime"', '"content"', "JSON LINES: content is not there"),
    ("pages", "core/sink/line.c", '\\"was\\"', '\\"before\\"', "JSON LINES: was is nothing"),
    ("pages", MAN + "carved-history.7", "\\(aqnow\\(aq", "'now'", "write \\(aq and"),
    ("pages", MAN + "carved.1", ".Dl carved check", ".Dl carved check \\-\\-once", "carved check has no --once"),
    ("mandoc", MAN + "carved.1", ".Sh FILES", ".Sh FILES\n.Xy", "carved.1:"),
]


def write(root, path, text):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def run(check, root):
    done = subprocess.run([sys.executable, "-B", os.path.join(HERE, "house.py"), check, root], text=True,
                          stdout=subprocess.PIPE, check=False)
    return done.returncode, done.stdout


def plant_pages(top):
    """The number of faults that were not found in the pages, or found where there were none."""
    tree = os.path.join(top, "pages")
    for folder in SOURCES:
        shutil.copytree(os.path.join(ROOT, folder), os.path.join(tree, folder))
    bad = 0
    for check in ("pages", "mandoc"):
        code, said = run(check, tree)
        if code not in (0, 77):
            print(f"{check}: fails on the real tree: {said}")
            bad += 1
    for check, path, old, new, words in PAGES:
        with open(os.path.join(tree, path), encoding="utf-8") as file:
            text = file.read()
        write(tree, path, text.replace(old, new, 1))
        code, said = run(check, tree)
        write(tree, path, text)
        if old not in text or code != 77 and (code != 1 or words not in said):
            print(f"{check}: did not find {new!r} instead of {old!r} in {path} ({words}): {said}")
            bad += 1
    return bad


def main():
    bad = 0
    with tempfile.TemporaryDirectory(prefix="carved-house-") as top:
        clean = os.path.join(top, "clean")
        for path, text in CLEAN.items():
            write(clean, path, text)
        shutil.copy(os.path.join(HERE, "../../.clang-format"), clean)
        for check in dict.fromkeys(fault[0] for fault in FAULTS):
            code, said = run(check, clean)
            if code not in (0, 77):
                print(f"{check}: fails on a clean tree: {said}")
                bad += 1
        for number, (check, path, text, words) in enumerate(FAULTS):
            tree = os.path.join(top, str(number))
            shutil.copytree(clean, tree)
            write(tree, path, text)
            code, said = run(check, tree)
            if code != 77 and (code != 1 or words not in said):
                print(f"{check}: did not find the fault planted in {path} ({words}): {said}")
                bad += 1
        bad += plant_pages(top)
    print(f"{len(FAULTS) + len(PAGES)} planted faults, {bad} problems")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
