"""The provider of OpenID Connect that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.errors import SettingsError

if TYPE_CHECKING:
    from roadside.console.config import ConsoleSection
    from roadside.console.ports import IdentityProvider


def open_provider(settings: ConsoleSection) -> IdentityProvider | None:
    """None where none is named; it is asked when somebody signs in. Raises SettingsError."""
    if settings.console_oidc_issuer is None:
        return None
    from roadside.adapters.oidc import OidcClient, OidcProvider  # noqa: PLC0415 - half a second, where it is wanted

    try:
        file = settings.console_oidc_secret_file
        secret = file.read_text(encoding="utf-8").strip() if file is not None else None
    except (OSError, UnicodeError) as error:
        raise SettingsError(f"console_oidc_secret_file {file}: cannot be read") from error
    client = OidcClient(
        settings.console_oidc_issuer,
        settings.console_oidc_client_id,
        secret or None,
        settings.console_oidc_scopes,
        settings.console_oidc_name_claim,
        settings.console_oidc_role_claim,
    )
    return OidcProvider(client)
