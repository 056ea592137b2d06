"""A server on loopback that charges for calls, as a provider would."""

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Provider:
    """What the server charged, in whole cents, and where it is."""

    url: str = ""
    charged: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        """A call that is cut off on purpose is no failure of the server."""


@pytest.fixture
def provider():
    """Answers after 5 ms with a cost of 1 to 5 cents; every tenth call it charges and cuts off."""
    served = Provider()

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(0.005)
            with served.lock:
                cents = 1 + len(served.charged) % 5
                served.charged.append(cents)
                is_cut_off = len(served.charged) % 10 == 0
            if is_cut_off:
                self.close_connection = True
                return
            body = json.dumps({"cost_usd": cents / 100}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Says nothing."""

    server = _Quiet(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}/"
    yield served
    server.shutdown()
    thread.join()
    server.server_close()
