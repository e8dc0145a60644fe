"""Peer: pandas, pandera and row-wise functions, the way most lead scripts are written.

Reads the CSV, cleans and validates each row with `apply`, drops repeats, enriches, scores, classifies, routes round
robin and writes Parquet. Nothing is durable, nothing can be run again half way, no reasons are kept.

    python -m benchmarks.peers.pandas_rowwise FILE OUT
"""

from __future__ import annotations

import itertools
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
import phonenumbers
from email_validator import EmailNotValidError, validate_email

from benchmarks.peers import rules

SCHEMA = pa.DataFrameSchema(
    {
        "email": pa.Column(str, nullable=True, coerce=True),
        "lead_score": pa.Column(float, pa.Check.in_range(0, 100)),
        "priority": pa.Column(str, pa.Check.isin(["P1", "P2", "P3", "P4"])),
        "employees": pa.Column(float, pa.Check.ge(0), nullable=True),
        "owner": pa.Column(str),
    }
)


def clean_email(value: Any) -> str | None:
    """The normalised address, or None."""
    if not isinstance(value, str):
        return None
    try:
        return str(validate_email(value.strip(), check_deliverability=False).normalized).lower()
    except EmailNotValidError:
        return None


def clean_phone(row: pd.Series) -> str | None:
    """The number in E.164 form, or None."""
    value = row["Phone Number"]
    if not isinstance(value, str):
        return None
    try:
        number = phonenumbers.parse(value, rules.COUNTRIES.get(str(row["Country"]).lower(), "US"))
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def clean_money(value: Any) -> float | None:
    """US dollars; the middle of a range."""
    if not isinstance(value, str):
        return None
    parts = []
    for number, unit in re.findall(r"([\d][\d.,]*)\s*(k|m|mio|million|b)?\b", value.lower()):
        plain = number.replace(",", ".") if re.fullmatch(r"\d+,\d{1,2}", number) else number.replace(",", "")
        try:
            parts.append(float(plain.rstrip(".")) * rules.UNITS.get(unit, 1))
        except ValueError:
            continue
    return sum(parts) / len(parts) * (1.1 if "€" in value else 1) if parts else None


def clean(raw: pd.DataFrame) -> pd.DataFrame:
    """The rows, cleaned: a function per value, or per row where several columns decide."""
    leads = pd.DataFrame(index=raw.index)
    leads["created_at"] = pd.to_datetime(raw["Created At"], format="mixed", utc=True, errors="coerce")
    leads["first_name"] = raw["First Name"].str.strip().str.title()
    leads["last_name"] = raw["Last Name"].str.strip().str.title()
    leads["email"] = raw["Email Address"].apply(clean_email)
    leads["phone"] = raw.apply(clean_phone, axis=1)
    leads["job_title"] = raw["Job Title"]
    leads["company"] = raw["Company"]
    leads["company_key"] = raw["Company"].apply(rules.company_key)
    leads["email_domain"] = leads["email"].apply(lambda email: email.split("@")[1] if isinstance(email, str) else None)
    leads["email_kind"] = leads["email_domain"].apply(email_kind)
    leads["domain"] = raw["Website"].apply(clean_website)
    leads["domain"] = leads["domain"].fillna(leads["email_domain"].where(leads["email_kind"] == "business"))
    leads["industry"] = raw["Industry"]
    leads["employees"] = raw["Employees"].apply(clean_money)
    leads["revenue"] = raw["Annual Revenue"].apply(clean_money)
    leads["city"] = raw["City"]
    leads["state"] = raw["State"].apply(rules.state_code)
    leads["country"] = raw["Country"].apply(clean_country)
    leads["postal_code"] = raw.apply(clean_postal_code, axis=1)
    leads["budget"] = raw["Budget"].apply(clean_money)
    leads["page_views"] = pd.to_numeric(raw["Page Views"], errors="coerce")
    leads["message"] = raw["Message"]
    return leads


def email_kind(domain: Any) -> str | None:
    """Whose mailbox it is."""
    return None if not isinstance(domain, str) else "free" if domain in rules.FREE_MAIL else "business"


def clean_website(value: Any) -> str | None:
    """The host of a web site."""
    return re.sub(r"^(https?://)?(www\.)?|/.*$", "", value) if isinstance(value, str) else None


def clean_country(value: Any) -> str | None:
    """ISO 3166 of a country; the US where none is given."""
    return rules.COUNTRIES.get(value.lower()) if isinstance(value, str) else "US"


def clean_postal_code(row: pd.Series) -> str | None:
    """A US code with five digits; others as given."""
    value = row["Zip Code"]
    is_us = clean_country(row["Country"]) == "US"
    return value.split("-")[0].zfill(5) if is_us and isinstance(value, str) else value


def score_row(row: pd.Series) -> float:
    """The score of one lead."""
    return rules.score(
        filled=sum(not pd.isna(row[c]) for c in rules.COMPLETENESS),
        age_days=365 if pd.isna(row["created_at"]) else (rules.AS_OF - row["created_at"]).days,
        seniority=row["seniority"],
        sector=row["sector"],
        employees=row["employees"],
        budget=row["budget"],
        page_views=row["page_views"],
        message=row["message"],
    )


def run(source: Path, out: Path) -> dict[str, float]:
    """Process a file; returns rows, seconds and what became of the rows."""
    started = time.perf_counter()
    raw = pd.read_csv(source, dtype=str, keep_default_na=False, na_values=[""])
    leads = clean(raw)
    reachable = (leads["email"].notna() | leads["phone"].notna()) & (leads["last_name"] != "")
    accepted = leads[reachable]
    seen_email = accepted["email"].notna() & accepted.duplicated("email")
    seen_phone = accepted["phone"].notna() & accepted.duplicated(["phone", "last_name"])
    seen_name = accepted["company_key"].notna() & accepted.duplicated(["first_name", "last_name", "company_key"])
    unique = accepted[~(seen_email | seen_phone | seen_name)].copy()
    unique["seniority"] = unique["job_title"].apply(rules.seniority)
    unique["sector"] = unique["industry"].apply(rules.sector)
    unique["size_segment"] = unique["employees"].apply(rules.size_segment)
    unique["lead_score"] = unique.apply(score_row, axis=1)
    unique["priority"] = unique["lead_score"].apply(rules.priority)
    unique["territory"] = unique.apply(lambda row: rules.territory(row["country"], row["state"]), axis=1)
    unique["team"] = unique.apply(lambda r: rules.team(r["priority"], r["territory"], r["size_segment"]), axis=1)
    turns = {team: itertools.cycle(owners) for team, owners in rules.TEAMS.items()}
    account_owner: dict[str, str] = {}

    def owner(row: pd.Series) -> str:
        if isinstance(row["domain"], str):
            return account_owner.setdefault(row["domain"], next(turns[row["team"]]))
        return next(turns[row["team"]])

    unique["owner"] = unique.apply(owner, axis=1)
    SCHEMA.validate(unique, lazy=True)
    unique.to_parquet(out, compression="zstd")
    return {
        "rows": len(raw),
        "seconds": time.perf_counter() - started,
        "rejected": int((~reachable).sum()),
        "duplicates": len(accepted) - len(unique),
        "routed": len(unique),
    }


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]), Path(sys.argv[2]))))
