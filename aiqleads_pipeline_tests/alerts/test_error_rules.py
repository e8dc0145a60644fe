"""The rules of docs/errors.md: each test breaks a part, then looks at the state and at the alert."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from aiqleads_pipeline.alerting.telling import tell_alerts
from aiqleads_pipeline.assets import classified_leads as classify_asset
from aiqleads_pipeline.assets import enriched_leads as enrich_asset
from aiqleads_pipeline.assets import routed_leads as route_asset
from aiqleads_pipeline.assets import scored_leads as score_asset
from aiqleads_pipeline.assets.learning import Learnt
from aiqleads_pipeline.commands.errors import PAGE, RULES, UnknownCode, error_page, list_errors
from aiqleads_pipeline.reasons import _ALL, REASONS
from aiqleads_pipeline.rules.alerts import load_alerts
from resources.http import Breaker, HttpClient, Limits, UnavailableStatus
from resources.store import alerts, drops, reviews

TESTS = Path(__file__).resolve().parents[1]


def alerts_of(house, subject):
    return {a["code"]: a for a in alerts.open_alerts(house.outside.store) if a["subject"] == subject}


def fail(*_args, **_kwargs):
    raise ValueError("a column is missing: 'ann@secret.example'")


def again(house, batch_id):
    assert drops.reopen(house.outside.store, batch_id, states=["done"])
    job = house.defs.resolve_job_def("process_batch")
    assert job.execute_in_process(instance=house.instance, partition_key=batch_id).success


class BrokenModel:
    version, usual_prob = "broken-1", 0.1

    def predict(self, *_args, **_kwargs):
        raise ValueError("no such feature")


@pytest.fixture(scope="module")
def fallen(house, leads_csv):
    """A batch for which enrichment, the model and classification failed, one after the other."""
    work, load = enrich_asset.enrich_leads, score_asset.load_learnt

    def fail_first(*args, enabled, **kwargs):
        return work(*args, enabled=False, **kwargs) if not enabled else fail()

    def with_broken_model(*args, **kwargs):
        return Learnt(load(*args, **kwargs).reliability, BrokenModel(), None)

    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(enrich_asset, "enrich_leads", fail_first)
        broken.setattr(score_asset, "load_learnt", with_broken_model)
        broken.setattr(classify_asset.classify, "classify_leads", fail)
        summary = house.process("a.csv", leads_csv("fallen"), "fallen")
    assert summary.status == "done"
    batch = drops.batch(house.outside.store, summary.batch_id)
    assert batch.counts["routed"] == 5
    return batch


def logged(house, batch, level):
    lines = [record.user_message for record in house.instance.all_logs(batch.run_id) if record.level == level]
    assert "secret" not in "".join(lines)
    return lines


def test_enrichment_that_fails_leaves_partial_data_and_a_warning(house, fallen):
    rows = house.rows("enriched_leads", fallen.batch_id, "enrichment_status", "degraded", "email")
    assert {status for status, _, _ in rows} == {"none"}
    assert all(degraded == ["enrichment_failed"] and email for _, degraded, email in rows)
    assert any("enrichment failed, leads go on without it" in line for line in logged(house, fallen, 30))


def test_a_model_that_fails_leaves_the_rules_score_and_an_alert(house, fallen):
    rows = house.rows("scored_leads", fallen.batch_id, "score_method", "degraded")
    assert {method for method, _ in rows} == {"rules"}
    assert all("model_failed" in degraded for _, degraded in rows)
    assert alerts_of(house, "conversion_model")["rules_scored"]["severity"] == "warning"


def test_classification_that_fails_leaves_default_classes_and_an_error_in_the_log(house, fallen):
    rows = house.rows("classified_leads", fallen.batch_id, "priority", "defaults_applied")
    assert {priority for priority, _ in rows} == {"P3"}
    lines = logged(house, fallen, 40)
    assert any("classification failed, default classes are taken" in line for line in lines)
    assert alerts_of(house, fallen.batch_id)["classes_defaulted"]["severity"] == "warning"
    again(house, fallen.batch_id)
    assert alerts_of(house, fallen.batch_id) == {}, "healed"


def test_routing_that_fails_sends_all_to_review_and_tells_the_admin(house, leads_csv, monkeypatch, tmp_path):
    with monkeypatch.context() as broken:
        broken.setattr(route_asset, "route_leads", fail)
        summary = house.process("a.csv", leads_csv("noroute"), "noroute")
    assert summary.status == "done"
    counts = drops.batch(house.outside.store, summary.batch_id).counts
    assert (counts["routed"], counts["in_review"]) == (0, 5)
    store = house.outside.store
    waiting = reviews.leads_of_batch(store, summary.batch_id).to_pylist()
    assert {row["reason_code"] for row in waiting} == {"routing_failed"}
    alert = alerts_of(house, summary.batch_id)["routing_failed"]
    assert alert["severity"] == "error"
    assert "secret" not in alert["detail"]
    (tmp_path / "alerts.yaml").write_text("routes: [{to: [admins], wait: 0 s, group_by: [code, subject]}]")
    tell_alerts(house.outside, load_alerts(tmp_path), house.outside.settings.now())
    with store.read() as con:
        told = con.exec_driver_sql(
            "SELECT n.body FROM aiqleads.notices n JOIN aiqleads.outbox o ON o.lead_id = n.notice_id "
            "WHERE o.destination = 'admins'"
        )
        commands = {body["code"]: body["command"] for (body,) in told}
    assert commands["routing_failed"] == "aiqleads review list"
    again(house, summary.batch_id)
    assert drops.batch(store, summary.batch_id).counts["routed"] == 5
    assert alerts_of(house, summary.batch_id) == {}


@pytest.mark.parametrize(
    ("asset", "name", "error"),
    [
        pytest.param(route_asset, "route_leads", OSError(28, "no room"), id="a full disk"),
        pytest.param(classify_asset.classify, "classify_leads", MemoryError(), id="no memory"),
    ],
)
def test_what_a_retry_can_heal_is_no_reason_for_a_fallback(house, leads_csv, monkeypatch, asset, name, error):
    def broken_ground(*_args, **_kwargs):
        raise error

    tag = type(error).__name__.lower()
    with monkeypatch.context() as broken:
        broken.setattr(asset, name, broken_ground)
        summary = house.process("a.csv", leads_csv(tag), tag)
    assert summary.status == "failed"
    assert drops.reopen(house.outside.store, summary.batch_id, states=["failed"])


def test_calls_that_time_out_are_tried_again_ever_later():
    waits = []
    with away(503) as url:
        client = HttpClient(allow_loopback=True, sleep=waits.append, breaker=Breaker(99, 1, lambda: 0.0))
        with pytest.raises(UnavailableStatus):
            client.call("GET", url, limits=Limits(max_retries=4, first_delay_seconds=1, total_seconds=600))
        client.close()
    assert len(waits) == 4
    assert all(low <= wait <= 2 * low for low, wait in zip((0.5, 1, 2, 4), waits, strict=True))


class away:  # noqa: N801
    """A service on loopback that answers with a status."""

    def __init__(self, status):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_args):
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self):
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def test_every_code_is_there_once_and_told():
    assert len(_ALL) == len(REASONS)
    assert {row["code"] for row in list_errors()} == set(REASONS)
    assert list_errors("unreachable")[0]["class"] == "input"
    with pytest.raises(UnknownCode, match="did you mean unreachable"):
        list_errors("unreachabel")


def test_the_page_of_errors_is_up_to_date():
    written = PAGE.read_text(encoding="utf-8")
    assert written == error_page(), "run `python -m aiqleads_pipeline.commands.errors`"


def test_the_page_names_tests_that_are_there():
    for _, _, tests in RULES:
        for test in tests:
            file, _, name = test.partition("::")
            assert f"def {name}" in (TESTS / file).read_text(encoding="utf-8"), test
