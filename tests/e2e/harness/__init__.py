"""The end-to-end tests' world: real processes, and the handles by which tests use them.

Invariants: nothing sleeps to synchronise, everything is waited for by something that can be observed; every process is
ended by its own id; what cannot be started fails the run with the reason.
"""
