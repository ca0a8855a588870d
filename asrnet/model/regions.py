"""The regions of Azure that asrnet knows, by the display names that Site Recovery uses for their fabrics."""

from __future__ import annotations

from typing import Final

from asrnet.errors import nearest
from asrnet.model.arm import normal_location

_NAMES: Final = (
    "Australia Central",
    "Australia Central 2",
    "Australia East",
    "Australia Southeast",
    "Austria East",
    "Belgium Central",
    "Brazil South",
    "Brazil Southeast",
    "Canada Central",
    "Canada East",
    "Central India",
    "Central US",
    "Central US EUAP",
    "Chile Central",
    "China East",
    "China East 2",
    "China East 3",
    "China North",
    "China North 2",
    "China North 3",
    "East Asia",
    "East US",
    "East US 2",
    "East US 2 EUAP",
    "France Central",
    "France South",
    "Germany North",
    "Germany West Central",
    "Indonesia Central",
    "Israel Central",
    "Italy North",
    "Japan East",
    "Japan West",
    "Korea Central",
    "Korea South",
    "Malaysia West",
    "Mexico Central",
    "New Zealand North",
    "North Central US",
    "North Europe",
    "Norway East",
    "Norway West",
    "Poland Central",
    "Qatar Central",
    "South Africa North",
    "South Africa West",
    "South Central US",
    "South India",
    "Southeast Asia",
    "Spain Central",
    "Sweden Central",
    "Sweden South",
    "Switzerland North",
    "Switzerland West",
    "UAE Central",
    "UAE North",
    "UK South",
    "UK West",
    "USDoD Central",
    "USDoD East",
    "USGov Arizona",
    "USGov Texas",
    "USGov Virginia",
    "West Central US",
    "West Europe",
    "West India",
    "West US",
    "West US 2",
    "West US 3",
)
_BY_LOCATION: Final = {normal_location(name): name for name in _NAMES}


def region_name(location: str) -> str:
    """``East US 2`` for ``eastus2``. An unknown region keeps its name."""
    return _BY_LOCATION.get(normal_location(location), location)


def region_meant(location: str) -> str | None:
    """The known region that ``location`` is probably a misspelling of; None if it is known, or like no known one."""
    return None if normal_location(location) in _BY_LOCATION else nearest(normal_location(location), _BY_LOCATION)


def region_names() -> tuple[str, ...]:
    """The display names of all known regions."""
    return _NAMES
