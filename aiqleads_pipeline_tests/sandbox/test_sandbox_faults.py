"""Every fault on the wire, and that seeds decide."""

import json
import re
import subprocess
import sys
import time
from collections import Counter
from email.utils import parsedate_to_datetime

import pytest
import requests

from aiqleads_pipeline.sandbox import start_sandbox
from aiqleads_pipeline.sandbox.box import SandboxRefused
from aiqleads_pipeline.sandbox.faults import KINDS, Faults, UnknownFault, parse_fault

KEY = {"X-Api-Key": "sandbox-rest-key"}


def look_up(ask, key="acme.com"):
    return ask("rest", "GET", f"/v1/lookup?key={key}", headers=KEY)


def spent(sandbox):
    return sandbox.counts("rest")["effects"]


def test_without_a_fault_it_answers(sandbox, ask):
    assert look_up(ask).json()["data"]["company"]["name"] == "Acme"
    counts = sandbox.counts("rest")
    assert (counts["attempts"], counts["effects"], counts["refused"], counts["faults"]) == (1, 1, 0, {})


@pytest.mark.parametrize(
    ("kind", "options", "status", "is_done"),
    [
        ("error", {"status": 503, "retry_after": 7}, 503, False),
        ("html", {}, 200, False),
        ("empty", {}, 200, False),
        ("redirect", {"location": "http://127.0.0.1:9/x"}, 302, False),
        ("slow", {"seconds": 0.01}, 200, True),
        ("late", {"seconds": 0.01}, 200, True),
        ("drip", {"seconds": 0.0001}, 200, True),
        ("charset", {}, 200, True),
        ("huge", {"megabytes": 1}, 200, True),
    ],
)
def test_faults_that_answer(sandbox, ask, kind, options, status, is_done):
    sandbox.fault("rest", kind, **options)
    answer = look_up(ask)
    assert answer.status_code == status and spent(sandbox) == int(is_done)
    assert sandbox.counts("rest")["faults"] == {kind: 1}
    if kind == "html":
        assert answer.headers["content-type"].startswith("text/html") and "<h1>" in answer.text
    elif kind == "redirect":
        assert answer.headers["location"] == "http://127.0.0.1:9/x"
    elif kind == "error":
        assert answer.headers["retry-after"] == "7"
    elif kind == "huge":
        assert len(answer.content) > 1 << 20
    elif kind == "charset":
        with pytest.raises(UnicodeDecodeError):
            answer.content.decode("utf-8")
        assert "charset=UTF-8" in answer.headers["content-type"]
    elif is_done:
        assert answer.json()["data"]


@pytest.mark.parametrize(
    ("kind", "options", "is_done", "error"),
    [
        ("reset", {}, False, "reset by peer"),
        ("lost", {"how": "reset"}, True, "reset by peer"),
        ("lost", {"how": "close"}, True, "without response|closed"),
        ("truncated", {}, True, "IncompleteRead"),
    ],
    ids=["reset", "lost-reset", "lost-close", "truncated"],
)
def test_faults_that_cut_the_line(sandbox, ask, kind, options, is_done, error):
    sandbox.fault("rest", kind, **options)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)) as caught:
        look_up(ask)
    assert re.search(error, str(caught.value))
    assert spent(sandbox) == int(is_done)


@pytest.mark.parametrize(("kind", "is_done"), [("hang", False), ("lost", True)])
def test_faults_that_never_answer(sandbox, ask, kind, is_done):
    sandbox.fault("rest", kind, **({"how": "hang"} if kind == "lost" else {}))
    with pytest.raises(requests.ReadTimeout):
        ask("rest", "GET", "/v1/lookup?key=acme.com", headers=KEY, timeout=0.3)
    assert spent(sandbox) == int(is_done)
    sandbox.clear_faults()
    assert look_up(ask).status_code == 200


@pytest.mark.parametrize("form", ["seconds", "date", "none"])
def test_throttled_in_each_form(sandbox, ask, form):
    sandbox.fault("hubspot", "throttle", retry_after=30, form=form)
    answer = ask("hubspot", "GET", "/crm/v3/owners", headers={"Authorization": "Bearer pat-na1-sandbox"})
    assert answer.status_code == 429 and answer.json()["policyName"] == "TEN_SECONDLY_ROLLING"
    told = answer.headers.get("retry-after")
    if form == "seconds":
        assert told == "30"
    elif form == "date":
        assert 25 < parsedate_to_datetime(told).timestamp() - time.time() <= 30
    else:
        assert told is None


def test_partial_success_is_decided_record_by_record(sandbox, ask):
    sandbox.fault("rest", "partial", records=0.5)
    keys = [f"company-{n}.com" for n in range(50)]
    rows = ask("rest", "POST", "/v1/bulk", headers=KEY, json={"keys": keys}).json()["results"]
    failed = [row["key"] for row in rows if row.get("error")]
    assert 10 < len(failed) < 40
    again = ask("rest", "POST", "/v1/bulk", headers=KEY, json={"keys": keys}).json()["results"]
    assert failed != [row["key"] for row in again if row.get("error")]  # another try has other luck


def test_a_rule_is_about_one_route_and_so_many_times(sandbox, ask):
    sandbox.fault("rest", "error", status=500, route="GET /v1/lookup", skip=1, times=2)
    assert [look_up(ask).status_code for _ in range(5)] == [200, 500, 500, 200, 200]
    assert ask("rest", "POST", "/v1/bulk", headers=KEY, json={"keys": ["acme.com"]}).status_code == 200
    assert [(rule["seen"], rule["struck"]) for rule in sandbox.faults()] == [(5, 2)]


def statuses(seed, order, by="content"):
    faults = Faults(seed)
    faults.add("rest", "error", share=0.3, by=by)
    return {key: faults.strike("rest", "GET /x", {}, key.encode()) is not None for key in order}


def test_the_same_seed_strikes_the_same_content_in_any_order():
    keys = [f"k{n}" for n in range(400)]
    struck = statuses(7, keys)
    assert struck == statuses(7, keys[::-1]) and struck != statuses(8, keys)
    assert 80 < Counter(struck.values())[True] < 160


def test_by_count_the_order_decides():
    keys = [f"k{n}" for n in range(200)]
    assert list(statuses(7, keys, "count").values()) == list(statuses(7, keys[::-1], "count").values())


def test_a_delivery_is_known_by_its_id_not_by_its_body():
    faults = Faults(1)
    faults.add("webhooks", "error", share=0.5)
    told = [
        faults.strike("webhooks", "POST /hooks/x", {"webhook-id": "m1"}, str(n).encode()) is None for n in range(40)
    ]
    other = Faults(1)
    other.add("webhooks", "error", share=0.5)
    assert told == [other.strike("webhooks", "POST /hooks/x", {"webhook-id": "m1"}, b"") is None for _ in range(40)]
    assert len(set(told)) == 2


@pytest.mark.parametrize(
    "text", ["rest", "rest:nothing", "rest:error:statu=500", "rest:error:status", "rest:lost:how=x"]
)
def test_a_fault_that_is_none_is_refused(text):
    with pytest.raises(UnknownFault):
        read = parse_fault(text)
        Faults(0).add(**read)


def test_every_kind_is_read_from_text():
    for kind in KINDS:
        assert Faults(0).add(**parse_fault(f"rest:{kind}:share=0.5,times=3")).times == 3


def test_the_handle_refuses_what_there_is_not(sandbox):
    for call in (
        lambda: sandbox.fault("nobody", "error"),
        lambda: sandbox.fault("rest", "nothing"),
        lambda: sandbox.configure("rest", nothing=1),
        lambda: sandbox.records("rest", "nothing"),
        lambda: sandbox.act("rest", "nothing"),
    ):
        with pytest.raises(SandboxRefused):
            call()


def test_the_page_shows_what_came_and_is_safe(sandbox, ask):
    sandbox.fault("rest", "error", status=503, route="*<script>*")
    look_up(ask)
    ask("rest", "GET", "/<script>alert(1)</script>", headers=KEY)
    assert "the last None" not in requests.get(sandbox.page_url, timeout=20).text  # where nothing came there is no last
    ask("slack", "POST", "/services/T000/B000/sandbox", json={"text": "<img src=x onerror=alert(2)>"})
    page = requests.get(sandbox.page_url, timeout=20)
    assert page.headers["content-type"].startswith("text/html")
    assert "Any REST provider" in page.text and "Seed 7" in page.text
    assert "<script" not in page.text and "<img" not in page.text and "http" not in page.text.replace("http-equiv", "")


def test_requests_can_be_read_back(sandbox, ask):
    ask("rest", "POST", "/v1/bulk?x=1", headers=KEY, json={"keys": ["acme.com"]})
    [came] = sandbox.requests("rest")
    assert (came["method"], came["path"], came["query"], came["status"]) == ("POST", "/v1/bulk", "x=1", "200")
    assert json.loads(came["body"]) == {"keys": ["acme.com"]} and came["headers"]["x-api-key"] == "sandbox-rest-key"


def test_ports_that_are_taken_stop_the_start():
    with start_sandbox() as box, pytest.raises(OSError, match="is taken"), start_sandbox(port=box.ports["page"]):
        pass


def test_a_hanging_answer_does_not_hold_up_the_end():
    with start_sandbox(faults=["rest:hang"]) as box:
        with pytest.raises(requests.ReadTimeout):
            requests.get(box.url("rest") + "/v1/lookup?key=a.com", headers=KEY, timeout=0.2)
        began = time.monotonic()
    assert time.monotonic() - began < 10


def test_a_sandbox_of_its_own_process_ends_with_its_parent():
    code = (
        "from aiqleads_pipeline.sandbox import start_sandbox\nimport os\n"
        "with start_sandbox(in_process=True, seed=3, faults=['rest:error:status=418']) as box:\n"
        "    print(box.url('rest'), flush=True)\n    input()\n    os._exit(9)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        url = parent.stdout.readline().strip()
        assert requests.get(f"{url}/v1/lookup?key=a.com", headers=KEY, timeout=20).status_code == 418
        parent.stdin.write("\n")
        parent.stdin.flush()
        assert parent.wait(30) == 9
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            requests.get(url, timeout=1)
        except requests.ConnectionError:
            return
    raise AssertionError("it lives on")
