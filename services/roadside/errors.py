"""Every error that Roadside raises on purpose.

The tree:

    RoadsideError
    ├── InputError            what was given cannot be used: the message names the fault and the mend
    │   ├── SourceError       a picture, clip or camera
    │   │   └── DecoderDiedError  one that ended the process which decodes it
    │   ├── ModelError        a model file or folder
    │   ├── SettingsError     a setting, flag or configuration file
    │   ├── RegistryFileError a list of vignettes
    │   │   └── ImportRefusedError  one that would make the registry forget who paid
    │   ├── CredentialsError  a caller who does not show who it is
    │   └── AccessError       a caller who may not do what it asks for
    ├── UnavailableError      something outside does not answer now; trying again can help
    │   ├── StoreUnavailableError
    │   ├── BusUnavailableError
    │   │   └── BusFullError  one whose memory is full: it takes nothing more until somebody takes from it
    │   ├── RegistryUnavailableError
    │   │   └── NoListError
    │   └── BusyError         a service that has no place left for the call
    ├── NotFoundError         a sighting, camera or piece of evidence that does not exist
    └── PoisonError           a message that no retry can mend: it goes to the dead letters
"""

from __future__ import annotations

from roadside.core.printable import printable


class RoadsideError(Exception):
    """The root of the tree. Its text is one line that may be shown to a person, whatever names of files it holds."""

    def __str__(self) -> str:
        return printable(super().__str__())


class InputError(RoadsideError):
    """Something that was given cannot be used; the text names the fault and the mend."""


class SourceError(InputError):
    """A picture, clip or camera that cannot be read."""


class DecoderDiedError(SourceError):
    """A clip or stream that ended, or held up, the process that decodes it: damaged, or made to do harm."""


class ModelError(InputError):
    """A model file or folder that cannot be used."""


class SettingsError(InputError):
    """A setting, flag or configuration file that is wrong."""


class RegistryFileError(InputError):
    """A list of vignettes that cannot be read at all."""


class ImportRefusedError(RegistryFileError):
    """A list that would make the registry forget who paid: nothing was changed."""


class CredentialsError(InputError):
    """A caller that does not show, by a token or a certificate, who it is."""


class AccessError(InputError):
    """A caller that is known but may not do what it asks for."""


class UnavailableError(RoadsideError):
    """Something outside of this process does not answer now; trying again can help."""


class StoreUnavailableError(UnavailableError):
    """The database does not answer, or its disk is full."""


class BusUnavailableError(UnavailableError):
    """The message bus does not answer."""


class BusFullError(BusUnavailableError):
    """The memory of the message bus is full: it refuses what would grow, until what waits is taken from it."""


class RegistryUnavailableError(UnavailableError):
    """The registry of vignettes does not answer."""


class NoListError(RegistryUnavailableError):
    """No list of vignettes was ever imported, or no registry is named."""


class BusyError(UnavailableError):
    """The service has no place left for the call: too many are in hand, or wait."""


class NotFoundError(RoadsideError):
    """There is no sighting, camera or picture of the name that was asked for."""


class PoisonError(RoadsideError):
    """A message that can never be handled, however often it is tried; the services put it among the dead letters."""
