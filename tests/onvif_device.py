"""A simulated ONVIF camera for tests: it answers WS-Discovery on loopback and five questions."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import struct
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP, PORT = "239.255.255.250", 3702
MATCH = """<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Body><d:ProbeMatches><d:ProbeMatch>
<d:Types>dn:NetworkVideoTransmitter</d:Types>
<d:Scopes>onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/Yard%20north</d:Scopes>
<d:XAddrs>{addresses}</d:XAddrs></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>"""
ENVELOPE = '<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>{}</s:Body></s:Envelope>'
CLOCK = """<tds:GetSystemDateAndTimeResponse xmlns:tds="http://www.onvif.org/ver10/device/wsdl"
 xmlns:tt="http://www.onvif.org/ver10/schema"><tds:SystemDateAndTime><tt:UTCDateTime><tt:Time><tt:Hour>9</tt:Hour>
<tt:Minute>5</tt:Minute><tt:Second>7</tt:Second></tt:Time><tt:Date><tt:Year>2021</tt:Year><tt:Month>3</tt:Month><tt:Day>4</tt:Day>
</tt:Date></tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"""
MEDIA = """<GetCapabilitiesResponse xmlns="http://www.onvif.org/ver10/device/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema">
<Capabilities><tt:Media><tt:XAddr>http://{media}/onvif/media_service</tt:XAddr></tt:Media></Capabilities></GetCapabilitiesResponse>"""
PROFILE = """<trt:Profiles xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema"
 token="{token}">
<tt:Name>{name}</tt:Name><tt:VideoEncoderConfiguration><tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>{width}</tt:Width>
<tt:Height>{height}</tt:Height></tt:Resolution></tt:VideoEncoderConfiguration></trt:Profiles>"""
URI = """<r xmlns:tt="http://www.onvif.org/ver10/schema"><MediaUri><tt:Uri>{}</tt:Uri></MediaUri></r>"""


class Device(ThreadingHTTPServer):
    """The camera's web server, on loopback."""

    daemon_threads = True

    def __init__(self, user: str = "", password: str = "", *, media: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Service)
        self.user, self.password = user, password
        self.media = media or f"127.0.0.1:{self.server_port}"
        self.answer: bytes | None = None
        """Instead of every other."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/onvif/device_service"


class _Service(BaseHTTPRequestHandler):
    server: Device

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        question = re.findall(r"<s:Body><(\w+)", asked)[0]
        if question != "GetSystemDateAndTime" and self.server.user and not self._is_known(asked):
            self._send(400, b"<s:Fault>ter:NotAuthorized</s:Fault>")
            return
        said = self.server.answer or ENVELOPE.format(self._said(question, asked)).encode()
        self._send(200, said)

    def _said(self, question: str, asked: str) -> str:
        if question == "GetSystemDateAndTime":
            return CLOCK
        if question == "GetCapabilities":
            return MEDIA.format(media=self.server.media)
        if question == "GetProfiles":
            assert self.path == "/onvif/media_service"
            main = PROFILE.format(token="main", name="mainStream", width=1920, height=1080)  # noqa: S106
            return main + PROFILE.format(token="sub", name="sub\x9b31m", width=640, height=360)  # noqa: S106
        named = re.findall(r"<ProfileToken>(\w+)<", asked)[0]
        if question == "GetStreamUri":
            return URI.format(f"rtsp://admin:leaked@127.0.0.1:554/{named}")
        return URI.format(f"http://127.0.0.1/{named}.jpg" if named == "main" else "file:///etc/passwd")

    def _is_known(self, asked: str) -> bool:
        """By WS-Security's digest, of the camera's own time."""
        found = {
            name: re.findall(rf":{name}[^>]*>([^<]+)<", asked) for name in ("Username", "Password", "Nonce", "Created")
        }
        if not all(found.values()) or found["Username"][0] != self.server.user:
            return False
        nonce = base64.b64decode(found["Nonce"][0])
        right = hashlib.sha1(nonce + found["Created"][0].encode() + self.server.password.encode()).digest()  # noqa: S324
        return found["Password"][0] == base64.b64encode(right).decode() and found["Created"][0].startswith(
            "2021-03-04T09:0"
        )

    def _send(self, code: int, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "application/soap+xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests need no access log."""


@contextmanager
def onvif_device(device: Device, *answers: bytes) -> Iterator[Device]:
    """A running camera, which answers probes on loopback with its address, or with `answers`."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((GROUP, PORT))
    joined = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton("127.0.0.1"))
    listening.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
    listening.settimeout(0.1)
    ending = threading.Event()
    replies = answers or (MATCH.format(addresses=f"http://10.9.9.9/onvif {device.address}").encode(),)

    def answer() -> None:
        while not ending.is_set():
            try:
                probe, asker = listening.recvfrom(65_535)
            except TimeoutError:
                continue
            if b"NetworkVideoTransmitter" in probe:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as answering:
                    answering.bind(("127.0.0.1", 0))
                    for reply in replies:
                        answering.sendto(reply, asker)

    threads = [
        threading.Thread(target=answer),
        threading.Thread(target=device.serve_forever, kwargs={"poll_interval": 0.05}),
    ]
    for thread in threads:
        thread.start()
    try:
        yield device
    finally:
        ending.set()
        device.shutdown()
        device.server_close()
        for thread in threads:
            thread.join()
        listening.close()
