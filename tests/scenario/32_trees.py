"""Directories come, go and change places: each file in them is answered at the place where it is, is shown to
the detector once however often it moves, and the watches are the directories, no more and no fewer.
"""
import os
import signal
import sqlite3
import shutil
import subprocess
import sys
import time

import oracle
import scenario
import trees
from scenario import Carved, check, in_memory, same, scaled

PATH_MAX = 4096


def put(carved, *parts):
    """A file in an existing directory; its path."""
    directory = carved.path_of(os.path.join(*parts)) if parts else os.fsencode(carved.root)
    path = os.path.join(directory, trees.name().encode())
    with open(path, "xb") as file:
        file.write(os.urandom(24))
    carved.made += 1
    return path


def make(carved, *names):
    for name in names:
        os.makedirs(carved.path_of(name), exist_ok=True)


def move(carved, one, two):
    os.rename(carved.path_of(one), carved.path_of(two))


def outside(carved):
    path = os.path.join(carved.home, "outside")
    os.makedirs(path, exist_ok=True)
    return path


def test_made_deep_at_once():
    with Carved(trees.CONFIG).start() as carved:
        for deep in (3, 12, 60):
            make(carved, "/".join(f"d{deep}-{level}" for level in range(deep)))
            put(carved, "/".join(f"d{deep}-{level}" for level in range(deep)))
        same(trees.check(carved), 3, "files")


def make_chain(top, names):
    """Directories one in the other, by descriptor; one of the last."""
    fd = os.open(top, os.O_PATH)
    for name in names:
        os.mkdir(name, dir_fd=fd)
        deeper = os.open(name, os.O_PATH | os.O_DIRECTORY, dir_fd=fd)
        os.close(fd)
        fd = deeper
    return fd


def put_at(carved, fd):
    file = os.open(trees.name(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=fd)
    os.write(file, os.urandom(24))
    os.close(file)
    os.close(fd)
    carved.made += 1


def test_deeper_than_any_path():
    with Carved(trees.CONFIG).start() as carved:
        names = [letter * 200 for letter in "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop"]
        put_at(carved, make_chain(carved.root, names))
        same(trees.check(carved), 1, "files")
        check(max(map(len, trees.files_on_disk(carved.root))) > 2 * PATH_MAX, "it is not that deep")
        move(carved, names[0], "moved")
        same(trees.check(carved), 1, "files after a rename at the top")


def test_chain_of_directories():
    deep = scaled(300, 2000)
    with Carved(trees.CONFIG).start() as carved:
        put_at(carved, make_chain(carved.root, ["d"] * deep))
        check(carved.status(), "it does not answer while it walks")
        same(trees.check(carved), 1, "files")
        same(carved.counted, [deep + 1, deep + 1], "watches and directories")
        subprocess.run(["rm", "-rf", carved.path_of("d")], check=True)  # Python's would recurse too deep


def test_too_deep_is_said():
    with Carved(trees.CONFIG).start() as carved:
        carved.watched = False
        put_at(carved, make_chain(carved.root, ["x" * 255] * 270))
        carved.wait_until("SELECT count(*) FROM gap WHERE cause = 'unreadable' AND closed_ns IS NULL", [(1,)])
        check(b"is not entered" in carved.stderr(), "it is not said")
        subprocess.run(["rm", "-rf", carved.path_of("x" * 255)], check=True)
        carved.wait_gaps_closed()
        carved.check_watches()


def test_ancestors_are_renamed():
    with Carved(trees.CONFIG).start() as carved:
        make(carved, "a/1/2/3/4/5/6/7/8", "ab/1", "a b/1")
        places = ["1", "1/2/3/4", "1/2/3/4/5/6/7/8"]
        for place in places:
            put(carved, "a", place)
        for other in ("ab/1", "a b/1"):
            put(carved, other)
        trees.check(carved)
        for one, two in (("a", "b"), ("b/1/2", "b/1/zwei"), ("b", "c"), ("c/1/zwei/3/4", "c/1/zwei/3/4a"),
                         ("ab", "a"), ("c", "ab")):
            move(carved, one, two)
            for path in oracle.directories(carved.root).values():
                put(carved, path)
        trees.check(carved)
        for path in oracle.directories(carved.root).values():
            put(carved, path)
        trees.check(carved)
        same(carved.sql("SELECT count(*) FROM file WHERE state <> 'done'"), [(0,)], "rows that are not done")


def test_ancestors_are_renamed_one_after_the_other():
    """A file is not gone because the directory that its own has gone to has just moved too."""
    with Carved(trees.CONFIG).start() as carved:
        make(carved, "a/x")
        top = "a"
        for turn in range(scaled(90, 400)):
            put(carved, top, "x")
            move(carved, f"{top}/x", f"{top}/y")
            time.sleep(turn % 30 / 1000)  # each part of the time in which it is looked for
            other = "b" if top == "a" else "a"
            move(carved, top, other)
            top = other
            move(carved, f"{top}/y", f"{top}/x")
        trees.check(carved)
        same(carved.sql("SELECT path FROM file WHERE state <> 'done'"), [], "rows that are not done")


def test_a_directory_is_renamed_again_and_again():
    """Its files are not gone while it is told where it was moved from, and not yet where to."""
    with in_memory(trees.CONFIG).start() as carved:
        make(carved, "a")
        top = "a"
        for turn in range(scaled(100, 400)):
            for _ in range(20):
                put(carved, top)
            for part in "bcd":
                move(carved, top, f"{part}{turn}")
                top = f"{part}{turn}"
        trees.check(carved)
        same(carved.sql("SELECT path FROM file WHERE state <> 'done'"), [], "rows that are not done")


def test_a_directory_is_renamed_while_its_file_is_recorded():
    """What was told of the old path meanwhile makes no row of a file that vanished: it has only moved."""
    with Carved(trees.CONFIG).start() as carved:
        make(carved, "a")
        put(carved, ".")
        trees.check(carved)
        lock = sqlite3.connect(carved.history, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        try:
            path = put(carved, "a")
            carved.until(lambda: b"cannot be written" in carved.stderr(), "its row is on the way")
            with open(path, "ab"):
                pass
            move(carved, "a", "b")
            put(carved, "b")  # when it is on the way too, all that came before was told
            carved.until(lambda: carved.status()["queue"]["saving"] == 2, "so is the next one's")
        finally:
            lock.execute("ROLLBACK")
            lock.close()
        trees.check(carved)
        same(carved.sql("SELECT path FROM file WHERE state <> 'done'"), [], "rows that are not done")


def test_names_change_hands_before_a_file_is_seen():
    """The renames become known in another order than they were made in; the file is found, and none that
    vanished made up."""
    with Carved(trees.CONFIG).start() as carved:
        make(carved, "b/1/2", "ab/1")
        for place in ("b/1/2", "ab/1"):
            put(carved, place)
        trees.check(carved)
        carved.send(signal.SIGSTOP)
        put(carved, "b/1/2")
        move(carved, "ab", "a")
        move(carved, "b", "ab")
        move(carved, "ab/1/2", "ab/1/zwei")
        carved.send(signal.SIGCONT)
        put(carved, "ab/1/zwei")
        trees.check(carved)
        same(carved.sql("SELECT path FROM file WHERE state <> 'done'"), [], "rows that are not done")


def test_places_are_swapped():
    with Carved(trees.CONFIG).start() as carved:
        make(carved, "a/x", "b/y/z", "p/q/r", "o")
        for place in ("a", "a/x", "b", "b/y/z", "p", "p/q", "p/q/r"):
            put(carved, place)
        file = os.path.basename(put(carved, "."))
        trees.check(carved)
        at = carved.path_of
        trees.exchange(at("a"), at("b"))
        trees.exchange(at("a"), at("p/q"))
        trees.exchange(at(file), at("b"))  # the file is called b now
        put(carved, "a")
        put(carved, "p/q")
        trees.check(carved)
        trees.exchange(at(file), at("b"))
        # parent and child change places: t/y holds what was above it
        os.rename(at("p/q"), at("t"))
        os.rename(at("p"), at("t/y/p"))
        trees.check(carved)
        for _ in range(50):
            trees.exchange(at("a"), at("t/y"))
        for path in oracle.directories(carved.root).values():
            put(carved, path)
        trees.check(carved)


def test_out_in_and_back():
    with Carved(trees.CONFIG).start() as carved:
        out = outside(carved)
        at = carved.path_of
        make(carved, "a/1/2", "keep")
        for place in ("a", "a/1", "a/1/2"):
            put(carved, place)
        trees.check(carved)
        os.rename(at("a"), os.path.join(out, "a"))
        carved.check_watches()  # the watches of what is away are gone
        rows = carved.sql("SELECT count(*) FROM file")
        for place in ("a", "a/1", "a/1/2"):
            with open(os.path.join(out, place, trees.name()), "wb") as file:
                file.write(os.urandom(24))
        put(carved, "keep")
        trees.check(carved)
        same(carved.sql("SELECT count(*) FROM file"), [(rows[0][0] + 1,)], "rows: only of what is below the root")
        os.rename(os.path.join(out, "a"), at("keep/a"))
        carved.made += 3
        same(trees.check(carved), 7, "files")
        for _ in range(20):
            os.rename(at("keep/a"), os.path.join(out, "a"))
            os.rename(os.path.join(out, "a"), at("keep/a"))
        os.rename(at("keep/a/1"), os.path.join(out, "b"))
        os.rename(at("keep/a"), os.path.join(out, "a"))
        os.rename(os.path.join(out, "b"), at("b"))
        put(carved, "b/2")
        trees.check(carved)
        # an exchange with something outside is one half only
        os.makedirs(os.path.join(out, "c/d"))
        trees.exchange(os.path.join(out, "c"), at("b"))
        put(carved, "b/d")
        trees.check(carved)


def test_between_two_roots():
    with Carved(trees.CONFIG) as carved:
        second = os.path.join(carved.home, "in2")
        os.mkdir(second)
        carved.start(roots=[carved.root, second])
        make(carved, "a/1/2", "ab")
        for place in ("a", "a/1", "a/1/2", "ab"):
            put(carved, place)
        trees.check(carved, carved.root, second)
        os.rename(carved.path_of("a"), os.path.join(second, "a"))
        put(carved, second.encode(), b"a/1/2")
        trees.check(carved, carved.root, second)
        trees.exchange(carved.path_of("ab"), os.path.join(second, "a"))
        put(carved, "ab/1/2")
        put(carved, second.encode(), b"a")
        same(trees.check(carved, carved.root, second), 7, "files")


HOLDER = "import os, sys; os.chdir(sys.argv[1]); print(flush=True); sys.stdin.read()"


def test_removed_and_made_again_while_somebody_is_inside():
    with Carved(trees.CONFIG).start() as carved:
        make(carved, "d")
        path = carved.path_of("d")
        for _ in range(5):
            with subprocess.Popen([sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE) as holder:
                holder.stdout.readline()
                os.rmdir(path)
                os.makedirs(path + b"/below")
                put(carved, "d")
                put(carved, "d/below")
                trees.until_accounted(carved)
                holder.stdin.close()
            put(carved, "d")
            trees.check(carved)
            shutil.rmtree(path)
            os.mkdir(path)
        trees.check(carved)


def test_links_lead_nowhere():
    with Carved(trees.CONFIG).start() as carved:
        out = outside(carved)
        with open(os.path.join(out, trees.name()), "wb") as file:
            file.write(b"not ours")
        make(carved, "a/b")
        for target, name in (("..", "a/b/loop"), (".", "a/self"), (out, "a/out"), ("/etc", "etc"),
                             ("nowhere", "dangling"), ("l2", "l1"), ("l1", "l2"), (carved.root, "a/b/root")):
            os.symlink(target, carved.path_of(name))
        put(carved, "a/b")
        carved.wait_until("SELECT state, reason, count(*) FROM file GROUP BY 1, 2 ORDER BY 1",
                          [(b"done", None, 1), (b"unscanned", b"not-regular", 8)])
        carved.check_watches()
        # a directory gives way to a link to one outside, and comes back
        for _ in range(20):
            os.rename(carved.path_of("a"), os.path.join(out, "a"))
            os.symlink(os.path.join(out, "a"), carved.path_of("a"))
            os.unlink(carved.path_of("a"))
            os.rename(os.path.join(out, "a"), carved.path_of("a"))
        put(carved, "a/b")
        carved.wait_until("SELECT count(*) FROM file WHERE state = 'done'", [(2,)])
        carved.check_watches()
        same(carved.sql("SELECT count(*) FROM file WHERE path LIKE '%/outside/%' OR path LIKE '%/out/%'"), [(0,)],
             "rows of what lies behind a link")


def test_names_are_bytes():
    names = [b"new\nline", b"\xff\xfe\x80", b"quo'te\"s", b"100%s%n", b"-rf", b"x" * 255, b"\x01\x1b[2J", b" ",
             b"a\\b", "ünïcödé".encode(), b"...", b"$(reboot)`", b"*?[", b"\r"]
    with Carved(trees.CONFIG).start() as carved:
        for name in names:
            make(carved, os.path.join(name, name))
            put(carved, name, name)
        trees.check(carved)
        for one, two in zip(names, names[1:]):
            trees.exchange(carved.path_of(one), carved.path_of(two))
        for name in names:
            put(carved, name, os.listdir(carved.path_of(name))[0])
        same(trees.check(carved), 2 * len(names), "files")


def test_populated_directory_comes_and_goes():
    files = scaled(500, 20000)
    with scenario.in_memory(trees.CONFIG).start() as carved:
        out = outside(carved)
        made = Carved.path_of
        os.makedirs(os.path.join(out, "d/e"))
        for number in range(files):
            place = os.path.join(out, "d/e" if number % 2 else "d", trees.name())
            with open(place, "wb") as file:
                file.write(b"%d" % number)
        carved.made += files
        os.rename(os.path.join(out, "d"), made(carved, "d"))
        same(trees.check(carved), files, "files")
        os.rename(made(carved, "d"), made(carved, "renamed"))
        same(trees.check(carved), files, "files at their new place")
        os.rename(made(carved, "renamed"), os.path.join(out, "d"))
        carved.check_watches()
        same(carved.counted, [1, 1], "watches and directories")


def test_many_directories_at_once():
    wide = scaled(1000, 10000)
    with scenario.in_memory(trees.CONFIG).start() as carved:
        for number in range(wide):
            os.mkdir(carved.path_of(f"w{number}"))
        for first in range(10):
            for second in range(10):
                make(carved, *(f"n{first}/{second}/{third}" for third in range(wide // 100)))
        for number in range(0, wide, 100):
            put(carved, f"w{number}")
            put(carved, f"n{number % 10}/3/{number // 100 % (wide // 100)}")
        trees.check(carved)
        for number in range(wide):
            move(carved, f"w{number}", f"v{number}")
        trees.exchange(carved.path_of("n0"), carved.path_of("n9"))
        move(carved, "n5", "n6/3/moved")
        for number in range(0, wide, 100):
            put(carved, f"v{number}")
        trees.check(carved)
        subprocess.run(["rm", "-rf", "--", *os.scandir(carved.root)], check=True)
        carved.check_watches()
        same(carved.counted, [1, 1], "watches and directories")


def test_files_in_directories_that_were_just_made():
    count = scaled(2000, 20000)
    with scenario.in_memory(trees.CONFIG).start() as carved:
        for number in range(count):
            top = carved.path_of(f"d{number}")
            os.mkdir(top)
            os.mkdir(top + b"/s")
            put(carved, f"d{number}/s")
        same(trees.check(carved), count, "files")


def test_removed_while_it_is_walked():
    wide = scaled(300, 3000)
    with scenario.in_memory(trees.CONFIG) as carved:
        def grow(top):
            for number in range(wide):
                os.makedirs(carved.path_of(f"{top}/{number % 17}/{number}"))
                put(carved, f"{top}/{number % 17}/{number}")
        grow("a")
        grow("b")
        carved.start(ready=False)
        shutil.rmtree(carved.path_of("a"))
        carved.wait_until("SELECT count(*) FROM file WHERE state = 'done'", lambda rows: rows and rows[0][0] >= wide)
        trees.check(carved)
        for _ in range(3):
            grow("c")
            shutil.rmtree(carved.path_of("c"))
        grow("c")
        shutil.rmtree(carved.path_of("b"))
        same(trees.check(carved), wide, "files")


def highest(carved):
    """The highest number among the watches."""
    found = 0
    for fd in os.listdir(f"/proc/{carved.process.pid}/fdinfo"):
        try:
            with open(f"/proc/{carved.process.pid}/fdinfo/{fd}", "rb") as file:
                numbers = [int(line.split()[1][3:], 16) for line in file if line.startswith(b"inotify")]
        except FileNotFoundError:  # closed meanwhile
            continue
        found = max([found, *numbers])
    return found


def test_numbers_of_watches_grow_and_memory_does_not():
    """The kernel never gives a number of a watch out again."""
    wanted, batch = scaled((3000, 500), ((1 << 20) + 1, 5000))
    with scenario.in_memory(trees.CONFIG).start() as carved:
        places = [carved.path_of(f"d{number}") for number in range(batch)]
        first = number = 0
        while number <= wanted:
            for path in places:
                os.mkdir(path)
            carved.check_watches()
            number = highest(carved)
            for path in places:
                os.rmdir(path)
            carved.check_watches()
            first = first or carved.memory()
        make(carved, "a/b")
        move(carved, "a", "c")
        put(carved, "c/b")
        trees.check(carved)
        last = carved.memory()
        print(f"        highest number {highest(carved)}, VmRSS {first} KiB, then {last} KiB", flush=True)
        check(scenario.sanitizer() or last < first + 8192, f"memory grew from {first} KiB to {last} KiB")


if __name__ == "__main__":
    scenario.main()
