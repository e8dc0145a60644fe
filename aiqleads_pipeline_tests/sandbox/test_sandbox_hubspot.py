"""HubSpot as its documentation tells it."""

import pytest

CONTACTS = "/crm/v3/objects/contacts"


@pytest.fixture
def call(sandbox, ask):
    token = {"Authorization": f"Bearer {sandbox.credentials['hubspot']['access_token']}"}

    def made(method, path, **kwargs):
        return ask("hubspot", method, path, headers=token, **kwargs)

    return made


def contact(number, **properties):
    given = {"email": f"p{number}@example.com", "lastname": "Doe"} | properties
    return {
        "idProperty": "aiqleads_lead_id",
        "id": f"l{number}",
        "objectWriteTraceId": f"d{number}",
        "properties": given,
    }


def upsert(call, *contacts):
    return call("POST", f"{CONTACTS}/batch/upsert", json={"inputs": list(contacts)})


def test_upsert_twice_makes_one_contact(sandbox, call):
    first, again = (upsert(call, contact(1), contact(2)) for _ in range(2))
    assert first.status_code == again.status_code == 200
    assert [row["new"] for row in first.json()["results"]] == [True, True]
    assert [row["new"] for row in again.json()["results"]] == [False, False]
    assert [row["objectWriteTraceId"] for row in again.json()["results"]] == ["d1", "d2"]
    counts = sandbox.counts("hubspot")
    assert (counts["effects"], counts["repeats"], len(sandbox.records("hubspot", "contacts"))) == (2, 2, 2)


def test_one_bad_contact_is_an_error_of_a_207(call):
    answer = upsert(call, contact(1), contact(2, email="nonsense"), contact(3, annualrevenue="much"))
    told = answer.json()
    assert answer.status_code == 207 and told["numErrors"] == 2 and len(told["results"]) == 1
    assert [error["category"] for error in told["errors"]] == ["VALIDATION_ERROR"] * 2
    assert told["errors"][0]["context"]["objectWriteTraceId"] == ["d2"]


def test_another_contact_with_the_same_address_is_a_conflict(call):
    known = upsert(call, contact(1)).json()["results"][0]["id"]
    [error] = upsert(call, contact(2, email="P1@example.com")).json()["errors"]
    assert error["category"] == "CONFLICT" and error["message"].endswith(f"Existing ID: {known}")


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ([contact(n) for n in range(101)], "maximum batch size"),
        ([contact(1, lastname=5)], "java.lang.String"),
        ([contact(1, lastname=None)], "java.lang.String"),
        ([contact(1, nonsense="x")], "does not exist"),
        ([contact(1), contact(1)], "Duplicate IDs"),
        ([contact(1) | {"idProperty": "lastname"}], "not a unique property"),
        ([contact(1) | {"id": ""}], "required fields"),
        ([], "required fields"),
    ],
    ids=["101", "number", "null", "unknown", "twice", "not-unique", "no-id", "none"],
)
def test_batches_refused_as_a_whole(sandbox, call, inputs, told):
    answer = upsert(call, *inputs)
    assert answer.status_code == 400 and told in answer.json()["message"]
    assert answer.json()["category"] == "VALIDATION_ERROR" and sandbox.records("hubspot", "contacts") == []


def test_credentials_and_content_types(sandbox, ask, call):
    body = {"inputs": [contact(1)]}
    assert ask("hubspot", "POST", f"{CONTACTS}/batch/upsert", json=body).json()["category"] == "INVALID_AUTHENTICATION"
    assert call("POST", f"{CONTACTS}/batch/upsert", data=b"{}").status_code == 400
    assert call("GET", "/crm/v3/nothing").status_code == 404
    known = {"grant_type": "refresh_token", **sandbox.credentials["hubspot"]}
    token = ask("hubspot", "POST", "/oauth/v1/token", data=known).json()
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    assert token["expires_in"] == 1800 and ask("hubspot", "GET", CONTACTS, headers=bearer).status_code == 200
    sandbox.act("hubspot", "expire_tokens")
    assert ask("hubspot", "GET", CONTACTS, headers=bearer).status_code == 401
    assert ask("hubspot", "POST", "/oauth/v1/token", data=known | {"client_id": "x"}).status_code == 400


def test_limits_of_a_window_and_of_a_day(sandbox, call):
    sandbox.configure("hubspot", requests_per_window=3, window_seconds=3600)
    answers = [call("GET", CONTACTS) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["x-hubspot-ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert answers[0].headers["x-hubspot-ratelimit-max"] == "3"
    assert (answers[3].json()["errorType"], answers[3].json()["policyName"]) == ("RATE_LIMIT", "TEN_SECONDLY_ROLLING")
    sandbox.configure("hubspot", requests_per_window=100, daily_requests=5)
    assert [call("GET", CONTACTS).status_code for _ in range(2)] == [200, 429]
    assert call("GET", CONTACTS).json()["policyName"] == "DAILY"


def test_read_back_search_and_single_records(call):
    upsert(call, *(contact(n, city="Berlin" if n % 2 else "Lyon") for n in range(4)))
    asked = {"idProperty": "aiqleads_lead_id", "properties": ["city"], "inputs": [{"id": "l1"}, {"id": "l9"}]}
    answer = call("POST", f"{CONTACTS}/batch/read", json=asked)
    assert answer.status_code == 207 and answer.json()["errors"][0]["category"] == "OBJECT_NOT_FOUND"
    assert answer.json()["results"][0]["properties"]["city"] == "Berlin"
    wanted = {"filterGroups": [{"filters": [{"propertyName": "city", "operator": "EQ", "value": "Lyon"}]}], "limit": 1}
    found = call("POST", f"{CONTACTS}/search", json=wanted).json()
    assert (found["total"], len(found["results"]), found["paging"]["next"]["after"]) == (2, 1, "1")
    one = call("GET", f"{CONTACTS}/l1?idProperty=aiqleads_lead_id").json()
    assert call("PATCH", f"{CONTACTS}/{one['id']}", json={"properties": {"city": "Leeds"}}).status_code == 200
    assert call("POST", CONTACTS, json={"properties": {"email": "p1@example.com"}}).status_code == 409
    assert call("DELETE", f"{CONTACTS}/{one['id']}").status_code == 204
    assert call("GET", f"{CONTACTS}/{one['id']}").status_code == 404


def test_companies_and_links(sandbox, call):
    person = upsert(call, contact(1)).json()["results"][0]["id"]
    company = {"idProperty": "aiqleads_key", "id": "acme.com", "properties": {"name": "Acme", "domain": "acme.com"}}
    place = call("POST", "/crm/v3/objects/companies/batch/upsert", json={"inputs": [company]}).json()["results"][0][
        "id"
    ]
    pairs = {"inputs": [{"from": {"id": person}, "to": {"id": place}}, {"from": {"id": "1"}, "to": {"id": place}}]}
    path = "/crm/v4/associations/contacts/companies/batch"
    answer = call("POST", f"{path}/associate/default", json=pairs)
    assert answer.status_code == 207 and len(answer.json()["results"]) == 1
    read = call("POST", f"{path}/read", json={"inputs": [{"id": person}]}).json()
    assert read["results"][0]["to"][0]["toObjectId"] == int(place)
    assert len(sandbox.records("hubspot", "associations")) == 2


def test_partial_failures_and_what_people_do(sandbox, call):
    sandbox.fault("hubspot", "partial", records=0.5, times=1)
    told = upsert(call, *(contact(n) for n in range(40))).json()
    assert 5 < told["numErrors"] < 35 and {error["category"] for error in told["errors"]} == {"INTERNAL_ERROR"}
    known = told["results"][0]["id"]
    sandbox.act("hubspot", "edit", type="contacts", id=known, properties={"lifecyclestage": "customer"})
    assert sandbox.records("hubspot", "contacts")[0]["properties"]["lifecyclestage"] == "customer"
    deal = sandbox.act("hubspot", "create", type="deals", properties={"dealname": "D", "amount": "5"})
    assert sandbox.act("hubspot", "associate", one="contacts", id=known, other="deals", other_id=deal) == 1
