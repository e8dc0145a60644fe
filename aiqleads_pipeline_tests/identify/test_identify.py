"""Who is who in a batch: keys, chains of repeats, claims, duplicates."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import duckdb
import pytest

from aiqleads_pipeline.contract import DUPLICATE_LEADS, VALIDATED_LEADS
from aiqleads_pipeline.stages.identify import claims, group_repeats, identity_keys, list_duplicates

Con = duckdb.DuckDBPyConnection
Rows = Sequence[dict[str, Any]]
NOBODY = "SELECT NULL::UUID AS lead_id, NULL::UUID AS existing_lead_id, NULL::SMALLINT AS kind LIMIT 0"


def uuid(number: int) -> UUID:
    return UUID(f"00000000-0000-8000-8000-{number:012d}")


def number_of(lead: UUID) -> int:
    return int(str(lead)[-12:])


def hashed(text: str) -> int:
    digest = hashlib.md5(text.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[8:], "little", signed=True)


def leads_of(con: Con, rows: Rows) -> duckdb.DuckDBPyRelation:
    """Accepted leads with the given cells; e-mail domains are filled in."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE accepted ("
        + ", ".join(f'"{column.name}" {column.type}' for column in VALIDATED_LEADS.columns)
        + ")"
    )
    for number, row in enumerate(rows, 1):
        full = {"lead_id": uuid(number), "batch_id": "b1", "row_number": number, "source": "shop", **row}
        full["email_domain"] = row["email"].split("@")[1] if row.get("email") else None
        names = ", ".join(f'"{name}"' for name in full)
        con.execute(f"INSERT INTO accepted ({names}) VALUES ({', '.join('?' * len(full))})", list(full.values()))
    return con.table("accepted")


def repeats_of(con: Con, rows: Rows) -> list[tuple[int, int, int]]:
    """(row, row it repeats, kind) for all repeats, in order."""
    groups = group_repeats(con, identity_keys(con, leads_of(con, rows)))
    found = groups.order("row_number").fetchall()
    assert [row[0] for row in found] == [uuid(row[3]) for row in found]
    return [(number, number_of(survivor), kind) for _, survivor, kind, number in found]


def are_same(con: Con, one: dict[str, Any], other: dict[str, Any]) -> bool:
    return repeats_of(con, [one, other]) != []


def test_each_rule_finds_the_first(con: Con) -> None:
    rows = [
        {"external_id": "7", "email": "ann@acme.com", "phone_e164": "+14155552671", "last_name": "Lee"},
        {"external_id": "7"},
        {"email": "ann@acme.com"},
        {"phone_e164": "+14155552671", "last_name": "LEE"},
        {"full_name": "Bob Ray", "company_name": "Acme Inc."},
        {"full_name": "bob  ray", "company_name": "ACME, LLC"},
        {"full_name": "Bob Ray", "company_name": "Other"},
    ]
    assert repeats_of(con, rows) == [(2, 1, 1), (3, 1, 2), (4, 1, 3), (6, 5, 4)]


def test_external_ids_are_of_one_source(con: Con) -> None:
    assert not are_same(con, {"external_id": "7", "source": "a"}, {"external_id": "7", "source": "b"})


SAME_MAILBOX = [
    ("a.n.n+news@gmail.com", "ann@googlemail.com", True),
    ("ann+x@outlook.com", "ann@outlook.com", True),
    ("a.nn@outlook.com", "ann@outlook.com", False),
    ("ann+x@acme.com", "ann@acme.com", False),
    ("+x@icloud.com", "+y@icloud.com", False),
]


@pytest.mark.parametrize(("one", "other", "same"), SAME_MAILBOX)
def test_mailboxes_by_the_providers_rules(con: Con, one: str, other: str, same: bool) -> None:
    assert are_same(con, {"email": one}, {"email": other}) == same


SAME_NAME = [
    (
        {"full_name": "Zoë Müller", "company_name": "Käse GmbH"},
        {"full_name": "ZOE MULLER", "company_name": "Kase"},
        True,
    ),
    (
        {"full_name": "Ann O'Neil", "company_name": "A & B Ltd."},
        {"full_name": "Ann ONeil", "company_name": "A&B"},
        True,
    ),
    ({"full_name": "Ann Lee", "company_name": "Inc"}, {"full_name": "Ann Lee", "company_name": "LLC"}, False),
    ({"full_name": "--", "company_name": "Acme"}, {"full_name": "..", "company_name": "Acme"}, False),
    ({"full_name": "李小龍", "company_name": "嘉禾"}, {"full_name": "李小龍", "company_name": "嘉禾"}, True),
    ({"full_name": "Ann Lee"}, {"full_name": "Ann Lee"}, False),
    ({"company_name": "Acme"}, {"company_name": "Acme"}, False),
]


@pytest.mark.parametrize(("one", "other", "same"), SAME_NAME)
def test_name_and_company(con: Con, one: dict[str, str], other: dict[str, str], same: bool) -> None:
    assert are_same(con, one, other) == same


def on_phone(*names: str | None) -> Rows:
    return [{"phone_e164": "+14155552671", "last_name": name} for name in names]


def test_a_phone_is_shared_within_a_family_or_with_the_nameless(con: Con) -> None:
    assert repeats_of(con, on_phone("Lee", "Ray", "Lee", "Ray")) == [(3, 1, 3), (4, 2, 3)]
    assert repeats_of(con, on_phone("Lee", "Ray", None)) == [(3, 1, 3)]
    assert repeats_of(con, on_phone(None, "Lee", "Ray")) == [(2, 1, 3), (3, 1, 3)]
    whole = [{"phone_e164": "+14155552671", "full_name": "Ann Lee"}, *on_phone("lee")]
    assert repeats_of(con, whole) == [(2, 1, 3)]


def test_links_through_a_later_row_make_one_lead(con: Con) -> None:
    rows = [{"email": "a@x.org"}, {"external_id": "2"}, {"external_id": "2", "email": "a@x.org"}]
    assert repeats_of(con, rows) == [(2, 1, 1), (3, 1, 1)]


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_a_chain_of_3000_is_one_lead(con: Con, seed: int | None) -> None:
    """Row n shares its id with n + 1 and its e-mail with n - 1, in order or shuffled."""
    length = 3000
    order = list(range(1, length + 1))
    if seed is not None:
        random.Random(seed).shuffle(order)
    con.execute("CREATE TEMP TABLE chain (place INTEGER, row_number BIGINT)")
    con.executemany("INSERT INTO chain VALUES (?, ?)", list(enumerate(order, 1)))
    leads = con.sql(
        """
        SELECT ('00000000-0000-8000-8000-' || lpad(row_number::VARCHAR, 12, '0'))::UUID AS lead_id, row_number,
            'shop' AS source, (place // 2)::VARCHAR AS external_id, ((place + 1) // 2) || '@x.org' AS email,
            'x.org' AS email_domain, NULL::VARCHAR AS phone_e164, NULL::VARCHAR AS first_name,
            NULL::VARCHAR AS last_name, NULL::VARCHAR AS full_name, NULL::VARCHAR AS company_name
        FROM chain
        """
    )
    groups = group_repeats(con, identity_keys(con, leads))
    assert groups.aggregate("count(*), count(DISTINCT survivor_lead_id), min(survivor_lead_id)").fetchall() == [
        (length - 1, 1, uuid(1))
    ]


def test_groups_equal_those_found_one_by_one(con: Con) -> None:
    """Against union-find over random leads that share ids and addresses."""
    dice = random.Random(5)
    rows = [
        {"external_id": str(dice.randrange(60)) if dice.random() < 0.5 else None,
         "email": f"{dice.randrange(90)}@x.org"}
        for _ in range(150)
    ]  # fmt: skip
    parent = list(range(len(rows) + 1))

    def root(number: int) -> int:
        while parent[number] != number:
            number = parent[number]
        return number

    first: dict[tuple[str, str], int] = {}
    for number, row in enumerate(rows, 1):
        for item in (item for item in row.items() if item[1]):
            one, other = root(first.setdefault(item, number)), root(number)
            parent[max(one, other)] = min(one, other)
    expected = [(number, root(number)) for number in range(1, len(rows) + 1) if root(number) != number]
    assert [(number, survivor) for number, survivor, _ in repeats_of(con, rows)] == expected


def test_a_key_is_claimed_once_for_the_lead_that_is_left(con: Con) -> None:
    rows = [{"email": "a@x.org"}, {"email": "a@x.org", "external_id": "9"}, *on_phone("Lee", "Ray", "Lee")]
    keys = identity_keys(con, leads_of(con, rows))
    found = claims(con, keys, group_repeats(con, keys)).order("lead_id, kind, tag").fetchall()
    assert [(number_of(lead), kind, tag != 0) for lead, _, tag, kind in found] == [
        (1, 1, False), (1, 2, False), (3, 3, True), (4, 3, True),
    ]  # fmt: skip
    assert len({(key, tag) for _, key, tag, _ in found}) == len(found)


def test_keys_are_the_same_on_any_machine(con: Con) -> None:
    """These numbers are in people's databases: if this test fails, all identities are lost."""
    lead = {"external_id": "7", "email": "Ann@acme.com", "phone_e164": "+14155552671", "full_name": "Ann Lee",
            "last_name": "Lee", "company_name": "Acme Inc"}  # fmt: skip
    keys = identity_keys(con, leads_of(con, [lead])).order("kind").fetchall()
    family = hashlib.md5(b"lee", usedforsecurity=False).digest()[:8]
    assert [row[2:] for row in keys] == [
        (1, hashed("1\x1fshop\x1f7"), 0),
        (2, hashed("2\x1fAnn@acme.com"), 0),
        (3, 3 * 2**60 + 14155552671, (int.from_bytes(family, "little") & 0xFFFFFFFF) - 2**31),
        (4, hashed("4\x1fannlee\x1facme"), 0),
    ]
    assert keys[0][3] == -3254278586523071947


def test_duplicates_name_the_existing_lead_and_the_rule(con: Con) -> None:
    rows = [
        {"email": "a@x.org"},
        {"email": "a@x.org"},
        {"email": "b@x.org"},
        {"email": "b@x.org"},
        {"email": "c@x.org"},
    ]
    leads = leads_of(con, rows)
    groups = group_repeats(con, identity_keys(con, leads))
    con.execute("CREATE TEMP TABLE known AS " + NOBODY)
    con.execute("INSERT INTO known VALUES (?, ?, 3), (?, ?, 4)", [uuid(1), uuid(901), uuid(5), uuid(905)])
    found = list_duplicates(con, leads, groups, con.table("known"))
    assert found.columns == DUPLICATE_LEADS.column_names
    assert found.order("row_number").fetchall() == [
        (uuid(1), "b1", 1, uuid(901), "phone", 0.95),
        (uuid(2), "b1", 2, uuid(901), "email", 1.0),
        (uuid(4), "b1", 4, uuid(3), "email", 1.0),
        (uuid(5), "b1", 5, uuid(905), "name_company", 0.85),
    ]


def test_leads_without_any_key_are_nobodys_repeat(con: Con) -> None:
    assert repeats_of(con, [{"company_name": "Acme"}, {"company_name": "Acme"}]) == []
    assert repeats_of(con, []) == []
