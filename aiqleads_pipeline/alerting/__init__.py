"""Alerts that reach a person, and promises that are kept.

Belongs here: which alerts belong together and when they are told (``telling``), what is looked for (``watches``), the
clock of first touches (``slas``), and the process that does it all beside Dagster (``watchman``). Does not belong here:
raising an alert where a fault is seen, and sending (the outbox).
"""
