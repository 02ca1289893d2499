"""Histories of many versions (tests/bench/history.c), and what is asked of them.

They are made by carved, so that they have its schema, and filled in bulk. check() holds what a history must hold
whoever filled it; a scenario does so with a small one.
"""
import os
import shutil
import sqlite3
import subprocess
import sys
import time

MIB_A_MILLION = 720     # what a million versions take
CHECKS = (
    ("the database is sound", "SELECT integrity_check <> 'ok' FROM pragma_integrity_check"),
    ("tally is what counting finds", """
        SELECT count(*) FROM (
            SELECT day, mime, state, reason, verdict, files FROM tally EXCEPT
            SELECT day, ifnull(mime, ''), state, ifnull(reason, ''), ifnull(verdict, ''), count(*) FROM version
            WHERE state <> 'queued' GROUP BY 1, 2, 3, 4, 5)"""),
    ("tally lacks nothing", """
        SELECT (SELECT sum(files) FROM tally) - (SELECT count(*) FROM version WHERE state <> 'queued')"""),
    ("timing is what counting finds", """
        SELECT count(*) FROM (
            SELECT day, detector_id, outcome, scans, cached, spent_ns, longest_ns FROM timing EXCEPT
            SELECT finished_ns / 86400000000000, detector_id, outcome, count(*), sum(cached),
                sum(iif(cached, 0, finished_ns - started_ns)), max(iif(cached, 0, finished_ns - started_ns))
            FROM result GROUP BY 1, 2, 3)"""),
    ("timing lacks nothing", "SELECT (SELECT sum(scans) FROM timing) - (SELECT count(*) FROM result)"),
    ("each done version has answers", """
        SELECT count(*) FROM version WHERE (state = 'done') <> EXISTS (SELECT 1 FROM result WHERE version_id = id)"""),
)


def faults(path):
    """What of CHECKS does not hold."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        return [words for words, query in CHECKS if connection.execute(query).fetchall() != [(0,)]]


def make(binary, filler, path, count, seed=1):
    """A history of count versions, made by binary and filled by filler (tests/bench/history.c)."""
    part = path + ".part"
    remove(part)
    subprocess.run([binary, "import", "--history", part, "/dev/null"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([filler, part, str(count), str(seed)], check=True)
    os.rename(part, path)
    remove(part)


def place(folder, count):
    """A directory for a history of so many versions and a copy's worth of room: in folder, or on disk."""
    there = os.statvfs(folder)
    if there.f_bavail * there.f_frsize > count // 1000000 * MIB_A_MILLION * 2 << 20:
        return folder
    return "/var/tmp"


class Question:
    """One that is asked of a history: its name and the words of carved."""

    def __init__(self, name, *words):
        self.name = name
        self.words = words


def sql(name, text):
    return Question(name, "sql", "--format", "csv", text)


def history(*words):
    return Question(" ".join(words), "history", *words)


def questions(path):
    """The usual ones, about what is in this history."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        one = connection.execute("SELECT fuid, sha256 FROM version WHERE id >= (SELECT max(id) / 3 FROM version)"
                                 " AND state = 'done' AND fuid IS NOT NULL LIMIT 1").fetchone()
        newest, = connection.execute("SELECT max(first_seen_ns) FROM version").fetchone()
    hour = f"{newest} - 3600000000000"
    return (
        sql("fuid", f"SELECT * FROM file WHERE fuid = '{one[0]}'"),
        sql("fuid, unknown", "SELECT * FROM file WHERE fuid = 'Fnone'"),
        sql("sha256", f"SELECT * FROM file WHERE sha256 = '{one[1]}'"),
        sql("sha256, unknown", f"SELECT * FROM file WHERE sha256 = '{'0' * 64}'"),
        sql("last hour's detections", f"SELECT * FROM detections WHERE finished_ns > {hour}"),
        sql("counts per day and type", "SELECT day, mime, sum(files) FROM daily GROUP BY 1, 2"),
        sql("is every file accounted for", "SELECT state, reason, verdict, sum(files) FROM daily GROUP BY 1, 2, 3"),
        sql("slowest detectors", "SELECT * FROM detector_stats ORDER BY mean_ms DESC"),
        sql("slowest detectors by day", "SELECT * FROM detector_days ORDER BY day DESC, mean_ms DESC"),
        sql("newest 20 detections", "SELECT * FROM detections ORDER BY finished_ns DESC LIMIT 20"),
        sql("pending", "SELECT * FROM pending"),
        sql("20 that are stale", "SELECT * FROM stale LIMIT 20"),
        history("--fuid", one[0]),
        history("--sha256", one[1]),
        history("--limit", "20"),
        history("--since", "1h", "--limit", "20"),
        history("--until", "20d", "--limit", "20"),
        history("--since", "1h", "--verdict", "malicious"),
        history("--verdict", "malicious", "--limit", "20"),
        history("--verdict", "suspicious", "--limit", "20"),
        history("--verdict", "timeout", "--limit", "20"),
        history("--verdict", "clean", "--limit", "20"),
        history("--state", "unscanned", "--limit", "20"),
        history("--state", "queued", "--limit", "20"),
        history("--mime", "application/pdf", "--limit", "20"),
        history("--mime", "application/*", "--limit", "20"),
        history("--mime", "application/x-none", "--limit", "20"),
        history("--since", "1h", "--mime", "application/java-archive"),
        history("--path", "/srv/sensor2/*", "--limit", "20"),
        history("--since", "1h", "--path", "*SMTP-F*"),
    )


def asked(binary, path, question):
    """How long until the last row was read, in ms."""
    began = time.monotonic()
    done = subprocess.run([binary, question.words[0], "--history", path, *question.words[1:]], capture_output=True,
                          check=False)
    took = (time.monotonic() - began) * 1000
    if done.returncode:
        sys.exit(f"{question.name}: {done.stderr.decode(errors='replace')}")
    return took


def most_resident(pid):
    """MiB, at the highest so far; 0 when it has ended."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        found = [line.split()[1] for line in file if line.startswith("VmHWM:")]
    return int(found[0]) / 1024 if found else 0


def streamed(binary, path, *words):
    """How long until the first bytes and the last, in ms, how many, and the memory at its highest, in MiB."""
    began = time.monotonic()
    memory = reads = 0
    with subprocess.Popen([binary, words[0], "--history", path, *words[1:]], stdout=subprocess.PIPE) as process:
        size = len(os.read(process.stdout.fileno(), 1 << 20))
        first = time.monotonic() - began
        while more := os.read(process.stdout.fileno(), 1 << 20):
            size += len(more)
            reads += 1
            if reads % 100 == 1:
                memory = max(memory, most_resident(process.pid))
        last = time.monotonic() - began
    if process.returncode:
        sys.exit(f"{words}: ended with {process.returncode}")
    return first * 1000, last * 1000, size, memory


def copy(path, to):
    """A history that nobody has open, to be written to."""
    for end in ("", "-wal"):
        if os.path.exists(path + end):
            shutil.copyfile(path + end, to + end)


def remove(path):
    for end in ("", "-wal", "-shm", ".lock"):
        if os.path.exists(path + end):
            os.unlink(path + end)
