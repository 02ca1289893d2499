"""kill -9 again and again, at random moments, while files come, are renamed, rewritten and removed: in the
end the history accounts for every file on disk as one does that was never killed, and has nothing twice.

$CARVED_SEED repeats a run (its choices, not its timing); $CARVED_KILLS: how often it is killed (10, in full
200 times).
"""
import collections
import hashlib
import os
import random
import threading
import time

import scenario
from scenario import Carved, broapt_name, check, same, scaled

KILLS = int(os.environ.get("CARVED_KILLS", scaled(10, 200)))
FILES = scaled(2000, 20000)   # that are there at the beginning
CONFIG = ("workers: 2\ndetectors:\n  - { type: noop }\n"
          "  - { type: command, name: slow, mime: [text/plain], run: [/bin/true, '{path}'] }\n")
MIMES = (("application/pdf", "pdf"), ("text/plain", "txt"))


class Producer(threading.Thread):
    """Changes the root until told to stop; files is what is there: path -> content."""

    def __init__(self, carved, seed):
        super().__init__()
        self.random = random.Random(seed)
        self.carved = carved
        self.files = {}
        self.written = set()   # every (path, content) that was there, whether it was seen or not
        self.ending = threading.Event()
        self.steps = 0
        self.failure = None

    def run(self):
        try:
            while not self.ending.wait(self.random.random() * 0.01):
                self.step()
        except OSError as failure:
            self.failure = failure

    def note(self, path, content):
        self.files[path] = content
        self.written.add((path, hashlib.sha256(content).hexdigest().encode()))

    def new_path(self):
        place = f"d{self.random.randrange(4)}"
        return self.carved.path_of(f"{place}/{broapt_name(*self.random.choice(MIMES))}")

    def begin(self):
        """The files that are there before anything is killed; some contents repeat."""
        for number in range(FILES):
            content = b"file %d" % (number * 19 // 20)
            path = self.carved.put(f"old{number % 10}/{broapt_name()}", content)
            self.note(path, content)

    def create(self):
        path = self.new_path()
        # some contents repeat
        content = b"common" if self.random.random() < 0.2 else self.random.randbytes(50)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        self.note(path, content)

    def rename(self):
        path, target = self.random.choice(list(self.files)), self.new_path()
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.rename(path, target)
        self.note(target, self.files.pop(path))

    def rewrite(self):
        path = self.random.choice(list(self.files))
        content = self.random.randbytes(self.random.randrange(51, 90))
        with open(path, "wb") as file:
            file.write(content)
        self.note(path, content)

    def remove(self):
        path = self.random.choice(list(self.files))
        os.unlink(path)
        del self.files[path]

    def rename_directory(self):
        one, two = (self.carved.path_of(f"d{number}") for number in self.random.sample(range(8), 2))
        if not os.path.isdir(one) or os.path.exists(two):
            return
        os.rename(one, two)
        for path in [path for path in self.files if path.startswith(one + b"/")]:
            self.note(two + path[len(one):], self.files.pop(path))

    def step(self):
        self.steps += 1
        if len(self.files) < 10 or self.random.random() < 0.5:
            self.create()
            return
        self.random.choice([self.rename, self.rewrite, self.rewrite, self.remove,
                            self.rename_directory])()


def on_disk(producer):
    return {(path, hashlib.sha256(content).hexdigest().encode())
            for path, content in producer.files.items()}


def check_account(carved, producer):
    rows = carved.sql("SELECT id, path, sha256, state, reason, verdict FROM file")
    pairs = collections.Counter((path, sha256) for _, path, sha256, _, _, _ in rows if sha256)
    same(sorted(pair for pair, count in pairs.items() if count > 1), [],
         "the same content at the same path twice")
    same([pair for pair in pairs if pair not in producer.written], [], "what never was there")
    done = {(path, sha256) for _, path, sha256, state, _, _ in rows if state == b"done"}
    same(sorted(on_disk(producer) - done), [], "files on disk that are not done")
    same({(state, reason, verdict) for _, _, _, state, reason, verdict in rows}
         - {(b"done", None, b"clean"), (b"unscanned", b"vanished", None)}, set(), "other states")
    twice = carved.sql("SELECT file_id, detector, attempt, count(*) FROM scan GROUP BY 1, 2, 3 "
                       "HAVING count(*) > 1")
    same(twice, [], "outcomes that are recorded twice")
    missing = carved.sql("SELECT id FROM file WHERE state = 'done' AND (SELECT count(*) FROM scan s "
                         "WHERE s.file_id = file.id AND s.attempt = (SELECT max(attempt) FROM scan l "
                         "WHERE l.file_id = file.id)) <> iif(path GLOB '*.text.plain.txt', 2, 1)")
    same(missing, [], "versions that are done without the outcomes of their last attempt")


def account(carved, paths):
    """What the history has of these files: a row for each content, with the answers of its last attempt."""
    answers = {}
    for file, *answer in carved.sql("SELECT file_id, attempt, detector, outcome FROM scan ORDER BY 1, 2, 3"):
        answers.setdefault(file, []).append(tuple(answer))
    rows = carved.sql("SELECT id, path, sha256, verdict, mime, size, incomplete FROM file "
                      "WHERE state = 'done'")
    return sorted((*row[1:], *(answer[1:] for answer in answers[row[0]]
                               if answer[0] == answers[row[0]][-1][0]))
                  for row in rows if (row[1], row[2]) in paths)


def check_undisturbed(carved, there):
    """A history that was never killed says the same of what is on disk."""
    killed = account(carved, there)
    with Carved(CONFIG) as other:
        other.start(roots=[carved.root])
        other.wait_settled(len(there))
        other.stop()
        undisturbed = account(other, there)
    same(len(killed), len(there), "rows of the files on disk")
    same(sorted(set(killed) - set(undisturbed))[:3], [], "rows that differ")
    same(len(undisturbed), len(there), "rows of the run that nobody disturbed")


def test_killed_at_random_moments():
    seed = int(os.environ.get("CARVED_SEED", random.randrange(10**6)))
    moments = random.Random(seed + 1)
    with Carved(CONFIG) as carved:
        producer = Producer(carved, seed)
        producer.begin()
        carved.start()   # a history that is killed while it is made cannot be read without writing
        carved.kill()
        producer.start()
        kept = set()
        try:
            for _ in range(KILLS):
                carved.start(ready=False)
                time.sleep(moments.random() * 0.5)   # not waited for: the moment is what is tried
                carved.kill()
                scans = set(carved.sql("SELECT file_id, detector, outcome, started_ns FROM scan"))
                check(kept <= scans, f"seed {seed}: outcomes were lost")
                kept = scans
            carved.start()
        finally:
            producer.ending.set()
            producer.join()
        check(producer.failure is None, f"the producer failed: {producer.failure}")
        last = carved.put("last/" + broapt_name(), b"the last one")
        producer.note(last, b"the last one")
        # a file that is dealt with in memory, say behind a twin, is not pending in SQL
        there = on_disk(producer)
        carved.wait_until("SELECT path, sha256 FROM file WHERE state = 'done'",
                          lambda rows: there <= set(rows))
        carved.wait_until("SELECT count(*) FROM pending", [(0,)])
        print(f"        seed {seed}: {KILLS} kills, {producer.steps} steps, {len(producer.files)} files "
              f"on disk, {carved.sql('SELECT count(*) FROM file')[0][0]} versions", flush=True)
        check_account(carved, producer)
        before = carved.sql("SELECT id, path, state FROM file"), carved.sql("SELECT * FROM scan")
        carved.stop()
        carved.start()
        carved.stop()
        same((carved.sql("SELECT id, path, state FROM file"), carved.sql("SELECT * FROM scan")), before,
             "the tables after one more start")
        check_undisturbed(carved, on_disk(producer))


if __name__ == "__main__":
    scenario.main()
