"""Descriptors and threads run out: nothing is lost or recorded twice, nothing spins, the log says what to
raise, and all goes on by itself once there are enough. And none is handed on to children.
"""
import importlib
import json
import os
import resource
import signal
import socket
import sys
import time

import proc
import scenario
import steps
from clamd import Clamd
from scenario import Carved, Skip, check, same

remote = importlib.import_module("21_remote")
helpers = importlib.import_module("24_helpers")
limits = importlib.import_module("35_limits")

QUICK = "rescan_interval: 300ms\n"
LIST_FDS = r"""
import json, os
held = {fd: os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
        if os.path.lexists(f"/proc/self/fd/{fd}")}
os.write(3, json.dumps({"outcome": "clean", "detail": held}).encode() + b"\n")
"""
YARA = "  - {{ type: yara, name: y, rules: {path} }}\n"
COMMAND = "  - {{ type: command, name: look, run: [/bin/sh, -c, 'exec test -f \"$0\"', '{{path}}'] }}\n"
RULE = 'rule r { strings: $word = "nothing like that" condition: $word }\n'


def limit_of(carved):
    return resource.prlimit(carved.process.pid, resource.RLIMIT_NOFILE)


def set_limit(carved, soft):
    """The number from which on no descriptor is given out."""
    resource.prlimit(carved.process.pid, resource.RLIMIT_NOFILE, (soft, limit_of(carved)[1]))


def open_files(carved):
    return {int(fd) for fd in os.listdir(f"/proc/{carved.process.pid}/fd")}


def leave(carved, more):
    """Only so many more descriptors are to be had."""
    held = open_files(carved)
    free = 0
    while more >= 0:
        more -= free not in held
        free += 1
    set_limit(carved, free - 1)


def processor_seconds(carved):
    return proc.ticks(carved.process.pid) / os.sysconf("SC_CLK_TCK")


def check_it_sleeps(carved, words, seconds=1.0):
    """A loop that spins takes all of a processor; what is tried again now and then takes little."""
    began, used = time.monotonic(), processor_seconds(carved)
    check(not carved.ended(seconds), f"it lives on: {words}")
    used, elapsed = processor_seconds(carved) - used, time.monotonic() - began
    check(used < 0.6 * elapsed, f"{used} s of {elapsed} s at work: {words}")


def each_once(carved, files):
    carved.wait_settled(files)
    same(carved.sql("SELECT count(*), count(DISTINCT path), count(*) FILTER (WHERE state = 'done') FROM file"),
         [(files, files, files)], "versions, paths, done")


def write_rule(carved):
    path = os.path.join(carved.home, "r.yar")
    with open(path, "w", encoding="ascii") as file:
        file.write(RULE)
    return path


def detectors(carved, which, port):
    if which == "noop":
        return scenario.NOOP
    if which == "command":
        return "detectors:\n" + COMMAND.format()
    if which == "clamd":
        return f"detectors:\n  - {{ type: clamd, socket: {port} }}\n"
    if which == "remote":
        return f"detectors:\n  - {{ type: remote, name: far, url: 'http://127.0.0.1:{port}/scan' }}\n"
    return "detectors:\n" + YARA.format(path=write_rule(carved))


def run_out(which, more, port):
    words = f"{which} with {more} more"
    with Carved() as carved:
        carved.write_config(QUICK + detectors(carved, which, port))
        carved.start("--workers", "3")
        before = limit_of(carved)[0]
        leave(carved, more)
        for i in range(8):
            carved.put(f"new{i}/below/" + scenario.broapt_name())
            carved.put()
        check_it_sleeps(carved, words, 0.5)
        set_limit(carved, before)
        carved.wait_settled(16)
        same(carved.sql("SELECT outcome, detail FROM scan WHERE outcome IN ('error', 'timeout')"), [],
             f"attempts that failed, {words}")
        each_once(carved, 16)
        carved.wait_gaps_closed()
        if more == 0:
            for told in (b"RLIMIT_NOFILE", b"LimitNOFILE="):
                check(told in carved.stderr(), f"{told} is said: {which}")
            check(carved.sql("SELECT count(*) FROM gap WHERE cause = 'limit'")[0][0], f"a gap: {words}")
        carved.stop()


def test_none_left_while_files_and_directories_come():
    with remote.Server(remote.judge) as server:
        small = [("noop", 0), ("command", 0), ("command", 4), ("yara", 1), ("remote", 3)]
        full = [(which, more) for which in ("noop", "command", "yara", "remote") for more in range(16)]
        for which, more in scenario.scaled(small, full):
            run_out(which, more, server.port)


def test_none_left_with_clamd():
    with Clamd() as clamd:
        clamd.start()
        for more in scenario.scaled((2,), range(16)):
            run_out("clamd", more, clamd.socket)


def test_clients_that_say_nothing_take_the_last_ones():
    with Carved(QUICK + scenario.NOOP) as carved:
        carved.start()
        before = limit_of(carved)[0]
        leave(carved, 2)
        clients = []
        for _ in range(10):
            client = socket.socket(socket.AF_UNIX)
            client.connect(carved.history + ".sock")
            clients.append(client)
        check_it_sleeps(carved, "silent clients")
        same(carved.status()["state"], "running", "one that speaks is answered")
        for client in clients:
            client.close()
        set_limit(carved, before)
        carved.stop()


def test_no_client_can_be_let_in_at_all():
    with Carved(QUICK + scenario.NOOP) as carved:
        output = os.path.join(carved.home, "strace")
        carved.start(before=steps.before("accept4:error=ENFILE:when=1..200", output=output),
                     env=steps.environment())
        client = socket.socket(socket.AF_UNIX)
        client.connect(carved.history + ".sock")
        check_it_sleeps(carved, "a client that is not let in")
        client.close()
        carved.watched = False
        carved.put()
        each_once(carved, 1)
        tries = steps.injected(output)
        check(1 <= tries < 20, f"tried {tries} times")
        carved.stop()


def test_the_whole_system_has_none_now_and_then():
    step = scenario.scaled(7, 3)
    for call in ("openat2", "openat"):
        with Carved(QUICK + scenario.NOOP) as carved:
            faulty = steps.before(f"{call}:error=ENFILE:when=150+{step}")
            for i in range(10):
                carved.put(f"d{i}/" + scenario.broapt_name())
            try:
                carved.start(before=faulty, env=steps.environment())
            except scenario.Failed:
                raise Skip("the start needs what was refused") from None
            for i in range(10):
                carved.put(f"e{i}/f/" + scenario.broapt_name())
            each_once(carved, 20)
            carved.watched = False
            carved.stop()


def test_no_thread_at_the_start():
    if scenario.sanitizer() == "thread":
        raise Skip("the thread sanitizer has a thread of its own")
    for nth in scenario.scaled((1, 3), range(1, 6)):
        with Carved(scenario.NOOP) as carved:
            carved.start("--workers", "3", ready=False, before=steps.before(f"clone3:error=EAGAIN:when={nth}"),
                         env=steps.environment())
            same(carved.wait(), 3, f"exit status without thread {nth}")
            check(b"TasksMax=" in carved.stderr(), f"what to raise is said without thread {nth}: {carved.stderr()!r}")


def processes_limit(carved):
    """A control group of the daemon's own that bounds processes and threads; the file of the limit."""
    for top in ("/sys/fs/cgroup/pids", "/sys/fs/cgroup"):
        group = os.path.join(top, "carved-scenario-" + str(carved.process.pid))
        try:
            os.mkdir(group)
            if not os.path.exists(group + "/pids.max"):
                os.rmdir(group)
                continue
            with open(group + "/cgroup.procs", "w", encoding="ascii") as file:
                file.write(str(carved.process.pid))
            return group
        except OSError:
            continue
    raise Skip("no control group for processes can be made")


def write(path, value):
    with open(path, "w", encoding="ascii") as file:
        file.write(str(value))


def test_no_process_and_no_thread_for_a_while():
    for more in scenario.scaled((0, 2), range(6)):
        with Carved(QUICK + detectors(None, "command", None)) as carved:
            carved.start("--workers", "3")
            group = processes_limit(carved)
            try:
                with open(group + "/pids.current", encoding="ascii") as file:
                    write(group + "/pids.max", int(file.read()) + more)
                carved.send(signal.SIGHUP)
                for _ in range(12):
                    carved.put()
                if more == 0:
                    carved.until(lambda: b"nothing is reloaded now, it is tried again" in carved.stderr(), "no thread")
                    carved.until(lambda: b"a file could not be looked at" in carved.stderr(), "no process")
                    check(b"TasksMax=" in carved.stderr(), "it is said what to raise")
                check_it_sleeps(carved, f"no process, but {more}", 0.5)
                write(group + "/pids.max", "max")
                carved.wait_settled(12)
                same(carved.sql("SELECT outcome, count(*) FROM scan GROUP BY 1"), [(b"clean", 12)], "outcomes")
                carved.until(lambda: b"configuration and detectors reloaded" in carved.stderr(), "it is reloaded")
                carved.stop()
            finally:
                carved.kill()
                carved.until(lambda g=group: removed(g), "its group can be removed")


def removed(group):
    """A group goes when the last of its processes is reaped."""
    try:
        os.rmdir(group)
    except OSError:
        return False
    return True


def test_the_soft_limit_is_raised_and_a_low_one_is_told():
    with Carved(scenario.NOOP) as carved:
        real = carved.binary
        for hard, code, words in ((4096, 0, None), (80, 0, b"may be needed by 4 workers: set LimitNOFILE="),
                                  (40, 3, b"are needed by 4 workers: set LimitNOFILE=")):
            limits.through(carved, f"ulimit -Sn 30; ulimit -Hn {hard}; exec {real} \"$@\"")
            carved.start("--workers", "4", ready=not code)
            if code:
                same(carved.wait(), code, f"exit status with {hard}")
            else:
                same(limit_of(carved), (hard, hard), "its limits")
                path = carved.put()
                carved.until(lambda p=path: carved.sql("SELECT 1 FROM file WHERE path = CAST(? AS TEXT) "
                                                       "AND state = 'done'", p), f"it works with {hard}")
                carved.stop()
            said = carved.stderr()
            check((b"RLIMIT_NOFILE" in said) == bool(words) and (not words or words in said), f"with {hard}: {said}")


def test_inherited_descriptors_are_not_handed_on():
    with Carved() as carved:
        script = os.path.join(carved.home, "list.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write(LIST_FDS)
        carved.write_config("detectors:\n" + YARA.format(path=write_rule(carved)) + "  - { type: command, name: look, "
                            f"run: [/usr/bin/python3, {script}, '{{path}}'] }}\n")
        starter = os.path.join(carved.home, "starter.py")
        with open(starter, "w", encoding="utf-8") as file:
            file.write("import os, resource, sys\n"
                       "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
                       "resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))\n"
                       "for i in range(1100):\n"
                       "    os.set_inheritable(os.open('/etc/passwd', os.O_RDONLY), True)\n"
                       "os.execv(sys.argv[1], sys.argv[1:])\n")
        limits.through(carved, f"exec {sys.executable} {starter} {carved.binary} \"$@\"")
        if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 2000:
            raise Skip("fewer than 2000 descriptors may be open here")
        carved.start()
        check(max(open_files(carved)) > 1100, "they are inherited")
        for i in range(3):
            carved.put(f"d{i}/" + scenario.broapt_name())
        each_once(carved, 3)
        for (detail,) in carved.sql("SELECT detail FROM scan WHERE detector = 'look'"):
            held = json.loads(detail)
            check(set(held) <= {"0", "1", "2", "3", "4"}, f"the command has {held}")
        zygotes, scanners = helpers.helpers(carved)
        check(zygotes and scanners, "there are helpers")
        for pid in zygotes | scanners:
            held = {fd: os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
            check("/etc/passwd" not in held.values() and len(held) < 10, f"a helper has {held}")
        carved.stop()


if __name__ == "__main__":
    scenario.main()
