"""What is told on standard error: remarks, warnings and errors, as text or as a JSON object a line."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from msgspec import structs

from asrnet.redaction import without_secrets
from asrnet.render.wording import harmless

if TYPE_CHECKING:
    from asrnet.settings import Settings

_log: Final = logging.getLogger("asrnet.cli")
_details: Final = logging.getLogger("asrnet.details")
_LEVELS: Final = (logging.WARNING, logging.INFO, logging.DEBUG)
_REQUESTS: Final = "azure.core.pipeline.policies.http_logging_policy"
"""Where the SDKs log each request and answer, with what is secret left out."""
_HEADERS: Final = 3
"""How often ``-v`` is to be given for them: every header, on a line of its own."""
_PLAIN: Final = frozenset({_log.name, _details.name})
_HANDLER_NAME: Final = "asrnet.cli"


class _Handler(logging.Handler):
    """Writes to what standard error is now, not to what it was when logging was set up."""

    def emit(self, record: logging.LogRecord) -> None:
        # Nobody reads, or a disk is full: whatever is being done goes on in silence.
        with suppress(OSError, ValueError):
            if sys.stderr is not None:  # closed by whoever started this; print would take standard output instead
                print(self.format(record), file=sys.stderr, flush=True)


class _Form(logging.Formatter):
    """The parts of what is told, without secrets: tracebacks quote what vendors' errors carry with them."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        super().__init__()
        self._secrets = secrets

    def message(self, record: logging.LogRecord) -> str:
        """What is told."""
        return without_secrets(record.getMessage(), self._secrets)

    def hint(self, record: logging.LogRecord) -> str:
        """What to do about it, or an empty string."""
        return without_secrets(getattr(record, "hint", ""), self._secrets)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own name
        """The traceback."""
        return without_secrets(super().formatException(ei), self._secrets)


class _Text(_Form):
    """``error: what happened``, the hint on a line of its own; remarks as they are."""

    def format(self, record: logging.LogRecord) -> str:
        prefix = "" if record.levelno == logging.INFO and record.name in _PLAIN else f"{record.levelname.lower()}: "
        lines = [f"{prefix}{harmless(line)}" for line in self.message(record).splitlines() or [""]]
        hint = self.hint(record)
        lines += [f"hint: {harmless(hint)}"] if hint else []
        lines += [self.formatException(record.exc_info)] if record.exc_info else []
        return "\n".join(lines)


class _Json(_Form):
    """An object a line, each with the id of the run; those of requests with what there is to trace them by."""

    def __init__(self, secrets: Collection[str], run: str) -> None:
        super().__init__(secrets)
        self._run = run

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.message(record),
        }
        if self._run:
            fields["run"] = self._run
        if hint := self.hint(record):
            fields["hint"] = hint
        if request := getattr(record, "request", None):
            fields["request"] = structs.asdict(request)
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields)


def configure(settings: Settings | None = None, *, run: str = "") -> None:
    """Set up what is told, and how; before the settings are known, as by default. ``run`` is the id of the run."""
    verbose = settings.verbose if settings else 0
    quiet = settings is not None and settings.quiet
    root, requests = logging.getLogger("asrnet"), logging.getLogger(_REQUESTS)
    handler = _Handler()
    handler.set_name(_HANDLER_NAME)
    secrets = settings.secrets if settings else ()
    handler.setFormatter(_Json(secrets, run) if settings and settings.log_format == "json" else _Text(secrets))
    for logger in (root, requests):
        for old in [old for old in logger.handlers if old.get_name() == _HANDLER_NAME]:
            logger.removeHandler(old)
        logger.addHandler(handler)
        logger.propagate = False
    root.setLevel(logging.ERROR if quiet else _LEVELS[min(verbose, 2)])
    requests.setLevel(logging.INFO if verbose >= _HEADERS and not quiet else logging.CRITICAL)
    _log.setLevel(logging.ERROR if quiet else min(logging.INFO, root.level))


def remark(message: str) -> None:
    """Tell the user something, unless they want quiet."""
    _log.info("%s", message)


def detail(message: str) -> None:
    """Tell what only somebody with ``-v`` wants to know."""
    _details.info("%s", message)


def warn(message: str, *, hint: str = "") -> None:
    """Warn the user."""
    _log.warning("%s", message, extra={"hint": hint})


def error(message: str, *, hint: str = "", traceback: bool = False) -> None:
    """Say what went wrong."""
    _log.error("%s", message, extra={"hint": hint}, exc_info=traceback)


def wants_tracebacks() -> bool:
    """Whether the user asked for everything (-vv)."""
    return logging.getLogger("asrnet").isEnabledFor(logging.DEBUG)
