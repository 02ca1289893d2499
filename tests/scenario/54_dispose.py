"""What is judged is removed by rule: that file and no other, after it was said on the disk, whatever comes in
between. Killed at each step, the ledger adds up after; and what the quarantine has can be had again."""
import contextlib
import glob
import json
import os
import re
import shutil
import signal
import subprocess

import mounting
import scenario
import steps
from scenario import PATIENCE, Carved, Skip, broapt_name, check, command, same, scaled

BAD = b"a bad file\n"
CONFIG = """unmatched: scan
rescan_interval: 1s
detectors:
  - {{ type: noop }}
  - {{ type: hashlist, file: {} }}
dispose: {{ malicious: quarantine, clean: {{ "image/*": delete, "*": keep }} }}
"""
ENDS = "SELECT state, count(*) FROM removal GROUP BY 1 ORDER BY 1"
RENAMEAT2 = "316"   # x86_64


class Disposing(Carved):
    """A daemon with rules, and its quarantine."""

    def __init__(self, **options):
        super().__init__(**options)
        self.write_config(CONFIG.format(self.write_hashlist(BAD)))
        self.quarantine = os.path.join(self.state, "quarantine")

    def put_bad(self, name=None):
        return self.put(name or broapt_name(), BAD)

    def wait_ends(self, *expected):
        return self.wait_until(ENDS, list(expected))

    def kept(self):
        """Names in the quarantine, without the .json beside each."""
        names = os.listdir(self.quarantine)
        return sorted(name for name in names if not name.endswith(".json"))

    def words(self, *words, **options):
        return command("quarantine", *words, "-c", self.config_path, "--history", self.history, **options)

    def restore(self, *ids, **options):
        """The roots are words of the daemon's command line: here they are the configuration's."""
        path = os.path.join(self.home, "with_roots.yml")
        with open(self.config_path, encoding="utf-8") as file, open(path, "w", encoding="utf-8") as to:
            to.write(f"roots: [ {{ path: {self.root} }} ]\n" + file.read())
        return command("quarantine", "-c", path, "--history", self.history, "restore", *map(str, ids), **options)


def check_sound(carved, bad, others=()):
    """The ledger adds up: each bad file is in the quarantine, once, and nothing else is amiss."""
    same(carved.sql("SELECT count(*) FROM removal WHERE state = 'intended'"), [(0,)], "left intended")
    rows = carved.sql("SELECT path, place, sha256 FROM quarantine")
    same(sorted(row[0] for row in rows), sorted(bad), "the paths in the quarantine")
    for path, place, sha256 in rows:
        check(not os.path.lexists(path), f"{path} is still there")
        check(place.endswith(b"-" + sha256), f"{place} is not named by its hash")
        with open(place, "rb") as file:
            same(file.read(), BAD, place)
        same(os.stat(place).st_mode & 0o7777, 0, f"mode of {place}")
        with open(place + b".json", "rb") as file:
            told = json.loads(file.read())
        same((told["path"].encode(), told["mode"], told["verdict"]), (path, "0644", "malicious"), "what is told of it")
    same(len(carved.kept()), len(bad), f"files in the quarantine {carved.kept()}")
    same(len(os.listdir(carved.quarantine)), 2 * len(bad), f"all in it {os.listdir(carved.quarantine)}")
    for path in others:
        check(os.path.exists(path), f"{path} has gone")
    same(carved.sql("SELECT path, reason FROM file WHERE state <> 'done'"), [], "rows that are not done")
    same(carved.sql("SELECT cause FROM gap WHERE cause NOT IN ('down', 'root')"), [], "gaps")


def counts(carved):
    """As the status tells them; what the history has may not be counted yet."""
    status = carved.status()["disposal"]
    return status["quarantined"], status["removed"], status["intended"], status["trouble"]


def test_by_verdict_and_type():
    with Disposing() as carved:
        carved.start()
        bad = carved.put_bad()
        image = carved.put(broapt_name("image/png", "png"))
        document = carved.put()
        strange = carved.put_bad(b"d/\xff\n\"x")
        carved.wait_ends((b"quarantined", 2), (b"removed", 1))
        same(sorted(carved.sql("SELECT path FROM disposal WHERE state = 'removed'")), [(image,)], "what was deleted")
        check(not os.path.exists(image) and os.path.exists(document), "the image alone was to be deleted")
        carved.until(lambda: counts(carved) == (2, 1, 0, None), "the status has counted them")
        carved.wait_settled(4)
        listed = [json.loads(line) for line in carved.words("list", "--format", "json").stdout.splitlines()]
        same([row["path"].encode(errors="surrogateescape") for row in listed], [bad, strange], "the list")
        carved.stop()
        carved.start()      # and nothing is done once more
        later = carved.put_bad()
        carved.wait_ends((b"quarantined", 3), (b"removed", 1))
        carved.stop()
        same(carved.sql("SELECT count(*), count(*) FILTER (WHERE state <> 'done') FROM file"), [(5, 0)], "rows")
        check(not os.path.exists(later), "the third bad one is still there")


def test_check_and_status_say_what_stands_in_its_way():
    def checked():
        done = command("check", "-c", carved.config_path, carved.root, "--history", carved.history)
        return next(line for line in done.stdout.split(b"\n") if b" quarantine " in line)

    with Disposing() as carved:
        check(b"ok" in checked() and b"will be made" in checked(), checked())
        carved.start()
        carved.put_bad()
        carved.wait_ends((b"quarantined", 1))
        check(b"ok" in checked() and b"nobody else's" in checked(), checked())
        os.chmod(carved.quarantine, 0o755)
        check(b"warn" in checked() and b"chmod 0700" in checked(), checked())
        carved.put_bad()
        carved.until(lambda: carved.status()["disposal"]["trouble"], "the trouble is told")
        told = command("status", "--history", carved.history).stdout
        check(b"disposal:" in told and b"others may look into it" in told, told)
        os.chmod(carved.quarantine, 0o700)
        carved.wait_ends((b"quarantined", 2))
        carved.stop()
        os.rename(carved.quarantine, carved.quarantine + ".1")
        os.symlink(carved.quarantine + ".1", carved.quarantine)
        check(b"warn" in checked() and b"no directory" in checked(), checked())


def test_many_leave_no_trace_but_theirs():
    """Taking files away is told to the watcher as any rename is: it must not record anything of it."""
    count = scaled(1500, 30000)
    with Disposing() as carved:
        carved.start()
        for number in range(count):
            carved.put(f"d{number % 7}/{broapt_name('image/png', 'png')}", b"%d" % number)
        carved.wait_ends((b"removed", count))
        carved.wait_settled(count)
        same(carved.sql("SELECT state, reason, count(*) FROM file GROUP BY 1, 2"), [(b"done", None, count)], "rows")
        same(carved.sql("SELECT cause, count(*) FROM gap WHERE cause <> 'overflow' GROUP BY 1"), [], "gaps")
        same(scenario.files_below(carved.root), set(), "files that are left")
        same(carved.kept(), [], "what lies in the quarantine")
        carved.stop()


def test_what_is_intended_is_on_the_disk_first():
    with Disposing() as carved:
        output = os.path.join(carved.home, "strace")
        calls = ["strace", "-D", "-f", "-qq", "-y", "-o", output, "-e", "trace=pwrite64,fdatasync,fsync,renameat2"]
        steps.need_strace()
        carved.start(before=calls, env=steps.environment())
        carved.put_bad()
        carved.wait_ends((b"quarantined", 1))
        carved.kill()
        with open(output, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
        at = next(i for i, line in enumerate(lines) if "renameat2(" in line and ".taken" in line)
        log = [line for line in lines[:at] if re.search(r"history\.db-wal>", line)]
        check(log and re.search(r"f(data)?sync\(", log[-1]), f"not the last: {log[-3:]}")
        if log[-1].endswith("<unfinished ...>"):    # another thread came in between
            ends = log[-1].split()[0] + r" <\.\.\. f(data)?sync resumed>"
            check(any(re.match(ends, line) for line in lines[lines.index(log[-1]):at]), "it is renamed during the sync")


@contextlib.contextmanager
def about_to_take(carved, path):
    """Stops the disposer just before it renames path away; it goes on at the end."""
    steps.need_strace()
    if os.uname().machine != "x86_64":
        raise Skip("the number of renameat2 is that of x86_64")

    def there():
        for entry in os.listdir(f"/proc/{carved.process.pid}/task"):
            with contextlib.suppress(OSError), \
                    open(f"/proc/{carved.process.pid}/task/{entry}/syscall", encoding="ascii") as file:
                if file.read().split()[0] == RENAMEAT2:
                    return True
        return False
    attached = steps.Attached(carved, "renameat2:delay_enter=600s:when=1")
    attached.__enter__()
    try:
        with open(path, "wb") as file:
            file.write(BAD)
        carved.made += 1
        carved.until(there, "it is about to take the file")
        yield
    finally:    # of a call that is let go before its time strace says nothing
        attached.tracer.send_signal(signal.SIGINT)
        attached.end()


def test_what_was_exchanged_is_not_removed():
    with Disposing() as carved:
        carved.start()
        good = carved.put(broapt_name(), b"a good file\n")
        bad = carved.path_of(broapt_name())
        carved.wait_settled(1)
        with about_to_take(carved, bad):
            aside = bad + b".aside"
            os.rename(good, aside)
            os.rename(bad, good)
            os.rename(aside, bad)
        # the bad one has a row of its own where it is now, and is found there
        carved.wait_until("SELECT count(*) FROM quarantine", [(1,)])
        carved.wait_until("SELECT count(*) FROM removal WHERE state = 'replaced'", [(1,)])
        with open(bad, "rb") as file:
            same(file.read(), b"a good file\n", "what had taken its name")
        same(carved.sql("SELECT path FROM quarantine"), [(good,)], "what is in the quarantine")
        carved.stop()
        same(len(carved.kept()), 1, "files in the quarantine")


def test_a_link_in_place_of_the_file_or_its_directory():
    with Disposing() as carved:
        carved.start()
        precious = os.path.join(os.fsencode(carved.home), b"precious")
        with open(precious, "wb") as file:
            file.write(BAD)
        bad = carved.path_of(broapt_name())
        with about_to_take(carved, bad):
            os.unlink(bad)
            os.symlink(precious, bad)
        carved.wait_until(ENDS, [(b"replaced", 1)])
        check(os.path.islink(bad), "the link has gone")
        os.unlink(bad)
        os.makedirs(carved.path_of("d"))
        bad = carved.path_of("d/x")
        with about_to_take(carved, bad):
            os.rename(carved.path_of("d"), carved.path_of("e"))
            os.symlink(carved.home, carved.path_of("d"))
            with open(os.path.join(carved.home, "x"), "wb") as file:
                file.write(BAD)
        # the directory was held: it is that file, wherever it is now
        carved.wait_until("SELECT count(*) FROM quarantine", [(1,)])
        check(os.path.exists(os.path.join(carved.home, "x")) and os.path.exists(precious), "a file outside has gone")
        carved.stop()


def test_hard_links():
    """Each name goes; a name outside keeps the file as it was."""
    with Disposing() as carved:
        outside = os.path.join(os.fsencode(carved.home), b"outside")
        with open(outside, "wb") as file:
            file.write(BAD)
        os.chmod(outside, 0o644)
        names = [carved.path_of(broapt_name()) for _ in range(3)]
        for name in names:
            os.link(outside, name)
        carved.made += len(names)
        carved.start()
        carved.wait_ends((b"quarantined", 3))
        carved.stop()
        check_sound(carved, names)
        same((os.stat(outside).st_mode & 0o7777, os.stat(outside).st_nlink), (0o644, 1), "the name outside")


STEPS = ("renameat2", "renameat", "fchmodat", "fchmod", "unlinkat", "fsync", "fdatasync")


def test_killed_at_each_step():
    steps.need_strace()
    kills = 0
    for call in STEPS:
        for when in range(1, scaled(6, 20)):
            with Disposing() as carved:
                bad = [carved.put_bad(), carved.put_bad()]
                bad.append(carved.path_of(broapt_name()))
                os.link(bad[0], bad[2])
                image = carved.put(broapt_name("image/png", "png"))
                kept = carved.put()
                carved.start("--once", ready=False, env=steps.environment(), before=steps.inject(call, when))
                code = carved.wait()
                check(code in (0, -signal.SIGKILL), f"it ended by itself: exit {code}")
                killed = code != 0
                kills += killed
                carved.start("--once", ready=False)
                same(carved.wait(), 0, "exit status of the undisturbed end")
                check_sound(carved, bad, [kept])
                # deleted, and not said: then nobody can tell who did it
                same(carved.sql("SELECT count(*) FROM disposal WHERE state = 'removed' AND note IS NULL OR "
                                "state = 'gone' AND note LIKE 'it was intended before%'"), [(1,)], "the image")
                check(not os.path.exists(image), "the image is still there")
            if not killed:
                break
    print(f"        {kills} kills")
    check(kills >= 10, "hardly a step was met")


def test_what_is_not_permitted_is_told_once_and_done_when_it_is():
    with Disposing() as carved, mounting.Mounts() as mounts:
        mounts.bind(carved.root, carved.root)
        bad = [carved.put_bad() for _ in range(20)]
        subprocess.run(["mount", "-o", "remount,bind,ro", carved.root], check=True)
        carved.start()
        carved.wait_until("SELECT count(*) FROM removal WHERE tries > 0", [(20,)])
        status = carved.until(lambda: carved.status()["disposal"]["trouble"] and carved.status(), "the trouble is told")
        check("read-write" in status["disposal"]["trouble"], f"no mend: {status['disposal']}")
        same(status["disposal"]["intended"], 20, "intended")
        said = carved.stderr().count(b"cannot be removed")
        check(1 <= said <= 2, f"it is said {said} times")
        subprocess.run(["mount", "-o", "remount,bind,rw", carved.root], check=True)
        carved.wait_ends((b"quarantined", 20))
        carved.until(lambda: carved.status()["disposal"]["trouble"] is None, "the trouble is over")
        check(b"are removed again" in carved.stderr(), "its end is not told")
        carved.stop()
        check_sound(carved, bad)


def test_a_quarantine_on_another_file_system():
    with Disposing() as carved, mounting.Mounts() as mounts:
        os.mkdir(carved.quarantine, 0o700)
        mounts.add("tmpfs", carved.quarantine, "tmpfs", options="mode=0700")
        carved.start()
        bad = [carved.put_bad() for _ in range(5)]
        image = carved.put(broapt_name("image/png", "png"))
        carved.wait_ends((b"quarantined", 5), (b"removed", 1))
        check_sound(carved, bad)
        check(not os.path.exists(image), "the image is still there")
        # out again, as another inode: it stays where it is put
        identity = carved.sql("SELECT id FROM quarantine WHERE path = CAST(? AS TEXT)", bad[0])[0][0]
        check_restoring(carved, identity, bad[0])
        carved.stop()


def test_a_file_system_that_cannot_rename_over_nothing():
    """As NFS: what stands there is removed by its name, and kept as a copy."""
    with Disposing() as carved:
        cannot = steps.inject("renameat2", "1+", "error=EINVAL")
        carved.start(before=cannot, env=steps.environment())
        bad = [carved.put_bad() for _ in range(3)]
        image = carved.put(broapt_name("image/png", "png"))
        carved.wait_ends((b"quarantined", 3), (b"removed", 1))
        check_sound(carved, bad)
        check(not os.path.exists(image), "the image is still there")
        carved.kill()   # a copy would have a row of its own
        identity = carved.sql("SELECT id FROM quarantine WHERE path = CAST(? AS TEXT)", bad[0])[0][0]
        done = carved.restore(identity, before=cannot, env=scenario.clean_environment(steps.environment()))
        same(done.returncode, 0, done.stderr)
        with open(bad[0], "rb") as file:
            same(file.read(), BAD, "what is restored")
        same(len(carved.kept()), 2, "files in the quarantine")


def check_restoring(carved, identity, path):
    """It is where it was, and stays there, also over a restart and when it is touched."""
    before = carved.sql("SELECT count(*) FROM removal")[0][0]
    done = carved.restore(identity)
    same(done.returncode, 0, done.stderr)
    with open(path, "rb") as file:
        same(file.read(), BAD, "what is restored")
    same(os.stat(path).st_mode & 0o7777, 0o644, "its mode")
    carved.until(lambda: scenario.at_rest(carved.status(), "recorded"), "it rests")
    for restart in False, True:
        if restart:
            carved.stop()
            carved.start()
        with open(path, "ab"):
            os.utime(path)
        other = carved.put_bad()
        carved.wait_until(f"SELECT state FROM disposal WHERE path = '{os.fsdecode(other)}'", [(b"quarantined",)])
        check(os.path.exists(path), "it was taken away again")
    carved.until(lambda: scenario.at_rest(carved.status(), "recorded"), "it rests")
    same(carved.sql("SELECT count(*) FROM removal"), [(before + 2,)], "removals")
    same(carved.sql("SELECT state FROM removal WHERE id = ?", identity), [(b"restored",)], "its removal")


def test_restored_is_not_taken_away_again():
    with Disposing() as carved:
        carved.start()
        bad = carved.put_bad()
        os.utime(bad, ns=(10**18, 10**18 + 1))
        carved.wait_ends((b"quarantined", 1))
        carved.wait_settled(1)
        same(carved.restore(7).returncode, 3, "exit status for an id that is not there")
        same(carved.restore(0).returncode, 2, "exit status for what is no id")
        with open(bad, "wb") as file:
            file.write(b"in its place")
        done = carved.restore(1)
        check(done.returncode == 3 and b"over another" in done.stderr, f"over another: {done.stderr!r}")
        os.unlink(bad)
        check_restoring(carved, 1, bad)
        done = carved.restore(1)
        check(done.returncode == 3 and b"restored already" in done.stderr, f"once more: {done.stderr!r}")
        carved.stop()


def test_a_history_that_is_not_hashed():
    """Then the change time alone tells; and a restored file is told by its size and place."""
    with Disposing() as carved:
        carved.write_config("unmatched: scan\nhash: never\nrescan_interval: 1s\ndetectors: [ { type: noop } ]\n"
                            "dispose: { clean: quarantine }\n")
        carved.start()
        path = carved.put(content=BAD)
        carved.wait_ends((b"quarantined", 1))
        since = carved.sql("SELECT intended_ns FROM removal")[0][0]
        same(carved.kept(), [f"1-{since}-unhashed"], "in the quarantine")
        check_restoring(carved, 1, path)
        carved.stop()


def test_a_history_that_is_begun_anew_beside_the_quarantine():
    """Its numbers begin anew, too: what the one before had taken away stays as it was."""
    with Disposing() as carved:
        seen = []
        for mode in 0o600, 0o640:
            path = carved.path_of(broapt_name())
            with open(path, "wb", opener=lambda name, flags, mode=mode: os.open(name, flags, mode)) as file:
                file.write(BAD)
            carved.start()
            carved.wait_ends((b"quarantined", 1))
            same(carved.sql("SELECT id FROM quarantine"), [(1,)], "its number")
            carved.stop()
            carved.made += 1
            seen.append((os.fsdecode(path), f"{mode:04o}"))
            if len(seen) == 1:
                for name in glob.glob(glob.escape(carved.history) + "*"):
                    os.unlink(name)
                carved.made = 0
        told = []
        for name in glob.glob(f"{carved.quarantine}/*.json"):
            with open(name, encoding="utf-8") as file:
                known = json.load(file)
            told.append((known["path"], known["mode"]))
            check(os.path.exists(name.removesuffix(".json")), f"what {name} is about is not there")
        same(sorted(told), sorted(seen), "what is in the quarantine")
        check(carved.restore(1).returncode == 0 and os.path.exists(path), "the last is put back")


def test_a_reload_brings_other_rules_and_says_what_waits():
    with Disposing() as carved:
        with open(carved.config_path, encoding="utf-8") as file:
            rules = file.read()
        none = rules[:rules.index("dispose:")]

        def reload(text):
            carved.write_config(text)
            return command("reload", "--history", carved.history).stdout
        carved.start()
        first = carved.put_bad()
        carved.wait_ends((b"quarantined", 1))
        check(b"disposal has ended" in reload(none), "that it ends is said")
        stays = carved.put_bad()
        carved.wait_settled(2)
        carved.wait_until("SELECT count(*) FROM event", [(0,)])  # the disposer has seen it
        check(b"disposal" not in reload(rules), "it begins at once")
        third = carved.put_bad()
        carved.wait_ends((b"quarantined", 2))
        same([os.path.exists(path) for path in (first, stays, third)], [False, True, False], "what stands")
        carved.stop()
        carved.write_config(none)
        carved.start()
        check(b"disposal begins at the next start" in reload(rules), "that it does not begin is said")
        carved.stop()


def test_what_is_judged_while_its_root_is_out_goes_when_it_is_back():
    for restarted in False, True:
        check_root_that_is_out(restarted)


def check_root_that_is_out(restarted):
    """By a reload, or a restart; and killed before it is back."""
    with Disposing() as carved:
        other = os.path.join(carved.home, "other")
        os.mkdir(other)
        with open(carved.config_path, encoding="utf-8") as file:
            rules = file.read()

        def configure(*roots):
            carved.write_config("roots: [" + ", ".join(f"{{ path: {root} }}" for root in roots) + "]\n" + rules)

        def reload(*roots):
            configure(*roots)
            same(command("reload", "--history", carved.history).returncode, 0, "the reload")
        configure(carved.root, other)
        carved.start(roots=[])
        same(command("pause", "--history", carved.history).returncode, 0, "the pause")
        bad = [carved.put_bad() for _ in range(20)]
        image = carved.put(broapt_name("image/png", "png"))
        carved.wait_until("SELECT count(*) FROM file WHERE state = 'queued'", [(21,)])
        if restarted:
            carved.wait_until("SELECT count(*) FROM meta WHERE key LIKE 'disposal_root_%'", [(2,)])
            configure(other)
            carved.kill()
            carved.start(roots=[])
        else:
            reload(other)
            same(command("resume", "--history", carved.history).returncode, 0, "the resumption")
        carved.wait_until("SELECT state, count(*) FROM file GROUP BY 1", [(b"done", 21)])
        carved.wait_until("SELECT state, note, count(*) FROM removal WHERE tries > 0 GROUP BY 1, 2",
                          [(b"intended", b"it lies below no configured root", 21)])
        same(carved.status()["disposal"]["trouble"], None, "the trouble")
        check(all(os.path.exists(path) for path in [*bad, image]), "a file has gone")
        carved.kill()
        carved.start(roots=[])
        carved.wait_until("SELECT count(*) FROM removal WHERE state = 'intended' AND tries > 0", [(21,)])
        reload(other, carved.root)
        carved.wait_ends((b"quarantined", 20), (b"removed", 1))
        carved.stop()
        check_sound(carved, bad)
        check(not os.path.exists(image), "the image is still there")


def test_a_user_who_may_write_to_the_directory_alone():
    """Files of a sensor's own user: their mode is not ours to change, so they are copied."""
    with Disposing(user=65534) as carved:
        shutil.copy(os.path.join(carved.home, "bad.sha256"), carved.state)
        carved.start()
        bad = [carved.put_bad() for _ in range(5)]
        carved.wait_ends((b"quarantined", 5))
        carved.stop()
        check_sound(carved, bad)
        same({os.stat(path).st_uid for path in glob.glob(f"{carved.quarantine}/*")}, {65534}, "whose they are")


def test_export_is_opened_with_the_password():
    if not shutil.which("7z"):
        raise Skip("7z is not installed (p7zip-full)")
    with Disposing() as carved:
        carved.start()
        carved.put_bad()
        carved.put_bad()
        carved.wait_ends((b"quarantined", 2))
        archive = os.path.join(carved.home, "x.zip")
        done = carved.words("export", "1", "2", archive)
        same(done.returncode, 0, done.stderr)
        same(os.stat(archive).st_mode & 0o777, 0o600, "who may read it")
        with open(archive, "rb") as file:
            check(BAD not in file.read(), "it is not encrypted")
        for password, code in ("wrong", 2), ("infected", 0):
            to = os.path.join(carved.home, password)
            done = subprocess.run(["7z", "x", f"-p{password}", f"-o{to}", archive], check=False, timeout=PATIENCE,
                                  stdin=subprocess.DEVNULL, capture_output=True)
            same(done.returncode, code, f"7z with the password {password}: {done.stdout!r}")
        listed = subprocess.run(["7z", "l", "-slt", archive], check=True, capture_output=True).stdout
        same(listed.count(b"Method = AES-256"), 4, "entries in AES-256")
        to = os.path.join(carved.home, "infected")
        for name in carved.kept():
            with open(os.path.join(to, name), "rb") as file:
                same(file.read(), BAD, name)
            with open(os.path.join(to, name + ".json"), "rb") as file:
                same(json.load(file)["verdict"], "malicious", name)
        done = carved.words("export", "1", archive)
        check(done.returncode == 3 and b"there already" in done.stderr, f"over another: {done.stderr!r}")
        done = carved.words("export", "1", "9", archive + "2")
        check(done.returncode == 3 and not os.path.exists(archive + "2"), f"half of it: {done.stderr!r}")
        done = carved.words("export", "--password", "other", "1", archive + "3")
        same(done.returncode, 0, done.stderr)
        place = os.path.join(carved.quarantine, carved.kept()[0])
        os.unlink(place)
        os.mkfifo(place)
        done = carved.words("export", "1", "2", archive + "4")
        check(done.returncode == 3 and b"no file" in done.stderr, f"what was put there: {done.stderr!r}")
        carved.stop()


if __name__ == "__main__":
    mounting.enter()
    scenario.main()
