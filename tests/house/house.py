#!/usr/bin/env python3
"""The checks that hold the house: house.py CHECK ROOT, for one of the checks in the table at the end.

Each prints one line per fault, "file:line: what is wrong", and exits 1 when there is any; 77 means
that the check cannot run here and says why. That each of them is able to fail is shown by
house_can_fail.py, which runs them on trees with planted faults.
"""
import os
import re
import shutil
import subprocess
import sys

import pages

FILE_LINES = 500
HEADER_LINES = 160
PRODUCT = ("watcher", "schema", "core")
UNMIRRORED_ROOMS = ("core", "core/cli")     # programs; what has no test of its own there is tried by scenarios
UNMIRRORED = "tests/house/unmirrored.txt"
PITFALLS = "tests/pitfalls.txt"
FORBIDDEN = ("system popen strcpy strcat sprintf vsprintf gets atoi atol atoll strtok sleep usleep "
             "alloca").split()


def sources(root, folders, endings=(".c", ".h")):
    """Paths relative to root of the files below folders, in order."""
    found = []
    for folder in folders:
        for at, folders_below, names in os.walk(os.path.join(root, folder)):
            folders_below.sort()
            found += [os.path.relpath(os.path.join(at, name), root)
                      for name in sorted(names) if name.endswith(endings)]
    return found


def text_of(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def code_of(text):
    """The text with comments and literals blanked out, line numbers kept."""
    token = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
    return token.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


def read_layers(root, faults):
    """Room -> rooms that it may include, in the order of the plan; the plan itself is checked too."""
    layers = {}
    for number, line in enumerate(text_of(root, "tests/layers.txt").splitlines(), 1):
        if not line.strip():
            continue
        room, _, names = line.partition(":")
        for name in names.split():
            if name not in layers:
                faults.append(f"tests/layers.txt:{number}: {room} names {name}, which does not "
                              "stand above it")
        layers[room.strip()] = set(names.split())
    return layers


def check_layers(root):
    """A room includes only rooms that its line in tests/layers.txt names, all of them above it."""
    faults = []
    layers = read_layers(root, faults)
    include = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]*)"', re.MULTILINE)
    for path in sources(root, PRODUCT):
        room = os.path.dirname(path)
        if room not in layers:
            faults.append(f"{path}:1: {room} is no room of tests/layers.txt")
            continue
        text = text_of(root, path)
        for found in include.finditer(text):
            where = f"{path}:{text.count(chr(10), 0, found.start()) + 1}"
            other = os.path.dirname(found.group(1))
            if not other:
                faults.append(f'{where}: "{found.group(1)}" is not a path from the root')
            elif other != room and other not in layers[room]:
                faults.append(f"{where}: {room} may not include {found.group(1)}")
    return faults


def check_sizes(root):
    """Files and headers stay short enough to be read at once."""
    faults = []
    for path in sources(root, PRODUCT):
        lines = text_of(root, path).count("\n")
        limit = HEADER_LINES if path.endswith(".h") else FILE_LINES
        if lines > limit:
            faults.append(f"{path}:{lines}: {lines} lines, at most {limit}")
    return faults


def check_mirrors(root):
    """Each source has its unit test, tests/unit/test_<file>.c or test_<room>_<file>.c; the ones
    without stand in tests/house/unmirrored.txt with a reason."""
    excused = {}
    if os.path.exists(os.path.join(root, UNMIRRORED)):
        for line in text_of(root, UNMIRRORED).splitlines():
            if line.strip() and not line.startswith("#"):
                path, _, reason = line.partition(" ")
                excused[path] = reason.strip()
    faults = [f"{UNMIRRORED}:1: {path} is excused without a reason"
              for path, reason in excused.items() if not reason]
    rooms = [room for room in read_layers(root, faults) if room not in UNMIRRORED_ROOMS]
    for path in sources(root, rooms, (".c",)):
        name = os.path.basename(path)
        room = os.path.basename(os.path.dirname(path))
        tests = [f"tests/unit/test_{name}", f"tests/unit/test_{room}_{name}"]
        tested = any(os.path.exists(os.path.join(root, test)) for test in tests)
        if not tested and path not in excused:
            faults.append(f"{path}:1: no {' and no '.join(tests)}")
        if tested and path in excused:
            faults.append(f"{UNMIRRORED}:1: {path} has a test")
        excused.pop(path, None)
    return faults + [f"{UNMIRRORED}:1: there is no {path}" for path in excused]


def check_calls(root):
    """No call that the house does without, and no goto."""
    faults = []
    pattern = re.compile(r"(?<![\w.>])(?:(%s)[ \t\n]*\(|(goto)\b)" % "|".join(FORBIDDEN))
    for path in sources(root, PRODUCT):
        code = code_of(text_of(root, path))
        for found in pattern.finditer(code):
            line = code.count("\n", 0, found.start()) + 1
            faults.append(f"{path}:{line}: {found.group(1) or found.group(2)} is not used here")
    return faults


def check_format(root):
    """Every source is as clang-format 14 writes it (other versions differ in details)."""
    tool = shutil.which("clang-format-14")
    if not tool:
        print("skipped: clang-format-14 is not installed (apt-get install clang-format-14)")
        sys.exit(77)
    paths = sources(root, PRODUCT + ("tests",))
    if not paths:
        return []
    run = subprocess.run([tool, "--dry-run", "--ferror-limit=1", *paths], cwd=root, text=True,
                         stderr=subprocess.PIPE, check=False)
    found = re.findall(r"^(\S+?:\d+):\d+: (?:warning|error): (.*)$", run.stderr, re.MULTILINE)
    if run.returncode != 0 and not found:
        return [f"clang-format-14: {run.stderr.strip()}"]
    seen = {}
    for where, words in found:
        seen.setdefault(where.split(":")[0], f"{where}: {words}")
    return list(seen.values())


def tests_of(root):
    """SUITE/TEST of all unit tests and NN/TEST of all scenarios."""
    found = set()
    for path in sources(root, ("tests/unit", "tests/stress"), (".c",)):
        found |= {f"{suite}/{test}" for suite, test
                  in re.findall(r"^Test\(\s*(\w+)\s*,\s*(\w+)", text_of(root, path), re.MULTILINE)}
    for path in sources(root, ("tests/scenario",), (".py",)):
        number = os.path.basename(path).split("_")[0]
        found |= {f"{number}/{test}" for test
                  in re.findall(r"^def test_(\w+)", text_of(root, path), re.MULTILINE)}
    return found


def check_pitfalls(root):
    """Each known way of losing files names tests that exist, or a reason."""
    faults = []
    there = tests_of(root)
    for number, line in enumerate(text_of(root, PITFALLS).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        words, _, names = line.partition(":")
        if names.strip().startswith("none,"):
            continue
        if not names.strip():
            faults.append(f"{PITFALLS}:{number}: no test of {words!r}")
        faults += [f"{PITFALLS}:{number}: there is no test {name}"
                   for name in names.split() if name not in there]
    return faults


CHECKS = {
    "layers": check_layers,
    "sizes": check_sizes,
    "mirrors": check_mirrors,
    "calls": check_calls,
    "format": check_format,
    "pitfalls": check_pitfalls,
    "pages": pages.check_pages,
    "mandoc": pages.check_mandoc,
}


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in CHECKS:
        sys.exit(f"usage: house.py {'|'.join(CHECKS)} ROOT")
    faults = CHECKS[sys.argv[1]](sys.argv[2])
    for fault in faults:
        print(fault)
    print(f"{sys.argv[1]}: {len(faults)} faults" if faults else f"{sys.argv[1]}: ok")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
