"""What can go wrong with the store, typed by whether a retry can help.

``StoreUnavailable`` is the transient kind; every other ``StoreError`` is permanent for the one who meets it. The
messages hold no values of rows and no credentials.
"""

from __future__ import annotations


class StoreError(Exception):
    """Base of everything the store says by itself."""


class StoreUnavailable(StoreError):
    """Transient: no connection, a server that starts, stops or lacks room, a deadlock. Nothing was committed, unless
    the connection broke during the commit itself; then only running the step again tells (all steps may be run again).
    """


class ServerStartFailed(StoreUnavailable):
    """The embedded server did not come up within its bound; the message ends with the tail of its log."""


class LeaseLost(StoreError):
    """Somebody else holds the lease by now: stop working, write nothing. Retrying is the new holder's business."""


class SchemaTooNew(StoreError):
    """The database was migrated by a newer release than this one: upgrade this checkout, or use another database."""


class LeaseHeld(StoreError):
    """Somebody alive holds the lease: another process is at this work already."""
