"""carved backup: a copy of the history beside a writing daemon."""
import os
import signal
import sqlite3
import stat
import subprocess

import proc
import scenario
from scenario import NOOP, Carved, check, clean_environment, command, files_below, same, scaled


def backup(carved, to, code=0):
    done = command("backup", "--history", carved.history, to)
    same(done.returncode, code, f"exit status ({done.stderr!r})")
    return done.stdout + done.stderr


def at(carved, name):
    return os.path.join(carved.home, name)


def asked(path, query):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        return connection.execute(query).fetchall()


def left_beside(carved, *known):
    """What lies in its home beside the usual and known."""
    usual = {"in", "state", "stderr", "stdout", "carved.yml", *known}
    return sorted(set(os.listdir(carved.home)) - usual)


def test_it_is_what_the_history_was():
    with Carved(NOOP) as carved:
        carved.start()
        for _ in range(50):
            carved.put()
        carved.wait_settled(50)
        os.chmod(carved.history, 0o640)
        words = backup(carved, at(carved, "copy.db"))
        size = os.stat(at(carved, "copy.db")).st_size
        check(f"copy.db: {size} bytes, checked".encode() in words, f"its words: {words!r}")
        same(stat.S_IMODE(os.stat(at(carved, "copy.db")).st_mode), 0o640, "permissions")
        for query in ("SELECT * FROM version ORDER BY id", "SELECT * FROM scan ORDER BY id",
                      "SELECT * FROM sqlite_schema ORDER BY name"):
            same(asked(at(carved, "copy.db"), query), asked(carved.history, query), query)
        same(asked(at(carved, "copy.db"), "PRAGMA integrity_check"), [("ok",)], "the copy")
        same(left_beside(carved), ["copy.db"], "what is left: one file")
        done = command("sql", "--history", at(carved, "copy.db"), "SELECT count(*) FROM file")
        check(b"50" in done.stdout, f"carved reads it: {done.stdout!r} {done.stderr!r}")
        carved.stop()
        # and a daemon goes on with it
        os.rename(at(carved, "copy.db"), at(carved, "state/other.db"))
        carved.history = at(carved, "state/other.db")
        carved.start()
        carved.put()
        carved.wait_settled(51)
        same(carved.sql("SELECT count(*) FROM scan"), [(51,)], "nothing is asked again")


def test_beside_a_burst_the_writer_goes_on():
    """The copy is held in its middle by a signal: the daemon writes all the same."""
    with Carved(NOOP) as carved:
        carved.start()
        many = scaled(30000, 300000)
        for _ in range(many):
            carved.put(content=b"x")
        carved.wait_settled(many)
        with subprocess.Popen([scenario.binary(), "backup", "--history", carved.history, at(carved, "copy.db")],
                              env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as one:
            carved.until(lambda: left_beside(carved) and one.poll() is None and
                         os.stat(at(carved, left_beside(carved)[0])).st_size > 0 or one.poll() is not None,
                         "the copy has begun")
            check(one.poll() is None, "it was too fast to be met in its middle")
            one.send_signal(signal.SIGSTOP)
            carved.until(lambda: proc.is_stopped(one.pid), "it is stopped")
            for _ in range(200):
                carved.put()
            carved.wait_settled(many + 200)
            one.send_signal(signal.SIGCONT)
            words = one.communicate(timeout=scenario.PATIENCE)
            same(one.returncode, 0, f"exit status ({words!r})")
        same(asked(at(carved, "copy.db"), "SELECT count(*), count(*) FILTER (WHERE state <> 'done') FROM file"),
             [(many, 0)], "the copy is of the moment at which it began")
        same(left_beside(carved), ["copy.db"], "what is left")


def test_nothing_is_overwritten():
    with Carved(NOOP) as carved:
        carved.start()
        carved.put()
        carved.wait_settled(1)
        before = b"something of mine"
        with open(at(carved, "mine"), "wb") as file:
            file.write(before)
        os.symlink("nowhere", at(carved, "link"))
        os.mkdir(at(carved, "dir"))
        for name in ("mine", "link", "dir"):
            check(b"exists already" in backup(carved, at(carved, name), 3), f"{name}: it says why")
        check(b"exists already" in backup(carved, carved.history, 3), "the history itself")
        with open(at(carved, "mine"), "rb") as file:
            same(file.read(), before, "the file that was there")
        check(b"No such file" in backup(carved, at(carved, "none/copy.db"), 3), "no directory")
        same(left_beside(carved), ["dir", "link", "mine"], "what is left")


def test_given_up_or_without_room():
    with Carved(NOOP) as carved:
        carved.start()
        for _ in range(3000):
            carved.put(content=b"x")
        carved.wait_settled(3000)
        one = ["sh", "-c", "ulimit -f 64; exec \"$@\"", "sh", scenario.binary(), "backup", "--history",
               carved.history, at(carved, "copy.db")]
        done = subprocess.run(one, env=clean_environment(), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              timeout=scenario.PATIENCE, check=False)
        same(done.returncode, 3, f"exit status ({done.stderr!r})")
        check(b"limit of a file's size" in done.stderr, f"its words: {done.stderr!r}")
        same(left_beside(carved), [], "what is left")
        with subprocess.Popen([scenario.binary(), "backup", "--history", carved.history, at(carved, "copy.db")],
                              env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as one:
            carved.until(lambda: left_beside(carved) or one.poll() is not None, "the copy has begun")
            one.send_signal(signal.SIGTERM)
            out, words = one.communicate(timeout=scenario.PATIENCE)
        # it may have been through before the signal came
        same((one.returncode, left_beside(carved)), (3, []) if b"given up" in words else (0, ["copy.db"]),
             f"how it ended ({out!r} {words!r})")


def test_a_history_that_is_none():
    with Carved(NOOP) as carved:
        check(b"no history there" in backup(carved, at(carved, "copy.db"), 3), "it says so")
        with open(carved.history, "wb") as file:
            file.write(b"no database at all, whatever it is called" * 100)
        backup(carved, at(carved, "copy.db"), 3)
        same(left_beside(carved), [], "what is left")
        os.unlink(carved.history)
        same(files_below(carved.state), set(), "nothing was made beside it")


def test_a_corrupt_history_gives_no_copy():
    with Carved(NOOP) as carved:
        carved.start()
        for _ in range(2000):
            carved.put(content=b"x")
        carved.wait_settled(2000)
        carved.stop()
        [(root,)] = asked(carved.history, "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = 'version'")
        [(size,)] = asked(carved.history, "PRAGMA page_size")
        with open(carved.history, "r+b") as file:
            file.seek((root - 1) * size)
            file.write(b"\xff" * 64)
        words = backup(carved, at(carved, "copy.db"), 3)
        check(b"corrupt" in words, f"its words: {words!r}")
        same(left_beside(carved), [], "what is left")
        carved.once = False  # it cannot be read
        carved.account = lambda: None


if __name__ == "__main__":
    scenario.main()
