"""Processes that do everything that can be done to a tree, at random, in small; the program for hours is
churn.py, which says how the account is made.

$CARVED_SEED repeats the choices of a run, not its timing.
"""
import os
import random

import scenario
from churn import Options, tell
from scenario import scaled


def seed():
    return int(os.environ.get("CARVED_SEED", random.randrange(10**6)))


def test_everything_is_found():
    tell(Options(seed(), 3, scaled(700, 20000), scaled(2, 6)))


def test_with_the_daemon_killed_and_stopped():
    tell(Options(seed(), 3, scaled(700, 20000), scaled(2, 6), kill=True, stop=True))


def test_with_too_few_watches():
    tell(Options(seed(), 2, scaled(500, 5000), scaled(1, 4), limit=40))


if __name__ == "__main__":
    scenario.main()
