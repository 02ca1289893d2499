"""Files that are made to be a trouble: enormous, packed a thousandfold, changed while they are looked at.

Whatever they are, they end in bounded time and memory with an outcome that is true of what is there.
"""
import hashlib
import io
import os
import zipfile

import scenario
from scenario import EICAR, Carved, broapt_name, check, same

GIB = 1 << 30
ENGINES = "  - { type: magic }\n  - { type: yara, max_file_size: 64M }\n"
MEMORY_MAX = 512  # MiB of the daemon and its helpers together


def sparse(carved, name, size, tail=b""):
    path = carved.path_of(name)
    beside = os.path.join(os.fsencode(carved.home), b"sparse")
    with open(beside, "wb") as file:
        file.truncate(size - len(tail))
        file.seek(0, os.SEEK_END)
        file.write(tail)
    os.rename(beside, path)
    return path


def high_water(carved):
    """MiB that the daemon and its children had in memory at most, each for itself, in all."""
    total = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
                fields = dict(line.split(":", 1) for line in file if ":" in line)
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                group = int(file.read().rpartition(")")[2].split()[3])
        except (OSError, ValueError, IndexError):
            continue
        ours = int(pid) == carved.process.pid or int(fields["PPid"]) == carved.process.pid \
            or group == carved.process.pid
        if ours and "VmHWM" in fields:
            total += int(fields["VmHWM"].split()[0]) // 1024
    return total


def outcomes(carved, path):
    return dict(carved.sql("SELECT s.detector, s.outcome FROM scan s JOIN file f ON f.id = s.file_id "
                           "WHERE f.path = CAST(? AS TEXT) ORDER BY s.id", path))


def test_ten_gibibytes_of_nothing_are_not_read_beyond_the_limit():
    with Carved("detectors:\n" + ENGINES) as carved:
        carved.start()
        path = sparse(carved, broapt_name(), 10 * GIB)
        carved.wait_settled(1)
        same(carved.row(path), (b"unscanned", b"oversize", None), "10 GiB under the default limit")
        carved.stop()


def test_ten_gibibytes_within_the_limit_are_no_burden_and_not_called_clean():
    with Carved("max_file_size: 20G\nhash: never\ndetectors:\n" + ENGINES) as carved:
        carved.start()
        path = sparse(carved, broapt_name(), 10 * GIB, EICAR)
        carved.wait_settled(1)
        same(outcomes(carved, path)[b"yara"], b"skipped", "what yara may not read")
        same(carved.row(path), (b"unscanned", b"failed", b"skipped"), "a file that a detector skipped")
        check(high_water(carved) < MEMORY_MAX, f"{high_water(carved)} MiB")
        carved.stop()


def test_a_zip_bomb_is_one_small_file():
    with Carved("detectors:\n" + ENGINES) as carved:
        carved.start()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for number in range(4):
                archive.writestr(f"{number}", bytes(64 << 20))
        path = carved.put(broapt_name("application/zip", "zip"), packed.getvalue())
        carved.wait_settled(1)
        state, _, verdict = carved.row(path)
        check(state == b"done" and verdict in (b"clean", b"suspicious"), f"{state} {verdict}")
        check(high_water(carved) < MEMORY_MAX, f"{high_water(carved)} MiB")
        carved.stop()


def held(carved):
    """A daemon's configuration whose last detector holds still until the returned FIFO is closed."""
    fifo = os.path.join(carved.home, "go-on")
    os.mkfifo(fifo)
    carved.write_config("workers: 1\ndetectors:\n" + ENGINES + "  - { type: command, name: held, "
                        f"read: {fifo}, run: [/bin/sh, -c, 'read line < {fifo}; exit 0', sh, "
                        "'{path}'] }\n")
    return fifo


def test_a_file_that_changes_while_it_is_scanned_is_scanned_again():
    def grow(path):
        with open(path, "ab") as file:
            file.write(EICAR[40:])

    def shorten(path):
        os.truncate(path, 40)

    for change, verdict in ((grow, b"malicious"), (shorten, b"clean")):
        with Carved() as carved:
            fifo = held(carved)
            carved.start()
            path = carved.put(broapt_name("text/plain", "txt"), EICAR[:40] if change is grow else EICAR)
            hold = carved.opened_to_read(fifo)
            change(path)
            os.close(hold)
            with open(path, "rb") as file:
                digest = hashlib.sha256(file.read()).hexdigest().encode()

            def looked_at_anew():
                try:  # whoever holds still may go on
                    os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
                except OSError:
                    pass
                return carved.sql("SELECT sha256, verdict FROM file WHERE state = 'done'") \
                    == [(digest, verdict)]
            carved.until(looked_at_anew, f"what is there after {change.__name__}")
            carved.stop()
            same(carved.sql("SELECT count(*) FROM file"), [(1,)], f"rows after {change.__name__}")


if __name__ == "__main__":
    scenario.main()
