"""Routing: which team a lead goes to, who takes it, until when, and why.

Belongs here: matching rules, accounts before rotas, capacity, explanations. Does not belong here: the rules themselves
(``rules.routing``, ``rules.teams``), the order of turns (``stages.rota``), what the store remembers (``resources``).
"""

from aiqleads_pipeline.stages.route.fallback import send_all_to_review
from aiqleads_pipeline.stages.route.route import LoadRow, Routed, RoutingSnapshot, route_leads

__all__ = ["LoadRow", "Routed", "RoutingSnapshot", "route_leads", "send_all_to_review"]
