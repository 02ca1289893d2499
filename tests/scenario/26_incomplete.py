"""What a sensor has shortened: clean is not shown without "incomplete".

Suricata's file-store says so in a sidecar, which may come before, with or after its file; a name may
claim another content.
"""
import hashlib
import json
import os
import random
import shutil

import scenario
from scenario import NOOP, Carved, check, same

INCOMPLETE = "incomplete, verdict, note"
SAYS = b"the sensor's sidecar says TRUNCATED"
SLOW = ("detectors:\n  - { type: command, name: slow, timeout: 10m,"
        " run: [/bin/sh, -c, 'until [ -e \"$1\" ]; do sleep 0.02; done', sh, FLAG, '{path}'] }\n")


def v2(content=None, state="TRUNCATED", **more):
    """(name, content, name of the sidecar, its text) as Suricata's file-store has them."""
    content = os.urandom(64) if content is None else content
    digest = hashlib.sha256(content).hexdigest()
    name = f"{digest[:2]}/{digest}"
    event = {"timestamp": "2026-11-26T10:00:00.000000+0000", "event_type": "fileinfo",
             "http": {"hostname": "\u2028\u0000'; --", "url": "/a"},
             "fileinfo": {"filename": "/a", "gaps": False, "state": state, "sha256": digest,
                          "stored": True, "file_id": 1, "size": len(content), **more}}
    return name, content, f"{name}.1764151200.{random.randrange(1, 9999)}.json", json.dumps(event)


def put_by_rename(carved, name, content):
    """As Suricata does: written in tmp/, then moved."""
    work = carved.put(f"tmp/file.{random.randrange(1, 10**9)}", content)
    os.makedirs(os.path.dirname(carved.path_of(name)), exist_ok=True)
    os.rename(work, carved.path_of(name))
    return carved.path_of(name)


def wait_marked(carved, path, expected=(1, b"clean", SAYS)):
    carved.until(lambda: carved.sql(f"SELECT {INCOMPLETE} FROM file WHERE path = CAST(? AS TEXT)",
                                    path) == [expected], f"{path!r} is {expected!r}")


def test_the_sidecar_comes_after_the_file_has_its_verdict():
    with Carved(NOOP) as carved:
        carved.start("--json", "-v")
        name, content, beside, text = v2()
        path = put_by_rename(carved, name, content)
        carved.wait_settled(1)
        same(carved.row(path, INCOMPLETE), (0, b"clean", None), "the row before")
        carved.put(beside, text.encode())
        wait_marked(carved, path)
        carved.until(lambda: b"incomplete path=" + path in carved.stderr(), "the log says so")
        carved.stop()
        with open(carved.stdout_path, "rb") as file:
            lines = [json.loads(line) for line in file]
        same([(line["event"], line.get("incomplete")) for line in lines],
             [("file", False), ("incomplete", None)], "the lines of --json")
        same(lines[1]["note"], SAYS.decode(), "why")


def test_the_sidecar_comes_before_the_file():
    with Carved(NOOP) as carved:
        carved.start("--json", "-v")
        name, content, beside, text = v2()
        carved.put(beside, text.encode())
        # one that is met after it, on the same way: the first has been read when this has its row
        carved.put("ready", b"x")
        carved.wait_settled(1)
        path = put_by_rename(carved, name, content)
        wait_marked(carved, path)
        carved.stop()


def test_the_sidecar_comes_while_the_file_is_scanned():
    with Carved() as carved:
        flag = os.path.join(carved.home, "go")
        carved.write_config(SLOW.replace("FLAG", flag))
        carved.start("--json", "-v", "--workers", "2")
        name, content, beside, text = v2()
        path = put_by_rename(carved, name, content)
        carved.wait_until("SELECT state FROM file", [(b"queued",)])
        carved.put(beside, text.encode())
        carved.wait_until("SELECT state, incomplete FROM file", [(b"queued", 1)])
        with open(flag, "wb"):
            pass
        wait_marked(carved, path)
        carved.until(lambda: b"clean (incomplete) path=" + path in carved.stderr(), "the log")
        carved.stop()
        with open(carved.stdout_path, "rb") as file:
            lines = [json.loads(line) for line in file]
        same([line["incomplete"] for line in lines if line["event"] == "file"], [True], "--json")


def test_a_file_store_that_is_there_already():
    with Carved(NOOP) as carved:
        marked = set()
        for i in range(200):
            state = "TRUNCATED" if i % 4 == 0 else "CLOSED"
            name, content, beside, text = v2(state=state)
            carved.put(name, content)
            carved.put(beside, text.encode())
            if state == "TRUNCATED":
                marked.add(carved.path_of(name))
        carved.start()
        carved.wait_settled(200)
        query = "SELECT path FROM file WHERE incomplete"
        carved.wait_until(query, lambda rows: {row[0] for row in rows} == marked)
        carved.stop()
        carved.start()  # every sidecar is met again
        carved.stop()
        same({row[0] for row in carved.sql(query)}, marked, "incomplete after another start")


def test_what_a_killed_daemon_has_not_marked_is_marked_by_the_next():
    with Carved(NOOP) as carved:
        carved.start()
        name, content, beside, text = v2()
        path = put_by_rename(carved, name, content)
        carved.wait_settled(1)
        carved.kill()
        carved.put(beside, text.encode())
        carved.start()
        wait_marked(carved, path)
        carved.stop()


def test_gaps_and_version_1():
    with Carved(NOOP) as carved:
        carved.start()
        name, content, beside, text = v2(state="CLOSED", gaps=True)
        path = put_by_rename(carved, name, content)
        carved.put(beside, text.encode())
        wait_marked(carved, path, (1, b"clean", b"the sensor's sidecar says that it has gaps"))
        old = carved.put("file.7", b"old")
        carved.put("file.7.meta", b"TIME:              10/02/2018\nSTATE:             TRUNCATED\n"
                                  b"SIZE:              3\n")
        wait_marked(carved, old)
        carved.stop()


def test_a_large_sidecar_hides_nothing():
    with Carved(NOOP) as carved:
        carved.start()
        # one that is read whole, and one that is larger than anything that is read
        for size, says in ((70000, SAYS), (2 << 20, b"its sidecar is too large to be read")):
            name, content, beside, text = v2()
            put_by_rename(carved, name, content)
            carved.put(beside, (text[:-1] + ',"x":"' + "y" * size + '"}').encode())
            wait_marked(carved, carved.path_of(name), (1, b"clean", says))
        carved.stop()


def test_what_is_no_sidecar_marks_nothing():
    with Carved(NOOP) as carved:
        carved.start()
        paths = []
        for kind in ("link", "fifo", "broken", "other", "directory"):
            name, content, beside, text = v2()
            paths.append(put_by_rename(carved, name, content))
            there = os.fsdecode(carved.path_of(beside))
            if kind == "link":
                with open(os.path.join(carved.home, "outside"), "w", encoding="ascii") as file:
                    file.write(text)
                os.symlink(os.path.join(carved.home, "outside"), there)
            elif kind == "fifo":
                os.mkfifo(there)
            elif kind == "directory":
                os.mkdir(there)
            elif kind == "broken":
                carved.put(beside, text[:-5].encode())
            else:
                carved.put(beside, b'["fileinfo", {"state": "TRUNCATED"}]')
        last, content, beside, text = v2()
        put_by_rename(carved, last, content)
        carved.put(beside, text.encode())
        wait_marked(carved, carved.path_of(last))
        carved.send(10)  # SIGUSR1: all that was met is through when it ends
        same(carved.wait(), 0, "exit")
        for path in paths:
            same(carved.row(path, INCOMPLETE), (0, b"clean", None), f"the row of {path!r}")


def test_a_name_that_claims_another_content():
    with Carved(NOOP) as carved:
        carved.start()
        name, content, _, _ = v2()
        path = put_by_rename(carved, name, content[:-1])
        good, content, _, _ = v2()
        put_by_rename(carved, good, content)
        carved.wait_settled(2)
        claim = os.path.basename(name).encode()
        same(carved.row(path, INCOMPLETE), (1, b"clean", b"the name says SHA-256 " + claim),
             "the shortened file")
        same(carved.row(carved.path_of(good), INCOMPLETE), (0, b"clean", None), "the whole one")
        # the same content under another name is another sighting: nothing is said of that one
        with open(path, "rb") as file:
            other = carved.put(None, file.read())
        carved.wait_settled(3)
        same(carved.row(other, INCOMPLETE), (0, b"clean", None), "the same content elsewhere")
        carved.stop()


def test_a_file_keeps_its_mark_when_it_is_renamed():
    with Carved(NOOP) as carved:
        carved.start()
        name, content, _, _ = v2()
        path = put_by_rename(carved, name, content[:-1])
        carved.wait_settled(1)
        os.rename(path, carved.path_of(scenario.broapt_name()))
        carved.wait_settled(2)
        same(carved.sql("SELECT incomplete FROM file"), [(1,), (1,)], "both rows")
        carved.stop()


def test_commands_show_it():
    with Carved(NOOP) as carved:
        name, content, beside, text = v2()
        path = carved.put(name, content)
        carved.put(beside, text.encode())
        done = scenario.command("scan", "-c", carved.config_path, "--history", carved.history,
                                carved.root)
        same(done.returncode, 0, "scan's exit status")
        told = done.stdout.splitlines()
        check(any(line.startswith(b"clean      (incomplete) " + path) for line in told) or
              any(line.startswith(b"incomplete " + path) for line in told), f"scan says {told!r}")
        same(carved.row(path, INCOMPLETE), (1, b"clean", SAYS), "the row")
        again = scenario.command("scan", "-c", carved.config_path, "--history", carved.history,
                                 carved.root)
        check(b"clean      (incomplete) " + path in again.stdout, f"scan says {again.stdout!r}")
        table = scenario.command("history", "--history", carved.history).stdout
        check(b"clean (incomplete)" in table, f"history says {table!r}")
        rows = scenario.command("history", "--history", carved.history, "--format", "json").stdout
        same(json.loads(rows)["incomplete"], 1, "history --format json")


def test_no_file_for_the_sidecar():
    with Carved(NOOP) as carved:
        carved.start()
        name, content, beside, text = v2()
        path = put_by_rename(carved, name, content)
        carved.wait_settled(1)
        os.unlink(path)
        carved.put(beside, text.encode())
        wait_marked(carved, path)
        shutil.rmtree(os.path.dirname(path))
        carved.stop()


if __name__ == "__main__":
    scenario.main()
