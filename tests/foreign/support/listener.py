"""A relying party's own little server, on loopback."""

import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from support.provider import PATIENCE


class Listener:
    """Serves one document to whoever asks, and keeps the forms that are posted to it."""

    def __init__(self):
        self.document = ("text/plain", "")
        self.forms: queue.Queue[dict] = queue.Queue()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802 - the library's name
                kind, text = listener.document
                self.answer(kind, text.encode())

            def do_POST(self):  # noqa: N802 - the library's name
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                listener.forms.put({name: values[0] for name, values in parse_qs(body).items()})
                self.answer("text/plain", b"")

            def answer(self, kind: str, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def serve(self, kind: str, text: str) -> None:
        self.document = (kind, text)

    def received(self) -> dict:
        """The next form."""
        return self.forms.get(timeout=PATIENCE)

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *_) -> None:
        self.server.shutdown()
        self.server.server_close()
