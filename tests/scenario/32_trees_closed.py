"""Directories that the daemon may not read for a while: it says so by a gap, takes in what is still told, and
finds the rest as soon as it may, without waiting for a timed walk.
"""
import os
import signal
import subprocess

import scenario
import trees
from scenario import Carved, check, same

NOBODY = 65534
CONFIG = "rescan_interval: 1h\n" + trees.CONFIG
OPEN_GAPS = "SELECT count(*) FROM gap WHERE cause = 'unreadable' AND closed_ns IS NULL"


def watching():
    if os.geteuid() != 0:
        raise scenario.Skip("only root can start it as another user")
    carved = Carved(CONFIG, user=NOBODY)
    os.chown(carved.root, 0, 0)
    return carved


def put(carved, place):
    """A file of its own user: of others' files it cannot ask who writes, and waits for them to settle."""
    path = carved.put(f"{place}/{trees.name()}")
    os.chown(path, NOBODY, NOBODY)


def close(carved, place, mode=0):
    os.chmod(carved.path_of(place), mode)


def opened(carved, place):
    os.chmod(carved.path_of(place), 0o755)


def walk(carved):
    """Everything is walked, and that is through."""
    before = carved.status()["watching"]["walks"]
    carved.send(signal.SIGUSR2)
    carved.until(lambda: carved.status()["watching"]["walks"] > before, "it has walked")


def check_all(carved):
    trees.check(carved)
    carved.wait_gaps_closed()


def test_closed_at_the_start():
    with watching() as carved:
        put(carved, "d/s")
        put(carved, "e/s")
        put(carved, "f")
        close(carved, "d")
        close(carved, "e", 0o711)
        carved.start()
        carved.wait_until("SELECT count(*) FROM file WHERE state = 'done'", [(1,)])
        carved.wait_until(OPEN_GAPS, [(1,)])
        check(carved.stderr().count(b"permission denied") >= 2, "it does not say which")
        opened(carved, "d")
        carved.wait_until("SELECT count(*) FROM file WHERE state = 'done'", [(2,)])
        carved.wait_until(OPEN_GAPS, [(1,)])
        opened(carved, "e")
        check_all(carved)


def test_closed_after_it_was_watched():
    """The kernel goes on telling what happens in a directory that is watched, whatever its mode is now."""
    with watching() as carved:
        put(carved, "d/s")
        carved.start()
        trees.check(carved)
        close(carved, "d", 0o711)
        put(carved, "d")
        put(carved, "d/s")
        put(carved, "d/new/er")
        carved.wait_until("SELECT count(*) FROM file WHERE state = 'done'", [(4,)])
        walk(carved)
        carved.wait_until(OPEN_GAPS, [(1,)])
        put(carved, "d/s")
        carved.wait_until("SELECT count(*) FROM file WHERE state = 'done'", [(5,)])
        opened(carved, "d")
        check_all(carved)


def test_renamed_while_it_is_closed():
    with watching() as carved:
        put(carved, "d/s/t")
        put(carved, "d")
        carved.start()
        trees.check(carved)
        close(carved, "d")
        os.rename(carved.path_of("d"), carved.path_of("e"))
        put(carved, "e/s/t")
        put(carved, "e")
        carved.wait_until(OPEN_GAPS, [(1,)])
        opened(carved, "e")
        check_all(carved)
        same(carved.sql("SELECT count(*) FROM file WHERE state = 'done' AND path LIKE '%/e/%'"), [(4,)],
             "answers at the new place")


def test_what_happened_below_while_it_was_closed_and_walked():
    for closed in ("d", "."):
        with watching() as carved:
            put(carved, "d/s/t")
            carved.start()
            trees.check(carved)
            carved.send(signal.SIGSTOP)
            put(carved, "d/s/t/u")
            close(carved, closed)
            os.rename(carved.path_of("d/s"), carved.path_of("d/r"))
            put(carved, "d/r/t/u")
            carved.send(signal.SIGUSR2)
            carved.send(signal.SIGCONT)
            carved.wait_until("SELECT count(*) FROM gap WHERE cause IN ('unreadable', 'root')",
                              lambda rows: rows[0][0] > 0)
            opened(carved, closed)
            check_all(carved)


def test_closed_and_taken_away():
    with watching() as carved:
        put(carved, "d/s")
        put(carved, "e/s")
        close(carved, "d")
        carved.start()
        carved.wait_until(OPEN_GAPS, [(1,)])
        subprocess.run(["rm", "-rf", carved.path_of("d")], check=True)
        check_all(carved)
        close(carved, "e")
        walk(carved)
        carved.wait_until(OPEN_GAPS, [(1,)])
        os.rename(carved.path_of("e"), os.path.join(carved.home, "e"))
        check_all(carved)


if __name__ == "__main__":
    scenario.main()
