"""The table at the end of a run: a row for each scenario, a column for each client and upstream dialect."""


class Table:
    """Collects reports; a plugin of pytest."""

    def __init__(self):
        # (file, scenario) -> column -> deployments -> passed
        self._rows = {}
        self._columns = {}

    @staticmethod
    def cell(item):
        """Where a test belongs: row, column, deployment; `None` if it is not of these suites."""
        params = dict(getattr(item, "callspec", None).params) if hasattr(item, "callspec") else {}
        client = params.pop("openai_client", None) or params.pop("anthropic_client", None)
        if client is None or "deployment" not in params:
            return None
        deployment = params.pop("deployment")
        column = (client, params.pop("upstream", "-"))
        name = item.originalname.removeprefix("test_").replace("_", " ")
        rest = item.callspec.id.split("-")
        more = [part for part in rest if part in {str(value) for value in params.values()}]
        api = item.path.stem.removeprefix("test_").split("_")[0]
        return (api, " ".join([name, *more])), column, deployment

    def pytest_runtest_logreport(self, report):
        """Notes how one phase of a test ended."""
        cell = getattr(report, "cell", None)
        if cell is None or (report.when != "call" and report.passed):
            return
        row, column, deployment = cell
        self._columns.setdefault(row[0], {}).setdefault(column)
        seen = self._rows.setdefault(row, {}).setdefault(column, {})
        seen[deployment] = seen.get(deployment, True) and report.passed

    def pytest_terminal_summary(self, terminalreporter):
        """Prints it."""
        for api, columns in self._columns.items():
            columns = sorted(columns)
            rows = {name: cells for (of, name), cells in self._rows.items() if of == api}
            width = max(len(name) for name in rows) + 2
            heads = [f"{client.removeprefix(api + '-')}>{upstream}" for client, upstream in columns]
            terminalreporter.section(f"{api} clients: client > upstream dialect")
            terminalreporter.write_line(" " * width + "  ".join(heads))
            for name, cells in rows.items():
                marks = (_mark(cells.get(column)).ljust(len(head)) for column, head in zip(columns, heads))
                terminalreporter.write_line(name.ljust(width) + "  ".join(marks).rstrip())


def _mark(seen):
    if seen is None:
        return "."
    failed = [deployment for deployment, passed in seen.items() if not passed]
    return "FAIL " + "+".join(failed) if failed else "ok"
