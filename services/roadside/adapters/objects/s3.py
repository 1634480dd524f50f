"""Encrypted pictures as objects of a bucket, in Amazon S3 or a service that speaks its protocol."""

from __future__ import annotations

import io
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from roadside.errors import NotFoundError, SettingsError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TIMEOUT = urllib3.Timeout(connect=5, read=30)
_RETRY = urllib3.Retry(total=2, backoff_factor=0.2, status_forcelist=(500, 502, 503, 504))
"""The caller waits and tries again, too; the client's own ten times would take a minute."""
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_GONE = ("NoSuchKey", "NoSuchObject", "ResourceNotFound")


@dataclass(frozen=True, slots=True)
class S3Options:
    """A bucket, and who may write to it."""

    url: str
    """https://host:port, or http:// on a network that is trusted."""
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)
    prefix: str = ""
    """What the names of all objects begin with, so that several may share a bucket."""
    region: str = "us-east-1"
    ca_file: Path | None = None
    """Of the authority that proves the service's name, where that is not one that everybody knows."""


class S3Pictures:
    """The PictureStore of a bucket, which must be there. Safe to share between threads."""

    def __init__(self, options: S3Options) -> None:
        """Connects at first use. Raises SettingsError."""
        address = urlsplit(options.url)
        if address.scheme not in {"http", "https"} or address.path.strip("/") or address.query or address.username:
            raise SettingsError(f"evidence_s3_url: must be https://host or https://host:port, not {address.hostname}")
        self.place = f"{address.scheme}://{address.netloc}/{options.bucket}"
        self._bucket, self._prefix = options.bucket, options.prefix
        try:
            self._client = Minio(
                address.netloc,
                access_key=options.access_key,
                secret_key=options.secret_key,
                secure=address.scheme == "https",
                region=options.region,  # else it is asked for, which not everybody may
                http_client=_pool(options.ca_file),
            )
        except ValueError as error:
            raise SettingsError(f"evidence_s3_url: {error}") from error

    def put(self, name: str, data: bytes) -> None:
        """See `PictureStore`."""
        with self._translated(name):
            self._client.put_object(self._bucket, self._key(name), io.BytesIO(data), len(data))

    def get(self, name: str) -> bytes:
        """See `PictureStore`."""
        with self._translated(name):
            answer = self._client.get_object(self._bucket, self._key(name))
            try:
                return bytes(answer.read())
            finally:
                answer.close()
                answer.release_conn()

    def remove(self, name: str) -> None:
        """See `PictureStore`."""
        with self._translated(name):
            self._client.remove_object(self._bucket, self._key(name))

    def names(self, older_than_ns: int) -> set[str]:
        """See `PictureStore`; a thousand a request."""
        with self._translated():
            return {
                str(each.object_name).rpartition("/")[2]
                for each in self._client.list_objects(self._bucket, prefix=self._prefix, recursive=True)
                if each.last_modified is not None and each.last_modified.timestamp() * 1e9 < older_than_ns
            }

    def holds_any(self) -> bool:
        """See `PictureStore`."""
        with self._translated():
            found = self._client.list_objects(self._bucket, prefix=self._prefix, recursive=True)
            return next(iter(found), None) is not None

    def free_bytes(self) -> int | None:
        """See `PictureStore`: None, of a bucket that can be reached."""
        with self._translated():
            if not self._client.bucket_exists(self._bucket):
                raise StoreUnavailableError(f"{self.place}: there is no such bucket: make it")
        return None

    def _key(self, name: str) -> str:
        return f"{self._prefix}{name[:2]}/{name}"

    @contextmanager
    def _translated(self, name: str = "") -> Iterator[None]:
        """Errors of the client as errors of ours."""
        try:
            yield
        except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
            code = _code_of(error)
            if code in _GONE:
                raise NotFoundError(f"the picture {name[:12]} is not in the bucket") from None
            raise StoreUnavailableError(f"{self.place}: {code}") from error


def _code_of(error: Exception) -> str:
    """What the service calls the fault; the client does not read answers of some, which call their XML text."""
    if isinstance(error, S3Error):
        return str(error.code)
    found = _CODE.search(str(error)) if isinstance(error, MinioException) else None
    return found[1] if found else type(error).__name__


def _pool(ca_file: Path | None) -> urllib3.PoolManager:
    trusted = None if ca_file is None else str(ca_file)
    return urllib3.PoolManager(timeout=_TIMEOUT, retries=_RETRY, maxsize=16, ca_certs=trusted)
