"""Several processes move, exchange, make and remove directories at the same places at once, at random: in
the end each file that is still there has its answer where it is, was shown to the detector once, and the
watches are the directories.

$CARVED_SEED repeats a run (its choices, not its timing); $CARVED_CHURNS: how many runs (2).
"""
import os
import random
import signal

import scenario
import trees
from scenario import check, same, scaled

CHURNS = int(os.environ.get("CARVED_CHURNS", scaled(2, 40)))
STEPS = scaled(2500, 10000)
NAMES = [b"d%d" % number for number in range(6)]


class Churn:
    """What one process does. Where several are at work most things fail; that is as it may be."""

    def __init__(self, tops, outside, seed, number):
        self.random = random.Random(seed * 100 + number)
        self.tops, self.outside = tops, outside
        self.number, self.step, self.content = number, 0, (seed, number)

    def somewhere(self, deepest=4):
        names = [self.random.choice(NAMES) for _ in range(self.random.randint(1, deepest))]
        return os.path.join(self.random.choice(self.tops), *names)

    def away(self):
        return os.path.join(self.outside, self.random.choice(NAMES))

    def fresh(self):
        return b"f-%d-%d" % (self.number, self.step)

    def file_in(self, path):
        return os.path.join(path, self.random.choice([name for name in os.listdir(path) if name[:1] == b"f"]))

    def create(self):
        with open(os.path.join(self.somewhere(), self.fresh()), "xb") as file:
            file.write(b"%d %d %d" % (*self.content, self.step))

    def rename_file(self):
        os.rename(self.file_in(self.somewhere()), os.path.join(self.somewhere(), self.fresh()))

    def deeds(self):
        """What may be done, and how often of a hundred times."""
        return {
            lambda: os.mkdir(self.somewhere()): 22,
            lambda: os.makedirs(self.somewhere(), exist_ok=True): 10,
            self.create: 20,
            lambda: os.rename(self.somewhere(), self.somewhere()): 22,
            lambda: trees.exchange(self.somewhere(), self.somewhere()): 8,
            lambda: os.rename(self.somewhere(), self.away()): 4,
            lambda: os.rename(self.away(), self.somewhere()): 4,
            lambda: trees.exchange(self.away(), self.somewhere()): 2,
            lambda: os.rmdir(self.somewhere()): 4,
            self.rename_file: 3,
            lambda: trees.exchange(self.file_in(self.somewhere()), self.somewhere()): 1,
        }

    def run(self):
        deeds = self.deeds()
        for self.step, deed in enumerate(self.random.choices(list(deeds), list(deeds.values()), k=STEPS)):
            try:
                deed()
            except (OSError, IndexError):
                pass


def start(churn):
    """A process that does it."""
    pid = os.fork()
    if pid == 0:
        try:
            churn.run()
        finally:
            os._exit(0)
    return pid


def churn_once(seed, meanwhile):
    with scenario.in_memory(trees.CONFIG) as carved:
        tops = [os.fsencode(os.path.join(carved.home, name)) for name in ("in", "in2")]
        outside = os.fsencode(os.path.join(carved.home, "out"))
        os.mkdir(tops[1])
        os.mkdir(outside)
        carved.start(roots=[os.fsdecode(top) for top in tops])
        pids = [start(Churn(tops, outside, seed, number)) for number in range(3)]
        meanwhile(carved)
        same([os.waitpid(pid, 0)[1] for pid in pids], [0, 0, 0], "what the processes say")
        try:
            files = trees.check(carved, *tops)
        except scenario.Failed as failure:
            raise scenario.Failed(f"seed {seed}: {failure}") from None
        carved.wait_gaps_closed()
        carved.made += files
        overflows = carved.sql("SELECT count(*) FROM gap WHERE cause = 'overflow'")[0][0]
        states = dict(carved.sql("SELECT coalesce(reason, state), count(*) FROM file GROUP BY 1"))
        check(set(states) <= {b"done", b"vanished"}, f"seed {seed}: {states}")
        print(f"        seed {seed}: {files} files in {carved.counted[1]} directories, {states.get(b'done')} answers, "
              f"{states.get(b'vanished', 0)} vanished, overflows: "
              f"{overflows}", flush=True)
        return overflows


def seeds():
    first = int(os.environ.get("CARVED_SEED", random.randrange(10**6)))
    return range(first, first + CHURNS)


def test_while_it_looks_on():
    for seed in seeds():
        churn_once(seed, lambda carved: None)


def storm(carved, count):
    """Renames back and forth, two records each."""
    one, two = carved.path_of("storm"), carved.path_of("storm2")
    os.makedirs(one)
    for _ in range(count):
        os.rename(one, two)
        os.rename(two, one)
    os.rename(one, two)


def queue_holds():
    with open("/proc/sys/fs/inotify/max_queued_events", encoding="ascii") as file:
        return int(file.read())


def test_while_the_kernels_queue_runs_over():
    """It is stopped, as if it were too slow, and goes on while the storm does."""
    count = queue_holds() // 4 + 1000
    if count > 100000:
        raise scenario.Skip(f"the kernel's queue is too long for this: {queue_holds()}")

    def meanwhile(carved):
        carved.send(signal.SIGSTOP)
        storm(carved, count)
        carved.send(signal.SIGCONT)
    for seed in seeds():
        check(churn_once(seed, meanwhile) > 0, f"seed {seed}: the queue did not run over")


if __name__ == "__main__":
    scenario.main()
