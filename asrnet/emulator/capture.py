"""Recording of traffic, an exchange a file, in the form that the validator of Azure's OpenAPI documents reads."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

from asrnet.emulator.messages import Request, Response, decoded
from asrnet.errors import InputError

_SIGNED: Final = frozenset({"t", "c", "s", "h"})
_SECRET_HEADERS: Final = frozenset({"authorization", "cookie", "x-ms-authorization-auxiliary"})


class Capture:
    """Writes exchanges with Resource Manager into a folder, without bearers and signatures.

    Sign-in is left out, since its bodies hold secrets. Raises InputError where the folder cannot be made.
    """

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        self._lock = threading.Lock()
        self._count = 0
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"traffic cannot be captured in {folder}: {error.strerror or error}") from error

    def record(self, request: Request, response: Response) -> None:
        """Write one exchange."""
        if not request.api_version or not request.path.lower().startswith(("/subscriptions", "/providers")):
            return
        with self._lock:
            self._count += 1
            number = self._count
        document = {"liveRequest": _request(request), "liveResponse": _response(response)}
        text = json.dumps(document, indent=1, ensure_ascii=False)
        (self._folder / f"{number:06}.json").write_text(text, encoding="utf-8")


def _request(request: Request) -> dict[str, Any]:
    query = "&".join(part for part in request.query.split("&") if part.partition("=")[0].lower() not in _SIGNED)
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    headers = {name: value for name, value in request.headers.items() if name not in _SECRET_HEADERS}
    document: dict[str, Any] = {
        "headers": headers,
        "method": request.method,
        "url": f"{request.origin}{request.path}?{query}",
        "query": parameters | {"api-version": request.api_version},
    }
    return document | ({"body": _shown(request.body)} if request.body else {})


def _response(response: Response) -> dict[str, Any]:
    headers = {name: value.partition("&t=")[0] for name, value in response.headers}
    document: dict[str, Any] = {"statusCode": str(response.status), "headers": headers, "encoding": "utf-8"}
    return document | ({"body": _shown(response.body)} if response.body else {})


def _shown(body: bytes) -> Any:
    try:
        return decoded(body)
    except ValueError:
        return body.decode("utf-8", "replace")
