"""Plain leads: whatever is told plain without the engine, the strict check accepts, with the same identity keys."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime

import duckdb
import pytest

from aiqleads_pipeline.doors import plain
from aiqleads_pipeline.doors.validating import Checker, ToCheck, check_plain
from aiqleads_pipeline.rules.sources import SourceRules
from aiqleads_pipeline.settings import Settings

AS_OF = datetime(2026, 11, 23, 12, tzinfo=UTC)
SOURCES = [
    SourceRules(name="shop"),
    SourceRules(name="shop2", default_country="DE", currency="EUR", timezone="Europe/Berlin", date_order="dmy"),
    SourceRules(name="fair", default_country="US"),
]

# Values that are in order, nearly so, and not at all: where the two might part.
VALUES: dict[str, list[str]] = {
    "external_id": ["1", "00Q5e00001AbCdE", "é-7", "a  b", " a", "n/a", "x" * 480, "lead 7", "x", "-"],
    "lead_source": ["Website", "Trade fair", "unknown", "Test"],
    "campaign": ["q3", "Über uns 2026", "null", "a\u00a0b"],
    "first_name": ["Ann", "ANN", "José", "Łukasz", "X", "Mary Ann", "O'Neil", "Dr.", "İpek", "ann-lee", "Ａnn", "Li"],
    "last_name": [
        "Birch",
        "van der Berg",
        "müller",
        "BIRCH",
        "Null",
        "de",
        "O'Neil",
        "Ñandú",
        "Straße",
        "李",
        "Ng",
        "-",
    ],
    "full_name": [
        "Ann Birch",
        "Mrs Birch",
        "Birch, Ann",
        "Ann van der Berg",
        "ann birch",
        "Cher",
        "Dr. Ann Birch",
        "Don Birch",
        "Ann Lee Birch",
        "Ann Birch PhD",
        "José Núñez",
        "Li Ng",
        "Prof Birch",
        "Annabel Birchwood",
        "Acme, Inc.",
    ],
    "job_title": ["CEO", "VP, Sales", "none", "Head of R&D"],
    "email": [
        "ann@acme.com",
        "Ann.Lee+News@GMail.com",
        "ann@googlemail.com",
        "ann+x@outlook.de",
        "+ann@outlook.de",
        "ann@acme.test",
        "ann@none.com",
        "none@none.com",
        "a@b.c",
        "ann@acme",
        "ann@@acme.com",
        "ann@acme.com, b@b.com",
        "Ann <ann@acme.com>",
        "ann@-acme.com",
        "ann@acme-.com",
        "x_y@a-b.io",
        "a.b@localhost",
        "ann@mylocal",
        "é@b.com",
        "ann@ab--cd.com",
        "a" * 60 + "@b.com",
        "ann.@acme.com",
        "ann@acme.com.",
        "call me",
        "o'neil@acme.com",
    ],
    "phone": [
        "+14155552671",
        "+1 415 555 2671",
        "(415) 555-2671",
        "415-555-2671",
        "+49 30 901820",
        "030 901820",
        "030901820",
        "+44 20 7946 0958",
        "+44 (0)20 7946 0958",
        "1234567",
        "+1 234 567",
        "0000000",
        "+15555555555",
        "004930901820",
        "49 30 901820",
        "1-415-555-2671",
        "+1 415 555 2671 ext 5",
        "tel: +1 415 555 2671",
        "+9999",
        "n/a",
        "15112345678",
        "+39 06 698",
        "+39 06 6982",
        "+54 9 11 1234 5678",
        "+86 138 0013 8000",
        "(+49)30901820",
        "+(49)30901820",
        "7911123456",
        "+7 495 123 4567",
        "4155552671",
        "14155552671",
        "493090182",
        "30901820",
        "+376 312345",
        "--",
    ],
    "linkedin_url": ["https://www.linkedin.com/in/ann-birch", "linkedin.com/in/ann", "https://linkedin.com/", "ann"],
    "company_name": [
        "Acme",
        "Acme Inc",
        "Acme, Inc.",
        "ACME GmbH & Co. KG",
        "Société Générale SA",
        "X",
        "Inc",
        "A & B",
        "3M",
        "--",
        "Acme  Inc",
        "Test",
        "Müller AG",
        "Co",
        "Ünal A.Ş.",
    ],
    "website": [
        "acme.com",
        "https://www.acme.com/about",
        "www.acme.co.uk",
        "acme",
        "http://acme.com?x=1",
        "WWW.ACME.COM",
    ],
    "industry": ["Software", "keine", "n.a.", "TBD"],
    "employee_count": ["1", "120", "1,200", "11-50", "10000001", "1.5", "-1", "abc", "1e3", "0", "10000000", "1.200"],
    "annual_revenue_usd": [
        "1200000",
        "1.2M",
        "$5",
        "-5",
        "1.234e0",
        "12.50e0",
        "0",
        "x",
        "999999999999999",
        "1e99",
        "5.00",
    ],
    "budget_usd": ["5000", "5k", "EUR 5", "0.5", "1e3", "12345678901234567890", "USD 5.00", "1.234"],
    "street": ["1 Main St", "Hauptstr. 5", "unknown"],
    "city": ["Berlin", "São Paulo", "???"],
    "country": [
        "US",
        "us",
        "Germany",
        "Deutschland",
        "DE",
        "XX",
        "Narnia",
        "NA",
        "GB",
        "u.s.a.",
        "CA",
        "FR",
        "JP",
        "Côte d'Ivoire",
    ],
    "region": ["CA", "California", "Bavaria", "BY", "ZZ", "Ontario", "US-NY", "none", "ca", "Paris"],
    "postal_code": [
        "94107",
        "94107-1234",
        "8014",
        "08014",
        "80331",
        "K1A 0B6",
        "k1a0b6",
        "SW1A 1AA",
        "1",
        "ABC",
        "12345.0",
        "n/a",
    ],
    "message": [
        "Hello",
        "Please call.\nThanks",
        "n/a",
        "?",
        "x" * 20_001,
        "a\tb  c",
        "Ich möchte ein Angebot.",
        "\u200b",
        "test",
    ],
    "product_interest": ["CRM", "tbd"],
    "page_views_count": ["0", "12", "1,000", "1000000001", "1.5", "x", "-1"],
    "email_opens_count": ["3", "1e3"],
    "form_submissions_count": ["1", ""],
    "last_activity_at": [
        "2026-11-20",
        "2026-11-20T10:00:00Z",
        "2026-11-20 10:00",
        "2026-02-30",
        "2027-01-01",
        "1899-12-31",
        "3 days ago",
        "05/07/2025",
        "2026-11-20T10:00:00+02:00",
        "2026-11-20T25:00",
        "20261120",
        "2026-11-20T10:00:00.1234567Z",
        "2026-11-20T10:00:60",
        "1900-01-01",
        "2026-11-20T10Z",
        "2026-11-20T24:00:00",
        "yesterday",
        "2026-11-23T23:00",
    ],
    "consent": ["true", "false", "yes", "maybe"],
    "consent_at": ["2026-11-20", "soon"],
    "created_at": ["2026-11-01T00:00:00Z", "20/11/2026", "11/20/2026"],
}
VALUES = {name: [value for value in values if value] for name, values in VALUES.items()}


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checker]:
    checker = Checker(Settings(HOME=tmp_path_factory.mktemp("home")))
    yield checker
    checker.close()


def test_every_column_of_the_contract_has_values() -> None:
    from aiqleads_pipeline.contract import LEAD_COLUMN_NAMES

    assert set(VALUES) == set(LEAD_COLUMN_NAMES)


def disagreements(checker: Checker, leads: list[ToCheck]) -> list[object]:
    """Leads that are plain, but are refused or have other keys in the engine."""
    told = [(lead, verdict) for lead in leads if (verdict := check_plain(lead, AS_OF)) is not None]
    found = checker.check([lead for lead, _ in told], AS_OF)
    return [
        (lead.row, lead.source.name, fast.keys, slow)
        for (lead, fast), slow in zip(told, found, strict=True)
        if not slow.is_accepted or sorted(fast.keys) != sorted(slow.keys)
    ]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_each_value_in_a_lead_that_is_fine_otherwise(checker: Checker, source: SourceRules) -> None:
    fine = {"email": "bo@acme.com", "first_name": "Bo", "last_name": "Lee", "company_name": "Acme"}
    leads = [ToCheck({**fine, name: value}, source) for name, values in VALUES.items() for value in values]
    leads += [
        ToCheck({"last_name": "Lee", "phone": phone, "country": country}, source)
        for phone in VALUES["phone"]
        for country in VALUES["country"]
    ]
    leads += [
        ToCheck(
            {"last_name": "Lee", "email": "bo@acme.com", "country": country, "region": region, "postal_code": code},
            source,
        )
        for country in VALUES["country"]
        for region in VALUES["region"]
        for code in VALUES["postal_code"]
    ]
    assert disagreements(checker, leads) == []


def test_enough_leads_are_plain() -> None:
    fine = {"email": "bo@acme.com", "first_name": "Bo", "last_name": "Lee", "company_name": "Acme"}
    names = {
        name
        for name, values in VALUES.items()
        for value in values
        if check_plain(ToCheck({**fine, "country": "US", name: value}, SOURCES[0]), AS_OF)
    }
    assert names == set(VALUES)


def awkward_leads(size: int, seed: int) -> list[ToCheck]:
    """Leads of a few columns that identity looks at, or of any; each in the terms of some source."""
    dice = random.Random(seed)
    told = ("first_name", "last_name", "full_name", "company_name", "phone", "external_id", "country", "email")
    leads = []
    for number in range(size):
        names = told if number % 3 else tuple(VALUES)
        chosen = dice.sample(names, dice.randint(2, min(9, len(names))))
        # The first values of each column are good ones: most leads have one value at most that is not.
        row = {name: dice.choice(VALUES[name][: dice.choice([2, 2, 2, None])]) for name in chosen}
        leads.append(ToCheck(row, dice.choice(SOURCES)))
    return leads


def test_thousands_of_awkward_leads(checker: Checker) -> None:
    leads = awkward_leads(30_000, seed=11)
    assert sum(check_plain(lead, AS_OF) is not None for lead in leads) > 5_000
    assert disagreements(checker, leads) == []


def test_every_letter_of_names_is_small_and_bare_as_in_the_engine(con: duckdb.DuckDBPyConnection) -> None:
    letters = [chr(code) for code in range(0x20, 0x250) if plain._LATIN.fullmatch(chr(code))]
    assert len(letters) > 200
    names = [f"a{letter}b" for letter in letters]
    found = con.execute("SELECT name_letters(n) FROM (SELECT unnest($names) AS n)", {"names": names}).fetchall()
    assert [plain._letters(name) for name in names] == [name for (name,) in found]


def test_legal_forms_as_in_the_engine(con: duckdb.DuckDBPyConnection) -> None:
    names = [
        *VALUES["company_name"],
        "Acme Co., Ltd.",
        "Foo S.p.A.",
        "Bar sp. z o.o.",
        "SE SE",
        "Baz, LLC, Inc",
        "A/S A/S",
    ]
    found = con.execute("SELECT without_legal_form(n) FROM (SELECT unnest($names) AS n)", {"names": names}).fetchall()
    assert [plain.legal_form().sub("", name) if " " in name or "," in name else name for name in names] == [
        name for (name,) in found
    ]
