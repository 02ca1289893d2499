"""Races made wide: system calls of the daemon are delayed, interrupted or made to fail by strace while
directories are made, moved and removed."""
import os
import shutil

import scenario
import steps
import trees
from scenario import Carved, same, scaled


def put(carved, *parts):
    return carved.put(os.path.join(*parts, trees.name()))


def bustle(carved, rounds):
    """Directories with files are made, renamed, exchanged, moved out and in, and removed."""
    out = os.path.join(carved.home, "out")
    at = carved.path_of
    os.makedirs(out, exist_ok=True)
    for turn in range(rounds):
        put(carved, f"n{turn}/s")
        put(carved, "kept/deep/er")
        os.rename(at("kept/deep"), at(f"kept/deep{turn}"))
        put(carved, f"kept/deep{turn}/er")
        os.rename(at("kept"), at(f"n{turn}/kept"))
        put(carved, f"n{turn}/kept")
        os.rename(at(f"n{turn}/kept"), at("kept"))
        if turn:
            trees.exchange(at(f"n{turn}"), at(f"n{turn - 1}"))
            put(carved, f"n{turn}")
        os.rename(at(f"n{turn}"), os.path.join(out, "n"))
        os.makedirs(at(f"n{turn}/s"))
        put(carved, f"n{turn}/s")
        os.rename(os.path.join(out, "n"), at(f"n{turn}/back"))
        put(carved, f"n{turn}/back/s")
        os.makedirs(at(f"gone{turn}/x/y"))
        put(carved, f"gone{turn}/x/y")
        shutil.rmtree(at(f"gone{turn}"))


def with_injections(*injections, rounds=8):
    with Carved(trees.CONFIG).start() as carved:
        with steps.Attached(carved, *injections):
            bustle(carved, scaled(rounds, rounds * 10))
            trees.until_accounted(carved)
        put(carved, "n0")
        trees.check(carved)
        same(carved.sql("SELECT DISTINCT coalesce(reason, state) FROM file WHERE coalesce(reason, state) "
                        "NOT IN ('done', 'vanished')"), [], "other states")


def test_watches_come_late():
    with_injections("inotify_add_watch:delay_enter=5000")


def test_watches_are_told_late():
    with_injections("inotify_add_watch:delay_exit=5000")


def test_listings_come_late():
    with_injections("getdents64:delay_enter=3000", "openat2:delay_exit=500")


def test_everything_is_interrupted():
    with_injections("openat2:error=EINTR:when=1+3", "getdents64:error=EINTR:when=1+2",
                    "read:error=EINTR:when=2+5")


def test_paths_are_raced_by_renames_elsewhere():
    with_injections("openat2:error=EAGAIN:when=1+2")


def test_directories_that_fail_once_are_tried_again():
    """By themselves; a file that could not be opened once has an answer that says so, until something
    happens to it."""
    with Carved("rescan_interval: 1s\n" + trees.CONFIG).start() as carved:
        with steps.Attached(carved, "openat2:error=EIO:when=5+17", "getdents64:error=EIO:when=3+13",
                            "inotify_add_watch:error=ENOMEM:when=4+11"):
            bustle(carved, 6)
            put(carved, "n0")
            trees.until_accounted(carved, states="state = 'done' OR note = 'Input/output error'")
        carved.wait_gaps_closed()
        for path in trees.files_on_disk(carved.root):
            os.utime(path)
        trees.check(carved)


def test_one_entry_cannot_be_looked_at():
    """It is accounted for, and hides neither its neighbours nor what lies below; it is scanned once it can."""
    with Carved("rescan_interval: 1s\n" + trees.CONFIG).start() as carved:
        out = os.path.join(carved.home, "out")
        os.makedirs(os.path.join(out, "d/below"))
        for name in ("bad", "good", "below/good"):
            with open(os.path.join(out, "d", name), "wb") as file:
                file.write(name.encode())
        at = carved.path_of("d/bad")
        with steps.Attached(carved, "statx:error=EIO", only=["bad", os.fsdecode(at)]):
            os.rename(os.path.join(out, "d"), carved.path_of("d"))
            carved.wait_until("SELECT state, reason, note, count(*) FROM file GROUP BY 1, 2, 3 ORDER BY 1",
                              [(b"done", None, None, 2), (b"unscanned", b"unreadable", b"Input/output error", 1)])
            carved.wait_until("SELECT count(*) FROM gap WHERE cause = 'unreadable' AND closed_ns IS NULL", [(1,)])
        carved.wait_until("SELECT count(*) FROM file WHERE state = 'done'", [(3,)])
        carved.wait_gaps_closed()


if __name__ == "__main__":
    scenario.main()
