"""The few errors that a user of the pipeline may meet; anything else that is raised is a bug.

A message says what was found, what was expected, and the way out, in one line.
"""


class FlutterError(Exception):
    """Something that the user can put right; the command line prints it as one line."""


class ContractError(FlutterError):
    """Data that breaks a contract as a whole: a missing column, an unreadable file."""


class CorpusError(FlutterError):
    """Too little or too strange data to learn from."""


class VersionError(FlutterError):
    """A version that does not exist, is incomplete, or does not fit another."""


class ConfigError(FlutterError):
    """A setting, mapping or name that cannot be used."""
