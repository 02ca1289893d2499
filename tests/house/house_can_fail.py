#!/usr/bin/env python3
"""Shows that each check of house.py is able to fail: a clean tree passes, each planted fault is found."""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CLEAN = {
    "tests/layers.txt": "watcher:\ncore/base:\ncore/pool: core/base\n",
    "core/base/a.h": "int a(void);\n",
    "core/base/a.c": '#include "core/base/a.h"\n\nint a(void)\n{\n\treturn 0; /* no strcpy() */\n}\n',
    "core/pool/p.c": '#include "core/base/a.h"\n\nint p(void);\n\nint p(void)\n{\n'
                     '\treturn a() + (int)sizeof "system(1)";\n}\n',
    "tests/pitfalls.txt": "# words\n\none: a/does_not\nanother: 01/holds\nno way: none, because\n",
    "tests/scenario/01_x.py": "def test_holds():\n    pass\n",
    "tests/unit/test_a.c": "Test(a, does_not)\n{\n}\n",
    "tests/unit/test_pool_p.c": "",
}

# check, file, its planted text, the words that the check must say
FAULTS = [
    ("pitfalls", "tests/pitfalls.txt", "one: a/does_not a/does\n", "txt:1: there is no test a/does"),
    ("pitfalls", "tests/pitfalls.txt", "one:\n", "txt:1: no test of 'one'"),
    ("layers", "core/base/a.c", '\n#include "core/pool/p.h"\n', "core/base/a.c:2: core/base may not"),
    ("layers", "core/pool/p.c", '  #  include "watcher/w.h"\n', "core/pool/p.c:1: core/pool may not"),
    ("layers", "core/base/a.c", '#include "a.h"\n', "not a path from the root"),
    ("layers", "core/new/n.c", "", "no room"),
    ("layers", "tests/layers.txt", "core/base: core/pool\ncore/pool: core/base\n",
     "tests/layers.txt:1: core/base names core/pool"),
    ("sizes", "core/base/a.c", "\n" * 501, "501 lines"),
    ("sizes", "core/base/a.h", "\n" * 161, "161 lines"),
    ("mirrors", "core/base/b.c", "", "no tests/unit/test_b.c"),
    ("mirrors", "tests/house/unmirrored.txt", "core/base/a.c because\n", "has a test"),
    ("mirrors", "tests/house/unmirrored.txt", "core/base/gone.c because\n", "there is no"),
    ("calls", "core/base/a.c", "void f(char *s) { strcpy(s, s); }\n", "a.c:1: strcpy"),
    ("calls", "core/base/a.c", "/* x\n*/ int x = system\n(0);\n", "a.c:2: system"),
    ("calls", "core/base/a.c", "void f(void)\n{\n\tgoto out;\nout:;\n}\n", "a.c:3: goto"),
    ("format", "core/base/a.c", "int  a( void ) {return 0;}\n", "core/base/a.c:1"),
]


def write(root, path, text):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def run(check, root):
    done = subprocess.run([sys.executable, os.path.join(HERE, "house.py"), check, root], text=True,
                          stdout=subprocess.PIPE, check=False)
    return done.returncode, done.stdout


def main():
    bad = 0
    with tempfile.TemporaryDirectory(prefix="carved-house-") as top:
        clean = os.path.join(top, "clean")
        for path, text in CLEAN.items():
            write(clean, path, text)
        shutil.copy(os.path.join(HERE, "../../.clang-format"), clean)
        for check in dict.fromkeys(fault[0] for fault in FAULTS):
            code, said = run(check, clean)
            if code not in (0, 77):
                print(f"{check}: fails on a clean tree: {said}")
                bad += 1
        for number, (check, path, text, words) in enumerate(FAULTS):
            tree = os.path.join(top, str(number))
            shutil.copytree(clean, tree)
            write(tree, path, text)
            code, said = run(check, tree)
            if code != 77 and (code != 1 or words not in said):
                print(f"{check}: did not find the fault planted in {path} ({words}): {said}")
                bad += 1
    print(f"{len(FAULTS)} planted faults, {bad} problems")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
