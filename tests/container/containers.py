"""Containers for a test: podman with a storage of its own, in which nothing but this run's images is, and which goes with it.

Everything is as it is where there is least: vfs, runc, no network for what runs, but for what compose.yml connects. What
commands say is text.
"""
import json
import os
import shutil
import subprocess
import tempfile

import appliance
from appliance import must, until
from scenario import Failed, Skip, check

SYS_ADMIN = 1 << 21
BASE_IMAGE = "localhost/debian:bookworm-slim"
STORAGE = """\
[storage]
driver = "vfs"
graphroot = "{storage}"
runroot = "{top}/run"
"""
# Without ulimits of its own podman asks for more than a container within a container may have.
CONTAINERS = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
[network]
network_config_dir = "{top}/networks"
"""


def need_root():
    if os.getuid() != 0:
        raise Skip("not root: debootstrap needs it, and containers that write for several users")
    with open("/proc/self/status", encoding="ascii") as file:
        effective = next(int(line.split()[1], 16) for line in file if line.startswith("CapEff:"))
    if not effective & SYS_ADMIN:  # without it podman makes users of its own, and a process that stays
        raise Skip("root without CAP_SYS_ADMIN: podman cannot mount what containers need")


def need_programs():
    for program in ("podman", "buildah", "runc", "debootstrap", "docker-compose"):
        if not shutil.which(program):
            raise Skip(f"{program} is not installed")


def make_base(archive):
    """A Debian 12 as small as can be, in place of the image that a registry has. Needs the network."""
    making = archive + ".making"
    shutil.rmtree(making, ignore_errors=True)
    os.makedirs(making)
    done = appliance.host("debootstrap", "--variant=minbase", "bookworm", making, appliance.mirror())
    if done.returncode:
        raise Skip(f"debootstrap cannot make a Debian here: {done.stdout[-500:]}")
    appliance.copy_apt(making)
    must("sh", "-c", 'rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/var/lib/apt/lists/*', "sh", making)
    must("tar", "-C", making, "--numeric-owner", "-cf", archive + ".part", ".")
    os.rename(archive + ".part", archive)
    shutil.rmtree(making)


class Podman:
    """"with" removes all containers, and the storage, at its end."""

    def __init__(self, base):
        # not beside the storage: the paths of its sockets may have no more than 108 bytes
        self.top = tempfile.mkdtemp(prefix="carved-container-")
        self.storage = tempfile.mkdtemp(prefix="storage-", dir=os.path.dirname(base))
        for name, text in (("storage.conf", STORAGE), ("containers.conf", CONTAINERS)):
            with open(os.path.join(self.top, name), "w", encoding="ascii") as file:
                file.write(text.format(top=self.top, storage=self.storage))
        self.environment = {**os.environ, "CONTAINERS_STORAGE_CONF": os.path.join(self.top, "storage.conf"),
                            "CONTAINERS_CONF": os.path.join(self.top, "containers.conf")}
        self.base = base

    def __enter__(self):
        try:
            done = self.ask("import", "-q", self.base, BASE_IMAGE)
            if done.returncode == 0:
                done = self.ask("run", "--rm", "--network", "none", BASE_IMAGE, "true")
            if done.returncode:
                raise Skip(f"podman cannot run a container here: {done.stdout[-500:]}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        # "--all" would leave those that run whose network another one has
        containers = self.ask("ps", "--all", "--quiet").stdout.split()
        if containers:
            done = self.ask("rm", "--force", "--depend", "--ignore", "--time", "0", *containers)
            if done.returncode:
                print(f"not all containers could be removed; look for conmon and mounts below {self.storage}: {done.stdout[-500:]}")
        for directory in (self.top, self.storage):
            shutil.rmtree(directory, ignore_errors=True)

    def ask(self, *words, seconds=600):
        """podman WORDS: .returncode, .stdout (stderr in it)."""
        return appliance.host("podman", *words, env=self.environment, timeout=seconds)

    def do(self, *words):
        done = self.ask(*words)
        if done.returncode:
            raise Failed(f"podman {' '.join(words)}: exit {done.returncode}:\n{done.stdout[-3000:]}")
        return done.stdout.strip()

    def build(self, dockerfile, image, context):
        """As buildah does without privileges; packages come over the network that we have."""
        must("buildah", "bud", "--isolation", "chroot", "--network", "host", "--pull-never", "--format", "docker",
             "-f", dockerfile, "-t", image, context, env=self.environment)

    def inspect(self, name):
        return json.loads(self.do("inspect", name))[0]

    def need_networks(self):
        done = self.ask("network", "create", "tried")
        if done.returncode == 0:
            done = self.ask("run", "--rm", "--network", "tried", BASE_IMAGE, "true")
            self.do("network", "rm", "tried")
        if done.returncode:
            raise Skip(f"podman cannot connect containers here: {done.stdout[-500:]}")


class Container:
    """One of them, by its name."""

    def __init__(self, podman, name):
        self.podman, self.name = podman, name

    def run(self, *words, network="none"):
        """podman run WORDS, in the background."""
        self.podman.do("run", "--detach", "--name", self.name, "--network", network, *words)
        return self

    def ask(self, *words):
        return self.podman.ask("exec", self.name, *words)

    def do(self, *words):
        done = self.ask(*words)
        check(done.returncode == 0, f"in {self.name}, {' '.join(words)}: exit {done.returncode}:\n{done.stdout[-3000:]}")
        return done.stdout

    def spawn(self, *words):
        """Goes on in the background."""
        self.podman.do("exec", "--detach", self.name, *words)

    def state(self):
        return self.podman.inspect(self.name)["State"]

    def ended(self):
        return until(lambda: self.state()["Status"] == "exited" and self.state(), f"the end of {self.name}")

    def kill(self):
        self.podman.do("kill", "--signal", "KILL", self.name)
        self.ended()

    def start(self):
        self.podman.do("start", self.name)

    def restart(self):
        self.podman.do("restart", "--time", "30", self.name)

    def logs(self):
        return self.podman.do("logs", self.name)

    def healthy(self):
        return self.podman.ask("healthcheck", "run", self.name).returncode == 0

    def remove(self):
        self.podman.do("rm", "--force", "--time", "0", self.name)


class Compose:
    """docker-compose, talking to a podman that answers as Docker does. "with" takes down what it brought up."""

    def __init__(self, podman, path, project):
        address = f"unix://{podman.top}/podman.sock"
        self.podman, self.address, self.service = podman, address, None
        self.words = ("docker-compose", "--project-name", project, "--file", path)
        self.environment = {**podman.environment, "DOCKER_HOST": address}

    def __enter__(self):
        self.service = subprocess.Popen(  # pylint: disable=consider-using-with
            ("podman", "system", "service", "--time", "0", self.address), env=self.podman.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until(lambda: os.path.exists(self.address.removeprefix("unix://")), "podman's socket")
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, kind, *_):
        if kind:
            print(appliance.host(*self.words, "logs", "--tail", "30", env=self.environment).stdout)
        done = appliance.host(*self.words, "down", "--volumes", "--timeout", "1", env=self.environment)
        if done.returncode:
            print(f"docker-compose down: {done.stdout[-500:]}")
        self.end()

    def end(self):
        self.service.terminate()
        self.service.wait()

    def do(self, *words):
        return must(*self.words, *words, env=self.environment)


def compose(path, service):
    """podman's words for what compose.yml says of a service, but for where it is connected and when it is restarted."""
    told = subprocess.run(
        ["/usr/bin/python3", "-c", "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)"],
        stdin=open(path, "rb"), stdout=subprocess.PIPE, check=True)  # pylint: disable=consider-using-with
    settings = json.loads(told.stdout)["services"][service]
    words = []
    for key, value in settings.items():
        words += WORDS[key](value)
    return words


def each(option):
    return lambda values: [word for value in values for word in (option, value)]


def health(check_):
    check(check_["test"][0] == "CMD", "the health check is no command")
    return ["--health-cmd", json.dumps(check_["test"][1:]), "--health-interval", "disable",
            "--health-timeout", check_["timeout"], "--health-start-period", check_["start_period"]]


def nothing(_):
    return []


# A key that is not here is an error: the test must know what it does not try.
WORDS = {
    "image": nothing, "build": nothing, "networks": nothing, "restart": nothing, "volumes": nothing,
    "depends_on": nothing,
    "read_only": lambda value: ["--read-only"] if value else [],
    "tmpfs": each("--tmpfs"),
    "cap_drop": each("--cap-drop"),
    "cap_add": each("--cap-add"),
    "security_opt": each("--security-opt"),
    "pids_limit": lambda value: ["--pids-limit", str(value)],
    "mem_limit": lambda value: ["--memory", value],
    "stop_grace_period": lambda value: ["--stop-timeout", value.rstrip("s")],
    "healthcheck": health,
}
