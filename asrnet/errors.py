"""The errors of asrnet.

::

    AsrError                     everything asrnet raises on purpose
    ├── InputError               what the user gave is wrong: an option, an id, a combination of rows
    │   └── DocumentError        ... at a line of a file; with all mistakes that one reading found
    ├── RefusedError             asrnet declines: a limit, a freeze, a stale or tampered plan, a failover under way
    ├── CredentialError          no credential, or it was not accepted
    ├── UnreachableError         no answer: name resolution, connection, timeout
    └── ServiceError             Azure answered with an error
        ├── NotFoundError        the resource does not exist, for certain
        │   └── ResourceGroupNotFoundError
        ├── ForbiddenError       authorisation is missing; names the action
        ├── ConflictError        the resource is in a state that does not allow the request, or locked
        ├── CrossTenantError     the subscription belongs to another tenant than the credential
        ├── VaultUnusedError     the vault has never been used by Site Recovery
        └── OperationFailedError an accepted operation ended in Failed or Canceled

Only what a caller handles has a class of its own. Vendors' errors are translated in one place,
``asrnet.azure.translate``, and chained with ``from``; ``asrnet.fake`` raises these directly. The functions
that complete many messages are here too: they suggest the name that was probably meant, or list the names that exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LISTED_AT_MOST: Final = 20

REFUSALS: Final[Mapping[str, tuple[str, str]]] = {
    "stale": (
        "Azure has changed since the plan was made.",
        "Plan again, look at what is different, and apply that plan.",
    ),
    "tampered": (
        "A saved plan was changed after it was saved, or saved by another version: its checksum does not match.",
        "Make the plan again with asrnet plan --out PLANFILE, and do not edit it.",
    ),
    "mapped": (
        "asrnet map was given a recovery network, but the network is already mapped to another one.",
        "Use --retarget to change both directions of the mapping.",
    ),
    "not_throwaway": (
        "scripts/first_contact.py found something in the vault that it did not create.",
        "Give it a vault that nobody else uses.",
    ),
}
"""The meaning and the remedy of each kind of ``RefusedError`` that is neither a limit nor a finding."""


def nearest(word: str, known: Iterable[str], *, likeness: float = 0.6) -> str | None:
    """The known word that ``word`` was most likely meant to be; ``likeness`` is what it needs, from 0 to 1."""
    import difflib  # takes 1 ms, here and in known_names, and most runs suggest nothing

    by_key = {name.lower(): name for name in known}
    matches = difflib.get_close_matches(word.lower(), by_key, n=1, cutoff=likeness)
    return by_key[matches[0]] if matches else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?``, or an empty string if no known word is near."""
    name = nearest(word, known)
    return f"; did you mean '{name}'?" if name else ""


def either(words: Iterable[str]) -> str:
    """``a, b or c``."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def known_names(word: str, known: Iterable[str], noun: str) -> str:
    """``known pairs: a, b and 3 more``: the names that exist, in their order, or those of them most like ``word``.

    ``noun`` is a plural.
    """
    import difflib

    def likeness(name: str) -> float:
        return difflib.SequenceMatcher(None, word.lower(), name.lower(), autojunk=False).ratio()

    names = list(dict.fromkeys(known))
    more = len(names) - _LISTED_AT_MOST
    if not names:
        return f"there are no {noun}"
    most_alike = set(sorted(names, key=likeness, reverse=True)[:_LISTED_AT_MOST])
    listed = ", ".join(name for name in names if name in most_alike)
    return f"known {noun}: {listed}{f' and {more} more' if more > 0 else ''}"


def printable(text: str) -> str:
    r"""``text`` on one line, with every character that does not print written as its escape.

    Names come from Azure and from files: an ESC, newline or bidirectional override in one must not reach a terminal.
    Azure Pipelines takes ``##vso[...]`` and ``##[...]`` anywhere in a log for commands, so these are escaped too.
    """
    if "##" in text:
        text = text.replace("##vso[", "#\\x23vso[").replace("##[", "#\\x23[")
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


class AsrError(Exception):
    """An error with a message for people and, in ``hint``, what to do next, each on one line.

    ``remedy`` is the general advice for errors of the class.
    """

    remedy: ClassVar[str] = "The message says what happened, and the hint what to do next."

    def __init__(self, message: str, *, hint: str = "") -> None:
        self.message = printable(message)
        self.hint = printable(hint)
        super().__init__(self.message)


class InputError(AsrError):
    """What the user gave cannot be used: an option, an id, or a combination of rows.

    ``others`` has the other mistakes that were found at the same time; ``problem`` is the message without their count.
    """

    remedy = "Correct what the message names. A hint lists what is known, or shows the form that is expected."

    def __init__(self, message: str, *, hint: str = "", others: Sequence[InputError] = ()) -> None:
        more = f" (and {len(others)} more mistake{'s' if len(others) > 1 else ''})" if others else ""
        super().__init__(f"{message}{more}", hint=hint)
        self.problem = message
        self.others = tuple(others)


class DocumentError(InputError):
    """A file is wrong, at ``line`` and ``column`` (from 1) of ``file``, in the value at ``path`` such as ``pairs[0]``.

    With ``names_entry``, ``problem`` already names the entry, so the message leaves out the path.
    """

    remedy = "Correct the line. asrnet validate shows all mistakes in all files."

    def __init__(
        self,
        problem: str,
        *,
        file: str | Path,
        line: int | None = None,
        column: int | None = None,
        path: str = "",
        names_entry: bool = False,
        hint: str = "",
        others: Sequence[InputError] = (),
    ) -> None:
        key = f" {path}" if path and not names_entry else ""
        where = ":".join(str(part) for part in (file, line, key) if part not in {None, ""})
        super().__init__(f"{where}: {problem}", hint=hint, others=others)
        self.problem = problem
        self.file = str(file)
        self.line = line
        self.column = column
        self.path = path
        self.names_entry = names_entry


class RefusedError(AsrError):
    """A safeguard refused, and nothing was written; ``kind`` names it (``max_updates``, ``stale``, ``frozen``...)."""

    remedy = "The message names the safeguard; asrnet explain says what each safeguard is and what lifts it."

    def __init__(self, message: str, *, kind: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.kind = kind


class CredentialError(AsrError):
    """No credential was found, or Azure did not accept it."""

    remedy = "Sign in (az login), or set the variables of a service principal. asrnet doctor shows the identity in use."


class UnreachableError(AsrError):
    """Azure gave no answer within the retry limits."""

    remedy = "Look at the network, the proxy and its certificates with asrnet doctor, or try again later."


class ServiceError(AsrError):
    """Azure answered with an error.

    ``status`` is the HTTP status, ``code`` the service's own code (Site Recovery keeps it in the first detail),
    ``request_id`` what Microsoft's support asks for.
    """

    remedy = "The message is Azure's. Give the id of the request to Microsoft's support if it does not help."

    def __init__(
        self,
        message: str,
        *,
        resource_id: object = None,
        status: int | None = None,
        code: str = "",
        possible_causes: str = "",
        recommended_action: str = "",
        request_id: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint or recommended_action)
        self.resource_id = "" if resource_id is None else str(resource_id)
        self.status = status
        self.code = code
        self.possible_causes = possible_causes
        self.recommended_action = recommended_action
        self.request_id = request_id

    @property
    def for_support(self) -> str:
        """The request's id with the service's code, on one line; empty if Azure gave no id."""
        code = f" (code {self.code})" if self.code else ""
        return printable(f"request {self.request_id}{code}") if self.request_id else ""


class NotFoundError(ServiceError):
    """The resource does not exist."""

    remedy = "Correct its id, or create it."


class ResourceGroupNotFoundError(NotFoundError):
    """The resource group does not exist, and so nothing in it does."""

    remedy = "Create the group, or name another one."


class ForbiddenError(ServiceError):
    """The identity lacks a right; ``action`` is the missing action if Azure names it."""

    remedy = "Grant it: asrnet permissions prints a role with the rights of a task, asrnet doctor what is missing."

    def __init__(self, message: str, *, action: str = "", **fields: object) -> None:
        super().__init__(message, **fields)  # type: ignore[arg-type]  # the keywords of ServiceError
        self.action = action


class ConflictError(ServiceError):
    """The resource's state, a lock or a policy does not allow the request."""

    remedy = "Wait until what is under way has ended, or remove the lock; then plan again."


class CrossTenantError(ServiceError):
    """The subscription belongs to another tenant than the credential."""

    remedy = "Sign in to that tenant, or use Azure Lighthouse."


class VaultUnusedError(ServiceError):
    """Site Recovery does not know the vault: it has no fabrics and no mappings yet."""

    remedy = "Enable replication of any machine once, or set `create_fabrics: true` for the vault."


class OperationFailedError(ServiceError):
    """An operation that Azure had accepted ended in Failed or Canceled."""

    remedy = "Look at the job in the vault, then plan again."
