"""The oracle: what the kernel and the history say of a daemon, whatever the daemon says of itself.

Watches: /proc/PID/fdinfo names every inode that an inotify descriptor watches. Those of the watcher's
tree must be the directories below the roots that are watched by events, no more and no fewer; what
is watched besides may only be a directory above a root. History: no version is recorded twice, no
detector has answered twice for one attempt.
"""
import json
import os
import re

# The tree's watches are the only ones that ask for IN_EXCL_UNLINK.
EXCL_UNLINK = 0x04000000
LINE = re.compile(rb"^inotify wd:[0-9a-f]+ ino:([0-9a-f]+) sdev:([0-9a-f]+) mask:([0-9a-f]+)", re.M)

TWICE = """SELECT CAST(path AS TEXT), sha256, count(*) FROM file WHERE state = 'done'
    GROUP BY path, inode, size, mtime_ns, sha256 HAVING count(*) > 1 LIMIT 10"""
ANSWERED_TWICE = """SELECT file_id, detector, attempt, count(*) FROM scan
    GROUP BY file_id, detector, attempt HAVING count(*) > 1 LIMIT 10"""


def kernel_device(number):
    """A device number as the kernel counts them: 12 bits and 20."""
    return os.major(number) << 20 | os.minor(number)


def watches(pid):
    """(device, inode) pairs of the watcher's descriptor: those of its tree, and the others. Rules are
    watched by a descriptor of their own, which has no part in this."""
    for fd in os.listdir(f"/proc/{pid}/fd"):
        tree, others = set(), set()
        try:
            if os.readlink(f"/proc/{pid}/fd/{fd}") != "anon_inode:inotify":
                continue
            with open(f"/proc/{pid}/fdinfo/{fd}", "rb") as file:
                lines = file.read()
        except FileNotFoundError:
            continue
        for inode, device, mask in LINE.findall(lines):
            into = tree if int(mask, 16) & EXCL_UNLINK else others
            into.add((int(device, 16), int(inode, 16)))
        if tree:
            return tree, others
    return set(), set()


def identity(path):
    stat = os.stat(path)
    return kernel_device(stat.st_dev), stat.st_ino


def open_directory(path):
    """A descriptor of a directory whose path may be longer than a system call takes."""
    held = os.open("/", os.O_PATH)
    parts = os.path.abspath(path).split(b"/")[1:]
    flags = os.O_RDONLY | os.O_DIRECTORY
    try:
        while len(b"/".join(parts)) > 2048:
            taken, parts = parts[:4], parts[4:]
            deeper = os.open(b"/".join(taken), flags, dir_fd=held)
            os.close(held)
            held = deeper
        return os.open(b"/".join(parts) or b".", flags, dir_fd=held)
    finally:
        os.close(held)


def directories(root):
    """(device, inode) -> path of the root and each directory below it; links are not followed."""
    found = {}
    below = [os.fsencode(root)]
    while below:
        path = below.pop()
        try:
            fd = open_directory(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        try:
            found[identity(fd)] = path
            with os.scandir(fd) as entries:
                below += [os.path.join(path, os.fsencode(entry.name)) for entry in entries
                          if entry.is_dir(follow_symlinks=False)]
        finally:
            os.close(fd)
    return found


def above(root):
    """Identities of all directories above a root, as written and as it resolves."""
    found = set()
    for path in (os.path.abspath(root), os.path.realpath(root)):
        while path != "/":
            path = os.path.dirname(path)
            try:
                found.add(identity(path))
            except FileNotFoundError:
                pass
    return found


def compare(pid, roots):
    """What is wrong with the watches of a process whose roots by events these are ("": nothing), how
    many watches its tree has, and how many directories there are."""
    tree, others = watches(pid)
    present = {}
    for root in roots:
        present.update(directories(root))
        others -= above(root)
    missing = [path for key, path in present.items() if key not in tree]
    extra = (tree | others) - set(present)
    words = ""
    if missing or extra:
        words = (f"{len(missing)} of {len(present)} directories are not watched {missing[:4]!r}, "
                 f"{len(extra)} watches are of none of them {sorted(extra)[:4]!r}")
    return words, len(tree), len(present)


def twice(query):
    """Faults of a history, asked by query(sql): versions and answers that are there twice."""
    faults = [f"{count} rows of {path!r} with {content!r}" for path, content, count in query(TWICE)]
    return faults + [f"{count} answers of {detector!r} for version {version}, attempt {attempt}"
                     for version, detector, attempt, count in query(ANSWERED_TWICE)]


def account(query, **known):
    """What a history holds, as one row of the table that tests/scenario/run prints."""
    states = {state.decode(): count for state, count
              in query("SELECT state, count(*) FROM file GROUP BY state")}
    reasons = query("SELECT reason, count(*) FROM file WHERE state = 'unscanned' GROUP BY reason")
    gaps = query("SELECT cause, count(*), count(*) FILTER (WHERE closed_ns IS NULL) FROM gap "
                 "GROUP BY cause")
    return {**known,
            "done": states.get("done", 0), "queued": states.get("queued", 0),
            "unscanned": {reason.decode(): count for reason, count in reasons},
            "twice": len(twice(query)),
            "gaps": {cause.decode(): count for cause, count, _ in gaps},
            "open_gaps": sum(still for _, _, still in gaps)}


def tell(path, row):
    """Adds a row to the file that collects them; a line is written at once, so runs may share it."""
    line = json.dumps(row).encode() + b"\n"
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.write(fd, line)
    finally:
        os.close(fd)
