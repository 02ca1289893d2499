"""carved pause and resume: nothing is looked at meanwhile, and nothing is lost."""
import os
import signal

import held
import proc
import scenario
from scenario import NOOP, Carved, check, command, same, scaled


def order(carved, name, code=0):
    done = command(name, "--history", carved.history)
    same(done.returncode, code, f"exit status of {name} ({done.stderr!r})")
    return done.stdout + done.stderr


def check_sleeps(carved):
    """What waits is left where it is: each question wakes the loop, and nothing else does for long."""
    if scenario.sanitizer() == "thread":
        return
    before = proc.switches(carved.process.pid)
    for _ in range(50):
        carved.status()
    switches = proc.switches(carved.process.pid) - before
    check(switches < 1000, f"it does not sleep: {switches} switches")


def queued(count):
    return [(count, count)]


QUEUED = "SELECT count(*), count(*) FILTER (WHERE state = 'queued') FROM file"


def test_files_wait_in_the_history():
    with Carved(NOOP) as carved:
        carved.start()
        check(b"paused" in order(carved, "pause"), "it says so")
        many = scaled(3000, 100000)
        for _ in range(many):
            carved.put()
        carved.wait_until(QUEUED, queued(many))
        same(carved.sql("SELECT count(*) FROM scan"), [(0,)], "asked meanwhile")
        status = carved.status()
        same((status["state"], status["queue"]["running"], status["queue"]["waiting"]), ("paused", 0, 0),
             "the state, and what is in memory")
        check(b"paused" in command("status", "--history", carved.history).stdout, "status in words")
        order(carved, "resume")
        carved.wait_settled(many)
        same(carved.sql("SELECT count(*) FROM scan"), [(many,)], "asked after it")
        words = carved.stderr()
        check(b"carved: paused: " in words and b"carved: resumed on request" in words, "the log has both")


def test_a_worker_at_a_file_finishes_it():
    with Carved() as carved:
        held.configure(carved)
        carved.start()
        first = carved.put()
        fd = held.wait(carved)
        for _ in range(30):
            carved.put()
        carved.wait_until(QUEUED, queued(31))  # slow ones have rows, and wait in memory for the worker
        check(b"finish now: 1" in order(carved, "pause"), "how many are finished")
        held.let_through(carved, fd)
        carved.wait_until("SELECT count(*) FROM file WHERE state = 'done'", [(1,)])
        same(carved.row(first), (b"done", None, b"clean"), "the file that a worker was at")
        carved.until(lambda: carved.status()["queue"]["running"] == 0, "the others are given back")
        carved.put()
        carved.wait_until(QUEUED, [(32, 31)])
        same(carved.sql("SELECT count(*) FROM scan"), [(1,)], "asked")
        order(carved, "resume")
        carved.wait_settled(32)


def test_renamed_removed_and_changed_meanwhile():
    with Carved("hash: always\n" + NOOP) as carved:
        carved.start()
        paths = [carved.put() for _ in range(4)]
        carved.wait_settled(4)
        order(carved, "pause")
        os.rename(paths[0], paths[0] + b".moved")
        os.unlink(paths[1])
        before = os.stat(paths[2])
        with open(paths[2], "r+b") as file:  # as long, and with the old time
            file.write(b"another")
        os.utime(paths[2], ns=(before.st_atime_ns, before.st_mtime_ns))
        gone = carved.put()
        carved.wait_until("SELECT state FROM file WHERE path = CAST(? AS TEXT)".replace(
            "?", "'" + gone.decode() + "'"), [(b"queued",)])
        os.unlink(gone)
        last = carved.put()
        carved.wait_until("SELECT count(*) FROM file WHERE state = 'queued' AND path = CAST('%s' AS TEXT)"
                          % last.decode(), [(1,)])
        order(carved, "resume")
        carved.wait_until("SELECT count(*) FROM file WHERE path = CAST('%s' AS TEXT) AND state = 'done'"
                          % paths[2].decode(), [(2,)])
        carved.wait_until("SELECT count(*) FROM file WHERE state = 'queued'", [(0,)])
        same(carved.row(gone), (b"unscanned", b"vanished", None), "one that went meanwhile")
        same(carved.row(paths[0] + b".moved", "state, verdict"), (b"done", b"clean"), "the renamed one")
        same(carved.row(last), (b"done", None, b"clean"), "the last one")


def test_ends_while_it_is_paused():
    for number, left in ((signal.SIGTERM, 5), (signal.SIGUSR1, 0), (signal.SIGKILL, 5)):
        with Carved(NOOP) as carved:
            carved.start()
            order(carved, "pause")
            for _ in range(5):
                carved.put()
            carved.wait_until(QUEUED, queued(5))
            carved.send(number)
            same(carved.wait(), -9 if number == signal.SIGKILL else 0, "exit status")
            same(carved.sql(QUEUED), [(5, left)], f"queued after {number!r}")
            carved.start()  # not paused any more
            same(carved.status()["state"], "running", "the next start")
            carved.wait_settled(5)


def test_a_reload_and_rescans_do_not_end_it():
    with Carved() as carved:
        listed = carved.write_hashlist(b"another")
        carved.write_config(f"rescan: auto\ndetectors:\n  - {{ type: hashlist, name: bad, file: {listed} }}\n")
        carved.start()
        path = carved.put(content=b"evil")
        carved.wait_settled(1)
        order(carved, "pause")
        carved.write_hashlist(b"evil")
        order(carved, "reload")
        carved.until(lambda: carved.status()["rescan"]["waiting"] == 1, "it is asked for")
        check_sleeps(carved)
        carved.put()
        carved.wait_until(QUEUED, [(2, 1)])
        check_sleeps(carved)
        same(carved.status()["state"], "paused", "after the reload")
        same(carved.row(path), (b"done", None, b"clean"), "its verdict")
        order(carved, "resume")
        carved.wait_until("SELECT verdict FROM file WHERE path = CAST('%s' AS TEXT)" % path.decode(), [(b"malicious",)])
        carved.wait_settled(2)


def test_a_run_that_ends_by_itself_cannot_be_paused():
    with Carved() as carved:
        held.configure(carved)
        carved.put()
        carved.start("--once", ready=False)
        fd = held.wait(carved)
        check(b"--once" in order(carved, "pause", 3), "it says why")
        held.let_through(carved, fd)
        same(carved.wait(), 0, "exit status")
        carved.wait_settled(1)


def test_an_overflow_while_it_is_paused():
    with Carved(NOOP) as carved:
        carved.start()
        order(carved, "pause")
        carved.send(signal.SIGSTOP)
        many = 20000
        for _ in range(many):
            carved.put(content=b"x")
        carved.send(signal.SIGCONT)
        carved.wait_until(QUEUED, queued(many))
        carved.wait_gaps_closed()
        same(carved.sql("SELECT count(*) FROM gap WHERE cause = 'overflow'")[0][0] > 0, True, "an overflow")
        order(carved, "resume")
        carved.wait_settled(many)


if __name__ == "__main__":
    scenario.main()
