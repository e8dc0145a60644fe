"""Opens what lies outside of the process, once: store, bucket, lake, models. Everything with a side effect hangs here.

Belongs here: putting resources and settings together. Does not belong here: any decision about leads.
"""

from __future__ import annotations

import atexit
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from aiqleads_pipeline.publishing.rule_files import load_published
from aiqleads_pipeline.rules.book import RuleBook
from aiqleads_pipeline.settings import Settings, load_settings
from resources.bucket import Bucket
from resources.lake import Lake
from resources.models import ModelRegistry
from resources.store.database import Store


@dataclass(frozen=True)
class Outside:
    """Store, bucket, lake and models of one set of settings; each opened when first used."""

    settings: Settings

    @cached_property
    def store(self) -> Store:
        """The operational store, started if it is the embedded one, at the schema of this code."""
        url = self.settings.DATABASE_URL
        address = url.get_secret_value() if url else None
        store = Store.open(address, self.settings.home, self.settings.DATABASE_CONNECTIONS)
        store.migrate()
        return store

    @cached_property
    def bucket(self) -> Bucket:
        """The watched bucket."""
        return Bucket(self.settings.bucket_url)

    @cached_property
    def lake(self) -> Lake:
        """The Parquet lake."""
        return Lake(self.settings.lake_url)

    @cached_property
    def models(self) -> ModelRegistry:
        """The conversion models, beside the tables of an embedded lake."""
        return ModelRegistry(self.settings.home / "models")

    def rules(self) -> RuleBook:
        """The rules as they stand now: read anew by every run, so that an edit counts from the next batch on."""
        return load_published(self.settings.rules_dir)

    def workdir(self, name: str) -> Path:
        """A folder for files that live no longer than one run."""
        folder = self.settings.home / "work" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


_opened: dict[Settings, Outside] = {}


def open_outside(settings: Settings | None = None) -> Outside:
    """The process's one view of the outside for these settings (from the environment by default)."""
    settings = settings or load_settings()
    if settings not in _opened:
        _opened[settings] = Outside(settings)
    return _opened[settings]


def close(outside: Outside) -> None:
    """Close one view of the outside; the next ``open_outside`` of its settings opens another."""
    _opened.pop(outside.settings, None)
    if "store" in outside.__dict__:
        outside.store.close()


@atexit.register
def close_all() -> None:
    """Close every store of this process; the last process of a home stops its embedded server."""
    for outside in list(_opened.values()):
        close(outside)
