"""One daemon per history."""
import os

import scenario
from scenario import NOOP, Carved, check, command, same


def test_a_second_daemon_is_refused_and_the_first_named():
    with Carved(NOOP) as carved:
        carved.start()
        done = command("run", "-c", carved.config_path, "--history", carved.history, carved.root)
        same(done.returncode, 3, "exit status of the second")
        check(str(carved.process.pid).encode() in done.stderr,
              f"pid {carved.process.pid} is not named: {done.stderr!r}")
        carved.put()
        carved.wait_settled(1)


def test_two_histories_are_two_daemons():
    with Carved(NOOP) as one, Carved(NOOP) as two:
        one.start()
        two.start()
        for carved in (one, two):
            carved.put()
            carved.wait_settled(1)


def test_the_lock_goes_with_its_holder():
    with Carved(NOOP) as carved:
        carved.start()
        carved.kill()
        carved.start()
        carved.put()
        carved.wait_settled(1)
        check(os.path.exists(carved.history + ".lock"), "the lock file stands beside the history")


def test_a_history_that_is_something_else_is_left_alone():
    with Carved(NOOP) as carved:
        for content in (b"this is no database, it is somebody's text\n" * 50, b"x"):
            with open(carved.history, "wb") as file:
                file.write(content)
            before = len(carved.stderr())
            carved.start(ready=False)
            same(carved.wait(), 3, "exit status")
            check(carved.history.encode() in carved.stderr()[before:], "the file is not named")
            with open(carved.history, "rb") as file:
                same(file.read(), content, "the file")


if __name__ == "__main__":
    scenario.main()
