"""The world in a box: stateful doubles of the services that leads are enriched by and delivered to, on loopback.

Belongs here: the vendors' protocols as their public documentation tells them, faults by switch and by seed, and a page
that shows what arrived. Does not belong here: anything of ours. Nothing of the product imports this package but the
commands ``aiqleads sandbox`` and ``aiqleads demo``; it imports nothing of the product, so that a misunderstanding is
not made on both sides.
"""

from aiqleads_pipeline.sandbox.box import Sandbox, start_sandbox
from aiqleads_pipeline.sandbox.world import NAMES

__all__ = ["NAMES", "Sandbox", "start_sandbox"]
