#!/usr/bin/env python3
"""The table of what became of the files of each scenario, from the rows that oracle.tell() collected.

As a program: table.py ROWS writes it, and exits 1 when anything is recorded twice.
"""
import json
import sys

COLUMNS = ("scenario", "daemons", "made", "done", "queued", "unscanned", "twice", "gaps",
           "watches/directories")


def words_of(counts):
    return ", ".join(f"{name} {counts[name]}" for name in sorted(counts)) or "-"


def add(total, counts):
    for name, count in counts.items():
        total[name] = total.get(name, 0) + count


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def merged(rows, each_test):
    """One row for each scenario, or each of its tests, in the order in which they came."""
    totals = {}
    for row in rows:
        key = f"{row['scenario']} {row['test']}" if each_test else row["scenario"]
        total = totals.setdefault(key, {"daemons": 0, "made": 0, "done": 0, "queued": 0, "twice": 0,
                                       "open_gaps": 0, "watches": 0, "directories": 0,
                                       "unscanned": {}, "gaps": {}})
        total["daemons"] += 1
        for name in ("made", "done", "queued", "twice", "open_gaps", "watches", "directories"):
            total[name] += row[name]
        add(total["unscanned"], row["unscanned"])
        add(total["gaps"], row["gaps"])
    return totals


def cells(name, total):
    gaps = words_of(total["gaps"])
    if total["open_gaps"]:
        gaps += f" ({total['open_gaps']} open)"
    return (name, total["daemons"], total["made"], total["done"], total["queued"],
            words_of(total["unscanned"]), total["twice"], gaps,
            f"{total['watches']}/{total['directories']}")


def show(path, out, each_test=False):
    """Writes the table; the number of versions and answers that are recorded twice."""
    totals = merged(read(path), each_test)
    lines = [COLUMNS] + [tuple(map(str, cells(name, total))) for name, total in totals.items()]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    for line in lines:
        padded = [cell.ljust(widths[i]) if i in (0, 5, 7) else cell.rjust(widths[i])
                  for i, cell in enumerate(line)]
        print("  ".join(padded).rstrip(), file=out)
    return sum(total["twice"] for total in totals.values())


if __name__ == "__main__":
    sys.exit(1 if show(sys.argv[1], sys.stdout, each_test=True) else 0)
