"""Makes the sample drops of `aiqleads demo`: synthetic people and companies, seeded, flawed as real files are.

Run it to write the files beside it again: ``python data/samples/generate_samples.py``. Nobody in them exists; phone
numbers are of the ranges reserved for fiction, company domains are made up. Licence: CC0.
"""

from __future__ import annotations

import csv
import json
import math
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SEED = 20261123
TODAY = date(2026, 11, 20)

FIRST = [
    "Ada",
    "Ben",
    "Carla",
    "Dmitri",
    "Elena",
    "Farid",
    "Greta",
    "Hiro",
    "Ines",
    "Jamal",
    "Katja",
    "Liam",
    "Maya",
    "Noah",
    "Olga",
    "Pablo",
    "Quinn",
    "Rosa",
    "Sven",
    "Tara",
    "Uma",
    "Viktor",
    "Wanda",
    "Yusuf",
    "Zoë",
]
LAST = [
    "Abbott",
    "Berg",
    "Castillo",
    "Dubois",
    "Eriksen",
    "Fontaine",
    "Gallagher",
    "Hoffmann",
    "Ivanova",
    "Jansen",
    "Kowalski",
    "Lindqvist",
    "Moreau",
    "Novak",
    "O'Brien",
    "Petrov",
    "Quispe",
    "Ribeiro",
    "Schäfer",
    "Tanaka",
    "Ueda",
    "Vance",
    "Weiss",
    "Yilmaz",
    "Zhang",
]
WORDS_A = ["blue", "north", "silver", "quiet", "bright", "iron", "green", "swift", "amber", "clear"]
WORDS_B = ["harbor", "ridge", "field", "forge", "river", "summit", "garden", "bridge", "valley", "lantern"]
KINDS = [("Software", "software", "Computer Software"), ("Dental Clinic", "dental", "Hospital / Health Care"),
         ("Construction", "build", "Construction"), ("Logistics", "logistics", "Logistics and Supply Chain"),
         ("Bank", "bank", "Banking"), ("Foods", "foods", "Food Production"), ("Media", "media", "Online Media"),
         ("Consulting", "consulting", "Management Consulting")]  # fmt: skip
TITLES = ["CEO", "VP Marketing", "Head of Sales", "IT Manager", "Software Engineer", "Office Assistant", "CFO",
          "Marketing Manager", "Director of Operations", "Intern", "Procurement Lead", "Product Lead"]  # fmt: skip
PLACES = [("US", "United States", "San Francisco", "CA", "94105", "415"), ("US", "USA", "Boston", "MA", "2108", "617"),
          ("US", "US", "Austin", "TX", "78701", "512"), ("US", "United States", "Newark", "NJ", "7102", "973"),
          ("GB", "UK", "London", "", "EC1A 1BB", ""), ("DE", "Germany", "Berlin", "Berlin", "10115", ""),
          ("FR", "France", "Lyon", "", "69001", ""), ("CA", "Canada", "Toronto", "ON", "M5H 2N2", "416")]  # fmt: skip
SIZES = [4, 18, 75, 180, 420, 900, 2_600, 12_000]


def person(rng: random.Random, number: int) -> dict[str, Any]:
    """One synthetic lead and, hidden in ``won``, what will become of it."""
    first, last = rng.choice(FIRST), rng.choice(LAST)
    kind, token, industry = rng.choice(KINDS)
    a, b = rng.choice(WORDS_A), rng.choice(WORDS_B)
    code, country, city, region, postal_code, area = rng.choice(PLACES)
    size, title = rng.choice(SIZES), rng.choice(TITLES)
    views, opens, forms = rng.randrange(0, 40), rng.randrange(0, 12), rng.choice([0, 0, 1, 1, 2])
    plain = f"{first}.{last}".lower().replace("'", "").replace("ä", "ae").replace("ë", "e")
    domain = f"{a}{b}-{token}-sample.com"
    budget = rng.choice([0, 5_000, 20_000, 60_000, 150_000])
    seniority = {"CEO": 1.2, "CFO": 1.0, "VP Marketing": 1.1, "Head of Sales": 0.9}.get(title, -0.4)
    odds = -2.6 + seniority + 0.055 * views + 0.6 * forms + 0.25 * math.log10(1 + budget) + 0.2 * math.log10(size)
    return {
        "first": first, "last": last, "email": f"{plain}{number}@{domain}", "title": title,
        "company": f"{a.title()}{b.title()} {kind}", "domain": domain, "industry": industry, "size": size,
        "code": code, "country": country, "city": city, "region": region, "zip": postal_code,
        "phone": phone(rng, code, area), "views": views, "opens": opens, "forms": forms, "budget": budget,
        "seen": TODAY - timedelta(days=rng.randrange(0, 120)), "won": rng.random() < 1 / (1 + math.exp(-odds)),
    }  # fmt: skip


def phone(rng: random.Random, country: str, area: str) -> str:
    """A number of the country's range for fiction, written in one of the ways people write it."""
    last = rng.randrange(0, 100)
    if area:
        return rng.choice(["({}) 555-01{:02}", "{}-555-01{:02}", "+1 {} 555 01{:02}", "{}.555.01{:02} x12"]).format(
            area, last
        )
    return {"GB": f"020 7946 0{last:03}", "DE": f"030 23125 {last:03}", "FR": f"01 99 00 {last // 10:02} {last:02}"}[
        country
    ]


def flawed(rng: random.Random, lead: dict[str, Any]) -> dict[str, Any]:
    """The same lead with what people and programs do to data."""
    lead = dict(lead)
    flaw = rng.random()
    if flaw < 0.03:
        lead["email"] = lead["email"].replace("@", " at ")
    elif flaw < 0.07:
        lead["phone"] = rng.choice(["call me", "N/A", "-2237", "12345"])
    elif flaw < 0.09:
        lead["email"], lead["phone"] = "", ""
    elif flaw < 0.13:
        lead["first"], lead["last"] = lead["first"].upper(), lead["last"].upper()
    elif flaw < 0.15:
        lead["company"] += "\u200b"
    return lead


def write_csv(
    name: str, header: list[str], rows: list[list[Any]], delimiter: str = ",", encoding: str = "utf-8"
) -> None:
    """One CSV file beside this script."""
    with (HERE / name).open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\r\n")
        writer.writerow(header)
        writer.writerows(rows)


def main() -> None:
    """Write all samples."""
    rng = random.Random(SEED)
    known = [person(rng, number) for number in range(1_000)]
    new = [person(rng, number) for number in range(1_000, 1_300)]
    forms = [flawed(rng, lead) for lead in known[:600]]
    forms += [flawed(rng, rng.choice(forms)) for _ in range(24)]
    write_csv(
        "web_forms.csv",
        ["Submitted", "Name", "Email", "Phone", "Company", "Job Title", "Country", "State", "ZIP", "Page Views",
         "Form Submissions", "Budget", "Message"],
        [[x["seen"].isoformat(), f"{x['first']} {x['last']}", x["email"], x["phone"], x["company"], x["title"],
          x["country"], x["region"], x["zip"], x["views"], x["forms"], f"${x['budget']:,}" if x["budget"] else "",
          "Please send a quote,\nas soon as possible." if x["forms"] else ""] for x in forms],
    )  # fmt: skip
    write_csv(
        "hubspot_export.csv",
        ["Record ID", "First Name", "Last Name", "Email", "Phone Number", "Company Name", "Website URL", "Industry",
         "Number of Employees", "City", "State/Region", "Postal Code", "Country/Region", "Job Title",
         "Number of Pageviews", "Marketing emails opened", "Last Activity Date"],
        [[70_000 + i, x["first"], x["last"], x["email"], x["phone"], x["company"], f"https://www.{x['domain']}/",
          x["industry"], x["size"], x["city"], x["region"], x["zip"], x["country"], x["title"], x["views"], x["opens"],
          x["seen"].strftime("%m/%d/%Y")] for i, x in enumerate(flawed(rng, lead) for lead in known[560:])],
        delimiter=";", encoding="utf-8-sig",
    )  # fmt: skip
    # Without a date: these leads are closed when the file comes, after all that is known of them.
    write_csv(
        "outcomes.csv",
        ["email", "result", "revenue"],
        [[x["email"], "Closed Won" if x["won"] else "Closed Lost", 900 * (1 + i % 17) if x["won"] else ""]
         for i, x in enumerate(known)],
    )  # fmt: skip
    write_csv(
        "meta_lead_ads.csv",
        ["id", "created_time", "campaign_name", "is_organic", "platform", "full_name", "email", "phone_number",
         "company_name", "job_title"],
        [["l:900001", "2026-11-19T08:00:00+01:00", "Autumn", "false", "fb", "<test lead: dummy data for full_name>",
          "test@fb.com", "<test lead: dummy data for phone_number>", "", ""]]
        + [[f"l:{910_000 + i}", f"{x['seen'].isoformat()}T09:30:00+01:00", "Autumn", "false", "ig",
            f"{x['first']} {x['last']}", x["email"], f"p:{x['phone']}", x["company"], x["title"]]
           for i, x in enumerate(new[:80])],
        delimiter="\t", encoding="utf-16",
    )  # fmt: skip
    with (HERE / "partner.ndjson").open("w", encoding="utf-8") as file:
        for i, x in enumerate(new[70:200]):
            row = {"lead": {"id": f"P-{i}", "firstName": x["first"], "lastName": x["last"], "email": x["email"]},
                   "company": x["company"], "employees": f"{x['size']}+", "country": x["code"]}  # fmt: skip
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
        file.write('{"lead": {"id": "cut short\n')
    trade_fair(new[200:])


def trade_fair(leads: list[dict[str, Any]]) -> None:
    """A spreadsheet as a stand's visitors leave it: a title above the header, dates as dates."""
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Besucher"
    sheet.append(["Messe Sample 2026: Besucher am Stand"])
    sheet.append([])
    sheet.append(["Datum", "Vorname", "Nachname", "Firma", "E-Mail", "Telefon", "Land", "PLZ", "Mitarbeiter", "Notiz"])
    for lead in leads:
        sheet.append(
            [lead["seen"], lead["first"], lead["last"], lead["company"], lead["email"], lead["phone"], lead["country"],
             lead["zip"], lead["size"], "will Angebot" if lead["won"] else None]
        )  # fmt: skip
    book.save(HERE / "trade_fair.xlsx")


if __name__ == "__main__":
    main()
