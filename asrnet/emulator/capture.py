"""Recording of traffic, one file per exchange, in the format read by the validator of Azure's OpenAPI documents."""

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
    """Writes exchanges with Azure Resource Manager to a folder, without bearer tokens and signatures.

    Sign-in is left out, because its bodies hold secrets. Raises InputError if the folder cannot be created.
    """

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        self._lock = threading.Lock()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            # The folder may contain the exchanges of an earlier run, or other files with such names.
            numbers = [int(file.stem) for file in self._folder.glob("*.json") if file.stem.isdecimal()]
            self._count = max(numbers, default=0)
        except OSError as error:
            raise InputError(f"traffic cannot be captured in {folder}: {error.strerror or error}") from error

    def record(self, request: Request, response: Response) -> None:
        """Write one exchange."""
        # The validator looks up operations by path and api-version, so it cannot use requests without one.
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
