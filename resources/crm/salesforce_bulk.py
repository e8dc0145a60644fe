"""Bulk API 2.0 of Salesforce: many records as one CSV job, found again when its end was not waited for.

Belongs here: jobs from creation to results. A job is noted in the store before anything is in it, and its deliveries
stay with it until their results were read: a worker that is killed, or runs out of time, sends nothing twice.
"""

from __future__ import annotations

import csv
import io
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from resources.crm.base import Load, delivered, rounds
from resources.crm.mapping import as_text
from resources.crm.session import MAX_RESULT_BYTES, CrmSession, to_json
from resources.crm.verdicts import JOB_PAUSE_SECONDS, CallFailed, Verdict, unreadable, verdict_of_record
from resources.destinations import Outcome, Receipt
from resources.store import crm as ledger

log = logging.getLogger("resources.crm")
MAX_JOB_BYTES = 90_000_000  # Salesforce takes 150 MB in base64: 100 MB and some of CSV
MAX_CELL_CHARS = 131_072
_FIRST_POLL_SECONDS, _MOST_POLL_SECONDS = 0.25, 10.0
_WORKING = ("UploadComplete", "InProgress")
_RUNNING = Verdict(Outcome.LATER, "crm_job_running", "the bulk job is not done yet", JOB_PAUSE_SECONDS)


class BulkJobs:
    """The jobs of one destination."""

    def __init__(self, session: CrmSession, data_path: str, of_object: str, external_id_field: str) -> None:
        self._session, self._path = session, f"{data_path}/jobs/ingest"
        self._object, self._external_id = of_object, external_id_field

    def collect(self, loads: list[Load], deadline: float) -> tuple[list[Receipt], list[Load]]:
        """The receipts of loads that are in a job already, and the loads that are in none."""
        receipts: list[Receipt] = []
        left = {load.parcel.delivery_id: load for load in loads}
        for job in ledger.open_jobs(self._session.store, self._session.name, list(left)):
            inside = [left.pop(delivery_id) for delivery_id in sorted(job.delivery_ids & left.keys())]
            if not inside:
                continue
            try:
                state = self._state(job.job_id, deadline)
                if state in _WORKING:
                    state = self._wait(job.job_id, deadline)
                if state == "Open" or state is None:
                    # It was made and never begun, or is gone: nothing of it happened or ever will.
                    if state == "Open":
                        self._change(job.job_id, "Aborted", deadline)
                    self._settle(job.job_id, inside)
                    left |= {load.parcel.delivery_id: load for load in inside}
                    continue
                receipts += self._results(job.job_id, state, inside, deadline)
            except CallFailed as failed:
                receipts += [_of_the_job(failed.verdict).receipt(load.parcel) for load in inside]
        return receipts, [load for load in loads if load.parcel.delivery_id in left]

    def send(self, loads: list[Load], assignment: str, deadline: float) -> Iterator[Receipt]:
        """Send loads as jobs; those whose job is not done in time are told so, and found again by ``collect``."""
        stopped: Verdict | None = None
        for chunk in rounds(loads, len(loads)):
            for part, body in _files(chunk, self._external_id):
                try:
                    if stopped is not None:
                        raise CallFailed(stopped)
                    yield from self._send_job(part, body, assignment, deadline)
                except CallFailed as failed:
                    stopped = _of_the_job(failed.verdict)
                    log.info("bulk job of %d records: %s (%s)", len(part), stopped.code, stopped.detail)
                    yield from (stopped.receipt(load.parcel) for load in part)

    def _send_job(self, loads: list[Load], body: bytes, assignment: str, deadline: float) -> list[Receipt]:
        made = {
            "object": self._object,
            "operation": "upsert",
            "externalIdFieldName": self._external_id,
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        }
        if assignment not in ("TRUE", "FALSE"):
            made["assignmentRuleId"] = assignment  # jobs know no "the active one"
        job = self._session.ask("POST", self._path, deadline, made, may_repeat=False)
        job_id = job.get("id") if isinstance(job, dict) else None
        if not isinstance(job_id, str) or not job_id.isalnum():
            raise CallFailed(unreadable("the job has no id"))
        ids = [load.parcel.delivery_id for load in loads]
        ledger.save_job(self._session.store, self._session.name, job_id, ids, datetime.now(UTC))
        upload = f"{self._path}/{job_id}/batches"
        self._session.call("PUT", upload, deadline, body=body, content_type="text/csv; charset=UTF-8", may_repeat=False)
        self._change(job_id, "UploadComplete", deadline)
        return self._results(job_id, self._wait(job_id, deadline), loads, deadline)

    def _change(self, job_id: str, state: str, deadline: float) -> None:
        path = f"{self._path}/{job_id}"
        self._session.call("PATCH", path, deadline, body=to_json({"state": state}), may_repeat=False)

    def _state(self, job_id: str, deadline: float) -> str | None:
        """The job's state; None if they know no such job."""
        try:
            info = self._session.ask("GET", f"{self._path}/{job_id}", deadline)
        except CallFailed as failed:
            if failed.verdict.detail.startswith("404"):
                return None
            raise
        return str(info.get("state")) if isinstance(info, dict) else "unknown"

    def _wait(self, job_id: str, deadline: float) -> str:
        """The job's state when it is done.

        Raises:
            CallFailed: it isn't in time.
        """
        pause = _FIRST_POLL_SECONDS
        while time.monotonic() + pause < deadline:
            self._session.sleep(pause)
            state = self._state(job_id, deadline)
            if state not in _WORKING:
                return state or "Failed"
            pause = min(pause * 1.5, _MOST_POLL_SECONDS)
        raise CallFailed(_RUNNING)

    def _results(self, job_id: str, state: str, loads: list[Load], deadline: float) -> list[Receipt]:
        """Receipts of a job that is done. What no result tells of was not processed and is sent again."""
        if state not in ("JobComplete", "Failed", "Aborted"):
            raise CallFailed(unreadable("the job's state is none that is known"))
        by_lead = {load.lead_key: load for load in loads}
        receipts: dict[str, Receipt] = {}
        for row in self._rows(job_id, "successfulResults", deadline):
            load = by_lead.get(row.get(self._external_id, "").lower())
            if load is not None:
                receipts[load.lead_key] = delivered(load, row.get("sf__Id", ""))
        if len(receipts) < len(by_lead):
            for row in self._rows(job_id, "failedResults", deadline):
                load = by_lead.get(row.get(self._external_id, "").lower())
                if load is not None and load.lead_key not in receipts:
                    code = row.get("sf__Error", "").partition(":")[0]
                    receipts[load.lead_key] = verdict_of_record(code).receipt(load.parcel)
        lost = Verdict(Outcome.RETRY, "crm_job_failed", f"the bulk job ended as {state} without this record")
        for key, load in by_lead.items():
            receipts.setdefault(key, lost.receipt(load.parcel))
        self._settle(job_id, loads)
        return list(receipts.values())

    def _rows(self, job_id: str, kind: str, deadline: float) -> list[dict[str, str]]:
        path = f"{self._path}/{job_id}/{kind}"
        headers = {"Accept": "text/csv"}
        answer = self._session.call("GET", path, deadline, headers=headers, max_body_bytes=MAX_RESULT_BYTES)
        try:
            text = answer.body.decode("utf-8-sig")
            return [dict(row) for row in csv.DictReader(io.StringIO(text, newline=""), restval="", strict=True)]
        except (UnicodeDecodeError, csv.Error):
            raise CallFailed(unreadable("the job's results are no CSV")) from None

    def _settle(self, job_id: str, loads: list[Load]) -> None:
        ids = [load.parcel.delivery_id for load in loads]
        ledger.settle_job(self._session.store, self._session.name, job_id, ids, datetime.now(UTC))


def to_csv(loads: list[Load], external_id_field: str) -> bytes:
    """A job's file: every cell quoted, LF at the ends of rows, no cell that means "empty this field"."""
    names = list(dict.fromkeys(name for load in loads for name in load.record))
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow([external_id_field, *names])
    for load in loads:
        writer.writerow([load.lead_key, *(_cell(load.record.get(name)) for name in names)])
    return file.getvalue().encode()


def _of_the_job(verdict: Verdict) -> Verdict:
    """What a job's failure means for its records: of a call that handles the job they are never the cause."""
    if verdict.outcome is Outcome.REFUSED:
        return Verdict(Outcome.RETRY, "crm_job_failed", verdict.detail, verdict.retry_after_seconds)
    return verdict


def _files(loads: list[Load], external_id_field: str) -> Iterator[tuple[list[Load], bytes]]:
    body = to_csv(loads, external_id_field)
    if len(body) <= MAX_JOB_BYTES or len(loads) == 1:
        yield loads, body
        return
    middle = len(loads) // 2
    yield from _files(loads[:middle], external_id_field)
    yield from _files(loads[middle:], external_id_field)


def _cell(value: Any) -> str:
    return "" if value is None else as_text(value)[:MAX_CELL_CHARS]
