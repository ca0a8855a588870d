"""``plan``: the desired state against the inventory. No I/O and no clock: the same values give the same plan."""

from asrnet.planning.plan import plan

__all__ = ["plan"]
