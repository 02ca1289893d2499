"""What the scenarios of trees share: renames that os has no word for, the files that are on disk, and what
the history must say of them."""
import ctypes
import os

import oracle
from scenario import Failed, fuid, same

AT_FDCWD = -100
RENAME_EXCHANGE = 2
LIBC = ctypes.CDLL(None, use_errno=True)
CONFIG = "unmatched: scan\ndetectors:\n  - { type: noop }\n"


def exchange(one, two):
    """What stands at the two paths changes places at once."""
    if LIBC.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(two), RENAME_EXCHANGE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), one, None, two)


def name():
    return f"HTTP-{fuid()}.text.plain.txt"


def files_on_disk(*tops):
    """path -> inode of all that is no directory; paths are bytes, and may be longer than PATH_MAX."""
    found = {}
    for path in [path for top in tops for path in oracle.directories(top).values()]:
        fd = oracle.open_directory(path)
        try:
            with os.scandir(fd) as entries:
                found.update({os.path.join(path, os.fsencode(entry.name)): entry.inode() for entry in entries
                              if not entry.is_dir(follow_symlinks=False)})
        finally:
            os.close(fd)
    return found


def until_accounted(carved, *tops, states="state = 'done'"):
    """Waits until each file on disk has an answer of these states at the place where it is, and nothing is
    queued; their number."""
    files = files_on_disk(*(tops or (carved.root,)))
    left = []

    def accounted():
        if carved.sql("SELECT count(*) FROM file WHERE state = 'queued'") != [(0,)]:
            return False
        rows = carved.sql(f"SELECT CAST(path AS BLOB), inode FROM file WHERE {states}")
        left[:] = sorted(set(files.items()) - set(rows))
        return not left
    try:
        carved.until(accounted, "each file on disk has its answer")
    except Failed as failure:
        raise Failed(f"{failure}; {len(left)} of {len(files)} have none: {left[:5]!r}") from None
    return len(files)


def check_followed(carved):
    """No content was shown to a detector twice, wherever its file went; contents are unique here."""
    same(carved.sql("SELECT f.sha256, count(*) FROM file f JOIN scan s ON s.file_id = f.id "
                    "WHERE s.cached = 0 GROUP BY f.sha256, s.detector HAVING count(*) > 1 LIMIT 5"), [],
         "contents that were scanned again")


def check(carved, *tops):
    """All of it, once what has happened so far was taken in; how many files there are."""
    count = until_accounted(carved, *tops)
    carved.check_watches()
    check_followed(carved)
    return count
