"""k3s/make-secrets: nothing has a default, all parts fit one another."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from roadside.adapters.encryption import parse_keyring
from tests.manifests.conftest import MAKE_SECRETS
from tests.manifests.documents import K3S, Document

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = ["bash", str(K3S / "make-secrets")]


def values(secrets: list[Document]) -> dict[tuple[str, str, str], str]:
    return {
        (secret["metadata"]["namespace"], secret["metadata"]["name"], key): base64.b64decode(value).decode()
        for secret in secrets
        for key, value in secret["data"].items()
    }


def test_nothing_is_drawn_twice(made_secrets: list[Document]) -> None:
    again = subprocess.run(MAKE_SECRETS, check=True, capture_output=True, text=True).stdout
    first, second = values(made_secrets), values(list(yaml.safe_load_all(again)))
    assert first.keys() == second.keys()
    same = {key for key in first if first[key] == second[key]}
    given = {("roadside", "cameras", "road"), ("roadside", "notify", "HOME_PASSWORD")}
    assert same == given | {("roadside", "alertmanager", "alertmanager.yml")}, "nobody is told of alerts, both times"
    assert first["roadside", "notify", "HOME_PASSWORD"] == "given"
    assert re.fullmatch("[0-9a-f]{64}", first["roadside", "notify", "OFFICE_SECRET"])


def test_passwords_fit_and_are_long(made_secrets: list[Document]) -> None:
    drawn = values(made_secrets)
    url = drawn["roadside", "redis", "url"]
    password = re.fullmatch(r"redis://roadside:([0-9a-f]{64})@redis\.roadside:6379/0", url)
    assert password
    acl = drawn["roadside", "redis-acl", "users.acl"]
    assert f"#{hashlib.sha256(password[1].encode()).hexdigest()} " in acl
    assert password[1] not in acl
    assert "user default off resetpass ~* &* +@all\n" in acl
    for name in ("url", "token"):
        secret = "redis" if name == "url" else "api"
        assert drawn["roadside", secret, name] == drawn["roadside-cameras", secret, name]
    assert f":{drawn['roadside', 'postgres', 'password']}@" in drawn["roadside", "postgres", "url"]
    assert len({drawn["roadside", name, key] for name, key in (("api", "token"), ("grafana", "password"))}) == 2
    keyring = parse_keyring(drawn["roadside", "keys", "keys.json"], "made")
    assert keyring.active == "k1"
    assert len(keyring.keys["k1"]) == 32


def test_the_redis_of_frames_has_the_password_of_the_other(tmp_path: Path) -> None:
    for options in ((), ("--frames-redis",)):
        folder = tmp_path / str(len(options))
        subprocess.run([*COMMAND, *options, "--files", str(folder)], check=True)
        url = (folder / "redis" / "url").read_text()
        frames = folder / "redis" / "frames-url"
        assert frames.exists() == bool(options)
        told = (folder / "settings.env").read_text().splitlines()
        wanted = f"ROADSIDE_FRAMES_REDIS_URL={url.replace('@redis.', '@redis-frames.')}"
        assert (wanted in told) == bool(options)
    assert frames.read_text() == url.replace("@redis.", "@redis-frames.")


def test_alerts_go_to_whom_was_named_and_alertmanager_takes_it(tmp_path: Path) -> None:
    mail = ("--alert-email", "me@example.org", "--alert-smtp", "smtp://me:a:word@mail.example.org:587")
    for number, (options, told) in enumerate(
        (
            ((), {}),
            (("--alert-webhook", "https://hook.example.org/x"), {"webhook_configs"}),
            (mail, {"email_configs"}),
            ((*mail, "--alert-webhook", "http://10.0.0.9:8080/x"), {"email_configs", "webhook_configs"}),
        )
    ):
        folder = tmp_path / str(number)
        subprocess.run([*COMMAND, "--only", "alertmanager", *options, "--files", str(folder)], check=True)
        path = folder / "alertmanager" / "alertmanager.yml"
        checked = subprocess.run(["amtool", "check-config", path], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        config = yaml.safe_load(path.read_text())
        receiver = next(one for one in config["receivers"] if one["name"] == config["route"]["receiver"])
        assert set(receiver) - {"name"} == set(told)
        for sent in receiver.get("email_configs", ()):
            assert (sent["auth_username"], sent["auth_password"], sent["require_tls"]) == ("me", "a:word", True)
            assert sent["smarthost"] == "mail.example.org:587"


@pytest.mark.parametrize(
    "options",
    [
        ("--alert-email", "me@example.org"),
        ("--alert-email", "nobody"),
        ("--alert-smtp", "mail.example.org"),
        ("--alert-webhook", 'https://x/"\n'),
    ],
)
def test_addresses_of_alerts_that_are_none_are_refused_in_one_line(options: tuple[str, ...]) -> None:
    done = subprocess.run([*COMMAND, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("make-secrets: --alert-")
    assert done.stderr.count("\n") == 1
    assert not done.stdout


def test_the_certificate_names_the_services(made_secrets: list[Document], tmp_path: Path) -> None:
    drawn = values(made_secrets)
    for name in ("ca.crt", "tls.crt"):
        (tmp_path / name).write_text(drawn["roadside", "grpc-tls", name])
    for host in ("plates", "plates.roadside.svc", "registry.roadside", "localhost"):
        verified = subprocess.run(
            ["openssl", "verify", "-verify_hostname", host, "-CAfile", tmp_path / "ca.crt", tmp_path / "tls.crt"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert verified.returncode == 0, verified.stderr
    other = subprocess.run(
        ["openssl", "verify", "-verify_hostname", "other", "-CAfile", tmp_path / "ca.crt", tmp_path / "tls.crt"],
        capture_output=True,
        check=False,
    )
    assert other.returncode != 0


def test_one_secret_can_be_made_anew() -> None:
    made = subprocess.run([*COMMAND, "--only", "redis"], check=True, capture_output=True, text=True).stdout
    names = {(s["metadata"]["namespace"], s["metadata"]["name"]) for s in yaml.safe_load_all(made)}
    assert names == {("roadside", "redis"), ("roadside-cameras", "redis"), ("roadside", "redis-acl")}


def test_the_secrets_of_channels_are_made_alone_and_as_files_too(tmp_path: Path) -> None:
    only = [*COMMAND, "--only", "notify", "--notify", "OFFICE_SECRET"]
    printed = subprocess.run(only, check=True, capture_output=True, text=True).stdout
    assert [key[1:] for key in values(list(yaml.safe_load_all(printed)))] == [("notify", "OFFICE_SECRET")]
    subprocess.run([*only, "--files", str(tmp_path)], check=True)
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()] == [
        "notify/OFFICE_SECRET"
    ]


def test_files_are_for_their_owner_and_are_not_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    subprocess.run([*COMMAND, "--files", str(folder)], check=True)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) >= 9
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
    again = subprocess.run([*COMMAND, "--files", str(folder)], check=False, capture_output=True, text=True)
    assert again.returncode == 1
    assert "exists" in again.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--camera", "road"],
        ["--notify", "a-name"],
        ["--notify", "X="],
        ["--only", "notify"],
        ["--only", "nothing"],
        ["--what"],
    ],
)
def test_what_cannot_be_is_said(arguments: list[str]) -> None:
    done = subprocess.run([*COMMAND, *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr
    assert not done.stdout
