"""The one suite that every provider passes: what it says, what it doesn't know, and how it fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import SecretStr

from aiqleads_pipeline.contract import ENRICHED_LEADS
from aiqleads_pipeline.rules import enrichment as rules
from aiqleads_pipeline.sandbox import Sandbox
from aiqleads_pipeline_tests.enrich_providers.conftest import NameServer
from resources.enrichment import (
    Answers,
    EnrichmentProvider,
    KeyKind,
    Kind,
    LookupRefused,
    LookupUnavailable,
    Terms,
    facts,
)  # fmt: skip
from resources.enrichment.calling import Setup
from resources.enrichment.generic_rest import GenericRest
from resources.enrichment.making import ADAPTERS, adapter, make_provider, most_keys_per_call

REST = {
    "key_kind": "company_domain",
    "method": "POST",
    "path": "/v1/bulk",
    "headers": {"X-Api-Key": "{secret}"},
    "body": {"keys": "{keys}"},
    "rows": "$.results[*]",
    "row_key": "$.key",
    "row_later": "$.error",
    "fields": {"company_name": "$.data.company.name", "city": "$.data.address.city"},
    "confidence": 0.8,
}


@dataclass(frozen=True)
class Story:
    """How a vendor of the sandbox is asked: its double, its secret, keys that it knows, one that it doesn't."""

    double: str
    kind: str
    known: tuple[str, ...]
    unknown: str
    secret: str | None = None
    path: str = ""
    options: dict[str, Any] = field(default_factory=dict)


DOMAINS = tuple(f"company{i}.com" for i in range(10))
STORIES = {
    "people_data_labs": Story("pdl", "company", DOMAINS, "unknown-x.com", "sandbox-pdl-key"),
    "apollo": Story("apollo", "company", DOMAINS, "unknown-x.com", "sandbox-apollo-key"),
    "open_corporates": Story(
        "opencorporates", "industry", tuple(f"company{i}|US" for i in range(10)), "unknown-x|US",
        "sandbox-opencorporates-key",
    ),
    "hunter": Story(
        "hunter", "email", ("valid@acme.com", "invalid@acme.com"), "unknown@acme.com", "sandbox-hunter-key"
    ),
    "zerobounce": Story(
        "zerobounce", "email", ("valid@acme.com", "catch-all@acme.com", "spamtrap@acme.com"), "unknown@acme.com",
        "sandbox-zerobounce-key",
    ),
    "google_places": Story(
        "places", "geo", ("1 Main Street, 10001, New York, US", "5 Market St, San Francisco, US"),
        "unknown street, nowhere", "sandbox-places-key",
    ),
    "company_pages": Story("sites", "social", DOMAINS, "none-x.com", None, "/{domain}"),
    "generic_rest": Story("rest", "company", DOMAINS, "unknown-x.com", "sandbox-rest-key", options=REST),
    "dns_mx": Story("dns", "email", ("known.example.com", "null.example.com", "bare.example.com"), "", None),
}  # fmt: skip
ON_HTTP = [name for name in ADAPTERS if name != "dns_mx"]


def make(name: str, box: Sandbox, secret: str | None = None, **options: Any) -> EnrichmentProvider:
    story = STORIES[name]
    given = secret or story.secret
    keys = min(most_keys_per_call(name), 20)
    return make_provider(
        name,
        Setup(
            name=name,
            kind=Kind(story.kind),
            base_url=box.url(story.double) + story.path if name != "dns_mx" else "dns:",
            terms=Terms(0.01, keys, 10.0),
            secret=SecretStr(given) if given else None,
            options={**story.options, **options},
            allow_loopback=True,
        ),
    )


def ask(provider: EnrichmentProvider, keys: tuple[str, ...], seconds: float = 5.0) -> Answers:
    """Ask for keys in calls of its size."""
    found, later, withheld = {}, set(), set()
    size = provider.terms.keys_per_call
    for start in range(0, len(keys), size):
        part = provider.lookup(keys[start : start + size], timeout_seconds=seconds)
        found.update(part.found)
        later |= part.later
        withheld |= part.withheld
    return Answers(found, frozenset(later), frozenset(withheld))


def test_every_adapter_has_a_story_and_a_place_in_the_rules() -> None:
    assert set(STORIES) == set(ADAPTERS) == set(rules.ADAPTERS)
    for name, where in rules.ADAPTERS.items():
        assert where == adapter(name).BASE_URL


def test_fields_are_columns_and_their_values_legal_there() -> None:
    columns = {column.name: column for column in ENRICHED_LEADS.columns}
    assert set(rules.FIELD_KINDS) == facts.FIELDS == facts.FIELDS & set(columns)
    assert all(f"{name}_source" in columns for name in facts.FIELDS)
    for name, legal in {
        "email_status": facts.EMAIL_STATUSES,
        "employee_band": (*facts.EMPLOYEE_BANDS.values(), "10001+"),
        "revenue_band": (*facts.REVENUE_BANDS.values(), "1B+"),
        "industry_code": tuple(facts.SECTORS.values()),
    }.items():
        assert set(legal) <= set(columns[name].one_of or ())


@pytest.mark.parametrize("name", ON_HTTP)
def test_a_provider_says_legal_facts_of_what_it_was_asked_and_nothing_of_what_it_does_not_know(
    name: str, sandbox: Sandbox
) -> None:
    story, provider = STORIES[name], make(name, sandbox)
    try:
        assert isinstance(provider, EnrichmentProvider)
        assert (provider.name, provider.kind, provider.key_kind in KeyKind) == (name, story.kind, True)
        answers = ask(provider, (*story.known, story.unknown))
        assert answers.found
        assert set(answers.found) <= set(story.known)
        assert not answers.later
        for found in answers.found.values():
            assert set(found.facts) <= provider.fields <= facts.FIELDS
            assert {key: facts.CHECKS[key](value) for key, value in found.facts.items()} == dict(found.facts)
            assert 0 <= found.confidence_share <= 1
        assert ask(provider, (*story.known, story.unknown)) == answers
    finally:
        provider.close()


@pytest.mark.parametrize("name", ON_HTTP)
@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("error", {"status": 503}),
        ("throttle", {"retry_after": 30}),
        ("hang", {}),
        ("truncated", {}),
        ("reset", {}),
    ],
    ids=["error", "throttle", "hang", "truncated", "reset"],
)
def test_a_provider_that_fails_is_told_apart_from_one_that_knows_nothing(
    name: str, fault: str, options: dict[str, Any], sandbox: Sandbox
) -> None:
    story, provider = STORIES[name], make(name, sandbox)
    sandbox.fault(story.double, fault, **options)
    key = story.known[0]
    try:
        answers = provider.lookup([key], timeout_seconds=0.3)
    except LookupUnavailable:
        pass
    else:
        assert answers == Answers(later=frozenset([key]))
    finally:
        provider.close()


@pytest.mark.parametrize("name", ON_HTTP)
@pytest.mark.parametrize("fault", ["html", "empty", "huge"])
def test_what_is_no_answer_becomes_no_fact(name: str, fault: str, sandbox: Sandbox) -> None:
    story, provider = STORIES[name], make(name, sandbox)
    sandbox.fault(story.double, fault, **({"megabytes": 8} if fault == "huge" else {}))
    try:
        assert not provider.lookup([story.known[0]], timeout_seconds=2.0).found
    except LookupUnavailable:
        pass
    finally:
        provider.close()


@pytest.mark.parametrize("name", [name for name in ON_HTTP if STORIES[name].secret])
def test_a_wrong_secret_is_a_refusal_and_is_never_shown(name: str, sandbox: Sandbox) -> None:
    provider = make(name, sandbox, secret="wrong-secret")
    with pytest.raises(LookupRefused) as refused:
        provider.lookup([STORIES[name].known[0]], timeout_seconds=2.0)
    assert "wrong-secret" not in str(refused.value)
    provider.close()


def test_hunter_asks_again_while_they_verify_and_never_uses_who_objected(sandbox: Sandbox) -> None:
    provider = make("hunter", sandbox)
    provider._sleep = lambda seconds: None  # type: ignore[attr-defined]
    states = {
        state: ask(provider, (f"{state}@acme.com",)).found[f"{state}@acme.com"].facts["email_status"]
        for state in ("valid", "invalid", "accept_all", "webmail", "disposable")
    }
    assert states == {state: state for state in states}
    assert ask(provider, ("unknown@acme.com",)) == Answers()
    assert ask(provider, ("slow02@acme.com",), 20.0).found
    assert provider.lookup(["slow99@acme.com"], timeout_seconds=3.0).later == {"slow99@acme.com"}
    assert ask(provider, ("claimed@acme.com",)).withheld == {"claimed@acme.com"}
    assert ask(provider, ("222@acme.com",)).later == {"222@acme.com"}
    provider.close()


def test_mail_servers_by_dns(name_server: NameServer, sandbox: Sandbox) -> None:
    provider = make("dns_mx", sandbox, name_servers=["127.0.0.1"], port=name_server.port)
    asked = ("known.example.com", "null.example.com", "bare.example.com", "gone.example.com", "bad..name")
    found = ask(provider, asked).found
    assert {key: found[key].facts["has_mail_server"] for key in asked} == {
        "known.example.com": True, "null.example.com": False, "bare.example.com": False, "gone.example.com": False,
        "bad..name": False,
    }  # fmt: skip
    for mode in ("fails", "silent"):
        name_server.mode = mode
        with pytest.raises(LookupUnavailable):
            provider.lookup(["known.example.com"], timeout_seconds=0.3)
    provider.close()


@pytest.mark.parametrize("server", ["10.0.0.1", "169.254.169.254", "127.0.0.1", "::1"])
def test_name_servers_go_through_the_guard(server: str) -> None:
    with pytest.raises(LookupRefused, match="not asked"):
        make_provider(
            "dns_mx", Setup("dns_mx", Kind.EMAIL, "dns:", Terms(0, 10, 1.0), options={"name_servers": [server]})
        )


HOSTILE = {
    "company_name": ["=cmd|'/c calc'!A1", "<script>x</script>", "a" * 201, "a\x00b", "\u202eevil", 7, [], {"a": 1}],
    "city": ["@SUM(1)", "x" * 5000], "country": ["usa", "US\n", "u"], "employee_band": ["5", 5],
    "latitude_deg": [91, "1", float("nan"), True, 10**400], "industry_code": ["99", 51], "has_mail_server": ["true", 1],
    "email_status": ["VALID", "ok"], "time_zone": ["../../etc", "Europe/Berlin\n"], "website": ["javascript:x", "a b"],
    "company_linkedin_url": [
        "javascript:alert(1)", "https://evil.com/company/x", "https://linkedin.com.evil.com/company/x",
        "https://u:p@linkedin.com/company/x", "https://linkedin.com/in/a-person", "https://linkedin.com:99999/company/x",
    ],
    "company_twitter_url": ["https://twitter.com/share?url=x", "https://x.com/intent/tweet"],
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_values_are_dropped_and_counted(name: str) -> None:
    for value in HOSTILE[name]:
        found = facts.found({name: value}, 1.0)
        assert found is not None
        assert (dict(found.facts), found.refused_count) == ({}, 1), value


def test_profile_links_are_kept_in_their_plain_form() -> None:
    plain = {
        "company_linkedin_url": ("http://de.linkedin.com/company/acme/?utm=1", "https://www.linkedin.com/company/acme"),
        "company_twitter_url": ("twitter.com/acme", "https://x.com/acme"),
        "company_facebook_url": ("https://www.facebook.com/acme/about", "https://www.facebook.com/acme"),
    }
    for name, (given, kept) in plain.items():
        assert facts.profile_url(name, given) == kept


def test_a_rest_provider_of_yaml_alone_reads_one_key_at_a_time_too(sandbox: Sandbox) -> None:
    options = {
        "key_kind": "company_domain", "path": "/v1/lookup?key={key}", "headers": {"X-Api-Key": "{secret}"},
        "fields": {"company_name": "$..name"},
    }  # fmt: skip
    setup = Setup("mine", Kind.COMPANY, sandbox.url("rest"), Terms(0, 1, 1.0), SecretStr("sandbox-rest-key"), options,
                  allow_loopback=True)  # fmt: skip
    provider = GenericRest(setup)
    assert any(provider.lookup([key], timeout_seconds=5).found for key in DOMAINS)
    assert provider.lookup(["unknown-x.com"], timeout_seconds=5) == Answers()
    provider.close()
