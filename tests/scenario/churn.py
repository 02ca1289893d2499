#!/usr/bin/env python3
"""Everything that can be done to a tree, by several processes at random, and then the account: what is
on disk against what the history holds.

    tests/scenario/churn.py --carved BINARY [--churn PROGRAM] [--minutes N] [--seed N] [--processes N]
        [--operations N] [--rounds N] [--kill] [--stop] [--limit WATCHES]

--operations: of each process in a round (3000); a round ends when nothing is under way any more, and is
accounted for. --rounds: with one daemon and history (4), then the next seed begins on an empty tree.
--minutes: how long it goes on; without it one seed is tried. --kill: SIGKILL at random moments, and a
start. --stop: SIGSTOP for a while again and again, so that the kernel's queue runs over. --limit: in a
user namespace with so few watches. A failure names the seed and what was done around the path.

The operations are tests/stress/churn.c, which keeps a record of every content that was complete.
"""
import argparse
import collections
import hashlib
import importlib
import os
import random
import signal
import stat
import subprocess
import sys
import time

import scenario
from scenario import Carved, Failed, Skip, check, same

limits = importlib.import_module("35_limits")

RULE = 'rule churn_evil { strings: $a = "CHURN-EVIL" condition: $a }\n'
CONFIG = """workers: 2
rescan_interval: 1s
unmatched: scan
detectors:
  - {{ type: yara, rules: [{rules}] }}
"""
PATIENCE = 120.0
STOP_MOST = 60.0  # seconds that the daemon is stopped
SHOWN = 6         # faults of one kind
AROUND = 24       # lines of the record about a path

Options = collections.namedtuple("Options", "seed processes operations rounds kill stop limit",
                                 defaults=(1, 3, 3000, 4, False, False, 0))
Row = collections.namedtuple("Row", "id path inode size sha256 state reason verdict")


class Record:
    """What the processes wrote down: complete contents, and inodes of which events do not tell all."""

    def __init__(self, prefix):
        self.prefix = prefix
        self.read_to = collections.Counter()
        self.evil = {}         # sha256 -> does it hold the word
        self.untold = set()    # inodes: truncated without a close, or linked

    def paths(self):
        directory, name = os.path.split(self.prefix)
        return [os.path.join(directory, entry) for entry in sorted(os.listdir(directory))
                if entry.startswith(name + ".")]

    def read(self):
        for path in self.paths():
            with open(path, "rb") as file:
                file.seek(self.read_to[path])
                for line in file:
                    words = line.split()
                    if words[0] == b"C":
                        self.evil[words[1]] = words[3] == b"1"
                    elif words[0] in b"QL":
                        self.untold.add(int(words[1]))
                self.read_to[path] = file.tell()

    def around(self, path):
        """The last operations on anything of that name."""
        wanted = os.path.basename(path).hex().encode()
        lines = []
        for name in self.paths():
            with open(name, "rb") as file:
                lines += [os.path.basename(name).encode() + b": " + line for line in file
                          if wanted in line]
        shown = []
        for line in lines[-AROUND:]:
            words = line.split()
            names = b" ".join(bytes.fromhex(word.decode())[-60:] for word in words[4].split(b","))
            shown.append(f"{words[0].decode()} {words[2].decode()} {words[3].decode()} {names!r} "
                         f"errno {words[5].decode()}")
        return "\n".join(shown)


class Churn:
    """One daemon, one tree, one seed."""

    def __init__(self, options, program):
        self.options = options
        self.program = program
        self.random = random.Random(options.seed)
        self.carved = Carved()
        self.outside = os.path.join(self.carved.home, "out")
        os.mkdir(self.outside)
        rules = os.path.join(self.carved.home, "churn.yar")
        with open(rules, "w", encoding="ascii") as file:
            file.write(RULE)
        self.carved.write_config(CONFIG.format(rules=rules))
        os.mkdir(os.path.join(self.carved.home, "record"))
        self.record = Record(os.path.join(self.carved.home, "record", "churn"))
        self.kills = 0
        self.stops = 0
        if options.limit:
            limits.needs_namespace()
            limits.limited(self.carved, watches=options.limit)

    # one round

    def disturb(self, process):
        """Kills and stops the daemon until the processes are through."""
        options = self.options
        while process.poll() is None:
            moment = 0.05 + self.random.random() * 0.5
            try:
                process.wait(moment if options.kill or options.stop else None)
                break
            except subprocess.TimeoutExpired:
                pass
            if options.stop and (not options.kill or self.random.random() < 0.5):
                self.stop_for_a_while(process)
            elif options.kill:
                self.carved.kill()
                self.kills += 1
                self.carved.start(ready=False)

    def stop_for_a_while(self, process):
        """One in four until the processes are through, which is how the kernel's queue runs over."""
        long = self.random.random() < 0.25
        self.carved.send(signal.SIGSTOP)
        self.stops += 1
        try:
            process.wait(STOP_MOST if long else self.random.random())
        except subprocess.TimeoutExpired:
            pass
        self.carved.send(signal.SIGCONT)

    def run_round(self, number):
        seed = self.options.seed * 1000 + number
        with subprocess.Popen([self.program, self.carved.root, self.outside, self.record.prefix,
                               str(seed), str(self.options.processes),
                               str(self.options.operations)]) as process:
            self.disturb(process)
        same(process.returncode, 0, "exit status of the churn")
        self.record.read()
        self.account_for(lambda inode: inode not in self.record.untold, "by events")
        self.carved.send(signal.SIGUSR2)
        self.account_for(lambda inode: True, "after a walk")
        self.check_rows()

    # the account

    def on_disk(self):
        """Path -> (inode, size, sha256), sha256 None for what is no regular file."""
        found = {}
        for top, _, names in os.walk(os.fsencode(self.carved.root)):
            for name in names:
                path = os.path.join(top, name)
                status = os.lstat(path)
                sha256 = None
                if stat.S_ISREG(status.st_mode):
                    with open(path, "rb") as file:
                        sha256 = hashlib.sha256(file.read()).hexdigest().encode()
                found[path] = status.st_ino, status.st_size, sha256
        # links to directories are told as directories
        for top, names, _ in os.walk(os.fsencode(self.carved.root)):
            for name in names:
                path = os.path.join(top, name)
                if os.path.islink(path):
                    found[path] = os.lstat(path).st_ino, os.lstat(path).st_size, None
        return {path: what for path, what in found.items() if not path.endswith(b".meta")}

    def rows(self):
        return [Row(*row) for row in self.carved.sql(
            "SELECT id, path, inode, size, sha256, state, reason, verdict FROM file ORDER BY id")]

    def account_for(self, concerns, words):
        """Waits until everything on disk that concerns has its row, and nothing is queued."""
        disk = {path: what for path, what in self.on_disk().items() if concerns(what[0])}
        faults = []
        fewest = sys.maxsize

        def holds():
            queued = self.carved.sql("SELECT path FROM file WHERE state = 'queued'")
            faults[:] = [("still queued", path) for path, in queued]
            if not queued:
                faults.extend(self.missing(disk, self.rows()))
            return len(faults) < fewest
        while fewest:   # as long as there are fewer and fewer
            try:
                self.carved.until(holds, f"all of {len(disk)} files have their row {words}", PATIENCE)
                fewest = len(faults)
            except Failed as failure:
                self.fail(faults, failure)

    def missing(self, disk, rows):
        have = {(row.path, row.inode, row.size, row.sha256): row for row in rows}
        faults = []
        for path, (inode, size, sha256) in disk.items():
            row = have.get((path, inode, size, sha256))
            if row is None and sha256 is None:
                there = any(row.path == path and row.inode == inode and row.reason == b"not-regular"
                            for row in rows)
                if not there:
                    faults.append(("a special file without a row", path))
            elif row is None:
                mine = [(row.id, row.size, row.state, row.reason, (row.sha256 or b"")[:8])
                        for row in rows if row.path == path and row.inode == inode]
                faults.append((f"no row for inode {inode} of {size} bytes, {sha256[:8]!r}; of path and "
                               f"inode there are {mine}", path))
            elif sha256 is not None and row.state != b"done":
                faults.append((f"{row.state!r} {row.reason!r}", path))
        return faults

    def check_rows(self):
        """What must hold for each row, whether its file is still there or not."""
        faults = []
        for row in self.rows():
            if row.sha256 is not None and row.sha256 not in self.record.evil:
                faults.append((f"row {row.id} is of a content that never was complete", row.path))
            elif row.state == b"done":
                expected = b"malicious" if self.record.evil[row.sha256] else b"clean"
                if row.verdict != expected:
                    faults.append((f"row {row.id}: {row.verdict!r}, not {expected!r}", row.path))
            elif row.reason not in (b"vanished", b"not-regular"):
                faults.append((f"row {row.id}: {row.state!r} {row.reason!r}", row.path))
        if faults:
            self.fail(faults, "rows that cannot be")
        self.carved.check_once()

    def fail(self, faults, words):
        shown = []
        kinds = collections.Counter()
        for what, path in faults:
            kinds[what.split(" ")[0]] += 1
            if kinds[what.split(" ")[0]] <= SHOWN:
                shown.append(f"{what}: {path!r}\n{self.record.around(path)}")
        raise Failed(f"seed {self.options.seed}: {words}; {len(faults)} faults:\n" + "\n".join(shown))

    def check_end(self):
        if self.options.limit:
            limits.set_limit(self.carved, "watches", 100000)
        self.carved.wait_gaps_closed(PATIENCE)
        self.carved.check_watches()

    def run(self):
        with self.carved:
            self.carved.start()
            for number in range(self.options.rounds):
                self.run_round(number)
            self.check_end()
            self.carved.made = len(self.rows())
            return self.told()

    def told(self):
        gaps = dict(self.carved.sql("SELECT cause, count(*) FROM gap GROUP BY 1"))
        states = self.carved.sql("SELECT state, reason, count(*) FROM file GROUP BY 1, 2")
        return (f"seed {self.options.seed}: {self.kills} kills, {self.stops} stops, "
                f"{len(self.record.evil)} contents, {len(self.on_disk())} files on disk, rows "
                + ", ".join(f"{count} {(reason or state).decode()}" for state, reason, count in states)
                + ", gaps " + (", ".join(f"{count} {cause.decode()}" for cause, count in gaps.items())
                               or "none"))


def churn_program():
    path = os.environ.get("CARVED_CHURN")
    if not path or not os.access(path, os.X_OK):
        raise Skip("no churn program: $CARVED_CHURN names it (build/PRESET/tests/churn)")
    return path


def tell(options):
    """Runs one seed and prints what it came to."""
    check(options.processes >= 1, "no processes")
    print(f"        {Churn(options, churn_program()).run()}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, usage="see the head of tests/scenario/churn.py")
    parser.add_argument("--carved", required=True)
    parser.add_argument("--churn")
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--operations", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--stop", action="store_true")
    parser.add_argument("--limit", type=int, default=0)
    words = parser.parse_args()
    os.environ["CARVED"] = words.carved
    if words.churn:
        os.environ["CARVED_CHURN"] = words.churn
    until = time.monotonic() + words.minutes * 60
    seed = words.seed
    while True:
        try:
            tell(Options(seed, words.processes, words.operations, words.rounds, words.kill, words.stop,
                         words.limit))
        except Failed as failure:
            print(f"FAILED {failure}", flush=True)
            sys.exit(1)
        seed += 1
        if time.monotonic() >= until:
            return


if __name__ == "__main__":
    main()
