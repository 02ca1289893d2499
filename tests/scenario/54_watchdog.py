"""What the service manager is told: the watchdog, which is fed only while everybody gets on; ready, reloading, stopping."""
import os
import re
import select
import signal
import socket
import time

import frozen
import held
import proc
import scenario
from scenario import NOOP, Carved, check, command, same

FED = b"WATCHDOG=1"


class Manager:
    """A service manager's socket, kept open; all that it was told, in order."""

    def __init__(self, carved, interval=None, **env):
        self.carved = carved
        self.path = os.path.join(carved.home, "manager")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.env = {"NOTIFY_SOCKET": self.path, **env}
        if interval is not None:
            self.env["WATCHDOG_USEC"] = str(int(interval * 1e6))
        self.told = []

    def start(self, *words):
        self.carved.start(*words, ready=False, env=self.env)
        self.until(b"READY=1")
        return self

    def hear(self):
        """Takes what has come so far."""
        while select.select([self.socket], [], [], 0)[0]:
            self.told += self.socket.recv(4096).split(b"\n")
        return self.told

    def until(self, line, count=1, words=None):
        """Until that many lines like it have come, from now on; without those that came before when count > 1."""
        def holds():
            found = [one for one in self.hear() if re.fullmatch(line, one)]
            return found[-1] if len(found) >= count else None
        return self.carved.until(holds, words or f"{count} times {line!r}")

    def forget(self):
        self.hear()
        self.told.clear()


def read_log(carved, words):
    carved.until(lambda: words in carved.stderr(), f"{words!r} in the log")


def check_it_goes_on(manager, count=12):
    """It is fed that often from now on."""
    manager.forget()
    before = manager.carved.stderr().count(b"not fed")
    manager.until(FED, count)
    same(manager.carved.stderr().count(b"not fed"), before, f"how often it starved ({manager.carved.stderr()!r})")


def rest(manager, thread):
    """Until it has done nothing from one meal to the next but one: it may be writing what the start led to."""
    carved = manager.carved
    number = carved.until(lambda: frozen.thread_named(carved.process.pid, thread), f"a thread {thread}")

    def rests():
        before = proc.switches_of(f"{carved.process.pid}/task/{number}")
        check_it_goes_on(manager, 3)
        return proc.switches_of(f"{carved.process.pid}/task/{number}") == before
    carved.until(rests, f"{thread} rests")


def check_starves(manager, thread, name, work):
    """With that thread frozen, once it has work, nobody feeds the watchdog; afterwards somebody does."""
    carved = manager.carved
    rest(manager, thread)
    with frozen.Frozen(carved, thread):
        check_it_goes_on(manager, 4)  # it has no work
        work()
        read_log(carved, b"the watchdog is not fed any more: the thread " + name)
        manager.forget()
        loop = f"{carved.process.pid}/task/{carved.process.pid}"
        before = proc.switches_of(loop)
        carved.until(lambda: proc.switches_of(loop) >= before + 4, "the loop has had its timer")
        check(FED not in manager.hear(), "it is fed all the same")
    manager.until(FED)


def test_it_is_fed_while_nothing_happens_and_while_much_does():
    with Carved(NOOP) as carved:
        manager = Manager(carved, 0.2).start()
        check_it_goes_on(manager)
        for _ in range(200):
            carved.put()
        carved.wait_settled(200)
        check_it_goes_on(manager)
        carved.stop()
        check(not [line for line in manager.hear()[manager.told.index(b"STOPPING=1"):] if line == b"READY=1"],
              f"ready once more: {manager.told}")


def test_nobody_is_fed_who_does_not_ask():
    for env, words in (({}, None), ({"WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1"}, None),
                       ({"WATCHDOG_USEC": "soon"}, b"there is no watchdog: WATCHDOG_USEC"),
                       ({"WATCHDOG_USEC": "-1"}, b"there is no watchdog: WATCHDOG_USEC")):
        with Carved(NOOP) as carved:
            manager = Manager(carved, **env).start()
            for _ in range(3):
                manager.forget()
                carved.send(signal.SIGHUP)
                manager.until(b"READY=1")
                check(FED not in manager.told, f"fed with {env}")
            check(words is None or words in carved.stderr(), f"the log with {env}: {carved.stderr()!r}")


def test_a_thread_that_stands_still():
    with Carved(NOOP.replace("detectors", "workers: 1\nevents: events.json\ndetectors")) as carved:
        manager = Manager(carved, 0.6).start()
        check_starves(manager, "store", b"store ", carved.put)
        check_starves(manager, "worker-1", b"queue of the workers ", carved.put)
        check_starves(manager, "carved-reader", b"reader ", carved.put)
        check_starves(manager, "sink events", b"sink events ", carved.put)
        carved.wait_settled(4)


def test_a_worker_that_does_not_come_back_from_its_detector():
    with Carved() as carved:
        held.configure(carved, held.ALONE.replace("300s", "1s"))
        manager = Manager(carved, 0.6).start()
        carved.put()
        fd = held.wait(carved)
        with frozen.Frozen(carved, "worker-1"):
            read_log(carved, b"not fed any more: the thread worker-1 ")
        read_log(carved, b"the watchdog is fed")
        os.close(fd)


def test_what_takes_long_and_is_no_fault():
    with Carved() as carved:
        held.configure(carved)
        manager = Manager(carved, 0.3).start()
        for _ in range(3):
            carved.put()
        fd = held.wait(carved)
        check_it_goes_on(manager)
        same(command("pause", "--history", carved.history).returncode, 0, "the pause")
        manager.until(b"STATUS=paused")
        check_it_goes_on(manager)
        held.let_through(carved, fd)
        check_it_goes_on(manager)
        command("resume", "--history", carved.history)
        carved.wait_settled(3)


def test_a_clamd_that_hangs():
    with Carved() as carved:
        path = os.path.join(carved.home, "clamd")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            carved.write_config(f"detectors: [ {{ type: clamd, socket: {path}, timeout: 300s }} ]\n")
            manager = Manager(carved, 0.3).start()
            carved.put()
            connection, _ = listener.accept()
            check_it_goes_on(manager)
            connection.close()


def test_a_history_that_cannot_be_written():
    with Carved("rescan_interval: 1h\n" + NOOP) as carved:
        manager = Manager(carved, 0.6).start()
        os.rename(carved.history, carved.history + ".away")
        carved.put()
        manager.until(b"STATUS=the history cannot be written.*")
        check_it_goes_on(manager, 25)  # beyond the longest pause between two tries, which is 5 s
        os.rename(carved.history + ".away", carved.history)
        manager.until(b"STATUS=watching", words="it is well again")
        carved.wait_settled(1)


def test_all_of_it_was_stopped():
    """Then nobody is at fault when it goes on, not even who has work and has done nothing of it."""
    with Carved(NOOP) as carved:
        manager = Manager(carved, 0.6).start()
        with frozen.Frozen(carved, "store"):
            carved.put()
            carved.until(lambda: carved.status()["queue"]["saving"], "the store has work")
            carved.send(signal.SIGSTOP)
            before = carved.stderr().count(b"not fed")
            manager.forget()
            stopped = time.monotonic()
            carved.until(lambda: time.monotonic() > stopped + 1.3, "two intervals have passed")
            carved.send(signal.SIGCONT)
            manager.until(FED, words="it is fed at once")
            same(carved.stderr().count(b"not fed"), before, "how often it starved")
        carved.wait_settled(1)
        check_it_goes_on(manager)


def test_ready_reloading_and_stopping():
    with Carved("stop_grace: 100s\n" + NOOP) as carved:
        manager = Manager(carved).start()
        lines = manager.told
        same(lines[:2], [b"STATUS=loading detectors", b"EXTEND_TIMEOUT_USEC=60000000"], "what comes first")
        check(re.fullmatch(b"STATUS=watching, the first walk has met \\d+ entries so far", lines[2]), f"then: {lines}")
        same(lines[3:5], [b"READY=1", b"STATUS=watching"], "the end of the first walk")
        manager.forget()
        before = time.monotonic_ns() // 1000
        same(command("reload", "--history", carved.history).returncode, 0, "the reload")
        manager.until(b"STATUS=watching")
        same([manager.told[0], *manager.told[2:]], [b"RELOADING=1", b"STATUS=reloading", b"READY=1", b"STATUS=watching"],
             "what it says")
        when = int(re.fullmatch(b"MONOTONIC_USEC=(\\d+)", manager.told[1])[1])
        check(before <= when <= time.monotonic_ns() // 1000, f"the time: {when}")
        manager.forget()
        carved.write_config("nonsense: 1\n")
        same(command("reload", "--history", carved.history).returncode, 2, "one that is refused")
        manager.until(b"STATUS=watching, the last reload was refused")
        check(manager.told.index(b"RELOADING=1") < manager.told.index(b"READY=1"), f"it is ready: {manager.told}")
        manager.forget()
        carved.stop()
        same(manager.hear()[:3], [b"STOPPING=1", b"EXTEND_TIMEOUT_USEC=160000000",
                                  b"STATUS=stopping: what runs is finished or given up, the last reload was refused"],
             "how it stops")
        same(manager.told[3:], [b"EXTEND_TIMEOUT_USEC=400000000", b"STATUS=closing the history"], "and ends")


def test_a_manager_that_does_not_read():
    """Its queue takes a few words; nobody waits for it, and the last ones come in the end."""
    with Carved(NOOP) as carved:
        manager = Manager(carved).start()
        for _ in range(600):  # beyond net.unix.max_dgram_qlen
            same(command("reload", "--history", carved.history).returncode, 0, "a reload")
            if b"was not told" in carved.stderr():
                break
        carved.put()
        carved.wait_settled(1)
        carved.write_config("nonsense: 1\n")
        command("reload", "--history", carved.history)
        same(carved.stderr().count(b"was not told"), 1, "how often it is said")
        manager.forget()
        manager.until(b"STATUS=watching, the last reload was refused")
        check(b"READY=1" in manager.hear(), f"it is not ready again: {manager.told}")
        carved.stop()


if __name__ == "__main__":
    scenario.main()
