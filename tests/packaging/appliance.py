"""A clean Debian 12 that boots its own systemd: made by debootstrap once, copied for each run, run by systemd-nspawn.

It shares the network with us (packages come over it) and nothing else. What its commands say is text.
"""
import os
import shutil
import subprocess
import tempfile
import time

from scenario import PAUSE, PATIENCE, Failed, Skip, check

BASE_PACKAGES = ("systemd", "systemd-sysv", "dbus")
PEERS = ("clamav-daemon",)
# systemd-nspawn of Debian 12 denies Landlock, which a real machine does not.
SYSTEM_CALLS = "landlock_create_ruleset landlock_add_rule landlock_restrict_self"
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}


def until(condition, words, patience=PATIENCE):
    """Asks until the answer is true, and returns it."""
    end = time.monotonic() + patience
    while True:
        answer = condition()
        if answer:
            return answer
        check(time.monotonic() < end, f"this never came: {words}")
        time.sleep(PAUSE)


def host(*words, **options):
    """A command of ours, to its end; its output is for the case that it fails."""
    return subprocess.run(words, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", **options)


def must(*words, **options):
    done = host(*words, **options)
    if done.returncode:
        raise Failed(f"{' '.join(words)}: exit {done.returncode}:\n{done.stdout[-3000:]}")
    return done.stdout


def need_root():
    if os.getuid() != 0:
        raise Skip("not root: systemd-nspawn needs it")


def need_programs():
    for program in ("debootstrap", "systemd-nspawn", "nsenter"):
        if not shutil.which(program):
            raise Skip(f"{program} is not installed")


def mirror():
    """Where apt here gets Debian 12 from."""
    done = host("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Codename: bookworm")
    places = done.stdout.split()
    if done.returncode or not places:
        raise Skip("apt knows no mirror of Debian 12 (bookworm)")
    return places[0]


def copy_apt(root):
    there = os.path.join(root, "etc/apt")
    for name in os.listdir("/etc/apt"):
        if name == "sources.list" or name in ("apt.conf.d", "sources.list.d", "trusted.gpg.d", "keyrings"):
            must("cp", "-a", "--remove-destination", "-T", f"/etc/apt/{name}", f"{there}/{name}")
    if not os.path.exists("/etc/apt/sources.list"):
        os.unlink(os.path.join(there, "sources.list"))


def make_base(base):
    """The root that is copied for each run. Needs the network."""
    shutil.rmtree(base, ignore_errors=True)
    making = base + ".making"
    shutil.rmtree(making, ignore_errors=True)
    os.makedirs(making)
    done = host("debootstrap", "--variant=minbase", "--include=" + ",".join(BASE_PACKAGES), "bookworm", making, mirror())
    if done.returncode:
        raise Skip(f"debootstrap cannot make a Debian here: {done.stdout[-500:]}")
    copy_apt(making)
    environment = {**os.environ, **ENVIRONMENT}
    must("chroot", making, "apt-get", "update", env=environment)
    must("chroot", making, "apt-get", "install", "-y", "--no-install-recommends", *PEERS, env=environment)
    os.rename(making, base)


def inside(process):
    try:
        return os.readlink(f"/proc/{process}/ns/pid") != os.readlink("/proc/self/ns/pid")
    except FileNotFoundError:
        return False


class Appliance:
    """A booted copy of the base; "with" shuts it down and removes it."""

    def __init__(self, base):
        self.root = tempfile.mkdtemp(prefix="carved-appliance-", dir=os.path.dirname(base))
        must("cp", "-a", "--reflink=auto", "-T", base, self.root)
        self.console = os.path.join(os.path.dirname(base), "console.log")
        self.nspawn = self.leader = None

    def __enter__(self):
        try:
            self.boot()
        except BaseException:
            self.__exit__()
            raise
        return self

    def boot(self):
        with open(self.console, "wb") as console:
            self.nspawn = subprocess.Popen(  # pylint: disable=consider-using-with
                ["systemd-nspawn", "-b", "-D", self.root, "--register=no", "--keep-unit", "--console=pipe",
                 f"--machine=carved-test-{os.getpid()}", f"--system-call-filter={SYSTEM_CALLS}"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True)
        until(self.booted, "a booted system")

    def booted(self):
        self.check_alive()
        self.leader = self.find_leader()
        return self.leader and self.ask("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")

    def find_leader(self):
        """The system's first process: the child of systemd-nspawn's that has other process ids than we; another
        child, which prepares it, has ours, and what is done in its place is done to this machine."""
        with open(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children", encoding="ascii") as file:
            children = file.read().split()
        return next((child for child in children if inside(child)), None)

    def check_alive(self):
        if self.nspawn.poll() is not None:
            with open(self.console, "r", encoding="utf-8", errors="replace") as console:
                raise Skip(f"systemd-nspawn cannot boot a system here: {console.read()[-500:]}")

    def __exit__(self, *_):
        if self.nspawn and self.nspawn.poll() is None:
            if self.leader:
                self.ask("systemctl", "poweroff")
            try:
                self.nspawn.wait(60)
            except subprocess.TimeoutExpired:
                self.nspawn.kill()
                self.nspawn.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    def ask(self, *words, **options):
        """Runs a command inside, as root: .returncode, .stdout (stderr in it)."""
        return host("nsenter", "-t", self.leader, "-a", "--", *words, env=ENVIRONMENT, timeout=600, **options)

    def do(self, *words):
        """The same for one that must work: what it said."""
        done = self.ask(*words)
        check(done.returncode == 0, f"inside, {' '.join(words)}: exit {done.returncode}:\n{done.stdout[-3000:]}")
        return done.stdout

    def path(self, inside):
        return os.path.join(self.root, inside.lstrip("/"))

    def write(self, inside, text):
        path = self.path(inside)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, inside):
        with open(self.path(inside), encoding="utf-8") as file:
            return file.read()

    def paths(self):
        """Everything on its disk."""
        return set(self.do("find", "/", "-xdev", "-print").splitlines())
