"""Questions to cameras over HTTP, with the user and the password of their addresses."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.parse
import urllib.request
from typing import IO, TYPE_CHECKING

from roadside.adapters.http.deadline import TimedOpener
from roadside.errors import SourceError
from roadside.kit.addresses import MEND

if TYPE_CHECKING:
    from collections.abc import Mapping


class WebCamera:
    """One address of a camera, which may be asked again and again."""

    def __init__(self, address: str, name: str, timeout_s: float) -> None:
        """`name` is how errors call it."""
        self._opener = _opener(address)
        self._address = _without_user(address)
        self._name = name
        self._timeout_s = timeout_s

    def get(self, headers: Mapping[str, str] | None = None) -> http.client.HTTPResponse | None:
        """The answer to a GET; None where nothing has changed since what `headers` name.

        Raises SourceError, without the address, where there is none.
        """
        try:
            request = urllib.request.Request(self._address, headers=dict(headers or {}))  # noqa: S310 - http(s) alone
            answer = self._opener.begin(request, self._timeout_s)
        except urllib.error.HTTPError as error:
            with error:
                if 300 < error.code < 400 and error.code != http.client.NOT_MODIFIED:
                    raise SourceError(
                        f"{self._name}: the camera sends elsewhere, to another host; give the address of that one"
                    ) from None
                if error.code == http.client.NOT_MODIFIED:
                    return None
                raise SourceError(
                    f"{self._name}: the camera answers {error.code}; check the path and the password"
                ) from None
        except OSError as error:
            reason = getattr(error, "reason", error)
            said = getattr(reason, "strerror", None) or type(reason).__name__
            raise SourceError(f"{self._name}: no camera answers there ({said}); check the address") from None
        except (ValueError, http.client.HTTPException):  # their texts tell parts of the address
            raise SourceError(f"{self._name}: the address cannot be used; {MEND}") from None
        return answer


def _opener(address: str) -> TimedOpener:
    """An opener that knows the address's user and password, for basic and digest authentication."""
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    parts = urllib.parse.urlsplit(address)
    if parts.username:
        user, password = (urllib.parse.unquote(part or "") for part in (parts.username, parts.password))
        passwords.add_password(None, _without_user(address), user, password)
    return TimedOpener(
        urllib.request.HTTPBasicAuthHandler(passwords),
        urllib.request.HTTPDigestAuthHandler(passwords),
        _SameHost(),
    )


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows a camera to another path or to TLS, and to no other host: that would ask for it what it may not reach."""

    def redirect_request(  # noqa: PLR0913, PLR0917 - as its base has it
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """The request that follows; None, which is an HTTPError then, where it goes elsewhere."""
        here, there = (urllib.parse.urlsplit(address) for address in (req.full_url, newurl))
        if here.hostname != there.hostname or there.scheme not in ("http", "https"):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _without_user(address: str) -> str:
    parts = urllib.parse.urlsplit(address)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
