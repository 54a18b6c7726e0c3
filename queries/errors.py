"""The error tree. A message says what happened, to what, and what to do.

GovError
├── SettingError      a setting is unknown or has a bad value
├── PluginError       a file in a plug-in folder breaks its contract
├── CityFileError     city.toml, or a file that it names, cannot be used
│   └── TableError    one table file cannot be read at all (its bad rows are refused, not raised)
├── CatalogueError    a catalogue of indicators cannot be meant as it stands
├── IndexDataError    a table of an index has a cell or column that cannot be used
├── BoundaryError     the boundary tree cannot be built
├── StoreError        the database cannot be opened, upgraded or written
│   ├── BusyError     too much waits to be written
│   └── UnsureError   the database went away while it wrote: nobody knows whether it did
├── DoorError         another system does not answer, or says what cannot be used
│   └── NoPictureError   a camera that gives none; `found` says in one word what it does instead
├── AskError          a question that cannot be answered as put (unknown place, bad period)
│   └── NoSuchError   what it speaks of does not exist
├── ScopeError        the question or act reaches outside what the asker may see or do
├── StepError         a step that the case does not allow now; the legal ones are named
│   └── PostError     a step that is for another post
├── ConflictError     somebody else acted on it first
└── SignInError       a name and password that do not open anything, or an account that may not now
    └── WeakPasswordError  a password that may not be chosen
"""

from __future__ import annotations


class GovError(Exception):
    """Base of all errors that are meant for a person. `zh` = the same in Chinese; `field` = what of a message is meant."""

    def __init__(self, message: str = "", zh: str = "", field: str = "") -> None:
        """Say what happened, to what, and what to do."""
        super().__init__(message)
        self.zh, self.field = zh, field

    def say(self, lang: str) -> str:
        """Return the message in a language, as far as it is known in it."""
        return self.zh if lang == "zh" and self.zh else str(self)


class SettingError(GovError):
    """A setting is unknown or has a bad value."""


class PluginError(GovError):
    """A file in a plug-in folder breaks its contract."""


class CityFileError(GovError):
    """city.toml, or a file that it names, cannot be used."""


class TableError(CityFileError):
    """One table file cannot be read at all."""


class CatalogueError(GovError):
    """A catalogue of indicators cannot be meant as it stands."""


class IndexDataError(GovError):
    """A table of an index has a cell or column that cannot be used."""


class BoundaryError(GovError):
    """The boundary tree cannot be built from what was given."""


class StoreError(GovError):
    """The database cannot be opened, upgraded or written."""


class BusyError(StoreError):
    """Too much waits to be written; nothing was lost."""


class DoorError(GovError):
    """Another system does not answer, or says what cannot be used."""


class NoPictureError(DoorError):
    """A camera gives no picture. `found` is one of the words of queries/stills.py."""

    def __init__(self, found: str, message: str, zh: str) -> None:
        super().__init__(message, zh)
        self.found = found


class UnsureError(StoreError):
    """The database went away while it wrote: nobody knows whether it did."""


class AskError(GovError):
    """A question that cannot be answered as put."""


class NoSuchError(AskError):
    """What a question or an act speaks of does not exist."""


class ScopeError(GovError):
    """The question reaches outside what the asker may see."""


class StepError(GovError):
    """A step that the case, the task list or the post does not allow now."""


class PostError(StepError):
    """A step that is for another post."""


class ConflictError(GovError):
    """Somebody else acted on the same thing first."""


class SignInError(GovError):
    """A name and password that do not open anything, or an account that may not now."""


class WeakPasswordError(SignInError):
    """A password that may not be chosen; `words` says why in both languages."""

    def __init__(self, words: dict[str, str]) -> None:
        super().__init__(f"{words['en']}.")
        self.words = words
