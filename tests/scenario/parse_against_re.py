#!/usr/bin/env python3
"""Compares `carved parse --scheme broapt-exact` with Python's re, name by name and field by field.

    parse_against_re.py CARVED [COUNT [SEED]] [--characters]

COUNT random names (default 100000) of three kinds: regular ones, hostile ones made of the pieces on
which the pattern turns, and random bytes. Python sees each name as os.fsdecode() gives it, that is
with a lone surrogate for each byte that is not UTF-8. --characters also puts every code point into
the places where the pattern asks for a letter, for something that is not a space, and for any
character. Differences are printed; the exit code is 1 if there are any.

The pattern takes a time that grows with a high power of the number of dots in a name, so the random
names are kept to a number of dots and dashes that Python can stand; long names are made long by
other characters.
"""
import argparse
import json
import random
import re
import subprocess
import sys
import time

FIELDS = ("protocol", "fuid", "pcap", "media_type", "subtype", "extension")
PROTOCOLS = ("DTLS", "FTP_DATA", "HTTP", "IRC_DATA", "SMTP")
MEDIA_TYPES = ("application", "audio", "example", "font", "image", "message", "model", "multipart",
               "text", "video")
FILE_REGEX = re.compile(
    r"(?P<protocol>%s|\S+)-(?P<fuid>F\w+)\.(?P<pcap>.+?)\.(?P<media_type>%s|\S+)"
    r"\.(?P<subtype>\S+)\.(?P<extension>\S+)" % ("|".join(PROTOCOLS), "|".join(MEDIA_TYPES)),
    re.IGNORECASE)
DOTS_MAX = 14
DASHES_MAX = 12

# Letters that Python takes for i, s, k when it ignores case, and some that it does not.
FOLDS = {"i": "iI\u0130\u0131", "s": "sS\u017f", "k": "kK\u212a", "f": "fF", "a": "aA\u00aa\uff41"}

# Pieces on which the pattern turns, as bytes.
PIECES = [
    b".", b".", b".", b".", b"-", b"-", b"-F", b"-f", b"-Fab.", b"-F1.", b"F", b"_", b"x", b"..", b"...",
    b"\n", b" ", b"\t", b"\r", b"\x0b", b"\x0c", b"\x1c", b"\x1d", b"\x1e", b"\x1f", b"\x7f", b"\x01",
    "\u0085".encode(), "\u00a0".encode(), "\u1680".encode(), "\u180e".encode(), "\u2003".encode(),
    "\u200b".encode(), "\u2028".encode(), "\u2029".encode(), "\u3000".encode(), "\ufeff".encode(),
    "\u0660".encode(), "\u0967".encode(), "\uff11".encode(), "\U0001d7d8".encode(),     # digits
    "\u00b2".encode(), "\u2075".encode(), "\u2460".encode(), "\u00bd".encode(), "\u2167".encode(),
    "\u0301".encode(), "\u203f".encode(), "\u00e9".encode(), "\u4e2d".encode(), "\U00020000".encode(),
    "\U0001f600".encode(), "\ue000".encode(), "\udbff".encode("utf-8", "surrogatepass"),
    b"\xed\xa0\x80", b"\xed\xb2\x80", b"\xed\xa0\x81\xed\xb0\x80",                      # surrogates
    b"\xc0\x80", b"\xc0\xae", b"\xc1\xbf", b"\xe0\x80\xae", b"\xe0\x9f\xbf", b"\xf0\x80\x80\xae",
    b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80",  # overlong
    b"\x80", b"\xbf", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xff", b"\xfe",          # cut off
    "\u212a".encode(), "\u0131".encode(), "\u0130".encode(), "\u017f".encode(), "\ufb01".encode(),
]


def letters(rng, low, high):
    alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(low, high)))


def fold(rng, word):
    """word with some letters replaced by what Python takes, or nearly takes, for the same."""
    return "".join(rng.choice(FOLDS.get(c.lower(), c.lower() + c.upper()))
                   if rng.random() < 0.4 else c for c in word)


def stem(rng):
    kind = rng.random()
    if kind < 0.4:
        return letters(rng, 1, 12)
    if kind < 0.7:
        return ".".join(letters(rng, 1, 6) for _ in range(rng.randint(2, 4)))
    if kind < 0.8:
        return "%s-F%s.%s" % (letters(rng, 1, 4), letters(rng, 1, 4), letters(rng, 1, 4))
    if kind < 0.9:
        return "my capture " + letters(rng, 1, 5)
    return letters(rng, 1, 5) + "-0b1c2d3e-4f50-4a61-8b72-8394a5b6c7d8"


def regular(rng):
    protocol = rng.choice(PROTOCOLS + ("SMB", "SSL", "KRB_TCP"))
    media_type = rng.choice(MEDIA_TYPES + ("chemical", "x-conference"))
    if rng.random() < 0.3:
        protocol, media_type = fold(rng, protocol), fold(rng, media_type)
    subtype = rng.choice(("pdf", "plain", "vnd.ms-excel", "svg+xml", "x-dosexec",
                          "vnd.openxmlformats-officedocument.wordprocessingml.document"))
    return ("%s-%s%s.%s.%s.%s.%s" % (protocol, rng.choice("FFFf"), letters(rng, 1, 17), stem(rng),
                                     media_type, subtype, letters(rng, 1, 4))).encode()


def words(rng):
    return [fold(rng, rng.choice(PROTOCOLS + MEDIA_TYPES)).encode() for _ in range(8)]


def hostile(rng):
    pieces = PIECES + words(rng)
    if rng.random() < 0.5:
        name = bytearray(regular(rng))
        for _ in range(rng.randint(1, 6)):
            at = rng.randint(0, len(name))
            name[at:at + rng.choice((0, 0, 1, 2))] = rng.choice(pieces)
        return bytes(name)
    head = rng.choice((b"", b"HTTP-Fab.", b"x-Fa.", b"-F1."))
    return head + b"".join(rng.choice(pieces) for _ in range(rng.randint(1, 25)))


def long_name(rng):
    """Up to 255 bytes, few dots, many of something else."""
    filler = rng.choice(PIECES[10:] + [b"A", b"F", b"text", b"http"])
    if b"." in filler or b"-" in filler:
        filler = b"\xc3\xa9"
    name = regular(rng)
    at = rng.randint(0, len(name))
    return (name[:at] + filler * (max(0, 255 - len(name)) // len(filler)) + name[at:])[:255]


def noise(rng):
    name = bytes(rng.randrange(256) for _ in range(rng.randint(0, 40)))
    return name if rng.random() < 0.5 else b"HTTP-F" + name[:3] + b"." + name[3:] + b".a.b.c"


def tame(name):
    """A name as it can stand in a directory, and on which Python does not take minutes."""
    name = name.replace(b"\0", b"0").replace(b"/", b"x")
    while name.count(b".") > DOTS_MAX:
        name = name.replace(b".", b"", 1)
    while name.count(b"-") > DASHES_MAX:
        name = name.replace(b"-", b"", 1)
    return name


def random_names(rng, count):
    kinds = (regular, hostile, hostile, hostile, noise, long_name)
    return [tame(rng.choice(kinds)(rng)) for _ in range(count)]


def character_names():
    for point in range(1, 0x110000):
        if point == ord("/") or 0xd800 <= point < 0xe000:
            continue
        c = chr(point)
        yield ("HTTP-Fa%s.p.text.plain.txt" % c).encode()
        yield ("HTTP-Fa.p%sq.text.plain.t%sx" % (c, c)).encode()


def ask_re(name):
    found = FILE_REGEX.match(name.decode("utf-8", "surrogateescape"))
    return found.groupdict() if found else None


def answers(carved, names):
    run = subprocess.run([carved, "parse", "--scheme", "broapt-exact", "-0", "-"],
                         input=b"".join(name + b"\0" for name in names), stdout=subprocess.PIPE)
    if run.returncode not in (0, 1):
        sys.exit("%s parse: exit code %d" % (carved, run.returncode))
    lines = run.stdout.split(b"\n")
    if lines.pop() != b"" or len(lines) != len(names):
        sys.exit("%s parse: %d lines for %d names" % (carved, len(lines), len(names)))
    return [json.loads(line.decode("ascii")) for line in lines]


def compare(carved, names):
    matched = differences = 0
    for name, answer in zip(names, answers(carved, names)):
        expected = ask_re(name)
        got = {field: answer[field] for field in FIELDS} if answer["match"] else None
        matched += expected is not None
        if got != expected or answer["name"] != name.decode("utf-8", "surrogateescape"):
            differences += 1
            print("%r\n  re     %r\n  carved %r" % (name, expected, got))
    return matched, differences


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("carved")
    parser.add_argument("count", nargs="?", type=int, default=100000)
    parser.add_argument("seed", nargs="?", type=int, default=1)
    parser.add_argument("--characters", action="store_true", help="every code point as well")
    options = parser.parse_args()
    names = random_names(random.Random(options.seed), options.count)
    if options.characters:
        names += character_names()
    start = time.monotonic()
    matched, differences = compare(options.carved, names)
    print("%d names, %d matched, %d differences, seed %d, %.1f s"
          % (len(names), matched, differences, options.seed, time.monotonic() - start))
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
