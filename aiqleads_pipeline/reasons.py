"""The one registry of reason codes: the same code in API answers, tables, metrics and alerts.

A code is snake_case and names what is wrong, not who noticed. Kinds: ``row`` codes reject or flag a row, ``drop`` codes
quarantine a whole file, ``lead`` codes mark a lead that went on with less (``degraded``), ``review`` codes say why it
waits, ``delivery`` codes why it has not arrived. ``aiqleads errors`` and ``docs/errors.md`` tell all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["row", "drop", "lead", "review", "alert", "request", "scrape", "delivery"]
ErrorClass = Literal["input", "processing", "delivery", "system"]
Actor = Literal["sender", "sales operations", "team lead", "operator", "nobody"]

# Of each kind, unless the reason says otherwise: its class, whether a retry helps, who acts.
_USUAL: dict[Kind, tuple[ErrorClass, bool, Actor]] = {
    "row": ("input", False, "sender"),
    "drop": ("input", False, "sender"),
    "request": ("input", False, "sender"),
    "lead": ("processing", True, "operator"),
    "review": ("processing", False, "sales operations"),
    "scrape": ("processing", True, "operator"),
    "delivery": ("delivery", True, "operator"),
    "alert": ("system", False, "operator"),
}


@dataclass(frozen=True)
class Reason:
    """One code: what it means for people and what they can do about it. What is None is as usual for its kind."""

    code: str
    kind: Kind
    message: str
    how_to_fix: str
    of_class: ErrorClass | None = None
    is_retryable: bool | None = None
    actor: Actor | None = None

    @property
    def error_class(self) -> ErrorClass:
        """Where it goes wrong: in what came, in the work, on the way out, or underneath."""
        return self.of_class or _USUAL[self.kind][0]

    @property
    def retry_helps(self) -> bool:
        """Whether the same thing tried again can end well without anybody changing it."""
        return _USUAL[self.kind][1] if self.is_retryable is None else self.is_retryable

    @property
    def who_acts(self) -> Actor:
        """Who can do something about it; ``nobody`` where nothing needs to be done."""
        return self.actor or _USUAL[self.kind][2]


_ALL = (
    # rows that are rejected
    Reason("unreachable", "row", "Neither an e-mail address nor a phone number that can be used.",
           "Give an e-mail address or a phone number with its country."),
    Reason("nameless", "row", "No last name, full name or company name.", "Give a name or a company."),
    Reason("wrong_column_count", "row", "The row has more or fewer cells than the header.",
           "Quote cells that hold the delimiter; give every row as many cells as the header."),
    Reason("unterminated_quote", "row", "A quoted cell is opened and never closed.",
           "Close the quote, or double quotes inside a quoted cell."),
    Reason("undecodable_text", "row", "The row holds bytes that are no text.", "Save the file as UTF-8."),
    Reason("cell_too_large", "row", "A cell is larger than the limit.", "Shorten the cell."),
    Reason("invalid_json", "row", "The line is not a JSON object.", "Write one JSON object per line."),
    Reason("unreadable_drop", "row", "One of the batch's files can't be read.",
           "See the file's own reason on the run, correct it and drop it again."),
    Reason("test_lead", "row", "A test lead of the ad platform.", "Nothing to do: test leads are not delivered.",
           actor="nobody"),
    Reason("no_lead_in_event", "row", "The webhook's event holds no lead where its source says leads are.",
           "Nothing to do if the sender also tells of other things; else correct `leads` in sources.yaml."),
    # values that are set aside or repaired
    Reason("invalid_email", "row", "Not an e-mail address.", "Write it as name@domain."),
    Reason("several_emails", "row", "More than one e-mail address in the cell; the first is used.",
           "One address per cell."),
    Reason("several_phones", "row", "More than one phone number in the cell; the first is used.",
           "One number per cell."),
    Reason("invalid_phone", "row", "Not a valid phone number.", "Write it with its country code: +1 415 555 0100."),
    Reason("spreadsheet_arithmetic", "row", "A spreadsheet calculated this instead of keeping the text.",
           "Format the column as text before saving."),
    Reason("invalid_country", "row", "Not a country.", "Use the ISO 3166 code or the English name."),
    Reason("invalid_region", "row", "Not a region of the country.", "Use the ISO 3166-2 code or the name."),
    Reason("invalid_number", "row", "Not a number.", "Write digits, without words."),
    Reason("invalid_money", "row", "Not an amount of money.", "Write it as 1200000 or $1.2M."),
    Reason("unknown_currency", "row", "An amount in a currency without a rate.", "Give the amount in US dollars."),
    Reason("invalid_date", "row", "Not a date.", "Write it as 2026-11-23."),
    Reason("ambiguous_date", "row", "Day and month can't be told apart in this file.", "Write it as 2026-11-23."),
    Reason("invalid_flag", "row", "Neither yes nor no.", "Write true or false."),
    Reason("invalid_url", "row", "Not a web address.", "Write it as https://example.com."),
    Reason("invalid_postal_code", "row", "Not a postal code of the country.", "Check the postal code."),
    Reason("placeholder_value", "row", "A word that stands for 'nothing' (n/a, none, call me).",
           "Leave the cell empty."),
    Reason("leading_zero_restored", "row", "A leading zero was lost and put back.", "Format the column as text.",
           actor="nobody"),
    Reason("control_characters_removed", "row", "Invisible characters were removed.", "Nothing to do.", actor="nobody"),
    Reason("out_of_range", "row", "The value is outside of the possible range.", "Check the value."),
    Reason("value_truncated", "row", "The value was longer than the limit and cut.", "Shorten the value."),
    # rows of an outcomes file that say nothing we can use
    Reason("no_reference", "row", "The row names no lead.", "Give the lead's id, its id at the source or its e-mail."),
    Reason("unknown_outcome", "row", "The outcome is no word that is known here.", "Write won, lost or returned."),
    Reason("outcome_open", "row", "The lead is not closed yet.", "Nothing to do: it counts when it is won or lost.",
           actor="nobody"),
    Reason("outcome_superseded", "row", "A later row of the file says what became of this lead.", "Nothing to do.",
           actor="nobody"),
    # drops that are quarantined
    Reason("empty_file", "drop", "The file is empty.", "Drop a file with a header and rows."),
    Reason("no_rows", "drop", "The file has a header but no rows.", "Drop a file with rows."),
    Reason("not_a_table", "drop", "The file is no table of leads (an HTML page, binary data, a document).",
           "Export the leads as CSV, XLSX, JSON or Parquet."),
    Reason("unsupported_format", "drop", "The file's format is known but not read here.",
           "Export the leads as CSV, XLSX, JSON or Parquet."),
    Reason("corrupt_file", "drop", "The file is damaged or cut short.", "Export and drop it again."),
    Reason("expands_too_much", "drop", "Unpacked, the file would exceed the limit.", "Drop it unpacked, in parts."),
    Reason("too_many_columns", "drop", "The file has more columns than the limit.", "Drop only the lead's columns."),
    Reason("file_too_large", "drop", "The file is larger than the limit.", "Drop it in parts."),
    Reason("reader_out_of_memory", "drop", "Reading the file took more memory than the limit.",
           "Export it as CSV.", of_class="processing"),
    Reason("reader_timed_out", "drop", "Reading the file took longer than the limit.", "Export it as CSV.",
           of_class="processing", is_retryable=True),
    Reason("no_contact_column", "drop", "No column of the file maps to an e-mail address or a phone number.",
           "Name the columns in sources.yaml; the mapping that was tried is on the run."),
    Reason("no_outcome_columns", "drop", "The file lacks a column that names the lead, or one with the outcome.",
           "Name them email, external_id or lead_id, and outcome."),
    Reason("no_readable_rows", "drop", "Not one row of the file can be read.", "Check delimiter and quotes."),
    Reason("drop_changed", "drop", "The file is gone or changed since it was registered.", "Drop it again.",
           is_retryable=True),
    # leads that went on with less
    Reason("enrichment_disabled", "lead", "Enrichment is switched off.", "Set FEATURE_FLAGS__enableEnrichment=true.",
           is_retryable=False),
    Reason("enrichment_failed", "lead", "Enrichment failed; the lead went on without it.", "See the run's log."),
    Reason("scoring_disabled", "lead", "Scoring by model is switched off.",
           "Set FEATURE_FLAGS__enableMLScoring=true.", is_retryable=False),
    Reason("no_model", "lead", "There is no sound conversion model yet; rules scored.",
           "Drop outcomes under uploads/outcomes/ and materialise conversion_model.", is_retryable=False),
    Reason("model_failed", "lead", "The conversion model failed; rules scored.", "See the alert."),
    Reason("classification_failed", "lead", "Classification failed; default classes were taken.",
           "See the run's log.", is_retryable=True),
    # why a lead waits for a person
    Reason("no_rule", "review", "No routing rule matches.", "Add a rule or a catch-all to routing.yaml."),
    Reason("sent_to_review", "review", "A routing rule sends such leads to a person.",
           "Assign it by hand; the rule is named in the suggestion.", actor="team lead"),
    Reason("no_capacity", "review", "Every owner of the team is at capacity.",
           "Raise max_open_leads in teams.yaml, or assign by hand.", is_retryable=True, actor="team lead"),
    Reason("no_owner", "review", "The team has no active owner.", "Activate an owner in teams.yaml.",
           actor="team lead"),
    Reason("routing_disabled", "review", "Automatic routing is switched off.",
           "Set FEATURE_FLAGS__enableAutoRouting=true, or assign by hand.", actor="operator"),
    # requests that the doors refuse
    Reason("not_authenticated", "request", "No valid key or token.",
           "Send Authorization: Bearer <key or token>, or X-API-Key; `aiqleads keys create` makes a key."),
    Reason("too_many_failures", "request", "Too many failed log-ins from this address or with this key.",
           "Wait for the time in Retry-After, then send the right key.", is_retryable=True),
    Reason("address_not_allowed", "request", "The key may not be used from this address.",
           "Send from a network of the key's list, or create a key with another list."),
    Reason("not_allowed", "request", "The key's role or scopes don't allow this.",
           "Use a key whose role and scopes allow it."),
    Reason("not_found", "request", "There is nothing here, or nothing of yours.", "Check the address."),
    Reason("method_not_allowed", "request", "This address takes other methods.", "See Allow and /openapi.json."),
    Reason("malformed_request", "request", "The request can't be read.", "See the errors and /openapi.json."),
    Reason("invalid_request", "request", "The request breaks the rules listed in errors.", "Correct and send again."),
    Reason("missing_value", "request", "This is required.", "Give a value."),
    Reason("invalid_value", "request", "Not a value that is taken here.", "See /openapi.json for what is."),
    Reason("unsupported_media_type", "request", "The body's type is not taken here.",
           "Send the Content-Type that /openapi.json names."),
    Reason("body_too_large", "request", "The body is larger than the limit.", "Send less at once."),
    Reason("headers_too_large", "request", "The headers are larger than the limit.", "Send fewer or shorter headers."),
    Reason("too_slow", "request", "The request did not arrive in time.", "Send it faster, or in smaller parts.",
           is_retryable=True),
    Reason("rate_limited", "request", "The client sent more leads than its limit allows.",
           "Send again after the seconds in Retry-After.", is_retryable=True),
    Reason("exceeds_quota", "request", "More leads at once than the limit of the whole window.",
           "Send smaller batches."),
    Reason("overloaded", "request", "The service has more work than it can do in time.",
           "Send again after the seconds in Retry-After.", of_class="system", is_retryable=True, actor="nobody"),
    Reason("stopping", "request", "This process of the service is stopping.", "Send again at once.",
           of_class="system", is_retryable=True, actor="nobody"),
    Reason("database_away", "request", "The database does not answer; nothing of the request was taken.",
           "Send again after the seconds in Retry-After; `aiqleads doctor` names the cause.",
           of_class="system", is_retryable=True, actor="operator"),
    Reason("disk_full", "request", "There is no room on the disk; nothing of the request was taken.",
           "Make room; requests are taken again by themselves.",
           of_class="system", is_retryable=True, actor="operator"),
    Reason("internal_error", "request", "The service failed on this request.",
           "Nothing is wrong with the request; the log has the error under the request's id.",
           of_class="system", is_retryable=True, actor="operator"),
    Reason("invalid_lead", "request", "The lead breaks the rules listed in errors and missing.",
           "Correct what is listed and send it again."),
    Reason("unreadable_json", "request", "The body is no JSON that can be read.",
           "Send UTF-8 JSON without twice-named members, NaN, halves of characters, or deep nesting."),
    Reason("wrong_type", "row", "The JSON value has a type that the column doesn't take.", "See expected."),
    Reason("reserved_name", "row", "A column of this name is given by the pipeline.", "Send it under another name."),
    Reason("too_many_members", "row", "The lead has more members than a lead may have.", "Send fewer."),
    Reason("too_many_leads", "request", "More leads at once than MAX_BATCH_SIZE.", "Send them in several batches."),
    Reason("duplicate_lead", "request", "The lead is known already.", "See existing_lead_id and link."),
    Reason("invalid_idempotency_key", "request", "The Idempotency-Key can't be used.",
           "Send one key of 1 to 255 visible ASCII characters, such as a UUID."),
    Reason("idempotency_key_open", "request", "A request with this Idempotency-Key is still at work.",
           "Send again after the seconds in Retry-After.", is_retryable=True),
    Reason("idempotency_key_reused", "request", "This Idempotency-Key was used with another request.",
           "Use a new key for each different request."),
    Reason("invalid_signature", "request", "The signature or key is missing, malformed or wrong.",
           "Sign the body as it is sent, with the source's secret; GET /v1/sources/{source}/spec shows how."),
    Reason("signature_too_old", "request", "The signature is right, but its time is too far from now.",
           "Send when it is signed, with a clock that is right; a repeated event is signed anew."),
    Reason("webhooks_disabled", "request", "Webhooks are switched off; nothing of the request was taken.",
           "Set FEATURE_FLAGS__enableWebhooks=true; send again after the seconds in Retry-After.",
           of_class="system", is_retryable=True, actor="operator"),
    Reason("webhook_secret_missing", "request", "The source's secret is not set, or is none of its scheme.",
           "Set AIQLEADS_SECRET__<NAME> for the secret that sources.yaml names, and start again.",
           of_class="system", actor="operator"),
    Reason("unknown_site", "request", "There is no such site in scrapes.yaml.", "Name a site of scrapes.yaml.",
           actor="operator"),
    Reason("scraping_disabled", "request", "Scraping, or the site, is switched off.",
           "Set enabled: true in scrapes.yaml, at the top and at the site.", actor="operator"),
    # files that clients send
    Reason("cancelled", "drop", "The batch was cancelled before it began.", "Send the file again to have it read.",
           actor="nobody"),
    Reason("already_begun", "request", "The batch has begun or ended and can't be cancelled.",
           "Wait for its end; leads that were routed can be worked on there."),
    Reason("not_the_maker", "request", "Another sender made this batch from the same content.",
           "Only who sent it first can cancel it."),
    Reason("mapping_fixed", "request", "The batch of these bytes was read with another mapping.",
           "Follow the link; correct the file itself to have it read anew."),
    Reason("too_many_uploads", "request", "Too many batches of this client are under way.",
           "Send again after the seconds in Retry-After, or raise AIQLEADS_MAX_OPEN_UPLOADS.", is_retryable=True),
    Reason("source_not_allowed", "request", "The source belongs to somebody else.",
           "Leave `source` out, or name one of sources.yaml."),
    Reason("unknown_column", "request", "Not a column of the contract, nor `ignore`.",
           "See the fields that /v1/uploads/preview lists."),
    Reason("no_file", "request", "The form holds no file.", "Send one part with a file name."),
    Reason("several_files", "request", "The form holds more than one file.", "Send each file by itself."),
    Reason("no_rejected_rows_yet", "request", "The rejected rows of this batch are not known.",
           "Wait until the batch is done; a file that can't be read at all has its reason on the batch.",
           is_retryable=True),
    # why a crawl ended before all was read
    Reason("page_budget_spent", "scrape", "The crawl asked for as many pages as it may.", "Raise max_pages.",
           is_retryable=False),
    Reason("byte_budget_spent", "scrape", "The crawl received as many bytes as it may.", "Raise max_total_mb.",
           is_retryable=False),
    Reason("lead_budget_spent", "scrape", "The crawl found as many leads as it may.", "Split the site in several.",
           is_retryable=False),
    Reason("time_budget_spent", "scrape", "The crawl took as long as it may.", "Raise max_seconds.",
           is_retryable=False),
    Reason("site_unavailable", "scrape", "The site did not answer, or asked for a pause.", "Nothing to do.",
           actor="nobody"),
    Reason("scrape_gave_up", "scrape", "The crawl's worker died again and again.", "Open its run in the Dagster UI."),
    Reason("routing_failed", "review", "Routing failed; the leads of the batch wait for a person.",
           "See the run's log, mend the cause, run the partition again; or assign by hand.", actor="operator"),
    # calls out, whatever for
    Reason("not_connected", "delivery", "No connection came about.", "Nothing to do at first: it is tried again."),
    Reason("answer_lost", "delivery", "The connection broke before the answer was whole.",
           "Nothing to do at first: it is tried again, with the same delivery id."),
    Reason("timed_out", "delivery", "No answer within the time limit.",
           "Nothing to do at first: it is tried again; see DELIVERY_TIMEOUT and ENRICHMENT_TIMEOUT."),
    Reason("circuit_open", "delivery", "The service failed so often that it is left alone for a while.",
           "Nothing to do at first: one call probes it; if it stays away, ask its operator."),
    Reason("unavailable_status", "delivery", "The service answered that it can't just now (408, 425, 429, 5xx).",
           "Nothing to do at first: it is tried again when it asked to be."),
    Reason("egress_refused", "delivery", "The address is one that is never called (private, loopback, metadata).",
           "Correct the URL; for this very host set AIQLEADS_EGRESS_ALLOW_LOOPBACK=true.", is_retryable=False),
    Reason("unknown_host", "delivery", "There is no such host.", "Correct the URL or host.", is_retryable=False),
    Reason("certificate_refused", "delivery", "The host could not prove its name.",
           "Renew its certificate, or name the right host.", is_retryable=False),
    Reason("bad_request", "delivery", "The request can't be sent as given.", "Correct URL and headers.",
           is_retryable=False),
    Reason("bad_answer", "delivery", "The answer is none that can be read.", "Look at what listens at the URL.",
           is_retryable=False),
    Reason("answer_too_large", "delivery", "The answer is larger than the limit.", "Look at what listens at the URL.",
           is_retryable=False),
    Reason("too_many_redirects", "delivery", "More redirects than the limit.", "Name the final URL.",
           is_retryable=False),
    Reason("refused_status", "delivery", "The receiver refused it (4xx) and always will.",
           "See the delivery's log, correct mapping or rights, and deliver it again.", is_retryable=False),
    # e-mail
    Reason("smtp_refused", "delivery", "The mail server refused the message for good (5xx).",
           "See the detail; correct sender, rights or size.", is_retryable=False),
    Reason("smtp_deferred", "delivery", "The mail server put the message off (4xx).", "Nothing to do at first."),
    Reason("smtp_login_failed", "delivery", "The mail server did not take the name and password.",
           "Correct `user` and the secret; messages are kept and go out afterwards."),
    Reason("smtp_no_tls", "delivery", "The mail server offers no encryption where the rules ask for it.",
           "Use a server with STARTTLS or port 465, or set security: none for one on this host."),
    Reason("bad_recipient", "delivery", "The address is none that mail can be sent to, or the server refused it.",
           "Correct the owner's address in teams.yaml, then deliver again.", is_retryable=False),
    Reason("no_recipient", "delivery", "The lead has no owner with an address.", "Add the owner to teams.yaml.",
           is_retryable=False, actor="sales operations"),
    Reason("muted", "delivery", "The owner wants no such mail (teams.yaml).", "Nothing to do.", is_retryable=False,
           actor="nobody"),
    Reason("held_until_open", "delivery", "Held until the receiver's quiet hours end or the digest is due.",
           "Nothing to do: it goes out by itself.", actor="nobody"),
    # alerts
    Reason("drop_quarantined", "alert", "A dropped file was quarantined.", "aiqleads doctor names the file.",
           of_class="input"),
    Reason("run_failed", "alert", "A run failed.", "Open the run in the Dagster UI.",
           of_class="processing", is_retryable=True),
    Reason("run_reaped", "alert", "A run whose worker died was freed.", "Nothing to do: it is run again.",
           is_retryable=True, actor="nobody"),
    Reason("check_failed", "alert", "An asset check failed.", "Open the asset in the Dagster UI.",
           of_class="processing"),
    Reason("rules_scored", "alert", "Rules scored a batch for want of a sound model.",
           "Drop outcomes and materialise conversion_model.", of_class="processing"),
    Reason("dead_letters", "alert", "Deliveries were given up after their last attempt.",
           "aiqleads deliveries list --state dead; mend the cause, then aiqleads deliveries retry.",
           of_class="delivery"),
    Reason("breaker_open", "alert", "A service fails so often that it is left alone.",
           "aiqleads doctor; it closes by itself when the service answers.", is_retryable=True),
    Reason("queue_old", "alert", "Work waits longer than it should.",
           "aiqleads doctor; see whether runner, worker and daemon live.", of_class="processing"),
    Reason("drop_missing", "alert", "A drop that was expected has not come.",
           "Ask its sender; see `expect` in alerts.yaml.", of_class="input", actor="sender"),
    Reason("sla_overdue", "alert", "Leads were not touched in time.",
           "aiqleads slas list; the clock reassigns them within bounds.", of_class="processing", actor="team lead"),
    Reason("daemon_silent", "alert", "Dagster's daemon stands still: no sensor or schedule runs.",
           "Look at the output of aiqleads up; end the daemon, it is started again.", actor="operator"),
    Reason("classes_defaulted", "alert", "Classification failed; default classes were taken for a batch.",
           "See the run's log; run the partition again.", of_class="processing", is_retryable=True),
)  # fmt: skip

REASONS: dict[str, Reason] = {reason.code: reason for reason in _ALL}


def describe(code: str) -> str:
    """The code's message in one line; an unregistered code raises KeyError, so none can be invented in passing."""
    return REASONS[code].message
