"""The rules that both peers follow: small plain versions of what the pipeline decides."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from benchmarks import word_pools

AS_OF = pd.Timestamp("2026-11-23", tz="UTC")
FREE_MAIL = sorted(set(word_pools.FREE_MAIL))
UNITS = {"k": 1e3, "m": 1e6, "mio": 1e6, "million": 1e6, "b": 1e9}
COUNTRIES = {
    "united states": "US", "usa": "US", "us": "US", "u.s.a.": "US", "united states of america": "US", "uk": "GB",
    "united kingdom": "GB", "germany": "DE", "deutschland": "DE", "france": "FR", "canada": "CA", "ca": "CA",
    "australia": "AU", "españa": "ES", "italy": "IT", "the netherlands": "NL", "switzerland": "CH", "india": "IN",
    "brasil": "BR",
}  # fmt: skip
STATES = {
    "rhode island": "RI", "maine": "ME", "new york": "NY", "pa.": "PA", "north carolina": "NC", "florida": "FL",
    "ohio": "OH", "missouri": "MO", "texas": "TX", "nevada": "NV", "california": "CA", "calif.": "CA",
}  # fmt: skip
COMPANY_FORMS = r"[,.]|\b(inc|llc|ltd|corp|co|gmbh|group|holdings|s a|sa)\b|&"
SENIORITIES = [
    ("c_level", r"\b(chief|ceo|cto|cfo|coo|cmo|cio|founder|co-founder|owner|president|geschäftsführer|général)\b"),
    ("vp", r"\b(vp|svp|vice president)\b"),
    ("director", r"\b(director|head)\b"),
    ("manager", r"\b(manager|lead|principal)\b"),
    ("senior", r"\b(senior|sr)\b"),
    ("junior", r"\b(junior|assistant|student|intern)\b"),
]
SECTORS = [
    ("51", r"software|information|it services|saas|internet|telecom|media|publishing|gaming"),
    ("52", r"bank|financ|insur|invest"),
    ("54", r"account|legal|law|consult|marketing|architect"),
    ("62", r"health|hospital|dental"),
    ("31-33", r"manufact|machin|automotive|chemical|plastic|textile|food|pharma|medical devices"),
    ("23", r"construct|building"),
    ("53", r"real estate|property"),
    ("44-45", r"retail|commerce"),
    ("42", r"wholesale"),
    ("48-49", r"logist|transport|warehous|airline"),
    ("61", r"educat|e-learning|school"),
    ("92", r"govern|public admin"),
    ("72", r"hospitality|restaurant|hotel|travel"),
    ("11", r"agri|farm"),
    ("22", r"utilit|renewab|energy"),
]
COMPLETENESS = ["first_name", "last_name", "email", "phone", "job_title", "company", "industry", "employees", "city"]
SENIORITY_POINTS = {"c_level": 15.0, "vp": 13.0, "director": 11.0, "manager": 8.0, "senior": 5.0, "junior": 1.0}
GOOD_SECTORS = ["51", "52", "54", "62", "31-33"]
INTENT = r"buy|quote|pricing|demo|urgent|replace|budget approved"
EAST = ["MA", "RI", "CT", "NJ", "ME", "NH", "NY", "PA", "MD", "DC", "VA", "NC", "GA", "FL"]
WEST = ["CO", "AZ", "NM", "NV", "CA", "OR", "WA"]
TEAMS = {
    "enterprise": [f"enterprise-{i}" for i in range(4)],
    "us_east": [f"east-{i}" for i in range(6)],
    "us_west": [f"west-{i}" for i in range(5)],
    "us_central": [f"central-{i}" for i in range(5)],
    "international": [f"intl-{i}" for i in range(4)],
}


def company_key(name: Any) -> str | None:
    """A company's name without legal form and punctuation."""
    if not isinstance(name, str):
        return None
    return re.sub(r"\s+", " ", re.sub(COMPANY_FORMS, " ", name.lower())).strip()


def state_code(state: Any) -> str | None:
    """The two letters of a US state."""
    return STATES.get(state.lower(), state.upper()) if isinstance(state, str) else None


def seniority(title: Any) -> str:
    """Seniority by the first pattern that matches."""
    text = title.lower() if isinstance(title, str) else ""
    return next((name for name, pattern in SENIORITIES if re.search(pattern, text)), "staff")


def sector(industry: Any) -> str:
    """NAICS sector by the first pattern that matches."""
    text = industry.lower() if isinstance(industry, str) else ""
    return next((code for code, pattern in SECTORS if re.search(pattern, text)), "unknown")


def size_segment(employees: Any) -> str:
    """Size segment by employees."""
    if employees is None or pd.isna(employees):
        return "unknown"
    return (
        "micro"
        if employees < 11
        else "small"
        if employees < 201
        else "mid_market"
        if employees < 1001
        else "enterprise"
    )


def score(
    *,
    filled: int,
    age_days: float,
    seniority: str,
    sector: str,
    employees: Any,
    budget: Any,
    page_views: Any,
    message: Any,
) -> float:
    """0-100."""
    points = 20.0 * filled / len(COMPLETENESS) + 15.0 * 0.5 ** (age_days / 90)
    points += SENIORITY_POINTS.get(seniority, 4.0) + (10.0 if sector in GOOD_SECTORS else 3.0)
    points += 10.0 if size_segment(employees) in ("mid_market", "enterprise") else 4.0
    points += 10.0 if budget is not None and not pd.isna(budget) and budget >= 10_000 else 2.0
    points += min(float(page_views), 10.0) if page_views is not None and not pd.isna(page_views) else 0.0
    points += 10.0 if isinstance(message, str) and re.search(INTENT, message.lower()) else 0.0
    return min(points, 100.0)


def priority(points: float) -> str:
    """P1 to P4."""
    return "P1" if points >= 75 else "P2" if points >= 60 else "P3" if points >= 45 else "P4"


def territory(country: Any, state: Any) -> str:
    """Sales territory."""
    if country != "US":
        return "international"
    return "us_east" if state in EAST else "us_west" if state in WEST else "us_central"


def team(priority: str, territory: str, size_segment: str) -> str:
    """The team that gets the lead."""
    return "enterprise" if size_segment == "enterprise" and priority in ("P1", "P2") else territory
