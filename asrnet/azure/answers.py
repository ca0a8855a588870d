"""Parses errors: the body and headers of an error response, and the causes that libraries have wrapped.

Azure Resource Manager puts its code at the top. Site Recovery puts the HTTP status there, spelled out, and its own
code, causes and advice into the first detail (recorded); the SDK's own ``ODataV4Format`` drops causes and advice. The
details of Microsoft.Network mean nothing by themselves. Older front ends write ``Code`` and ``Message`` in title case
or an ``odata.error``; gateways and proxies in between answer with XML, HTML or plain text.
"""

from __future__ import annotations

import codecs
import html
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from asrnet.model.bodies import member
from asrnet.redaction import without_secrets

_STATUS_NAMES: Final = frozenset(
    {"", "BadRequest", "Unauthorized", "Forbidden", "NotFound", "MethodNotAllowed", "Conflict", "PreconditionFailed"}
    | {"TooManyRequests", "InternalServerError", "ServiceUnavailable", "BadGateway", "GatewayTimeout"}
)
_ENVELOPES: Final = ("error", "odata.error", "errors")
_MESSAGES: Final = ("message", "error_description", "detail", "title", "error")
_LONGEST_TEXT: Final = 300  # characters of a body that is not JSON, because a proxy may answer with a whole page
_DEEPEST: Final = 4
"""How many nested envelopes are opened, because providers quote each other's answers as text."""

_INVISIBLE: Final = re.compile(r"<(script|style|head)\b.*?</\1\s*>|<!--.*?-->|<[?!][^>]*>", re.DOTALL | re.IGNORECASE)
_TITLE: Final = re.compile(r"<title[^>]*>(.*?)</title\s*>", re.DOTALL | re.IGNORECASE)
_TAG: Final = re.compile(r"<[^<>]*>")
_XML_CODE: Final = re.compile(r"<(?:\w+:)?code\b[^>]*>([^<]*)</", re.IGNORECASE)
_XML_MESSAGE: Final = re.compile(r"<(?:\w+:)?message\b[^>]*>([^<]*)</", re.IGNORECASE)


class ErrorBody(Struct, frozen=True, kw_only=True):
    """The parsed body of an error response. ``outer_code`` is the code at the top, ``code`` the most specific one."""

    code: str = ""
    outer_code: str = ""
    message: str = ""
    possible_causes: str = ""
    recommended_action: str = ""
    information: tuple[Mapping[str, Any], ...] = ()

    @property
    def codes(self) -> frozenset[str]:
        """Every non-empty code in the body."""
        return frozenset({self.code, self.outer_code}) - {""}


def decoded_text(body: bytes) -> str:
    """``body`` as text, without the byte order mark that some of Azure's front ends write."""
    is_utf16 = body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return body.decode("utf-16" if is_utf16 else "utf-8-sig", "replace")


def json_document(body: bytes) -> Any:
    """The JSON document in ``body``; None if there is none."""
    try:
        return msgspec.json.decode(decoded_text(body))
    except (msgspec.DecodeError, RecursionError):
        return None


def read_error(body: bytes) -> ErrorBody:
    """The error in ``body``. If its form is unknown, the text of the body is the message."""
    document = json_document(body)
    if isinstance(document, dict):
        error = error_body(document)
        if error.codes or error.message:
            return error
    text = document if isinstance(document, str) else decoded_text(body)
    return _error_of_text(text)


def error_body(error: Mapping[str, Any], *, depth: int = 0) -> ErrorBody:
    """The error that a JSON object describes, in any known envelope and whatever the case of its members."""
    for name in _ENVELOPES:
        inside = member(error, name)
        if isinstance(inside, list) and inside:
            inside = inside[0]
        if isinstance(inside, dict) and depth < _DEEPEST:
            return error_body(inside, depth=depth + 1)
    details = member(error, "details")
    detail: Mapping[str, Any] = {}
    if isinstance(details, list):
        detail = next((part for part in details if isinstance(part, dict)), {})
    outer = _text(member(error, "code"))
    if not outer and member(error, "error_description"):  # the form of sign-in services
        outer = _text(member(error, "error"))
    inner = _text(member(detail, "code"))
    messages = (_text(member(error, name)) for name in _MESSAGES)
    message = next((text for text in messages if text), "")
    # One provider may quote another's answer as text. The quoted answer is closer to the cause than an HTTP status.
    if message.startswith("{") and outer in _STATUS_NAMES and depth < _DEEPEST:
        quoted = json_document(message.encode())
        if isinstance(quoted, dict) and (answer := error_body(quoted, depth=depth + 1)).message:
            return msgspec.structs.replace(answer, outer_code=outer)
    # Only Site Recovery writes causes into a detail. Without causes, it still puts a status at the top.
    is_specific = bool(inner) and (outer in _STATUS_NAMES or member(detail, "possibleCauses") is not None)
    information = member(error, "additionalInfo")
    return ErrorBody(
        code=inner if is_specific else outer or inner,
        outer_code=outer,
        message=(_text(member(detail, "message")) if is_specific else "") or message,
        possible_causes=_text(member(detail, "possibleCauses")) or _text(member(error, "possibleCauses")),
        recommended_action=_text(member(detail, "recommendedAction")) or _text(member(error, "recommendedAction")),
        information=tuple(part for part in information if isinstance(part, dict))
        if isinstance(information, list)
        else (),
    )


def _text(value: object) -> str:
    """A value as text: codes may be numbers, causes lists, and an OData message an object with a language."""
    if isinstance(value, list):
        return " ".join(_text(part) for part in value)
    if isinstance(value, dict):
        return _text(member(value, "value"))
    return without_secrets(str(value).strip()) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _error_of_text(text: str) -> ErrorBody:
    """The error in a body that is not a JSON object: XML with a code and a message, a gateway's page, or plain text."""
    code, message = _XML_CODE.search(text), _XML_MESSAGE.search(text)
    if message:
        # Neither service writes XML, so its code proves nothing and only goes into the message.
        parts = [html.unescape(part[1]).strip() for part in (code, message) if part]
        return ErrorBody(message=without_secrets(": ".join(part for part in parts if part))[:_LONGEST_TEXT])
    if text.lstrip().startswith("<"):
        title = _TITLE.search(text)
        shown = html.unescape(_TAG.sub(" ", _INVISIBLE.sub(" ", text)))
        text = f"{html.unescape(title[1])}: {shown}" if title and title[1].strip() not in shown else shown
    return ErrorBody(message=without_secrets(" ".join(text.split()))[:_LONGEST_TEXT])


def request_id(headers: Mapping[str, str]) -> str:
    """The id that Microsoft's support asks for: the correlation id, which covers every hop, or the request's own id."""
    return headers.get("x-ms-correlation-request-id") or headers.get("x-ms-request-id") or ""


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """The wait that an answer asks for, in seconds; None if it asks for none.

    A date is compared with the answer's own date, because the two machines' clocks may disagree. Resource Graph writes
    ``x-ms-user-quota-resets-after`` instead, as hours, minutes and seconds. Source: "Guidance for throttled requests in
    Azure Resource Graph".
    """
    text = headers.get("Retry-After", "").strip()
    try:
        for name in ("retry-after-ms", "x-ms-retry-after-ms"):
            if milliseconds := headers.get(name, "").strip():
                return max(0.0, float(milliseconds) / 1000.0)
        if text:
            return max(0.0, float(text))
        if headers.get("x-ms-user-quota-remaining") != "0":
            return None
        hours, minutes, seconds = headers.get("x-ms-user-quota-resets-after", "").split(":")
        return int(hours) * 3600.0 + int(minutes) * 60.0 + float(seconds)
    except ValueError:
        until = seconds_of(text)
        return None if until is None else max(0.0, until - (seconds_of(headers.get("Date", "")) or now))


def seconds_of(date: str) -> float | None:
    """A header's date in seconds since 1970; None if it is not a date."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None


def causes(error: BaseException) -> Iterator[BaseException]:
    """``error`` and every error inside it: as cause, context, argument, ``reason`` or ``inner_exception``."""
    visited: set[int] = set()
    pending: list[object] = [error]
    while pending:
        cause = pending.pop()
        if not isinstance(cause, BaseException) or id(cause) in visited:
            continue
        visited.add(id(cause))
        yield cause
        carried = (getattr(cause, name, None) for name in ("__cause__", "__context__", "reason", "inner_exception"))
        pending.extend([*cause.args, *carried])


def is_name_failure(error: BaseException) -> bool:
    """Whether ``error`` was caused by a host name that does not resolve."""
    return any(
        isinstance(cause, socket.gaierror) or type(cause).__name__ == "NameResolutionError" for cause in causes(error)
    )


def certificate_failure(error: BaseException) -> str:
    """What is wrong with the server's certificate, if that caused ``error``; otherwise an empty text."""
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return str(getattr(cause, "verify_message", "") or "it cannot be verified")
    return ""


def scrub(error: BaseException) -> None:
    """Remove secrets from the text of ``error`` and of its causes.

    The vendors' errors quote whole URLs. The error itself is kept for its type and traceback. Its response is dropped,
    because it would be printed with the error.
    """
    for cause in causes(error):
        cause.args = tuple(without_secrets(part) if isinstance(part, str) else part for part in cause.args)
        if isinstance(message := getattr(cause, "message", None), str):
            cause.message = without_secrets(message)  # type: ignore[attr-defined]  # azure.core keeps a copy there
        if getattr(cause, "response", None) is not None:
            cause.response = None  # type: ignore[attr-defined]  # azure.core and requests keep it there
