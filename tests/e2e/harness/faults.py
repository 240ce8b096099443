"""Faults by name: what a provider's script is, and what the record calls it."""


class Fault:
    """One way to fail before the first token."""

    def __init__(self, name, kind, recorded, named, **members):
        self.name = name
        self.step = (kind, members)
        # The attempt's status in the record: 0 without a reply.
        self.status = recorded
        self.named = named

    def __repr__(self):
        return self.name

    def times(self, count):
        """The script that does it so often."""
        kind, members = self.step
        return (kind, {**members, "times": count})


def status(code, named, **members):
    """An error status in the vendor's own words."""
    return Fault(f"{code}", "status", code, named, status=code, **members)


# After these the same provider is asked once more, then the next.
SERVER_ERRORS = [
    status(code, "server_error") for code in (500, 502, 503, 504, 520, 521, 522, 523, 524, 529, 408)
]
BROKEN = [
    Fault("reset_before_headers", "reset_before_headers", 0, "reset"),
    Fault("close_before_headers", "close_before_headers", 0, "reset"),
    Fault("error_body_200", "error_body_200", 200, "bad_reply"),
    Fault("empty_body", "empty_body", 200, "bad_reply"),
    Fault("invalid_json", "invalid_json", 200, "bad_reply"),
    Fault("truncated", "truncated_json", 200, "cut"),
    Fault("html", "status", 200, "bad_reply", status=200, body="<html><body>Sign in</body></html>"),
]
# As a truncated stream has said something by half its events, these are the streams that break off before that.
BROKEN_STREAMS = [
    Fault("error_event_first", "error_event_first", 200, "bad_reply"),
    Fault("cut_before_token", "cut_after_tokens", 200, "cut", tokens=0),
    Fault("reset_before_token", "reset_after_tokens", 200, "cut", tokens=0),
    Fault("end_before_token", "clean_end_after_tokens", 200, "bad_reply", tokens=0),
    Fault("malformed_event_first", "malformed_event", 200, "bad_reply", tokens=0),
]
# After these the next provider is asked at once.
NEXT = [
    status(401, "credential"),
    status(402, "quota"),
    status(403, "credential"),
    status(404, "not_found"),
    status(429, "rate_limit"),
    Fault("429_later", "status", 429, "rate_limit", status=429, headers={"retry-after": "6"}),
    Fault("503_later", "status", 503, "server_error", status=503, headers={"retry-after": "6"}),
]
