"""Uploads end to end: a file over HTTP, the batch it becomes, its rejected rows corrected and sent again."""

from __future__ import annotations

import csv
import http.client
import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import duckdb
import openpyxl
import pytest
from sqlalchemy import text as sql

from aiqleads_pipeline.stages.reading.corrected import guarded, guarded_text, unguarded
from aiqleads_pipeline_tests.doors.upload_world import (
    UploadWorld,
    events_of,
    memory_bytes,
    sender,
    upload_world,
)
from resources.store import batches, drops


@pytest.fixture(scope="module")
def world(make_database: Callable[[], str]) -> Iterator[UploadWorld]:
    with upload_world(make_database) as world:
        yield world


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def as_csv(header: list[str], rows: list[list[str]], delimiter: str = ",") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([header, *rows])
    return text.getvalue()


def test_a_file_becomes_a_batch_and_the_same_bytes_the_same_batch(world: UploadWorld) -> None:
    client = sender(world.service)
    text = f"Last Name,Email\nAlder,ann@{client.client}-works.com\nBirch,\n"
    first = client.upload(text, "filename=my%20leads.csv")
    batch_id = first.json["batch_id"]
    assert (first.status, first.json["is_repeat"], first.json["state"]) == (202, False, "waiting")
    assert first.headers["location"] == first.json["links"]["self"] == f"/v1/uploads/{batch_id}"
    again = client.upload(text, "filename=other.csv")
    assert (again.status, again.json["batch_id"], again.json["is_repeat"]) == (202, batch_id, True)
    [drop] = drops.drops_of(world.service.store, batch_id)
    assert (drop.channel, drop.source, drop.name) == ("upload", client.client, "my leads.csv")
    world.run()
    found = client.look(batch_id)
    assert found["state"] == "done"
    assert found["is_ended"]
    assert found["file_name"] == "my leads.csv"
    assert found["progress"]["done_count"] == found["progress"]["total_count"] == 8
    assert found["counts"] == {
        "received": 2, "rejected": 1, "duplicates": 0, "accepted": 1, "routed": 1, "in_review": 0,
        "delivered_pending": found["counts"]["delivered_pending"],
    }  # fmt: skip
    assert [(each["code"], each["rows_count"]) for each in found["rejections"]] == [("unreachable", 1)]
    assert client.upload(text).json["state"] == "done"


NASTY = ["=1+1", "'=quoted", "+evil()", "@sum", "-5", "--x", "a,b;c", 'say "x"', "two\nlines", "\tTab", "Ünï", "''-y"]


def test_rejected_rows_are_corrected_and_sent_again_with_every_other_cell_as_it_was(world: UploadWorld) -> None:
    client = sender(world.service)
    header = ["+Notiz", "Nachname", "E-Mail Adresse", "code", "Firma"]
    rows = [
        [cell, f"Alder{i}", "" if i % 2 else f"ok{i}@{client.client}.com", "x", "F"] for i, cell in enumerate(NASTY)
    ]
    batch_id = client.sent(as_csv(header, rows, ";"), "filename=leads.csv")
    world.run()
    text = client.errors(batch_id)
    listed = list(csv.reader(io.StringIO(text)))
    assert listed[0] == ["'+Notiz", *header[1:], "line_number", "column", "code", "how_to_fix"]
    assert [row[1] for row in listed[1:]] == [f"Alder{i}" for i in range(1, len(NASTY), 2)]
    assert {row[7] for row in listed[1:]} == {"unreachable"}
    assert all(row[8] for row in listed[1:])
    assert listed[1][5] == "3"
    starts = [cell[0] for row in listed for cell in row if cell and not cell.lstrip("+-").isdigit()]
    assert not set("=+@\t\r-") & set(starts)
    for row in listed[1:]:
        row[2] = f"{row[1].lower()}@{client.client}.com"
    corrected = as_csv(listed[0], listed[1:])
    second = client.sent(corrected, "filename=corrected.csv")
    world.run()
    found = client.look(second)
    assert found["counts"]["routed"] == found["counts"]["received"] == len(NASTY) // 2, found
    kept = world.rows("raw_leads", second, "message", "extra")
    assert [(message, json.loads(extra)) for message, extra in kept] == [(cell, {"code": "x"}) for cell in NASTY[1::2]]


def test_rows_of_workbooks_and_rows_that_cannot_be_read_are_listed_too(world: UploadWorld) -> None:
    client = sender(world.service)
    book = openpyxl.Workbook()
    book.active.append(["Full Name", "Mail", "Seats"])
    book.active.append(["Ann Alder", f"ann@{client.client}.com", 3])
    book.active.append(["Bob Birch", "", 7])
    file = io.BytesIO()
    book.save(file)
    sheet = client.upload(file.getvalue(), "filename=a.xlsx", "application/octet-stream").json["batch_id"]
    name = client.client
    text = client.sent(f"Last Name,Email,City\nA,a@{name}.com,X\nSmith, Jr,s@{name}.com,Y\nB,b@{name}.com\n")
    world.run()
    [row] = rows_of(client.errors(sheet))
    assert [row[name] for name in ("Full Name", "Mail", "Seats", "code")] == ["Bob Birch", "", "7", "unreachable"]
    first, second = rows_of(client.errors(text))
    assert [first["Last Name"], first["Email"], first["City"]] == ["Smith", " Jr", f"s@{name}.com,Y"]
    assert [second["Last Name"], second["Email"], second["City"]] == ["B", f"b@{name}.com", ""]
    assert (first["line_number"], first["code"]) == ("3", "wrong_column_count")


def test_guarding_is_undone_exactly() -> None:
    cells = [
        *NASTY,
        "",
        "'",
        "''",
        "'a",
        "=",
        "'=",
        "''=",
        "'''=x",
        "+1.5",
        "-1",
        "+1-2",
        "\r",
        "\n=",
        "'\n",
        "ok",
        " =1",
    ]
    with duckdb.connect() as con:
        cell = duckdb.ColumnExpression("cell")
        relation = con.values(*[(duckdb.ConstantExpression(each),) for each in cells])
        relation = relation.project(duckdb.ColumnExpression("col0").alias("cell"))
        guarded_cells = relation.project(guarded(cell).alias("cell"))
        assert [row[0] for row in guarded_cells.fetchall()] == [guarded_text(each) for each in cells]
        assert [row[0] for row in guarded_cells.project(unguarded(cell)).fetchall()] == cells


def test_a_sender_says_what_a_column_means(world: UploadWorld) -> None:
    client = sender(world.service)
    text = f"Wer,Wohin damit\nAlder,ann@{client.client}.com\n"
    batch_id = client.upload_form(text).json["batch_id"]
    world.run()
    refused = client.look(batch_id)
    assert (refused["state"], refused["reason"]["code"]) == ("quarantined", "no_contact_column")
    assert client.ask("GET", f"/v1/uploads/{batch_id}/errors.csv").code == "no_rejected_rows_yet"
    mapping = {"Wer": "last_name", "Wohin damit": "email"}
    again = client.upload_form(text, mapping=json.dumps(mapping))
    assert (again.json["batch_id"], again.json["state"]) == (batch_id, "waiting")
    world.run()
    found = client.look(batch_id)
    assert (found["state"], found["counts"]["routed"], found["mapping"]) == ("done", 1, mapping)
    assert client.upload_form(text, mapping=json.dumps(mapping)).status == 202
    other = client.upload_form(text, mapping=json.dumps({"Wer": "full_name"}))
    assert (other.status, other.code, other.json["batch_id"]) == (409, "mapping_fixed", batch_id)


@pytest.mark.parametrize(
    "mapping",
    ['{"a":"nothing"}', '{"a":1}', '{"":"email"}', '["a"]', "{", '{"a":"email","A":"phone"}', '{"a":["email"]}'],
)
def test_a_mapping_that_says_nothing_sensible_is_refused(world: UploadWorld, mapping: str) -> None:
    reply = sender(world.service).upload("Last Name,Email\nA,a@b.com\n", f"mapping={quote(mapping)}")
    assert reply.status == 400
    assert reply.code in ("invalid_request", "malformed_request")


def test_a_preview_shows_columns_and_first_rows_and_keeps_nothing(world: UploadWorld) -> None:
    client = sender(world.service)
    text = "Last Name,Kontakt,Wo\n" + "".join(f"N{i},n{i}@works.com,<b>{i}</b>\n" for i in range(40)) + "cut,cu"
    path = "/v1/uploads/preview"
    found = client.upload_form(text, path, is_head="true").json
    assert [(each["header"], each["column"], each["looks_like"]) for each in found["columns"]] == [
        ("Last Name", "last_name", None), ("Kontakt", None, "email"), ("Wo", None, None),
    ]  # fmt: skip
    assert (found["rows_count"], found["is_reachable"], len(found["rows"])) == (40, False, 10)
    assert found["rows"][0]["cells"] == ["N0", "n0@works.com", "<b>0</b>"]
    mapped = client.upload_form(text, path, mapping='{"kontakt":"email","Wo":"ignore"}').json
    assert (mapped["is_reachable"], mapped["rows_count"]) == (True, 41)
    assert mapped["rows"][0]["lead"] == {"last_name": "N0", "email": "n0@works.com"}
    assert {"email", "ignore"} <= {field["name"] for field in mapped["fields"]}
    utf16 = ("Last Name;Email\r\nÄ;a@b.com\r\n" * 2 + "cu").encode("utf-16")
    assert client.upload_form(utf16[:-1], path, is_head="1").json["encoding"].startswith("utf-16")
    html = client.upload_form("<html><body>x</body></html>", path)
    assert (html.status, html.code) == (415, "not_a_table")
    assert list(world.outside.settings.home.glob("bucket/.drops/.staging/*")) == []


def test_what_is_no_file_of_leads_is_refused_at_the_door(world: UploadWorld) -> None:
    client = sender(world.service)
    assert client.upload(b"\x89PNG\r\n\x1a\n" + bytes(100)).code == "not_a_table"
    assert client.upload(b"").code == "empty_file"
    assert client.upload("a,b\n", content_type="image/png").status == 415
    assert client.upload("a,b\n", content_type="application/x-www-form-urlencoded").status == 415
    assert client.ask("POST", "/v1/uploads", "a,b\n", Content_Encoding="gzip").status == 415
    assert client.upload_form(None).code == "no_file"
    typed = {"Content_Type": "multipart/form-data; boundary=xx"}
    part = '--xx\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\na,b\r\n'
    for body, code in (
        (f"{part}{part}--xx--", "several_files"),
        (part, "malformed_request"),
        ("nothing of a form", "malformed_request"),
        ("", "malformed_request"),
        (f"--xx\r\n{'a' * 9000}: b\r\n\r\n--xx--", "malformed_request"),
        (f'--xx\r\nContent-Disposition: form-data; name="s"\r\n\r\n{"a" * 70_000}\r\n{part}--xx--', "body_too_large"),
        ('--xx\r\nContent-Disposition: form-data; name="s"\r\n\r\na\r\n' * 30 + f"{part}--xx--", "malformed_request"),
    ):
        reply = client.ask("POST", "/v1/uploads", body, **typed)
        assert reply.status in (400, 413), (body[:60], reply.body)
        assert reply.code == code, body[:60]
    assert client.ask("POST", "/v1/uploads", part, Content_Type="multipart/form-data").code == "malformed_request"
    assert client.upload("Last Name,Email\n", "filename=%00").status == 400


def test_sources_of_others_are_out_of_reach(world: UploadWorld) -> None:
    other, client, ops = sender(world.service), sender(world.service), sender(world.service, "ops")
    text = f"Last Name,Email\nA,a@{client.client}.com\n"
    assert client.upload(text, f"source={other.client}").code == "source_not_allowed"
    assert client.upload(text, "source=outcomes").code == "source_not_allowed"
    assert client.upload(text, "source=../x").code == "invalid_request"
    for asker, source in ((client, "web_forms"), (ops, other.client)):
        taken = asker.upload(text, f"source={source}")
        assert taken.json["source"] == source
        assert asker.ask("DELETE", taken.json["links"]["self"]).status == 200


def test_a_batch_is_taken_back_before_it_begins_and_only_by_who_made_it(world: UploadWorld) -> None:
    client, other = sender(world.service), sender(world.service)
    text = f"Last Name,Email\nA,a@{client.client}.com\n"
    batch_id = client.sent(text, "source=shared_fair")
    path = f"/v1/uploads/{batch_id}"
    assert other.ask("GET", path).code == "not_found"
    assert other.ask("DELETE", path).code == "not_found"
    assert other.sent(text, "source=shared_fair") == batch_id
    assert other.ask("DELETE", path).code == "not_the_maker"
    assert client.ask("DELETE", path).json["state"] == "cancelled"
    assert client.ask("DELETE", path).status == 200
    world.run()
    assert client.look(batch_id)["reason"]["code"] == "cancelled"
    assert client.sent(text, "source=shared_fair") == batch_id
    world.run()
    assert client.look(batch_id)["state"] == "done"
    late = client.ask("DELETE", path)
    assert (late.status, late.code, late.json["state"]) == (409, "already_begun", "done")


def test_it_is_too_late_once_the_leads_of_a_batch_were_claimed(world: UploadWorld) -> None:
    client, ops, store = sender(world.service), sender(world.service, "ops"), world.service.store
    unread = client.sent(f"Last Name,Email\nB,b@{client.client}.com\n")
    batches.mark_failed(store, unread, "run_failed", "Its run failed.")
    assert client.ask("DELETE", f"/v1/uploads/{unread}").json["state"] == "cancelled"
    claimed = client.sent(f"Last Name,Email\nA,a@{client.client}.com\n")
    world.run()
    batches.mark_failed(store, claimed, "run_failed", "Its run failed.")
    late = client.ask("DELETE", f"/v1/uploads/{claimed}")
    assert (late.code, late.json["state"]) == ("already_begun", "failed")
    batches.request_batch(store, (waits := client.sent(f"Last Name,Email\nC,c@{client.client}.com\n")), "a runner")
    begun = client.ask("DELETE", f"/v1/uploads/{waits}")
    assert (begun.code, begun.json["state"]) == ("already_begun", "requested")
    told = client.sent(f"Last Name,Email\nD,d@{client.client}.com\n")
    with store.transaction("test:a batch of accepted leads") as con:
        con.execute(sql("UPDATE aiqleads.batches SET channel = 'api' WHERE batch_id = :id"), {"id": told})
    assert ops.ask("DELETE", f"/v1/uploads/{told}").code == "already_begun", "they were told that they are accepted"


def test_who_sends_the_same_bytes_later_does_not_say_how_they_are_read(world: UploadWorld) -> None:
    client, other = sender(world.service), sender(world.service)
    text = f"Wer,Wohin\nA,a@{client.client}.com\n"
    first, changed = quote('{"Wer":"last_name","Wohin":"email"}'), quote('{"Wer":"city","Wohin":"email"}')
    batch_id = client.sent(text, f"source=shared_fair&mapping={changed}")
    assert client.sent(text, f"source=shared_fair&mapping={first}") == batch_id  # nobody has begun to read it
    assert other.upload(text, f"source=shared_fair&mapping={changed}").code == "mapping_fixed"
    assert other.ask("GET", f"/v1/uploads/{batch_id}").code == "not_found"
    assert client.look(batch_id)["mapping"] == {"Wer": "last_name", "Wohin": "email"}
    client.ask("DELETE", f"/v1/uploads/{batch_id}")


def test_the_same_file_sent_many_times_at_once_is_one_batch(world: UploadWorld) -> None:
    client = sender(world.service)
    text = f"Last Name,Email\nA,a@{client.client}.com\n" * 2000
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: client.upload(text), range(16)))
    assert {reply.status for reply in replies} == {202}
    assert len({reply.json["batch_id"] for reply in replies}) == 1
    assert [reply.json["is_repeat"] for reply in replies].count(False) == 1
    client.ask("DELETE", replies[0].json["links"]["self"])


def test_events_tell_each_change_until_the_end_and_nothing_twice(world: UploadWorld) -> None:
    client = sender(world.service)
    batch_id = client.sent(f"Last Name,Email\nA,a@{client.client}.com\n")
    path = f"/v1/uploads/{batch_id}/events"
    connection = http.client.HTTPConnection("127.0.0.1", world.service.port, timeout=30)
    connection.request("GET", path, headers={"X-API-Key": client.key})
    answer = connection.getresponse()
    assert answer.headers["content-type"].startswith("text/event-stream")
    lines = iter(answer.readline, b"")
    assert any(line.startswith(b"event: progress") for line in lines)
    world.run()
    told = events_of(b"event: progress\n" + b"".join(lines))
    connection.close()
    assert told[0][2]["state"] == "waiting"
    assert (told[-1][0], told[-1][2]["state"]) == ("end", "done")
    assert len({event_id for _, event_id, _ in told}) == len(told)
    again = client.ask("GET", path)
    assert [name for name, _, _ in events_of(again.body)] == ["end"]
    assert client.ask("GET", path, Last_Event_ID=told[-1][1]).status == 204


def test_a_large_upload_passes_through_and_leaves_no_trace_in_memory(world: UploadWorld) -> None:
    client = sender(world.service)
    pid = world.service.process.pid
    # What is read and opened once is there before: an upload, and a lead that the engine must look at.
    client.ask("DELETE", f"/v1/uploads/{client.sent(f'Last Name,Email{client.client}')}")
    lead = json.dumps({"email": f"ann@{client.client}.com", "last_name": "Alder", "phone": "0044 (0)20 7946 0018"})
    assert client.ask("POST", "/v1/leads", lead, Content_Type="application/json").status == 202
    before = memory_bytes(pid)
    most = before
    connection = http.client.HTTPConnection("127.0.0.1", world.service.port, timeout=60)
    connection.putrequest("POST", "/v1/uploads")
    connection.putheader("X-API-Key", client.key)
    connection.putheader("Content-Type", "text/csv")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    line = f"Alder,ann@{client.client}.com,{'x' * 64}\n".encode()
    piece = line * ((1 << 20) // len(line))
    for number in range(64):
        content = (b"Last Name,Email,Note\n" if number == 0 else b"") + piece
        connection.send(b"%x\r\n%s\r\n" % (len(content), content))
        most = max(most, memory_bytes(pid))
    connection.send(b"0\r\n\r\n")
    reply = connection.getresponse()
    batch_id = json.loads(reply.read())["batch_id"]
    connection.close()
    assert reply.status == 202
    assert max(most, memory_bytes(pid)) - before < 24 << 20
    assert client.ask("DELETE", f"/v1/uploads/{batch_id}").json["state"] == "cancelled"
