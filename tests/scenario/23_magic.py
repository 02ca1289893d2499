"""What files really are: recorded, routed by, and suspicious where the difference matters."""
import json
import os

import scenario
from scenario import Carved, broapt_name, check, command, same

PNG = bytes.fromhex("89504e470d0a1a0a0000000d494844520000000100000001080600000"
                    "01f15c4890000000d49444154789c6360000000000500010d0a2db40000000049454e44ae426082")
PROGRAM = b"MZ" + bytes(58) + (64).to_bytes(4, "little") + b"PE\0\0d\x86" + bytes(400)
MAGIC = "unmatched: scan\ndetectors:\n  - { type: magic }\n"
FLAGS = 'import sys; sys.exit(1)'


def test_the_real_type_is_recorded_beside_the_declared_one():
    with Carved(MAGIC) as carved:
        picture = carved.put(broapt_name("application/pdf", "pdf"), PNG)
        empty = carved.put(broapt_name("text/plain", "txt"), b"")
        untyped = carved.put("no-type-in-this-name", PNG + b"\0")
        carved.start("--json")
        carved.wait_settled(3)
        same(carved.row(picture, "mime, real_mime, verdict"), (b"application/pdf", b"image/png", b"clean"), "a picture")
        check(carved.row(empty, "real_mime")[0] in (b"inode/x-empty", b"application/x-empty"), "an empty file")
        same(carved.row(untyped, "mime, real_mime"), (None, b"image/png"), "a name without a type")
        carved.stop()
        with open(carved.stdout_path, encoding="ascii") as lines:
            said = {os.fsencode(line["path"]): line["real_mime"] for line in map(json.loads, lines)}
        same(said[picture], "image/png", "announced")


def test_a_program_declared_as_a_picture_is_suspicious():
    with Carved(MAGIC) as carved:
        bad = [carved.put(broapt_name(mime, "x"), PROGRAM + mime.encode())
               for mime in ("image/png", "application/pdf", "text/plain", "application/msword")]
        bad.append(carved.put(broapt_name("image/png", "png"), b"#!/bin/sh\necho hello\n"))
        good = [carved.put(broapt_name(mime, "x"), PROGRAM + mime.encode())
                for mime in ("application/x-dosexec", "application/octet-stream", "application/x-msdownload",
                             "application/vnd.microsoft.portable-executable")]
        good.append(carved.put("no-type", PROGRAM))
        good.append(carved.put(broapt_name("text/plain", "txt"), b"#!/bin/sh\necho hello there\n"))
        carved.start()
        carved.wait_settled(len(bad) + len(good))
        same([carved.row(path, "verdict")[0] for path in bad], [b"suspicious"] * len(bad), "verdicts")
        same([carved.row(path, "verdict")[0] for path in good], [b"clean"] * len(good), "verdicts")
        rows = carved.sql("SELECT signature FROM scan JOIN file f ON f.id = file_id WHERE path = CAST(? AS TEXT)",
                          bad[0])
        check(rows[0][0].endswith(b" declared as image/png"), f"{rows!r}")
        carved.stop()


def test_answers_that_are_taken_over_bring_the_type():
    with Carved(MAGIC) as carved:
        paths = [carved.put(broapt_name("image/png", "png"), PNG) for _ in range(20)]
        carved.start()
        carved.wait_settled(20)
        same(carved.sql("SELECT count(*), count(*) FILTER (WHERE cached = 0) FROM scan"), [(20, 1)], "asked once")
        same({carved.row(path, "real_mime")[0] for path in paths}, {b"image/png"}, "real types")
        later = carved.put(broapt_name("image/png", "png"), PNG)
        carved.wait_settled(21)
        same(carved.row(later, "real_mime"), (b"image/png",), "from the history")
        moved = carved.path_of(broapt_name("image/png", "png"))
        os.rename(later, moved)
        carved.wait_settled(22)
        same(carved.row(moved, "real_mime"), (b"image/png",), "a sighting")
        carved.stop()


def routed(match):
    return (f'{MAGIC}  - {{ type: command, name: pictures, mime: ["image/*"], match: {match}, '
            f'run: [python3, -c, "{FLAGS}", "{{fd}}"] }}\n')


def test_routing_by_either_type():
    samples = {
        "declared": (broapt_name("image/png", "png"), b"this is no picture"),
        "real": (broapt_name("application/pdf", "pdf"), PNG),
        "both": (broapt_name("image/png", "png"), PNG + b"\0"),
        "untyped": ("no-type-in-this-name", PNG + b"\0\0"),
        "neither": (broapt_name("text/plain", "txt"), b"this is a text"),
    }
    expected = {
        "declared": {"declared", "both", "untyped"},
        "real": {"real", "both", "untyped"},
        "both": {"declared", "real", "both", "untyped"},
    }
    for match, wanted in expected.items():
        with Carved(routed(match)) as carved:
            paths = {carved.put(*sample): word for word, sample in samples.items()}
            carved.start()
            carved.wait_settled(len(paths))
            got = {paths[row[0]] for row in carved.sql(
                "SELECT f.path FROM scan s JOIN file f ON f.id = s.file_id WHERE s.detector = 'pictures'")}
            same(got, wanted, f"match: {match}")
            carved.stop()


def test_matching_real_types_needs_who_tells_them():
    text = "detectors:\n  - { type: noop, mime: [\"image/*\"], match: real }\n"
    with Carved(text) as carved:
        done = command("check", "-c", carved.config_path)
        check(b"carved.yml:2:" in done.stdout + done.stderr and b"type: magic" in done.stdout + done.stderr,
              f"{done.stdout!r} {done.stderr!r}")


def test_a_file_whose_type_could_not_be_told_is_shown_to_all():
    # a list of good files spares it magic, and nobody else
    with Carved() as carved:
        good = carved.write_hashlist(scenario.EICAR)
        carved.write_config("detectors:\n  - { type: magic }\n  - { type: yara, match: real, mime: \"text/*\" }\n"
                            f"  - {{ type: hashlist, known: good, file: {good}, skips: [magic] }}\n")
        path = carved.put(broapt_name("image/png", "png"), scenario.EICAR)
        carved.start()
        carved.wait_settled(1)
        same(carved.row(path), (b"done", None, b"malicious"), "what yara was to be asked about by its real type")
        carved.stop()


def test_without_a_configuration_files_are_typed_and_searched():
    with Carved() as carved:
        path = carved.put(broapt_name("image/png", "png"), PNG)
        bad = carved.put(broapt_name("text/plain", "txt"), scenario.EICAR)
        carved.start()
        carved.wait_settled(2)
        same(carved.row(path, "real_mime, verdict"), (b"image/png", b"clean"), "a picture")
        rows = carved.sql("SELECT detector, outcome FROM scan JOIN file f ON f.id = file_id "
                          "WHERE path = CAST(? AS TEXT) ORDER BY detector", bad)
        same(rows, [(b"hashlist", b"malicious"), (b"magic", b"clean"), (b"yara", b"malicious")], "EICAR")
        carved.stop()


if __name__ == "__main__":
    scenario.main()
