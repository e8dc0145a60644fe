"""The REST API of an org.

After https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/ and the Salesforce Platform APIs
collection. Belongs here: queries and the routes of jobs. What records are is in ``org``, jobs in ``bulk``.
"""

from __future__ import annotations

import re
from typing import Any

from aiqleads_pipeline.sandbox.doubles.salesforce.bulk import shown
from aiqleads_pipeline.sandbox.doubles.salesforce.collections import Collections
from aiqleads_pipeline.sandbox.doubles.salesforce.session import DATA, errors, shown_record
from aiqleads_pipeline.sandbox.doubles.salesforce.soql import MalformedQuery, Query
from aiqleads_pipeline.sandbox.exchange import Reply, Request, in_json, in_text, route


class Salesforce(Collections):
    """One org."""

    @route("GET", f"{DATA}/(?:query|queryAll)/?")
    def query(self, request: Request, version: str) -> Reply:
        """The first page of a query."""
        org = self._org
        try:
            query = Query(request.query.get("q", ""), org.object_of, org.field_of)
        except MalformedQuery as error:
            return errors(400, error.code, str(error))
        rows = query.run(list(org.tables[query.kind].values()))
        if query.is_count:
            return in_json({"totalSize": len(rows), "done": True, "records": []})
        return self._page(query, [dict(row) for row in rows], 0, f"01g{len(self._cursors) + 1:012d}", request, version)

    @route("GET", f"{DATA}/query/(?P<cursor>\\w+)-(?P<start>\\d+)")
    def query_more(self, request: Request, version: str, cursor: str, start: str) -> Reply:
        """A further page."""
        if cursor not in self._cursors:
            return errors(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        query, rows = self._cursors[cursor]
        return self._page(query, rows, int(start), cursor, request, version)

    @route("POST", f"{DATA}/jobs/ingest/?")
    def create_job(self, request: Request, version: str) -> Reply:
        """An open job."""
        return in_json(shown(self._jobs.create(self.body_of(request), version)))

    @route("GET", f"{DATA}/jobs/ingest/?")
    def list_jobs(self, request: Request, version: str) -> Reply:
        """All jobs."""
        return in_json({"done": True, "records": self._jobs.listed(), "nextRecordsUrl": None})

    @route("PUT", f"{DATA}/jobs/ingest/{{id}}/batches/?")
    def upload(self, request: Request, version: str, id: str) -> Reply:
        """The job's CSV."""
        if request.content_type != "text/csv":
            return errors(415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type header is not supported: text/csv is")
        self._jobs.upload(self._jobs.get(id), request.body)
        return Reply(201)

    @route("PATCH", f"{DATA}/jobs/ingest/{{id}}/?")
    def change_job(self, request: Request, version: str, id: str) -> Reply:
        """Close or abort."""
        job = self._jobs.get(id)
        self._jobs.change(job, str(self.body_of(request).get("state")))
        return in_json(shown(job))

    @route("GET", f"{DATA}/jobs/ingest/{{id}}/?")
    def get_job(self, request: Request, version: str, id: str) -> Reply:
        """Where a job stands. The double works it off while it is looked at."""
        job = self._jobs.get(id)
        effects, repeats = self._jobs.poll(job)
        return in_json(shown(job), effects=effects, repeats=repeats)

    @route("GET", f"{DATA}/jobs/ingest/{{id}}/(?P<kind>successfulResults|failedResults|unprocessedrecords)/?")
    def job_results(self, request: Request, version: str, id: str, kind: str) -> Reply:
        """What became of the rows."""
        return in_text(self._jobs.results(self._jobs.get(id), kind), kind="text/csv")

    @route("DELETE", f"{DATA}/jobs/ingest/{{id}}/?")
    def delete_job(self, request: Request, version: str, id: str) -> Reply:
        """A job that is over."""
        self._jobs.delete(self._jobs.get(id))
        return Reply(204)

    def _page(
        self, query: Query, rows: list[dict[str, Any]], start: int, cursor: str, request: Request, version: str
    ) -> Reply:
        size = self.settings["page_size"]
        asked = re.search(r"batchSize=(\d+)", request.headers.get("sforce-query-options", ""))
        if asked:
            size = min(max(int(asked[1]), 200), 2000)
        end = start + size
        people = {user["Id"]: user for user in self._org.tables["User"].values()}
        records = [shown_record(query.kind, row, query.fields, version, people) for row in rows[start:end]]
        answer: dict[str, Any] = {"totalSize": len(rows), "done": end >= len(rows), "records": records}
        if end < len(rows):
            self._cursors[cursor] = query, rows
            answer["nextRecordsUrl"] = f"/services/data/v{version}/query/{cursor}-{end}"
        return in_json(answer)
