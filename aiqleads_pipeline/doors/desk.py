"""The desk of one worker process: what came as a lead is read, checked and taken in, and its answer written.

Belongs here: the way of a request from its JSON to its answer, whichever route brought it. Does not belong here: HTTP
(``leads``), the transaction (``intake``), what a lead must be (``validating``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from aiqleads_pipeline.doors.doors import Doors
from aiqleads_pipeline.doors.gathering import Gatherer
from aiqleads_pipeline.doors.hot_lane import ask_hot_lane
from aiqleads_pipeline.doors.intake import Answer, Outcome, Request, take_in_requests
from aiqleads_pipeline.doors.lead_json import GivenLead, parse_body, read_lead
from aiqleads_pipeline.doors.problems import Problem, unavailable
from aiqleads_pipeline.doors.source_terms import SourceTerms
from aiqleads_pipeline.doors.validating import Checker, ToCheck, Verdict, check_plain, complete_row
from aiqleads_pipeline.rules.sources import SourceRules
from aiqleads_pipeline.stages.identify import MATCH_RULES
from aiqleads_pipeline.stages.reading.intake import INTAKE_CHANNEL
from resources.store import idempotency
from resources.store.idempotency import Asked, Kept
from resources.store.intake import LeadIds, NewLead, Repeat

LEADS_PATH = "/v1/leads"
MOST_AT_ONCE = 2_000  # leads per transaction
MOST_WAITING = 20_000  # leads
LINGER_SECONDS = 0.004
LEADS_MEMBER = "leads"
_ENCODER = msgspec.json.Encoder()


@dataclass(slots=True)
class Checked:
    """A lead of a request: taken as ``new``, or refused with the problem."""

    new: NewLead | None
    problem: Problem | None


class Desk:
    """One per worker process; its methods belong to the event loop."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._ids, self._batch_ids = LeadIds(), LeadIds()  # one for each thread that gives ids out
        self._sources = SourceTerms(doors.settings.rules_dir)
        self._checker = Checker(doors.settings)
        self._checking: Gatherer[list[ToCheck], list[Verdict]] = Gatherer(
            "check leads", self._check_groups, MOST_AT_ONCE, MOST_WAITING, len
        )
        self._taking_in: Gatherer[Request, Outcome] = Gatherer(
            "take in leads",
            self._take_in,
            MOST_AT_ONCE,
            MOST_WAITING,
            lambda request: max(1, len(request.leads)),
            LINGER_SECONDS,
        )
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="read batches")
        doors.breaker.on_change(self._let_go)

    async def take_one(self, client: str, body: bytes, asked: Asked | None, wait: float | None = None) -> Answer:
        """A single lead: 202, or 409 for one that is known; 200 with its route for one that is routed within ``wait``
        seconds.

        Raises:
            Problem: 400, 409 (of the key), 422, 429, 503.
        """
        given = read_lead(parse_body(body))
        self._refuse_early(client, 1, asked)
        now = self._doors.settings.now()
        source = self._source(client, given)
        lead = complete_row(given.row, source)
        verdict = check_plain(lead, now)
        if verdict is None:
            [verdict] = await self._checking.submit([lead])
        checked = _judge(self._ids, client, given, lead, verdict, now)
        if checked.new is None:
            raise checked.problem or Problem(400, "invalid_lead")
        answer = await self._ask_store(Request(client, [checked.new], partial(_tell_one, checked.new), asked), 1)
        lead_id = str(checked.new.lead_id)
        if wait is None or answer.is_replayed or answer.status != 202 or lead_id.encode() not in answer.body:
            return answer
        socket = self._doors.settings.hot_lane_socket
        decided = await ask_hot_lane(socket, checked.new.source, lead_id, wait)
        return answer if decided is None else await self._tell_decided(answer, lead_id, decided, asked)

    async def take_many(self, client: str, body: bytes, asked: Asked | None) -> Answer:
        """A batch: 200 with what became of each lead.

        Raises:
            Problem: 400 (the batch itself can't be read), 409 (of the key), 413, 422, 429, 503.
        """
        now = self._doors.settings.now()
        loop = asyncio.get_running_loop()
        items = await loop.run_in_executor(self._reading, self._read_batch, client, body, now)
        self._refuse_early(client, len(items), asked)
        left = [item for item in items if item.verdict is None]
        if left:
            for item, verdict in zip(left, await self._checking.submit([item.lead for item in left]), strict=True):
                item.verdict = verdict
        checked = await loop.run_in_executor(self._reading, self._judge_batch, client, items, now)
        leads = [one.new for one in checked if one.new is not None]
        return await self._ask_store(Request(client, leads, partial(_tell_many, checked), asked), len(leads))

    def warm_up(self) -> None:
        """Read what the check of plain leads needs, and open the engine in its thread: the first request needn't."""
        lead = ToCheck(
            {"email": "a@b.com", "phone": "+14155552671", "last_name": "Birch"}, self._sources.of_client("a")
        )
        check_plain(lead, self._doors.settings.now())
        self._checking.submit([lead])

    def stop(self, seconds: float) -> None:
        """Finish what was begun; blocks up to ``seconds``."""
        self._checking.stop(seconds / 2)
        self._taking_in.stop(seconds / 2)
        self._reading.shutdown(wait=False, cancel_futures=True)
        self._checker.close()

    async def _ask_store(self, request: Request, leads_count: int) -> Answer:
        outcome = await self._taking_in.submit(request)
        self._doors.breaker.note_answer()
        if outcome.allowance is not None:
            self._doors.quotas.note(request.client, outcome.allowance, leads_count)
        if isinstance(outcome.answer, Problem):
            raise outcome.answer
        return outcome.answer

    async def _tell_decided(self, told: Answer, lead_id: str, decided: dict[str, Any], asked: Asked | None) -> Answer:
        """The 200; under a key it is kept first, so that it is what is given again."""
        link = {"self": f"{LEADS_PATH}/{lead_id}"}
        answer = Answer(200, _ENCODER.encode({"lead_id": lead_id, **decided, "links": link}), told.headers)
        if asked is not None:
            kept = Kept(asked.request_sha256, answer.status, answer.headers, answer.body)
            try:
                await self._doors.workers.run(idempotency.replace, self._doors.store, asked, kept)
            except Problem:
                return told  # it is what is kept
        return answer

    def _refuse_early(self, client: str, leads_count: int, asked: Asked | None) -> None:
        """What needs no look into the store; a request with a key may have its answer there."""
        problem = self._doors.quotas.refusal(client, leads_count) if asked is None else None
        if problem is not None:
            raise problem

    def _source(self, client: str, given: GivenLead) -> SourceRules:
        """The source a lead belongs to: one of the rules by its name, else the client's own."""
        word = given.source_word
        if word is None:
            return self._sources.of_client(client)
        listed = self._sources.listed(word)
        if listed is not None:
            return listed
        given.row.setdefault("lead_source", word)
        return self._sources.of_client(client)

    def _read_batch(self, client: str, body: bytes, now: datetime) -> list[_Item]:
        """In a thread of its own: a thousand leads take longer than others should wait."""
        document = parse_body(body)
        if isinstance(document, dict):
            document = document.get(LEADS_MEMBER)
        if not isinstance(document, list) or not document:
            raise Problem(400, "malformed_request", detail=f"Send a list of leads, or an object with `{LEADS_MEMBER}`.")
        most = self._doors.settings.pipeline.MAX_BATCH_SIZE
        if len(document) > most:
            raise Problem(413, "too_many_leads", detail=f"At most {most:,} leads at once.")
        items = []
        for value in document:
            given = read_lead(value)
            lead = complete_row(given.row, self._source(client, given))
            items.append(_Item(given, lead, check_plain(lead, now)))
        return items

    def _judge_batch(self, client: str, items: list[_Item], now: datetime) -> list[Checked]:
        """In that thread too."""
        return [
            _judge(self._batch_ids, client, item.given, item.lead, item.verdict or Verdict(), now) for item in items
        ]

    def _check_groups(self, groups: list[list[ToCheck]]) -> list[list[Verdict]]:
        verdicts = iter(self._checker.check([lead for group in groups for lead in group], self._doors.settings.now()))
        return [[next(verdicts) for _ in group] for group in groups]

    def _take_in(self, requests: list[Request]) -> list[Outcome]:
        try:
            return take_in_requests(self._doors.store, self._doors.quotas.limit, requests)
        except Exception as error:
            raise self._doors.problem_of(error) or error from error

    def _let_go(self, reason: str | None) -> None:
        if reason is not None:
            self._taking_in.let_go(unavailable(reason))


@dataclass(slots=True)
class _Item:
    """A lead of a batch on its way; no verdict: the engine must look at it."""

    given: GivenLead
    lead: ToCheck
    verdict: Verdict | None


def _judge(ids: LeadIds, client: str, given: GivenLead, lead: ToCheck, verdict: Verdict, now: datetime) -> Checked:
    if given.errors or not verdict.is_accepted:
        problem = Problem(400, "invalid_lead", errors=[*given.errors, *verdict.errors])
        if verdict.missing and given.is_object:
            problem.more["missing"] = verdict.missing
        return Checked(None, problem)
    content = {**lead.row, "extra": given.extra} if given.extra else lead.row
    return Checked(
        NewLead(
            ids.next(now),
            client,
            lead.source.name,
            INTAKE_CHANNEL,
            now,
            _ENCODER.encode(content).decode(),
            verdict.keys,
            lead.source.on_duplicate,
        ),
        None,
    )


def _tell_one(lead: NewLead, repeats: Sequence[Repeat | None]) -> Answer:
    repeat = repeats[0]
    if repeat is None:
        return _accepted(str(lead.lead_id), "accepted")
    if lead.on_duplicate != "reject":
        return _accepted(str(repeat.existing_lead_id), _known_status(repeat))
    problem = _duplicate(repeat)
    return Answer(409, problem.body(), {"content-type": "application/problem+json"})


def _tell_many(checked: Sequence[Checked], repeats: Sequence[Repeat | None]) -> Answer:
    found = iter(repeats)
    results = [{"index": index, **_tell_item(one, found)} for index, one in enumerate(checked)]
    statuses = [result["status"] for result in results]
    counts = {name: statuses.count(status) for name, status in (("accepted", 202), ("refused", 400), ("known", 409))}
    body = _ENCODER.encode({"counts": counts, "results": results})
    return Answer(200, body, {"content-type": "application/json"})


def _tell_item(one: Checked, repeats: Any) -> dict[str, Any]:
    if one.new is None:
        document = one.problem.document() if one.problem else {}
        return {name: document[name] for name in ("status", "code", "errors", "missing") if name in document}
    repeat = next(repeats)
    if repeat is not None and one.new.on_duplicate == "reject":
        document = _duplicate(repeat).document()
        return {name: document[name] for name in ("status", "code", "existing_lead_id", "matched_on", "link")}
    lead_id = str(one.new.lead_id if repeat is None else repeat.existing_lead_id)
    state = "accepted" if repeat is None else _known_status(repeat)
    return {"status": 202, "lead_id": lead_id, "state": state, "links": {"self": f"{LEADS_PATH}/{lead_id}"}}


def _known_status(repeat: Repeat) -> str:
    return "updated" if repeat.is_update else "linked"


def _accepted(lead_id: str, status: str) -> Answer:
    link = f"{LEADS_PATH}/{lead_id}"
    body = f'{{"lead_id":"{lead_id}","status":"{status}","links":{{"self":"{link}"}}}}'
    return Answer(202, body.encode(), {"content-type": "application/json", "location": link})


def _duplicate(repeat: Repeat) -> Problem:
    lead_id = str(repeat.existing_lead_id)
    return Problem(
        409,
        "duplicate_lead",
        existing_lead_id=lead_id,
        matched_on=MATCH_RULES[repeat.kind][0],
        link=f"{LEADS_PATH}/{lead_id}",
    )
