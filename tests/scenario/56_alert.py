"""Alerts: a command or a web server is told of malicious and suspicious files, in order, at least once, together
when there are many; through kill -9, failures, deadlines and ends. Nothing of a file's name but JSON reaches it.
"""
import contextlib
import http.server
import json
import os
import signal
import threading

import scenario
import tls
from lines import numbers, path_of
from scenario import Carved, broapt_name, check, command, processes_with, same, scaled

BAD = b"bad to the bone"

# Notes each call as one line: what it was told, on stdin, in its environment and arguments. Then does what the file
# "order" says, if there is one.
SLEEP = f"86399.{os.getpid()}"     # others may run the same at the same time
COMMAND = """#!/usr/bin/python3
import json, os, sys, time
home = sys.argv[1]
told = sys.stdin.buffer.read().decode("ascii")
call = {"lines": [json.loads(line) for line in told.splitlines()], "env": dict(os.environ), "argv": sys.argv[1:],
        "fds": sorted(int(fd) for fd in os.listdir("/proc/self/fd"))}
order = None
try:
    order = open(home + "/order").read()
except FileNotFoundError:
    pass
call["order"] = order
with open(home + "/calls", "a") as file:
    file.write(json.dumps(call) + "\\n")
if order == "fail":
    print("first words", file=sys.stderr)
    print("no mail today", file=sys.stderr)
    sys.exit(7)
if order == "slow":
    if os.fork() == 0:
        os.setsid()
        os.execv("/bin/sleep", ["sleep", "SLEEP"])
    time.sleep(86399)
if order == "kill":
    os.unlink(home + "/order")
    os.kill(int(open(home + "/pid").read()), 9)
    time.sleep(86399)
""".replace("SLEEP", SLEEP)


class Alerted(Carved):
    """A daemon that knows one bad content and runs a command for it."""

    def __init__(self, more="every: 0", way=None, top=""):
        super().__init__(config="{}\n")
        self.bad = self.write_hashlist(BAD)
        self.program = os.path.join(self.home, "tell")
        with open(self.program, "w", encoding="ascii") as file:
            file.write(COMMAND)
        os.chmod(self.program, 0o755)
        self.configure(more, way, top)

    def configure(self, more="every: 0", way=None, top=""):
        way = way or f"run: [{self.program}, {self.home}]"
        self.write_config(f"alert: {{ {way}, {more} }}\n{top}detectors:\n"
                          f"  - {{ type: hashlist, file: {self.bad} }}\n")

    def order(self, word):
        """What the command is to do from now on; None: its work."""
        path = os.path.join(self.home, "order")
        if word is None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            return
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(word)
        os.rename(path + ".new", path)

    def calls(self):
        try:
            with open(os.path.join(self.home, "calls"), encoding="ascii") as file:
                return [json.loads(line) for line in file.read().split("\n")[:-1]]
        except FileNotFoundError:
            return []

    def lines(self):
        """All that was told well, call after call."""
        return [line for call in self.calls() if call["order"] is None for line in call["lines"]]

    def wait_lines(self, count):
        self.until(lambda: len(self.lines()) >= count, f"{count} alerts")
        return self.lines()

    def wait_calls(self, count):
        self.until(lambda: len(self.calls()) >= count, f"{count} calls")
        return self.calls()

    def put_bad(self, name=None):
        return self.put(name, BAD)

    def note_pid(self):
        with open(os.path.join(self.home, "pid"), "w", encoding="ascii") as file:
            file.write(str(self.process.pid))


def test_bad_files_are_told_and_no_others():
    with Alerted() as carved:
        carved.start()
        first = carved.put_bad()
        call = carved.wait_calls(1)[0]
        carved.put(content=b"harmless")
        second = carved.put_bad()     # the same content again: a sighting
        lines = carved.wait_lines(2)
        same([path_of(line) for line in lines], [first, second], "paths")
        same([line["verdict"] for line in lines], ["malicious", "malicious"], "verdicts")
        same((call["env"]["CARVED_TOLD"], call["env"]["CARVED_WAITING"]), ("1", "0"), "its numbers")
        same(call["argv"], [carved.home], "its arguments")
        carved.wait_until("SELECT name, seq FROM sink", [(b"alert", 3)])
        same(carved.sql("SELECT count(*) FROM event"), [(0,)], "what waits")
        told = carved.status()["alert"]
        same(told, {"to": carved.program, "told": 2, "waiting": 0, "trouble": None}, "status")
        carved.stop()
        carved.start()
        third = carved.put_bad()
        same([path_of(line) for line in carved.wait_lines(3)], [first, second, third], "nothing told twice")
        carved.stop()


def test_what_is_yet_to_be_told_is_not_pruned():
    with Alerted() as carved:
        carved.order("fail")
        carved.start()
        bad = carved.put_bad()
        carved.wait_settled(1)
        harmless = carved.put(content=b"harmless")
        carved.wait_calls(1)
        carved.wait_settled(2)
        carved.stop()
        for path in bad, harmless:
            os.unlink(path)
        prune = ("prune", "--older-than", "0s", "--history", carved.history)
        result = command(*prune, cwd=carved.home)
        same((result.returncode, result.stdout), (0, b"pruned: 0\n"), "pruned while an alert waits")
        check(b"yet to be told" in result.stderr, f"the words {result.stderr!r}")
        carved.order(None)
        carved.start()
        same([path_of(line) for line in carved.wait_lines(1)], [bad], "told in the end")
        carved.wait_until("SELECT count(*) FROM event", [(0,)])
        result = command(*prune, cwd=carved.home)
        same((result.returncode, result.stdout, result.stderr), (0, b"pruned: 2\n", b""), "pruned behind it")
        carved.stop()


def test_hostile_names_come_as_json_alone():
    names = [b"HTTP-F\xff\n'\"; .x.text.plain.txt", b"$(touch pwned)`id`|x", b"-rf --help", b"{path}%s%n\x1b[31m",
             b"FAKE=1\n{\"event\":\"file\"}"]
    with Alerted() as carved:
        carved.configure("every: 0", top="unmatched: scan\n")
        carved.start(env={"SECRET": "sesame"})
        paths = [carved.put_bad(name) for name in names]
        lines = carved.wait_lines(len(names))
        same(sorted(path_of(line) for line in lines), sorted(paths), "paths")
        for call in carved.calls():
            same(call["argv"], [carved.home], "arguments")
            same(sorted(set(call["env"]) - {"LC_CTYPE"}), ["CARVED_TOLD", "CARVED_WAITING", "HOME", "LANG", "PATH"],
                 "environment")
            check(set(call["fds"]) <= {0, 1, 2, 3, 4}, f"descriptors {call['fds']}")
        carved.stop()


def test_a_burst_is_told_in_few_calls():
    """All of it, in order, none twice; what comes while one waits is told together."""
    count = 5000
    with Alerted("every: 1s") as carved:
        carved.start()
        for number in range(count):
            carved.put_bad(f"d{number % 8}/{broapt_name()}")
        lines = carved.wait_lines(count)
        calls = carved.calls()
        print(f"        {count} alerts in {len(calls)} calls of {max(len(call['lines']) for call in calls)} at most")
        same(numbers(lines), list(range(1, count + 1)), "numbers")
        check(all(len(call["lines"]) <= 1000 for call in calls), "a call has more than 1,000")
        check(len(calls) < count / 20, f"{len(calls)} calls")
        for call in calls:
            same(int(call["env"]["CARVED_TOLD"]), len(call["lines"]), "CARVED_TOLD")
        same(calls[-1]["env"]["CARVED_WAITING"], "0", "what waits behind the last call")
        carved.stop()


def test_what_waits_behind_a_full_call_is_said():
    with Alerted() as carved:
        carved.order("fail")
        carved.start()
        for _ in range(1500):
            carved.put_bad()
        carved.wait_settled(1500)
        carved.kill()
        carved.until(lambda: not processes_with(carved.program), "its command has ended")
        carved.order(None)
        before = len(carved.calls())
        carved.start()
        same(numbers(carved.wait_lines(1500)), list(range(1, 1501)), "numbers")
        calls = carved.calls()[before:]
        seen = 0
        for call in calls:
            seen += len(call["lines"])
            same(int(call["env"]["CARVED_WAITING"]), 1500 - seen, "CARVED_WAITING")
        check(len(calls) >= 2, "it was one call")
        carved.stop()


def test_a_failing_command_is_run_again_and_named_once():
    with Alerted() as carved:
        carved.order("fail")
        carved.start()
        paths = [carved.put_bad()]
        carved.wait_calls(2)
        words = b"alerts are not told, and wait in the history: " + carved.program.encode() + \
            b": exit status 7: no mail today"
        same(carved.stderr().count(words), 1, "how often the log says it")
        told = carved.status()["alert"]
        check("no mail today" in told["trouble"] and told["told"] == 0, f"status says {told}")
        paths.append(carved.put_bad())
        carved.order(None)
        same([path_of(line) for line in carved.wait_lines(2)], paths, "paths")
        carved.until(lambda: b"alerts are told again" in carved.stderr(), "words of its end")
        same(carved.status()["alert"]["trouble"], None, "trouble then")
        carved.stop()


def test_a_command_that_is_not_there():
    with Alerted() as carved:
        os.rename(carved.program, carved.program + ".away")
        carved.start()
        path = carved.put_bad()
        carved.until(lambda: b"alerts are not told" in carved.stderr(), "words in the log")
        check(b"cannot run " + carved.program.encode() in carved.stderr(), carved.stderr())
        os.rename(carved.program + ".away", carved.program)
        same([path_of(line) for line in carved.wait_lines(1)], [path], "path")
        carved.stop()


def test_a_slow_command_is_killed_with_all_of_its_kind():
    with Alerted("every: 0, timeout: 500ms") as carved:
        carved.order("slow")
        carved.start()
        path = carved.put_bad()
        carved.until(lambda: b"longer than 500 ms (alert: timeout)" in carved.stderr(), "words in the log")
        carved.order(None)
        same([path_of(line) for line in carved.wait_lines(1)], [path], "path")
        carved.until(lambda: not processes_with(SLEEP), "nothing of it is left")
        carved.stop()


def test_kill_between_telling_and_noting_it():
    """The command kills the daemon when it has told: it is told once more, under the same numbers."""
    with Alerted() as carved:
        carved.order("kill")
        carved.start()
        carved.note_pid()
        path = carved.put_bad()
        same(carved.wait(), -signal.SIGKILL, "how it ended")
        same(carved.sql("SELECT name, seq FROM sink"), [(b"alert", 0)], "what was noted")
        first = carved.calls()[0]["lines"]
        carved.start()
        again = carved.wait_lines(1)
        same((first, [path_of(line) for line in first]), (again, [path]), "told again")
        carved.stop()


def test_kill_at_any_moment_tells_everything():
    with Alerted() as carved:
        made = []
        for _ in range(scaled(5, 50)):
            carved.start(ready=False)
            before = len(carved.calls())
            made += [carved.put_bad(f"d{number % 4}/{broapt_name()}") for number in range(100)]
            carved.wait_calls(before + 1)
            carved.kill()
        carved.start()
        carved.wait_settled(len(made))
        carved.until(lambda: carved.sql("SELECT count(*) FROM event") == [(0,)], "all is told")
        lines = carved.lines()
        same({path_of(line) for line in lines}, set(made), "paths")
        again = len(lines) - len(set(numbers(lines)))
        print(f"        {len(lines)} alerts, {again} told again, {len(carved.calls())} calls")
        carved.stop()


def test_an_end_does_not_wait_for_a_slow_command():
    """It has stop_grace, then it is killed, and run again by the next start."""
    with Alerted(top="stop_grace: 200ms\n") as carved:
        carved.order("slow")
        carved.start()
        path = carved.put_bad()
        carved.until(lambda: processes_with(SLEEP), "it runs")
        carved.stop()
        check(not processes_with(SLEEP), "it is left behind")
        check(b"alerts are not told" not in carved.stderr(), "the end is called a failure")
        carved.order(None)
        carved.start()
        check(b"alert: 1 of the last run are yet to be told" in carved.stderr(), "words at the start")
        same([path_of(line) for line in carved.wait_lines(1)], [path], "path")
        carved.stop()


def test_a_command_does_not_outlive_a_daemon_that_is_killed():
    with Alerted() as carved:
        carved.order("slow")
        carved.start()
        path = carved.put_bad()
        carved.until(lambda: processes_with(SLEEP), "it runs")
        carved.kill()
        carved.until(lambda: not processes_with(SLEEP), "nothing of it is left")
        carved.order(None)
        carved.start()
        same([path_of(line) for line in carved.wait_lines(1)], [path], "path")
        carved.stop()


def test_a_reload_says_that_another_alert_waits_for_a_start():
    with Alerted() as carved:
        carved.start()
        done = scenario.command("reload", "--history", carved.history)
        check(b"another alert" not in done.stdout + done.stderr, f"the same one: {done}")
        carved.configure("every: 1h")
        done = scenario.command("reload", "--history", carved.history)
        check(b"another alert takes effect at the next start" in done.stdout + done.stderr, f"{done}")
        carved.put_bad()
        carved.put_bad()
        carved.wait_lines(2)        # as it was told before
        carved.stop()


def test_once_tells_all_before_it_ends():
    with Alerted("every: 1h") as carved:
        for _ in range(50):
            carved.put_bad()
        carved.start("--once", ready=False)
        same(carved.wait(), 0, "exit status")
        same(numbers(carved.lines()), list(range(1, 51)), "numbers")


def test_a_rescan_that_turns_bad_is_told():
    with Alerted() as carved:
        carved.start()
        path = carved.put(content=b"found out later")
        carved.wait_settled(1)
        carved.write_hashlist(BAD, b"found out later")
        carved.send(signal.SIGHUP)
        carved.until(lambda: b"detectors reloaded" in carved.stderr(), "the list is read")
        same(scenario.command("rescan", "--history", carved.history).returncode, 0, "rescan")
        line = carved.wait_lines(1)[0]
        same((path_of(line), line["rescan"], line["was"], line["verdict"]), (path, True, "clean", "malicious"), "alert")
        carved.stop()


def test_elastic_common_schema_and_chosen_verdicts():
    with Alerted("every: 0, format: ecs, on: malicious") as carved:
        carved.start()
        path = carved.put_bad()
        line = carved.wait_lines(1)[0]
        same((os.fsencode(line["file"]["path"]), line["event"]["kind"]), (path, "alert"), "alert")
        carved.stop()
    with Alerted("every: 0, on: [suspicious]") as carved:
        carved.start()
        carved.put_bad()
        carved.wait_until("SELECT name, seq FROM sink", [(b"alert", 1)])
        same(carved.calls(), [], "calls")
        carved.stop()


class Hook(http.server.ThreadingHTTPServer):
    """A web server on the loopback that keeps what is posted and answers with the status that is set. With a context
    it speaks TLS; one that is held does not answer before its end."""

    def __init__(self, context=None, held=False):
        super().__init__(("127.0.0.1", 0), Handler)
        self.posts, self.status, self.go_on = [], 204, threading.Event()
        if not held:
            self.go_on.set()
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.server_address[1]}/hook/s3cret?key=s3cret"
        self.thread = threading.Thread(target=self.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.go_on.set()
        self.shutdown()
        self.thread.join()
        self.server_close()

    def handle_error(self, *_):
        pass  # a client that went away, or trusts nobody

    def told(self):
        return [line for status, _, lines in self.posts if status == 204 for line in lines]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):  # noqa: N802 - the library's name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.status
        self.server.posts.append((status, (self.path, dict(self.headers)), json.loads(body)))
        self.server.go_on.wait()
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def test_a_web_server_is_told():
    with Hook() as hook, Alerted() as carved:
        token = os.path.join(carved.home, "token")
        with open(token, "w", encoding="ascii") as file:
            file.write("open-sesame\n")
        os.chmod(token, 0o600)
        carved.configure(f"every: 1s, token_file: {token}", way=f"url: '{hook.url}'",
                         top="unmatched: scan\n")
        carved.start()
        hook.status = 503
        paths = [carved.put_bad(b"HTTP-F\xff\n'\"; .x.text.plain.txt")]
        carved.until(lambda: len(hook.posts) >= 1, "a first try")
        carved.until(lambda: b"it answered with status 503" in carved.stderr(), "words in the log")
        check(b"s3cret" not in carved.stderr(), "the log holds the URL's secrets")
        told = carved.status()["alert"]
        check("s3cret" not in json.dumps(told), f"status holds them: {told}")
        hook.status = 204
        paths += [carved.put_bad() for _ in range(20)]
        carved.until(lambda: len(hook.told()) >= 21, "21 alerts")
        same(sorted(path_of(line) for line in hook.told()), sorted(paths), "paths")
        same(numbers(hook.told()), list(range(1, 22)), "numbers")
        _, (path, headers), lines = hook.posts[-1]
        same(path, "/hook/s3cret?key=s3cret", "path")
        same((headers["Content-Type"], headers["Authorization"], headers["Carved-Told"], headers["Carved-Waiting"]),
             ("application/json", "Bearer open-sesame", str(len(lines)), "0"), "headers")
        carved.stop()


def trouble_of(carved):
    """Of the alert, once there is some."""
    return carved.until(lambda: carved.status()["alert"]["trouble"], "an alert's trouble")


def test_only_a_web_server_with_the_right_certificate_is_told():
    def configure(carved, hook, ca):
        carved.configure("every: 0" + (f", ca: {ca}" if ca else ""), way=f"url: '{hook.url}'")

    with Alerted() as carved:
        tls.certificates(carved.home)
        made = []
        for certificate, ca in (("right", None), ("right", "other.pem"), ("other", "ca.pem"), ("name", "ca.pem")):
            with Hook(tls.context(carved.home, certificate)) as hook:
                configure(carved, hook, ca)
                carved.start()
                made.append(carved.put_bad())
                trouble = trouble_of(carved)
                check("certificate" in trouble or "SSL" in trouble, f"{certificate} by {ca}: {trouble}")
                check(b"alerts are not told, and wait in the history: https://127.0.0.1:" in carved.stderr(), "the log")
                carved.stop()
                same(hook.posts, [], f"what {certificate} was told by {ca}")
            same(carved.sql("SELECT name, seq FROM sink"), [(b"alert", 0)], "how far it was told")
        with Hook(tls.context(carved.home, "right")) as hook:
            configure(carved, hook, "ca.pem")
            carved.start()
            carved.wait_until("SELECT name, seq FROM sink", [(b"alert", len(made))])
            same([path_of(line) for line in hook.told()], made, "paths")
            # the file is read for each call
            os.rename(os.path.join(carved.home, "ca.pem"), os.path.join(carved.home, "ca.away"))
            made.append(carved.put_bad())
            check("ca.pem" in trouble_of(carved), trouble_of(carved))
            same(len(hook.told()), len(made) - 1, "told without it")
            same(carved.sql("SELECT name, seq FROM sink"), [(b"alert", len(made) - 1)], "how far it was told then")
            os.rename(os.path.join(carved.home, "ca.away"), os.path.join(carved.home, "ca.pem"))
            carved.until(lambda: [path_of(line) for line in hook.told()] == made, "all is told")
            carved.stop()


def test_a_web_server_that_never_answers_holds_up_nobody_else():
    with Hook(held=True) as hook, Alerted() as carved:
        events = os.path.join(carved.home, "events.json")

        def told():
            with open(events, "rb") as file:
                return file.read().count(b"\n")

        def configure(timeout):
            carved.configure(f"every: 0, timeout: {timeout}", way=f"url: '{hook.url}'",
                             top=f"stop_grace: 200ms\nevents: {events}\n")
        configure("300ms")
        carved.start()
        carved.put_bad()
        check("longer than 300 ms" in trouble_of(carved), trouble_of(carved))
        same(carved.status()["alert"]["waiting"], 1, "what waits")
        carved.put_bad()
        carved.until(lambda: told() == 2, "the file of events has them")
        carved.stop()
        configure("1d")
        before = len(hook.posts)
        carved.start()
        carved.until(lambda: len(hook.posts) > before, "it is posted to")
        carved.put_bad()
        carved.until(lambda: told() == 3, "the file of events has the next")
        same(carved.status()["alert"]["waiting"], 2, "what waits then")
        carved.stop()
        same(carved.sql("SELECT name, seq FROM sink ORDER BY name"), [(b"alert", 0), (b"events", 3)], "how far they are")
        hook.go_on.set()
        carved.start()
        carved.wait_until("SELECT name, seq FROM sink ORDER BY name", [(b"alert", 3), (b"events", 3)])
        carved.stop()


def test_a_web_server_that_is_not_there():
    with Hook() as hook, Alerted() as carved:
        carved.configure("every: 0", way="url: 'http://127.0.0.1:1/'")
        carved.start()
        carved.put_bad()
        carved.until(lambda: b"alerts are not told" in carved.stderr(), "words in the log")
        carved.stop()
        carved.configure("every: 0", way=f"url: '{hook.url}'")
        carved.start()
        carved.until(lambda: len(hook.told()) == 1, "told by the next start")
        carved.stop()


def test_events_and_alerts_have_a_cursor_each():
    with Alerted() as carved:
        events = os.path.join(carved.home, "events.json")
        carved.configure("every: 0", top=f"events: {events}\n")
        carved.order("fail")
        carved.start()
        carved.put_bad()
        carved.wait_settled(1)
        carved.put(content=b"harmless")
        carved.wait_until("SELECT name, seq FROM sink ORDER BY name", [(b"alert", 0), (b"events", 2)])
        same(carved.sql("SELECT seq FROM event ORDER BY seq"), [(1,), (2,)], "what waits for the alert")
        carved.order(None)
        carved.wait_until("SELECT name, seq FROM sink ORDER BY name", [(b"alert", 2), (b"events", 2)])
        same(carved.sql("SELECT count(*) FROM event"), [(0,)], "what waits")
        carved.stop()


def checked(carved):
    done = scenario.command("check", "-c", carved.config_path)
    return next(line for line in done.stdout.split(b"\n") if b" alert" in line)


def test_check_says_whether_it_can_be_told():
    with Alerted() as carved:
        check(b"ok" in checked(carved), checked(carved))
        os.chmod(carved.program, 0o644)
        check(b"warn" in checked(carved) and b"not be run" in checked(carved), checked(carved))
        os.unlink(carved.program)
        check(b"warn" in checked(carved) and b"No such file" in checked(carved), checked(carved))
        carved.configure(way="url: 'https://hook.example/s3cret'")
        check(b"ok" in checked(carved) and b"s3cret" not in checked(carved), checked(carved))
        carved.configure("every: 0, token_file: nowhere", way="url: 'https://hook.example/'")
        check(b"warn" in checked(carved) and b"nowhere" in checked(carved), checked(carved))


def test_bad_settings_are_refused_with_their_place():
    with Alerted() as carved:
        for way, words in (("on: malicious", b"carved.yml:1:8: alert: expected either"),
                           ("run: [x], url: 'http://h/'", b"1:8: alert: expected either"),
                           ("url: 'ftp://h/'", b"1:15: url: expected http:// or https://")):
            carved.configure("every: 0", way=way)
            done = scenario.command("check", "-c", carved.config_path)
            same(done.returncode, 2, f"exit status of check for {way}")
            check(words in done.stderr + done.stdout, f"{way}: {done.stderr + done.stdout!r}")


if __name__ == "__main__":
    scenario.main()
