"""Messages on standard error: remarks, warnings and errors, as text or as one JSON object a line."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from msgspec import structs

from asrnet.errors import printable

if TYPE_CHECKING:
    from asrnet.settings import Settings

_log: Final = logging.getLogger("asrnet.cli")
_details: Final = logging.getLogger("asrnet.details")
_LEVELS: Final = (logging.WARNING, logging.INFO, logging.DEBUG)
_REQUESTS: Final = "azure.core.pipeline.policies.http_logging_policy"
"""Where the SDKs log each request and answer, with what is secret left out."""
_HEADERS: Final = 3
"""How many ``-v`` show them, with every header on a line of its own."""
_PLAIN: Final = frozenset({_log.name, _details.name})
_HANDLER_NAME: Final = "asrnet.cli"


class _Handler(logging.Handler):
    """Writes to the current standard error, not to the one that logging was set up with."""

    def emit(self, record: logging.LogRecord) -> None:
        # The reader is gone, or the disk is full: the work goes on without messages.
        with suppress(OSError, ValueError):
            if sys.stderr is not None:  # closed by whoever started this; print would take standard output instead
                print(self.format(record), file=sys.stderr, flush=True)


class _Form(logging.Formatter):
    """The parts of a message without secrets, which tracebacks may quote from vendors' errors."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        super().__init__()
        self._secrets = secrets

    def message(self, record: logging.LogRecord) -> str:
        """The message itself."""
        return self._redacted(record.getMessage())

    def hint(self, record: logging.LogRecord) -> str:
        """What to do about it, or an empty string."""
        return self._redacted(getattr(record, "hint", ""))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own name
        """The traceback."""
        return self._redacted(super().formatException(ei))

    def _redacted(self, text: str) -> str:
        from asrnet.redaction import without_secrets  # its patterns are slow to compile, and many runs log nothing

        return without_secrets(text, self._secrets)


class _Text(_Form):
    """``error: what happened``, with the hint on a line of its own; remarks have no prefix."""

    def format(self, record: logging.LogRecord) -> str:
        prefix = "" if record.levelno == logging.INFO and record.name in _PLAIN else f"{record.levelname.lower()}: "
        lines = [f"{prefix}{printable(line)}" for line in self.message(record).splitlines() or [""]]
        hint = self.hint(record)
        lines += [f"hint: {printable(hint)}"] if hint else []
        lines += [self.formatException(record.exc_info)] if record.exc_info else []
        return "\n".join(lines)


class _Json(_Form):
    """One object a line with the id of the run, and for requests the ids by which Azure traces them."""

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
    """Set up logging: as ``settings`` say, or by default before they are read. ``run`` is the id of the run."""
    verbose = settings.verbose if settings else 0
    quiet = settings is not None and settings.quiet
    package, requests = logging.getLogger("asrnet"), logging.getLogger(_REQUESTS)
    handler = _Handler()
    handler.set_name(_HANDLER_NAME)
    secrets = settings.secrets if settings else ()
    handler.setFormatter(_Json(secrets, run) if settings and settings.log_format == "json" else _Text(secrets))
    for logger in (package, requests):
        for old in [old for old in logger.handlers if old.get_name() == _HANDLER_NAME]:
            logger.removeHandler(old)
        logger.addHandler(handler)
        logger.propagate = False
    package.setLevel(logging.ERROR if quiet else _LEVELS[min(verbose, 2)])
    requests.setLevel(logging.INFO if verbose >= _HEADERS and not quiet else logging.CRITICAL)
    _log.setLevel(logging.ERROR if quiet else min(logging.INFO, package.level))


def remark(message: str) -> None:
    """Log what the user should know; --quiet hides it."""
    _log.info("%s", message)


def detail(message: str) -> None:
    """Log what only ``-v`` shows."""
    _details.info("%s", message)


def warn(message: str, *, hint: str = "") -> None:
    """Log a warning."""
    _log.warning("%s", message, extra={"hint": hint})


def error(message: str, *, hint: str = "", traceback: bool = False) -> None:
    """Log an error."""
    _log.error("%s", message, extra={"hint": hint}, exc_info=traceback)


def wants_tracebacks() -> bool:
    """Whether the user asked for everything (-vv)."""
    return logging.getLogger("asrnet").isEnabledFor(logging.DEBUG)
