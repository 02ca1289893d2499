"""kill -9 in the middle and a new start: nothing lost, nothing twice."""
import scenario
from scenario import NOOP, Carved, check, same

FILES = 150
SLOW = ("workers: 2\ndetectors:\n"
        "  - { type: command, name: slow, run: [/bin/sh, -c, 'exec sleep 0.02', sh, '{path}'] }\n  - { type: noop }\n")
TABLES = {
    "file": "SELECT id, path, inode, size, mtime_ns, sha256, state, reason, verdict FROM file "
            "ORDER BY id",
    "scan": "SELECT id, file_id, detector, outcome, attempt, cached FROM scan ORDER BY id",
}


def tables(carved):
    return {name: carved.sql(query) for name, query in TABLES.items()}


def check_whole(carved, paths):
    """Each path has one row, done, with one outcome of each detector."""
    same(sorted(row[0] for row in carved.sql("SELECT path FROM file")), sorted(paths), "the paths")
    same(carved.sql("SELECT state, verdict, count(*) FROM file GROUP BY 1, 2"),
         [(b"done", b"clean", len(paths))], "the states")
    same(carved.sql("SELECT detector, count(*), count(DISTINCT file_id) FROM scan GROUP BY 1"),
         [(b"noop", len(paths), len(paths)), (b"slow", len(paths), len(paths))], "the outcomes")


def test_killed_half_way_and_started_again():
    with Carved(SLOW) as carved:
        carved.start()
        paths = [carved.put() for _ in range(FILES)]
        carved.wait_until("SELECT count(*) FROM file WHERE state = 'done'",
                          lambda rows: rows and rows[0][0] >= FILES // 5)
        carved.kill()
        first = tables(carved)
        check(len(first["scan"]) < 2 * FILES, "it was through before it was killed")
        carved.start()
        carved.wait_settled(FILES)
        check_whole(carved, paths)
        second = tables(carved)
        check(set(first["scan"]) <= set(second["scan"]), "an outcome from before the kill is gone")
        carved.stop()
        carved.start()
        same(tables(carved), second, "the tables after a third start")
        carved.stop()
        same(tables(carved), second, "the tables after its end")


def test_killed_again_and_again():
    with Carved(SLOW) as carved:
        paths = []
        for _ in range(6):
            carved.start(ready=False)
            paths += [carved.put() for _ in range(20)]
            done = len(carved.sql("SELECT 1 FROM file WHERE state = 'done'"))
            carved.wait_until("SELECT count(*) FROM file WHERE state = 'done'",
                              lambda rows, done=done: rows and rows[0][0] > done)
            carved.kill()
        carved.start()
        carved.wait_settled(len(paths))
        check_whole(carved, paths)


def test_what_happened_while_it_was_down_is_found():
    with Carved(NOOP) as carved:
        carved.start()
        old = carved.put(content=b"old")
        carved.wait_settled(1)
        carved.stop()
        carved.put()
        with open(old, "ab") as file:
            file.write(b" and new")
        carved.start()
        carved.wait_settled(3)
        same(carved.sql("SELECT size FROM file WHERE path = CAST(? AS TEXT) ORDER BY id", old),
             [(3,), (11,)], "versions of the rewritten file")
        check(carved.sql("SELECT 1 FROM gap WHERE cause = 'down' AND closed_ns IS NOT NULL"),
              "the time that it was down is a closed gap")


if __name__ == "__main__":
    scenario.main()
