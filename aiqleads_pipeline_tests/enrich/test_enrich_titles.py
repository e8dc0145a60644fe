"""Job titles as people write them, as a truth table."""

from __future__ import annotations

import csv
from pathlib import Path

from enrich_stories import Enriched

from aiqleads_pipeline.contract import JOB_FUNCTIONS, SENIORITIES
from aiqleads_pipeline.stages.engine import REFERENCE_DIR

TITLES: dict[str, tuple[str | None, str | None]] = {
    "VP Mktg": ("vp", "marketing"),
    "Vice President, Sales": ("vp", "sales"),
    "Vice President": ("vp", "executive"),
    "EVP & CFO": ("c_level", "finance"),
    "President & CEO": ("c_level", "executive"),
    "Founder & CEO": ("c_level", "executive"),
    "Co-Founder": ("c_level", "executive"),
    "CTO": ("c_level", "engineering"),
    "Chief Revenue Officer": ("c_level", "sales"),
    "Chief of Staff": ("director", "operations"),
    "Managing Director": ("c_level", "executive"),
    "Owner/Operator": ("c_level", "operations"),
    "Partner": ("c_level", "other"),
    "Geschäftsführer": ("c_level", "executive"),
    "GESCHÄFTSFÜHRERIN": ("c_level", "executive"),
    "Assistant to the CEO": ("staff", "operations"),
    "CEO's assistant": ("staff", "operations"),
    "Executive Assistant to CFO": ("staff", "operations"),
    "Product Owner": ("staff", "product"),
    "HR Business Partner": ("staff", "hr"),
    "Talent Acquisition Partner": ("staff", "hr"),
    "Account Executive": ("staff", "sales"),
    "Account Manager": ("manager", "sales"),
    "Account Director": ("director", "sales"),
    "Head of Sales": ("director", "sales"),
    "head of sales": ("director", "sales"),
    "Dir. of Ops": ("director", "operations"),
    "Director of Product Marketing": ("director", "marketing"),
    "Senior Director of Finance": ("director", "finance"),
    "Leiter Einkauf": ("director", "procurement"),
    "Vertriebsleiter": ("director", "sales"),
    "Directeur Commercial": ("director", "sales"),
    "General Manager": ("director", "operations"),
    "Gerente de Ventas": ("manager", "sales"),
    "Responsable RH": ("manager", "hr"),
    "Mgr, Procurement": ("manager", "procurement"),
    "IT Manager": ("manager", "it"),
    "Customer Success Manager": ("manager", "customer_success"),
    "Team Lead Support": ("manager", "customer_success"),
    "Financial controller": ("manager", "finance"),
    "Product Lead": ("senior", "product"),
    "product lead  ": ("senior", "product"),
    "Sr. Eng": ("senior", "engineering"),
    "Sr. Engineer": ("senior", "engineering"),
    "Lead Data Scientist": ("senior", "data"),
    "Solutions Architect": ("senior", "engineering"),
    "Landscape architect": ("staff", "design"),
    "Junior Developer": ("junior", "engineering"),
    "Marketing Intern": ("junior", "marketing"),
    "Working Student Marketing": ("junior", "marketing"),
    "Praktikant": ("junior", "other"),
    "Probation officer": ("staff", "other"),
    "Nurse, mental health": ("staff", "medical"),
    "Barrister's clerk": ("staff", "legal"),
    "Engineer, civil (consulting)": ("staff", "engineering"),
    "Accounting technician": ("staff", "finance"),
    "Buyer": ("staff", "procurement"),
    "Web designer": ("staff", "design"),
    "TEFL teacher": ("staff", "education"),
    "Ingénieur logiciel": ("staff", "engineering"),
    "Glockenspieler": ("staff", "other"),
    "asdf": (None, None),
    "12345": (None, None),
    "社長": (None, None),
    "…": (None, None),
}


def test_titles(enriched: Enriched) -> None:
    leads = enriched([{"last_name": "A", "job_title": title} for title in TITLES])
    told = [(lead.get("job_seniority"), lead.get("job_function")) for lead in leads]
    assert dict(zip(TITLES, told, strict=True)) == TITLES


def test_all_but_truncated_titles_of_a_public_list_are_told(enriched: Enriched, shared_data: Path) -> None:
    with (shared_data / "leads" / "datablist" / "people-1000.csv").open(encoding="utf-8") as file:
        titles = sorted({row["Job Title"] for row in csv.DictReader(file)})
    leads = enriched([{"last_name": "A", "job_title": title} for title in titles])
    untold = [title for title, lead in zip(titles, leads, strict=True) if "job_seniority" not in lead]
    assert (len(titles), untold) == (519, ["Make"])


def test_every_title_of_a_messy_list_is_told(enriched: Enriched, shared_data: Path) -> None:
    with (shared_data / "leads" / "messy_leads.csv").open(encoding="utf-8") as file:
        titles = sorted({row["Title"] for row in csv.DictReader(file)} - {""})
    leads = enriched([{"last_name": "A", "job_title": title} for title in titles])
    assert [title for title, lead in zip(titles, leads, strict=True) if lead["job_function"] == "other"] == []


def test_the_kept_list_of_job_words_is_sound() -> None:
    with (REFERENCE_DIR / "job_words.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    words = [row["words"] for row in rows]
    assert len(words) == len(set(words))
    assert [word for word in words if word != " ".join(word.lower().split()) or len(word.split()) > 4] == []
    assert {row["seniority"] for row in rows} - {""} == set(SENIORITIES)
    assert {row["function"] for row in rows} - {""} == set(JOB_FUNCTIONS)
    assert [row for row in rows if bool(row["seniority"]) != bool(row["seniority_rank"])] == []
    assert [row for row in rows if bool(row["function"]) != bool(row["function_rank"])] == []
