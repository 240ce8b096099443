"""The table at the end of a run: a row for each scenario, a column for each client and upstream dialect."""

import pytest

# Parameters that make columns; all others are variants of a scenario.
_COLUMNS = {"deployment", "openai_client", "anthropic_client", "upstream"}


class Cell:
    """Which part of the table a test belongs to."""

    def __init__(self, item):
        params = getattr(item, "callspec", None) and item.callspec.params or {}
        self.deployment = params.get("deployment")
        self.api = "openai" if "openai_client" in params else "anthropic"
        client = params.get(f"{self.api}_client", "")
        self.column = (client.removeprefix(f"{self.api}-"), params.get("upstream", "any"))
        self.row = item.originalname.removeprefix("test_").replace("_", " ") if client else None
        variants = [str(value) for name, value in params.items() if name not in _COLUMNS]
        self.variant = " ".join(filter(None, [self.deployment, *variants]))


class Table:
    """Collects how tests ended; a plugin of pytest."""

    def __init__(self):
        # api -> row -> column -> variant -> passed
        self._apis = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        """Notes how one phase of a test ended."""
        report = yield
        cell = Cell(item)
        if cell.row and (report.when == "call" or not report.passed):
            rows = self._apis.setdefault(cell.api, {})
            variants = rows.setdefault(cell.row, {}).setdefault(cell.column, {})
            variants[cell.variant] = variants.get(cell.variant, True) and report.passed
        return report

    def pytest_terminal_summary(self, terminalreporter):
        """Prints it."""
        for api, rows in self._apis.items():
            columns = sorted({column for cells in rows.values() for column in cells})
            width = max(map(len, rows)) + 2
            heads = [f"{client}>{upstream}" for client, upstream in columns]
            terminalreporter.section(f"{api} clients > upstream dialect: tests passed")
            terminalreporter.write_line(" " * width + "  ".join(heads))
            for row, cells in rows.items():
                marks = (_mark(cells.get(column)).ljust(len(head)) for column, head in zip(columns, heads))
                terminalreporter.write_line((row.ljust(width) + "  ".join(marks)).rstrip())


def _mark(variants):
    if not variants:
        return ""
    failed = sum(not passed for passed in variants.values())
    return f"FAILED {failed} of {len(variants)}" if failed else str(len(variants))
