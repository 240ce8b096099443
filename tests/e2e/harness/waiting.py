"""Waiting for something that can be observed."""

import time


class Timeout(AssertionError):
    """It did not come about in time."""


def until(what, probe, seconds=10.0):
    """Calls `probe` until it returns something true, and returns that. `what` says what is waited for."""
    end = time.monotonic() + seconds
    pause = 0.002
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() >= end:
            raise Timeout(f"after {seconds} s still not: {what} (last seen: {found!r})")
        # Between looks only: no result depends on how long this is.
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
