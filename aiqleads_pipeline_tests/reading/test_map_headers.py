"""Headers of the systems people export from find their columns; what is unknown is kept."""

from __future__ import annotations

import csv

import pytest

from aiqleads_pipeline.contract import LEAD_COLUMN_NAMES
from aiqleads_pipeline.stages.reading.mapping import _ALIASES_FILE, header_key, map_headers


def columns(headers: list[str], own: dict[str, str] | None = None) -> dict[str, str | None]:
    return {item.header: item.column for item in map_headers(headers, own or {})}


EXPORTS = {
    "HubSpot": {
        "Record ID": "external_id", "First Name": "first_name", "Last Name": "last_name", "Email": "email",
        "Phone Number": "phone", "Mobile Phone Number": "phone", "Contact owner": None, "Lead Status": None,
        "Company Name": "company_name", "Job Title": "job_title", "Website URL": "website",
        "Street Address": "street", "City": "city", "State/Region": "region", "Postal Code": "postal_code",
        "Country/Region": "country", "Industry": "industry", "Number of Employees": "employee_count",
        "Annual Revenue": "annual_revenue_usd", "Original Source": "lead_source", "Create Date": "created_at",
        "Last Activity Date": "last_activity_at", "Number of Pageviews": "page_views_count",
        "Marketing emails opened": "email_opens_count", "Number of Form Submissions": "form_submissions_count",
    },
    "Salesforce": {
        "Id": "external_id", "FirstName": "first_name", "LastName": "last_name", "Name": "full_name",
        "Title": "job_title", "Company": "company_name", "Email": "email", "Phone": "phone", "MobilePhone": "phone",
        "Website": "website", "Street": "street", "City": "city", "State": "region", "PostalCode": "postal_code",
        "Country": "country", "LeadSource": "lead_source", "Industry": "industry", "Status": None, "OwnerId": None,
        "AnnualRevenue": "annual_revenue_usd", "NumberOfEmployees": "employee_count", "Description": "message",
        "CreatedDate": "created_at", "LastActivityDate": "last_activity_at", "HasOptedOutOfEmail": None,
    },
    "LinkedIn connections": {
        "First Name": "first_name", "Last Name": "last_name", "URL": "website", "Email Address": "email",
        "Company": "company_name", "Position": "job_title", "Connected On": "created_at",
    },
    "LinkedIn lead gen forms": {
        "First name": "first_name", "Last name": "last_name", "Email address": "email", "Phone number": "phone",
        "Company name": "company_name", "Job title": "job_title", "Country/Region": "country",
        "Campaign name": "campaign", "Lead Gen Form Name": "campaign", "LinkedIn Profile": "linkedin_url",
    },
    "Meta lead ads": {
        "id": "external_id", "created_time": "created_at", "ad_id": None, "adset_id": None,
        "campaign_name": "campaign", "form_id": None, "is_organic": None, "platform": "lead_source",
        "email": "email", "full_name": "full_name", "phone_number": "phone", "zip_code": "postal_code",
    },
    "Google lead forms": {
        "lead_id": "external_id", "user_column_data.Full Name": "full_name", "user_column_data.User Email": "email",
        "user_column_data.User Phone": "phone", "user_column_data.Postal Code": "postal_code", "gcl_id": None,
        "google_key": None,
    },
    "Outlook": {
        "Title": None, "First Name": "first_name", "Middle Name": None, "Last Name": "last_name",
        "Company": "company_name", "Job Title": "job_title", "E-mail Address": "email", "E-mail 2 Address": "email",
        "Business Phone": "phone", "Home Phone": "phone", "Mobile Phone": "phone", "Business Fax": None,
        "Business Street": "street", "Home Street": "street", "Business City": "city", "Business State": "region",
        "Business Postal Code": "postal_code", "Business Country/Region": "country", "Web Page": "website",
        "Notes": "message", "Birthday": None,
    },
    "Mailchimp": {
        "Email Address": "email", "First Name": "first_name", "Last Name": "last_name", "Phone Number": "phone",
        "Address": "street", "MEMBER_RATING": None, "OPTIN_TIME": "consent_at", "CONFIRM_TIME": "consent_at",
        "LAST_CHANGED": "last_activity_at", "LEID": "external_id", "EUID": None, "NOTES": "message", "TAGS": None,
    },
    "German": {
        "Anrede": None, "Vorname": "first_name", "Name": "last_name", "Firma": "company_name",
        "E-Mail-Adresse": "email", "Telefon": "phone", "Mobil": "phone", "Straße": "street", "PLZ": "postal_code",
        "Ort": "city", "Bundesland": "region", "Land": "country", "Branche": "industry",
        "Mitarbeiterzahl": "employee_count", "Jahresumsatz": "annual_revenue_usd", "Nachricht": "message",
        "Erstellt am": "created_at",
    },
    "French": {
        "Prénom": "first_name", "Nom": "last_name", "Société": "company_name", "Adresse e-mail": "email",
        "Téléphone": "phone", "Portable": "phone", "Code postal": "postal_code", "Ville": "city", "Pays": "country",
        "Chiffre d'affaires": "annual_revenue_usd", "Commentaire": "message",
    },
    "Spanish": {
        "Nombre": "full_name", "Correo electrónico": "email", "Teléfono": "phone", "Empresa": "company_name",
        "Dirección": "street", "Código postal": "postal_code", "Ciudad": "city", "País": "country",
        "Mensaje": "message",
    },
    "organizations": {
        "Index": None, "Organization Id": "external_id", "Name": "company_name", "Website": "website",
        "Country": "country", "Founded": None, "Industry": "industry", "Number of employees": "employee_count",
    },
    "nested JSON": {
        "id": "external_id", "properties.email.value": "email", "contact.phone": "phone", "owner.email": None,
        "company.name": "company_name", "address.city": "city", "created_by.name": None,
    },
}  # fmt: skip


@pytest.mark.parametrize("system", EXPORTS)
def test_exports_are_understood(system):
    assert columns(list(EXPORTS[system])) == EXPORTS[system]


@pytest.mark.parametrize("header", ["E-Mail", "e_mail", " EMAIL ", "Email *", "eMail:", "\ufeffemail", "Email (work)"])
def test_spelling_does_not_matter(header):
    assert columns([header]) == {header: "email"}


def test_the_source_has_the_first_word():
    own = {"Kontakt": "full_name", "email": "ignore", "E-Mail privat": "email"}
    found = [item.fact() for item in map_headers(["kontakt", "email", "E-Mail Privat", "Foo"], own)]
    assert found == [
        {"header": "kontakt", "column": "full_name", "how": "source"},
        {"header": "email", "column": None, "how": "ignored"},
        {"header": "E-Mail Privat", "column": "email", "how": "source"},
        {"header": "Foo", "column": None, "how": "extra"},
    ]


def test_the_contracts_own_names_go_before_aliases():
    ranked = sorted(map_headers(["Company Phone", "Mobile", "Tel", "phone"], {}), key=lambda item: item.rank)
    assert [item.header for item in ranked if item.column] == ["phone", "Tel", "Mobile"]


def test_ids_of_different_kinds_do_not_mix():
    assert columns(["Customer_ID", "Lead_ID"]) == {"Customer_ID": "external_id", "Lead_ID": None}
    assert columns(["Account Id", "Lead Id"]) == {"Account Id": None, "Lead Id": "external_id"}


def test_every_alias_means_one_column_of_the_contract():
    with _ALIASES_FILE.open(encoding="utf-8", newline="") as file:
        aliases = list(csv.DictReader(file))
    assert {row["column"] for row in aliases} <= {*LEAD_COLUMN_NAMES, "name", "ignore"}
    assert {row["strength"] for row in aliases} == {"1", "2", "3"}
    keys = [header_key(row["alias"]) for row in aliases]
    assert len(keys) == len(set(keys))
    for name in LEAD_COLUMN_NAMES:
        assert columns([name]) == {name: name}
