"""The file of events: a line for each file that has its end, in the order of their numbers, through rotation,
kill -9, a file that cannot be written and a full disk. At least once each, and told again under the same number
only behind a crash.
"""
import contextlib
import json
import os
import random
import threading
import time

import mounting
import scenario
from lines import numbers, path_of
from mounting import mounted, run
from scenario import Carved, broapt_name, check, same, scaled

NOOP = "detectors:\n  - { type: noop }\n"


def config(path, more=""):
    return f"events: {path}\n{more}{NOOP}"


class Events(Carved):
    """A daemon that writes events beside its history."""

    def __init__(self, more=""):
        super().__init__(config=NOOP)
        self.events = os.path.join(self.home, "log", "events.json")
        os.mkdir(os.path.dirname(self.events))
        self.write_config(config(self.events, more))

    def lines(self, path=None):
        """What the file holds now, whole lines alone; each is a JSON object of ASCII."""
        try:
            with open(path or self.events, "rb") as file:
                text = file.read()
        except FileNotFoundError:
            return []
        check(text.isascii(), "the file is not ASCII")
        return [json.loads(line) for line in text.split(b"\n")[:-1]]

    def wait_lines(self, count):
        self.until(lambda: len(self.lines()) >= count, f"{count} lines")
        return self.lines()


def test_each_end_is_one_line_in_the_order_of_the_numbers():
    with Events() as carved:
        carved.start()
        paths = [carved.put(content=b"%d" % number) for number in range(20)]
        paths.append(carved.put(b"HTTP-F\xff\n'\"; .x.text.plain.txt"))
        paths.append(carved.put("no scheme"))
        lines = carved.wait_lines(22)
        same(numbers(lines), list(range(1, 23)), "numbers")
        same(sorted(path_of(line) for line in lines), sorted(paths), "paths")
        by_state = sorted((line["state"], line["reason"], line["verdict"]) for line in lines)[-1]
        same(by_state, ("unscanned", "unmatched", None), "the one that was not scanned")
        for line in lines:
            row = carved.row(path_of(line), "id, state, sha256, finished_ns")
            sha256 = line["sha256"] and line["sha256"].encode()
            same((line["id"], line["state"].encode(), sha256, line["finished_ns"]), row, "the row")
        carved.stop()
        same(carved.sql("SELECT name, seq FROM sink"), [(b"events", 22)], "what was told")
        same(carved.sql("SELECT count(*) FROM event"), [(0,)], "what waits")
        carved.start()
        carved.put(content=b"after a restart")
        same(numbers(carved.wait_lines(23)), list(range(1, 24)), "numbers, nothing told twice")


def test_once_tells_before_it_ends():
    with Events() as carved:
        for number in range(50):
            carved.put(content=b"%d" % number)
        carved.start("--once", ready=False)
        same(carved.wait(), 0, "exit status")
        same(numbers(carved.lines()), list(range(1, 51)), "numbers")


def rotating(carved, ending, rotated):
    """Renames the file, again and again."""
    while not ending.wait(random.random() * 0.05):
        to = f"{carved.events}.{len(rotated)}"
        with contextlib.suppress(FileNotFoundError):
            os.rename(carved.events, to)
            rotated.append(to)


def test_a_scan_leaves_the_telling_to_the_daemon():
    """Two do not write one file; what a scan adds to the daemon's history is told by the next start."""
    with Events() as carved:
        carved.start()
        carved.put()
        carved.wait_lines(1)
        carved.stop()
        carved.put()
        done = scenario.command("scan", "-c", carved.config_path, "--history", carved.history, carved.root)
        same(done.returncode, 0, "exit status of the scan")
        same(numbers(carved.lines()), [1], "numbers behind the scan")
        carved.start()
        same(numbers(carved.wait_lines(2)), [1, 2], "numbers behind the next start")
        carved.stop()


def test_rotation_loses_no_line():
    with Events() as carved:
        carved.start()
        ending, rotated = threading.Event(), []
        thread = threading.Thread(target=rotating, args=(carved, ending, rotated))
        thread.start()
        count = scaled(2000, 50000)
        for number in range(count):
            carved.put(f"d{number % 8}/{broapt_name()}", b"%d" % number)
        carved.wait_settled(count)
        carved.wait_until("SELECT seq FROM sink", [(count,)])
        ending.set()
        thread.join()
        lines = [line for path in rotated + [carved.events] for line in carved.lines(path)]
        print(f"        {len(rotated)} rotations, {len(lines)} lines")
        check(len(rotated) > 1, "the file was not made anew")
        same(numbers(lines), list(range(1, count + 1)), "numbers over all files")
        carved.stop()


def test_kill_at_any_moment_tells_everything():
    with Events() as carved:
        made = []
        for _ in range(scaled(6, 60)):
            carved.start(ready=False)
            for _ in range(200):
                made.append(carved.put(f"d{random.randrange(4)}/{broapt_name()}"))
            time.sleep(random.random() * 0.1)   # any moment will do
            carved.kill()
        carved.start()
        carved.wait_settled(len(made))
        carved.until(lambda: carved.sql("SELECT count(*) FROM event") == [(0,)], "all is told")
        lines = carved.lines()
        same({path_of(line) for line in lines}, set(made), "paths")
        same({line["id"] for line in lines}, {row[0] for row in carved.sql("SELECT id FROM file")}, "rows")
        again = len(lines) - len(set(numbers(lines)))
        print(f"        {len(lines)} lines, {again} told again")
        for seq in set(numbers(lines)):
            same(len({line["id"] for line in lines if line["seq"] == seq}), 1, f"files of number {seq}")
        carved.stop()


def test_a_line_that_a_crash_cut_is_ended():
    with Events() as carved:
        with open(carved.events, "wb") as file:
            file.write(b'{"event":"file","id":1,"pa')
        carved.start()
        carved.put()
        carved.until(lambda: os.path.getsize(carved.events) > 100, "a line")
        with open(carved.events, "rb") as file:
            first, second, rest = file.read().split(b"\n")
        same((first, rest), (b'{"event":"file","id":1,"pa', b""), "around the line")
        same(json.loads(second)["seq"], 1, "the line's number")
        carved.stop()


def test_what_cannot_be_written_waits():
    """The file's place is taken by a directory, then its disk is full: files are scanned, the log says what to mend."""
    with Events() as carved:
        os.mkdir(carved.events)
        carved.start()
        carved.put()
        carved.wait_settled(1)
        carved.until(lambda: b"events are not told, and wait in the history: " + os.fsencode(carved.events)
                     in carved.stderr(), "words in the log")
        told = carved.status()["events"]
        check(carved.events in told["trouble"], f"status says {told}")
        carved.kill()
        carved.start()
        carved.until(lambda: b"events: 1 of the last run are yet to be told" in carved.stderr(), "words at the start")
        os.rmdir(carved.events)
        same(numbers(carved.wait_lines(1)), [1], "numbers")
        carved.until(lambda: b"events are told again" in carved.stderr(), "words of its end")
        same(carved.status()["events"], {"file": carved.events, "trouble": None}, "what status says then")
        carved.stop()


def test_a_full_disk():
    with Events() as carved, mounted(os.path.dirname(carved.events), "-t", "tmpfs", "-o", "size=64k", "none"):
        carved.start()
        count = 400
        for number in range(count):
            carved.put(content=b"%d" % number)
        carved.wait_settled(count)
        carved.until(lambda: b"No space left" in carved.stderr(), "words in the log")
        written = numbers(carved.lines())
        check(len(written) < count, "the disk is not full")
        same(run("mount", "-o", "remount,size=4m", os.path.dirname(carved.events)).returncode, 0, "remount")
        same(numbers(carved.wait_lines(count)), list(range(1, count + 1)), "numbers")
        carved.stop()


def test_elastic_common_schema():
    with Events("events_format: ecs\n") as carved:
        carved.start()
        path = carved.put("HTTP-FAbcd1.b8cd.application.pdf.pdf", b"%PDF-1.4")
        line = carved.wait_lines(1)[0]
        same(os.fsencode(line["file"]["path"]), path, "path")
        same((line["event"]["kind"], line["event"]["outcome"], line["event"]["sequence"]), ("event", "success", 1),
             "event")
        same(line["file"]["hash"]["sha256"].encode(), carved.row(path, "sha256")[0], "hash")
        same(line["@timestamp"], line["event"]["end"], "time")
        check(line["@timestamp"].startswith(time.strftime("%Y-", time.gmtime())), line["@timestamp"])
        carved.stop()


def checked(carved):
    done = scenario.command("check", "-c", carved.config_path)
    return next(line for line in done.stdout.split(b"\n") if b" events " in line)


def test_check_says_what_stands_in_its_way():
    with Events() as carved:
        check(b"ok" in checked(carved) and b"will be made" in checked(carved), checked(carved))
        os.mkdir(carved.events)
        check(b"warn" in checked(carved) and b"no regular file" in checked(carved), checked(carved))
        os.rmdir(carved.events)
        with open(carved.events, "wb"):
            pass
        check(b"ok" in checked(carved) and b"can be written" in checked(carved), checked(carved))
        carved.write_config(config(os.path.join(carved.home, "nowhere", "e")))
        check(b"warn" in checked(carved) and b"make the directory" in checked(carved), checked(carved))


def test_a_place_below_a_root_is_refused():
    with Carved(NOOP) as carved:
        carved.write_config(config(os.path.join(carved.root, "log", "events.json")))
        carved.start(ready=False)
        same(carved.wait(), 2, "exit status")
        check(b"lies below the root" in carved.stderr(), carved.stderr())


if __name__ == "__main__":
    mounting.enter()
    scenario.main()
