"""JSON over HTTP, for the admin API and the simulator's control API."""

import httpx


class Refused(AssertionError):
    """An API answered with another status than was expected."""

    def __init__(self, response):
        request = response.request
        super().__init__(f"{request.method} {request.url}: {response.status_code} {response.text}")
        self.status = response.status_code
        self.body = response.text


class Rest:
    """A client that raises on every status from 300 on."""

    def __init__(self, base, headers=None):
        # The environment's proxies have no business between two processes of this machine.
        self._http = httpx.Client(base_url=base, headers=headers, timeout=20.0, trust_env=False)

    def call(self, method, path, body=None, **params):
        """Sends a request and returns the JSON of its answer."""
        response = self._http.request(method, path, json=body, params=params)
        if response.status_code >= 300:
            raise Refused(response)
        is_json = response.headers.get("content-type", "").startswith("application/json")
        return response.json() if is_json else response.text

    def close(self):
        """Closes its connections."""
        self._http.close()
