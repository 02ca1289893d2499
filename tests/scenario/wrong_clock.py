"""A wall clock for the daemon alone, which scenarios set as they like (wrong_clock.c)."""
import os

import scenario

YEAR = 365 * 24 * 3600 * 10**9


class Clock:
    """Wrong by as many ns as set() said last; environment is for the daemon."""

    def __init__(self, carved):
        library = os.environ.get("CARVED_WRONG_CLOCK")
        if not library:
            raise scenario.Skip("CARVED_WRONG_CLOCK names no library to preload")
        self.path = os.path.join(carved.home, "clock")
        with open(self.path, "wb") as file:
            file.write(bytes(8))
        self.environment = {"LD_PRELOAD": library, "WRONG_CLOCK": self.path,
                            "ASAN_OPTIONS": "verify_asan_link_order=0"}

    def set(self, offset_ns):
        with open(self.path, "r+b", buffering=0) as file:
            file.write(offset_ns.to_bytes(8, "little", signed=True))
