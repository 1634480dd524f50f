from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.manifests.documents import K3S

if TYPE_CHECKING:
    from tests.manifests.documents import Document


MAKE_SECRETS = (
    "bash",
    str(K3S / "make-secrets"),
    *("--camera", "road=rtsp://user:pass@10.0.0.7/stream"),
    *("--notify", "OFFICE_SECRET", "--notify", "HOME_PASSWORD=given"),
)


@pytest.fixture(scope="session")
def made_secrets() -> list[Document]:
    """What k3s/make-secrets prints for one network camera and two channels."""
    printed = subprocess.run(MAKE_SECRETS, check=True, capture_output=True, text=True).stdout
    return [document for document in yaml.safe_load_all(printed) if document]
