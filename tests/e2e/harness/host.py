"""The other half of a guest's Envoy: a service of the host's own, which records requests as they come."""

import http.server
import threading


class Orders:
    """An HTTP server that keeps what it saw and answers what it was told."""

    def __init__(self):
        seen = self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body leave in two writes; waiting for an acknowledgement between them would be all there is
            # to measure.
            disable_nagle_algorithm = True

            def answer(self):
                """Any method: records, and echoes the body."""
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length)
                seen.append((self.command, self.path, self.headers.items(), body))
                self.send_response(299, "As It Is")
                self.send_header("content-type", "application/x-orders; odd=\"1\"")
                self.send_header("content-length", str(len(body)))
                self.send_header("x-sluice-mine", "the host's")
                self.send_header("x-sluice-retry", "0")
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *_):
                """Says nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self):
        """Ends it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
