"""Reloads that change roots, modes, producers and the number of workers, while files come: nothing lost, nothing twice."""
import contextlib
import os
import signal
import subprocess
import sys

import held
import proc
import scenario
from scenario import NOOP, Carved, check, command, same, scaled

PRODUCER = os.environ.get("CARVED_PRODUCER")


def config(*roots, more="", detectors=NOOP):
    """roots: paths, or words of YAML for one."""
    lines = "".join(f"  - {root if root.startswith('{') else '{ path: ' + root + ' }'}\n" for root in roots)
    return f"rescan_interval: 1h\n{more}roots:\n{lines or '  []'}{detectors}"


def reload(carved, *roots, code=0, **options):
    carved.write_config(config(*roots, **options))
    done = command("reload", "--history", carved.history)
    same(done.returncode, code, f"exit status of the reload ({done.stderr!r})")
    return done.stdout + done.stderr


def roots_of(carved):
    return {root["path"]: root for root in carved.status()["roots"]}


def await_roots(carved, *paths):
    """Until these are the roots, and are walked."""
    carved.until(lambda: set(roots_of(carved)) == set(paths) and
                 all(root["present"] for root in roots_of(carved).values()), f"the roots are {paths}")
    carved.wait_gaps_closed()


def put(carved, root):
    return carved.put(os.path.join(root, scenario.broapt_name()))


def is_command(pid, home):
    try:
        return os.readlink(f"/proc/{pid}/cwd") == home and proc.read(pid, "cmdline") == "cat\0go-on\0"
    except OSError:
        return False


def workers_of(carved):
    """How many threads they have."""
    return sum(name.startswith("worker-") for _, name in proc.thread_names(carved.process.pid))


def directories(carved, *names):
    made = [os.path.join(carved.home, name) for name in names]
    for path in made:
        os.makedirs(path)
    return made


def test_a_root_that_comes_and_one_that_goes():
    with Carved() as carved:
        one, two = directories(carved, "one", "two/deep")
        two = os.path.dirname(two)
        carved.write_config(config(one))
        before = [put(carved, two), put(carved, os.path.join(two, "deep"))]
        carved.start(roots=[])
        said = reload(carved, one, two)
        check(b"another root, it is watched and walked root=" + two.encode() in said, f"its words: {said!r}")
        await_roots(carved, one, two)
        after = [put(carved, os.path.join(two, "deep")), put(carved, one)]
        carved.wait_settled(4)
        same(carved.sql("SELECT cause, root, found FROM gap WHERE cause = 'root'"), [(b"root", two.encode(), 2)], "its gap")
        carved.check_watches()
        said = reload(carved, one)
        check(b"no root any more" in said and two.encode() in said, f"its words: {said!r}")
        await_roots(carved, one)
        carved.check_watches()
        put(carved, two)  # nobody's
        last = put(carved, one)
        carved.wait_settled(5)
        for path in (*before, *after, last):
            same(carved.row(path), (b"done", None, b"clean"), path)
        reload(carved, two)
        await_roots(carved, two)
        carved.wait_settled(6)
        carved.check_watches()


def test_what_a_root_told_before_it_goes_is_taken_in():
    with Carved() as carved:
        one, two = directories(carved, "one", "two")
        carved.write_config(config(one, two))
        carved.start(roots=[])
        carved.send(signal.SIGSTOP)
        count = scaled(3000, 12000)
        for _ in range(count):
            put(carved, two)
        carved.write_config(config(one))
        carved.process.send_signal(signal.SIGHUP)
        carved.process.send_signal(signal.SIGCONT)
        await_roots(carved, one)
        carved.wait_settled(count)
        same(carved.sql("SELECT count(*), count(DISTINCT path) FROM file WHERE verdict = 'clean'"), [(count, count)], "files")


def test_rows_that_wait_are_looked_at_when_their_root_is_gone():
    with Carved() as carved:
        one, two = directories(carved, "one", "two")
        carved.write_config(config(one, two))
        carved.start(roots=[])
        same(command("pause", "--history", carved.history).returncode, 0, "the pause")
        paths = [put(carved, two) for _ in range(50)]
        carved.wait_until("SELECT count(*) FROM file WHERE state = 'queued'", [(50,)])
        reload(carved, one)
        await_roots(carved, one)
        command("resume", "--history", carved.history)
        carved.wait_settled(50)
        for path in paths:
            same(carved.row(path), (b"done", None, b"clean"), path)


def test_a_root_within_or_around_the_one_before():
    with Carved() as carved:
        (deep,) = directories(carved, "top/deep")
        top = os.path.dirname(deep)
        carved.write_config(config(top))
        carved.start(roots=[])
        count = 0
        for turn in range(6):
            roots = [deep] if turn % 2 == 0 else [top]
            put(carved, deep)
            put(carved, top)  # while only deep is a root it waits for the walk of the next one
            reload(carved, *roots)
            await_roots(carved, *roots)
            count += 2
        carved.wait_settled(count)
        check(b"watched once: remove one" not in carved.stderr(), f"they clash: {carved.stderr()!r}")
        carved.check_watches()


def test_what_is_refused_leaves_all_as_it_is():
    with Carved() as carved:
        one, two = directories(carved, "one", "two")
        carved.write_config(config(one))
        carved.start(roots=[])
        for roots, words in (([two, os.path.join(two, "x")], b"lies below the root"),
                             (["{ path: " + two + ", producer: '(' }"], b"producer")):
            said = reload(carved, *roots, code=2)
            check(words in said, f"its words: {said!r}")
            same(list(roots_of(carved)), [one], "the roots")
        put(carved, one)
        carved.wait_settled(1)
        check(b"another root" not in carved.stderr(), "a root began")


def test_another_mode_and_another_producer():
    with Carved() as carved:
        (one,) = directories(carved, "one/deep")
        one = os.path.dirname(one)
        carved.write_config(config(one))
        carved.start(roots=[])
        for count, (mode, wanted, watches) in enumerate((("poll", "polled", 0), ("inotify", "events", 2), ("poll", "polled", 0),
                                                          ("auto", "events", 2)), 1):
            put(carved, os.path.join(one, "deep"))
            reload(carved, "{ path: " + one + ", mode: " + mode + " }")
            await_roots(carved, one)
            carved.until(lambda want=(wanted, watches): (roots_of(carved)[one]["mode"], roots_of(carved)[one]["watches"]) == want,
                         f"it is {wanted}")
            carved.wait_settled(count)
        carved.check_watches()
        name = "/sample-7-of-mine"
        said = reload(carved, "{ path: " + one + ", producer: '(?<fuid>[a-z0-9-]+)-of-mine' }")
        check(b"names below it are read for another producer" in said, f"its words: {said!r}")
        path = carved.put(one + name)
        carved.wait_settled(5)
        same(carved.sql("SELECT fuid FROM file WHERE path = CAST(? AS TEXT)", path), [(b"sample-7",)], "what the name says")


def test_more_and_fewer_workers():
    with Carved() as carved:
        (one,) = directories(carved, "one")
        held.configure(carved, config(one, more="workers: 1\n", detectors=NOOP + held.DETECTOR))
        detectors = NOOP + held.DETECTOR.replace("HOME", carved.home)

        def commands():
            """Those that read the FIFO, or are about to."""
            return [pid for pid in filter(str.isdigit, os.listdir("/proc")) if is_command(pid, carved.home)]

        def running(count):
            carved.until(lambda: len(commands()) == count, f"{count} commands run")
        carved.start(roots=[])
        for _ in range(6):
            put(carved, one)
        running(1)
        reload(carved, one, more="workers: 3\n", detectors=detectors)
        running(3)
        same(carved.status()["workers"], 3, "what the status says")
        reload(carved, one, more="workers: 1\n", detectors=detectors)
        running(3)  # they finish what they are at
        held.let_through(carved, held.wait(carved))
        carved.wait_settled(6)
        carved.until(lambda: workers_of(carved) == 1, "one thread of the workers is left")
        same(carved.sql("SELECT count(*), count(DISTINCT file_id) FROM scan WHERE detector = 'held'"), [(6, 6)], "answers")


@contextlib.contextmanager
def producers(count, *roots):
    """One a root, which makes so many files while the rest is done, and is through at the end."""
    makers = [subprocess.Popen([PRODUCER, "-r", str(count // 8), root, str(count), "20", "50", str(seed)],
                               stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
              for seed, root in enumerate(roots, 1)]
    try:
        yield
        same([maker.wait(scenario.PATIENCE) for maker in makers], [0] * len(makers), "producers")
    finally:
        for maker in makers:
            maker.kill()
            maker.wait()


def test_a_hundred_reloads_under_load():
    with Carved() as carved:
        one, two, three = directories(carved, "one", "two", "three")
        carved.write_config(config(one, two))
        carved.start(roots=[])
        count = scaled(20000, 60000)
        with producers(count, one, two, three):
            modes = ("auto", "inotify", "poll")
            for turn in range(100):
                roots = [one, "{ path: " + two + ", mode: " + modes[turn // 7 % 3] + " }", three][:2 + turn % 2]
                reload(carved, *roots, more=f"workers: {turn % 5 + 1}\n")
        reload(carved, one, two, three)
        await_roots(carved, one, two, three)
        carved.wait_settled(3 * count)
        same(carved.sql("SELECT state, verdict, count(*), count(DISTINCT path) FROM file GROUP BY 1, 2"),
             [(b"done", b"clean", 3 * count, 3 * count)], "the states")
        same(carved.sql("SELECT count(*), count(DISTINCT file_id) FROM scan"), [(3 * count, 3 * count)], "outcomes")
        carved.check_watches()
        carved.made += 3 * count


if __name__ == "__main__":
    if not PRODUCER:
        print("skipped: $CARVED_PRODUCER names no producer")
        sys.exit(77)
    scenario.main()
