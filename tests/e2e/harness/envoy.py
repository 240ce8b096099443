"""Envoy, in the two deployments: everything over discovery, or as a guest in a static configuration."""

import copy
import json
import re

import httpx
import yaml

from . import locate
from .process import Process

WORKERS = 2
# The filter runs in a VM on each worker, and in one on the main thread.
VMS = WORKERS + 1


class Envoy:
    """One Envoy process."""

    def __init__(self, folder, name, config):
        file = folder / f"{name}.json"
        file.write_text(json.dumps(config), encoding="utf-8")
        file.chmod(0o600)
        self._admin = folder / f"{name}.admin"
        self.log = folder / f"{name}.log"
        argv = [
            locate.envoy(), "--config-path", file, "--admin-address-path", self._admin,
            "--disable-hot-restart", "--concurrency", WORKERS,
            "--log-level", "warning", "--component-log-level", "wasm:info",
        ]  # fmt: skip
        self.process = Process(name, argv, self.log)

    def admin(self, path):
        """A page of Envoy's own admin interface; `None` while there is none."""
        if not self._admin.exists():
            return None
        address = self._admin.read_text(encoding="utf-8").strip()
        try:
            response = httpx.get(f"http://{address}{path}", timeout=5.0, trust_env=False)
        except httpx.TransportError:
            return None
        return response.text if response.status_code == 200 else None

    def wait_until_live(self):
        """Waits until it serves."""
        self.process.wait_for("to be live", lambda: self.admin("/ready"), 60.0)

    def counter(self, name):
        """One of its statistics."""
        text = self.admin(f"/stats?usedonly&filter=^{re.escape(name)}$") or ""
        return int(text.rsplit(":", 1)[1]) if ":" in text else 0

    def stop(self):
        """Ends it."""
        self.process.stop()


def _filled(template, values):
    text = (locate.ROOT / "envoy" / template).read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace("${" + name + "}", str(value))
    left = re.findall(r"^[^#\n]*\$\{\w+\}", text, re.M)
    assert not left, f"envoy/{template} has placeholders that nobody fills in: {left}"
    return yaml.safe_load(text)


def _common(control, node):
    return {
        "NODE_ID": node,
        "NODE_TOKEN": control.node_token,
        "CONTROL_HOST": "127.0.0.1",
        "CONTROL_PORT": control.xds_port,
        "ADMIN_PORT": 0,
    }


def own(control, node):
    """The configuration of an Envoy of Sluice's own: envoy/bootstrap.yaml as it is."""
    return _filled("bootstrap.yaml", _common(control, node))


# Lines of a guest's map besides its providers': one without a cluster, and two whose clusters are aggregates, as
# envoy/README.md has them, of a cluster that is not there and of one that is.
GHOST, GUARDED_GHOST, GUARDED = "ghost", "guarded-ghost", "guarded"


def guest(control, node, listen_port, orders_port, upstreams):
    """envoy/guest.yaml with test providers in place of the vendors: `upstreams` are clusters' hosts by name."""
    values = _common(control, node) | {
        "MODULE": locate.module(),
        "LISTEN_PORT": listen_port,
        "ORDERS_PORT": orders_port,
    }
    # Anchors become shared objects; a round trip makes them separate ones.
    config = json.loads(json.dumps(_filled("guest.yaml", values)))
    resources = config["static_resources"]
    clusters = {cluster["name"]: cluster for cluster in resources["clusters"]}
    example = clusters["openai"]
    resources["clusters"] = [clusters["orders"], clusters["sluice-nowhere"], clusters["sluice-control"]]
    resources["clusters"] += [_cluster(example, name, host, port) for name, (host, port) in upstreams.items()]
    nowhere = clusters["sluice-nowhere"]
    resources["clusters"] += [_guarded(nowhere, GUARDED_GHOST, GHOST), _guarded(nowhere, GUARDED, next(iter(upstreams)))]
    (ingress,) = (each for each in _manager(config)["http_filters"] if each["name"] == "sluice.ingress")
    plugin = ingress["typed_config"]["config"]["configuration"]
    # Nearly every test waits for its record.
    plugin["value"] = json.dumps(json.loads(plugin["value"]) | {"tick_ms": 20})
    (host,) = _manager(config)["route_config"]["virtual_hosts"]
    orders, sluice = host["routes"]
    _providers(sluice, upstreams)
    # The example serves /v1/ only. The SDKs' other base paths are the same route again.
    bases = ["/v1/", "/v1beta/", "/v1beta1/", "/api/", "/oai/", "/openai/", "/anthropic/", "/gemini/"]
    host["routes"] = [orders, *({**copy.deepcopy(sluice), "match": {"prefix": base}} for base in bases)]
    return config


def host_alone(listen_port, orders_port):
    """What the host of envoy/guest.yaml would run without Sluice."""
    values = dict.fromkeys(["NODE_ID", "NODE_TOKEN", "MODULE", "CONTROL_HOST"], "unused")
    values |= {"CONTROL_PORT": 1, "ADMIN_PORT": 0, "LISTEN_PORT": listen_port, "ORDERS_PORT": orders_port}
    config = json.loads(json.dumps(_filled("guest.yaml", values)))
    resources = config["static_resources"]
    resources["clusters"] = [cluster for cluster in resources["clusters"] if cluster["name"] == "orders"]
    manager = _manager(config)
    manager["http_filters"] = [each for each in manager["http_filters"] if each["name"] != "sluice.ingress"]
    (host,) = manager["route_config"]["virtual_hosts"]
    host["routes"] = host["routes"][:1]
    return config


def _manager(config):
    (listener,) = config["static_resources"]["listeners"]
    return listener["filter_chains"][0]["filters"][0]["typed_config"]


def _cluster(example, name, host, port):
    cluster = copy.deepcopy(example)
    cluster["name"] = cluster["load_assignment"]["cluster_name"] = name
    endpoint = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
    endpoint["address"]["socket_address"] = {"address": host, "port_value": port}
    # The simulator speaks plain HTTP, where nothing negotiates HTTP/2.
    del cluster["transport_socket"]
    (options,) = cluster["typed_extension_protocol_options"].values()
    del options["auto_config"]
    options["explicit_http_config"] = {"http_protocol_options": {}}
    return cluster


def _guarded(nowhere, name, member):
    cluster = copy.deepcopy(nowhere)
    del cluster["type"], cluster["load_assignment"]
    config = "type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig"
    members = {"@type": config, "clusters": [member, "sluice-nowhere"]}
    kind = {"name": "envoy.clusters.aggregate", "typed_config": members}
    return cluster | {"name": name, "lb_policy": "CLUSTER_PROVIDED", "cluster_type": kind}


def _providers(route, upstreams):
    plugin = route["route"]["inline_cluster_specifier_plugin"]["extension"]["typed_config"]
    tree = plugin["cluster_matcher"]["matcher_tree"]["exact_match_map"]
    example = tree["map"]["openai"]

    def entry(name):
        action = copy.deepcopy(example["action"])
        action["name"] = action["typed_config"]["cluster"] = name
        return {"action": action}

    tree["map"] = {name: entry(name) for name in [*upstreams, GHOST, GUARDED_GHOST, GUARDED]}
