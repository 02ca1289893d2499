"""History and roots on one disk, which a sensor fills to the last byte while no detector answers, and goes on trying to
fill: as soon as they answer again, or where files may be given up, removals find room to be recorded in, and the disk
is emptied to its mark without anybody's help. Nothing goes that was not recorded, and nothing is twice.
"""
import contextlib
import json
import os
import subprocess
import sys
import threading
import time

import mounting
import scenario
from mounting import ext4_image, mounted
from scenario import Carved, broapt_name, check, command, files_below, same, scaled

SIZE = 20000
# The detector answers once there is a file of that name beside the disk.
CONFIG = ("workers: 2\nrescan_interval: 1s\nretention: { disk_high: 90%, disk_low: 80% }\ndetectors:\n"
          "  - { type: command, name: held, timeout: 600s, "
          "run: [/bin/sh, -c, 'until test -e GATE; do sleep 0.05; done', x, '{path}'] }\n")


class Sensor(threading.Thread):
    """Writes files as fast as the disk lets it, and tries on when that is full: what it fails with stays, cut short."""

    def __init__(self, root):
        super().__init__(daemon=True)
        self.root, self.made, self.failed, self.going = root, [], 0, True

    def write(self, path, content):
        try:
            file = open(path, "xb", buffering=0)
        except OSError:
            return False
        with file:
            self.made.append(os.fsencode(path))
            with contextlib.suppress(OSError):
                while content:
                    content = content[file.write(content):]
            return not content

    def run(self):
        blob = os.urandom(SIZE)
        while self.going:
            if self.write(os.path.join(self.root, broapt_name()), b"%d" % len(self.made) + blob):
                time.sleep(0.0005)
            else:
                self.failed += 1
                time.sleep(0.01)

    def end(self):
        self.going = False
        self.join()


def mount_words(carved, kind, mib):
    if kind == "tmpfs":
        return ["-t", "tmpfs", "-o", f"size={mib}m", "none"]
    return ["-o", "loop", ext4_image(carved, mib)]


@contextlib.contextmanager
def on_one_disk(kind="tmpfs", mib=16, more=""):
    """A daemon whose root and history lie on one disk, and the sensor that fills it."""
    with Carved() as carved:
        disk = os.path.join(carved.home, "disk")
        os.mkdir(disk)
        carved.write_config(more + CONFIG.replace("GATE", gate(carved)))
        with mounted(disk, *mount_words(carved, kind, mib)):
            carved.root, carved.state = os.path.join(disk, "in"), os.path.join(disk, "state")
            carved.history = os.path.join(carved.state, "history.db")
            for path in carved.root, carved.state:
                os.mkdir(path)
            sensor = Sensor(carved.root)
            try:
                yield carved, sensor
            finally:
                sensor.going = False
                if sensor.ident:
                    sensor.join()
                carved.kill()


def gate(carved):
    return os.path.join(carved.home, "answers")


def let_answer(carved):
    with open(gate(carved), "wb"):
        pass


def free(carved):
    there = os.statvfs(carved.root)
    return there.f_bavail * there.f_frsize


def percent(carved):
    there = os.statvfs(carved.root)
    used = there.f_blocks - there.f_bfree
    return 100 * used / (used + there.f_bavail)


def fill(carved, sensor, tries=200):
    """To the last byte, and then some."""
    sensor.start()
    carved.until(lambda: sensor.failed >= tries, "the disk is full")


def count(carved, what):
    return carved.sql(f"SELECT count(*) FROM {what}")[0][0]


def finish(carved, sensor, given_up=False):
    """All have their end, and the disk is at its mark; the ledger adds up."""
    sensor.end()
    carved.until(lambda: percent(carved) < 90 and count(carved, "file WHERE state = 'queued'") == 0
                 and count(carved, "file") == len(sensor.made)
                 and count(carved, "removal WHERE state = 'intended'") == 0, "all have their end, and there is room")
    rows = [path for path, in carved.sql("SELECT CAST(path AS BLOB) FROM file")]
    same(sorted(rows), sorted(sensor.made), "a row for each file that was made")
    gone = [path for path, in carved.sql("SELECT CAST(path AS BLOB) FROM disposal WHERE state IN ('removed', 'gone')")]
    same(len(gone), len(set(gone)), "removed once each")
    there = files_below(carved.root)
    same(sorted(there | set(gone)), sorted(sensor.made), "what is there and what was removed")
    check(not there & set(gone), f"removed, and there: {there & set(gone)}")
    same(carved.sql("SELECT count(*) FROM disposal WHERE cause <> 'shed' AND (verdict IS NULL OR finished_ns > intended_ns)"),
         [(0,)], "removed without an answer")
    same(count(carved, "(SELECT file_id FROM scan GROUP BY file_id HAVING count(*) > 1)"), 0, "answers that are twice")
    same(carved.sql("SELECT DISTINCT cause FROM disposal WHERE size = 0"), [], "removed, and no room made")
    if not given_up:
        same(count(carved, "file WHERE state <> 'done'"), 0, "not scanned")
    same(carved.sql("PRAGMA integrity_check"), [(b"ok",)], "integrity_check")
    print(f"        {len(sensor.made)} files, {sensor.failed} of them cut short, {len(gone)} removed, "
          f"{count(carved, 'disposal WHERE cause = ' + repr('shed'))} given up", flush=True)


def trouble(carved):
    return json.loads(command("status", "--json", "--history", carved.history).stdout)["trouble"]


def goes_on(kind):
    with on_one_disk(kind) as (carved, sensor):
        carved.start()
        fill(carved, sensor)
        carved.until(lambda: b"nothing on it may be deleted" in carved.stderr(), "it is told")
        same((free(carved), count(carved, "removal")), (0, 0), "bytes that are free, and removals")
        let_answer(carved)
        carved.until(lambda: count(carved, "removal") > 200, "removals go on while the sensor takes what they give")
        finish(carved, sensor)
        carved.until(lambda: trouble(carved) is None, "no trouble is left")


def test_it_goes_on_when_the_detectors_are_back():
    goes_on("tmpfs")


def test_it_goes_on_when_the_detectors_are_back_ext4():
    goes_on("ext4")


def test_empty_files_keep_nobody_from_making_room():
    """More of them wait before all others than the daemon has in hand (in the full run)."""
    with on_one_disk(mib=24) as (carved, sensor):
        carved.start()
        for _ in range(scaled(300, 9000)):
            sensor.write(os.path.join(carved.root, broapt_name()), b"")
        carved.wait_until("SELECT count(*) FROM file", lambda rows: rows and rows[0][0] >= len(sensor.made))
        fill(carved, sensor, scaled(200, 1000))
        let_answer(carved)
        carved.until(lambda: count(carved, "removal") > 200, "removals go on")
        finish(carved, sensor)


def test_what_waits_is_given_up_on_a_disk_without_a_byte():
    """No detector answers at all."""
    with on_one_disk(more='shed: ["*"]\n') as (carved, sensor):
        carved.start()
        fill(carved, sensor)
        carved.until(lambda: count(carved, "disposal WHERE cause = 'shed'") > 200, "files are given up")
        let_answer(carved)
        finish(carved, sensor, given_up=True)
        same(count(carved, "file WHERE reason = 'shed'"), count(carved, "disposal WHERE cause = 'shed'"), "given up, and removed")


# Writes without pause, and takes back what it could not write whole.
IMPATIENT = ("import os, sys; sys.path.insert(0, sys.argv[2])\n"
             "from scenario import broapt_name\n"
             "content = os.urandom(20000)\n"
             "while True:\n"
             "    path = os.path.join(sys.argv[1], broapt_name())\n"
             "    try: fd = os.open(path, os.O_CREAT | os.O_WRONLY)\n"
             "    except OSError: continue\n"
             "    try: whole = os.write(fd, content) == len(content)\n"
             "    except OSError: whole = False\n"
             "    if not whole: os.unlink(path)\n"
             "    os.close(fd)\n")


def test_files_that_come_and_go_keep_nobody_from_making_room():
    with on_one_disk(mib=32) as (carved, sensor):
        carved.start()
        with subprocess.Popen([sys.executable, "-c", IMPATIENT, carved.root, os.path.dirname(os.path.abspath(__file__))]) as writer:
            try:
                carved.until(lambda: b"nothing on it may be deleted" in carved.stderr(), "the disk is full")
                let_answer(carved)
                carved.until(lambda: count(carved, "removal") > 600, "removals go on")
            finally:
                writer.kill()
        carved.until(lambda: percent(carved) < 90 and count(carved, "file WHERE state = 'queued'") == 0
                     and count(carved, "removal WHERE state = 'intended'") == 0, "there is room")

        def rows():
            return {path for path, in carved.sql("SELECT CAST(path AS BLOB) FROM file")}
        carved.until(lambda: not files_below(carved.root) - rows(), "each file has a row")
        carved.until(lambda: count(carved, "file WHERE state = 'queued'") == 0, "each has its end")
        same(count(carved, "file WHERE state = 'unscanned' AND reason <> 'vanished'"), 0, "not scanned")
        carved.wait_until("SELECT count(*) > 0, count(*) = count(closed_ns) FROM gap WHERE cause = 'limit'", [(1, 1)])
        print(f"        {len(rows())} rows, {count(carved, 'removal')} removed", flush=True)


HAMMER = ("import os, sys\n"
          "fd = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY | os.O_APPEND)\n"
          "while True:\n"
          "    try: os.write(fd, bytes(4096))\n"
          "    except OSError: pass\n")


@contextlib.contextmanager
def hammer(carved):
    """Somebody who has each block at once that is given back."""
    with subprocess.Popen([sys.executable, "-c", HAMMER, os.path.join(os.path.dirname(carved.root), "hammered")]) as taker:
        try:
            yield
        finally:
            taker.kill()


def start_at_once(carved):
    """What it needs for that it has still: nobody else may have taken it meanwhile."""
    carved.start(ready=False)
    check(not carved.ended(0.5), "it does not start")


def kill_it(kind):
    with on_one_disk(kind) as (carved, sensor):
        carved.start()
        fill(carved, sensor)
        with hammer(carved):
            for _ in range(6):
                carved.kill()
                start_at_once(carved)
        let_answer(carved)
        for removals in 20, 100, 200:
            carved.until(lambda wanted=removals: count(carved, "removal") > wanted, "removals go on")
            carved.kill()
            start_at_once(carved)
        os.unlink(os.path.join(os.path.dirname(carved.root), "hammered"))
        finish(carved, sensor)


def test_kill_on_a_disk_without_a_byte():
    kill_it("tmpfs")


def test_kill_on_a_disk_without_a_byte_ext4():
    """Of blocks of 1024 bytes, as it is made for small disks."""
    kill_it("ext4")


def test_a_stop_on_a_disk_without_a_byte():
    """What it holds of the disk stays with it."""
    with on_one_disk() as (carved, sensor):
        carved.start()
        fill(carved, sensor)
        carved.stop()
        start_at_once(carved)
        let_answer(carved)
        carved.until(lambda: count(carved, "removal") > 200, "removals go on")
        finish(carved, sensor)


if __name__ == "__main__":
    mounting.enter()
    scenario.main()
