"""BroAPT's api.yml, as its users wrote it: which commands run for which file, where, with what, and what
is made of their answers."""
import json
import os

import scenario
from scenario import Carved, broapt_name, check, command, fuid, same

def say(word):
    """A command, as YAML: reports that the file is clean, and which entry says so."""
    return json.dumps(f"printf '{{\"outcome\":\"clean\",\"signature\":\"{word}\"}}\\n' >&3")


def api(carved, text, retry_pause="200ms", extra=""):
    """Writes api.yml and a carved.yml that names it; the directories of logs and of workdirs."""
    carved.api_root, carved.api_logs = (os.path.join(carved.home, name) for name in ("api", "logs"))
    os.makedirs(carved.api_root, exist_ok=True)
    path = os.path.join(carved.api_root, "api.yml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    carved.write_config(f"api_root: {carved.api_root}\napi_logs: {carved.api_logs}\n{extra}"
                        f"detectors:\n  - {{ type: api, file: {path}, retry_pause: {retry_pause} }}\n")


def place(carved, mime):
    path = os.path.join(carved.api_root, mime)
    os.makedirs(path, exist_ok=True)
    return path


def logs(carved):
    """Every log file: its path below api_logs -> what is in it."""
    found = {}
    for top, _, names in os.walk(carved.api_logs):
        for name in names:
            path = os.path.join(top, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, carved.api_logs)] = file.read()
    return found


def signature(carved, path):
    rows = carved.sql("SELECT s.signature FROM scan s JOIN file f ON f.id = s.file_id "
                      "WHERE f.path = CAST(? AS TEXT)", path)
    same(len(rows), 1, f"outcomes of {path!r}")
    return rows[0][0]


def test_which_entry_serves_a_type():
    text = "example:\n  report: " + say("default") + "\n"
    # written in the wrong order; "application" comes first whatever the file's order is
    text += "video:\n  mp4: &any\n    report: " + say("video") + "\n"
    text += "application:\n  vnd.ms-excel: { report: " + say("excel") + " }\n"
    text += "  vnd.ms-*: { report: " + say("office") + " }\n"
    text += "  vnd.ms-word: { report: " + say("never") + " }\n"
    text += "text:\n  plain: &plain { report: " + say("text") + " }\n  x-log: *plain\n"
    text += "image:\n  '*': *any\n"
    expected = {"application/vnd.ms-excel": b"excel", "application/vnd.ms-word": b"office",
                "application/vnd.ms-cab-compressed": b"office", "application/pdf": b"default",
                "text/plain": b"text", "text/x-log": b"text", "text/html": b"default",
                "image/png": b"video", "video/mp4": b"video", "APPLICATION/VND.MS-WORD": b"office"}
    with Carved() as carved:
        api(carved, text)
        for mime in list(expected) + ["example"]:
            place(carved, mime.lower())
        carved.start()
        paths = {mime: carved.put(broapt_name(mime, "x")) for mime in expected}
        carved.wait_settled(len(paths))
        for mime, path in paths.items():
            same(carved.row(path), (b"done", None, b"clean"), f"state of {mime}")
            same(signature(carved, path), expected[mime], f"who looked at {mime}")


def test_environment_and_directory():
    text = """
environment: { BASE: "/opt/$WHO", TOOL: "${BASE}/tool", SHARED: global }
application:
  pdf:
    workdir: sub/dir
    environ: { SHARED: "own", MINE: "<$TOOL>", LITERAL: "$NOT_SET" }
    scripts:
      - env
      - [printf, "%s|%s|%s\\n", "$MINE", "${SHARED}", "$BROAPT_MIME"]
    report: 'echo "$BROAPT_PATH|$BROAPT_MIME|$MINE|$SHARED|$(pwd)"'
example: { report: "true" }
"""
    with Carved() as carved:
        api(carved, text)
        where = os.path.join(place(carved, "application/pdf"), "sub/dir")
        os.makedirs(where)
        carved.start(env={"WHO": "ops", "SECRET": "do not pass on"})
        path = carved.put()
        carved.wait_settled(1)
        same(carved.row(path), (b"done", None, b"unknown"), "a tool that ran and gave no report")
        stem = "application/pdf/" + carved.row(path, "fuid")[0].decode()
        got = logs(carved)
        same(sorted(got), [f"{stem}-report.1", f"{stem}-scripts.1", f"{stem}-scripts.2"], "the logs")
        same(got[f"{stem}-report.1"].decode(),
             f"{path.decode()}|application/pdf|</opt/ops/tool>|own|{where}\n", "what report saw")
        same(got[f"{stem}-scripts.2"], b"</opt/ops/tool>|own|application/pdf\n", "a list's words")
        environment = got[f"{stem}-scripts.1"].splitlines()
        check(b"BASE=/opt/ops" in environment, f"BASE is not in {environment!r}")
        check(b"BROAPT_PATH=" + path in environment, f"BROAPT_PATH is not in {environment!r}")
        check(not [line for line in environment if b"SECRET" in line], "the daemon's variables leak")


def test_reports():
    text = """
example: { report: "true" }
application:
  a: { report: "echo '{\\"outcome\\":\\"malicious\\",\\"signature\\":\\"Bad.One\\"}' >&3" }
  b: { report: "true" }
  c: { report: "echo nonsense >&3", }
  d: { scripts: ["echo '{\\"outcome\\":\\"suspicious\\"}' >&3"], report: "true" }
"""
    expected = {"a": (b"done", None, b"malicious"), "b": (b"done", None, b"unknown"),
                "c": (b"unscanned", b"failed", b"error"), "d": (b"done", None, b"suspicious")}
    with Carved() as carved:
        api(carved, text, retry_pause="50ms")
        for subtype in expected:
            place(carved, "application/" + subtype)
        carved.start()
        paths = {subtype: carved.put(broapt_name("application/" + subtype)) for subtype in expected}
        carved.wait_settled(len(paths))
        same({subtype: carved.row(path) for subtype, path in paths.items()}, expected, "the states")
        same(carved.sql("SELECT signature FROM detections WHERE verdict = 'malicious'"),
             [(b"Bad.One",)], "the signature")


def test_a_failing_script_is_tried_three_times_and_holds_up_nobody():
    text = """
example: { report: "true" }
application:
  pdf:
    scripts: [ 'echo tried; exit 1', 'echo never' ]
    report: echo never
text: { plain: { report: "true" } }
"""
    with Carved() as carved:
        api(carved, text, retry_pause="1s", extra="workers: 1\n")
        for mime in ("application/pdf", "text/plain"):
            place(carved, mime)
        carved.start()
        failing = carved.put(broapt_name("application/pdf"))
        carved.wait_until("SELECT count(*) FROM scan", [(1,)])
        others = [carved.put(broapt_name("text/plain")) for _ in range(10)]
        carved.wait_until("SELECT count(*) FROM file WHERE state = 'done'", [(10,)])
        same(carved.row(failing)[0], b"queued", "the failing file waits meanwhile")
        carved.wait_settled(11)
        same(carved.row(failing), (b"unscanned", b"failed", b"error"), "in the end")
        rows = carved.sql("SELECT attempt, outcome, started_ns FROM scan WHERE outcome <> 'unknown' "
                          "ORDER BY attempt")
        same([row[:2] for row in rows], [(n, b"error") for n in (1, 2, 3)], "its attempts")
        for one, two in zip(rows, rows[1:]):
            check(two[2] - one[2] >= 10**9, "a pause was shorter than retry_pause")
        stem = "application/pdf/" + carved.row(failing, "fuid")[0].decode()
        got = {name: content for name, content in logs(carved).items() if name.startswith(stem)}
        same(got, {stem + "-scripts.1" + end: b"tried\n" for end in ("", "_1", "_2")}, "its logs")
        check([carved.row(path) for path in others] == [(b"done", None, b"unknown")] * 10, "others")


HOSTILE = ["$(touch {0}/m1)", "`touch {0}/m2`", ";touch {0}/m3;", "a'$(touch {0}/m4)'", "|touch m5",
           "\"; touch m6; \"", "&& touch m7", "\ntouch m8\n", "$IFS$()touch m9", "*?[!a]", "\\", "--",
           "%s%n%p", "\x1b]0;m\x07", "\udcff\udcfe", "${BROAPT_PATH}", "$HOME", "~", "{fd}{path}"]


def test_hostile_names_stay_data():
    text = """
environment: { AGAIN: "$BROAPT_PATH" }
example: { report: "true" }
application:
  pdf:
    scripts:
      - cat "$BROAPT_PATH"; echo; cat "$AGAIN"; echo; printf '%s\\0' "$BROAPT_PATH"
      - echo $BROAPT_PATH "${BROAPT_PATH}" $AGAIN >/dev/null
      - [cat, "$BROAPT_PATH"]
      - [sh, -c, 'cat "$BROAPT_PATH" $AGAIN || true']
      - [sh, -c, 'cat "$1"', sh, "${AGAIN}"]
    report: 'test -f "$BROAPT_PATH"'
"""
    with Carved() as carved:
        api(carved, text)
        where = place(carved, "application/pdf")
        carved.start()
        paths = {}
        for i, middle in enumerate(HOSTILE):
            word = middle.replace("{0}/", "")
            # a pcap part holds no newline, but what follows the extension may
            name = f"HTTP-{fuid()}.x{word}y.application.pdf.pdf"
            if "\n" in word:
                name = f"HTTP-{fuid()}.x.application.pdf.pdf{word}"
            paths[carved.put(name, b"content %d" % i)] = b"content %d" % i
        carved.wait_settled(len(paths))
        same(carved.sql("SELECT state, verdict, count(*) FROM file GROUP BY 1, 2"),
             [(b"done", b"unknown", len(paths))], "the states")
        got = logs(carved)
        for path, content in paths.items():
            stem = "application/pdf/" + carved.row(path, "fuid")[0].decode()
            same(got[stem + "-scripts.1"], content + b"\n" + content + b"\n" + path + b"\0",
                 f"the log of {path!r}")
            same(got[stem + "-scripts.3"], content, f"a list's argument, {path!r}")
            same(got[stem + "-scripts.5"], content, f"an argument of sh, {path!r}")
        made = [os.path.join(top, name) for top in (where, carved.home, "/", os.getcwd())
                for name in os.listdir(top) if len(name) == 2 and name[0] == "m"]
        same(made, [], "what a name made by running")


INSTALL = """
environment: {{ MARK: "{mark}" }}
example: {{ report: "true" }}
application:
  first: {{ shared: linux, report: "true" }}
  second: &second
    shared: linux
    environ: {{ WHO: second }}
    install: [ 'echo "$WHO string" >> "$MARK"', [sh, -c, 'echo list >> "$MARK"'] ]
    report: "true"
  third: *second
  fourth: {{ install: ['echo fourth >> "$MARK"'], report: "true" }}
"""


def test_install_runs_once_for_each_group_and_only_when_asked():
    with Carved() as carved:
        mark = os.path.join(carved.home, "mark")
        api(carved, INSTALL.format(mark=mark))
        for subtype in ("first", "second", "third", "fourth"):
            place(carved, "application/" + subtype)
        carved.start()
        carved.put(broapt_name("application/second"))
        carved.wait_settled(1)
        check(not os.path.exists(mark), "the daemon installs")
        carved.stop()
        done = command("check", "-c", carved.config_path, "--history", carved.history, "--install",
                       carved.root)
        same(done.returncode, 0, f"exit status ({done.stdout!r} {done.stderr!r})")
        with open(mark, encoding="ascii") as file:
            same(file.read(), "second string\nlist\nfourth\n", "what was installed, once for a group")


def test_an_install_step_that_fails():
    with Carved() as carved:
        api(carved, 'example: { install: ["exit 7", "touch %s/no"], report: "true" }' % carved.home)
        place(carved, "example")
        done = command("check", "-c", carved.config_path, "--history", carved.history, "--install",
                       carved.root)
        same(done.returncode, 3, f"exit status ({done.stderr!r})")
        check(b"api.yml:1" in done.stderr and b"7" in done.stderr, f"words: {done.stderr!r}")
        check(not os.path.exists(carved.home + "/no"), "the next step ran")


if __name__ == "__main__":
    scenario.main()
