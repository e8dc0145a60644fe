"""CRMs as destinations: put together from their rules, secrets and the store.

Belongs here: builders. Does not belong here: what may stand in the rules (``rules.crm``) and protocols
(``resources.crm``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import SecretStr

from aiqleads_pipeline.delivering.kinds import Around, NotBuilt
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.rules.crm import CrmRules as Rules
from aiqleads_pipeline.rules.crm import FieldRule, HubspotRules, ReadBack, SalesforceRules, load_crm
from aiqleads_pipeline.rules.destinations import HubSpotDestination, SalesforceDestination, load_destinations
from resources.crm import hubspot, salesforce
from resources.crm.base import CrmRules
from resources.crm.hubspot_reading import HubSpotReader
from resources.crm.mapping import Field, compared_fields
from resources.crm.reading import CrmReader, OutcomeTerms
from resources.crm.salesforce_reading import SalesforceReader
from resources.crm.session import CrmSession, Pace
from resources.crm.tokens import FixedToken, OauthTokens
from resources.http import HttpClient


def build_salesforce(rule: SalesforceDestination, around: Around) -> salesforce.Salesforce:
    """The destination of a rule of kind ``salesforce``.

    Raises:
        RulesError, SettingsError: its file is wrong, a secret is not set.
    """
    rules = salesforce_rules(rule, around)
    session = salesforce_session(rule.name, rules, around)
    return salesforce.Salesforce(session, common_rules(rules), salesforce_terms(rules), rule.chunk_size)


def build_hubspot(rule: HubSpotDestination, around: Around) -> hubspot.HubSpot:
    """The destination of a rule of kind ``hubspot``.

    Raises:
        RulesError, SettingsError: its file is wrong, a secret is not set.
    """
    rules = hubspot_rules(rule, around)
    session = hubspot_session(rule.name, rules, around)
    return hubspot.HubSpot(session, common_rules(rules), hubspot_terms(rules), rule.chunk_size)


def build_reader(rule: SalesforceDestination | HubSpotDestination, around: Around) -> CrmReader:
    """What reads a destination back.

    Raises:
        RulesError, SettingsError: its file is wrong, a secret is not set.
    """
    if isinstance(rule, SalesforceDestination):
        org = salesforce_rules(rule, around)
        return SalesforceReader(
            salesforce_session(rule.name, org, around),
            salesforce_terms(org),
            as_fields(org.fields),
            org.owner_field,
            _outcomes(org),
            around.outside.settings.now,
        )
    account = hubspot_rules(rule, around)
    return HubSpotReader(
        hubspot_session(rule.name, account, around),
        hubspot_terms(account),
        as_fields(account.fields),
        account.owner_field,
        _outcomes(account),
        around.outside.settings.now,
    )


@dataclass(frozen=True)
class ReadDestination:
    """A CRM that is read back, and what may be done about what is found."""

    name: str
    reader: CrmReader
    compared: tuple[Field, ...]
    bounds: ReadBack
    owners: Mapping[str, str]

    def owner_of(self, their_id: str | None) -> str | None:
        """Our owner by their id; one that the rules don't know goes by their id."""
        return next((ours for ours, theirs in self.owners.items() if theirs == their_id), their_id)


def open_readers(outside: Outside) -> Iterator[ReadDestination]:
    """All enabled CRMs, each with an HTTP client that lives until the next is asked for.

    Raises:
        NotBuilt: one can't be, by its rules or secrets.
    """
    for rule in load_destinations(outside.settings.rules_dir).enabled:
        if isinstance(rule, SalesforceDestination | HubSpotDestination):
            with HttpClient(allow_loopback=outside.settings.EGRESS_ALLOW_LOOPBACK) as client:
                around = Around(outside, client)
                try:
                    rules = _rules_of(rule, around)
                    reader = build_reader(rule, around)
                except Exception as error:
                    raise NotBuilt(f"destination {rule.name!r}: {error}".splitlines()[0]) from error
                compared = compared_fields(as_fields(rules.fields))
                yield ReadDestination(rule.name, reader, compared, rules.read_back, rules.owners)


def _rules_of(rule: SalesforceDestination | HubSpotDestination, around: Around) -> Rules:
    return salesforce_rules(rule, around) if isinstance(rule, SalesforceDestination) else hubspot_rules(rule, around)


def salesforce_rules(rule: SalesforceDestination, around: Around) -> SalesforceRules:
    """Its file under ``crm/``."""
    rules = load_crm(around.rules_dir, rule.mapping or f"{rule.name}.yaml", "salesforce")
    assert isinstance(rules, SalesforceRules)  # noqa: S101 - by its kind
    return rules


def hubspot_rules(rule: HubSpotDestination, around: Around) -> HubspotRules:
    """Its file under ``crm/``."""
    rules = load_crm(around.rules_dir, rule.mapping or f"{rule.name}.yaml", "hubspot")
    assert isinstance(rules, HubspotRules)  # noqa: S101 - by its kind
    return rules


def salesforce_session(name: str, rules: SalesforceRules, around: Around) -> CrmSession:
    """The account, logged in when first used."""
    form = {
        "grant_type": SecretStr(rules.login),
        "client_id": around.secret(rules.client_id),
        "client_secret": around.secret(rules.client_secret),
        **({"refresh_token": around.secret(rules.refresh_token)} if rules.refresh_token else {}),
    }
    return CrmSession(
        name,
        around.client,
        OauthTokens(around.client, f"{rules.login_url}/services/oauth2/token", form),
        around.outside.store,
        read_usage=salesforce.read_usage,
        read_codes=salesforce.read_codes,
        pace=_pace(rules),
    )


def hubspot_session(name: str, rules: HubspotRules, around: Around) -> CrmSession:
    """The account, logged in when first used."""
    tokens: FixedToken | OauthTokens
    if rules.access_token is not None:
        tokens = FixedToken(around.secret(rules.access_token), rules.base_url)
    else:
        names = {
            "client_id": rules.client_id,
            "client_secret": rules.client_secret,
            "refresh_token": rules.refresh_token,
        }
        form = {name: around.secret(secret) for name, secret in names.items() if secret is not None}
        form["grant_type"] = SecretStr("refresh_token")
        tokens = OauthTokens(around.client, f"{rules.base_url}/oauth/v1/token", form, rules.base_url)
    return CrmSession(
        name,
        around.client,
        tokens,
        around.outside.store,
        read_usage=hubspot.read_usage,
        read_codes=hubspot.read_codes,
        pace=_pace(rules),
    )


def salesforce_terms(rules: SalesforceRules) -> salesforce.SalesforceTerms:
    """What is Salesforce's own of the rules."""
    is_flag = isinstance(rules.assignment, bool)
    return salesforce.SalesforceTerms(
        rules.api_version,
        rules.object,
        rules.external_id_field,
        may_duplicate=rules.duplicates == "allow",
        assignment=str(rules.assignment).upper() if is_flag else str(rules.assignment),
        collection_size=rules.collection_size,
        bulk_from=rules.bulk_from,
    )


def hubspot_terms(rules: HubspotRules) -> hubspot.HubSpotTerms:
    """What is HubSpot's own of the rules."""
    companies = None
    if rules.companies is not None:
        key = Field(rules.companies.id_property, tuple(tuple(path.split(".")) for path in rules.companies.key), "code")
        companies = hubspot.CompanyTerms(rules.companies.id_property, key, as_fields(rules.companies.fields))
    email = "email" if rules.same_email == "adopt" else None
    return hubspot.HubSpotTerms(rules.id_property, email, rules.batch_size, companies)


def common_rules(rules: Rules) -> CrmRules:
    """What is alike for all CRMs."""
    return CrmRules(
        as_fields(rules.fields),
        rules.owner_field,
        rules.owners,
        rules.daily_limit_share,
        frozenset(int(each[1]) for each in rules.reserved_for),
    )


def as_fields(fields: Mapping[str, FieldRule]) -> tuple[Field, ...]:
    """The mapping as it is applied."""
    return tuple(
        Field(
            name,
            tuple(tuple(path.split(".")) for path in each.paths),
            each.cast,
            max_chars=each.max_chars,
            decimals=each.decimals,
            values=MappingProxyType(each.values),
            otherwise=each.otherwise,
            is_required=each.required,
            is_negated=each.negate,
            is_compared=each.compare,
        )
        for name, each in fields.items()
    )


def _outcomes(rules: Rules) -> OutcomeTerms:
    return OutcomeTerms(rules.outcomes.status_field, rules.outcomes.status, rules.outcomes.deals)


def _pace(rules: Rules) -> Pace | None:
    return None if rules.pace is None else Pace(rules.pace.requests, rules.pace.seconds)
