"""A camera in the network: a real HTTP server that gives a picture, or everything else a bad one may send."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO

from PIL import Image

GIGABYTE = 1024**3
PLACE = b"GPSHERE-48.8566N"


def photograph(width: int = 1920, height: int = 1080) -> bytes:
    """Return a JPEG as a telephone makes it: with the place, a comment, turned by its orientation."""
    picture = Image.new("RGB", (width, height), (200, 60, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: a quarter turn
    exif[0x010E] = PLACE.decode()  # description
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 24.0)
    out = BytesIO()
    picture.save(out, "JPEG", exif=exif, comment=PLACE)
    return out.getvalue()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Camera"

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        try:
            getattr(self, f"_{self.server.manner}")()
        except OSError:
            self.server.cut_off.set()  # we were not listened to till the end
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
        """Nothing on the terminal."""

    def _head(self, status: int, kind: str, length: int, **more: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(length), **more}.items():
            self.send_header(name, value)
        self.end_headers()

    def _good(self) -> None:
        body = photograph()
        self._head(200, "image/jpeg", len(body))
        self.wfile.write(body)

    def _page(self) -> None:
        body = b"<html><script>alert(1)</script></html>"
        self._head(200, "image/jpeg", len(body))
        self.wfile.write(body)

    def _huge(self) -> None:
        self._head(200, "image/jpeg", GIGABYTE)
        self._pour()

    def _endless(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "image/jpeg")
        self.end_headers()
        self._pour()

    def _pour(self) -> None:
        piece = b"\xff\xd8\xff" + bytes(65533)
        for _ in range(GIGABYTE // len(piece)):
            self.wfile.write(piece)

    def _drip(self) -> None:
        self._head(200, "image/jpeg", 100_000)
        while not self.server.over.wait(0.05):
            self.wfile.write(b"\xff")
            self.wfile.flush()

    def _elsewhere(self) -> None:
        self._head(302, "text/plain", 0, Location="http://169.254.169.254/latest/meta-data/")

    def _missing(self) -> None:
        self._head(404, "text/plain", 0)

    def _bomb(self) -> None:
        out = BytesIO()
        Image.new("1", (20_000, 20_000)).save(out, "PNG")
        self._head(200, "image/png", len(out.getvalue()))
        self.wfile.write(out.getvalue())


class Camera(ThreadingHTTPServer):
    """``manner``: how it answers. ``asked``: the paths that were asked for."""

    daemon_threads = True
    address_family = socket.AF_INET

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.manner = "good"
        self.asked: list[str] = []
        self.over = threading.Event()
        self.cut_off = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/webcam/?action=snapshot"


@contextmanager
def running_camera() -> Iterator[Camera]:
    """A camera that answers until the end of the block."""
    camera = Camera()
    thread = threading.Thread(target=camera.serve_forever, daemon=True)
    thread.start()
    try:
        yield camera
    finally:
        camera.over.set()
        camera.shutdown()
        camera.server_close()
        thread.join()
