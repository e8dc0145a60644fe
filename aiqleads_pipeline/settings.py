"""Every setting, typed, by the names its users know; read once from the environment, wrong ones stop the start.

Belongs here: names, defaults, legal ranges. Does not belong here: what a sales-ops person edits (``data/rules``) and
secrets, which are looked up by name when needed (``secret``) and never kept.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

PROJECT_DIR = Path(__file__).resolve().parent.parent


class SettingsError(Exception):
    """A setting is missing, mistyped or out of range. The message is one line a person can act on."""


class PipelineConfig(BaseModel):
    """``PIPELINE_CONFIG__*``: seconds and counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    MAX_BATCH_SIZE: Annotated[int, Field(ge=1, le=100_000)] = 1000
    PROCESSING_TIMEOUT: Annotated[int, Field(ge=1, le=86_400)] = 300
    MAX_RETRIES: Annotated[int, Field(ge=0, le=20)] = 3
    RETRY_DELAY: Annotated[int, Field(ge=0, le=86_400)] = 60
    RATE_LIMIT_WINDOW: Annotated[int, Field(ge=1, le=86_400)] = 3600
    RATE_LIMIT_MAX: Annotated[int, Field(ge=1, le=100_000_000)] = 10_000
    ENRICHMENT_TIMEOUT: Annotated[int, Field(ge=1, le=3600)] = 30
    DELIVERY_TIMEOUT: Annotated[int, Field(ge=1, le=3600)] = 60


class FeatureFlags(BaseModel):
    """``FEATURE_FLAGS__*``: true or false."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enableEnrichment: bool = True  # noqa: N815  (public names)
    enableMLScoring: bool = True  # noqa: N815
    enableAutoRouting: bool = True  # noqa: N815
    enableWebhooks: bool = True  # noqa: N815


class Settings(BaseModel):
    """``AIQLEADS_*``: places and limits. URLs are a folder or ``s3://...``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    HOME: Path = Path("data/home")
    DATABASE_URL: SecretStr | None = None
    BUCKET_URL: str = ""
    LAKE_URL: str = ""
    RULES_DIR: Path = PROJECT_DIR / "data" / "rules"

    ENGINE_MEMORY_MB: Annotated[int, Field(ge=128, le=1_048_576)] = 1024
    ENGINE_THREADS: Annotated[int, Field(ge=1, le=256)] = 2
    ENGINE_DISK_MB: Annotated[int, Field(ge=64, le=16_777_216)] = 51_200
    READER_MEMORY_MB: Annotated[int, Field(ge=64, le=65_536)] = 1024
    MAX_DROP_MB: Annotated[int, Field(ge=1, le=1_048_576)] = 10_240
    MAX_DROP_COLUMNS: Annotated[int, Field(ge=1, le=10_000)] = 500
    MAX_CELL_CHARS: Annotated[int, Field(ge=64, le=16_777_216)] = 65_536
    DROP_SETTLE_SECONDS: Annotated[float, Field(ge=0, le=3600)] = 2.0
    PARTITION_DAYS: Annotated[int, Field(ge=1, le=36_500)] = 90
    LEASE_SECONDS: Annotated[int, Field(ge=2, le=3600)] = 30
    GATHER_SECONDS: Annotated[float, Field(ge=0, le=60)] = 0.5  # that leads of the doors wait for others at most,
    GATHER_LEADS: Annotated[int, Field(ge=1, le=100_000)] = 5_000  # and how many of a source make a batch
    HOT_DROP_KB: Annotated[int, Field(ge=0, le=1_048_576)] = 5_120
    WEBSERVER_PORT: Annotated[int, Field(ge=1, le=65_535)] = 3000
    # Of Dagster's UI as people reach it, for links in alerts: https://dagster.example.com
    WEBSERVER_URL: Annotated[str, Field(pattern=r"^(https?://[^\s/?#]+(/[^\s?#]*)?)?$")] = ""
    EGRESS_ALLOW_LOOPBACK: bool = False
    FIXED_NOW: datetime | None = None

    # The doors. Lists are separated by commas.
    API_PORT: Annotated[int, Field(ge=1, le=65_535)] = 8000
    API_WORKERS: Annotated[int, Field(ge=1, le=64)] = 1
    API_MAX_CONNECTIONS: Annotated[int, Field(ge=1, le=100_000)] = 2_000  # per worker
    API_MAX_REQUESTS: Annotated[int, Field(ge=2, le=100_000)] = 256  # at work at once, per worker
    DATABASE_CONNECTIONS: Annotated[int, Field(ge=3, le=100)] = (
        15  # per process; an API's workers divide the database's
    )
    API_DATABASE_THREADS: Annotated[int, Field(ge=1, le=12)] = 6  # per worker
    API_HEADER_KB: Annotated[int, Field(ge=1, le=1024)] = 32
    API_HEADER_SECONDS: Annotated[float, Field(ge=0.1, le=600)] = 10
    API_BODY_SECONDS: Annotated[float, Field(ge=0.1, le=3600)] = 30  # then at least API_BODY_KB_PER_SECOND
    API_BODY_KB_PER_SECOND: Annotated[float, Field(ge=0.1, le=1_048_576)] = 16
    API_TRUST_SECONDS: Annotated[float, Field(ge=0, le=60)] = 5  # without asking again: how long a revoked key goes on
    API_STOP_SECONDS: Annotated[int, Field(ge=1, le=600)] = 10
    API_DISK_RESERVE_MB: Annotated[int, Field(ge=0, le=1_048_576)] = 64
    API_MAX_LISTENERS: Annotated[int, Field(ge=1, le=10_000)] = 100  # of progress at once, per worker
    API_HEARTBEAT_SECONDS: Annotated[float, Field(ge=0.1, le=600)] = 15
    MAX_UPLOAD_MB: Annotated[int, Field(ge=1, le=1_048_576)] = 1024
    MAX_PREVIEW_MB: Annotated[int, Field(ge=1, le=1024)] = 16
    MAX_OPEN_UPLOADS: Annotated[int, Field(ge=1, le=100_000)] = 100  # of a client, not yet ended
    UPLOAD_TYPES: str = (
        "text/csv,text/plain,text/tab-separated-values,application/csv,application/json,application/x-ndjson,"
        "application/ndjson,application/jsonl,application/gzip,application/x-gzip,application/zip,"
        "application/x-zip-compressed,application/vnd.ms-excel,application/vnd.apache.parquet,application/x-parquet,"
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet,"
        "application/vnd.oasis.opendocument.spreadsheet,application/octet-stream"
    )
    # Of the API as others reach it, behind a proxy: https://leads.example.com
    PUBLIC_URL: Annotated[str, Field(pattern=r"^(https?://[^\s/?#]+(/[^\s?#]*)?)?$")] = ""
    WEBHOOK_MEMORY_DAYS: Annotated[int, Field(ge=1, le=3650)] = 30  # that a repeated event of a webhook is known
    DELIVERY_LOG_DAYS: Annotated[int, Field(ge=1, le=3650)] = 30  # that attempts of delivery are kept
    SCORES_DAYS: Annotated[int, Field(ge=1, le=3650)] = 14  # that old scores of open leads and old insights are kept
    TRUSTED_PROXIES: str = ""  # addresses whose X-Forwarded-For is believed
    CORS_ORIGINS: str = ""
    TOKEN_SECONDS: Annotated[int, Field(ge=10, le=3600)] = 300
    TOKEN_ISSUER: str = "aiqleads"  # noqa: S105
    OUTSIDE_ISSUER: str = ""  # another issuer of JWTs: `iss`
    OUTSIDE_AUDIENCE: str = "aiqleads"
    OUTSIDE_JWKS: str = ""  # its keys: a URL or a file
    OUTSIDE_ALGORITHMS: str = "RS256,PS256,ES256,Ed25519"
    OUTSIDE_ROLES: str = "client,viewer"  # what it may grant at most

    pipeline: PipelineConfig = PipelineConfig()
    flags: FeatureFlags = FeatureFlags()

    @property
    def home(self) -> Path:
        """The folder that every embedded runtime file lives under, absolute."""
        return self.HOME.expanduser().resolve()

    @property
    def hot_lane_socket(self) -> Path:
        """Where the hot lane of this home answers."""
        return self.home / "hot-lane.sock"

    @property
    def bucket_url(self) -> str:
        """The watched bucket."""
        return self.BUCKET_URL or str(self.home / "bucket")

    @property
    def lake_url(self) -> str:
        """The Parquet lake."""
        return self.LAKE_URL or str(self.home / "lake")

    @property
    def rules_dir(self) -> Path:
        """The YAML rules, absolute."""
        return self.RULES_DIR.expanduser().resolve()

    def now(self) -> datetime:
        """The clock of the edges (UTC). ``AIQLEADS_FIXED_NOW`` stops it: drills compare runs to the last bit."""
        return self.FIXED_NOW or datetime.now(UTC)


_PREFIXES: dict[str, type[BaseModel]] = {
    "PIPELINE_CONFIG__": PipelineConfig,
    "FEATURE_FLAGS__": FeatureFlags,
    "AIQLEADS_": Settings,
}
# Names under our prefix that other modules own: secrets, crash points of the drills, what `up` hands to its children.
_NOT_SETTINGS = ("AIQLEADS_SECRET__", "AIQLEADS_CRASH_", "AIQLEADS_STOP_", "AIQLEADS_DAGSTER_")


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Raises:
        SettingsError: names the setting, the kind of value and the legal range; every fault in one message.
    """
    environ = os.environ if environ is None else environ
    problems: list[str] = []
    groups: dict[str, BaseModel] = {}
    for prefix, model in _PREFIXES.items():
        given = {
            name.removeprefix(prefix): value
            for name, value in environ.items()
            if name.startswith(prefix) and not name.startswith(_NOT_SETTINGS)
        }
        known = [name for name in model.model_fields if name not in ("pipeline", "flags")]
        for name in [name for name in given if name not in known]:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
            hint = f"; did you mean {prefix}{close[0]}?" if close else ""
            problems.append(f"{prefix}{name} is no setting{hint}")
            del given[name]
        try:
            groups[prefix] = model.model_validate({k: v for k, v in given.items() if v != ""})
        except ValidationError as error:
            problems += [_explain(prefix, model, fault) for fault in error.errors(include_input=False)]
    if problems:
        raise SettingsError(". ".join(problems))
    return groups["AIQLEADS_"].model_copy(  # type: ignore[return-value]
        update={"pipeline": groups["PIPELINE_CONFIG__"], "flags": groups["FEATURE_FLAGS__"]}
    )


def secret(name: str, environ: Mapping[str, str] | None = None) -> SecretStr:
    """The secret that the rules call ``name``, from ``AIQLEADS_SECRET__<NAME>``.

    Raises:
        SettingsError: it is not set. The message names the variable, never a value.
    """
    variable = f"AIQLEADS_SECRET__{name.upper()}"
    value = (os.environ if environ is None else environ).get(variable)
    if not value:
        raise SettingsError(f"{variable} is not set, but the rules refer to `secret: {name}`")
    return SecretStr(value)


def _explain(prefix: str, model: type[BaseModel], fault: object) -> str:
    name = str(fault["loc"][0])  # type: ignore[index]
    field = model.model_fields[name]
    kind = getattr(field.annotation, "__name__", str(field.annotation))
    bounds = {type(rule).__name__.lower(): rule for rule in field.metadata}
    low = getattr(bounds.get("ge"), "ge", None)
    high = getattr(bounds.get("le"), "le", None)
    legal = f", from {low} to {high}" if low is not None else ""
    return f"{prefix}{name}: expected {kind}{legal}; {fault['msg']}"  # type: ignore[index]
