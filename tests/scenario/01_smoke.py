"""The main job: a file is dropped, looked at, and its answer is in the history."""
import hashlib
import signal

import scenario
from scenario import EICAR, NOOP, Carved, broapt_name, check, command, names, same


def test_a_dropped_file_is_done_and_clean():
    with Carved(NOOP) as carved:
        carved.start()
        name = broapt_name("application/vnd.ms-excel", "xls")
        path = carved.put(name, b"content")
        carved.wait_settled(1)
        row = carved.row(path, "name, protocol, media_type, subtype, extension, mime, size, sha256, "
                               "state, reason, verdict")
        same(row, (name.encode(), b"HTTP", b"application", b"vnd.ms-excel", b"xls",
                   b"application/vnd.ms-excel", 7, hashlib.sha256(b"content").hexdigest().encode(),
                   b"done", None, b"clean"), "the row")
        same(carved.sql("SELECT detector, outcome, attempt, cached FROM scan"),
             [(b"noop", b"clean", 1, 0)], "its scan")
        carved.stop()


def test_files_that_were_there_before_are_found():
    with Carved(NOOP) as carved:
        for _ in range(20):
            carved.put()
        carved.start()
        carved.wait_settled(20)


def test_every_scheme_is_known():
    with Carved(NOOP) as carved:
        carved.start()
        paths = {scheme: carved.put(name) for scheme, name in names().items()}
        carved.wait_settled(len(paths))
        for scheme, path in paths.items():
            told, state = carved.row(path, "scheme, state")
            check(told.startswith(scheme.encode()), f"{path!r} is told as {told!r}")
            same(state, b"done", f"state of {path!r}")


def test_a_listed_hash_is_malicious():
    with Carved() as carved:
        bad = carved.write_hashlist(EICAR)
        carved.write_config(f"detectors:\n  - {{ type: hashlist, file: {bad} }}\n")
        carved.start()
        found = carved.put(content=EICAR)
        clean = carved.put(content=EICAR + b"\n")
        carved.wait_settled(2)
        same(carved.row(found), (b"done", None, b"malicious"), "EICAR")
        same(carved.row(clean), (b"done", None, b"clean"), "another content")
        same(carved.sql("SELECT count(*) FROM detections"), [(1,)], "detections")


def test_the_shipped_list_knows_eicar():
    with Carved() as carved:
        carved.start()
        path = carved.put(content=EICAR)
        carved.wait_settled(1)
        same(carved.row(path), (b"done", None, b"malicious"), "EICAR by the built-in defaults")


def test_once_finishes_what_is_there_and_ends():
    with Carved(NOOP) as carved:
        for _ in range(5):
            carved.put()
        carved.start("--once", ready=False)
        same(carved.wait(), 0, "exit status")
        same(carved.sql("SELECT state, verdict, count(*) FROM file GROUP BY 1, 2"),
             [(b"done", b"clean", 5)], "the history")


def test_it_ends_on_term_and_int():
    for number in (signal.SIGTERM, signal.SIGINT):
        with Carved(NOOP) as carved:
            carved.start()
            carved.stop(number)


def test_history_is_read_while_it_runs_and_after():
    with Carved(NOOP) as carved:
        carved.start()
        path = carved.put()
        carved.wait_settled(1)
        for _ in range(2):
            done = command("history", "--history", carved.history, "--format", "paths")
            same((done.returncode, done.stdout), (0, path + b"\n"), "carved history")
            if carved.process:
                carved.stop()


if __name__ == "__main__":
    scenario.main()
