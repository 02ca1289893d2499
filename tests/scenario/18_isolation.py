"""Commands that mean harm: what they reach, what they leave behind, how they are ended."""
import json
import os
import shutil
import signal
import stat
import tempfile
import uuid

import scenario
from scenario import Carved, Skip, binary, check, command, processes_with, same

# Tries each thing and reports how it went: "done", or the name of the errno.
PROBE = r"""
import errno, json, os, socket, sys
sample = sys.argv[1]
root = os.path.dirname(sample)
home = os.path.dirname(root)

def write(path, mode="w"):
    with open(path, mode) as file:
        file.write("x")

attempts = {
    "shadow": lambda: open("/etc/shadow").read(),
    "planted": lambda: open(home + "/planted").read(),
    "history": lambda: open(home + "/state/history.db", "rb").read(),
    "list": lambda: os.listdir(root),
    "sample": lambda: open(sample, "rb").read(),
    "append": lambda: write(sample, "a"),
    "truncate": lambda: os.truncate(sample, 0),
    "unlink": lambda: os.unlink(sample),
    "rename": lambda: os.rename(sample, os.environ["TMPDIR"] + "/stolen"),
    "link": lambda: os.link(sample, os.environ["TMPDIR"] + "/linked"),
    "beside": lambda: write(sample + ".new"),
    "tmp": lambda: write("/tmp/" + sys.argv[2]),
    "shm": lambda: write("/dev/shm/" + sys.argv[2]),
    "scratch": lambda: write(os.environ["TMPDIR"] + "/new"),
    "home": lambda: write(os.environ["HOME"] + "/new"),
    "null": lambda: write("/dev/null"),
    "inet": lambda: socket.socket(socket.AF_INET),
    "inet6": lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
    "unix": lambda: socket.socket(socket.AF_UNIX),
    "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "setsid": os.setsid,
    "setpgid": lambda: os.setpgid(0, 0),
    "signal": lambda: os.kill(os.getppid(), 0),
    "everybody": lambda: os.kill(-1, 0),
    "chmod": lambda: os.chmod(sample, 0o4777),
}
result = {}
for name, attempt in attempts.items():
    try:
        attempt()
        result[name] = "done"
    except OSError as error:
        result[name] = errno.errorcode[error.errno]
os.write(3, json.dumps({"outcome": "clean", "detail": result}).encode() + b"\n")
"""

FILES = {"shadow": "EACCES", "planted": "EACCES", "history": "EACCES", "list": "EACCES",
         "append": "EACCES", "truncate": "EACCES", "unlink": "EACCES", "beside": "EACCES",
         "tmp": "EACCES", "shm": "EACCES"}
MOVES = {"rename": ("EACCES", "EXDEV"), "link": ("EACCES", "EXDEV", "EPERM")}
CALLS = {"inet": "EPERM", "inet6": "EPERM", "unix": "EPERM", "netlink": "EPERM", "setsid": "EPERM",
         "setpgid": "EPERM", "everybody": "EPERM"}
ALWAYS = {"sample": "done", "scratch": "done", "home": "done", "null": "done", "chmod": "done"}


def kernel():
    """What "carved check" says of this kernel's isolation."""
    with tempfile.TemporaryDirectory() as home:
        root = os.path.join(home, "in")
        os.mkdir(root)
        done = command("check", "--history", os.path.join(home, "history.db"), root)
    lines = [line for line in done.stdout.splitlines() if b"isolation: " in line]
    same(len(lines), 1, "lines about isolation")
    return lines[0].decode()


def need(part):
    words = kernel()
    if part not in words or f"no {part}" in words:
        raise Skip(f"this kernel lacks {part}: {words}")


def detector(carved, text, *words, keys=""):
    """Configures one command, python text as a script beside the root."""
    script = os.path.join(carved.home, "script.py")
    with open(script, "w", encoding="utf-8") as file:
        file.write(text)
    run = ["/usr/bin/python3", script, "{path}", *words]
    carved.write_config("detectors:\n  - { type: command, name: tool, retries: 1, timeout: 120s, "
                        f"run: {json.dumps(run)}{keys} }}\n")


def scratch(carved):
    """What lies in the place of the scratch directories."""
    try:
        return os.listdir(carved.history + ".scratch")
    except FileNotFoundError:
        return []


def answer(carved):
    """The one outcome in the history, by "carved sql": outcome, and detail decoded."""
    done = command("sql", "--history", carved.history, "--format", "json",
                   "SELECT outcome, detail FROM scan")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    rows = rows[0] if rows and isinstance(rows[0], list) else rows
    same(len(rows), 1, f"outcomes ({done.stdout!r})")
    detail = rows[0]["detail"]
    return rows[0]["outcome"], json.loads(detail) if isinstance(detail, str) else detail


def scanned(carved):
    """Starts, scans one file, and gives its path and the answer."""
    carved.start()
    path = carved.put()
    carved.wait_settled(1)
    return path, *answer(carved)


def probe(user=None, keys=""):
    marker = "carved-probe-" + uuid.uuid4().hex
    with Carved(user=user) as carved:
        with open(os.path.join(carved.home, "planted"), "w", encoding="ascii") as file:
            file.write("secret")
        os.chmod(file.name, 0o644)
        detector(carved, PROBE, marker, keys=keys)
        before = os.umask(0o022)
        path, outcome, detail = scanned(carved)
        os.umask(before)
        same(outcome, "clean", f"the probe ran ({detail!r})")
        with open(path, "rb") as file:
            same(len(file.read()), 64, "bytes of the sample")
        check(not stat.S_IMODE(os.stat(path).st_mode) & 0o4002, "the sample's mode was changed")
        same(os.listdir(carved.root), [os.path.basename(os.fsdecode(path))], "files below the root")
        for place in ("/tmp/", "/dev/shm/"):
            if os.path.exists(place + marker):
                os.unlink(place + marker)
        same(scratch(carved), [], "scratch directories")
        return detail


def expect(detail, wanted):
    same({name: detail[name] for name in wanted}, wanted, "what was tried")


def test_files_outside_of_the_rules_are_out_of_reach():
    need("Landlock")
    detail = probe()
    expect(detail, FILES | ALWAYS)
    for name, codes in MOVES.items():
        check(detail[name] in codes, f"{name}: {detail[name]}")


def test_no_socket_is_opened_and_nobody_leaves_the_group():
    need("seccomp")
    expect(probe(), CALLS | ALWAYS)


def test_the_same_holds_for_another_user():
    if os.geteuid() != 0:
        raise Skip("only root can start a daemon as another user")
    need("Landlock")
    need("seccomp")
    expect(probe(user=65534), FILES | CALLS | ALWAYS)


def test_nobody_outside_is_signalled():
    words = kernel()
    if "Landlock" not in words or "signals" in words or "no Landlock" in words:
        raise Skip(f"this kernel cannot: {words}")
    expect(probe(), {"signal": "EPERM"})


def test_network_opens_sockets_and_nothing_else():
    need("seccomp")
    detail = probe(keys=", network: true")
    expect(detail, {"inet": "done", "inet6": "done", "unix": "done", "setsid": "EPERM"})


def test_read_opens_what_it_names():
    with Carved() as carved:
        os.mkdir(os.path.join(carved.home, "rules.d"))
        with open(os.path.join(carved.home, "rules.d", "one"), "w", encoding="ascii") as file:
            file.write("rule")
        detector(carved, "import os, sys\n"
                 "base = os.path.dirname(os.path.dirname(sys.argv[1]))\n"
                 "sys.exit(open(base + '/rules.d/one').read() == 'rule')\n", keys=", read: rules.d")
        _, outcome, detail = scanned(carved)
        same(outcome, "malicious", f"a rule that is read ({detail!r})")


# A daemon: two forks, a session of its own if it can, deaf to SIGTERM; the command ends when it is up.
DAEMON = r"""
import os, signal, sys, time
read, write = os.pipe()
if os.fork() == 0:
    if os.fork():
        os._exit(0)
    try:
        os.setsid()
    except PermissionError:
        pass
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    os.write(write, b"up")
    while True:
        time.sleep(1000)
os.read(read, 2)
if len(sys.argv) > 3:
    time.sleep(1000)
sys.exit(0)
"""


def test_a_daemonised_child_does_not_outlive_the_command():
    marker = uuid.uuid4().hex
    with Carved() as carved:
        detector(carved, DAEMON, marker)
        _, outcome, detail = scanned(carved)
        same(outcome, "clean", f"the command's own end ({detail!r})")
        same(processes_with(marker), [], "processes that are left")


def test_sigterm_that_is_ignored_does_not_help_at_the_deadline():
    marker = uuid.uuid4().hex
    with Carved() as carved:
        detector(carved, DAEMON, marker, "stay")
        with open(carved.config_path, encoding="utf-8") as file:
            text = file.read()
        carved.write_config(text.replace("timeout: 120s", "timeout: 2s"))
        _, outcome, _ = scanned(carved)
        same(outcome, "timeout", "the outcome")
        same(processes_with(marker), [], "processes that are left")
        same(scratch(carved), [], "scratch directories")


def test_nothing_outlives_a_daemon_that_is_killed():
    marker = uuid.uuid4().hex
    with Carved() as carved:
        detector(carved, DAEMON, marker, "stay")
        carved.start()
        carved.put()
        carved.until(lambda: len(processes_with(marker)) > 2, "launcher, command and its daemon are up")
        carved.kill()
        carved.until(lambda: not processes_with(marker), "all of them are dead")
        same(len(scratch(carved)), 1, "scratch directories that are left")
        carved.write_config(scenario.NOOP)
        carved.start()
        carved.wait_settled(1)
        same(scratch(carved), [], "scratch directories after the next start")


def test_a_stop_of_the_daemon_leaves_nothing():
    marker = uuid.uuid4().hex
    with Carved() as carved:
        detector(carved, DAEMON, marker, "stay")
        with open(carved.config_path, "a", encoding="utf-8") as file:
            file.write("stop_grace: 0s\n")
        carved.start()
        carved.put()
        carved.until(lambda: len(processes_with(marker)) > 2, "launcher, command and its daemon are up")
        carved.stop()
        same(processes_with(marker), [], "processes that are left")
        check(not os.path.exists(carved.history + ".scratch"), "the scratch place is left")


# 200 processes, each of which goes on as its own child for ever, from the moment on when all are up: before,
# the command would not get enough of the processor to start the rest. It ends while they are at it.
BOMB = r"""
import os
begin, hold = os.pipe()
read, write = os.pipe()
for i in range(200):
    if os.fork() == 0:
        os.close(hold)
        os.read(begin, 1)
        lives = 0
        while True:
            if os.fork():
                os._exit(0)
            lives += 1
            if lives == 20:
                os.write(write, b"x")
os.close(hold)
os.read(read, 1)
os._exit(1)
"""


def test_a_fork_bomb_is_ended_with_its_group():
    marker = uuid.uuid4().hex
    with Carved() as carved:
        detector(carved, BOMB, marker)
        _, outcome, detail = scanned(carved)
        same(outcome, "malicious", f"the command's own end ({detail!r})")
        same(processes_with(marker), [], "processes that are left")


def test_a_gigabyte_of_output_is_read_and_dropped():
    with Carved() as carved:
        carved.start()
        carved.stop()
        detector(carved, "import os\nfor i in range(1024): os.write(1, b'x' * 1048576)\n"
                 "os.write(2, b'last words')\nos._exit(7)\n")
        _, outcome, detail = scanned(carved)
        same((outcome, detail["error"], detail["stderr"]),
             ("error", "exit status 7", "last words"), "the answer")
        if b"Sanitizer" not in open(binary(), "rb").read():
            check(carved.memory("VmHWM") < 128 * 1024, f"the daemon grew to {carved.memory('VmHWM')} KiB")


def test_an_end_by_signal_is_told():
    with Carved() as carved:
        detector(carved, "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
        _, outcome, detail = scanned(carved)
        same((outcome, detail["error"]), ("error", "killed by signal 11 (SIGSEGV)"), "the answer")


def test_what_is_left_in_the_scratch_directory_is_removed():
    with Carved() as carved:
        detector(carved, "import os\n"
                 "assert os.environ['TMPDIR'] == os.environ['HOME']\n"
                 "os.chdir(os.environ['TMPDIR'])\n"
                 "os.symlink('/', 'link'); os.mkfifo('fifo')\n"
                 "os.mkdir('closed', 0); open('file', 'w').write('x')\n"
                 "for i in range(3000): os.mkdir('d'); open('f', 'w').close(); os.chdir('d')\n")
        planted = os.path.join(carved.home, "planted")
        with open(planted, "w", encoding="ascii"):
            pass
        _, outcome, detail = scanned(carved)
        same(outcome, "clean", f"it wrote ({detail!r})")
        same(scratch(carved), [], "scratch directories")
        check(os.path.exists(planted), "a link was followed")


def test_each_scan_has_a_scratch_directory_of_its_own():
    with Carved() as carved:
        detector(carved, "import os, sys\nplace = os.environ['TMPDIR']\n"
                 "bad = bool(os.listdir(place)) or bool(os.stat(place).st_mode & 0o77)\n"
                 "open(place + '/mine', 'w').close()\nsys.exit(bad)\n")
        carved.start()
        for _ in range(20):
            carved.put()
        carved.wait_settled(20)
        same(carved.sql("SELECT DISTINCT outcome FROM scan"), [(b"clean",)], "outcomes")
        same(scratch(carved), [], "scratch directories")


def test_a_command_of_api_yml_reads_its_directory_and_does_not_write_there():
    need("Landlock")
    with Carved() as carved:
        api = os.path.join(carved.home, "api")
        os.makedirs(os.path.join(api, "example"))
        with open(os.path.join(api, "example", "tool.sh"), "w", encoding="ascii") as file:
            file.write("cat tool.sh >/dev/null || exit 2\n"
                       "echo x >written && exit 3\n"
                       "cat ../../planted && exit 4\n"
                       "cat \"$BROAPT_PATH\" >\"$TMPDIR/copy\" || exit 5\n"
                       "echo '{\"outcome\":\"malicious\"}' >&3\n")
        with open(os.path.join(carved.home, "planted"), "w", encoding="ascii") as file:
            file.write("secret")
        with open(os.path.join(api, "api.yml"), "w", encoding="ascii") as file:
            file.write("example:\n  report: sh tool.sh\n")
        carved.write_config(f"api_root: {api}\napi_logs: {carved.home}/logs\n"
                            f"detectors:\n  - {{ type: api, file: {api}/api.yml, retries: 1 }}\n")
        _, outcome, detail = scanned(carved)
        same(outcome, "malicious", f"what the tool found ({detail!r})")


def test_without_its_launcher_a_command_is_an_error_with_words():
    with Carved() as carved:
        detector(carved, "pass\n")
        carved.binary = shutil.copy(carved.binary, os.path.join(carved.home, "carved"))
        _, outcome, detail = scanned(carved)
        if outcome == "clean":
            raise Skip("carved-launch is installed")
        same(outcome, "error", "the outcome")
        check("carved-launch is missing" in detail["error"], f"{detail!r}")
        check(b"isolation: carved-launch is missing" in carved.stderr(), "the log does not say so")


def test_check_and_the_log_say_what_the_kernel_has():
    words = kernel()
    check("Landlock" in words and "seccomp" in words, words)
    with Carved(scenario.NOOP) as carved:
        carved.start()
        said = words.split("isolation: ")[1].encode()
        check(b"isolation: " + said in carved.stderr(), f"the log: {carved.stderr()!r}")
        carved.stop(signal.SIGTERM)


if __name__ == "__main__":
    scenario.main()
