"""Wrong owners, missing directories, full disks, file systems of others: what carved can do it does, and it says what it
cannot, and how that is mended, in the log, the status and `carved check`."""
import os
import shutil

import mounting
import scenario
from scenario import Carved, Skip, broapt_name, check, clean_environment, command, same

NOBODY = 65534


def needs_root():
    if os.geteuid() != 0:
        raise Skip("another user is needed, so root")


def said_by_check(carved):
    """What `carved check` says, and its exit status."""
    done = command("check", "-c", carved.config_path, "--history", carved.history, executable=carved.binary,
                   env=clean_environment({"CARVED_ROOT": carved.root}), **carved.as_user())
    return done.stdout + done.stderr, done.returncode


def holds(text, *words):
    for word in words:
        check(word.encode() in text, f"{word!r} is not said: {text!r}")


def health(carved):
    done = command("status", "--health", "--history", carved.history)
    return done.returncode, done.stdout


def refused(carved):
    """What a run says that cannot begin."""
    carved.start(ready=False)
    same(carved.wait(), 3, "exit status")
    return carved.stderr()


def test_a_root_that_may_not_be_read_and_is_then():
    needs_root()
    with Carved("rescan_interval: 200ms\n" + scenario.NOOP, user=NOBODY) as carved:
        os.chown(carved.root, 0, 0)
        os.chmod(carved.root, 0o700)
        name = carved.path_of(broapt_name())
        with open(name, "wb") as file:
            file.write(b"x")
        text, _ = said_by_check(carved)
        holds(text, carved.root, "Permission denied: give the user that runs carved read and search permission")
        carved.start()
        holds(carved.stderr(), "give the user of this program read and search permission (r-x)")
        same(health(carved)[0], 1, "health")
        holds(health(carved)[1], carved.root, "cannot be read")
        os.chmod(carved.root, 0o755)
        carved.wait_until("SELECT state FROM file", [(b"done",)])
        carved.until(lambda: health(carved)[0] == 0, "health, once it is mended")


def test_a_file_that_may_not_be_read():
    needs_root()
    with Carved(scenario.NOOP, user=NOBODY) as carved:
        carved.start()
        made = os.path.join(carved.home, "made")
        with open(made, "wb") as file:
            file.write(b"x")
        os.chmod(made, 0o600)
        os.rename(made, carved.path_of(broapt_name()))
        carved.wait_until("SELECT reason FROM file", [(b"unreadable",)])
        carved.until(lambda: b"note=Permission" in carved.stderr(), "it is told")
        holds(carved.stderr(), "note=Permission denied (give the user of this program read permission")
        text, _ = said_by_check(carved)
        holds(text, "cannot be read: Permission denied: give the user that runs carved read permission")


def test_a_history_that_cannot_be_made_or_written():
    needs_root()
    with Carved(scenario.NOOP, user=NOBODY) as carved:
        os.chown(carved.state, 0, 0)
        holds(refused(carved), "cannot be opened: Permission denied: it and its directory must belong to the user")
        text, code = said_by_check(carved)
        same(code, 3, "exit status of check")
        holds(text, carved.state + ": Permission denied: give the user that runs carved write permission")
        os.rmdir(carved.state)
        holds(refused(carved), "cannot be opened: No such file or directory: make the directory")
        os.mkdir(carved.state)
        os.chown(carved.state, NOBODY, NOBODY)
        with open(carved.history, "wb"):
            pass
        holds(refused(carved), "cannot be opened for writing: Permission denied: it and its directory must belong")
        os.unlink(carved.history)
        carved.start()


def test_events_that_cannot_be_written_are_told_at_the_start():
    needs_root()
    with Carved(scenario.NOOP, user=NOBODY) as carved:
        events = os.path.join(carved.home, "closed", "events.json")
        with open(carved.config_path, "a", encoding="utf8") as file:
            file.write(f"events: {events}\n")
        carved.start()
        carved.until(lambda: b"events are not told" in carved.stderr(), "it is told without an event")
        holds(carved.stderr(), "No such file or directory: make the directory")
        carved.put()
        carved.wait_settled(1)
        os.mkdir(os.path.dirname(events))
        os.chown(os.path.dirname(events), NOBODY, NOBODY)
        carved.until(lambda: os.path.exists(events) and os.path.getsize(events) > 0, "the event is told")


def test_logs_of_api_yml_that_cannot_be_kept():
    needs_root()
    with Carved("detectors: [ { type: api, file: api.yml } ]\n", user=NOBODY) as carved:
        shipped = os.path.join(os.path.dirname(__file__), "..", "..", "packaging", "api.yml")
        with open(shipped, encoding="ascii") as example, open(os.path.join(carved.home, "api.yml"), "w", encoding="ascii") as own:
            own.write(example.read().replace("#~", ""))  # what is to be used so
        text, _ = said_by_check(carved)
        holds(text, "ok    detector api (line")
        holds(text, "api_logs /var/log/bro/api/", "what api.yml's commands print is not kept: give the user")
        check(b"without double quotes" not in text, f"a false alarm: {text!r}")


def test_a_full_disk_is_named_and_mended():
    with Carved(scenario.NOOP) as carved:
        filler = os.path.join(carved.state, "filler")
        with mounting.mounted(carved.state, "-t", "tmpfs", "-o", "size=64k", "none"):
            with open(filler, "wb") as file:
                file.write(b"x" * 57344)
            holds(refused(carved), "the disk is full: free some space")
            text, _ = said_by_check(carved)
            holds(text, "MiB are free in " + carved.state)


def test_check_names_what_keeps_files_from_being_taken_away():
    with Carved(scenario.NOOP) as carved:
        above = os.path.join(carved.home, "above")
        quarantine = os.path.join(above, "quarantine")
        with open(carved.config_path, "a", encoding="utf8") as file:
            file.write(f"dispose: {{ malicious: quarantine }}\nquarantine: {quarantine}\npressure: {above}/pressure\n")
        text, _ = said_by_check(carved)
        holds(text, f"quarantine {quarantine}: nothing is removed: {above}: No such file or directory: make the directory",
              f"pressure {above}/pressure: {above}: No such file or directory: make the directory")
        os.mkdir(above)
        text, _ = said_by_check(carved)
        holds(text, f"quarantine {quarantine}: is not there yet, it will be made", f"pressure {above}/pressure: can be written")
        os.mkdir(quarantine, 0o700)
        os.mkdir(os.path.join(above, "pressure"))
        text, _ = said_by_check(carved)
        holds(text, f"quarantine {quarantine}: can be written, and is nobody else's",
              "pressure: is a directory: name a file in it")
        mend = "Read-only file system: mount it read-write"
        with mounting.mounted(quarantine, "-t", "tmpfs", "-o", "ro,mode=700", "none"), \
                mounting.mounted(carved.root, "-t", "tmpfs", "-o", "ro", "none"):
            text, _ = said_by_check(carved)
            holds(text, f"quarantine {quarantine}: nothing is removed: {mend}",
                  f"root {carved.root}: files cannot be removed from it: {mend}")


def test_a_volume_that_others_may_write_to():
    if not shutil.which("bindfs"):
        raise Skip("no bindfs (package bindfs)")
    with Carved(scenario.NOOP) as carved:
        source = os.path.join(carved.home, "source")
        os.mkdir(source)
        try:
            for at in carved.root, carved.state:
                done = mounting.run("bindfs", source, at)
                if done.returncode:
                    raise Skip(f"no FUSE here: {done.stderr!r}")
            text, _ = said_by_check(carved)
            holds(text, "walked every rescan_interval", "where SQLite's write-ahead log does not work")
            carved.start(roots=[carved.root])
            holds(carved.stderr(), "the root is walked at every rescan", "write-ahead log is not safe: put it on a local")
            same(carved.status()["roots"][0]["mode"], "polled", "the root's mode")
            carved.kill()
        finally:
            for at in carved.root, carved.state:
                mounting.run("umount", "-l", at)


if __name__ == "__main__":
    mounting.enter()
    scenario.main()
