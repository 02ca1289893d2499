"""Watches and inotify instances run out: what is short of them is walked every rescan, the log says which
sysctl to raise and to what, and events are back by themselves once there are enough.

The limits are those of a user namespace of the daemon's own, or errors put into its system calls by strace.
"""
import os
import re
import shutil
import subprocess
import sys

import scenario
import steps
from scenario import Carved, Skip, check, same

QUICK = "rescan_interval: 300ms\n" + scenario.NOOP
HOG = r"""
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.inotify_init1(os.O_CLOEXEC)
held = 0
for name in sorted(os.listdir(sys.argv[1])):
    if libc.inotify_add_watch(fd, os.fsencode(os.path.join(sys.argv[1], name)), 2) < 0:
        break
    held += 1
print(held, flush=True)
sys.stdin.read()
"""


def needs_namespace():
    if not shutil.which("nsenter"):
        raise Skip("no nsenter")
    tried = subprocess.run(["unshare", "-Ur", "sh", "-c", "echo 3 >/proc/sys/user/max_inotify_watches"],
                           check=False, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    if tried.returncode != 0:
        raise Skip(f"no user namespace with limits of its own: {tried.stderr.decode().strip()}")


def through(carved, words):
    """The daemon is started by way of these words of sh, which end in its own: "$@" (one process)."""
    path = os.path.join(carved.home, "start")
    with open(path, "w", encoding="ascii") as file:
        file.write(f"#!/bin/sh\n{words}\n")
    os.chmod(path, 0o755)
    carved.binary = path


def limited(carved, **limits):
    """In a user namespace of its own, with these limits: watches=, instances=."""
    sets = "; ".join(f"echo {value} >/proc/sys/user/max_inotify_{name}" for name, value in limits.items())
    through(carved, f"exec unshare -Ur sh -c '{sets}; exec \"$0\" \"$@\"' {carved.binary} \"$@\"")


def inside(carved, *words, **options):
    """A command in the daemon's namespace, as the same user."""
    return subprocess.Popen(["nsenter", "-t", str(carved.process.pid), "-U", "--preserve-credentials", *words],
                            **options)


def set_limit(carved, name, value):
    same(inside(carved, "sh", "-c", f"echo {value} >/proc/sys/user/max_inotify_{name}").wait(), 0, f"setting {name}")


def watching(carved):
    return carved.status()["watching"]


def directories(carved):
    """How many there are from the root down."""
    return sum(1 for _ in os.walk(carved.root))


def lookouts(carved):
    """Directories above the root; each has a watch."""
    return len(os.path.realpath(carved.root).strip("/").split("/"))


def gaps(carved, cause="limit"):
    """(opened, of these closed)"""
    return (carved.sql("SELECT count(*), count(closed_ns) FROM gap WHERE cause = ?", cause) or [(0, 0)])[0]


def all_closed(carved, cause="limit"):
    opened, closed = gaps(carved, cause)
    return opened > 0 and opened == closed


def make_tree(carved, count, prefix="d"):
    for i in range(count):
        os.makedirs(os.path.join(carved.root, f"{prefix}{i % 10}", f"s{i // 10}"), exist_ok=True)


def put_everywhere(carved):
    """A file in every directory; how many."""
    count = 0
    for path, _, _ in os.walk(carved.root):
        carved.put(os.path.join(path, scenario.broapt_name()))
        count += 1
    return count


def each_once(carved, files):
    carved.wait_settled(files)
    same(carved.sql("SELECT count(*), count(DISTINCT path), count(*) FILTER (WHERE state = 'done') FROM file"),
         [(files, files, files)], "versions, paths, done")
    same(carved.sql("SELECT count(*) FROM scan"), [(files,)], "outcomes")


def advised(carved, knob="user.max_inotify_watches"):
    """The values that the log asks for, in order."""
    return [int(value) for value in re.findall(rb"sysctl -w " + knob.encode() + rb"=(\d+)", carved.stderr())]


def test_fewer_watches_than_directories():
    needs_namespace()
    with Carved(QUICK) as carved:
        make_tree(carved, scenario.scaled(100, 5000))
        count = directories(carved)
        limited(carved, watches=count // 2)
        files = put_everywhere(carved)
        carved.start()
        each_once(carved, files)
        carved.until(lambda: gaps(carved) == (1, 0), "a gap of the limit is open")
        now = watching(carved)
        same(now["without_watch"], count - (count // 2 - lookouts(carved)), "directories without a watch")
        same(now["watches"], count // 2, "watches")
        limits = carved.status()["limits"]
        same((limits["watches_used"], limits["watches_granted"]), (count // 2, count // 2), "in the status")
        files += put_everywhere(carved)  # half of them is found by the walks of the next rescan only
        each_once(carved, files)
        wanted = advised(carved)
        same(len(wanted), 1, f"pieces of advice, {wanted}")
        check(count + lookouts(carved) <= wanted[0] <= 4 * count, f"{count} directories, and the advice is {wanted}")
        check(f"of {count} directories have no watch".encode() in carved.stderr(), "the log counts them")
        check(b"fs.inotify.max_user_watches=" not in carved.stderr(), "the host's limit is wide enough")
        set_limit(carved, "watches", wanted[0])
        carved.until(lambda: all_closed(carved), "what was advised is enough")
        same(watching(carved)["without_watch"], 0, "directories without a watch")
        carved.check_watches()
        files += put_everywhere(carved)
        each_once(carved, files)
        carved.stop()


def test_the_root_itself_and_those_above_it():
    needs_namespace()
    with Carved(QUICK) as carved:
        above = lookouts(carved)
        real = carved.binary
        files = 0
        for limit in range(above + 2):
            carved.binary = real
            limited(carved, watches=limit)
            before = gaps(carved)[0]
            carved.start()
            if limit <= above:
                carved.until(lambda n=before: gaps(carved) == (n + 1, n), f"a gap with {limit} watches")
            else:
                same(gaps(carved), (before, before), f"gaps with {limit} watches")
            files += put_everywhere(carved)
            each_once(carved, files)
            words = carved.stderr()
            if limit < above:
                check(b"no watch for all of the directories above this root" in words, f"with {limit} it is said")
            if limit <= above:
                set_limit(carved, "watches", 100)
                carved.until(lambda: all_closed(carved), "the gap is closed")
            carved.check_watches()
            carved.stop()


def test_a_root_replaced_that_nobody_could_watch_for():
    needs_namespace()
    with Carved(QUICK) as carved:
        limited(carved, watches=1)
        carved.start()
        os.rename(carved.root, carved.root + ".old")
        os.mkdir(carved.root)
        path = carved.put()
        carved.wait_settled(1)
        same(carved.row(path), (b"done", None, b"clean"), "in the new root")
        set_limit(carved, "watches", 100)
        carved.until(lambda: all_closed(carved), "the gap is closed")
        carved.check_watches()
        carved.stop()


def test_a_tree_moved_in_beyond_the_limit_and_out_again():
    needs_namespace()
    with Carved(QUICK) as carved:
        limited(carved, watches=lookouts(carved) + 6)
        carved.start()
        same(gaps(carved), (0, 0), "gaps while there are enough")
        inside_root = os.path.join(carved.root, "tree")
        aside = os.path.join(carved.home, "tree")
        for i in range(20):
            os.makedirs(os.path.join(aside, f"a{i % 4}", f"b{i}"))
        os.rename(aside, inside_root)
        files = put_everywhere(carved)
        each_once(carved, files)
        carved.until(lambda: gaps(carved)[0] == 1, "a gap is opened")
        check(watching(carved)["without_watch"] > 0, "some have no watch")
        files += put_everywhere(carved)
        each_once(carved, files)
        # those that go give their watches to those that stay
        for i in range(4):
            shutil.rmtree(os.path.join(inside_root, f"a{i}"))
        os.mkdir(os.path.join(inside_root, "last"))
        os.mkdir(os.path.join(inside_root, "last", "of"))
        carved.until(lambda: all_closed(carved), "there are enough again")
        carved.check_watches()
        carved.put("tree/last/of/" + scenario.broapt_name())
        carved.wait_settled(files + 1)
        carved.stop()


def test_another_program_of_the_same_user_takes_them():
    needs_namespace()
    with Carved(QUICK) as carved:
        limit = lookouts(carved) + 40
        limited(carved, watches=limit)
        make_tree(carved, 10)
        files = put_everywhere(carved)
        carved.start()
        each_once(carved, files)
        same(gaps(carved), (0, 0), "gaps while it is alone")
        many = os.path.join(carved.home, "many")
        for i in range(100):
            os.makedirs(os.path.join(many, str(i)))
        with inside(carved, sys.executable, "-c", HOG, many, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as hog:
            held = int(hog.stdout.readline())
            check(0 < held < 40, f"the other one has {held}")
            make_tree(carved, 5, prefix="late")
            files += put_everywhere(carved)
            each_once(carved, files)
            carved.until(lambda: advised(carved), "it is said what to raise")
            check(advised(carved)[-1] > limit, f"more than now, {limit}: {advised(carved)}")
            hog.stdin.close()
            same(hog.wait(), 0, "the other one's end")
        carved.until(lambda: all_closed(carved), "the watches are to be had again")
        carved.check_watches()
        carved.stop()


def test_a_watch_refused_once():
    """For want of a directory's own a gap is open until it is there. One that looks out for what is above the
    root may have been set by another try at once; and one that only tries whether events arrive is not missed."""
    for error, words in (("ENOSPC", b"no watch"), ("ENOMEM", b"MemoryMax=")):
        for nth in scenario.scaled((2, 4, 7, 11), range(1, 33)):
            with Carved(QUICK) as carved:
                make_tree(carved, 20)
                files = put_everywhere(carved)
                calls = os.path.join(carved.home, "strace")
                carved.start(before=steps.before(f"inotify_add_watch:error={error}:when={nth}", output=calls),
                             env=steps.environment())
                carved.until(lambda: steps.injected(calls), f"{error} at {nth}")
                with open(calls, "rb") as file:
                    missed = any(b"INJECTED" in call and b"IN_CLOSE_WRITE" in call for call in file)
                carved.until(lambda: all_closed(carved) or (not missed and gaps(carved) == (0, 0)),
                             f"{error} at {nth}: the gap is closed")
                carved.check_watches()
                files += put_everywhere(carved)
                each_once(carved, files)
                same(words in carved.stderr(), gaps(carved) != (0, 0), f"{error} at {nth}: it is said")
                carved.stop()


def test_no_instance_until_there_is_one():
    needs_namespace()
    with Carved(QUICK) as carved:
        limited(carved, instances=0)
        make_tree(carved, 10)
        files = put_everywhere(carved)
        carved.start()
        each_once(carved, files)
        same([root["mode"] for root in carved.status()["roots"]], ["polled"], "modes")
        carved.until(lambda: gaps(carved) == (1, 0), "a gap of the limit is open")
        check(advised(carved, "user.max_inotify_instances"), "it is said what to raise")
        files += put_everywhere(carved)
        each_once(carved, files)
        set_limit(carved, "instances", advised(carved, "user.max_inotify_instances")[0])
        carved.until(lambda: all_closed(carved), "events are told")
        same([root["mode"] for root in carved.status()["roots"]], ["events"], "modes")
        carved.check_watches()
        # a file that seems gone is decided by a ticket, which must not be of the other reader
        path = carved.put()
        os.unlink(path)
        files += put_everywhere(carved)
        carved.until(lambda: carved.sql("SELECT count(*) FROM file WHERE state = 'queued'") == [(0,)]
                     and carved.sql("SELECT count(*) FROM file WHERE state = 'done'")[0][0] >= files,
                     "all are through")
        carved.stop()


def test_no_instance_where_it_was_demanded():
    needs_namespace()
    with Carved() as carved:
        carved.write_config(f"roots: [ {{ path: {carved.root}, mode: inotify }} ]\n{scenario.NOOP}")
        limited(carved, instances=0)
        carved.start(ready=False, roots=[])
        same(carved.wait(), 3, "exit status")
        for words in (b"mode is inotify", b"sysctl -w user.max_inotify_instances=", b"mode: auto or poll"):
            check(words in carved.stderr(), f"{words!r} is not in {carved.stderr()!r}")


RULE = 'rule r {{ strings: $word = "{word}" condition: $word }}\n'


def test_no_second_instance_for_the_rules():
    needs_namespace()
    with Carved() as carved:
        rules = os.path.join(carved.home, "rules")
        os.mkdir(rules)

        def write(word):
            with open(os.path.join(rules, "r.yar"), "w", encoding="ascii") as file:
                file.write(RULE.format(word=word))
        write("first")
        carved.write_config(f"rescan_interval: 300ms\ndetectors:\n  - {{ type: yara, name: y, rules: {rules} }}\n")
        limited(carved, instances=1)
        carved.start()
        check(b"changes of rules are not noticed" in carved.stderr(), "it is said")
        same(gaps(carved), (0, 0), "the files themselves have their instance")
        write("second")
        set_limit(carved, "instances", 2)
        carved.until(lambda: b"detectors reloaded" in carved.stderr(), "what changed meanwhile is read")
        path = carved.put(content=b"the second word")
        carved.wait_settled(1)
        check(carved.row(path, "verdict") != (b"clean",), "by the new rules")
        write("third")
        carved.until(lambda: carved.stderr().count(b"detectors reloaded") >= 2, "changes are noticed")
        carved.stop()


def test_check_counts_directories_against_the_limit():
    needs_namespace()
    with Carved() as carved:
        make_tree(carved, 60)
        count = directories(carved)
        for limit, expected in ((count, True), (10 * count, False)):
            done = subprocess.run(
                ["unshare", "-Ur", "sh", "-c", f"echo {limit} >/proc/sys/user/max_inotify_watches; exec \"$0\" \"$@\"",
                 scenario.binary(), "check", "--history", carved.history, carved.root],
                check=False, stdin=subprocess.DEVNULL, capture_output=True)
            lines = [line for line in done.stdout.splitlines() if b"need watches" in line]
            same(len(lines), 1, "lines about watches")
            check(f"{count} directories need watches, {limit} are granted".encode() in lines[0], repr(lines))
            same(lines[0].startswith(b"warn"), expected, f"a warning, {lines}")
            same(b"sysctl -w user.max_inotify_watches=" in lines[0], expected, f"advice, {lines}")


if __name__ == "__main__":
    scenario.main()
