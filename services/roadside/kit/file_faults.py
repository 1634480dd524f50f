"""Why a file that somebody named cannot be read or written, as a clause that names the mend."""

from __future__ import annotations


def reading_fault(error: OSError) -> str:
    """Why it cannot be read."""
    match error:
        case FileNotFoundError():
            return "no such file; check the name"
        case IsADirectoryError():
            return "is a folder; name a file"
        case PermissionError():
            return "may not be read; check its permissions"
        case _:
            return f"cannot be read ({error.strerror})"


def writing_fault(error: OSError) -> str:
    """Why it cannot be written."""
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return "its folder is not there; make it first"
        case IsADirectoryError():
            return "is a folder; name a file"
        case PermissionError():
            return "may not be written; check the folder's permissions"
        case _:
            return f"cannot be written ({error.strerror})"
