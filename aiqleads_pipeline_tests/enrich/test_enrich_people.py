"""Mailboxes, domains and names, as truth tables."""

from __future__ import annotations

from typing import Any

from duckdb import DuckDBPyConnection
from enrich_stories import Enriched

from aiqleads_pipeline.stages.engine import REFERENCE_DIR

EMAILS: list[tuple[str, str, str]] = [
    ("ann@acme.com", "business", "email_domain"),
    ("ann@gmail.com", "free", "email_domain"),
    ("ann@mailinator.com", "disposable", "email_domain"),
    ("ann@sub.mailinator.com", "disposable", "email_domain"),
    ("info@mailinator.com", "disposable", "email_domain"),
    ("info@gmail.com", "role", "email"),
    ("info@acme.com", "role", "email"),
    ("info+news@acme.com", "role", "email"),
    ("customer-service@acme.com", "role", "email"),
    ("informed@acme.com", "business", "email_domain"),
]


def test_email_kinds(enriched: Enriched) -> None:
    leads = enriched(
        [{"last_name": "A", "email": email, "email_domain": email.split("@")[1]} for email, _, _ in EMAILS]
    )
    told = [(lead["email_kind"], lead["email_kind_source"]) for lead in leads]
    assert told == [(kind, source) for _, kind, source in EMAILS]


COMPANY = (
    "company_domain",
    "company_domain_source",
    "website",
    "website_source",
    "company_name",
    "company_name_source",
)


COMPANIES: list[tuple[dict[str, Any], tuple[str | None, ...]]] = [
    (
        {"email_domain": "acme-widgets.com"},
        ("acme-widgets.com", "email_domain", "acme-widgets.com", "email_domain", "Acme Widgets", "domain"),
    ),
    (
        {"email_domain": "eu.mail.acme.co.uk"},
        ("acme.co.uk", "email_domain", "acme.co.uk", "email_domain", "Acme", "domain"),
    ),
    ({"email_domain": "ibm.com"}, ("ibm.com", "email_domain", "ibm.com", "email_domain", "IBM", "domain")),
    (
        {"website": "acme.io", "email_domain": "other.com"},
        ("acme.io", "website", "acme.io", "given", "Acme", "domain"),
    ),
    (
        {"website": "facebook.com", "email_domain": "acme.com"},
        ("acme.com", "email_domain", "facebook.com", "given", "Acme", "domain"),
    ),
    (
        {"website": "facebook.com", "email_domain": "gmail.com"},
        (None, None, "facebook.com", "given", None, None),
    ),
    ({"email_domain": "gmail.com"}, (None,) * 6),
    ({"email_domain": "mailinator.com"}, (None,) * 6),
    ({"email_domain": "example.org"}, (None,) * 6),
    ({"email_domain": "co.uk"}, (None,) * 6),
    (
        {"email_domain": "xn--mller-kva.de"},
        ("xn--mller-kva.de", "email_domain", "xn--mller-kva.de", "email_domain", None, None),
    ),
    (
        {"email_domain": "acme.com", "company_name": "Other"},
        ("acme.com", "email_domain", "acme.com", "email_domain", "Other", "given"),
    ),
]


def test_companies(enriched: Enriched) -> None:
    leads = enriched([{"last_name": "A"} | given for given, _ in COMPANIES])
    told = [
        tuple((given | lead).get(name) for name in COMPANY) for (given, _), lead in zip(COMPANIES, leads, strict=True)
    ]
    assert told == [company for _, company in COMPANIES]


NAMES = ("first_name", "first_name_source", "last_name", "last_name_source")


PEOPLE: list[tuple[dict[str, Any], tuple[str | None, ...]]] = [
    ({"email": "jane.doe@acme.com"}, ("Jane", "email", "Doe", "email")),
    ({"email": "jane.doe+crm@acme.com"}, ("Jane", "email", "Doe", "email")),
    ({"email": "j.doe@acme.com"}, (None,) * 4),
    ({"email": "janedoe@acme.com"}, (None,) * 4),
    ({"email": "jane.doe2@acme.com"}, (None,) * 4),
    ({"email": "jane.van.doe@acme.com"}, (None,) * 4),
    ({"email": "sales.team@acme.com"}, (None,) * 4),
    ({"email": "anna.support@acme.com"}, (None,) * 4),
    ({"email": "jane.doe@acme.com", "last_name": "Roe"}, (None, None, "Roe", "given")),
    ({"email": "x.y@acme.com", "full_name": "Élodie O’Hara"}, ("Élodie", "full_name", "O’Hara", "full_name")),
    ({"email": "jane.doe@acme.com", "full_name": "Acme Sales Team"}, (None,) * 4),
    ({"full_name": "Doe, Jane"}, (None,) * 4),
]


def test_names(enriched: Enriched) -> None:
    leads = enriched([given for given, _ in PEOPLE])
    told = [tuple((given | lead).get(name) for name in NAMES) for (given, _), lead in zip(PEOPLE, leads, strict=True)]
    assert told == [names for _, names in PEOPLE]


def test_a_domain_has_one_kind_and_providers_of_millions_are_free(con: DuckDBPyConnection) -> None:
    file = REFERENCE_DIR / "mail_domains.parquet"
    doubled = con.sql(f"SELECT domain FROM '{file}' GROUP BY domain HAVING count(*) > 1").fetchall()
    big = ("gmail.com", "googlemail.com", "outlook.com", "yahoo.com", "icloud.com", "proton.me", "gmx.de", "qq.com")
    kinds = con.execute(f"SELECT DISTINCT kind FROM '{file}' WHERE list_contains($big, domain)", {"big": big})
    assert (doubled, kinds.fetchall()) == ([], [("free",)])
