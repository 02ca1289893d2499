"""What is around carved on the appliance: a sensor that writes files for itself alone, clamd, a remote server."""
import itertools
import json
import os
import shutil
import socket
import sqlite3

from appliance import until
from scenario import EICAR, check, same


def free_port():
    """On the loopback, which the appliance shares with us."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]


PORT = free_port()
ROOT = "/srv/extract"
DISPOSED, QUARANTINE = "/srv/nsm/extract", "/srv/nsm/quarantine"
PRESSURE = "/run/carved/pressure.tsv"
EVENTS, ALERTS = "/var/log/carved/events.json", "/var/log/carved/alerts.json"
OLDER_CONFIG = """\
roots:
  - { path: /srv/extract, producer: zeek }
  - { path: /srv/later, producer: zeek }
  - { path: /srv/nsm/extract, producer: zeek }
detectors:
  - { type: hashlist }
  - { type: magic }
  - { type: yara }
  - { type: clamd }
  - { type: command, name: look, run: [/bin/sh, /usr/local/lib/look, "{path}"] }
  - { type: api, file: /usr/share/doc/carved/examples/api.yml }
  - { type: remote, url: "http://localhost:PORT/v1" }
api_root: /etc/carved
api_logs: /var/log/carved/api
events: /var/log/carved/events.json
stop_grace: 60s
""".replace("PORT", str(PORT))
CONFIG = OLDER_CONFIG + """\
history_keep: 90d
pressure: /run/carved/pressure.tsv
alert: { run: [/bin/sh, /usr/local/lib/tell], every: 0 }
"""
# It counts for all roots, also for those that carved cannot write to. What is not malicious is unknown, as api.yml only reports.
DISPOSE = """\
dispose: { malicious: quarantine, unknown: { "image/*": delete, "*": keep } }
quarantine: /srv/nsm/quarantine
"""
TELL = f"cat >> {ALERTS}\n"
# Chowns as unpackers do, sees that it is confined, and takes as long as is wanted.
LOOK = """\
set -e
touch "$TMPDIR/unpacked"
chown 0:0 "$TMPDIR/unpacked"
if (: > /var/lib/carved/written) 2>/dev/null; then exit 7; fi
if cat /etc/passwd >/dev/null 2>&1; then exit 8; fi
if grep -q SLOW "$1"; then while ! [ -e /srv/go ]; do sleep 0.1; done; fi
if grep -q MARKED "$1"; then exit 1; fi
"""
REMOTE = r"""
use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => PORT, Listen => 16, ReuseAddr => 1) or die;
while (my $client = $server->accept) {
	my $size = 0;
	while (my $line = <$client>) {
		$size = $1 if $line =~ /^Content-Length: (\d+)/i;
		print $client "HTTP/1.1 100 Continue\r\n\r\n" if $line =~ /^Expect: 100/i;
		last if $line eq "\r\n";
	}
	read($client, my $content, $size);
	my $answer = $content =~ /REMOTE/ ? '{"outcome":"malicious","signature":"By-Remote"}' : '{"outcome":"clean"}';
	print $client "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " . length($answer) . "\r\n\r\n$answer";
	close $client;
}
""".replace("PORT", str(PORT))
UNIT = "[Service]\nExecStart=/usr/bin/perl /usr/local/lib/remote.pl\n"
# name, content, and the detectors that find it malicious
SAMPLES = (("eicar", EICAR, {"hashlist", "yara", "clamd"}),
           ("wrapped", b"in a text: " + EICAR, {"clamd"}),
           ("marked", b"MARKED", {"look"}),
           ("remote", b"REMOTE", {"remote"}),
           ("plain", b"nothing of note", set()))
DETECTORS = {"hashlist", "magic", "yara", "clamd", "look", "api", "remote"}

numbers = itertools.count(1)


def prepare(box):
    box.do("useradd", "--system", "zeek")
    for root in (ROOT, "/srv/later"):
        box.do("install", "-d", "-o", "zeek", "-m", "700", root)
    # As README.md has it: the user carved may write there by its group, and the quarantine is its own.
    box.do("install", "-d", "-o", "zeek", "/srv/nsm")
    box.do("install", "-d", "-o", "zeek", "-g", "carved", "-m", "2770", DISPOSED)
    box.do("install", "-d", "-o", "carved", "-g", "carved", "-m", "700", QUARANTINE)
    box.write("/usr/local/lib/tell", TELL)
    box.write("/usr/local/lib/look", LOOK)
    box.write("/usr/local/lib/remote.pl", REMOTE)
    box.write("/etc/systemd/system/remote.service", UNIT)
    box.write("/var/lib/clamav/test.ndb", f"Eicar-Test:0:*:{EICAR.hex()}\n")
    # Debian's unit wants signatures that freshclam got.
    box.write("/etc/systemd/system/clamav-daemon.service.d/test.conf", "[Unit]\nConditionPathExistsGlob=\n")
    box.do("systemctl", "daemon-reload")
    box.do("systemctl", "start", "clamav-daemon", "remote")
    until(lambda: box.ask("test", "-S", "/run/clamav/clamd.ctl").returncode == 0, "clamd's socket")


def drop(box, kind, content, root=ROOT):
    """A file that only its owner may read, written as a sensor writes: its path."""
    number = next(numbers)
    path = f"{root}/extract-1258867934.558264-HTTP-F{kind}{number:04}"
    words = "umask 077; printf %b \"$2\" > \"$1\""
    coded = "".join(f"\\0{byte:03o}" for byte in content)
    box.do("runuser", "-u", "zeek", "--", "sh", "-c", words, "sh", path, coded)
    return path


def drop_known(box, content):
    """A file where files are taken away, and its inode's number, known before it is there."""
    path = drop(box, "elsewhere", content, root="/srv/nsm")
    inode = box.do("stat", "-c", "%i", path).strip()
    to = f"{DISPOSED}/{path.rpartition('/')[2]}"
    box.do("mv", path, to)
    return to, inode


def drop_corpus(box, directory):
    """A copy of each file below directory, as the sensor's own and under names of its kind: their paths."""
    paths = set()
    for parent, _, names in os.walk(directory):
        for name in names:
            path = f"{ROOT}/extract-1258867934.558264-HTTP-Fcorpus{next(numbers):04}"
            shutil.copyfile(os.path.join(parent, name), box.path("/root/sample"))
            box.do("install", "-o", "zeek", "-m", "600", "/root/sample", path)
            paths.add(path)
    return paths


def schema(history):
    """The number of its schema, from the file's header and the log beside it."""
    connection = sqlite3.connect(history)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    return version


def sql(box, statement):
    done = box.ask("carved", "sql", "--format", "json", statement)
    check(done.returncode == 0, f"carved sql: {done.stdout}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def row(box, path):
    """The version at path, once it has its end."""
    def asked():
        rows = sql(box, f"SELECT id, state, reason, verdict FROM file WHERE path = '{path}' AND state <> 'queued'")
        check(len(rows) <= 1, f"{path} is recorded {len(rows)} times")
        return rows
    return until(asked, f"an answer for {path}")[0]


def outcomes(box, path):
    """What each detector said of it."""
    version = row(box, path)
    check(version["state"] == "done", f"{path} ended {version}")
    return {said["detector"]: said["outcome"] for said in
            sql(box, f"SELECT detector, outcome FROM scan WHERE file_id = {version['id']} ORDER BY attempt")}


def drop_all(box):
    """A file for each detector, new content each (but for EICAR): path and who must find it."""
    dropped = []
    for kind, content, finders in SAMPLES:
        if content != EICAR:
            content += b" %d" % next(numbers)
        dropped.append((drop(box, kind, content), finders))
    return dropped


def check_all(box, dropped):
    for path, finders in dropped:
        said = outcomes(box, path)
        check(DETECTORS <= set(said), f"not all detectors were asked about {path}: {said}")
        same({name for name, outcome in said.items() if outcome == "malicious"}, finders, f"who finds {path}")
        same([name for name, outcome in said.items() if outcome in ("error", "timeout", "skipped")], [],
             f"who failed on {path} ({said})")


def status(box):
    done = box.ask("carved", "status", "--json")
    check(done.returncode == 0, f"carved status: {done.stdout}")
    return json.loads(done.stdout)
