"""A lead that was scored anew and has another priority is told to the webhooks that ask for it, once."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import text

from aiqleads_pipeline.commands import score
from aiqleads_pipeline.rescoring import rescore
from resources.store import rescorings

ASKS = "{name: %s, kind: webhook, url: 'https://receiver.example/', secret: HOOK, leads: false%s}"
TELLS = ", events: [lead.priority_changed]"


@pytest.fixture
def asked(firm):  # type: ignore[no-untyped-def]
    """Destinations: one is told all, one of P4 alone, one nothing."""
    file = firm.outside.settings.rules_dir / "destinations.yaml"
    before = file.read_text(encoding="utf-8")
    hooks = [ASKS % ("all", TELLS), ASKS % ("p4", TELLS + ", priorities: [P4]"), ASKS % ("silent", "")]
    file.write_text("destinations:\n" + "".join(f"  - {hook}\n" for hook in hooks), encoding="utf-8")
    yield
    file.write_text(before, encoding="utf-8")


def told(firm, lead):  # type: ignore[no-untyped-def]
    """Destination and event of what was posted of a lead, in order."""
    query = (
        "SELECT o.destination, n.body FROM aiqleads.notices n JOIN aiqleads.outbox o ON o.lead_id = n.notice_id "
        "WHERE n.topic = 'lead.priority_changed' AND n.body ->> 'subject' = :lead ORDER BY n.created_at, o.destination"
    )
    with firm.outside.store.read() as con:
        return [tuple(row) for row in con.execute(text(query), {"lead": lead})]


def priority_of(firm, lead):  # type: ignore[no-untyped-def]
    return str(score.explain_score(firm.outside, lead).now["priority"])


def test_a_changed_priority_is_an_event_for_who_asks(firm, asked, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    rescore(firm.outside)
    lead = firm.lead_id("p103@ads103-company.com")
    before = priority_of(firm, lead)
    wanted = "P1" if before != "P1" else "P2"
    assert told(firm, lead) == []
    score.override(firm.outside, lead, wanted, "met at the fair", 5, "ann")
    with monkeypatch.context() as killed:
        killed.setattr(rescorings, "note_rescoring", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):  # the scores are written, and nobody was told
            rescore(firm.outside, only_signalled=True)
    assert told(firm, lead) == []
    rescore(firm.outside, only_signalled=True)
    events = told(firm, lead)
    assert [name for name, _ in events] == (["all", "p4"] if before == "P4" else ["all"])
    event = events[0][1]
    assert (event["specversion"], event["type"], UUID(event["subject"])) == ("1.0", "lead.priority_changed", UUID(lead))
    assert (event["data"]["priority_before"], event["data"]["priority"]) == (before, wanted)
    assert "@" not in str(event)
    rescore(firm.outside)
    assert told(firm, lead) == events, "the same priority again is no event"
    score.end_override(firm.outside, lead)
    rescore(firm.outside, only_signalled=True)
    assert told(firm, lead)[-1][1]["data"]["priority"] == before
