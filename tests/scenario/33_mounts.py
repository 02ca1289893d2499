"""Roots and mounts: roots that come, go and are replaced, and mounts over, at, below and beside them.

Each story ends with the gap opened and closed that it is about, a row for each file, and the watches
on the directories. No plain umount fails because of the daemon while that idles, and none for ever
while it works.
"""
import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import time

import mounting
import scenario
import steps
from mounting import (MNT_DETACH, Mounts, at_rest, gaps, leave, leave_in_the_end, umount, wait_done,
                      wait_for_gap, wait_rows_are_files, wait_way)
from scenario import NOOP, Carved, check, command, same, scaled

SOON = "unmatched: scan\nrescan_interval: 300ms\n" + NOOP
NEVER = "unmatched: scan\nrescan_interval: 1d\n" + NOOP  # whatever is found is found by what the kernel tells


def here(carved, *names):
    return os.path.join(carved.home, *names)


def put_at(carved, directory, name=None, content=None):
    """A file of a fresh name in any directory."""
    path = os.path.join(directory, name or scenario.broapt_name())
    os.makedirs(directory, exist_ok=True)
    with open(path, "wb") as file:
        file.write(os.urandom(64) if content is None else content)
    carved.made += 1
    return path


def test_a_root_that_is_not_there_is_found_when_it_comes():
    with Carved(NEVER) as carved:
        os.rmdir(carved.root)
        carved.start()
        wait_way(carved, "absent")
        carved.until(lambda: gaps(carved, "root") == (1, 0), "the gap is in the history")
        path = put_at(carved, here(carved, "in"))
        wait_for_gap(carved, "root")
        wait_done(carved, path)
        wait_way(carved, "events")


def test_a_root_that_is_deleted_replaced_or_led_elsewhere_is_followed():
    with Carved(NEVER) as carved:
        paths = [put_at(carved, here(carved, "one")), put_at(carved, here(carved, "two", "deep"))]
        os.rmdir(carved.root)
        os.symlink("one", carved.root)
        carved.start()
        wait_done(carved, os.path.join(carved.root, os.path.basename(paths[0])))
        os.symlink("two", here(carved, "new"))
        os.rename(here(carved, "new"), carved.root)  # as ln -sfn does
        seen = wait_for_gap(carved, "root")
        wait_done(carved, os.path.join(carved.root, "deep", os.path.basename(paths[1])))
        os.unlink(carved.root)
        carved.until(lambda: gaps(carved, "root") == (seen + 1, seen), "the root is missed")
        put_at(carved, here(carved, "three"))
        os.rename(here(carved, "three"), carved.root)
        seen = wait_for_gap(carved, "root", seen)
        shutil.rmtree(carved.root)
        carved.put("d/e/f")
        wait_for_gap(carved, "root", seen)
        carved.wait_settled(4)
        carved.put("d/e/g")
        carved.wait_settled(5)


def test_what_is_mounted_over_the_root_is_what_is_watched():
    with Carved(NEVER) as carved, Mounts() as mounts:
        carved.start()
        below = carved.put("below")
        wait_done(carved, below)
        seen = 0
        for turn in range(2):
            mounts.tmpfs(carved.root)
            above = carved.put(f"d/above{turn}")
            seen = wait_for_gap(carved, "mount", seen)
            wait_done(carved, above)
            carved.check_watches()
            leave(carved, carved.root)
            hidden = carved.put(f"hidden{turn}")
            seen = wait_for_gap(carved, "mount", seen)
            wait_done(carved, hidden, below)
            carved.check_watches()
        carved.wait_settled(5)


def test_what_is_mounted_over_a_directory_above_hides_the_root_until_it_goes():
    with Carved(NEVER) as carved, Mounts() as mounts:
        root = here(carved, "a", "b")
        first = put_at(carved, root)
        carved.start(roots=[root])
        wait_done(carved, first)
        mounts.tmpfs(here(carved, "a"))
        wait_way(carved, "absent")
        second = put_at(carved, root)
        wait_for_gap(carved, "mount")
        wait_done(carved, second)
        leave(carved, here(carved, "a"))
        wait_for_gap(carved, "mount", 1)
        third = put_at(carved, root)
        wait_done(carved, first, third)
        carved.wait_settled(3)


def test_a_mount_stacked_on_another_gives_way_to_it():
    with Carved(NEVER) as carved, Mounts() as mounts:
        os.mkdir(carved.path_of("m"))
        carved.start()
        for turn in range(2):
            mounts.tmpfs(os.path.join(carved.root, "m"))
            wait_done(carved, carved.put(f"m/d{turn}/f"))
        carved.check_watches()
        for turn in range(2):
            leave(carved, os.path.join(carved.root, "m"))
            wait_done(carved, carved.put(f"m/left{turn}"))
            carved.check_watches()
        wait_for_gap(carved, "mount")
        carved.wait_settled(4)


def test_a_mount_that_is_moved_is_looked_at_on_both_ends():
    with Carved(NEVER) as carved, Mounts() as mounts:
        below = carved.put("a/below")
        target = mounts.tmpfs(os.path.join(carved.root, "a"))
        carved.put("a/d/f")
        os.mkdir(carved.path_of("b"))
        carved.start()
        carved.wait_settled(1)
        mounting.mount(target, os.path.join(carved.root, "b"), flags=mounting.MS_MOVE)
        mounts.targets.append(os.path.join(carved.root, "b"))
        wait_done(carved, below, carved.path_of("b/d/f"))
        wait_for_gap(carved, "mount")
        wait_done(carved, carved.put("b/d/g"), carved.put("a/g"))


def losetup(*words):
    done = subprocess.run(["losetup", *words], check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=scenario.PATIENCE)
    if done.returncode != 0:
        raise scenario.Skip(f"no loop devices: {done.stderr!r}")
    return done.stdout.decode().strip()


def test_a_disk_that_comes_back_under_another_number_is_the_same_disk():
    with Carved(NEVER) as carved, Mounts() as mounts:
        image = mounting.ext4_image(carved, 16)
        devices = [losetup("--find", "--show", image)]
        try:
            mounts.add(devices[0], carved.root, "ext4")
            numbers = [os.stat(carved.root).st_dev]
            carved.start()
            paths = [carved.put(f"d/f{i}") for i in range(20)]
            wait_done(carved, *paths)
            leave(carved, carved.root)
            wait_for_gap(carved, "mount")
            devices.append(losetup("--find", "--show", image))  # while the first has its number
            losetup("--detach", devices.pop(0))
            mounts.add(devices[0], here(carved, "elsewhere"), "ext4")
            paths.append(put_at(carved, here(carved, "elsewhere", "d")))
            leave(carved, here(carved, "elsewhere"))
            mounts.add(devices[0], carved.root, "ext4")
            numbers.append(os.stat(carved.root).st_dev)
            check(numbers[0] != numbers[1], f"another number: {numbers}")
            wait_for_gap(carved, "mount", 1)
            wait_done(carved, carved.path_of("d/" + os.path.basename(paths.pop())))
            wait_rows_are_files(carved, carved.root)
            leave(carved, carved.root)
            wait_for_gap(carved, "mount", 2)
            same(carved.sql("SELECT count(*) FROM file")[0][0], 21, "rows")
        finally:
            mounts.__exit__(None, None, None)
            for device in devices:
                subprocess.run(["losetup", "--detach", device], check=False)


def test_another_disk_at_the_same_place_has_files_of_its_own():
    with Carved(NEVER) as carved, Mounts() as mounts:
        for turn in range(3):
            mounts.tmpfs(carved.root)
            carved.put("same name", b"content %d" % turn)
            if turn == 0:
                carved.start()
            carved.wait_settled(turn + 1)
            leave(carved, carved.root)
            wait_for_gap(carved, "mount", 2 * turn)
        same(carved.sql("SELECT count(DISTINCT sha256) FROM file"), [(3,)], "contents")


def test_a_disk_that_comes_over_a_file_that_is_being_written_has_a_file_of_its_own():
    """It is met while a job waits at the path, of a file of the disk below."""
    with Carved(SOON) as carved, Mounts() as mounts:
        carved.start()
        for name, queued in (("waits", False), ("stands in the queue", True)):
            os.makedirs(carved.path_of("d"), exist_ok=True)
            with open(carved.path_of(f"d/{name}"), "wb"):
                if queued:
                    carved.until(lambda: carved.sql("SELECT count(*) FROM pending") == [(1,)],
                                 "the writer's file waits")
                mounts.tmpfs(carved.path_of("d"))
                above = carved.put(f"d/{name}", name.encode())
                carved.until(lambda name=name: carved.sql(
                    "SELECT DISTINCT state FROM file WHERE sha256 = ?",
                    hashlib.sha256(name.encode()).hexdigest()) == [(b"done",)], "it is done")
                carved.send(signal.SIGUSR2)
                wait_done(carved, carved.put(f"walked as it {name}"))
                same(carved.sql("SELECT count(*) FROM file WHERE path = CAST(? AS TEXT) AND"
                                " sha256 = ?", os.fsencode(above),
                                hashlib.sha256(name.encode()).hexdigest()), [(1,)],
                     "rows of the content")
            leave(carved, carved.path_of("d"))


def test_a_lazy_unmount_takes_the_writer_along():
    with Carved(SOON) as carved, Mounts() as mounts:
        mounts.tmpfs(carved.root)
        carved.start()
        wait_done(carved, carved.put("before"))
        with open(carved.path_of("d"), "wb") as writer:
            carved.made += 1
            writer.write(b"half")
            writer.flush()
            carved.until(lambda: carved.sql("SELECT state FROM file WHERE path LIKE '%/d'") ==
                         [(b"queued",)], "the writer's file waits")
            umount(carved.root, MNT_DETACH)
            wait_done(carved, carved.put("after"))
            writer.write(b"whole")
        carved.wait_settled(3)
        same(carved.row(carved.path_of("d"), "state, reason"), (b"unscanned", b"vanished"),
             "what went with its disk")
        wait_for_gap(carved, "mount")
        carved.check_watches()


def test_a_mount_that_is_gone_before_it_is_looked_for_hides_no_file():
    with Carved(NEVER) as carved, Mounts() as mounts:
        carved.start()
        at_rest(carved)
        path = os.path.join(carved.root, scenario.broapt_name())
        elsewhere = put_at(carved, carved.home, "elsewhere")
        # each turn of the loop begins late: the first learns of the name, the second looks for the file, and
        # before the third looks for mounts the mount is gone
        with steps.Attached(carved, "epoll_wait:delay_exit=500000") as late:
            os.link(elsewhere, path)
            carved.until(lambda: steps.injected(late.output) >= 2, "the file is to be looked at")
            mounts.tmpfs(carved.root)
            carved.until(lambda: steps.injected(late.output) >= 3, "mounts are to be looked for")
            umount(carved.root)
            wait_done(carved, path)


def test_one_directory_at_two_places_is_watched_at_one():
    with Carved(NEVER) as carved, Mounts() as mounts:
        carved.put("a/s/f")
        mounts.bind(here(carved, "in", "a"), here(carved, "in", "b"))
        mounts.bind(carved.root, here(carved, "in", "a", "self"))
        carved.start()
        at_rest(carved)
        # a bind shows what lies beneath the mounts within it: b/self is no root, a/self/b no a
        for turn, place in enumerate(("a", "b", "a/self/a", "a/s", "b/s", "b/self", "a/self/b")):
            carved.put(f"{place}/g{turn}")
        carved.wait_settled(8)
        check(b"mounted twice?" in carved.stderr(), "it is said")
        carved.check_watches()
        leave(carved, os.path.join(carved.root, "b"))
        wait_for_gap(carved, "mount")
        carved.put("b/h")  # which is told as a/self/b/h, as long as that is the same
        carved.wait_settled(9)
        leave(carved, os.path.join(carved.root, "a", "self"))
        wait_done(carved, carved.put("a/self/h"), carved.put("b/i"))


def test_two_roots_that_are_one_directory_are_refused():
    with Carved(NEVER) as carved, Mounts() as mounts:
        carved.put("sub/f")
        other = mounts.bind(here(carved, "in", "sub"), here(carved, "other"))
        same_again = mounts.bind(carved.root, here(carved, "same"))
        for roots in ([same_again, carved.root], [carved.root, same_again]):
            carved.start(ready=False, roots=roots)
            check(carved.wait() != 0, "it does not start")
            check(b"is a root already" in carved.stderr(), "and says why")
        # one lies in the other by a mount only, which no path tells: each directory is watched once
        carved.start(roots=[other, carved.root])
        carved.wait_settled(1)
        wait_done(carved, put_at(carved, other))
        wait_done(carved, carved.put("g"))
        carved.wait_settled(3)
        check(b"mounted twice?" in carved.stderr(), "it is said")
        leave(carved, other)
        # the directory below the first root is its own again
        carved.until(lambda: len(carved.sql("SELECT 1 FROM file WHERE path LIKE '%/in/sub/%'")) == 2,
                     "the files are found at their other place")
        carved.put("sub/h")
        wait_done(carved, carved.path_of("sub/h"))
        carved.watched = False  # the mount point is a root of its own again


def test_a_bind_of_one_file_is_said_and_looked_at():
    with Carved(SOON) as carved, Mounts() as mounts:
        host = put_at(carved, here(carved, "host"), "f", b"first")
        carved.put("d/f", b"")
        mounts.bind(host, os.path.join(carved.root, "d", "f"))
        carved.start()
        wait_done(carved, carved.path_of("d/f"))
        check(b"d/f: single-file bind mount: edits and renames on the host are not seen here; mount the"
              b" directory" in carved.stderr(), "it is said")
        wait_way(carved, "degraded", "mounted alone")
        with open(host, "wb") as file:  # an edit in place, which a walk does see
            file.write(b"second, in place")
        carved.wait_settled(2)
        put_at(carved, here(carved, "host"), "new", b"third")
        os.rename(here(carved, "host", "new"), host)  # which nobody here can see
        carved.made -= 1
        leave(carved, os.path.join(carved.root, "d", "f"))
        wait_way(carved, "events")
        carved.wait_settled(3)
        same(carved.sql("SELECT count(*) FROM file WHERE size = 0"), [(1,)], "what lay beneath")


def test_a_root_that_is_one_file_is_refused():
    with Carved(NEVER) as carved, Mounts() as mounts:
        host = put_at(carved, here(carved, "host"), "f")
        os.rmdir(carved.root)
        with open(carved.root, "wb"):
            pass
        mounts.bind(host, carved.root)
        done = command("check", "--history", carved.history, carved.root)
        check(done.returncode != 0 and b"mounted alone" in done.stdout, f"check says so: {done.stdout!r}")
        carved.start()
        check(b"a single file that is mounted alone cannot be a root" in carved.stderr(), "run says so")
        wait_way(carved, "absent")
        umount(carved.root)
        os.unlink(carved.root)
        wait_done(carved, carved.put("f"))


def overlay(carved, mounts, merged):
    """An overlay over layers on a tmpfs of their own; the directories (lower, upper)."""
    layers = mounts.tmpfs(here(carved, "layers"))
    lower, upper, work = (os.path.join(layers, name) for name in ("lower", "upper", "work"))
    for directory in (lower, upper, work):
        os.mkdir(directory)
    put_at(carved, os.path.join(lower, "d"), "low", b"lower")
    mounts.add("overlay", merged, "overlay",
               options=f"lowerdir={lower},upperdir={upper},workdir={work}")
    return lower, upper


def test_an_overlay_is_watched_where_it_is_merged():
    with Carved(NEVER) as carved, Mounts() as mounts:
        carved.watched = False  # the kernel shows inodes of the overlay that stat does not
        lower, _ = overlay(carved, mounts, carved.root)
        carved.start()
        wait_way(carved, "events")
        wait_done(carved, carved.path_of("d/low"))
        wait_done(carved, carved.put("d/new"), carved.put("e/f/new"))
        with open(carved.path_of("d/low"), "ab") as file:  # which copies it up
            file.write(b", and more")
        carved.wait_settled(4)
        os.rename(carved.path_of("e"), carved.path_of("g"))
        wait_done(carved, carved.put("g/f/newer"))
        # whoever changes a layer underneath is told of by nobody: the next walk meets it
        put_at(carved, lower, "beneath")
        walks = at_rest(carved)["watching"]["walks"]
        known = carved.sql("SELECT count(*) FROM file")[0][0]
        carved.send(scenario.signal.SIGUSR2)
        carved.until(lambda: carved.status()["watching"]["walks"] > walks, "a walk")
        wait_done(carved, carved.path_of("beneath"))
        same(carved.sql("SELECT count(*) FROM file")[0][0], known + 1, "rows")
        leave(carved, carved.root)
        wait_for_gap(carved, "mount")


def test_an_upper_layer_is_watched_while_others_write_to_the_merged_one():
    with Carved(NEVER) as carved, Mounts() as mounts:
        merged = here(carved, "merged")
        _, upper = overlay(carved, mounts, merged)
        carved.start(roots=[upper])
        for name in ("plain", "deep/er/file"):
            put_at(carved, os.path.dirname(os.path.join(merged, name)), os.path.basename(name))
            wait_done(carved, os.path.join(upper, name))
        os.rename(os.path.join(merged, "plain"), os.path.join(merged, "deep", "renamed"))
        wait_done(carved, os.path.join(upper, "deep", "renamed"))
        with open(os.path.join(merged, "d", "low"), "ab") as file:
            file.write(b", and more")
        wait_done(carved, os.path.join(upper, "d", "low"))
        carved.watched = False  # layers are gone before it is compared


def test_mounts_elsewhere_walk_nothing():
    count = scaled(50, 1000)
    with Carved(NEVER) as carved, Mounts() as mounts:
        for i in range(50):
            carved.put(f"d{i}/f")
        carved.start()
        carved.wait_settled(50)
        before = at_rest(carved)["watching"]
        for _ in range(count):
            mounts.targets.append(mounts.tmpfs(here(carved, "container")))
            umount(here(carved, "container"))
            mounts.targets.clear()
        # one that concerns it ends the wait: what came before was looked at by then
        mounts.tmpfs(os.path.join(carved.root, "d7"))
        wait_done(carved, carved.put("d7/g"))
        wait_for_gap(carved, "mount")
        after = at_rest(carved)["watching"]
        check(after["walks"] - before["walks"] <= 3,
              f"directories listed for {count} mounts elsewhere and one below: {before}, {after}")
        leave(carved, os.path.join(carved.root, "d7"))


def test_thousands_of_mounts_are_told_apart():
    count = scaled(500, 10000)
    with Carved(NEVER) as carved, Mounts() as mounts:
        root = here(carved, "in", "with space\nand \\ line")
        os.makedirs(os.path.join(root, "m"))
        for i in range(count):
            mounts.tmpfs(here(carved, "many", str(i)))
        carved.start(roots=[root])
        before = at_rest(carved)["watching"]["walks"]
        began = time.monotonic()
        mounts.tmpfs(os.path.join(root, "m"))
        path = put_at(carved, os.path.join(root, "m"), "f")
        wait_done(carved, path)
        took = time.monotonic() - began
        wait_for_gap(carved, "mount")
        check(at_rest(carved)["watching"]["walks"] - before <= 3, "only that place is walked")
        leave(carved, os.path.join(root, "m"))
        print(f"        {count} mounts: a file on a new one is done after {took * 1000:.0f} ms", flush=True)


def test_a_walk_without_room_keeps_no_mount_busy():
    count = scaled(12000, 40000)
    with Carved(NEVER) as carved, Mounts() as mounts:
        volume = mounts.tmpfs(here(carved, "volume"))
        os.mkdir(os.path.join(volume, "d"))
        carved.start(roots=[carved.root, volume])
        # nobody can write to the history now, so nothing is taken off the daemon's hands
        lock = sqlite3.connect(carved.history, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        carved.send(scenario.signal.SIGSTOP)
        for i in range(count):
            with open(os.path.join(volume, "d", f"f{i}"), "wb"):
                pass
        os.rename(os.path.join(volume, "d"), os.path.join(volume, "e"))
        carved.made += count
        carved.send(scenario.signal.SIGCONT)
        carved.until(lambda: carved.status()["queue"]["saving"] > 3000, "what cannot be written piles up")
        tries = leave_in_the_end(carved, volume)
        lock.execute("ROLLBACK")
        lock.close()
        mounts.tmpfs(volume)
        wait_done(carved, put_at(carved, volume))
        wait_for_gap(carved, "mount")
        at_rest(carved)
        carved.once = False
        print(f"        unmounted at try {tries}", flush=True)


def test_a_volume_can_be_taken_while_another_is_worked_on():
    with Carved() as carved, Mounts() as mounts:
        carved.write_config("unmatched: scan\nrescan_interval: 1d\nworkers: 2\ndetectors:\n  - { type: command, name: slow, "
                            "timeout: 10m, run: [/bin/sh, -c, 'until [ -e \"$1\" ]; do sleep 0.02; done',"
                            f" sh, {here(carved, 'go')}, '{{path}}'] }}\n")
        volume = mounts.tmpfs(here(carved, "volume"))
        carved.start(roots=[carved.root, volume])
        for _ in range(3):
            carved.put()
        carved.until(lambda: carved.status()["queue"]["running"] >= 2, "workers are at it")
        leave_in_the_end(carved, volume)
        with open(here(carved, "go"), "wb"):
            pass
        carved.wait_settled(3)
        wait_for_gap(carved, "mount")


if __name__ == "__main__":
    mounting.enter()
    scenario.main()
