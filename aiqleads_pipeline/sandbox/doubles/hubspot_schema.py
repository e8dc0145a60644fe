"""What a HubSpot portal has without anybody's doing: properties, unique ones, options; and how it refuses."""

from __future__ import annotations

import re
from typing import Any

SINGULAR = {"contacts": "CONTACT", "companies": "COMPANY", "deals": "DEAL"}
PROPERTIES = {
    "contacts": (
        "email firstname lastname jobtitle phone mobilephone company website address city state zip country message "
        "lifecyclestage hs_lead_status hubspot_owner_id industry numemployees annualrevenue hs_linkedin_url "
        "createdate lastmodifieddate hs_object_id hs_analytics_source salutation hs_additional_emails"
    ),
    "companies": (
        "name domain website phone address city state zip country industry numberofemployees annualrevenue "
        "description hubspot_owner_id lifecyclestage linkedin_company_page createdate hs_lastmodifieddate hs_object_id"
    ),
    "deals": (
        "dealname dealstage pipeline amount closedate hubspot_owner_id hs_is_closed hs_is_closed_won "
        "createdate hs_lastmodifieddate hs_object_id"
    ),
}
UNIQUE = {"contacts": {"email"}, "companies": set(), "deals": set()}
SHOWN = {
    "contacts": ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
    "companies": ("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
    "deals": (
        "amount",
        "closedate",
        "createdate",
        "dealname",
        "dealstage",
        "hs_lastmodifieddate",
        "hs_object_id",
        "pipeline",
    ),
}
EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\"]{2,}")
NUMBERS = {"numberofemployees", "annualrevenue", "amount", "numemployees"}
STAGES = {
    "", "subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "evangelist",
    "other",
}  # fmt: skip


class Refused(Exception):
    """The whole call is refused, or one record where a batch goes on."""

    def __init__(self, category: str, message: str, errors: list[dict[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.category, self.message, self.errors = category, message, errors
