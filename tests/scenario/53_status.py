"""carved status in full, and its exit status for probes of containers."""
import os
import signal
import sqlite3
import time

import held
import scenario
from scenario import NOOP, Carved, check, command, same


def health(carved):
    done = command("status", "--health", "--history", carved.history)
    return done.returncode, done.stdout


def await_health(carved, code, words):
    """Until it has that exit status and says words."""
    last = [None]

    def holds():
        last[0] = health(carved)
        return last[0][0] == code and words in last[0][1]
    try:
        carved.until(holds, f"health is {code}, {words!r}")
    except scenario.Failed as failure:
        raise scenario.Failed(f"{failure}; it is {last[0]!r}") from None


def test_rates_answers_and_what_stands_in_words():
    with Carved(NOOP) as carved:
        carved.start()
        for _ in range(40):
            carved.put(content=os.urandom(100))
        carved.wait_settled(40)
        carved.until(lambda: carved.status()["last_minute"]["answers"] == 40, "all are counted")
        status = carved.status()
        minute = status["last_minute"]
        same((minute["files"], minute["bytes"]), (40, 4000), "what the minute brought")
        check(minute["files_per_second"] > 0, f"the rate: {minute}")
        same([(one["name"], one["state"], one["answers"], one["errors"]) for one in status["answers"]],
             [("noop", "well", 40, 0)], "how the detector answered")
        same((status["healthy"], status["unhealthy"], status["gaps"], status["oldest_file"]),
             (True, [], [], None), "nothing is wrong or waits")
        check(abs(status["reconciled_ns"] / 1e9 - time.time()) < scenario.PATIENCE, "the last reconcile")
        text = command("status", "--history", carved.history).stdout
        for words in (b"last minute:\n", b"answers:\n", b"- name=noop state=well", b"oldest file: null", b"healthy: true"):
            check(words in text, f"{words!r} is not in {text!r}")


def test_roots_have_their_watches():
    with Carved(NOOP) as carved:
        for number in range(5):
            os.makedirs(os.path.join(carved.root, "a", str(number)))
        polled = os.path.join(carved.home, "polled")
        os.makedirs(os.path.join(polled, "x"))
        carved.write_config(NOOP + f"roots:\n  - path: {carved.root}\n  - {{ path: {polled}, mode: poll }}\n")
        carved.start(roots=[])
        same([(root["mode"], root["directories"], root["watches"]) for root in carved.status()["roots"]],
             [("events", 7, 7), ("polled", 2, 0)], "mode, directories and watches")


def test_the_oldest_file():
    with Carved() as carved:
        held.configure(carved)
        carved.start()
        paths = [carved.put()]
        fd = held.wait(carved)
        paths += [carved.put() for _ in range(5)]
        carved.wait_until("SELECT count(*) FROM file", [(6,)])
        oldest = carved.status()["oldest_file"]
        same((oldest["path"], oldest["where"]), (paths[0].decode(), "running"), "the one that the worker is at")
        carved.until(lambda: carved.status()["oldest_file"]["age_s"] > oldest["age_s"], "it grows older")
        held.let_through(carved, fd)
        carved.wait_settled(6)
        carved.until(lambda: carved.status()["oldest_file"] is None, "none is left")
        same([(one["answers"], one["max_ms"] >= one["mean_ms"] > 0) for one in carved.status()["answers"]],
             [(6, True)], "mean and longest answer")


def test_health_of_the_daemon():
    with Carved(NOOP) as carved:
        same(health(carved)[0], 1, "without a daemon")
        check(b"no carved runs" in health(carved)[1], f"its words: {health(carved)!r}")
        carved.start()
        same(health(carved), (0, b"healthy\n"), "of a running one")
        command("pause", "--history", carved.history)
        same(health(carved), (0, b"healthy, paused\n"), "of a paused one")
        same(command("status", "--health", "--json", "--history", carved.history).returncode, 2, "both")
        carved.send(signal.SIGSTOP)
        same(health(carved)[0], 1, "of one that does not answer")
        carved.send(signal.SIGCONT)
        await_health(carved, 0, b"healthy")
        carved.send(signal.SIGKILL)
        carved.wait()
        same(health(carved)[0], 1, "of one that is gone")


def test_health_of_its_parts():
    with Carved(NOOP + "  - { type: clamd, name: virus, socket: /nonexistent/clamd, timeout: 1s }\n") as carved:
        carved.start()
        same(carved.status()["detectors_away"][0]["name"], "virus", "who is away")
        same(health(carved)[0], 0, "health, while no file waits for it")
        carved.put()
        await_health(carved, 1, b"detector virus is away, and files wait for it")
        carved.write_config(NOOP)
        same(command("reload", "--history", carved.history).returncode, 0, "the reload")
        await_health(carved, 0, b"healthy")
        os.rename(carved.root, carved.root + ".away")
        await_health(carved, 1, f"root {carved.root}: it is not there".encode())
        same(carved.status()["healthy"], False, "the status says so too")
        os.rename(carved.root + ".away", carved.root)
        await_health(carved, 0, b"healthy")
        locked = sqlite3.connect(carved.history, isolation_level=None)
        locked.execute("BEGIN IMMEDIATE")
        carved.put()
        await_health(carved, 1, b"the history cannot be written")
        locked.execute("ROLLBACK")
        locked.close()
        await_health(carved, 0, b"healthy")
        carved.wait_settled(2)


if __name__ == "__main__":
    scenario.main()
