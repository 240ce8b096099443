"""The table at the end of a run: a section for each file, a row for each scenario, a column for each pair of client and
upstream.

A cell counts the tests that passed; `loss` is a scenario that needs what the upstream has no word for.
"""

import pytest

# Parameters that make columns; all others are variants of a scenario.
_APIS = ["openai", "anthropic", "google", "langchain", "vercel", "vendor"]
_COLUMNS = {"deployment", "upstream", "vendor", *(f"{api}_client" for api in _APIS)}


class Cell:
    """Which part of the table a test belongs to."""

    def __init__(self, item):
        params = getattr(item, "callspec", None) and item.callspec.params or {}
        api = next((api for api in _APIS if f"{api}_client" in params), "anthropic")
        client = params.get(f"{api}_client", "")
        self.section = item.path.stem.removeprefix("test_").replace("_", " ")
        self.column = (client.removeprefix(f"{api}-"), params.get("upstream") or params.get("vendor", "any"))
        self.row = item.originalname.removeprefix("test_").replace("_", " ") if client else None
        variants = [str(value) for name, value in params.items() if name not in _COLUMNS]
        self.variant = " ".join(filter(None, [params.get("deployment"), *variants]))


class Table:
    """Collects how tests ended; a plugin of pytest."""

    def __init__(self):
        # section -> row -> column -> variant -> passed
        self._sections = {}

    def expect(self, items, lost):
        """Notes the scenarios in their order, and those that need what their upstream has no word for."""
        for item in items:
            self._row(Cell(item))
        for item in lost:
            self._variants(Cell(item))

    def _row(self, cell):
        return self._sections.setdefault(cell.section, {}).setdefault(cell.row, {})

    def _variants(self, cell):
        return self._row(cell).setdefault(cell.column, {})

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        """Notes how one phase of a test ended."""
        report = yield
        cell = Cell(item)
        if cell.row and (report.when == "call" or not report.passed):
            variants = self._variants(cell)
            variants[cell.variant] = variants.get(cell.variant, True) and report.passed
        return report

    def pytest_terminal_summary(self, terminalreporter):
        """Prints it."""
        for section, rows in self._sections.items():
            rows = {row: cells for row, cells in rows.items() if row and any(cells.values())}
            if not rows:
                continue
            columns = sorted({column for cells in rows.values() for column in cells})
            width = max(map(len, rows)) + 2
            heads = [f"{client}>{upstream}" for client, upstream in columns]
            terminalreporter.section(f"{section}: tests passed by client > upstream")
            terminalreporter.write_line(" " * width + "  ".join(heads))
            for row, cells in rows.items():
                marks = (_mark(cells.get(column)).ljust(len(head)) for column, head in zip(columns, heads))
                terminalreporter.write_line((row.ljust(width) + "  ".join(marks)).rstrip())


def _mark(variants):
    if variants is None:
        return ""
    failed = sum(not passed for passed in variants.values())
    return f"FAILED {failed} of {len(variants)}" if failed else str(len(variants) or "loss")
