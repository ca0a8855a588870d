"""Keeps secrets out of the vendors' errors and logs: they quote whole addresses, and what answers said."""

from __future__ import annotations

import logging
from typing import Final

from asrnet.azure.causes import chain
from asrnet.redaction import without_secrets


def scrub(error: BaseException) -> None:
    """Take the secrets out of the text of ``error`` and of the errors it came from.

    The error itself is kept, for its type and its traceback; but not the answer, which it would print as well.
    """
    for each in chain(error):
        each.args = tuple(without_secrets(part) if isinstance(part, str) else part for part in each.args)
        if isinstance(message := getattr(each, "message", None), str):
            each.message = without_secrets(message)  # type: ignore[attr-defined]  # azure.core keeps a copy there
        if getattr(each, "response", None) is not None:
            each.response = None  # type: ignore[attr-defined]  # azure.core and requests keep it there


class _SecretFilter(logging.Filter):
    """urllib3 logs each address in full at the level DEBUG; azure-identity what it was refused with."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(without_secrets(part) if isinstance(part, str) else part for part in record.args)
        return True


_FILTER: Final = _SecretFilter()
_SILENT: Final = logging.NullHandler()


def quieten_vendors() -> None:
    """Make urllib3 log addresses without their query, and the SDKs log only where a program asks for it.

    Without any handler Python writes warnings to stderr. The SDKs' are pages long, and asrnet raises what they tell.
    """
    logging.getLogger("urllib3.connectionpool").addFilter(_FILTER)  # adding either twice is adding it once
    logging.getLogger("azure").addHandler(_SILENT)
