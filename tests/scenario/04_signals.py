"""Signals: join, reload, reconcile, and stopping while a command runs."""
import signal
import time

import scenario
from scenario import NOOP, Carved, broapt_name, check, processes_with, same


def sleeper(seconds, more=""):
    """A configuration whose only detector takes that long; one worker."""
    return ("workers: 1\ndetectors:\n"
            f"  - {{ type: command, name: slow, run: [/bin/sh, -c, 'exec sleep $0', \"{seconds}\", '{{path}}'] }}\n{more}")


def test_usr1_finishes_what_is_queued_and_ends():
    with Carved(sleeper("0.1")) as carved:
        carved.start()
        for _ in range(10):
            carved.put()
        carved.wait_until("SELECT count(*) FROM file", [(10,)])
        carved.send(signal.SIGUSR1)
        late = carved.put(broapt_name())
        same(carved.wait(), 0, "exit status")
        done = carved.sql("SELECT count(*) FROM file WHERE state = 'done' AND verdict = 'clean' "
                          "AND path <> CAST(? AS TEXT)", late)
        same(done, [(10,)], "what was queued")
        carved.start()
        carved.wait_settled(11)
        same(carved.row(late), (b"done", None, b"clean"), "what came meanwhile")


def test_hup_refuses_a_bad_file_and_keeps_the_old_one():
    with Carved(NOOP) as carved:
        carved.start()
        carved.write_config("workres: 7\n")
        carved.send(signal.SIGHUP)
        carved.until(lambda: b"carved.yml:1:1" in carved.stderr(), "the reload is refused in words")
        path = carved.put()
        carved.wait_settled(1)
        same(carved.row(path), (b"done", None, b"clean"), "under the old configuration")


def test_hup_refuses_a_file_that_was_just_cut():
    with Carved(NOOP) as carved:
        carved.start()
        for count, text in enumerate(("", " \n\n", "# to be written\n", "---\n"), 1):
            carved.write_config(text)
            carved.send(signal.SIGHUP)
            carved.until(lambda n=count: carved.stderr().count(b"holds no settings any more") == n,
                         "the reload is refused in words")
        path = carved.put()
        carved.wait_settled(1)
        same(carved.row(path), (b"done", None, b"clean"), "under the old configuration")
        same(carved.sql("SELECT DISTINCT detector FROM scan"), [(b"noop",)], "who was asked")
        carved.write_config("{}\n")
        carved.send(signal.SIGHUP)
        carved.until(lambda: b"configuration and detectors reloaded" in carved.stderr(),
                     "an empty document is meant")


def test_hup_takes_a_good_file():
    with Carved(NOOP) as carved:
        carved.start()
        carved.write_config("detectors:\n  - { type: noop, name: second }\n")
        carved.send(signal.SIGHUP)

        def second_is_asked():
            path = carved.put()
            carved.until(lambda: carved.sql(
                "SELECT 1 FROM file WHERE path = CAST(? AS TEXT) AND state = 'done'", path),
                         "the file is done")
            return carved.sql("SELECT 1 FROM scan WHERE detector = 'second'")
        carved.until(second_is_asked, "the new detector is asked")


def test_usr2_looks_again():
    with Carved(NOOP) as carved:
        carved.start()
        for _ in range(3):
            carved.put()
        carved.wait_settled(3)
        before = carved.sql("SELECT id, file_id FROM scan ORDER BY id")
        carved.send(signal.SIGUSR2)
        carved.put()
        carved.wait_settled(4)
        same(carved.sql("SELECT id, file_id FROM scan ORDER BY id")[:3], before, "the old scans")


def test_term_waits_for_a_running_command():
    word = f"1.0{time.time_ns() % 10**9:09}"
    with Carved(sleeper(word)) as carved:
        carved.start()
        path = carved.put()
        carved.until(lambda: processes_with(word), "the command runs")
        carved.stop()
        same(carved.row(path), (b"done", None, b"clean"), "what ran")
        same(processes_with(word), [], "processes left")


def test_term_gives_up_after_its_grace():
    word = f"100.0{time.time_ns() % 10**9:09}"
    with Carved(sleeper(word, "stop_grace: 1s\n")) as carved:
        carved.start()
        for _ in range(3):
            carved.put()
        # The command may run before the events of the later files are read: TERM does not read them any
        # more, the walk of the next start finds those files.
        carved.wait_until("SELECT count(*) FROM file", [(3,)])
        carved.until(lambda: processes_with(word), "the command runs")
        carved.stop()
        same(carved.sql("SELECT state, count(*) FROM file GROUP BY 1"), [(b"queued", 3)],
             "what ran and what waited")
        same(carved.sql("SELECT count(*) FROM scan"), [(0,)], "outcomes")
        same(processes_with(word), [], "processes left")
        carved.write_config(NOOP)
        carved.start()
        carved.wait_settled(3)


def test_what_term_left_unread_is_found_by_the_next_start():
    word = f"100.1{time.time_ns() % 10**9:09}"
    with Carved(sleeper(word, "stop_grace: 0s\n")) as carved:
        carved.start()
        carved.put()
        carved.until(lambda: processes_with(word), "the command runs")
        carved.send(signal.SIGSTOP)
        for _ in range(2):
            carved.put()
        carved.send(signal.SIGTERM)
        carved.send(signal.SIGCONT)
        same(carved.wait(), 0, "exit status")
        same(processes_with(word), [], "processes left")
        carved.write_config(NOOP)
        carved.start()
        carved.wait_settled(3)
        same(carved.sql("SELECT file_id FROM scan GROUP BY 1 HAVING count(*) <> 1"), [], "scanned twice")
        same(carved.sql("SELECT count(*) FROM file WHERE state = 'done'"), [(3,)], "scanned")


def test_a_deadline_is_kept():
    word = f"100.2{time.time_ns() % 10**9:09}"
    config = ("detectors:\n"
              f"  - {{ type: command, run: [/bin/sh, -c, 'exec sleep $0', \"{word}\", '{{path}}'], timeout: 1s, retries: 1 }}\n")
    with Carved(config) as carved:
        carved.start()
        path = carved.put()
        carved.wait_settled(1)
        same(carved.row(path, "state, reason"), (b"unscanned", b"failed"), "the row")
        same(carved.sql("SELECT outcome FROM scan"), [(b"timeout",)], "the outcome")
        same(processes_with(word), [], "processes left")
        check(carved.process.poll() is None, "the daemon is gone")


if __name__ == "__main__":
    scenario.main()
