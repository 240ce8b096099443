"""The ledger, read through the admin API."""

from .waiting import until


class Row(dict):
    """One exchange; members as attributes."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def classes(self):
        """How each attempt ended: `(provider, status, class)`."""
        return [(attempt["provider"], attempt["status"], attempt["class"]) for attempt in self["attempts"]]


class Ledger:
    """Reads rows, and waits for those that are on their way."""

    def __init__(self, rest):
        self._rest = rest

    def rows(self, key):
        """All of a key's rows, the oldest first."""
        rows, cursor = [], {}
        while cursor is not None:
            page = self._rest.call("GET", "/usage", key=key, limit=1000, **cursor)
            rows += page["data"]
            cursor = {"cursor": page["next_cursor"]} if page.get("next_cursor") else None
        return [Row(row) for row in reversed(rows)]

    def wait_for(self, key, count):
        """A key's rows, once there are `count`. More are a failure: an exchange is recorded once."""
        rows = until(
            f"{count} ledger rows of key {key}",
            lambda: len(found := self.rows(key)) >= count and found,
            15.0,
        )
        assert len(rows) == count, rows
        return rows

    def row(self, key, request_id):
        """The row of one exchange."""

        def look():
            return [row for row in self.rows(key) if row.request_id == request_id]

        found = until(f"the ledger row of {request_id}", look, 15.0)
        assert len(found) == 1, found
        row = found[0]
        check(row)
        return row


def check(row):
    """What holds for every row."""
    assert row.duration_us > 0, row
    assert row.ttft_us is None or 0 < row.ttft_us <= row.duration_us, row
    assert row.overhead_us <= row.duration_us, row
    assert row.node and row.vm and row.seq > 0, row
    if row.provider is None:
        # Nobody served it: nothing may be charged.
        assert row.cost_micro_usd == 0 and row.usage_source == "none", row
        assert not any(row.usage.values()), row
