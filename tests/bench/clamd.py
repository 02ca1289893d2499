#!/usr/bin/env python3
"""Do workers ask clamd at the same time? The time that files take with ten workers and with one.

clamd.py --carved BINARY [FILES] [KIB]: FILES files (40) of KIB each (1024), each of its own content,
which a real clamd searches for wildcard signatures, so that a scan takes long. Prints both times and
their ratio, which can be no larger than the number of processors, and how many scans clamd had under
way at once with ten.
"""
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))

import scenario  # pylint: disable=wrong-import-position
from clamd import Clamd, slow  # pylint: disable=wrong-import-position

def run(clamd, workers, contents):
    """Seconds until all are done, from the start of a daemon that finds them there."""
    config = f"detectors:\n  - {{ type: clamd, socket: \"{clamd.socket}\" }}\n"
    with scenario.Carved(config) as carved:
        for content in contents:
            carved.put(content=content)
        began = time.monotonic()
        carved.start("--once", "--workers", str(workers), ready=False)
        scenario.same(carved.wait(), 0, "exit status")
        took = time.monotonic() - began
        scenario.same(carved.sql("SELECT state, verdict, count(*) FROM file GROUP BY 1, 2"),
                      [(b"done", b"clean", len(contents))], "files")
    return took


class Watch:
    """The largest number of threads that clamd had at work, while it is entered."""

    def __init__(self, clamd):
        self.clamd = clamd
        self.most = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._look)

    def _look(self):
        while not self.over.wait(0.02):
            self.most = max(self.most, self.clamd.busy())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, value, trace):
        self.over.set()
        self.thread.join()


def main():
    given = [int(word) for word in sys.argv[1:] if word.isdigit()]
    files, kib = (given + [40, 1024][len(given):])[:2]
    contents = [os.urandom(kib << 10) for _ in range(files)]
    with Clamd("DisableCache yes\n") as clamd:  # it would know the contents again
        clamd.write_signatures(1, slow(2000))
        clamd.start()
        run(clamd, 1, contents[:2])  # warm
        one = run(clamd, 1, contents)
        with Watch(clamd) as watch:
            ten = run(clamd, 10, contents)
    print(f"files={files} kib={kib} processors={len(os.sched_getaffinity(0))} "
          f"one_worker={one:.2f}s ten_workers={ten:.2f}s ratio={one / ten:.2f} "
          f"at_once={watch.most}")


if __name__ == "__main__":
    main()
