"""history_keep: what ended long ago leaves the history of a running daemon, unless its file is there or may come back."""
import contextlib
import os
import shutil
import sqlite3
import subprocess

import aging
import mounting
import proc
import scenario
from scenario import Carved, Skip, broapt_name, check, command, same

KEEP = "history_keep: 90d\n" + scenario.NOOP


def make_old(carved, where="1"):
    aging.make_old(carved.history, where)
    aging.make_gaps_old(carved.history)


def pass_ended(carved):
    status = carved.status()["history_keep"]
    return status and status["looked_ns"] and status


def forgets(carved):
    """Whether there is a thread for it."""
    return "forget" in (name for _, name in proc.thread_names(carved.process.pid))


def names_left(carved):
    return sorted(os.path.basename(os.fsdecode(row[0])) for row in carved.sql("SELECT path FROM file"))


def test_what_is_gone_is_forgotten_and_nothing_else():
    with Carved(KEEP) as carved:
        carved.start()
        stands, moved = carved.put(), carved.put()
        gone = [carved.put(f"{sub}/{broapt_name()}") for sub in ("a", "b/c") for _ in range(300)]
        young, replaced = carved.put(), carved.put()
        carved.wait_settled(604)
        carved.stop()
        make_old(carved, f"name <> '{os.path.basename(os.fsdecode(young))}'")
        shutil.rmtree(os.path.dirname(gone[-1]))
        for path in set(gone) | {young, moved}:
            if os.path.exists(path):
                os.unlink(path)
        new = carved.path_of(broapt_name())
        with open(new, "wb") as file:
            file.write(b"another inode")
        os.rename(new, replaced)
        carved.start()
        carved.until(lambda: pass_ended(carved), "the first look")
        left = carved.sql("SELECT name, count(*) FROM file GROUP BY 1 ORDER BY 1")
        same(left, sorted((os.path.basename(path), 1) for path in (stands, young, replaced)), "what is left")
        same(carved.status()["history_keep"]["forgotten_since_start"], 602, "versions forgotten")
        same(carved.sql("SELECT (SELECT count(*) FROM scan), (SELECT sum(files) FROM daily)"), [(3, 3)], "the rest")
        same(carved.sql("SELECT count(*) FROM gap WHERE closed_ns < ?",
                        carved.sql("SELECT max(finished_ns) FROM file")[0][0] - 95 * aging.DAY_NS), [(0,)], "old gaps")
        more = carved.put()
        carved.wait_settled(4)
        same(carved.row(more)[0], b"done", "the daemon goes on")
        carved.check_once()


def test_it_is_off_by_default_and_follows_a_reload():
    with Carved(scenario.NOOP) as carved:
        carved.start()
        path = carved.put()
        carved.wait_settled(1)
        carved.stop()
        make_old(carved)
        os.unlink(path)
        carved.start()
        same(carved.status()["history_keep"], None, "without the setting")
        check(not forgets(carved), "there is a thread for nothing")
        carved.write_config("history_keep: 200d\n" + scenario.NOOP)
        same(command("reload", "--history", carved.history).returncode, 0, "reload")
        carved.until(lambda: pass_ended(carved), "the first look")
        check(forgets(carved), "its thread has another name")
        same(len(carved.sql("SELECT 1 FROM file")), 1, "younger than 200 days")
        carved.write_config(KEEP)
        same(command("reload", "--history", carved.history).returncode, 0, "reload")
        carved.wait_until("SELECT count(*) FROM file", [(0,)])


def test_what_a_sink_is_yet_to_tell_stays():
    with Carved(scenario.NOOP) as carved:
        events = os.path.join(carved.home, "events")
        os.mkdir(events)    # so that it cannot be written
        carved.write_config(f"events: {events}\n" + scenario.NOOP)
        carved.start()
        untold, told = carved.put(), carved.put()
        carved.wait_settled(2)
        carved.stop()
        make_old(carved)
        with contextlib.closing(sqlite3.connect(carved.history)) as connection, connection:
            connection.execute("DELETE FROM event WHERE version_id = (SELECT id FROM version WHERE name = ?)",
                               [os.path.basename(os.fsdecode(told))])
        for path in untold, told:
            os.unlink(path)
        carved.write_config(f"events: {events}\n" + KEEP)
        carved.start()
        status = carved.until(lambda: pass_ended(carved), "the first look")
        same(names_left(carved), [os.path.basename(os.fsdecode(untold))], "what is left")
        check("wait to be told" in status["trouble"], f"status says {status}")
        plain = command("status", "--history", carved.history).stdout
        check(b"history keep:\n  days: 90\n  forgotten since start: 1\n" in plain, f"plain status says {plain}")
        os.rmdir(events)
        carved.wait_until("SELECT count(*) FROM event", [(0,)])
        carved.stop()
        carved.start()
        carved.wait_until("SELECT count(*) FROM file", [(0,)])
        carved.stop()


def test_a_volume_that_is_not_mounted_keeps_its_versions():
    with Carved(KEEP) as carved:
        stick = os.path.join(carved.root, "stick")
        if subprocess.run(["stat", "-f", "-c", "%T", carved.root], check=True, capture_output=True).stdout == b"tmpfs\n":
            raise Skip("the root is on a tmpfs: what was seen on another file system there is gone, see core/app/standing.c")
        os.mkdir(stick)
        image = mounting.ext4_image(carved, 16)
        with mounting.mounted(stick, "-o", "loop", image):
            carved.start()
            path = carved.put("stick/" + broapt_name())
            carved.wait_settled(1)
            carved.stop()
        make_old(carved)
        carved.start()
        carved.until(lambda: pass_ended(carved), "the first look")
        same(carved.status()["history_keep"]["kept_not_mounted"], 1, "kept")
        check(stick.encode() in carved.stderr(), "the log does not name the place")
        same(names_left(carved), [os.path.basename(os.fsdecode(path))], "what is left")
        with mounting.mounted(stick, "-o", "loop", image):
            carved.wait_until("SELECT count(*) FROM gap WHERE cause = 'mount' AND closed_ns IS NOT NULL", [(1,)])
            carved.check_once()
            carved.stop()


def test_a_root_that_is_missing_keeps_its_versions():
    with Carved(KEEP) as carved:
        carved.start()
        carved.put()
        carved.wait_settled(1)
        rows = carved.sql("SELECT id, path FROM file")
        carved.stop()
        make_old(carved)
        os.rename(carved.root, carved.root + ".away")
        carved.start()
        carved.until(lambda: pass_ended(carved), "the first look")
        same(carved.sql("SELECT id, path FROM file"), rows, "while it is missing")
        os.rename(carved.root + ".away", carved.root)
        carved.wait_until("SELECT count(*) FROM gap WHERE cause = 'root' AND closed_ns IS NOT NULL", [(1,)])
        carved.stop()
        carved.start()
        same(carved.sql("SELECT id, path FROM file"), rows, "what is left")
        carved.check_once()


if __name__ == "__main__":
    mounting.enter()
    scenario.main()
