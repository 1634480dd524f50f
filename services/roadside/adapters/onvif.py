"""Cameras that speak ONVIF: found by WS-Discovery, asked for the addresses of their streams."""

from __future__ import annotations

import base64
import hashlib
import http.client
import ipaddress
import os
import re
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from roadside.adapters.http.deadline import TimedOpener
from roadside.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GROUP, PORT = "239.255.255.250", 3702
"""WS-Discovery 1.1, 3.1.1."""
MOST_BYTES = 1 << 20
"""Of an answer; profiles of a camera with sixteen channels take 200 kB."""
MOST_CAMERAS = 256
MOST_PROFILES = 16
DEVICE_PATH = "/onvif/device_service"
"""Where every device answers; ONVIF Core Specification, 5.1.1."""
_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_DEVICE = "http://www.onvif.org/ver10/device/wsdl"
_MEDIA = "http://www.onvif.org/ver10/media/wsdl"
_SCHEMA = "http://www.onvif.org/ver10/schema"
_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_DIGEST = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
_BASE64 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
_PROBE = """<?xml version="1.0" encoding="utf-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl">
<s:Header><a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action><a:MessageID>uuid:{message}</a:MessageID>
<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>
<s:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></s:Body></s:Envelope>"""


@dataclass(frozen=True, slots=True)
class Login:
    """Who asks."""

    user: str
    password: str


@dataclass(frozen=True, slots=True)
class FoundCamera:
    """A device that answered."""

    address: str
    """Of its device service."""
    name: str = ""
    """As it says; may be anything."""


@dataclass(frozen=True, slots=True)
class CameraStream:
    """One of a camera's streams."""

    profile: str
    encoding: str
    width_px: int
    height_px: int
    address: str
    """As the camera tells it: without user and password."""
    snapshot: str = ""
    """The address of a single picture; empty where it has none."""


def find_cameras(wait_s: float, interface: str | None = None) -> Iterator[FoundCamera]:
    """Devices that answer within `wait_s` seconds, each once, as they answer.

    `interface` is this computer's address in the network that is asked; without it the system chooses. Raises
    SourceError where nobody can be asked.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_UDP) as asking:
        try:
            if interface is not None:
                asking.bind((interface, 0))
                asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
            asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
            asking.sendto(_PROBE.format(message=uuid.uuid4()).encode(), (GROUP, PORT))
        except OSError as error:
            raise SourceError(
                f"cameras: the network cannot be asked ({error.strerror or 'no such address'}); name this computer's "
                "address in the cameras' network with --interface, or a camera with --host"
            ) from None
        yield from _answers(asking, time.monotonic() + wait_s)


def _answers(asking: socket.socket, until_s: float) -> Iterator[FoundCamera]:
    known: set[str] = set()
    while len(known) < MOST_CAMERAS and (left_s := until_s - time.monotonic()) > 0:
        asking.settimeout(left_s)
        try:
            answer, (sender, *_) = asking.recvfrom(65_535)
        except OSError:
            return
        found = _match(answer, sender)
        if found is not None and found.address not in known:
            known.add(found.address)
            yield found


def _match(answer: bytes, sender: str) -> FoundCamera | None:
    """What a ProbeMatch tells; an address of another host than the one that sent it is not believed."""
    try:
        told = _parsed(answer)
    except SourceError:
        return None
    addresses = " ".join(_texts(told, "XAddrs")).split()
    own = [each for each in addresses if _parts(each).hostname == sender]
    if not own:
        return None
    names = [scope.rpartition("/name/")[2] for scope in " ".join(_texts(told, "Scopes")).split() if "/name/" in scope]
    return FoundCamera(own[0], urllib.parse.unquote(names[0]) if names else "")


class OnvifCamera:
    """Asks one camera; its answers are a stranger's, bounded and not followed to other hosts."""

    def __init__(self, address: str, login: Login | None, timeout_s: float) -> None:
        """`address` is that of its device service. Raises SourceError for one that cannot be."""
        parts = _parts(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SourceError("cameras: a camera's address is HOST, HOST:PORT or http://HOST/onvif/device_service")
        self._device = address
        self._host = parts.netloc
        self.name = f"{parts.hostname}"
        self._login = login
        self._timeout_s = timeout_s
        self._ahead_s = 0.0

    def streams(self) -> list[CameraStream]:
        """Its streams, as it lists them. Raises SourceError where it does not tell them."""
        self._ahead_s = self._clock_ahead_s()
        media = self._media()
        profiles = _all(self._ask(media, f'<GetProfiles xmlns="{_MEDIA}"/>'), "Profiles")
        return [self._stream(media, profile) for profile in profiles[:MOST_PROFILES]]

    def _media(self) -> str:
        """The address of its media service, on its own host whatever it says."""
        asked = f'<GetCapabilities xmlns="{_DEVICE}"><Category>Media</Category></GetCapabilities>'
        media = next(_each(self._ask(self._device, asked), "Media"), None)
        told = "" if media is None else next(iter(_texts(media, "XAddr")), "")
        path = _parts(told).path or DEVICE_PATH
        return urllib.parse.urlunsplit((urllib.parse.urlsplit(self._device).scheme, self._host, path, "", ""))

    def _stream(self, media: str, profile: ET.Element) -> CameraStream:
        token = escape(profile.get("token", ""), {'"': "&quot;"})
        setup = (
            f'<StreamSetup><Stream xmlns="{_SCHEMA}">RTP-Unicast</Stream><Transport xmlns="{_SCHEMA}">'
            "<Protocol>RTSP</Protocol></Transport></StreamSetup>"
        )
        wanted = f'<GetStreamUri xmlns="{_MEDIA}">{setup}<ProfileToken>{token}</ProfileToken></GetStreamUri>'
        address = next(iter(_texts(self._ask(media, wanted), "Uri")), "")
        try:
            snapshot = self._ask(
                media, f'<GetSnapshotUri xmlns="{_MEDIA}"><ProfileToken>{token}</ProfileToken></GetSnapshotUri>'
            )
        except SourceError:  # not every camera has single pictures
            picture = ""
        else:
            picture = next(iter(_texts(snapshot, "Uri")), "")
        coded = next(_each(profile, "VideoEncoderConfiguration"), profile)
        return CameraStream(
            next(iter(_texts(profile, "Name")), ""),
            next(iter(_texts(coded, "Encoding")), ""),
            _number(coded, "Width"),
            _number(coded, "Height"),
            without_login(address),
            without_login(picture),
        )

    def _clock_ahead_s(self) -> float:
        """How far its clock is ahead of ours: a login of another time is refused. 0 where it does not say."""
        try:
            told = self._ask(self._device, f'<GetSystemDateAndTime xmlns="{_DEVICE}"/>', login=False)
        except SourceError:
            return 0.0
        utc = next(_each(told, "UTCDateTime"), None)
        if utc is None:
            return 0.0
        year, month, day, hour, minute, second = (
            _number(utc, part) for part in ("Year", "Month", "Day", "Hour", "Minute", "Second")
        )
        try:
            at = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
        except ValueError:
            return 0.0
        return at.timestamp() - time.time()

    def _ask(self, address: str, body: str, *, login: bool = True) -> ET.Element:
        header = _security(self._login, self._ahead_s) if login and self._login is not None else ""
        envelope = f'<s:Envelope xmlns:s="{_SOAP}"><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>'
        request = urllib.request.Request(  # noqa: S310 - http(s) alone, checked above
            address, envelope.encode(), {"Content-Type": "application/soap+xml; charset=utf-8"}
        )
        try:
            with self._opener(address).open(request, self._timeout_s) as answer:
                status, said = answer.status, answer.read(MOST_BYTES + 1)
        except urllib.error.HTTPError as error:  # of a login that was refused again and again
            status, said = error.code, b""
        except (OSError, http.client.HTTPException, ValueError):  # ValueError: it asks for what urllib does not know
            raise SourceError(f"{self.name}: no ONVIF camera answers there; check address and port") from None
        if status in (http.client.UNAUTHORIZED, http.client.FORBIDDEN) or b"NotAuthorized" in said:
            raise SourceError(
                f"{self.name}: the camera refuses the user or the password; give --user, as set for ONVIF in it"
            )
        if status != http.client.OK:
            raise SourceError(f"{self.name}: the camera answers {status}; is ONVIF switched on in it?")
        return _parsed(said)

    def _opener(self, address: str) -> TimedOpener:
        passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        if self._login is not None:
            passwords.add_password(None, address, self._login.user, self._login.password)
        return TimedOpener(urllib.request.HTTPDigestAuthHandler(passwords), _Stay(), _AsItIs())


class _AsItIs(urllib.request.BaseHandler):
    """Gives an answer of whatever status."""

    handler_order = 100
    """Before the one that raises an error."""

    def http_error_default(
        self, _request: object, answer: http.client.HTTPResponse, *_said: object
    ) -> http.client.HTTPResponse:
        """The answer itself."""
        return answer


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows nobody elsewhere."""

    def redirect_request(self, *_: object) -> None:
        """Of any redirect: none."""
        return


def device_address(host: str) -> str:
    """The device service of `host`, which may be an address already."""
    return host if "://" in host else f"http://{host}{DEVICE_PATH}"


def without_login(address: str) -> str:
    """An address of RTSP or HTTP without user and password; empty for any other, and what steers a terminal."""
    if not re.fullmatch(r"(rtsps?|https?)://[!-~]{1,500}", address):
        return ""
    parts = _parts(address)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _parts(address: str) -> urllib.parse.SplitResult:
    """The parts of an address; all empty where it is none."""
    try:
        return urllib.parse.urlsplit(address)
    except ValueError:  # brackets that hold no address of IPv6
        return urllib.parse.urlsplit("")


def is_local(address: str) -> bool:
    """Whether `address` may be one of this computer's interfaces."""
    try:
        return ipaddress.ip_address(address).version == 4
    except ValueError:
        return False


def _security(login: Login, ahead_s: float) -> str:
    """WS-Security UsernameToken Profile 1.0: the password's digest with a nonce and the time."""
    nonce = os.urandom(16)
    created = datetime.fromtimestamp(time.time() + ahead_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = hashlib.sha1(nonce + created.encode() + login.password.encode()).digest()  # noqa: S324 - as it has it
    return (
        f'<w:Security xmlns:w="{_WSSE}" xmlns:u="{_WSU}"><w:UsernameToken><w:Username>{escape(login.user)}</w:Username>'
        f'<w:Password Type="{_DIGEST}">{base64.b64encode(digest).decode()}</w:Password>'
        f'<w:Nonce EncodingType="{_BASE64}">{base64.b64encode(nonce).decode()}</w:Nonce>'
        f"<u:Created>{created}</u:Created></w:UsernameToken></w:Security>"
    )


def _parsed(answer: bytes) -> ET.Element:
    """Raises SourceError for what is no XML, and for XML with a document type: entities grow without end."""
    if len(answer) > MOST_BYTES:
        raise SourceError("cameras: an answer that no camera gives")
    try:
        return ET.fromstring(answer, ET.XMLParser(target=_Plain()))  # noqa: S314 - bounded, without entities
    except (ET.ParseError, LookupError, ValueError):  # of an encoding that nobody knows, or that is of several bytes
        raise SourceError("cameras: an answer that is no XML") from None


class _Plain(ET.TreeBuilder):
    """Takes no document type, in whatever encoding it is written."""

    def doctype(self, *_: object) -> None:
        """Raises SourceError before anything that it declares is used."""
        raise SourceError("cameras: an answer that no camera gives")


def _each(element: ET.Element, name: str) -> Iterator[ET.Element]:
    """Elements of that name, whatever the version of their schema."""
    return (each for each in element.iter() if each.tag.rpartition("}")[2] == name)


def _all(element: ET.Element, name: str) -> list[ET.Element]:
    return list(_each(element, name))


def _texts(element: ET.Element, name: str) -> Iterable[str]:
    return [(each.text or "").strip() for each in _each(element, name)]


def _number(element: ET.Element, name: str) -> int:
    said = next(iter(_texts(element, name)), "")
    return int(said) if said.isdecimal() and len(said) < 7 else 0
