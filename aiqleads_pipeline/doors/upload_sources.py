"""Which source a client's file belongs to.

Belongs here: who may name which. What a source means is in ``rules.sources``.
"""

from __future__ import annotations

from aiqleads_pipeline.doors.access import Admission
from aiqleads_pipeline.doors.doors import Doors
from aiqleads_pipeline.doors.problems import Problem
from aiqleads_pipeline.doors.source_terms import SourceTerms
from aiqleads_pipeline.rules.sources import SourceRules
from resources.bucket import legal_source
from resources.store import uploads

OPERATORS = ("admin", "ops")
RESERVED_SOURCES = ("outcomes",)  # what became of leads: only operators say so


def choose_source(doors: Doors, admission: Admission, word: str | None) -> SourceRules:
    """The source that a request names: the client's own by default. In a thread.

    Operators may name any. Others name those of ``sources.yaml``, or a free word; not what bears another client's name.

    Raises:
        Problem: 400, it can't be a source's name; 403, it is somebody else's.
    """
    terms: SourceTerms = doors.parts.setdefault(SourceTerms, SourceTerms(doors.settings.rules_dir))
    caller = admission.caller
    own = terms.of_client(caller.client)
    if not word or word == own.name:
        return own
    if legal_source(word) != word:
        fault = {"pointer": "/source", "code": "invalid_value", "message": "Lower-case letters, digits, - and _ only."}
        raise Problem(400, "invalid_request", errors=[fault])
    if caller.role not in OPERATORS:
        names = {legal_source(client) for client in uploads.clients(doors.store)}
        if word in RESERVED_SOURCES or (word in names and terms.listed(word) is None):
            raise Problem(403, "source_not_allowed")
    return terms.listed(word) or terms.of_client(word)
