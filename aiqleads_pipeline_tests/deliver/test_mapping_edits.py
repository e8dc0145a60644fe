"""The mapping of a CRM is edited while a deliverer runs: the next calls go by it; a wrong edit changes nothing."""

from __future__ import annotations

import pytest

from aiqleads_pipeline.delivering import worker as workers
from aiqleads_pipeline.delivering.worker import Worker
from aiqleads_pipeline.settings import PROJECT_DIR
from aiqleads_pipeline_tests.deliver.delivery_world import World


def test_an_edited_mapping_is_followed_without_a_restart(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(workers, "RULES_SECONDS", 0.0)
    monkeypatch.setenv("AIQLEADS_SECRET__HUBSPOT_ACCESS_TOKEN", "token")
    mapping = world.rules / "crm" / "hubspot.yaml"
    mapping.parent.mkdir()
    shipped = (PROJECT_DIR / "data" / "rules" / "crm" / "hubspot.yaml").read_text(encoding="utf-8")
    mapping.write_text(shipped, encoding="utf-8")
    world.says("name: hubspot, kind: hubspot")
    with Worker(world.outside) as worker:
        worker.tick()
        first = worker._lanes["hubspot"]
        worker.tick()
        assert worker._lanes["hubspot"] is first
        mapping.write_text(shipped + "nonsense: 1\n", encoding="utf-8")
        worker.tick()
        worker.tick()
        assert worker._lanes["hubspot"] is first
        assert [each.getMessage() for each in caplog.records if "the last good one" in each.getMessage()][1:] == []
        assert "the mapping of hubspot is wrong" in caplog.text
        mapping.write_text(shipped.replace("daily_limit_share: 0.8", "daily_limit_share: 0.5"), encoding="utf-8")
        worker.tick()
        second = worker._lanes["hubspot"]
        assert second is not first
        assert second.built.destination._rules.daily_limit_share == 0.5  # type: ignore[attr-defined]
        worker.tick()
        assert worker._lanes["hubspot"] is second
