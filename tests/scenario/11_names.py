"""Names: what `carved parse` says of each producer's, and whether it agrees with Python's re."""
import json
import os
import subprocess
import sys

import scenario
from scenario import check, command, same

# CARVED_NAMES: how many random names; a build with sanitizers is told fewer.
COUNT = int(os.environ.get("CARVED_NAMES", 0))
FUID, CONN = "FkT8vB2zOqLrPzb0Qd", "CsQ1x7rydrGyYROuX3"
UUID = "5f0c1f5e-9d0b-4c39-8a37-2b1f6f0d9a11"
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
STRELKA = "S^E^P".join(["40211", "HTTP", CONN, FUID, "192.0.2.7", "198.51.100.9", "text%2Fplain", ""])

# name -> the fields that it must have; those of FIELDS that are not here must be null.
KNOWN = {
    f"HTTP-{FUID}.monday-{UUID}.application.vnd.ms-excel.xls": {
        "scheme": "broapt", "protocol": "HTTP", "fuid": FUID, "pcap": f"monday-{UUID}",
        "media_type": "application", "subtype": "vnd.ms-excel", "extension": "xls",
        "mime": "application/vnd.ms-excel"},
    f"HTTP-{FUID}.application.msword.docx": {
        "scheme": "broapt", "protocol": "HTTP", "fuid": FUID, "media_type": "application",
        "subtype": "msword", "extension": "docx", "mime": "application/msword"},
    f"SMTP-{FUID}.a.day.of.text.html.html": {
        "scheme": "broapt", "protocol": "SMTP", "fuid": FUID, "pcap": "a.day.of",
        "media_type": "text", "subtype": "html", "extension": "html", "mime": "text/html"},
    f"extract-HTTP-{FUID}": {"scheme": "zeek", "protocol": "HTTP", "fuid": FUID},
    f"extract-1400465331.809379-FTP_DATA-{FUID}": {
        "scheme": "zeek", "protocol": "FTP_DATA", "fuid": FUID, "ts": "1400465331.809379"},
    f"SMTP-{FUID}.txt": {"scheme": "zeek", "protocol": "SMTP", "fuid": FUID, "extension": "txt"},
    f"SSL-{FUID}-{CONN}-20190402105425.crt": {
        "scheme": "malcolm", "protocol": "SSL", "fuid": FUID, "conn_uid": CONN,
        "extension": "crt", "ts": "20190402105425"},
    f"HTTP-{FUID}-{DIGEST[:32]}.exe": {
        "scheme": "securityonion", "protocol": "HTTP", "fuid": FUID, "hash": DIGEST[:32],
        "extension": "exe"},
    f"{CONN}_{FUID}__admin-pc_ADMIN$_tool.exe": {
        "scheme": "bzar", "conn_uid": CONN, "fuid": FUID},
    f"{DIGEST[:2]}/{DIGEST}": {"scheme": "suricata", "hash": DIGEST},
    "http-item_192.0.2.1:56730-198.51.100.2:80_resp_1.dat": {
        "scheme": "zeek", "protocol": "http", "orig_h": "192.0.2.1", "resp_h": "198.51.100.2",
        "extension": "dat"},
    STRELKA: {"scheme": "strelka", "protocol": "HTTP", "fuid": FUID, "conn_uid": CONN,
              "orig_h": "192.0.2.7", "resp_h": "198.51.100.9", "mime": "text/plain"},
}
FIELDS = ("protocol", "fuid", "pcap", "conn_uid", "ts", "orig_h", "resp_h", "hash")
UNKNOWN = [f"{FUID}-file", "1", "mail", f"{DIGEST[:2]}/{DIGEST}.1525123869.1.json",
           f"00/{DIGEST}", ".hidden", "HTTP-xyz.pdf"]


def parsed(*names):
    done = command("parse", "--", *names)
    lines = done.stdout.decode("ascii").splitlines()
    same(len(lines), len(names), "lines")
    return done.returncode, [json.loads(line) for line in lines]


def test_every_scheme_and_its_fields():
    code, answers = parsed(*KNOWN)
    for (name, fields), answer in zip(KNOWN.items(), answers):
        same((answer["name"], answer["match"]), (name, True), "name and match")
        check(answer["scheme"].startswith(fields["scheme"]), f"{name}: {answer['scheme']}")
        for key, value in fields.items():
            if key != "scheme":
                same(answer[key], value, f"{key} of {name}")
        for key in FIELDS:
            if key not in fields and fields["scheme"] != "bzar":
                same(answer[key], None, f"{key} of {name}")
    same(code, 0, "exit status when all match")


def test_what_is_no_extracted_file():
    code, answers = parsed(*UNKNOWN)
    same([answer["name"] for answer in answers if answer["match"]], [], "names that match")
    same(code, 1, "exit status when one does not match")


def test_bytes_survive_the_round_trip():
    name = b"HTTP-F\xc3\xa91.\xff\x1b[2J\n.text.plain.t\xe2\x82xt"
    done = command("parse", "-0", "-", input=name + b"\0")
    same(done.stdout.count(b"\n"), 1, "lines")
    answer = json.loads(done.stdout.decode("ascii"))
    same(os.fsencode(answer["name"]), name, "the name")


def test_broapt_exact_is_what_pythons_re_gives():
    here = os.path.dirname(os.path.abspath(__file__))
    count = COUNT or (20000 if scenario.sanitizer() else 100000)
    done = subprocess.run([sys.executable, "-B", os.path.join(here, "parse_against_re.py"),
                           scenario.binary(), str(count)], stdout=subprocess.PIPE, check=False,
                          stdin=subprocess.DEVNULL, timeout=600)
    print("       ", done.stdout.splitlines()[-1].decode("ascii", "replace"))
    same(done.returncode, 0, f"differences: {done.stdout[-2000:]!r}")


if __name__ == "__main__":
    scenario.main()
