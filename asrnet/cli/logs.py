"""Messages on standard error: remarks, warnings and errors, as text or as one JSON object per line."""

from __future__ import annotations

import logging
import sys
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from msgspec import structs

from asrnet.cli import streams
from asrnet.errors import printable

if TYPE_CHECKING:
    from asrnet.settings import Settings

_log: Final = logging.getLogger("asrnet.cli")
_details: Final = logging.getLogger("asrnet.details")
_LEVELS: Final = (logging.WARNING, logging.INFO, logging.DEBUG)
_REQUESTS: Final = "azure.core.pipeline.policies.http_logging_policy"
"""The logger to which the SDKs log each request and response, without secrets."""
_HEADERS: Final = 3
"""The number of ``-v`` that shows requests with their headers."""
_PLAIN: Final = frozenset({_log.name, _details.name})
_HANDLER_NAME: Final = "asrnet.cli"


class _Handler(logging.Handler):
    """Writes to the current ``sys.stderr``, even if it was replaced after logging was set up."""

    def emit(self, record: logging.LogRecord) -> None:
        # If the reader is gone or the disk is full, the run continues without messages.
        with suppress(OSError, ValueError):
            if sys.stderr is not None:  # None if the parent process closed it; print would then use standard output
                text = self.format(record)
                if isinstance(self.formatter, _Text) and record.name in _PLAIN and not record.exc_info:
                    text = wrapped(text, streams.error_width())
                print(text, file=sys.stderr, flush=True)


def wrapped(text: str, width: int | None) -> str:
    """``text`` with line breaks between words, for a terminal of ``width`` columns; as it is without a width."""
    if width is None or all(len(line) <= width for line in text.splitlines()):
        return text
    import textwrap  # 1 ms, and most messages are short

    lines = []
    for line in text.splitlines():
        # Commands stay whole, as a line break in a copied command would end it.
        if line.startswith(("hint: ", "for Microsoft's support: ")) and " --" in line:
            lines.append(line)
            continue
        margin = " " * (len(line) - len(line.lstrip()))
        lines += textwrap.wrap(
            line,
            width,
            subsequent_indent=f"{margin}  ",
            break_long_words=False,
            break_on_hyphens=False,
            replace_whitespace=False,
        ) or [line]
    return "\n".join(lines)


class _Formatter(logging.Formatter):
    """Removes secrets from the parts of a message. Tracebacks may quote secrets from the SDKs' errors."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        super().__init__()
        self._secrets = secrets

    def message(self, record: logging.LogRecord) -> str:
        """The message itself."""
        return self._redacted(record.getMessage())

    def details(self, record: logging.LogRecord) -> list[str]:
        """What the message is about, line by line."""
        return [self._redacted(detail) for detail in getattr(record, "details", ())]

    def hint(self, record: logging.LogRecord) -> str:
        """What to do about it, or an empty string."""
        return self._redacted(getattr(record, "hint", ""))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own name
        """The traceback."""
        return self._redacted(super().formatException(ei))

    def _redacted(self, text: str) -> str:
        from asrnet.redaction import without_secrets  # its patterns are slow to compile, and many runs log nothing

        return without_secrets(text, self._secrets)


class _Text(_Formatter):
    """``error: what happened``, with details and the hint on lines of their own; remarks have no prefix."""

    def format(self, record: logging.LogRecord) -> str:
        prefix = "" if record.levelno == logging.INFO and record.name in _PLAIN else f"{record.levelname.lower()}: "
        lines = [f"{prefix}{printable(line)}" for line in self.message(record).splitlines() or [""]]
        # A line that begins with a name must not look like a GitHub workflow command.
        lines = [line.replace("::", "\\x3a:", 1) if line.lstrip().startswith("::") else line for line in lines]
        lines += [f"  {printable(detail)}" for detail in self.details(record)]
        hint = "" if getattr(record, "hint_given", False) else self.hint(record)
        lines += [f"hint: {printable(hint)}"] if hint else []
        support = self._redacted(getattr(record, "support", ""))
        lines += [f"for Microsoft's support: {printable(support)}"] if support else []
        lines += [self.formatException(record.exc_info)] if record.exc_info else []
        return "\n".join(lines)


class _Json(_Formatter):
    """One object per line with the id of the run, and for requests the ids that Azure traces them by."""

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
        if details := self.details(record):
            fields["details"] = details
        if hint := self.hint(record):
            fields["hint"] = hint
        if support := self._redacted(getattr(record, "support", "")):
            fields["support"] = support
        if request := getattr(record, "request", None):
            fields["request"] = structs.asdict(request)
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        import json  # 1.5 ms, and most runs log text

        return json.dumps(fields)


def configure(settings: Settings | None = None, *, run: str = "") -> None:
    """Set up logging according to ``settings``, or with defaults before they are read. ``run`` is the run's id."""
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
        # Otherwise a handler of the root logger, set by a program that uses asrnet, would print each line again.
        logger.propagate = False
    package.setLevel(logging.ERROR if quiet else _LEVELS[min(verbose, 2)])
    # Without -vvv this logger must be silent even if somebody sets the root logger to DEBUG.
    requests.setLevel(logging.INFO if verbose >= _HEADERS and not quiet else logging.CRITICAL)
    _log.setLevel(logging.ERROR if quiet else min(logging.INFO, package.level))


def remark(message: str) -> None:
    """Log a remark for the user; --quiet hides it."""
    _log.info("%s", message)


def detail(message: str) -> None:
    """Log a detail that only ``-v`` shows."""
    _details.info("%s", message)


def warn(message: str, *, hint: str = "") -> None:
    """Log a warning."""
    _log.warning("%s", message, extra={"hint": hint})


def error(
    message: str, *, details: Iterable[str] = (), hint: str = "", support: str = "", traceback: bool = False
) -> None:
    """Log an error with its details; ``support`` is what Microsoft's support asks for."""
    extra = {"details": tuple(details), "hint": hint, "support": support}
    _log.error("%s", message, extra=extra, exc_info=traceback)


def errors(problems: Iterable[tuple[str, str]]) -> None:
    """Log several errors, each a message and its hint. Text shows a repeated hint only once."""
    given: set[str] = set()
    for message, hint in problems:
        _log.error("%s", message, extra={"hint": hint, "hint_given": hint in given})
        given.add(hint)


def wants_tracebacks() -> bool:
    """Whether tracebacks are shown (-vv)."""
    return logging.getLogger("asrnet").isEnabledFor(logging.DEBUG)
