"""carved reload: how a reload ended is told to whoever asks for it."""
import os
import signal
import subprocess

import proc
import scenario
from scenario import NOOP, Carved, broapt_name, check, clean_environment, command, same

BAD_RULE = "rule broken { condition: }\n"


def reload(carved):
    return command("reload", "--history", carved.history)


def test_what_is_in_force_when_it_has_answered():
    with Carved(NOOP) as carved:
        carved.start()
        for count in range(1, 4):
            carved.write_config(f"detectors:\n  - {{ type: noop, name: number-{count} }}\n")
            done = reload(carved)
            same((done.returncode, done.stdout), (0, b"configuration and detectors reloaded\n"), "the answer")
            carved.put()
            carved.wait_settled(count)
            same(carved.sql("SELECT count(*) FROM scan WHERE detector = CAST(? AS TEXT)", f"number-{count}".encode()),
                 [(1,)], "the next file is asked of the new detector alone")


def test_what_is_refused():
    with Carved(NOOP) as carved:
        carved.start()
        for text, words in (("workres: 7\n", b"carved.yml:1:1"), ("", b"holds no settings any more"),
                            ("detectors:\n  - { type: hashlist, file: none }\n", b"none"),
                            ("# \x1b[2J\n- \x1b]0;x\x07\n", b"carved.yml")):
            carved.write_config(text)
            done = reload(carved)
            same(done.returncode, 2, f"exit status with {text!r} ({done.stderr!r})")
            check(words in done.stderr and b"the old state stays" in done.stderr, f"its words: {done.stderr!r}")
            check(b"\x1b" not in done.stderr, f"a raw escape: {done.stderr!r}")
            same(done.stdout, b"", "nothing is printed")
        path = carved.put()
        carved.wait_settled(1)
        same(carved.row(path), (b"done", None, b"clean"), "under the old configuration")


def test_what_is_not_loaded_and_what_takes_effect_later():
    with Carved(NOOP) as carved:
        rules = os.path.join(carved.home, "rules")
        os.mkdir(rules)
        for name, text in (("good.yar", "rule good { condition: false }\n"), ("bad.yar", BAD_RULE)):
            with open(os.path.join(rules, name), "w", encoding="ascii") as file:
                file.write(text)
        carved.start()
        carved.write_config(f"events: events.json\ndetectors:\n  - {{ type: yara, rules: {rules} }}\n")
        done = reload(carved)
        same(done.returncode, 0, f"exit status ({done.stderr!r})")
        check(b"bad.yar" in done.stdout, f"the file of rules is not named: {done.stdout!r}")
        check(b"events takes effect at the next start" in done.stdout, f"events: {done.stdout!r}")
        for setting, words in (("dispose: { clean: delete }", b"disposal begins at the next start"),
                               ("retention: { age: 30d }", b"retention begins at the next start"),
                               ("retention: { quarantine: 30d }", b"quarantine takes effect at the next start")):
            carved.write_config(NOOP)
            same(reload(carved).returncode, 0, "exit status")
            carved.write_config(f"{setting}\n{NOOP}")
            done = reload(carved)
            check(words in done.stdout, f"{setting}: {done.stdout!r}")


def test_many_at_once_are_all_answered():
    with Carved(NOOP) as carved:
        carved.start()
        carved.write_config("detectors:\n  - { type: noop, name: second }\n")
        asked = [subprocess.Popen([scenario.binary(), "reload", "--history", carved.history],
                                  env=clean_environment(), stdout=subprocess.PIPE) for _ in range(8)]
        for one in asked:
            told, _ = one.communicate(timeout=scenario.PATIENCE)
            same((one.returncode, told), (0, b"configuration and detectors reloaded\n"), "its answer")
        path = carved.put()
        carved.wait_settled(1)
        same(carved.row(path), (b"done", None, b"clean"), "the file")


def test_a_daemon_that_ends_meanwhile():
    """The reload waits at a configuration that is a pipe, for as long as its writer says nothing."""
    with Carved(NOOP) as carved:
        carved.start()
        os.unlink(carved.config_path)
        os.mkfifo(carved.config_path)
        writer = os.open(carved.config_path, os.O_RDWR | os.O_CLOEXEC)
        with subprocess.Popen([scenario.binary(), "reload", "--history", carved.history],
                              env=clean_environment(), stderr=subprocess.PIPE) as asked:
            carved.until(lambda: carved.config_path in proc.opened(carved.process.pid), "it is being read")
            check(asked.poll() is None, "it does not wait")
            carved.send(signal.SIGKILL)
            carved.wait()
            os.close(writer)
            _, words = asked.communicate(timeout=scenario.PATIENCE)
            same(asked.returncode, 3, f"exit status ({words!r})")
            check(b"before it was through" in words, f"its words: {words!r}")


def test_without_a_daemon():
    with Carved(NOOP) as carved:
        carved.put(broapt_name())
        for name in ("reload", "pause", "resume"):
            done = command(name, "--history", carved.history)
            same(done.returncode, 3, f"exit status of {name}")
            check(b"no carved runs" in done.stderr, f"its words: {done.stderr!r}")


if __name__ == "__main__":
    scenario.main()
