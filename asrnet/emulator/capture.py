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

    Sign-in is left out: its bodies hold secrets. Raises InputError where the folder cannot be made.
    """

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        self._lock = threading.Lock()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            # A folder may have the exchanges of an earlier run, or other files of such names.
            numbers = [int(file.stem) for file in self._folder.glob("*.json") if file.stem.isdecimal()]
            self._count = max(numbers, default=0)
        except OSError as error:
            raise InputError(f"traffic cannot be captured in {folder}: {error.strerror or error}") from error

    def record(self, request: Request, response: Response) -> None:
        """Write one exchange."""
        # The validator knows the operations of Resource Manager by path and api-version; it has no use for others.
        if not request.api_version or not request.path.lower().startswith(("/subscriptions", "/providers")):
            return
        with self._lock:
            self._count += 1
            number = self._count
        query = "&".join(part for part in request.query.split("&") if part.partition("=")[0].lower() not in _SIGNED)
        live_request: dict[str, Any] = {
            "headers": {name: value for name, value in request.headers.items() if name not in _SECRET_HEADERS},
            "method": request.method,
            "url": f"{request.origin}{request.path}?{query}",
            "query": dict(parse_qsl(query, keep_blank_values=True)) | {"api-version": request.api_version},
        }
        live_response: dict[str, Any] = {
            "statusCode": str(response.status),
            # The signed part of an operation's URL begins with its time.
            "headers": {name: value.partition("&t=")[0] for name, value in response.headers},
            "encoding": "utf-8",
        }
        for document, body in ((live_request, request.body), (live_response, response.body)):
            try:
                if body:
                    document["body"] = decoded(body)
            except ValueError:
                document["body"] = body.decode("utf-8", "replace")
        text = json.dumps({"liveRequest": live_request, "liveResponse": live_response}, indent=1, ensure_ascii=False)
        (self._folder / f"{number:06}.json").write_text(text, encoding="utf-8")
