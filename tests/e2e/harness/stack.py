"""A whole Sluice: simulator, control plane and Envoy, in one of the two deployments."""

from . import envoy as envoys
from . import locate
from .control import Control
from .envoy import VMS, Envoy
from .gateway import Gateway
from .host import Orders
from .ledger import Ledger
from .pool import Pool
from .process import free_port, tail
from .simulator import Simulator


class Stack:
    """Everything that runs, and the order in which it starts and ends."""

    def __init__(self, deployment, folder):
        self.deployment = deployment
        self.folder = folder
        folder.mkdir(parents=True)
        self._ending = []
        self.control = None
        self.envoy = None
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    @property
    def is_guest(self):
        """Whether Envoy is somebody else's."""
        return self.deployment == "guest"

    def _start(self):
        self.simulator = self._started(Simulator(self.folder))
        port = free_port()
        serve = [] if self.is_guest else ["--module", str(locate.module()), "--listen", f"127.0.0.1:{port}"]
        self.control = self._started(Control(self.folder, serve))
        self.ledger = Ledger(self.control.rest)
        self.pool = Pool(self.simulator, self.control.rest, self.is_guest)
        self.pool.configure()
        node = f"e2e-{self.deployment}"
        if self.is_guest:
            self.orders = self._started(Orders())
            config = envoys.guest(self.control, node, port, self.orders.port, self.pool.upstreams)
        else:
            config = envoys.own(self.control, node)
        self._config = config
        self.envoy = self._started(Envoy(self.folder, "envoy", config))
        self.envoy.wait_until_live()
        self.settle()
        self.gateway = Gateway(port)
        self.probe_key = self.control.rest.call("POST", "/keys", {"name": "probe"})["token"]
        self.settle()

    def _started(self, part):
        self._ending.append(part)
        return part

    def restart_envoy(self):
        """Ends Envoy and starts another in its place, which knows nothing of what the first has seen."""
        self.envoy.stop()
        self._ending.remove(self.envoy)
        self.envoy = self._started(Envoy(self.folder, "envoy", self._config))
        self.envoy.wait_until_live()
        self.settle()

    def settle(self):
        """Waits until every part has the newest configuration."""
        self.control.settle(VMS, 0 if self.is_guest else 1)

    def stop(self):
        """Ends it, the last started first."""
        while self._ending:
            self._ending.pop().stop()

    def logs(self):
        """All logs."""
        return sorted(self.folder.glob("*.log"))

    def marks(self):
        """Where all logs end now."""
        return {log: log.stat().st_size for log in self.logs()}

    def said_since(self, marks):
        """What the logs say since then: `(name, text)`."""
        said = [(log.name, tail(log, marks.get(log, 0))) for log in self.logs()]
        return [(name, text) for name, text in said if text]
