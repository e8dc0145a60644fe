"""What cells mean: each story is a cell as somebody typed it and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

CheckColumn = Callable[..., list[Any]]
Check = Callable[..., list[dict[str, Any]]]


def test_email_is_found_in_whatever_surrounds_it(check_column: CheckColumn) -> None:
    cells = ["Ann@Acme.COM", " mailto:ann@acme.com", "Lee, Ann <ann@acme.com>", "<ann@acme.com>", "'ann@acme.com'.",
             "ann@acme.com,", "ann@\u200bacme.com", "ann@acme.com; bob@x.org", "ann@acme.com / bob@x.org"]  # fmt: skip
    assert check_column("email", cells) == [
        *[("ann@acme.com",)] * 6,
        ("ann@acme.com", "control_characters_removed"),
        ("ann@acme.com", "several_emails"),
        ("ann@acme.com", "several_emails"),
    ]


def test_email_domains_become_ascii_and_bad_ones_are_set_aside(check: Check) -> None:
    cells = ["bob@bücher.de", "ann@acme", "none@none.com", "n/a"]
    leads = check([{"email": cell, "last_name": "Lee", "phone": "+14155552671"} for cell in cells])
    assert [(lead["email"], lead["email_domain"], lead["warnings"], lead["extra"]) for lead in leads] == [
        ("bob@xn--bcher-kva.de", "xn--bcher-kva.de", [], None),
        (None, None, ["email:invalid_email"], '{"email":"ann@acme"}'),
        (None, None, ["email:placeholder_value"], '{"email":"none@none.com"}'),
        (None, None, ["email:placeholder_value"], '{"email":"n/a"}'),
    ]


PHONES: list[tuple[str, str | None, str | None, list[str]]] = [
    ("(415) 555-2671", "+14155552671", None, []),
    ("985.939.5411x2641", "+19859395411", "2641", []),
    ("001-672-799-2170x5610", "+16727992170", "5610", []),
    ("4155552671 ext. 45", "+14155552671", "45", []),
    ("+44 (0)20 7946 0958", "+442079460958", None, []),
    ("p:+14155552671", "+14155552671", None, []),
    ("14155552671.0", "+14155552671", None, []),
    ("1-800-FLOWERS", "+18003569377", None, []),
    ("＋1 415 555 2671", "+14155552671", None, []),
    ("415-555-2671 or 415-555-2672", "+14155552671", None, ["phone:several_phones"]),
    ("call me", None, None, ["phone:placeholder_value"]),
    ("0000000000", None, None, ["phone:placeholder_value"]),
    ("-2237", None, None, ["phone:spreadsheet_arithmetic"]),
    ("1.55512E+10", None, None, ["phone:spreadsheet_arithmetic"]),
    ("(123) 456-7890", None, None, ["phone:placeholder_value"]),
    ("555-1234", None, None, ["phone:invalid_phone"]),
]


def test_phones(check: Check) -> None:
    base = {"email": "ann@acme.com", "last_name": "Lee"}
    leads = check([{**base, "phone": cell} for cell, *_ in PHONES], default_country="US")
    found = [(lead["phone_e164"], lead["phone_extension"], lead["warnings"]) for lead in leads]
    assert found == [tuple(row[1:]) for row in PHONES]
    assert [lead["phone"] for lead in leads] == [cell if e164 else None for cell, e164, *_ in PHONES]


def test_phone_country_comes_from_the_row_before_the_source(check: Check) -> None:
    rows = [{"phone": "030 901820", "country": "Deutschland"}, {"phone": "020 7946 0958"}, {"phone": "+1 415 5552671"}]
    leads = check([{**row, "last_name": "Lee"} for row in rows], default_country="GB")
    assert [lead["phone_e164"] for lead in leads] == ["+4930901820", "+442079460958", "+14155552671"]


def test_counts(check_column: CheckColumn) -> None:
    cells = ["1,200", "51-200", "10k+", "> 1000", "1.200", "1200 employees", "1.2E+03", "5 000", "~500", "0",
             "Nov-50", "(1,200)", "-5", "99999999", "abc", "N/A", "€500"]  # fmt: skip
    assert check_column("employee_count", cells) == [
        (1200,), (125,), (10_000,), (1000,), (1200,), (1200,), (1200,), (5000,), (500,), (0,),
        (30, "spreadsheet_arithmetic"), (None, "out_of_range"), (None, "out_of_range"), (None, "out_of_range"),
        (None, "invalid_number"), (None, "placeholder_value"), (None, "invalid_number"),
    ]  # fmt: skip


def test_money(check_column: CheckColumn) -> None:
    cells = ["$1.2M", "€3,5 Mio", "1.200.000,50", "AED 500K", "1,00,000", "$1M - $5M", "3.5 million", "1200000",
             "(1,200)", "XYZ 500", "twelve", "unknown"]  # fmt: skip
    assert check_column("annual_revenue_usd", cells) == [
        (1_200_000,), (4_095_000,), (1_200_000.5,), (136_150,), (100_000,), (3_000_000,), (3_500_000,), (1_200_000,),
        (None, "out_of_range"), (None, "unknown_currency"), (None, "invalid_money"), (None, "placeholder_value"),
    ]  # fmt: skip


def test_bare_amounts_are_in_the_sources_currency_and_the_column_decides_on_the_comma(
    check_column: CheckColumn,
) -> None:
    assert check_column("budget_usd", ["500", "1.234,5", "1.200", "12,5"], currency="EUR") == [
        (585.0,), (1444.37,), (1404.0,), (14.63,),
    ]  # fmt: skip
    assert check_column("budget_usd", ["$100", "US$100"], currency="CAD") == [(73.0,), (100.0,)]


def test_times_of_one_meaning(check_column: CheckColumn) -> None:
    cells = ["2025-03-19", "2025-03-19T00:00:00Z", "2025-03-19 02:00:00+02:00", "19-Mar-2025", "March 19, 2025",
             "19. März 2025", "Wed, 19 Mar 2025 00:00:00 GMT", "20250319", "2025/3/19", "19/03/2025", "45735",
             "1742342400", "1742342400000", "Mar 19 2025 12:00 AM", "614 days ago"]  # fmt: skip
    found = check_column("created_at", cells)
    assert {(str(value)[:10], *codes) for value, *codes in found} == {("2025-03-19",)}


def test_impossible_times(check_column: CheckColumn) -> None:
    cells = ["31/02/2025", "2025-13-01", "hello", "1850-01-01", "2031-01-01", "N/A"]
    assert check_column("created_at", cells) == [
        (None, "invalid_date"), (None, "invalid_date"), (None, "invalid_date"), (None, "out_of_range"),
        (None, "out_of_range"), (None, "placeholder_value"),
    ]  # fmt: skip


def days(found: list[Any]) -> list[Any]:
    return [(str(value)[:10] if value else None, *codes) for value, *codes in found]


def test_day_and_month_are_never_mixed_within_a_column(check_column: CheckColumn) -> None:
    assert days(check_column("created_at", ["05/07/2025", "13/07/2025"])) == [("2025-07-05",), ("2025-07-13",)]
    assert days(check_column("created_at", ["05/07/2025", "07/13/2025"])) == [("2025-05-07",), ("2025-07-13",)]
    unknowable = (None, "ambiguous_date")
    assert days(check_column("created_at", ["05/07/2025", "06/06/2025"])) == [unknowable, ("2025-06-06",)]
    assert days(check_column("created_at", ["05/07/2025"], date_order="mdy")) == [("2025-05-07",)]
    both = ["05/07/2025", "13/07/2025", "07/13/2025"]
    assert days(check_column("created_at", both)) == [unknowable, ("2025-07-13",), ("2025-07-13",)]
    assert days(check_column("created_at", both, date_order="dmy"))[0] == ("2025-07-05",)


def test_an_undecided_column_follows_the_files_other_dates(check: Check) -> None:
    rows = [{"created_at": "05/07/2025"}, {"last_activity_at": "25/12/2024"}]
    first, _ = check([{**row, "email": "ann@acme.com", "last_name": "Lee"} for row in rows])
    assert str(first["created_at"]) == "2025-07-05 00:00:00+00:00"


def test_a_clock_without_a_zone_is_the_sources(check_column: CheckColumn) -> None:
    cells = ["2025-04-01 10:00", "01.04.2025 10:00", "2025-04-01T08:00:00Z"]
    found = check_column("created_at", cells, timezone="Europe/Berlin", date_order="dmy")
    assert {str(value) for (value,) in found} == {"2025-04-01 08:00:00+00:00"}


def test_countries(check_column: CheckColumn) -> None:
    cells = ["US", "usa", "U.S.", "UK", "England", "Deutschland", "DEU", "NA", "NO", "日本", "Côte d'Ivoire",
             "Holland", "N/A", "Atlantis"]  # fmt: skip
    assert check_column("country", cells) == [
        ("US",), ("US",), ("US",), ("GB",), ("GB",), ("DE",), ("DE",), ("NA",), ("NO",), ("JP",), ("CI",),
        ("NL",), (None, "placeholder_value"), (None, "invalid_country"),
    ]  # fmt: skip


PLACES = [
    ("US", "California", "94105", "US", "US-CA", "94105", []),
    ("US", "calif", "94105 1234", "US", "US-CA", "94105-1234", []),
    ("US", None, "8014", "US", None, "08014", ["postal_code:leading_zero_restored"]),
    ("US", "PR", "907", "US", "US-PR", "00907", ["postal_code:leading_zero_restored"]),
    ("US", "CA", "8014", "US", "US-CA", None, ["postal_code:invalid_postal_code"]),
    ("US", "Ontario", None, "US", "Ontario", None, ["region:invalid_region"]),
    (None, "NJ", "8014", "US", "US-NJ", "08014", ["postal_code:leading_zero_restored"]),
    (None, "CA", "94105", "US", "US-CA", "94105", []),
    (None, "CA", None, None, "CA", None, []),
    (None, "NJ", "94105", None, "NJ", "94105", []),
    (None, None, "8014", None, None, "8014", []),
    ("Canada", "Québec", "k1a0b1", "CA", "CA-QC", "K1A 0B1", []),
    ("DE", "Bavaria", "1067", "DE", "DE-BY", "01067", ["postal_code:leading_zero_restored"]),
    ("GB", "Yorkshire", "sw1a1aa", "GB", "Yorkshire", "SW1A 1AA", []),
    ("IT", "N/A", None, "IT", None, None, ["region:placeholder_value"]),
]


def test_regions_and_postal_codes(check: Check) -> None:
    base = {"email": "ann@acme.com", "last_name": "Lee"}
    leads = check([{**base, "country": c, "region": r, "postal_code": p} for c, r, p, *_ in PLACES])
    columns = ("country", "region", "postal_code", "warnings")
    assert [tuple(lead[column] for column in columns) for lead in leads] == [tuple(row[3:]) for row in PLACES]


def test_a_region_of_the_sources_country_names_the_country(check: Check) -> None:
    base = {"email": "ann@acme.com", "last_name": "Lee"}
    rows = [{**base, "region": "Bayern"}, {**base, "region": "BE"}, {**base, "region": "NJ", "postal_code": "8014"}]
    leads = check(rows, default_country="DE")
    assert [(lead["country"], lead["region"]) for lead in leads] == [("DE", "DE-BY"), ("DE", "DE-BE"), ("US", "US-NJ")]


NAMES = [
    ("Ann Lee", "Ann", "Lee"),
    ("ANN LEE", "Ann", "Lee"),
    ("Lee, Ann", "Ann", "Lee"),
    ("Lee,Ann", "Ann", "Lee"),
    ("Dr. Ann Lee PhD", "Ann", "Lee"),
    ("Ann Q. Lee", "Ann", "Lee"),
    ("Ludwig van Beethoven", "Ludwig", "van Beethoven"),
    ("Juan de la Cruz", "Juan", "de la Cruz"),
    ("O'BRIEN, MARY-ANN", "Mary-Ann", "O'Brien"),
    ("ronald mcdonald", "Ronald", "McDonald"),
    ("DeShawn McKay", "DeShawn", "McKay"),
    ("Martin Luther King Jr.", "Martin", "King"),
    ("carol", None, None),
    ("Mr. Smith", None, None),
    ("Acme, Inc.", None, None),
    ("李小龍", None, None),
]


def test_whole_names_are_split_where_that_is_certain(check: Check) -> None:
    leads = check([{"email": "ann@acme.com", "full_name": name} for name, *_ in NAMES])
    assert [(lead["first_name"], lead["last_name"]) for lead in leads] == [tuple(row[1:]) for row in NAMES]


def test_parts_of_names_make_the_whole_and_back(check: Check) -> None:
    names = [("ann", "LEE", None), ("Ann", None, "Ann Lee"), (None, "Lee", "Ann Lee"), ("JB", "van der berg", None),
             ("Jennifer", "Null", None), (None, "Lee", None)]  # fmt: skip
    leads = check([{"email": "a@b.de", "first_name": f, "last_name": n, "full_name": w} for f, n, w in names])
    assert [(lead["first_name"], lead["last_name"], lead["full_name"]) for lead in leads] == [
        ("Ann", "Lee", "Ann Lee"),
        ("Ann", "Lee", "Ann Lee"),
        ("Ann", "Lee", "Ann Lee"),
        ("JB", "van der Berg", "JB van der Berg"),
        ("Jennifer", "Null", "Jennifer Null"),
        (None, "Lee", None),
    ]


def test_websites(check_column: CheckColumn) -> None:
    cells = ["https://www.acme.com/about?x=1", "HTTP://WWW.ACME.COM", "acme.com:8080", "awww.com", "www.acme.co.uk",
             "shop.acme.co.uk", "acme.github.io", "https://bücher.de/", "acme", "http://1.2.3.4/", "N/A"]  # fmt: skip
    assert check_column("website", cells) == [
        ("acme.com",), ("acme.com",), ("acme.com",), ("awww.com",), ("acme.co.uk",), ("acme.co.uk",),
        ("acme.github.io",), ("xn--bcher-kva.de",), (None, "invalid_url"), (None, "invalid_url"),
        (None, "placeholder_value"),
    ]  # fmt: skip


def test_linkedin(check_column: CheckColumn) -> None:
    cells = ["https://de.linkedin.com/in/Ann-Lee/?trk=x", "linkedin.com/company/Acme", "ann-lee", "https://x.com/ann"]
    assert check_column("linkedin_url", cells) == [
        ("https://www.linkedin.com/in/ann-lee",),
        ("https://www.linkedin.com/company/acme",),
        ("https://www.linkedin.com/in/ann-lee",),
        (None, "invalid_url"),
    ]


def test_flags(check_column: CheckColumn) -> None:
    cells = ["yes", "No", "1", "0", "ja", "oui", "TRUE", "opt-in", "opted out", "maybe", "n/a"]
    assert check_column("consent", cells) == [
        (True,), (False,), (True,), (False,), (True,), (True,), (True,), (True,), (False,), (None, "invalid_flag"),
        (None, "placeholder_value"),
    ]  # fmt: skip


def test_text_is_cleaned(check_column: CheckColumn) -> None:
    cells = ["  Acme \t Corp ", "Acme\x00 Corp", "\u202eAcme Corp", "Cafe\u0301", "X", "N/A", "A" * 501]
    assert check_column("company_name", cells) == [
        ("Acme Corp",),
        ("Acme Corp", "control_characters_removed"),
        ("Acme Corp", "control_characters_removed"),
        ("Café",),
        ("X",),
        (None, "placeholder_value"),
        ("A" * 500, "value_truncated"),
    ]
    assert check_column("message", ["one\r\n  two ", "N/A"]) == [("one\ntwo",), (None, "placeholder_value")]
