"""Draining the outbox: the worker that claims, sends and marks, and what builds a destination from its rule.

Belongs here: when and how often something is sent, budgets, retries, dead letters. Does not belong here: protocols
(``resources.destinations``, ``resources.crm``, ``resources.notify``) and tables (``resources.store.deliveries``).
"""
