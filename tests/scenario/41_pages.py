#!/usr/bin/env python3
"""The man pages and the completion, tried with the real program: each option is taken, each example query of
carved-history.7 is answered over a history that has everything in it, bash completes what the program knows, and all
of it is installed where it is looked for. tests/house/pages.py holds the pages against the sources."""
import csv
import hashlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import uuid

import scenario
from scenario import EICAR, Carved, Skip, broapt_name, check, command, same

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(HERE, "..", "house"))
import pages  # pylint: disable=wrong-import-position

# What the examples ask for.
FUID = "FhT7vB2zOqLrPzb0Qd"
CONNECTION = "CsRaviydrGyYROuX3"

# The third detector is away, so that something waits; where is a directory of the test.
CONFIG = """detectors:
  - {{ type: magic }}
  - {{ type: hashlist, file: {where}/bad.sha256 }}
  - {{ type: clamd, socket: {where}/none, mime: application/x-waits }}
  - {{ type: command, name: grep, retries: 1, run: [/bin/sh, -c, '! grep -q FAIL "$1" || exit 9', sh, "{{path}}"] }}
"""


def program_commands():
    """As the program lists them."""
    return re.findall(rb"^  (\w+) +\S", command("help").stdout, re.MULTILINE)


def page_options(name):
    page = pages.Page(TOP, pages.PROGRAM)
    return {flag for head, _ in page.items(("COMMANDS", name)) for flag in pages.flags(head)}


def test_each_option_of_the_page_is_taken():
    for name in program_commands():
        name = name.decode()
        options = page_options(name)
        check(options, f"the page has no options of {name}")
        text = command("help", name).stdout.decode()
        told = set(re.findall(r"(?<![\w-])--?[A-Za-z0-9][\w-]*", text))
        check(told <= options, f"carved help {name} tells of {told - options}")
        for option, takes_value in pages.options(TOP, name).items():
            words = [option] if takes_value else [option, "--nonsense"]
            expected = f"option {option} needs a value" if takes_value else "there is no option --nonsense"
            done = command(name, *words)
            check(done.returncode == 2 and expected in done.stderr.decode(), f"carved {name} {words}: {done.stderr!r}")


def examples(path=pages.HISTORY):
    """Those of a page, as a reader copies them."""
    return [pages.copied(example) for _, example in pages.examples(TOP, path)]


def put_all(carved):
    """Files of every kind that an example asks for; how many versions they become."""
    with open("/bin/true", "rb") as file:
        program = file.read(4096)
    strelka = ["123", "HTTP", CONNECTION, scenario.fuid(), "192.0.2.7", "198.51.100.9", "text%2Fplain", ""]
    carved.put(f"HTTP-{FUID}.monday-{uuid.uuid4()}.application.pdf.pdf", EICAR)
    carved.put("S^E^P".join(strelka), EICAR)
    carved.put(content=b"FAIL\n")
    carved.put("notes.txt")
    carved.put(f"{'0' * 2}/{'0' * 64}", b"not what the name says")
    carved.put(broapt_name("application/x-waits", "bin"))
    carved.put(broapt_name("image/png", "png"), program)
    return 7


def fill(carved):
    """A history in which each example finds something."""
    carved.write_config(CONFIG.format(where=carved.home))
    carved.write_hashlist(EICAR)
    carved.start()
    count = put_all(carved)
    twice = broapt_name()
    later = [carved.put(broapt_name("application/x-later", "bin"), word) for word in (b"later", b"gone")]
    carved.put(twice)
    waiting = "SELECT count(*), count(*) FILTER (WHERE state = 'queued') FROM file"
    carved.wait_until(waiting, [(count + 3, 1)])
    carved.put(twice, b"something else")
    carved.wait_until(waiting, [(count + 4, 1)])
    # other rules: what was clean is found, what is gone cannot be looked at, the rest is stale
    os.unlink(later[1])
    carved.write_hashlist(EICAR, b"later")
    carved.send(signal.SIGHUP)
    carved.wait_until("SELECT count(*) > 0 FROM stale", [(1,)])
    same(command("rescan", "--history", carved.history, "--mime", "application/x-later").returncode, 0, "rescan")
    carved.wait_until("SELECT state, count(*) FROM rescan", [(b"gone", 1)])
    same(carved.row(later[0]), (b"done", None, b"malicious"), "what was clean")
    carved.stop()
    carved.start()      # so there is a gap
    carved.wait_gaps_closed()
    carved.stop()


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def test_examples_are_answered():
    queries = examples()
    check(len(queries) >= 20, f"{len(queries)} examples")
    with Carved() as carved:
        fill(carved)
        before = digest(carved.history)
        for query in queries:
            done = command("sql", "--history", carved.history, "--format", "csv", query)
            same((done.returncode, done.stderr), (0, b""), query)
            header, *rows = csv.reader(io.StringIO(done.stdout.decode()))
            check(header and all(header), f"{query}: {header}")
            # what began yesterday is not of today
            check(rows or "start of day" in query, f"{query}: no row")
        same(digest(carved.history), before, "the history after the examples")
        done = command("sql", "--history", carved.history, "DELETE FROM version")
        same(done.returncode, 2, "exit status of a statement that would write")


def test_the_configuration_of_the_page_is_one():
    config, = examples(pages.CONFIGURATION)
    with Carved(config) as carved:
        done = command("check", "-c", carved.config_path, "--history", carved.history, carved.root)
        check(b"ok    config: " in done.stdout, f"{done.stdout!r} {done.stderr!r}")


def test_readers_see_the_examples_as_they_are_run():
    if not shutil.which("mandoc"):
        raise Skip("mandoc is not installed")
    done = subprocess.run(["mandoc", "-Tutf8", pages.HISTORY], cwd=TOP, check=True, stdout=subprocess.PIPE)
    shown = {line.strip() for line in done.stdout.decode().splitlines()}
    for query in examples():
        for line in query.splitlines():
            check(line.strip() in shown, f"the page does not show {line!r}")


COMPLETE = r"""
source "$1" || exit 1
shift
[[ $(complete -p carved) == 'complete -F _carved carved' ]] || exit 1
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_carved
[ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\0' "${COMPREPLY[@]}"
"""


def complete(*words, **more):
    """What bash would offer for the last of the words."""
    done = subprocess.run(["bash", "--norc", "-c", COMPLETE, "bash", os.path.abspath(os.path.join(TOP, pages.COMPLETION)),
                           "carved", *words], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, **more)
    same((done.returncode, done.stderr), (0, b""), f"completing {words}")
    return set(done.stdout.decode().split("\0")[:-1])


def test_bash_completes_commands_and_options():
    known = {name.decode() for name in program_commands()}
    same(complete(""), known | {"help", "--help", "--version"}, "the first word")
    same(complete("help", ""), known, "a word behind help")
    same(complete("re"), {"retry", "rescan", "reload", "resume"}, "re")
    for name in known:
        same(complete(name, "-"), page_options(name) | {"--help"}, f"options of {name}")
    same(complete("history", "--ve"), {"--verdict"}, "--ve")
    same(complete("nonsense", "--"), {"--help"}, "options of no command")


def test_bash_completes_values():
    verdicts = {"malicious", "suspicious", "error", "timeout", "skipped", "unknown", "clean"}
    same(complete("history", "--verdict", ""), verdicts, "verdicts")
    same(complete("history", "--verdict", "=", "s"), {"suspicious", "skipped"}, "verdicts behind =")
    same(complete("history", "--state", "="), {"queued", "done", "unscanned"}, "states behind =")
    same(complete("sql", "--format", ""), {"table", "json", "csv"}, "formats of sql")
    same(complete("history", "--format", "p"), {"paths"}, "formats of history")
    same(complete("parse", "--scheme", "broapt"), {"broapt", "broapt-exact"}, "schemes")
    same(complete("history", "--limit", ""), set(), "a number")
    same(complete("history", "--since", "-"), set(), "a time")


def test_bash_completes_paths():
    with Carved() as carved:
        os.mkdir(os.path.join(carved.home, "a place"))
        with open(os.path.join(carved.home, "a file"), "wb"):
            pass
        here = {"cwd": carved.home}
        for words in (("scan", "a"), ("sql", "--history", "a"), ("run", "-c", "a"), ("scan", "--", "a")):
            same(complete(*words, **here), {"a place", "a file"}, f"{words}")
        same(complete("run", "a", **here), {"a place"}, "a root")
        same(complete("sql", "a", **here), set(), "a statement")


def test_they_are_installed_where_they_are_looked_for():
    build = os.path.dirname(scenario.binary())
    if not os.path.exists(os.path.join(build, "cmake_install.cmake")):
        raise Skip(f"{build} is no build directory")
    with Carved() as carved:
        place = os.path.join(carved.home, "usr")
        subprocess.run(["cmake", "--install", build, "--prefix", place], check=True, stdout=subprocess.DEVNULL)
        for path, source in (("man/man1/carved.1", pages.PROGRAM), ("man/man5/carved.yml.5", pages.CONFIGURATION),
                             ("man/man7/carved-history.7", pages.HISTORY),
                             ("bash-completion/completions/carved", pages.COMPLETION)):
            same(digest(os.path.join(place, "share", path)), digest(os.path.join(TOP, source)), path)


if __name__ == "__main__":
    scenario.main()
