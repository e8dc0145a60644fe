"""Bulk API 2.0 ingest: a job is made, filled with CSV, closed, worked off, and read.

After https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/bulk_api_2_0.htm
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import datetime
from typing import Any

from aiqleads_pipeline.sandbox.doubles.salesforce.org import API_USER, Fault, Options, Org
from aiqleads_pipeline.sandbox.exchange import stamp

_DELIMITERS = {"COMMA": ",", "SEMICOLON": ";", "TAB": "\t", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
_OPERATIONS = ("insert", "update", "upsert", "delete")
MAX_BYTES = 100_000_000  # 150 MB once encoded
_HIDDEN = ("rows", "data", "polls", "saved", "failed", "names")
_NULL = "#N/A"


class Refused(Exception):
    """The call is refused with this code."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.status = code, status


class Jobs:
    """All ingest jobs of an org."""

    def __init__(self, org: Org, settings: dict[str, Any], now: Callable[[], datetime]) -> None:
        self._org, self._settings, self._now = org, settings, now
        self._jobs: dict[str, dict[str, Any]] = {}
        self.fails: Callable[[str], bool] = lambda _key: False

    def create(self, body: dict[str, Any], version: str) -> dict[str, Any]:
        """An open job.

        Raises:
            Refused: it can't be.
        """
        org, kind = self._org, self._org.object_of(str(body.get("object", "")))
        if kind is None:
            raise Refused("INVALIDENTITY", f"Unable to find object: {body.get('object')}")
        operation, key = body.get("operation"), body.get("externalIdFieldName")
        if operation not in _OPERATIONS:
            raise Refused("INVALIDJOB", f"Unsupported operation: {operation}")
        if operation == "upsert" and (not key or not (key == "Id" or org.is_external_id(kind, key))):
            text = f"InvalidJob : Field name provided, {key} does not match an External ID or indexed field for {kind}"
            raise Refused("INVALIDJOB", text)
        delimiter = body.get("columnDelimiter", "COMMA")
        if delimiter not in _DELIMITERS or body.get("lineEnding", "LF") not in ("LF", "CRLF"):
            raise Refused("INVALIDJOB", "InvalidJob : columnDelimiter or lineEnding is unknown")
        now, job_id = stamp(self._now(), "+0000"), f"750{len(self._jobs) + 1:012d}AAA"
        job = {
            "id": job_id, "operation": operation, "object": kind, "createdById": API_USER, "createdDate": now,
            "systemModstamp": now, "state": "Open", "externalIdFieldName": key, "concurrencyMode": "Parallel",
            "contentType": "CSV", "apiVersion": float(version), "lineEnding": body.get("lineEnding", "LF"),
            "contentUrl": f"services/data/v{version}/jobs/ingest/{job_id}/batches", "columnDelimiter": delimiter,
            "assignmentRuleId": body.get("assignmentRuleId"), "jobType": "V2Ingest",
            "numberRecordsProcessed": 0, "numberRecordsFailed": 0, "retries": 0, "totalProcessingTime": 0,
            "apiActiveProcessingTime": 0, "apexProcessingTime": 0,
            "data": None, "polls": 0, "saved": [], "failed": [], "rows": [], "names": [],
        }  # fmt: skip
        self._jobs[job_id] = job
        return job

    def get(self, job_id: str) -> dict[str, Any]:
        """A job, by an id of 15 or 18 characters.

        Raises:
            Refused: there is none.
        """
        job = next((job for known, job in self._jobs.items() if known[:15] == job_id[:15]), None)
        if job is None:
            raise Refused("NOT_FOUND", "The requested resource does not exist", 404)
        return job

    def upload(self, job: dict[str, Any], data: bytes) -> None:
        """The CSV, once.

        Raises:
            Refused: it is not wanted now, or too large.
        """
        if job["state"] != "Open" or job["data"] is not None:
            text = f"InvalidJobState : Job {job['id']} is in state {job['state']}, or has its data"
            raise Refused("INVALIDJOBSTATE", text)
        if len(data) > MAX_BYTES:
            raise Refused("INVALIDBATCH", "InvalidBatch : the data is more than 150 MB once it is encoded")
        job["data"] = data

    def change(self, job: dict[str, Any], state: str) -> None:
        """Close or abort it.

        Raises:
            Refused: it can't go there from where it is.
        """
        if state not in ("UploadComplete", "Aborted") or job["state"] not in ("Open", "UploadComplete"):
            raise Refused("INVALIDJOBSTATE", f"Job in state {job['state']} can't become {state}")
        job["state"], job["systemModstamp"] = state, stamp(self._now(), "+0000")
        if state == "Aborted":
            self._read(job)

    def poll(self, job: dict[str, Any]) -> tuple[int, int]:
        """A look at a job moves it on: after so many it is done. Returns (what it changed, what was so already)."""
        if job["state"] not in ("UploadComplete", "InProgress"):
            return 0, 0
        job["polls"] += 1
        if job["polls"] <= self._settings["bulk_polls"]:
            job["state"] = "InProgress"
            return 0, 0
        return self._work(job)

    def delete(self, job: dict[str, Any]) -> None:
        """Only of jobs that are over.

        Raises:
            Refused: it is not.
        """
        if job["state"] not in ("JobComplete", "Aborted", "Failed"):
            raise Refused("INVALIDJOBSTATE", f"Job in state {job['state']} can't be deleted")
        del self._jobs[job["id"]]

    def listed(self) -> list[dict[str, Any]]:
        """All jobs as answers show them."""
        return [shown(job) for job in self._jobs.values()]

    def results(self, job: dict[str, Any], kind: str) -> str:
        """A CSV of what was saved, failed or never looked at."""
        text = io.StringIO()
        writer = csv.writer(
            text, lineterminator="\n", quoting=csv.QUOTE_ALL, delimiter=_DELIMITERS[job["columnDelimiter"]]
        )
        if kind == "unprocessedrecords":
            writer.writerow(job["names"])
            is_over = job["state"] in ("Aborted", "Failed")
            writer.writerows([row.get(name, "") for name in job["names"]] for row in job["rows"] if is_over)
        elif kind == "successfulResults":
            writer.writerow(["sf__Id", "sf__Created", *job["names"]])
            for record_id, created, row in job["saved"]:
                writer.writerow([record_id, str(created).lower(), *(row.get(name, "") for name in job["names"])])
        else:
            writer.writerow(["sf__Id", "sf__Error", *job["names"]])
            for record_id, error, row in job["failed"]:
                writer.writerow([record_id, error, *(row.get(name, "") for name in job["names"])])
        return text.getvalue()

    def _read(self, job: dict[str, Any]) -> None:
        text = (job["data"] or b"").decode("utf-8-sig", "replace")
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=_DELIMITERS[job["columnDelimiter"]])
        job["names"], job["rows"] = list(reader.fieldnames or []), list(reader)

    def _work(self, job: dict[str, Any]) -> tuple[int, int]:
        self._read(job)
        unknown = [name for name in job["names"] if self._org.field_of(job["object"], name) is None]
        if unknown or not job["names"]:
            job["state"] = "Failed"
            job["errorMessage"] = f"InvalidBatch : Field name not found : {', '.join(unknown)}"
            return 0, 0
        effects = repeats = 0
        for row in job["rows"]:
            record_id, created, fault, changed = self._one(job, row)
            if fault is None:
                job["saved"].append((record_id, created, row))
                effects, repeats = effects + int(changed), repeats + int(not changed)
            else:
                job["failed"].append((record_id, f"{fault.code}:{fault.message}:{','.join(fault.fields) or '--'}", row))
        job["numberRecordsProcessed"], job["numberRecordsFailed"] = len(job["rows"]), len(job["failed"])
        job["state"] = "JobComplete"
        return effects, repeats

    def _one(self, job: dict[str, Any], row: dict[str, str]) -> tuple[str, bool, Fault | None, bool]:
        org, kind, key = self._org, job["object"], job["externalIdFieldName"] or "Id"
        options = Options(assignment=job["assignmentRuleId"])
        if self.fails(row.get(key) or str(row)):
            return "", False, Fault("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record"), False
        values = {
            str(org.field_of(kind, name)): (None if value == _NULL else value)
            for name, value in row.items()
            if name != "Id" and value not in ("", None)
        }
        known = org.get(kind, row["Id"]) if row.get("Id") else None
        if job["operation"] == "upsert" and key != "Id":
            if not row.get(key):
                return "", False, Fault("MISSING_ARGUMENT", f"{key} not specified"), False
            known = org.by_external(kind, key, row[key])
        if job["operation"] in ("update", "delete") and known is None:
            return "", False, Fault("MALFORMED_ID", "Id: id value of incorrect type or unknown", ("Id",)), False
        if job["operation"] == "delete":
            return row["Id"], False, None, org.delete(kind, row["Id"])
        if known is None:
            made = org.insert(kind, values, options)
            return ("", False, made, False) if isinstance(made, Fault) else (made["Id"], True, None, True)
        changed = org.update(kind, known, values, options)
        if isinstance(changed, Fault):
            return known["Id"], False, changed, False
        return known["Id"], False, None, changed


def shown(job: dict[str, Any]) -> dict[str, Any]:
    """A job as answers show it."""
    return {name: value for name, value in job.items() if name not in _HIDDEN and value is not None}
