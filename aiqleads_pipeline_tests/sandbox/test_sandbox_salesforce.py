"""Salesforce as its documentation tells it."""

import csv
import io

import pytest

DATA = "/services/data/v62.0"
UPSERT = f"{DATA}/composite/sobjects/Lead/AIQLeads_Id__c"


@pytest.fixture
def login(sandbox, ask):
    known = sandbox.credentials["salesforce"]
    form = {name: known[name] for name in ("client_id", "client_secret")}
    answer = ask(
        "salesforce", "POST", "/services/oauth2/token", data={"grant_type": "client_credentials", **form}
    ).json()
    assert answer["instance_url"] == sandbox.url("salesforce")
    return {"Authorization": f"Bearer {answer['access_token']}"}


@pytest.fixture
def call(ask, login):
    def made(method, path, **kwargs):
        return ask("salesforce", method, path, headers=login | kwargs.pop("headers", {}), **kwargs)

    return made


def lead(number, **fields):
    base = {"attributes": {"type": "Lead"}, "AIQLeads_Id__c": f"L{number}", "LastName": "Doe", "Company": "Acme"}
    return {name: value for name, value in (base | fields).items() if value is not None}


def upsert(call, *leads, whole=False, **headers):
    return call("PATCH", UPSERT, json={"allOrNone": whole, "records": list(leads)}, headers=headers)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_id": "x"}, "invalid_client_id"),
        ({"client_secret": "x"}, "invalid_client"),
        ({"grant_type": "magic"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
        ({"grant_type": "password", "username": "x"}, "invalid_grant"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_log_in_refused(sandbox, ask, change, error):
    form = {"grant_type": "client_credentials", **sandbox.credentials["salesforce"], **change}
    answer = ask("salesforce", "POST", "/services/oauth2/token", data=form)
    assert answer.status_code == 400 and answer.json()["error"] == error


def test_upsert_twice_makes_one_record(sandbox, call):
    first, again = (upsert(call, lead(1), lead(2)) for _ in range(2))
    assert [row["created"] for row in first.json()] == [True, True]
    assert [row["created"] for row in again.json()] == [False, False]
    assert [row["id"] for row in first.json()] == [row["id"] for row in again.json()]
    assert first.headers["sforce-limit-info"] == "api-usage=1/100000"
    counts = sandbox.counts("salesforce")
    assert (counts["effects"], counts["repeats"], len(sandbox.records("salesforce", "Lead"))) == (2, 2, 2)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"LastName": None}, "REQUIRED_FIELD_MISSING"),
        ({"Email": "no address"}, "INVALID_EMAIL_ADDRESS"),
        ({"FirstName": "x" * 41}, "STRING_TOO_LONG"),
        ({"NumberOfEmployees": "many"}, "JSON_PARSER_ERROR"),
        ({"IsConverted": True}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"OwnerId": "me"}, "MALFORMED_ID"),
        ({"AIQLeads_Id__c": ""}, "MISSING_ARGUMENT"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_one_bad_record_fails_alone(call, fields, code):
    good, bad = upsert(call, lead(1), lead(2, **fields)).json()
    assert good["success"] and not bad["success"] and bad["errors"][0]["statusCode"] == code


def test_all_or_none_takes_everything_back(sandbox, call):
    upsert(call, lead(1, Company="Before"))
    rows = upsert(call, lead(1, Company="After"), lead(2), lead(3, LastName=None), whole=True).json()
    codes = [row["errors"][0]["statusCode"] for row in rows]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK"] * 2 + ["REQUIRED_FIELD_MISSING"]
    assert [row["Company"] for row in sandbox.records("salesforce", "Lead")] == ["Before"]


def test_the_same_id_twice_in_one_call_is_refused(call):
    codes = [row["errors"][0]["statusCode"] for row in upsert(call, lead(1), lead(1)).json()]
    assert codes == ["DUPLICATE_VALUE"] * 2


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (UPSERT, {"records": [lead(n) for n in range(201)]}, 400, "EXCEEDED_ID_LIMIT"),
        (UPSERT, {"records": [lead(1, Nonsense="x")]}, 400, "INVALID_FIELD"),
        (UPSERT, {"records": [{"LastName": "x"}]}, 400, "INVALID_INPUT"),
        (UPSERT, [], 400, "JSON_PARSER_ERROR"),
        (f"{DATA}/composite/sobjects/Lead/Email", {"records": [lead(1)]}, 400, "INVALID_FIELD"),
        (f"{DATA}/composite/sobjects/Nothing/Id__c", {"records": [lead(1)]}, 404, "NOT_FOUND"),
    ],
    ids=["201", "field", "type", "shape", "no-external-id", "object"],
)
def test_calls_refused_as_a_whole(sandbox, call, path, body, status, code):
    answer = call("PATCH", path, json=body)
    assert answer.status_code == status and answer.json()[0]["errorCode"] == code
    assert sandbox.records("salesforce", "Lead") == []


def test_duplicate_rule_and_assignment_headers(sandbox, call):
    upsert(call, lead(1, Email="a@b.com"), **{"Sforce-Auto-Assign": "FALSE"})
    [refused] = upsert(call, lead(2, Email="A@b.com")).json()
    assert refused["errors"][0]["statusCode"] == "DUPLICATES_DETECTED"
    [allowed] = upsert(call, lead(2, Email="A@b.com"), **{"Sforce-Duplicate-Rule-Header": "allowSave=true"}).json()
    assert allowed["success"]
    owners = [row["OwnerId"] for row in sandbox.records("salesforce", "Lead")]
    assert owners == ["005000000000001AAA", "005000000000002AAA"]


def test_sessions_end_and_limits_hold(sandbox, call, ask):
    assert ask("salesforce", "GET", f"{DATA}/limits").json()[0]["errorCode"] == "INVALID_SESSION_ID"
    sandbox.configure("salesforce", daily_api_requests=2)
    assert call("GET", f"{DATA}/limits").json()["DailyApiRequests"] == {"Max": 2, "Remaining": 1}
    upsert(call, lead(1))
    answer = upsert(call, lead(2))
    assert answer.status_code == 403 and answer.json()[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"
    sandbox.act("salesforce", "expire_tokens")
    assert upsert(call, lead(2)).status_code == 401


def test_a_token_may_last_for_some_calls_only(sandbox, ask, login):
    sandbox.configure("salesforce", token_calls=1)
    form = {"grant_type": "client_credentials", **sandbox.credentials["salesforce"]}
    token = ask("salesforce", "POST", "/services/oauth2/token", data=form).json()["access_token"]
    said = [
        ask("salesforce", "GET", f"{DATA}/limits", headers={"Authorization": f"Bearer {token}"}).status_code
        for _ in "ab"
    ]
    assert said == [200, 401]


def test_queries_read_back(sandbox, call):
    rows = upsert(call, *(lead(n, Email=f"a{n}@b.com", NumberOfEmployees=n) for n in range(450)[:200])).json()
    ids = "','".join(row["id"] for row in rows[:3])

    def query(text):
        return call("GET", f"{DATA}/query", params={"q": text})

    answer = query(
        f"SELECT Id, Owner.Name FROM Lead WHERE Id IN ('{ids}') AND NumberOfEmployees > 0 ORDER BY Email DESC"
    ).json()
    assert [row["Id"] for row in answer["records"]] == [rows[2]["id"], rows[1]["id"]]
    assert answer["records"][0]["Owner"]["Name"] == "Lead Rule Owner"
    assert (
        query("SELECT COUNT() FROM Lead WHERE Email LIKE 'a1_@b.com' OR (NOT Company = 'acme')").json()["totalSize"]
        == 10
    )
    sandbox.configure("salesforce", page_size=150)
    first = query("SELECT Id FROM Lead WHERE CreatedDate > 2020-01-01T00:00:00Z").json()
    rest = call("GET", first["nextRecordsUrl"]).json()
    assert (len(first["records"]), first["done"], len(rest["records"]), rest["done"]) == (150, False, 50, True)
    assert query("SELECT Nothing FROM Lead").json()[0]["errorCode"] == "INVALID_FIELD"
    assert query("SELECT Id FROM Lead WHERE").json()[0]["errorCode"] == "MALFORMED_QUERY"
    back = call(
        "POST",
        f"{DATA}/composite/sobjects/Lead",
        json={"ids": [rows[0]["id"], "00Q0000000xxxxxAAA"], "fields": ["Email"]},
    )
    assert [row and row["Email"] for row in back.json()] == ["a0@b.com", None]


def test_one_record_by_its_external_id(call):
    path = f"{DATA}/sobjects/Lead/AIQLeads_Id__c/L1"
    body = {"LastName": "Doe", "Company": "Acme"}
    assert [call("PATCH", path, json=body).status_code for _ in range(2)] == [201, 200]
    record = call("GET", path).json()
    assert record["Company"] == "Acme" and call("DELETE", f"{DATA}/sobjects/Lead/{record['Id']}").status_code == 204
    assert call("GET", path).status_code == 404


def job(call, text, **changes):
    order = {
        "object": "Lead",
        "operation": "upsert",
        "externalIdFieldName": "AIQLeads_Id__c",
        "contentType": "CSV",
    } | changes
    made = call("POST", f"{DATA}/jobs/ingest", json=order).json()
    path = f"{DATA}/jobs/ingest/{made['id']}"
    assert made["state"] == "Open"
    assert call("PUT", f"{path}/batches", data=text.encode(), headers={"Content-Type": "text/csv"}).status_code == 201
    return path


def rows_of(call, path, kind):
    return list(csv.DictReader(io.StringIO(call("GET", f"{path}/{kind}").text)))


def test_a_bulk_job_tells_what_became_of_each_row(sandbox, call):
    path = job(call, 'AIQLeads_Id__c,LastName,Company,Email\nL1,Doe,"A, ""B"" Co",a@b.com\nL2,,Acme,\n')
    assert call("PATCH", path, json={"state": "UploadComplete"}).json()["state"] == "UploadComplete"
    assert [call("GET", path).json()["state"] for _ in range(3)] == ["InProgress", "JobComplete", "JobComplete"]
    info = call("GET", path).json()
    assert (info["numberRecordsProcessed"], info["numberRecordsFailed"]) == (2, 1)
    [good], [bad] = rows_of(call, path, "successfulResults"), rows_of(call, path, "failedResults")
    assert (good["sf__Created"], good["Company"]) == ("true", 'A, "B" Co') and bad["sf__Error"].startswith(
        "REQUIRED_FIELD"
    )
    assert sandbox.counts("salesforce")["effects"] == 1
    again = job(call, "AIQLeads_Id__c,LastName,Company\nL1,Doe,\n")
    call("PATCH", again, json={"state": "UploadComplete"})
    assert [call("GET", again).json()["state"] for _ in range(2)][-1] == "JobComplete"
    assert rows_of(call, again, "successfulResults")[0]["sf__Created"] == "false"
    assert call("DELETE", again).status_code == 204 and call("GET", again).status_code == 404


def test_a_bulk_job_that_is_aborted_or_wrong(call):
    path = job(call, "AIQLeads_Id__c,LastName,Company\nL1,Doe,Acme\n")
    assert call("PATCH", path, json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert [row["AIQLeads_Id__c"] for row in rows_of(call, path, "unprocessedrecords")] == ["L1"]
    assert call("PATCH", path, json={"state": "UploadComplete"}).json()[0]["errorCode"] == "INVALIDJOBSTATE"
    wrong = job(call, "AIQLeads_Id__c,Nonsense\nL1,x\n")
    call("PATCH", wrong, json={"state": "UploadComplete"})
    states = [call("GET", wrong).json() for _ in range(2)]
    assert states[-1]["state"] == "Failed" and "Nonsense" in states[-1]["errorMessage"]
    refused = call("POST", f"{DATA}/jobs/ingest", json={"object": "Lead", "operation": "upsert"})
    assert refused.json()[0]["errorCode"] == "INVALIDJOB"
    type_of = call("PUT", f"{path}/batches", data=b"x", headers={"Content-Type": "application/json"})
    assert type_of.status_code == 415


def test_partial_failures_are_busy_rows(sandbox, call):
    sandbox.fault("salesforce", "partial", route="PATCH *", records=0.5, times=1)
    rows = upsert(call, *(lead(n) for n in range(40))).json()
    failed = [n for n, row in enumerate(rows) if not row["success"]]
    assert 5 < len(failed) < 35 and rows[failed[0]]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"
    assert all(row["success"] for row in upsert(call, *(lead(n) for n in failed)).json())
    assert len(sandbox.records("salesforce", "Lead")) == 40


def test_work_done_but_the_answer_lost_makes_no_second_record(sandbox, call):
    import requests

    sandbox.fault("salesforce", "lost", route="PATCH *", times=1)
    with pytest.raises(requests.ConnectionError):
        upsert(call, lead(1))
    assert upsert(call, lead(1)).json()[0]["created"] is False
    assert len(sandbox.records("salesforce", "Lead")) == 1
