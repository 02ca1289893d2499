"""The commands around the daemon: help, list, status, and where their output goes."""
import json
import os
import random
import subprocess

import scenario
from scenario import NOOP, Carved, broapt_name, check, command, same

COMMANDS = ["run", "scan", "parse", "list", "history", "sql", "status", "check", "reload",
            "pause", "resume", "retry", "rescan", "prune", "import", "backup"]


def test_help_and_version():
    done = command("--version")
    same((done.returncode, done.stdout), (0, b"carved 0.1.0\n"), "carved --version")
    done = command("--help")
    same(done.returncode, 0, "carved --help")
    for name in COMMANDS:
        check(f"\n  {name} ".encode() in done.stdout, f"carved --help does not tell of {name}")
        one, two = command("help", name), command(name, "--help")
        same((one.returncode, one.stdout), (two.returncode, two.stdout), f"the two helps of {name}")
        check(one.stdout.startswith(f"usage: carved {name}".encode()), f"help of {name}")


def test_wrong_words():
    same(command().returncode, 2, "carved")
    done = command("histroy")
    same(done.returncode, 2, "carved histroy")
    check(b'"history"' in done.stderr, f"no suggestion: {done.stderr!r}")
    done = command("bad\x1b[2J\udcff")
    check(b"\x1b" not in done.stderr and b"\xff" not in done.stderr, "a raw escape on the terminal")
    for name in COMMANDS:
        done = command(name, "--bogus")
        same((name, done.returncode), (name, 2), "exit status of a wrong option")
        check(b"--bogus" in done.stderr, f"{name}: {done.stderr!r} does not name the option")


def test_output_that_cannot_be_written():
    with open("/dev/full", "wb") as full:
        done = command("--help", stdout=full)
    same(done.returncode, 3, "exit status on a full disk")
    check(b"No space left" in done.stderr, f"{done.stderr!r}")
    read, write = os.pipe()
    os.close(read)
    done = command("help", stdout=write)
    os.close(write)
    same(done.stderr, b"", "words when nobody reads the pipe")


def plant(root, wanted, depth=0):
    """A random tree of names that sort badly; wanted gets the relative paths of its files."""
    for _ in range(random.randint(1, 6)):
        tail = b"".join(random.choice([b"a", b"-", b".", b"0", b"\xff", b" ", b"\n", b"~"])
                        for _ in range(random.randint(0, 3)))
        path = os.path.join(root, b"HTTP-Fabc%d" % random.randrange(9) + tail +
                            b".x.text.plain.txt")
        kind = random.random()
        if os.path.lexists(path):
            continue
        if kind < 0.4 and depth < 5:
            os.mkdir(path)
            plant(path, wanted, depth + 1)
        elif kind < 0.8:
            with open(path, "wb"):
                wanted.append(path)
        elif kind < 0.9:
            os.symlink(b"/etc", path)
        else:
            os.mkfifo(path)


def test_list_is_sorted_whole_and_byte_exact():
    with Carved() as carved:
        root = os.fsencode(carved.root)
        wanted = []
        for _ in range(8):
            plant(root, wanted)
        pattern = r"HTTP-(?<fuid>F\w+)"
        done = command("list", "--scheme", pattern, "-0", root)
        same(done.returncode, 0, f"exit status ({done.stderr!r})")
        same(done.stdout.split(b"\0")[:-1], sorted(path[len(root) + 1:] for path in wanted),
             "the list")


def test_list_new_leaves_out_what_the_history_has():
    with Carved(NOOP) as carved:
        carved.start()
        old = carved.put()
        carved.wait_settled(1)
        carved.stop()
        new = os.path.basename(carved.put())
        carved.put("mail.eml")
        done = command("list", "--history", carved.history, "--new", carved.root)
        same((done.returncode, done.stdout), (0, new + b"\n"), "carved list --new")
        done = command("list", carved.root)
        same(done.stdout.splitlines(), sorted([new, os.path.basename(old)]), "carved list")
        os.rename(old, carved.path_of(broapt_name()))
        done = command("list", "--history", carved.history, "--new", carved.root)
        same(len(done.stdout.splitlines()), 2, "a renamed file is new")


def test_list_says_what_it_cannot_read():
    done = command("list", "/nonexistent/dir")
    same(done.returncode, 3, "exit status")
    check(b"/nonexistent/dir" in done.stderr, f"{done.stderr!r}")
    with Carved() as carved:
        done = command("list", "--new", "--history", carved.home + "/none.db", carved.root)
        same(done.returncode, 3, "exit status without a history")
        check(b"none.db" in done.stderr, f"{done.stderr!r}")


def test_status():
    with Carved(NOOP) as carved:
        done = command("status", "--history", carved.history)
        same(done.returncode, 3, "exit status without a daemon")
        check(done.stderr, "it says nothing")
        carved.start()
        done = command("status", "--json", "--history", carved.history)
        same(done.returncode, 0, f"exit status ({done.stderr!r})")
        same(json.loads(done.stdout)["pid"], carved.process.pid, "pid")
        same(done.stdout.count(b"\n"), 1, "lines of JSON")
        done = command("status", "--history", carved.history)
        same(done.returncode, 0, "exit status")
        check(f"pid: {carved.process.pid}\n".encode() in done.stdout, f"{done.stdout!r}")


def test_check_takes_for_a_history_what_run_does():
    with Carved() as carved:
        carved.write_config("detectors:\n  - { type: hashlist, file: %s }\n"
                            % carved.write_hashlist(scenario.EICAR))
        path = os.path.join(carved.home, "h.db")
        for content, code in ((None, 0), (b"", 0), (b"precious notes", 3)):
            if content is not None:
                with open(path, "wb") as file:
                    file.write(content)
            done = command("check", "-c", carved.config_path, "--history", path, carved.root)
            same(done.returncode, code, f"exit status with {content!r} for a history ({done.stdout!r})")


def test_check_says_of_a_root_what_run_does():
    with Carved() as carved:
        for root, words in ((carved.root, b"watched by events"), ("/proc/sys/fs/inotify", b"walked every")):
            done = command("check", "--history", carved.history, root)
            check(words in done.stdout, f"{root}: {done.stdout!r}")
            carved.start(roots=[root])
            told = json.loads(command("status", "--json", "--history", carved.history).stdout)
            same(told["roots"][0]["mode"] == "polled", words != b"watched by events", f"{root} is polled")
            carved.stop()


def test_a_pipe_that_closes_early_is_no_error():
    with Carved(NOOP) as carved:
        for _ in range(2000):
            carved.put(content=b"")
        with subprocess.Popen([scenario.binary(), "list", carved.root], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=scenario.clean_environment()) as process:
            process.stdout.readline()
            process.stdout.close()
            said = process.stderr.read()
            process.wait()
        same(said, b"", "words")


if __name__ == "__main__":
    scenario.main()
