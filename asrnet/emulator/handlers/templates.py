"""The paths that the routes' templates begin with."""

from __future__ import annotations

from typing import Final

SUBSCRIPTION: Final = "/subscriptions/{subscription}"
GROUP: Final = f"{SUBSCRIPTION}/resourceGroups/{{group}}"
VNETS: Final = "providers/Microsoft.Network/virtualNetworks"
VNET: Final = f"{GROUP}/{VNETS}/{{vnet}}"
VAULTS: Final = "providers/Microsoft.RecoveryServices/vaults"
VAULT: Final = f"{GROUP}/{VAULTS}/{{vault}}"
FABRIC: Final = f"{VAULT}/replicationFabrics/{{fabric}}"
NETWORK: Final = f"{FABRIC}/replicationNetworks/{{network}}"
MAPPING: Final = f"{NETWORK}/replicationNetworkMappings/{{mapping}}"
CONTAINER: Final = f"{FABRIC}/replicationProtectionContainers/{{container}}"
CONTAINER_MAPPING: Final = f"{CONTAINER}/replicationProtectionContainerMappings/{{mapping}}"
ITEM: Final = f"{CONTAINER}/replicationProtectedItems/{{item}}"
