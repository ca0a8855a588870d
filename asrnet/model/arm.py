"""Ids of Azure Resource Manager: parsing, formatting, and comparison without case."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from asrnet.errors import InputError

VNET: Final = "microsoft.network/virtualnetworks"
SECURITY_GROUP: Final = "microsoft.network/networksecuritygroups"
ROUTE_TABLE: Final = "microsoft.network/routetables"
VAULT: Final = "microsoft.recoveryservices/vaults"
FABRIC: Final = f"{VAULT}/replicationfabrics"
ASR_NETWORK: Final = f"{FABRIC}/replicationnetworks"
MAPPING: Final = f"{ASR_NETWORK}/replicationnetworkmappings"

SPELLING: Final = {
    VNET: "Microsoft.Network/virtualNetworks",
    SECURITY_GROUP: "Microsoft.Network/networkSecurityGroups",
    ROUTE_TABLE: "Microsoft.Network/routeTables",
    VAULT: "Microsoft.RecoveryServices/vaults",
}
"""Resource types in their usual spelling."""

AZURE_NETWORK: Final = "azureNetwork"
"""The constant network segment under every Azure fabric."""

_GUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_NAME = r"[^/\x00-\x1f?#%\\]+"
_SHAPE = re.compile(
    f"/subscriptions/{_GUID}(/resourcegroups/{_NAME})?(/providers/{_NAME}(/{_NAME}/{_NAME})+)?/?", re.IGNORECASE
)
_BAD_SEGMENT = re.compile(r"/\.{1,2}(/|$)")
_ONE_NAME = re.compile(rf"(?!\.{{1,2}}$){_NAME}")
_SUBSCRIPTION = slice(14, 50)  # the GUID after "subscriptions/" in a key
_LEAST_PARTS = 2

# The spelling shown to people. Site Recovery answers in lower case, or with a capital S in Subscriptions.
_USUAL_SPELLING = {
    word.lower(): word
    for word in (
        "subscriptions",
        "resourceGroups",
        "providers",
        "Microsoft.Network",
        "virtualNetworks",
        "networkSecurityGroups",
        "routeTables",
        "subnets",
        "Microsoft.RecoveryServices",
        "vaults",
        "replicationFabrics",
        "replicationNetworks",
        "replicationNetworkMappings",
        "replicationLogicalNetworks",
        "replicationProtectionContainers",
        "replicationProtectionContainerMappings",
        "replicationProtectedItems",
        "replicationJobs",
        "replicationProtectionIntents",
        "azureNetwork",
    )
}


class ArmId:
    """The id of an Azure resource. Ids are compared without case, immutable and hashable.

    ``str(id)`` has the fixed words in their usual spelling and the names as given. ``key`` is the id in lower case and
    without the leading slash, for sorting and indexing. It is stored rather than computed, and the id is kept as text
    rather than in parts, because planning holds and compares hundreds of thousands of ids.
    """

    __slots__ = ("_text", "key")
    _text: str
    key: str

    def __init__(self, text: str) -> None:
        """Parse ``text``. Raises InputError unless it is the id of a resource, resource group or subscription."""
        head, _, name = text.rpartition("/")
        usual_head = _with_usual_spelling_of_head(head) if _ONE_NAME.fullmatch(name) else ""
        self._text = f"{usual_head}/{name}" if usual_head else _with_usual_spelling(text)
        self.key = self._text[1:].lower()

    @property
    def name(self) -> str:
        """The last segment."""
        return self._text.rpartition("/")[2]

    @property
    def subscription(self) -> str:
        """The subscription's GUID, in lower case."""
        return self.key[_SUBSCRIPTION]

    @property
    def resource_group(self) -> str:
        """The resource group's name, or an empty string."""
        _, has_group, from_group = self._text.partition("/resourceGroups/")
        return from_group.partition("/")[0] if has_group else ""

    @property
    def type(self) -> str:
        """The resource type in lower case, such as ``microsoft.network/virtualnetworks``; empty above resources."""
        return _type_below(self.key.rpartition("/")[0])

    @property
    def parent(self) -> ArmId:
        """The id one level up, such as a fabric's vault or a vault's resource group."""
        return self._above(4 if self.key.rsplit("/", 4)[-4] == "providers" else 2)

    def child(self, *segments: str) -> ArmId:
        """The id below this one: ``vault.child("replicationFabrics", name)``."""
        return ArmId("/".join((self._text, *segments)))

    def within(self, kind: str) -> ArmId | None:
        """This id or its nearest ancestor of the type ``kind``, or None."""
        own_kind = self.type
        if not f"{own_kind}/".startswith(f"{kind}/"):
            return None
        return self._above(2 * (own_kind.count("/") - kind.count("/")))

    def _above(self, segments: int) -> ArmId:
        """The id without its last ``segments``, without parsing it again."""
        if not segments:
            return self
        above = object.__new__(ArmId)
        above._text = self._text.rsplit("/", segments)[0]
        above.key = above._text[1:].lower()
        return above

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"ArmId('{self._text}')"

    def __eq__(self, other: object) -> bool:
        return self.key == other.key if isinstance(other, ArmId) else NotImplemented

    def __lt__(self, other: ArmId) -> bool:
        return self.key < other.key

    def __hash__(self) -> int:
        return hash(self.key)


def _with_usual_spelling(text: str) -> str:
    """``text`` with the fixed words in their usual spelling. Raises InputError if it is not an id."""
    if not _SHAPE.fullmatch(text) or _BAD_SEGMENT.search(text):
        raise InputError(
            f"'{_shortened(text)}' is not a resource id: {_problem(text)}",
            hint="an id reads /subscriptions/GUID/resourceGroups/GROUP/providers/NAMESPACE/TYPE/NAME",
        )
    parts = text.strip("/").split("/")
    for index in range(0, len(parts), 2):
        parts[index] = _USUAL_SPELLING.get(parts[index].lower(), parts[index])
    namespace = _provider(parts) + 1
    if namespace:
        parts[namespace] = _USUAL_SPELLING.get(parts[namespace].lower(), parts[namespace])
    return f"/{'/'.join(parts)}"


@lru_cache(maxsize=4096)
def _with_usual_spelling_of_head(text: str) -> str:
    """The same for an id without its last name, which many ids share; empty if it is not valid."""
    try:
        return _with_usual_spelling(f"{text}/name").removesuffix("/name")
    except InputError:
        return ""


@lru_cache(maxsize=4096)
def _type_below(key: str) -> str:
    """The type of a resource, from the ``key`` of its id without the name. Many ids differ only in the name."""
    parts = key.split("/")
    provider = _provider(parts)
    return "" if provider < 0 else "/".join((parts[provider + 1], *parts[provider + 2 :: 2]))


@lru_cache(maxsize=65536)
def arm_id(text: str) -> ArmId:
    """Parse like ``ArmId``, with a cache: lists repeat the same networks and fabrics thousands of times."""
    return ArmId(text)


def expect(identifier: ArmId, kind: str, what: str) -> ArmId:
    """Return ``identifier``, or raise InputError unless its type is ``kind``, which messages call ``what``."""
    if identifier.type != kind:
        raise InputError(f"'{identifier}' is not the id of {what}: its type is '{identifier.type or 'none'}'")
    return identifier


def normal_location(text: str) -> str:
    """A region's short name: ``East US`` and ``eastus`` are the same place."""
    return text.replace(" ", "").lower()


def _provider(parts: list[str]) -> int:
    """The index of the word ``providers``, or -1 without one; it follows a resource group or a subscription."""
    if parts[4:5] == ["providers"]:
        return 4
    return 2 if parts[2:3] == ["providers"] else -1


def _problem(text: str) -> str:
    parts = text.strip("/").split("/")
    if not text.startswith("/") or parts[0].lower() != "subscriptions":
        return "it does not start with /subscriptions/"
    if len(parts) < _LEAST_PARTS or not re.fullmatch(_GUID, parts[1], re.IGNORECASE):
        return f"'{_shortened(parts[1]) if len(parts) > 1 else ''}' is not a subscription's GUID"
    if any(part in {"", ".", ".."} for part in parts):
        return "a segment is empty, '.' or '..'"
    if re.search(r"[\x00-\x1f?#%\\]", text):
        return "it has a character that no id may have"
    return "types and names do not come in pairs"


def _shortened(text: str) -> str:
    most = 120
    return text if len(text) <= most else text[:most] + "..."
