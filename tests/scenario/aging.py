"""Versions of a history that are of long ago: dated back, past the daemon, which does not run."""
import contextlib
import sqlite3

DAY_NS = 86400 * 10 ** 9
OLD_DAYS = 100


def make_old(history, where="1", *parameters):
    """Those for which the words of SQL hold, and the counts of days with them."""
    by = OLD_DAYS * DAY_NS
    with contextlib.closing(sqlite3.connect(history)) as connection, connection:
        connection.execute(f"UPDATE version SET first_seen_ns = first_seen_ns - {by}, checked_ns = checked_ns - {by},"
                           f" finished_ns = finished_ns - {by} WHERE {where}", parameters)
        connection.execute("DELETE FROM tally")
        connection.execute("INSERT INTO tally SELECT day, ifnull(mime, ''), state, ifnull(reason, ''),"
                           " ifnull(verdict, ''), count(*) FROM version WHERE state <> 'queued' GROUP BY 1, 2, 3, 4, 5")


def make_gaps_old(history):
    with contextlib.closing(sqlite3.connect(history)) as connection, connection:
        connection.execute(f"UPDATE gap SET closed_ns = closed_ns - {OLD_DAYS * DAY_NS}")
