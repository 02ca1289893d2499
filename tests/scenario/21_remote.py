"""Servers that are asked about files: what they are sent, what is made of every way to answer badly, and
how files wait for one that is away. The servers are Python's, on the loopback."""
import hashlib
import http.server
import json
import os
import signal
import ssl
import threading
import urllib.parse

import scenario
import tls
from scenario import EICAR, Carved, broapt_name, check, command, same

TOKEN = "s3cret-" + scenario.letters(24)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def report(self, outcome, **more):
        self.answer(200, json.dumps({"outcome": outcome, **more}, indent=2).encode())

    def do_HEAD(self):
        self.answer(405)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            self.server.seen.append((self.path, self.headers.items(), body))
        try:
            self.server.behaviour(self, body)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True


class Server:
    """A server that answers as behaviour(handler, body) says; "with" ends it. port 0: any."""

    def __init__(self, behaviour, port=0, context=None):
        class Threads(http.server.ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 128

            def handle_error(self, *_):
                pass  # a client that went away

        self.http = Threads(("127.0.0.1", port), Handler)
        self.http.behaviour, self.http.seen, self.http.lock = behaviour, [], threading.Lock()
        self.port = self.http.server_address[1]
        if context:
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True,
                                                   do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()

    @property
    def seen(self):
        with self.http.lock:
            return list(self.http.seen)


def free_port():
    with Server(judge) as server:
        return server.port


def judge(handler, body):
    if EICAR in body:
        handler.report("malicious", signature="Eicar-Test", detail={"engine": "test"})
    else:
        handler.report("clean")


def config(port, extra="", scheme="http", more=""):
    return (f"workers: 2\nunmatched: scan\nstop_grace: 200ms\ndetectors:\n  - type: remote\n"
            f"    url: {scheme}://127.0.0.1:{port}/scan\n    retry_pause: 50ms\n{extra}{more}")


def token_file(carved, token=TOKEN):
    path = os.path.join(carved.home, "token")
    with open(path, "w", encoding="ascii") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(token + "\n")
    return path


def outcome(carved, path, columns="s.outcome, s.signature, s.detail"):
    rows = carved.sql(f"SELECT {columns} FROM scan s JOIN file f ON f.id = s.file_id "
                      "WHERE f.path = CAST(? AS TEXT)", path)
    same(len(rows), 1, f"outcomes of {path!r}")
    return rows[0]


def nowhere(carved, secret):
    """The secret is in no file that the daemon has written."""
    for top, _, names in os.walk(carved.state):
        for name in names:
            with open(os.path.join(top, name), "rb") as file:
                check(secret.encode() not in file.read(), f"the token is in {name}")
    for path in (carved.stdout_path, carved.stderr_path):
        with open(path, "rb") as file:
            check(secret.encode() not in file.read(), f"the token is in {path}")


def test_content_goes_out_and_the_report_comes_back():
    with Carved() as carved, Server(judge) as server:
        carved.write_config(config(server.port, f"    token_file: {token_file(carved)}\n"))
        carved.start("--json")
        bad = carved.put(broapt_name("application/msword", "doc"), EICAR)
        large = os.urandom(3_000_000)
        good = carved.put(broapt_name("image/svg+xml", "svg"), large)
        empty = carved.put(broapt_name(), b"")
        carved.wait_settled(3)
        same(carved.row(bad), (b"done", None, b"malicious"), "EICAR")
        same(outcome(carved, bad), (b"malicious", b"Eicar-Test", b'{"engine":"test"}'), "its outcome")
        same(carved.row(good), (b"done", None, b"clean"), "three megabytes")
        same(carved.row(empty), (b"done", None, b"clean"), "an empty file")
        same(len(server.seen), 3, "requests")
        for target, headers, body in server.seen:
            headers = dict(headers)
            same(target, "/scan", "where it is asked")
            same(headers["Authorization"], "Bearer " + TOKEN, "who asks")
            same(headers["Content-Type"], "application/octet-stream", "the type of the body")
            same(headers["X-Carved-SHA256"], hashlib.sha256(body).hexdigest(), "the hash of the body")
            check("Expect" not in headers and "Accept-Encoding" not in headers, f"headers: {headers}")
        sent = {body: dict(headers) for _, headers, body in server.seen}
        same(sent[EICAR]["X-Carved-Mime"], "application/msword", "the type of the file")
        same(sent[large]["X-Carved-Mime"], "image/svg+xml", "a type with a plus")
        same(urllib.parse.unquote_to_bytes(sent[large]["X-Carved-Name"]), os.path.basename(good),
             "the name")
        # the same content under another name of the same type is not asked for again
        again = carved.put(broapt_name("application/msword", "doc"), EICAR)
        carved.wait_settled(4)
        same(outcome(carved, again, "s.outcome, s.cached"), (b"malicious", 1), "the second time")
        same(len(server.seen), 3, "requests")
        carved.stop()
        nowhere(carved, TOKEN)


def test_names_cannot_write_headers():
    names = [b"a\r\nX-Evil: 1\r\n\r\nGET HTTP.exe", b"a\nAuthorization: Bearer x", b"a\r", b"%0d%0a",
             b"\xff\xfe\x80.bin", "ümläut €.txt".encode(), b"a b;\"'\\\t\x01\x7f", b"x" * 255]
    with Carved() as carved, Server(judge) as server:
        carved.write_config(config(server.port))
        carved.start()
        for i, name in enumerate(names):
            carved.put(name, b"%d" % i)
        carved.wait_settled(len(names))
        same(len(server.seen), len(names), "requests")
        for _, headers, body in server.seen:
            keys = [key for key, _ in headers]
            check(set(keys) <= {"Host", "User-Agent", "Accept", "Content-Type", "Content-Length",
                                "X-Carved-Name", "X-Carved-Mime", "X-Carved-SHA256"},
                  f"headers that nobody meant: {headers!r}")
            same(len(keys), len(set(keys)), "headers that stand twice")
            same(urllib.parse.unquote_to_bytes(dict(headers)["X-Carved-Name"]), names[int(body)],
                 "the name as it arrived")


def trickle(handler, _):
    handler.answer(200, b"", Content_Length="1000000")
    for _ in range(6000):
        handler.wfile.write(b" ")
        handler.server.tick.wait(0.01)


BAD = {  # what the server does -> outcome, words of its detail
    b"500": (lambda h, _: h.answer(500, b"oops " + TOKEN.encode()), b"error", b"HTTP status 500"),
    b"404": (lambda h, _: h.answer(404), b"error", b"HTTP status 404"),
    b"204": (lambda h, _: h.answer(204), b"error", b"HTTP status 204"),
    b"503": (lambda h, _: h.answer(503), b"error", b"HTTP status 503"),
    b"redirect": (lambda h, _: h.answer(302, Location="/elsewhere"), b"error", b"HTTP status 302"),
    b"no json": (lambda h, _: h.answer(200, b"<html>clean</html>"), b"error", b"is not JSON"),
    b"empty": (lambda h, _: h.answer(200), b"error", b"is not JSON"),
    b"a list": (lambda h, _: h.answer(200, b'["clean"]'), b"error", b"is not a JSON object"),
    b"two": (lambda h, _: h.answer(200, b'{"outcome":"clean"}{}'), b"error", b"is not JSON"),
    b"a word": (lambda h, _: h.answer(200, b'{"outcome":"fine"}'), b"error", b"has no "),
    b"deep": (lambda h, _: h.answer(200, b"[" * 60000), b"error", b"nested deeper"),
    b"long": (lambda h, _: h.answer(200, b'{"outcome":"clean"}' + b" " * 65536), b"error",
              b"longer than 65536 bytes"),
    b"cut": (lambda h, _: (h.answer(200, b'{"outcome":"clean"}', Content_Length="100"),
                           setattr(h, "close_connection", True)), b"error", b"127.0.0.1"),
    b"no http": (lambda h, _: (h.wfile.write(b"hello\r\n"), setattr(h, "close_connection", True)),
                 b"error", b"127.0.0.1"),
    b"nothing": (lambda h, _: setattr(h, "close_connection", True), b"error", b"127.0.0.1"),
    b"trickle": (trickle, b"timeout", b"no answer before the deadline"),
    b"an error": (lambda h, _: h.report("error"), b"error", b"the server says so"),
    b"skipped": (lambda h, _: h.report("skipped", detail={"why": "too odd"}), b"skipped", b"too odd"),
}


def test_bad_answers_are_errors_and_never_clean():
    with Carved() as carved, Server(lambda h, body: BAD[body][0](h, body)) as server:
        server.http.tick = threading.Event()
        carved.write_config(config(server.port, f"    retries: 1\n    timeout: 2s\n"
                                                f"    token_file: {token_file(carved)}\n"))
        carved.start()
        paths = {kind: carved.put(broapt_name(), kind) for kind in BAD}
        carved.wait_settled(len(BAD))
        for kind, path in paths.items():
            same(carved.row(path, "state, reason"), (b"unscanned", b"failed"), f"state of {kind!r}")
            said, _, detail = outcome(carved, path)
            same(said, BAD[kind][1], f"outcome of {kind!r}, {detail!r}")
            check(BAD[kind][2] in detail, f"{kind!r}: {detail!r}")
        same({target for target, _, _ in server.seen}, {"/scan"}, "what was asked for")
        carved.stop()
        server.http.tick.set()
        nowhere(carved, TOKEN)


def waiting(carved, count):
    carved.wait_until("SELECT waits_for, count(*), count(DISTINCT note) FROM pending GROUP BY 1",
                      lambda rows: [row[:2] for row in rows] == [(b"detector", count)])


def test_files_wait_for_a_dead_server_and_cost_no_worker_time():
    port = free_port()
    with Carved() as carved:
        carved.write_config(config(port, '    mime: ["application/*"]\n',
                                   more='  - { type: noop, mime: ["text/*"] }\n')
                            .replace("workers: 2", "workers: 1"))
        carved.start()
        held = [carved.put(broapt_name(), b"%d" % i) for i in range(100)]
        waiting(carved, len(held))
        notes = carved.sql("SELECT DISTINCT note FROM pending")
        check(all(note.startswith(b"remote is away: ") and b"127.0.0.1:%d" % port in note
                  for note, in notes), f"notes: {notes!r}")
        check(any(b"not tried again for" in note for note, in notes), f"no breaker: {notes!r}")
        for i in range(100):
            carved.put(broapt_name("text/plain", "txt"), b"%d" % i)
        carved.wait_until("SELECT count(*) FROM file WHERE verdict = 'clean'", [(100,)])
        waiting(carved, len(held))
        same(carved.sql("SELECT count(*) FROM scan WHERE detector = 'remote'"), [(0,)], "outcomes")
        with Server(judge, port) as server:
            carved.wait_settled(200)
            same(carved.sql("SELECT verdict, count(*) FROM file GROUP BY 1"), [(b"clean", 200)], "all")
            same(carved.sql("SELECT DISTINCT attempt FROM scan"), [(1,)], "attempts")
            same(sorted(body for _, _, body in server.seen), sorted(b"%d" % i for i in range(100)),
                 "what was asked, once each")


def test_waiting_ends_and_says_for_what():
    port = free_port()
    for required, row in (("true", (b"unscanned", b"failed", b"error")), ("false", (b"done", None, b"error"))):
        with Carved() as carved:
            carved.write_config(config(port, f"    wait: 1s\n    required: {required}\n"))
            carved.start()
            path = carved.put()
            carved.wait_settled(1)
            same(carved.row(path), row, f"required: {required}")
            said, _, detail = outcome(carved, path)
            same(said, b"error", "the outcome")
            check(b"remote is away: http://127.0.0.1:%d: " % port in detail, f"detail: {detail!r}")


def test_a_server_that_hangs_is_left_alone_and_stopping_does_not_wait_for_it():
    release, asked = threading.Event(), threading.Event()

    def hang(handler, body):
        asked.set()
        release.wait()
        judge(handler, body)
    with Carved() as carved, Server(hang) as server:
        try:
            carved.write_config(config(server.port))
            carved.start()
            path = carved.put()
            check(asked.wait(scenario.PATIENCE), "nobody asks")
            carved.stop()
            same(carved.row(path), (b"queued", None, None), "the file when the daemon has stopped")
            same(carved.sql("SELECT count(*) FROM scan"), [(0,)], "outcomes")
        finally:
            release.set()
        carved.start()
        carved.wait_settled(1)
        same(carved.row(path), (b"done", None, b"clean"), "the file after the next start")


def test_a_server_that_asks_for_time_gets_it():
    busy = {429: 2, 503: 2}

    def behave(handler, body):
        status = next((status for status, left in busy.items() if left), None)
        if status is None:
            return judge(handler, body)
        busy[status] -= 1
        return handler.answer(status, Retry_After="1")
    with Carved() as carved, Server(behave) as server:
        carved.write_config(config(server.port, "    retries: 1\n"))
        carved.start()
        path = carved.put()
        carved.wait_settled(1)
        same(carved.row(path), (b"done", None, b"clean"), "the file")
        same(outcome(carved, path, "s.outcome, s.attempt"), (b"clean", 1), "its outcome")
        same(len(server.seen), 5, "requests")


def test_the_breaker_closes_again_after_failures():
    left = [5]

    def behave(handler, body):
        if left[0]:
            left[0] -= 1
            return handler.answer(502)
        return judge(handler, body)
    with Carved() as carved, Server(behave) as server:
        carved.write_config(config(server.port, "    retries: 20\n"))
        carved.start()
        path = carved.put()
        carved.wait_settled(1)
        same(carved.row(path), (b"done", None, b"clean"), "the file")
        same(carved.sql("SELECT outcome, count(*) FROM scan GROUP BY 1 ORDER BY 1"),
             [(b"clean", 1), (b"error", 5)], "outcomes")


def test_only_the_right_certificate_is_spoken_to():
    with Carved() as carved:
        tls.certificates(carved.home)
        secret = f"    token_file: {token_file(carved)}\n"

        def refused(certificate, ca, count):
            with Server(judge, context=tls.context(carved.home, certificate)) as server:
                carved.write_config(config(server.port, secret + ca, "https"))
                carved.start()
                carved.put()
                waiting(carved, count)
                carved.stop()
                same(server.seen, [], f"what {certificate} was told")
                note, = carved.sql("SELECT note FROM pending ORDER BY id DESC LIMIT 1")[0]
                check(b"certificate" in note or b"SSL" in note, f"note: {note!r}")
        refused("right", "", 1)
        refused("right", "    ca: other.pem\n", 2)
        refused("other", "    ca: ca.pem\n", 3)
        refused("name", "    ca: ca.pem\n", 4)
        with Server(judge, context=tls.context(carved.home, "right")) as server:
            carved.write_config(config(server.port, secret + "    ca: other.pem\n", "https"))
            carved.start()
            carved.put(content=EICAR)
            carved.wait_until("SELECT count(*) FROM pending WHERE waits_for = 'detector'", [(5,)])
            carved.write_config(config(server.port, secret + "    ca: ca.pem\n", "https"))
            carved.send(signal.SIGHUP)
            carved.wait_settled(5)
            same(carved.sql("SELECT verdict, count(*) FROM file GROUP BY 1 ORDER BY 1"),
                 [(b"clean", 4), (b"malicious", 1)], "after the reload")


def test_a_token_is_read_again_at_reload():
    with Carved() as carved, Server(judge) as server:
        path = token_file(carved, "first")
        carved.write_config(config(server.port, f"    token_file: {path}\n"))
        carved.start()
        carved.put()
        carved.wait_settled(1)
        token_file(carved, "second")
        carved.send(signal.SIGHUP)
        carved.until(lambda: b"detectors reloaded" in carved.stderr(), "the reload")
        carved.put()
        carved.wait_settled(2)
        same([dict(headers)["Authorization"] for _, headers, _ in server.seen],
             ["Bearer first", "Bearer second"], "tokens")
        os.chmod(path, 0o644)
        carved.send(signal.SIGHUP)
        carved.until(lambda: b"token_file: " in carved.stderr(), "the refusal")
        check(b"chmod g-w,o-rwx" in carved.stderr(), "how to mend it")


def test_check_says_whether_the_server_answers():
    port = free_port()
    with Carved() as carved:
        carved.write_config(config(port))
        done = command("check", "-c", carved.config_path, carved.root)
        check(b"detector remote (line 5): remote http://127.0.0.1:%d/scan: does not answer: " % port
              in done.stdout, f"it says {done.stdout!r}")
        with Server(judge, port):
            done = command("check", "-c", carved.config_path, carved.root)
            check(b"does not answer" not in done.stdout, f"it says {done.stdout!r}")


API = """
environment: { BASE: /opt, LEVEL: "1" }
application:
  pdf: &doc
    remote: true
    workdir: tool
    environ: { LEVEL: "2" }
    shared: docs
    install: [apt-get update, [make, all]]
    scripts: [one "$BROAPT_PATH"]
    report: [python, report.py, --all]
  msword: *doc
text:
  plain: { report: "true" }
example: { remote: true, report: last }
"""


def broapt_daemon(failing=()):
    """What BroAPT-Daemon does with a request, as far as its answer goes."""
    def behave(handler, body):
        info = json.loads(body)
        handler.server.info.append(info)
        if handler.headers["Content-Type"] != "application/json" or handler.path != "/api/v1.0/scan":
            return handler.answer(404)
        reported = info["uuid"] not in failing
        answer = {"id": info["uuid"], "inited": True, "scanned": True, "reported": reported,
                  "deleted": False}
        return handler.answer(200, json.dumps(answer).encode())
    return behave


def api_config(carved, extra=""):
    with open(os.path.join(carved.home, "api.yml"), "w", encoding="utf-8") as file:
        file.write(API)
    os.makedirs(os.path.join(carved.home, "text/plain"))
    carved.write_config(f"api_root: {carved.home}\napi_logs: {carved.home}/logs\nworkers: 1\n"
                        "detectors:\n  - { type: api, file: api.yml, retry_pause: 50ms, retries: 2"
                        f"{extra} }}\n")


def test_broapts_daemon_is_asked_as_broapt_asks_it():
    failing = scenario.fuid()
    with Carved() as carved, Server(broapt_daemon([failing])) as server:
        server.http.info = []
        api_config(carved)
        carved.start(env={"SERVER_NAME_HOST": "127.0.0.1", "SERVER_NAME_PORT": str(server.port)})
        first = carved.put("a/b/" + broapt_name("application/pdf", "pdf"))
        carved.wait_settled(1)
        second = carved.put(broapt_name("application/msword", "doc"))
        carved.wait_settled(2)
        other = carved.put(broapt_name("image/png", "png"))
        carved.wait_settled(3)
        local = carved.put(broapt_name("text/plain", "txt"))
        bad = carved.put(f"HTTP-{failing}.monday.application.pdf.pdf")
        carved.wait_settled(5)
        info = server.http.info
        same(info[0], {
            "name": os.path.relpath(first, os.fsencode(carved.root)).decode(),
            "mime": "application/pdf", "uuid": carved.row(first, "fuid")[0].decode(),
            "report": ["python", "report.py", "--all"], "shared": "docs", "inited": False,
            "workdir": "tool", "environ": {"BASE": "/opt", "LEVEL": "2"},
            "install": ["apt-get update", ["make", "all"]],
            "scripts": ['one "$BROAPT_PATH"']}, "the first request")
        same((info[1]["mime"], info[1]["inited"]), ("application/msword", True), "its group's second")
        same((info[2]["mime"], info[2]["report"], info[2]["environ"], info[2]["inited"]),
             ("example", "last", {"BASE": "/opt", "LEVEL": "1"}, False), "the default entry")
        for path in (first, second, other, local):
            same(carved.row(path), (b"done", None, b"unknown"), f"state of {path!r}")
        same(carved.row(bad), (b"unscanned", b"failed", b"error"), "what failed there")
        same(len(info), 5, "requests: the failing one twice, the local one never")
        details = carved.sql("SELECT DISTINCT detail FROM scan WHERE outcome = 'error'")
        check(b"a command of the entry failed there" in details[0][0], f"details: {details!r}")


def test_what_a_shell_would_read_is_not_sent_to_broapts_daemon():
    hostile = [b"HTTP-Fa1.$(touch x).application.pdf.pdf", b"HTTP-Fa2.a;b.application.pdf.pdf",
               b"HTTP-Fa3.a`b`.application.pdf.pdf", b"HTTP-Fa4.a b.application.pdf.pdf",
               b"HTTP-Fa5.a'b.application.pdf.pdf", b"d$HOME/HTTP-Fa6.a.application.pdf.pdf",
               b"HTTP-Fa7.a\nb.application.pdf.pdf", b"HTTP-Fa8.a.application.$x.pdf"]
    with Carved() as carved, Server(broapt_daemon()) as server:
        server.http.info = []
        api_config(carved, f", server: 'http://127.0.0.1:{server.port}/'")
        carved.start()
        paths = [carved.put(name) for name in hostile]
        fine = carved.put(b"HTTP-Fa9.a\xff\xc3\xa9+=,.application.pdf.pdf")
        carved.wait_settled(len(hostile) + 1)
        same(carved.row(fine), (b"done", None, b"unknown"), "a name that is odd and harmless")
        same([info["name"].encode("utf-8", "surrogateescape") for info in server.http.info],
             [os.path.basename(fine)], "names that were sent")
        for path in paths:
            row = carved.row(path)
            if row[1] == b"unmatched":
                continue
            same(row, (b"unscanned", b"failed", b"skipped"), f"state of {path!r}")
        check(len(carved.sql("SELECT 1 FROM scan WHERE outcome = 'skipped'")) >= 6, "too few skipped")


def test_files_wait_for_broapts_daemon_too():
    port = free_port()
    with Carved() as carved:
        api_config(carved, f", server: 'http://127.0.0.1:{port}'")
        carved.start()
        held = [carved.put() for _ in range(20)]
        waiting(carved, len(held))
        local = carved.put(broapt_name("text/plain", "txt"))
        carved.wait_until("SELECT count(*) FROM file WHERE state = 'done'", [(1,)])
        same(carved.row(local), (b"done", None, b"unknown"), "what needs no server")
        with Server(broapt_daemon(), port) as server:
            server.http.info = []
            carved.wait_settled(21)
        same(carved.sql("SELECT verdict, count(*) FROM file GROUP BY 1"), [(b"unknown", 21)], "all")


if __name__ == "__main__":
    scenario.main()
