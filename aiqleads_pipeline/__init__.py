"""AIQLeads: takes every lead in durably, judges it, and brings it to the right person."""

__version__ = "0.1.0"
