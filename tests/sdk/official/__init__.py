"""The vendors' official clients, each behind the one interface that the scenarios of its API are written for.

Invariant: a client is constructed with a base URL, a key, a timeout and no retries, and is otherwise as it was
installed; what it returns or raises is described, never interpreted.
"""
