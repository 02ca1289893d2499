"""Helper processes that die, hang, or are told to do what they must not: the daemon goes on."""
import os
import signal
import threading
import time

import scenario
from scenario import Carved, broapt_name, check, same

COUNT = 1000
# the second one keeps the scanners at work while they are interfered with
RULES = ('rule hello { strings: $a = "hello" condition: $a }\n'
         "rule slow { condition: for any i in (1..30000) : (uint8(i % filesize) < 0) }\n")


def helpers(carved):
    """Process ids of carved-detect below the daemon: (zygotes, scanners)."""
    parents = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                head, tail = file.read().rsplit(")", 1)
        except OSError:
            continue
        if head.endswith("(carved-detect") and tail.split()[0] != "Z":
            parents[int(pid)] = int(tail.split()[1])
    zygotes = {pid for pid, parent in parents.items() if parent == carved.process.pid}
    return zygotes, {pid for pid, parent in parents.items() if parent in zygotes}


def send(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def with_yara(timeout="6s"):
    carved = Carved()
    with open(os.path.join(carved.home, "a.yar"), "w", encoding="utf-8") as file:
        file.write(RULES)
    carved.write_config("workers: 4\ndetectors:\n"
                        f"  - {{ type: yara, rules: a.yar, timeout: {timeout} }}\n")
    return carved


def put_many(carved, busy):
    """COUNT files, and more for as long as busy() says so. How many that were."""
    number = 0
    deadline = time.monotonic() + scenario.PATIENCE
    while number < COUNT or busy():
        check(number < COUNT or time.monotonic() < deadline, "no interference came about")
        carved.put(broapt_name(), b"file %d " % number + os.urandom(20))
        number += 1
    return number


def ends(carved, count):
    """Counts by outcome once all are in a terminal state."""
    carved.wait_settled(count)
    counts = dict(carved.sql("SELECT outcome, count(*) FROM scan GROUP BY 1"))
    same(sum(counts.values()), count, f"one answer each: {counts}")
    return counts


def after(carved, count):
    """The daemon is untouched: it answers as before."""
    path = carved.put(content=b"hello")
    carved.wait_settled(count + 1)
    same(carved.row(path), (b"done", None, b"malicious"), "afterwards")
    carved.stop()


def interfere(action, timeout="6s"):
    """Runs action again and again until it has done something, while files come in. action is given
    the daemon, its zygotes and its scanners."""
    with with_yara(timeout) as carved:
        carved.start()
        done = threading.Event()

        def act():
            while not done.is_set() and not action(carved, *helpers(carved)):
                pass
        thread = threading.Thread(target=act)
        thread.start()
        try:
            count = put_many(carved, thread.is_alive)
        finally:
            done.set()
            thread.join()
        counts = ends(carved, count)
        after(carved, count)
        return counts, carved.stderr()


def test_a_scanner_killed_in_the_middle():
    killed = []

    def kill_scanners(carved, _, scanners):
        send(scanners, signal.SIGKILL)
        killed.extend(scanners)
        # one that was idle costs no answer
        return len(killed) >= 12 and carved.sql("SELECT 1 FROM scan WHERE outcome = 'error' LIMIT 1")
    counts, _ = interfere(kill_scanners)
    print(f"        {len(killed)} scanners killed: {counts}", flush=True)
    check(set(counts) == {b"clean", b"error"}, f"{counts}")
    check(counts[b"error"] <= len(killed), f"{counts}, {len(killed)} killed")


def test_the_zygote_killed_in_the_middle():
    def kill_zygotes(_, zygotes, scanners):
        if scanners:
            send(zygotes, signal.SIGKILL)
        return scanners
    counts, _ = interfere(kill_zygotes)
    print(f"        the zygote killed: {counts}", flush=True)
    # scanners that go with it cost no answer: the files had no part in that
    same(set(counts), {b"clean"}, f"outcomes: {counts}")


def test_a_scanner_stopped_for_ever():
    def stop_one(_carved, _zygotes, scanners):
        send(list(scanners)[:1], signal.SIGSTOP)
        return scanners
    counts, _ = interfere(stop_one)
    print(f"        a scanner stopped for ever: {counts}", flush=True)
    same(counts.get(b"timeout"), 1, f"one costs one answer: {counts}")
    same(set(counts), {b"clean", b"timeout"}, "outcomes")


def test_all_helpers_stopped_for_ever():
    def stop_all(_, zygotes, scanners):
        if scanners:
            send(zygotes | scanners, signal.SIGSTOP)
        return scanners
    counts, _ = interfere(stop_all)
    print(f"        all helpers stopped for ever: {counts}", flush=True)
    # each of four workers may meet a scanner that hangs; a zygote that does costs no answer
    check(set(counts) <= {b"clean", b"timeout"} and counts.get(b"timeout", 0) <= 4, f"{counts}")


def test_everything_dies_with_the_daemon():
    with with_yara() as carved:
        carved.start()
        carved.put(content=b"hello")
        carved.wait_settled(1)
        zygotes, scanners = helpers(carved)
        check(zygotes and scanners, f"{zygotes} {scanners}")
        descriptors = [os.pidfd_open(pid) for pid in zygotes | scanners]
        carved.kill()
        for descriptor in descriptors:
            check(scenario.select.select([descriptor], [], [], scenario.PATIENCE)[0], "a helper outlives the daemon")
            os.close(descriptor)


def test_helpers_hold_no_more_than_they_need():
    with with_yara() as carved:
        carved.start()
        for _ in range(3):
            carved.put(content=os.urandom(100))
        carved.wait_settled(3)
        zygotes, scanners = helpers(carved)
        for pid in zygotes | scanners:
            held = sorted(os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd"))
            allowed = ("socket:", "/dev/null", "pipe:", carved.stderr_path)
            check(all(one.startswith(allowed) for one in held), f"{held}")
            check(sum(one.startswith("socket:") for one in held) == 1, f"{held}")
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                fields = dict(line.split(":", 1) for line in file)
            same(fields["NoNewPrivs"].strip(), "1", "no new privileges")
            same(fields["Seccomp"].strip(), "2", "seccomp")
        carved.stop()


if __name__ == "__main__":
    scenario.main()
