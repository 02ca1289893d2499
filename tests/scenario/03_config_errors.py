"""A configuration that is wrong is refused in words, and nothing is started."""
import os

import scenario
from scenario import Carved, check, command, same

# text of carved.yml, words that stderr must have
BAD = [
    ("workres: 2\n", [b"carved.yml:1:1", b"workers"]),
    ("\n\nroots:\n  - path: /tmp\n    producr: zeek\n", [b"carved.yml:5:5", b"producer"]),
    ("workers: many\n", [b"carved.yml:1:10", b"many"]),
    ("workers: -1\n", [b"carved.yml:1"]),
    ("workers: [1, 2]\n", [b"carved.yml:1"]),
    ("hash: sometimes\n", [b"carved.yml:1", b"always"]),
    ("max_file_size: 3 parsecs\n", [b"carved.yml:1"]),
    ("unmatched: [\n", [b"carved.yml"]),
    ("detectors:\n  - { type: tea-leaves }\n", [b"carved.yml:2", b"tea-leaves"]),
    ("detectors:\n  - { name: x }\n", [b"carved.yml:2", b"type"]),
    ("detectors:\n  - { type: command, name: c }\n", [b"carved.yml:2", b"run"]),
    ("hash: never\ndetectors:\n  - { type: hashlist, file: LIST }\n", [b"carved.yml", b"hash"]),
    ("detectors:\n  - { type: hashlist, file: /nonexistent/bad.sha256 }\n",
     [b"/nonexistent/bad.sha256"]),
    ("roots:\n  - path: /tmp\n    producer: '(?<fuid>F\\w+'\n", [b"carved.yml:3"]),
    ("workers: 1\nworkers: 2\n", [b"carved.yml:2", b"workers"]),
]


def refused(carved, *words):
    """Starts it, and sees that it ends with 2 before it touched anything; its words."""
    before = len(carved.stderr())
    carved.start(*words, ready=False)
    same(carved.wait(), 2, "exit status")
    check(not os.path.exists(carved.history), "it made a history")
    said = carved.stderr()[before:]
    check(said.strip(), "it said nothing")
    return said


def test_each_wrong_file_is_refused():
    for text, words in BAD:
        with Carved() as carved:
            carved.write_config(text.replace("LIST", carved.write_hashlist(b"x")))
            said = refused(carved)
            for word in words:
                check(word in said, f"{text!r}: {said!r} does not say {word!r}")


def test_a_file_that_is_not_there():
    with Carved() as carved:
        carved.config_path = os.path.join(carved.home, "none.yml")
        check(b"none.yml" in refused(carved), "the file is not named")


def test_wrong_words_on_the_command_line():
    with Carved("workers: 1\n") as carved:
        check(b"--bogus" in refused(carved, "--bogus"), "the option is not named")
        check(b"workers" in refused(carved, "--workers", "none"), "the option is not named")


def test_a_wrong_environment():
    with Carved("detectors:\n  - { type: noop }\n") as carved:
        carved.start(ready=False, env={"BROAPT_APP_CPU": "many"})
        same(carved.wait(), 2, "exit status")
        check(b"BROAPT_APP_CPU" in carved.stderr(), "the variable is not named")


def test_check_says_the_same():
    with Carved("workres: 2\n") as carved:
        done = command("check", "-c", carved.config_path)
        same(done.returncode, 2, "exit status of carved check")
        check(b"carved.yml:1:1" in done.stderr + done.stdout, f"{done!r} names no place")


if __name__ == "__main__":
    scenario.main()
