"""Fixtures of the SDK tests: real Envoy in both deployments, each official client, each upstream dialect; and the table
at the end of a run."""

import os

import pytest
from harness.fixtures import deployment, stack  # noqa: F401
from harness.scene import Scene
from official import anthropic_api, google_api, openai_api
from official.house import DIALECTS, LACKS, VENDORS, Broken, House
from official.node import NodeProcess
from official.table import Table

OPENAI = {each.name: each for each in (openai_api.Python, openai_api.AsyncPython, openai_api.Node)}
ANTHROPIC = {each.name: each for each in (anthropic_api.Python, anthropic_api.AsyncPython)}
GOOGLE = {each.name: each for each in (google_api.Python, google_api.AsyncPython)}
LANGCHAIN = ["langchain-openai", "langchain-openai-responses", "langchain-anthropic"]
VERCEL = ["vercel-openai-chat", "vercel-openai", "vercel-anthropic", "vercel-google"]


@pytest.fixture(scope="session")
def node(tmp_path_factory):
    """The Node process."""
    process = NodeProcess(tmp_path_factory.mktemp("node") / "node.log")
    yield process
    process.stop()


@pytest.fixture(scope="session")
def house(stack):  # noqa: F811
    """What all scenarios of a deployment share: a provider of each dialect, and keys."""
    return House(stack)


@pytest.fixture(scope="session")
def opened(house):
    """All clients of a deployment. To make one takes a client longer than most scenarios."""
    clients = {}
    yield clients
    for client in clients.values():
        client.close()


@pytest.fixture
def connect(request, house, opened):
    """Gives clients: `connect(name, key, **options)`."""

    def client(name, token=house.strict.token, base=None, **options):
        kind = OPENAI.get(name) or ANTHROPIC[name]
        process = [request.getfixturevalue("node")] if kind is openai_api.Node else []
        # The OpenAI clients' base URL includes the version.
        base = base or (f"{house.url}/v1" if name in OPENAI else house.url)
        key = (name, token, base, *options.items())
        if key not in opened:
            opened[key] = kind(*process, base, token, **options)
        return opened[key]

    return client


@pytest.fixture(params=OPENAI)
def openai_client(request):
    """The name of an OpenAI client: each."""
    return request.param


@pytest.fixture(params=ANTHROPIC)
def anthropic_client(request):
    """The name of an Anthropic client: each."""
    return request.param


@pytest.fixture
def openai(connect, openai_client):
    """An OpenAI client whose key refuses every loss."""
    return connect(openai_client)


@pytest.fixture
def anthropic(connect, anthropic_client):
    """An Anthropic client whose key refuses every loss."""
    return connect(anthropic_client)


@pytest.fixture(params=GOOGLE)
def google_client(request):
    """The name of a Google client: each."""
    return request.param


@pytest.fixture
def connect_google(google_client, house, opened):
    """Gives Google's clients: `connect_google(token)`."""

    def client(token=house.strict.token):
        key = (google_client, token, house.url)
        if key not in opened:
            opened[key] = GOOGLE[google_client](house.url, token)
        return opened[key]

    return client


@pytest.fixture
def google(connect_google):
    """A Google client whose key refuses every loss."""
    return connect_google()


@pytest.fixture(params=LANGCHAIN)
def langchain_client(request):
    """The name of one of LangChain's models: each."""
    return request.param


@pytest.fixture(params=VERCEL)
def vercel_client(request):
    """The name of one of the Vercel AI SDK's providers: each."""
    return request.param


@pytest.fixture(params=DIALECTS)
def upstream(request):
    """The provider's dialect: each."""
    return request.param


@pytest.fixture
def side(request, house, upstream):
    """The provider that scenarios talk to; at the end, it must have accepted everything."""
    yield from _checked(request, house, house.side(upstream))


@pytest.fixture(params=VENDORS)
def vendor(request, house):
    """A provider that speaks another's dialect, each; at the end, it must have accepted everything."""
    yield from _checked(request, house, house.side(request.param))


def _checked(request, house, side):
    side.virtual.reset()
    request.node.stack_marks = (house.stack, house.stack.marks())
    yield side
    side.check()


@pytest.fixture
def broken(request, stack, upstream):  # noqa: F811
    """A provider of each dialect that a test may break."""
    request.node.stack_marks = (stack, stack.marks())
    scene = Scene(stack)
    yield Broken(scene, upstream)
    scene.close()


def pytest_collection_modifyitems(config, items):
    """Leaves out what an upstream has no word for, and what the other deployment need not show again.

    Both run the same module, and differ in configuration alone, which tests/e2e is about. As somebody's guest it serves
    the first two APIs, by providers of their dialects.
    """
    lost = [item for item in items if _is_lost(item)]
    config.pluginmanager.get_plugin("sdk-table").expect(items, lost)
    left = {*lost, *(item for item in items if _is_shown(item))}
    config.hook.pytest_deselected(items=list(left))
    items[:] = [item for item in items if item not in left]


def _is_lost(item):
    needs = item.get_closest_marker("needs")
    return needs is not None and needs.args[0] in LACKS[item.callspec.params["upstream"]]


def _is_shown(item):
    params = item.callspec.params
    return params["deployment"] == "guest" and not (
        item.path.stem.startswith(("test_openai", "test_anthropic"))
        and item.path.stem != "test_openai_responses"
        and params.get("upstream") in (None, "openai", "anthropic")
    )


def pytest_configure(config):
    """Begins the table, and takes away what would configure the clients behind the scenarios' back."""
    for name in list(os.environ):
        if name.startswith(("OPENAI_", "ANTHROPIC_", "GOOGLE_", "GEMINI_", "LANGCHAIN_", "LANGSMITH_")):
            del os.environ[name]
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1"]))
    config.pluginmanager.register(Table(), "sdk-table")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds to a failure what the logs said meanwhile."""
    report = yield
    if report.failed and hasattr(item, "stack_marks"):
        running, marks = item.stack_marks
        report.sections += [(f"log: {name}", text) for name, text in running.said_since(marks)]
    return report
