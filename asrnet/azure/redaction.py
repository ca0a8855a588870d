"""Keeps the signed query of operation addresses out of logs and errors."""

from __future__ import annotations

import logging
import re
from typing import Final

from asrnet.azure.causes import chain

_QUERY: Final = re.compile(r"\?[^\s'\"<>()\[\]]*")
_HARMLESS: Final = re.compile(r"\?api-version=[\w.-]+")


def without_query(text: str) -> str:
    """``text`` with the query of every address in it cut off, but for a lone api-version."""
    return _QUERY.sub(lambda found: found[0] if _HARMLESS.fullmatch(found[0]) else "?...", text)


def scrub(error: BaseException) -> None:
    """Cut the queries out of the text of ``error`` and of the errors it came from.

    The vendors' messages quote the whole address. The error itself is kept, for its type and its traceback.
    """
    for each in chain(error):
        each.args = tuple(without_query(part) if isinstance(part, str) else part for part in each.args)
        if isinstance(message := getattr(each, "message", None), str):
            each.message = without_query(message)  # type: ignore[attr-defined]  # azure.core keeps a copy there


class _QueryFilter(logging.Filter):
    """urllib3 logs each address in full at the level DEBUG."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(without_query(part) if isinstance(part, str) else part for part in record.args)
        return True


_FILTER: Final = _QueryFilter()
_SILENT: Final = logging.NullHandler()


def quieten_vendors() -> None:
    """Make urllib3 log addresses without their query, and the SDKs log only where a program asks for it.

    Without any handler Python writes warnings to stderr. The SDKs' are pages long, and asrnet raises what they tell.
    """
    logging.getLogger("urllib3.connectionpool").addFilter(_FILTER)  # adding either twice is adding it once
    logging.getLogger("azure").addHandler(_SILENT)
