"""carved check tries every detector on EICAR: who finds it, who misses it, and what is left behind."""
import os
import signal
import subprocess

import scenario
from scenario import EICAR, Carved, check, command, same

API = """\
application:
  x-dosexec:
    workdir: /
    install: [touch {home}/installed]
    report: |
      grep -q 'EICAR-STANDARD-ANTI' "$BROAPT_PATH" && echo '{{"outcome":"malicious","signature":"By-Api"}}' >&3
      echo some output
example:
  workdir: /
  report: "exit 0"
"""
ALL = """\
detectors:
  - {{ type: hashlist, name: list, file: {list} }}
  - {{ type: hashlist, name: good, known: good, file: {list} }}
  - {{ type: noop }}
  - {{ type: command, name: office, mime: ["application/vnd.ms-*"], required: false, run: [/bin/sh, -c, "exit 9", sh, "{{path}}"] }}
  - {{ type: command, name: where, run: [/bin/sh, -c, 'case "$TMPDIR" in */tmp/carved-scratch-*) exit 0 ;; *) exit 9 ;; esac', sh, "{{path}}"] }}
  - {{ type: api, file: {home}/api.yml }}
"""


def run_check(carved, **options):
    temporary = os.path.join(carved.home, "tmp")
    working = os.path.join(carved.home, "cwd")
    os.makedirs(temporary, exist_ok=True)
    os.makedirs(working, exist_ok=True)
    env = scenario.clean_environment({"TMPDIR": temporary,
                                      "BROAPT_API_LOGS": os.path.join(carved.home, "logs")})
    done = command("check", "-c", carved.config_path, "--history", carved.history, carved.root,
                   env=env, cwd=working, **options)
    same(os.listdir(temporary), [], "what is left in $TMPDIR")
    same(os.listdir(working), [], "what is left in the working directory")
    check(not os.path.exists(os.path.join(carved.home, "logs")), "a log is left")
    return done


def test_each_detector_gets_its_line_while_a_daemon_runs():
    with Carved() as carved:
        with open(os.path.join(carved.home, "api.yml"), "w", encoding="ascii") as file:
            file.write(API.format(home=carved.home))
        carved.write_config(ALL.format(list=carved.write_hashlist(EICAR), home=carved.home))
        carved.start()
        done = run_check(carved)
        for words in (b"ok    detector list: finds EICAR as application/x-dosexec",
                      b"ok    detector good: does not look for malware",
                      b"warn  detector noop: MISSES EICAR",
                      b"warn  detector where: MISSES EICAR",
                      b"warn  detector office: failed on EICAR as application/vnd.ms-x",
                      b"ok    detector api: finds EICAR as application/x-dosexec by "
                      b"application/x-dosexec (line 3)"):
            check(words in done.stdout, f"{words!r} is not in {done.stdout.decode()}")
        check(b"By-Api" in done.stdout, "the signature is missing")
        same(done.returncode, 0, "exit status")
        check(not os.path.exists(os.path.join(carved.home, "installed")), "install was run")
        carved.stop()
        same(carved.sql("SELECT count(*) FROM file"), [(0,)], "rows of the history")


def test_when_nothing_finds_it_the_exit_status_says_so():
    with Carved(scenario.NOOP) as carved:
        done = run_check(carved)
        same(done.returncode, 3, "exit status")
        check(b"fail  none of the detectors finds EICAR" in done.stdout, done.stdout.decode())


def test_a_signal_ends_a_detector_that_hangs_and_leaves_nothing():
    with Carved() as carved:
        fifo = os.path.join(carved.home, "at-work")
        os.mkfifo(fifo)
        carved.write_config("detectors:\n  - { type: command, run: [/bin/sh, -c,"
                            f" 'read line < {fifo}', sh, '{{path}}'], read: {fifo} }}\n")
        temporary = os.path.join(carved.home, "tmp")
        os.mkdir(temporary)
        with subprocess.Popen([scenario.binary(), "check", "-c", carved.config_path, carved.root],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              env=scenario.clean_environment({"TMPDIR": temporary})) as process:
            held = carved.opened_to_read(fifo)
            process.send_signal(signal.SIGINT)
            same(process.wait(scenario.PATIENCE), -signal.SIGINT, "how it ended")
            os.close(held)
        same(os.listdir(temporary), [], "what is left in $TMPDIR")


if __name__ == "__main__":
    scenario.main()
