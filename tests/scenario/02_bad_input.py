"""What attackers write: special files, and names of every byte."""
import os
import socket

import scenario
from scenario import NOOP, Carved, Skip, broapt_name, check, same

NOBODY = 65534
SCAN_ALL = NOOP + "unmatched: scan\n"


def test_what_is_no_regular_file_is_recorded_and_never_opened():
    with Carved(NOOP) as carved:
        carved.start()
        paths = [carved.path_of(broapt_name()) for _ in range(4)]
        os.mkfifo(paths[0])
        with socket.socket(socket.AF_UNIX) as server:
            # the path itself may be too long for an address
            at = os.open(carved.root, os.O_PATH)
            server.bind(f"/proc/self/fd/{at}".encode() + b"/" + os.path.basename(paths[1]))
            os.close(at)
        os.symlink("/etc/passwd", paths[2])
        os.symlink("nothing-here", paths[3])
        regular = carved.put()
        carved.wait_settled(5)
        for path in paths:
            same(carved.row(path), (b"unscanned", b"not-regular", None), f"{path!r}")
        same(carved.row(regular), (b"done", None, b"clean"), "a regular file behind them")


def test_the_same_found_at_the_start():
    with Carved(NOOP) as carved:
        fifo, link = (carved.path_of(broapt_name()) for _ in range(2))
        os.mkfifo(fifo)
        os.symlink("/etc", link)
        carved.put()
        carved.start()
        carved.wait_settled(3)
        for path in (fifo, link):
            same(carved.row(path), (b"unscanned", b"not-regular", None), f"{path!r}")


def test_a_directory_named_like_a_file_is_a_directory():
    with Carved(NOOP) as carved:
        carved.start()
        inner = carved.put(os.path.join(broapt_name(), broapt_name()))
        carved.wait_settled(1)
        same(carved.row(inner), (b"done", None, b"clean"), "the file in it")


def test_a_symlinked_directory_is_not_followed():
    with Carved(NOOP) as carved:
        outside = os.path.join(carved.home, "outside")
        os.mkdir(outside)
        with open(os.path.join(outside, broapt_name()), "wb"):
            pass
        os.symlink(outside, os.path.join(carved.root, "way-out"))
        os.symlink("..", os.path.join(carved.root, "loop"))
        carved.start()
        carved.put()
        # the links match no scheme, and under "record" each has its row
        carved.wait_until("SELECT count(*) FROM file WHERE state = 'done'", [(1,)])
        same(carved.sql("SELECT count(*) FROM file WHERE path GLOB '*/way-out/*' "
                        "OR path GLOB '*/loop/*'"), [(0,)], "rows beyond the links")


HOSTILE = [
    b"HTTP-Fab1.two\nlines.application.pdf.pdf",
    b"HTTP-Fab2.trailing-space.application.pdf.pdf ",
    b"HTTP-Fab3.quote'\"`.application.pdf.pdf",
    b"HTTP-Fab4.\xff\xfe\x80.application.pdf.pdf",
    b"HTTP-Fab5.$(touch ESCAPED).application.pdf.pdf",
    b"HTTP-Fab6.;touch ESCAPED;.application.pdf.pdf",
    b"HTTP-Fab7.%s%n%x.application.pdf.pdf",
    b"HTTP-Fab8.\x1b[2J\x07.application.pdf.pdf",
    b"HTTP-Fab9.\xe2\x80\xae.application.pdf.pdf",
    b"HTTP-FabA.');DROP TABLE file;--.application.pdf.pdf",
    b"HTTP-FabB.\xed\xa0\x80.application.pdf.pdf",
    b"-rf", b"--help", b" ", b"\n", b"\\", b"...", b"HTTP-F" + b"a" * 249, b"\xff" * 255,
]


def test_names_are_kept_byte_for_byte():
    with Carved(SCAN_ALL) as carved:
        carved.start()
        paths = sorted(carved.put(name) for name in HOSTILE)
        carved.wait_settled(len(paths))
        same(sorted(row[0] for row in carved.sql("SELECT path FROM file")), paths, "the paths")
        same(carved.sql("SELECT DISTINCT state, reason, verdict FROM file"),
             [(b"done", None, b"clean")], "their states")
        carved.stop()
        check(b"\x1b" not in carved.stderr(), "an escape sequence reached the log")
        carved.start()
        same(carved.sql("SELECT count(*) FROM file"), [(len(paths),)], "rows after a second start")


def test_no_name_reaches_a_shell():
    config = ("detectors:\n  - { type: command, name: look, run: [/usr/bin/test, -f, \"{path}\"] }\n"
              "unmatched: scan\n")
    with Carved(config) as carved:
        carved.start()
        for name in HOSTILE:
            carved.put(name)
        carved.wait_settled(len(HOSTILE))
        same(carved.sql("SELECT DISTINCT state, reason, verdict FROM file"),
             [(b"done", None, b"clean")], "states: test -f found each under its own name")
        for top, _, found in os.walk(os.fsencode(carved.home)):
            check(b"ESCAPED" not in found, f"a name was run as a command in {top!r}")


def test_a_path_longer_than_path_max():
    with Carved(NOOP) as carved:
        carved.start()
        at = os.open(carved.root, os.O_RDONLY)
        for _ in range(20):
            os.mkdir("d" * 250, dir_fd=at)
            at, above = os.open("d" * 250, os.O_RDONLY, dir_fd=at), at
            os.close(above)
        os.close(os.open(broapt_name(), os.O_WRONLY | os.O_CREAT, dir_fd=at))
        os.close(at)
        carved.wait_settled(1)
        same(carved.sql("SELECT state, verdict, length(CAST(path AS BLOB)) > 5000 FROM file"),
             [(b"done", b"clean", 1)], "the deep file")


def test_unknown_names_are_recorded_and_not_opened():
    with Carved(NOOP) as carved:
        carved.start()
        path = carved.put("mail.eml")
        carved.wait_settled(1)
        same(carved.row(path), (b"unscanned", b"unmatched", None), "an unknown name")


def test_what_may_not_be_read_is_said():
    if os.getuid() != 0:
        raise Skip("needs root, to run the daemon as somebody else")
    with Carved(NOOP, user=NOBODY) as carved:
        carved.start()
        path = carved.path_of(broapt_name())
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0))
        mine = carved.put()
        os.chmod(mine, 0o644)
        carved.wait_until("SELECT state FROM file ORDER BY state", [(b"done",), (b"unscanned",)])
        same(carved.row(path), (b"unscanned", b"unreadable", None), "a file of mode 000")


if __name__ == "__main__":
    scenario.main()
