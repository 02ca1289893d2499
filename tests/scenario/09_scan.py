"""`carved scan`: what it says, and that its exit status never takes a file for clean that nobody looked at."""
import os
import signal
import subprocess

import scenario
from scenario import EICAR, PATIENCE, Carved, binary, check, command, same

SLOW = ("workers: 1\nstop_grace: 0s\ndetectors:\n  - { type: command, name: slow, "
        "run: [/bin/sh, -c, 'exec sleep 600', sh, '{path}'], timeout: 900s }\n")


def scan(carved, *words):
    """One `carved scan` over paths; the finished process."""
    return command("scan", "-c", carved.config_path, "--history", carved.history, *words)


def test_clean_files_and_directories():
    with Carved(scenario.NOOP) as carved:
        paths = [carved.put() for _ in range(3)]
        done = scan(carved, carved.root, paths[0])
        same((done.returncode, len(done.stdout.splitlines())), (0, 3), "each file once")
        check(all(line.startswith(b"clean ") for line in done.stdout.splitlines()), f"{done.stdout!r}")
        same(scan(carved, paths[0]).stdout.count(b"clean "), 1, "a known file is said again")


def test_what_is_found():
    with Carved() as carved:
        carved.put()
        bad = carved.put(content=EICAR)
        carved.write_config(f"detectors:\n  - {{ type: hashlist, file: {carved.write_hashlist(EICAR)} }}\n")
        done = scan(carved, carved.root)
        same(done.returncode, 1, f"exit status ({done.stderr!r})")
        check(b"malicious  " + bad in done.stdout, f"{done.stdout!r}")


def test_a_failure_of_a_detector_that_may_fail_is_not_clean():
    with Carved("unmatched: scan\ndetectors:\n  - { type: noop }\n  - { type: command, required: false, "
                "retries: 1, run: [/bin/sh, -c, 'exit 7', sh, '{path}'] }\n") as carved:
        path = carved.put(content=b"x")
        done = scan(carved, path)
        same(done.returncode, 2, f"exit status ({done.stdout!r})")
        same(carved.row(path), (b"done", None, b"error"), "its row")


def test_a_file_that_is_still_written_is_not_clean():
    with Carved(scenario.NOOP) as carved:
        path = carved.put()
        with open(path, "ab"):
            done = scan(carved, path)
        same(done.returncode, 2, "exit status")
        check(b"unscanned  " + path in done.stdout and b"open for writing" in done.stdout, f"{done.stdout!r}")
        same(scan(carved, path).returncode, 0, "exit status once it is closed")


def test_a_file_that_got_its_row_before_its_writer_came_ends_the_scan_too():
    with Carved() as carved:
        go_on = carved.path_of("../go-on")
        os.mkfifo(go_on)
        carved.write_config(
            "detectors:\n  - { type: command, name: held, run: [/bin/sh, -c, "
            f"'exec cat $0', {os.fsdecode(go_on)}, '{{path}}'], timeout: 900s }}\n")
        path = carved.put()
        process = subprocess.Popen(
            [binary(), "scan", "-c", carved.config_path, "--history", carved.history, path],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        held = carved.opened_to_read(go_on)
        carved.until(lambda: carved.sql("SELECT count(*) FROM file") == [(1,)], "it has its row")
        with open(path, "ab") as writer:
            writer.write(b"more")
            writer.flush()
            os.close(held)
            out, err = process.communicate(timeout=PATIENCE)
        same(process.returncode, 2, f"exit status ({err!r})")
        check(b"unscanned  " + path in out and b"open for writing" in out, f"{out!r}")


def test_a_scan_that_is_interrupted_says_what_it_left():
    with Carved(SLOW) as carved:
        paths = {carved.put() for _ in range(5)}
        process = subprocess.Popen(
            [binary(), "scan", "-c", carved.config_path, "--history", carved.history, carved.root],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        carved.until(lambda: os.path.exists(carved.history) and
                     carved.sql("SELECT count(*) FROM file") == [(5,)], "all are in the history", PATIENCE)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
        same(process.returncode, 2, f"exit status ({err!r})")
        check(b"signal" in err, f"{err!r}")
        left = {line.split()[1] for line in out.splitlines() if b"not reached" in line}
        same(left, paths, "what was left")


def test_a_path_that_is_not_there():
    with Carved(scenario.NOOP) as carved:
        same(scan(carved, carved.path_of("no")).returncode, 2, "exit status")


if __name__ == "__main__":
    scenario.main()
