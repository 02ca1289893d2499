#!/usr/bin/env python3
"""What the fuzz targets begin with: seeds.py DIRECTORY makes DIRECTORY/NAME/N for each of a few inputs,
and DIRECTORY/NAME.list with their paths, as -seed_inputs=@LIST wants them.

All of it is made up here, small, one of each kind; what it leads to libFuzzer finds.
"""
import os
import struct
import sys

SHA256 = b"275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
MD5 = b"44d88612fea8a8f36de82e1278abb02f"
SHA1 = b"3395856ce81f2b7382dee72602f798b642f14140"
FUID = b"FmvUyl3aGkOAPSbb22"
UID = b"CvUyl3aGkOAPSbb22m"
UUID = b"3fa85f64-5717-4562-b3fc-2c963f66afa6"


def number(value):
    return struct.pack("<Q", value & (1 << 64) - 1)


def text(words):
    return number(len(words)) + words


# What a helper says, and is told; core/helper/protocol.h has the kinds.
PACKETS = [
    number(1) + number(1) + number(1 << 20) + number(2) + text(b"/rules") + text(b"/more.yar"),
    number(2) + number(1) + text(SHA256) + number(3) + number(2) + number(9) + number(1) + number(0)
    + number(1) + text(b"a.yar:3: syntax error"),
    number(2) + number(0) + text(b"") + 5 * number(0) + number(1) + text(b"no database"),
    number(3) + number(0),
    number(4) + number(-11),
    number(6) + number(0xffffffff),
    number(7) + number(5) + number(60000) + number(68) + text(b"a.exe") + text(b"exe")
    + text(b"application/x-dosexec") + text(b"HTTP"),
    number(8) + number(5) + number(0) + text("Eicar Täst".encode()) +
    text(b'{"rules":[{"name":"a","tags":["b"],"n":-1.5e3}],"u":"\\u00e4"}') + text(b"text/plain"),
    number(8) + number(6) + number(6) + text(b"") + text(b"") + text(b""),
]

NAMES = [
    b"HTTP-" + FUID + b".monday-" + UUID + b".application.pdf.pdf",
    b"application/pdf/FTP_DATA-" + FUID + b".a.b.c.application.vnd.ms-excel.xls",
    b"SMTP-" + FUID + b".pcap.text.plain.",
    b"extract-1258867934.558264-HTTP-" + FUID,
    b"extract-1258867934.558264-SMB-" + FUID + b".exe",
    b"SSL-" + FUID + b"-" + UID + b"-20190402105425.crt",
    b"HTTP-" + FUID + b"-" + MD5 + b".exe",
    UID + b"_" + FUID + b"__admin-pc_c$temp_tool.exe",
    SHA256[:2] + b"/" + SHA256,
    SHA256[:2] + b"/" + SHA256 + b".1258867934.7.json",
    b"tmp/file.12", b"file.7.meta",
    b"S^E^P".join([b"123", b"HTTP", UID, FUID, b"192.0.2.7", b"198.51.100.9", b"text%2Fplain", b""]),
    b"." + b"HTTP-" + FUID + b".p.text.html.html" + b".aB3xYz",
    b"HTTP-F\xff\xfe\xed\xa0\x80.\n.text.\xc3\xa4.\xf0\x9f\x98\x80",
    b"HTTP-F" + 120 * b".-F" + b".a.b.c",
]

CONFIG = [b"""roots:
  - path: /in
    producer: auto
    mode: poll
    settle: 2s
  - /other
history: /h/history.db
workers: 3
hash: always
max_file_size: 1.5G
unmatched: scan
rescan_interval: 250ms
stop_grace: 5s
reuse: 30d
rescan: auto
""", b"""detectors:
  - { type: noop }
  - { type: hashlist, name: nsrl, file: /nonexistent, known: good, skips: [c, "*"] }
  - type: command
    name: c
    mime: ["application/*", text/plain]
    match: declared
    timeout: 60s
    retries: 3
    retry_pause: 10s
    run: [/bin/true, "{mime}", "{fd}", "{path}", "{name}"]
    read: [/opt]
    network: true
    required: false
""", b"""detectors:
  - type: magic
  - { type: yara, rules: [a, b.yar], match: both, max_file_size: 1M }
  - { type: clamd, socket: "tcp://127.0.0.1:3310", wait: 1h }
  - { type: remote, url: "https://scan.example/v1", ca: ca.pem, token_file: token }
dispose: { malicious: keep, clean: keep }
api_root: /api/
api_logs: /logs/
""", b"""a: &a [1, 2]
b: *a
c: { <<: {x: y}, "q": 'z', n: ~ }
d: |
  text
...
---
second: true
""", b"""roots: [{path: /in, producer: '(?P<fuid>F\\w+)\\.(?<extension>.*)'}]\nworkers: 0\nhash: never\n"""]

API = [b"""environment:
  A: x
  B: ${A}/y
application:
  pdf:
    workdir: .
    environ: { C: "$B" }
    install: [ "apt-get x", [a, b] ]
    scripts: [ "true", [python, $BROAPT_PATH] ]
    report: [python, report.py]
    remote: false
    shared: group
  "vnd.ms-*": &e
    report: "echo"
  msword: *e
text:
  plain:
  html: { report: x, remote: true }
example:
  report: false-alarm
""", b"""audio: {mpeg: {<<: &d {report: a, shared: b}, workdir: /w}}\nexample: *d\nx: 1\n"""]

HASHES = [
    b"# comment\n\n" + SHA256 + b"  Eicar-Test\n" + MD5 + b"\r\n" + SHA1 + b"\tname of it\n",
    b'"SHA-1","MD5","CRC32","FileName","FileSize"\n"' + SHA1 + b'","' + MD5
    + b'","1","a ""b"".exe",7\n',
    SHA256.upper() + b" *x\n" + SHA256 + b"\n" + SHA256 + b" y",
    MD5 + b" Grippe f\xc3\xbcr \xff\n" + MD5[:-1] + b"\n",
]

REPORTS = [
    b'0{"outcome": "malicious", "signature": "Eicar-Test", "detail": {"any": [1, 2.5, null]}}\n',
    b'0{"outcome":"clean"}\n\n{"outcome":"suspicious","detail":"\\u00e4\\ud83d\\ude00"}',
    b'1{\n "outcome": "unknown",\n "signature": null,\n "detail": {"log": 1, "note": "x"}\n}',
    b'1' + b'{"detail":' + 40 * b"[" + 40 * b"]" + b',"outcome":"error"}',
    b'0{"outcome":"timeout","outcome":"clean"}\n',
]

CLAMD = [b"0" + words + b"\0" for words in (
    b"0: fd[12]: OK", b"1: fd[9]: Eicar-Test.UNOFFICIAL FOUND", b"0: stream: PUA.Win.X FOUND",
    b"2: stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND", b"0: a: b: OK",
    b"1: INSTREAM size limit exceeded. ERROR", b"0: fd[3]: Can't allocate memory ERROR",
    b"0: ClamAV 1.4.3/27800/Mon Oct  6 08:44:59 2025", b"UNKNOWN COMMAND")]

SIDECARS = [
    b"ab/" + SHA256 + b'.1258867934.7.json\0{"timestamp":"x","fileinfo":{"state":"TRUNCATED",'
    b'"gaps":true,"size":7},"event_type":"fileinfo"}',
    b"x.json\0" b'{"event_type":"fileinfo","fileinfo":{"state":"CLOSED","gaps":false}}',
    b"file.7.meta\0TIME:              10/02/2009\nSTATE:             TRUNCATED\nSIZE: 5\n",
    b"file.8.meta\0STATE: CLOSED\r\nMAGIC: data\n",
]

PATTERNS = [
    b"(?<protocol>[A-Z]+)_(?<fuid>F\\w+)\\.(?<extension>\\w+)$\0HTTP_Fabc.exe",
    b"(?P<fuid>(a+)+)$\0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
    b"(?i)(?<hash>[0-9a-f]{32})(?=x)(?<ts>\\d*+)\\K\0" + MD5 + b"x12",
    b"zeek\0extract-1-HTTP-F1", b"(?<nothing>x)\0x", b"(?<fuid>(?R)?x)\0xxxx",
]

ORDERS = [b"\0".join(words) for words in (
    [b"--parent", b"7", b"--file", b"/a", b"--tree", b"/usr", b"--scratch", b"/tmp/x", b"--network",
     b"--sample", b"keep", b"--memory", b"1048576", b"--file-size", b"0", b"--program", b"/bin/true",
     b"--", b"true", b"-x", b"--parent"],
    [b"--parent=7", b"--program=/bin/sh", b"sh"],
    [b"--par", b"99999999999", b"--nonsense", b"x"],
    [struct.pack("<IIi500s", 512, 1, 0, b"words")],
    [struct.pack("<IIi500s", 512, 9, -1, 500 * b"x")])]

CLAMD_CONF = [b"LocalSocket /run/clamav/clamd.ctl\nAlertExceedsMax yes\n# x\n",
              b"localsocket\t/run/clamav/clamd.ctl\r\nAlertExceedsMax  no\nLogTime", 5000 * b"L"]

HASHINDEX = [
    bytes([0, 1, 1, 0, 0]) + b"\0" + bytes(20),
    bytes([0, 6, 0, 0, 2]) + b"\0Eica\0" + bytes(80),
    bytes([4, 0, 1, 1, 1]) + bytes(300),
]

CONTROL = [b"\x07status\n", b"\x02poke\n", b"\x03pause\nb\x03resume\n", b"\x06reload\nb\x07reload\n", b"\x01nonsense\nstatus\n", b"\xff" + 300 * b"x", b"\0"]

HTTP = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"outcome\": \"clean\"}",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n{\"outcome\": \"clean\"}\r\n0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 429 X\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\nConnection: close\r\n\r\n",
    b"HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n\x1f\x8b\x08\0\0",
    b"220 ftp ready\r\n",
]

# Steps of fuzz_events.c: the watcher goes on, a directory and files are made, directories are renamed and
# moved out and in; records of it are dropped, handed on twice, made up.
GO_ON, DROP, TWICE, PASS = 249, 34, 114, 253
MAKE = [0, 0, 3, 0, 7, 10, 0, 7, 8]              # r/d, r/d/f, r/f
RENAME = [0, 3, 0, 13, 0, 7, 9]                  # r/a to r/ab, r/a/f is not there
MOVE_OUT = [0, 3, 1, 6]                          # r/a/b to o/a
MOVE_IN = [0, 3, 6, 14]                          # o/a to r/b
EXCHANGE = [0, 5, 0, 5]                          # r/a and o
MADE_UP = [5, 1, 8, 0, 5, 2, 129, 17, 5, 15, 0x40, 0, 5, 3, 10, 0]
EVENTS = [bytes([GO_ON, *steps, *how, GO_ON])
          for steps in (MAKE, RENAME, MOVE_OUT + MOVE_IN, MOVE_IN + MAKE, EXCHANGE + MAKE)
          for how in ([DROP] * 6, [TWICE] * 6, [PASS] + MADE_UP)] + [bytes(range(64)), bytes([8, 0, 0, 0] * 20)]

SIM = [bytes(range(0, 256, step)) for step in (1, 3, 7)] + [bytes([i * i % 251 for i in range(400)])]

MOUNTINFO = [
    b"/srv/in\x0036 35 98:0 /mnt1 /srv/in/a\\040b rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n",
    b"/\x0022 1 0:21 / / rw shared:1 - overlay overlay rw,lowerdir=/l\n",
    b"/srv\x0040 22 0:35 / /srv\\134\\011\\012 ro - tmpfs none rw", b"\x0099999999999 1 1:1 / / - x y z"]

SEEDS = {
    "api": API, "clamd_conf": CLAMD_CONF, "clamd_reply": CLAMD, "config": CONFIG, "control": CONTROL,
    "events": EVENTS, "hashindex": HASHINDEX, "hashlist": HASHES, "http": HTTP, "mountinfo": MOUNTINFO,
    "names": NAMES, "order": ORDERS, "pattern": PATTERNS, "protocol": PACKETS, "report": REPORTS,
    "sidecar": SIDECARS, "sim": SIM,
}


def main(directory):
    for name, seeds in SEEDS.items():
        os.makedirs(os.path.join(directory, name), exist_ok=True)
        paths = [os.path.join(directory, name, str(i)) for i in range(len(seeds))]
        for path, seed in zip(paths, seeds):
            with open(path, "wb") as file:
                file.write(seed)
        with open(os.path.join(directory, name + ".list"), "w", encoding="utf-8") as file:
            file.write(",".join(paths))
    with open(os.path.join(directory, "made"), "w", encoding="utf-8"):
        pass


if __name__ == "__main__":
    main(sys.argv[1])
