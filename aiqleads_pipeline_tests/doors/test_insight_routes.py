"""`GET /v1/insights/...` and `/v1/recommendations`: the newest mart, for who may see every client's leads only."""

from __future__ import annotations

import duckdb
import pytest

from aiqleads_pipeline_tests.doors.conftest import Service
from aiqleads_pipeline_tests.doors.test_permissions import key_of
from resources.lake import Lake


@pytest.fixture(scope="module", autouse=True)
def marts(service: Service) -> None:
    lake = Lake(str(service.home / "lake"))
    with duckdb.connect() as con:
        for version, owner in (("20260101", "old"), ("20260102", "ann")):
            rows = con.sql(
                f"SELECT * FROM (VALUES ('{owner}', 'lead-1', 71.5), ('bob', 'lead-2', 60.0)) t(owner, lead_id, s)"
            )
            lake.write(rows, "recommended_leads", version)
        lake.write(con.sql("SELECT 'ads' AS source, 0.25::DOUBLE AS won_share"), "source_value", "20260102")


@pytest.mark.parametrize("role", ["admin", "ops", "viewer"])
def test_insights_are_the_newest_mart(service: Service, role: str) -> None:
    reply = service.get("/v1/insights/source_value", key_of(service, role))
    assert (reply.status, reply.json) == (200, {"version": "20260102", "rows": [{"source": "ads", "won_share": 0.25}]})


def test_a_mart_not_made_yet_is_empty_and_other_tables_are_no_insights(service: Service) -> None:
    key = key_of(service, "ops")
    for name in ("market_insights", "provider_value"):
        reply = service.get(f"/v1/insights/{name}", key).json
        assert (reply["version"], reply["rows"]) == (None, [])
        assert "aiqleads insights renew" in reply["hint"]
    for name in ("recommended_leads", "raw_leads", "..%2Fsource_value", "source_value%00"):
        assert service.get(f"/v1/insights/{name}", key).status == 404, name


@pytest.mark.parametrize(
    ("query", "leads"),
    [("", ["lead-1", "lead-2"]), ("?owner=bob", ["lead-2"]), ("?owner=old", []), ("?owner=x'%20OR%20true--", [])],
    ids=["all", "one owner", "of an older version", "no SQL"],
)
def test_recommendations_are_of_all_owners_or_of_one(service: Service, query: str, leads: list[str]) -> None:
    reply = service.get(f"/v1/recommendations{query}", key_of(service, "admin"))
    assert reply.json["version"] == "20260102"
    assert [row["lead_id"] for row in reply.json["rows"]] == leads


@pytest.mark.parametrize(
    ("role", "path"),
    [("client", "/v1/insights/source_value"), ("client", "/v1/recommendations"), ("viewer", "/v1/recommendations")],
)
def test_who_may_not_see_every_clients_leads_sees_none(service: Service, role: str, path: str) -> None:
    reply = service.get(path, key_of(service, role))
    assert (reply.status, reply.code) == (403, "not_allowed")
    assert b"lead-1" not in reply.body and b"ads" not in reply.body
