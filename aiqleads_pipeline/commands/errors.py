"""`aiqleads errors`: every reason code as a table, and the page ``docs/errors.md`` that is written from it.

Belongs here: telling the registry (``reasons``) to people. ``python -m aiqleads_pipeline.commands.errors`` writes it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from aiqleads_pipeline.reasons import REASONS, Reason
from aiqleads_pipeline.settings import PROJECT_DIR

PAGE = PROJECT_DIR / "docs" / "errors.md"
_CLASSES = {
    "input": "what came in",
    "processing": "the work on it",
    "delivery": "calls out and the way to others",
    "system": "what everything stands on",
}
_TESTS = "aiqleads_pipeline_tests"
# What must happen when a part fails, and the tests that break the part and look.
RULES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "enrichment fails",
        "the lead goes on with what there is: `enrichment_status`, `degraded`, a warning",
        ("alerts/test_error_rules.py::test_enrichment_that_fails_leaves_partial_data_and_a_warning",),
    ),
    (
        "scoring by model fails",
        "the rules score, alert `rules_scored`",
        ("alerts/test_error_rules.py::test_a_model_that_fails_leaves_the_rules_score_and_an_alert",),
    ),
    (
        "classification fails",
        "default classes, an error in the run's log, alert `classes_defaulted`",
        ("alerts/test_error_rules.py::test_classification_that_fails_leaves_default_classes_and_an_error_in_the_log",),
    ),
    (
        "routing fails",
        "every lead waits in review with `routing_failed`, alert to the administrators",
        ("alerts/test_error_rules.py::test_routing_that_fails_sends_all_to_review_and_tells_the_admin",),
    ),
    (
        "an integration times out",
        "exponential backoff with jitter, within the budget of the call",
        ("alerts/test_error_rules.py::test_calls_that_time_out_are_tried_again_ever_later",),
    ),
    (
        "a webhook fails",
        "it stays queued; after the last attempt a dead letter and alert `deliveries_dead`",
        ("deliver/test_worker.py::test_after_the_last_round_a_delivery_is_dead_and_can_be_retried",),
    ),
    (
        "a CRM fails",
        "what is meant for it is kept and tried later",
        ("crm/test_salesforce.py::test_without_a_log_in_everything_waits_and_no_attempt_is_used_up",),
    ),
    (
        "the database is away",
        "a breaker refuses at once, nothing is taken; what was accepted before is there",
        ("doors/test_database_away.py", "alerts/test_watchman.py::test_a_database_that_is_away_is_told_without_it"),
    ),
    (
        "a service is away",
        "`degraded`, and its breaker opens: alert `breaker_open`",
        ("alerts/test_watches.py::test_an_open_breaker_is_an_alert_until_it_closes",),
    ),
    (
        "the network breaks",
        "retry with backoff, never twice what may not come twice",
        ("doors/test_http_retries.py::test_transient_answers_are_asked_again",),
    ),
)


class UnknownCode(Exception):
    """No such reason code; the message names the nearest."""


def list_errors(code: str | None = None) -> list[dict[str, Any]]:
    """One row per code: ``code, kind, class, retry_helps, who_acts, message, what_to_do``.

    Raises:
        UnknownCode.
    """
    if code is None:
        return [_row(reason) for reason in REASONS.values()]
    if code not in REASONS:
        near = difflib.get_close_matches(code, REASONS, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(near)}?" if near else "`aiqleads errors` lists all"
        raise UnknownCode(f"there is no code {code!r}: {hint}")
    return [_row(REASONS[code])]


def error_page() -> str:
    """``docs/errors.md``, whole."""
    return "\n".join(_lines()) + "\n"


def _row(reason: Reason) -> dict[str, Any]:
    return {
        "code": reason.code,
        "kind": reason.kind,
        "class": reason.error_class,
        "retry_helps": reason.retry_helps,
        "who_acts": reason.who_acts,
        "message": reason.message,
        "what_to_do": reason.how_to_fix,
    }


def _lines() -> Iterator[str]:
    yield "# Errors"
    yield ""
    yield "Every code that answers, tables, logs and alerts use. Written from `aiqleads_pipeline/reasons/` by"
    yield "`python -m aiqleads_pipeline.commands.errors`; `aiqleads errors [CODE]` tells the same."
    yield ""
    yield "## What happens when a part fails"
    yield ""
    yield "| what fails | what happens | the test that breaks it |"
    yield "|---|---|---|"
    for what, then, tests in RULES:
        yield f"| {what} | {then} | {'<br>'.join(f'`{_TESTS}/{test}`' for test in tests)} |"
    for name, meaning in _CLASSES.items():
        yield ""
        yield f"## {name.capitalize()}: {meaning}"
        yield ""
        yield "| code | seen as | what it means | retry helps | who acts | what to do |"
        yield "|---|---|---|---|---|---|"
        for reason in sorted(REASONS.values(), key=lambda each: (each.kind, each.code)):
            if reason.error_class == name:
                retry = "yes" if reason.retry_helps else "no"
                said = f"{_cell(reason.message)} | {retry} | {reason.who_acts} | {_cell(reason.how_to_fix)}"
                yield f"| `{reason.code}` | {reason.kind} | {said} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    PAGE.write_text(error_page(), encoding="utf-8")
