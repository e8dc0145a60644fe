"""Settings: defaults of the contract, and refusals that name what is wrong."""

import pytest

from aiqleads_pipeline.settings import SettingsError, load_settings, secret


def test_defaults_are_those_of_the_contract(tmp_path):
    settings = load_settings({"AIQLEADS_HOME": str(tmp_path)})
    assert settings.pipeline.model_dump() == {
        "MAX_BATCH_SIZE": 1000,
        "PROCESSING_TIMEOUT": 300,
        "MAX_RETRIES": 3,
        "RETRY_DELAY": 60,
        "RATE_LIMIT_WINDOW": 3600,
        "RATE_LIMIT_MAX": 10000,
        "ENRICHMENT_TIMEOUT": 30,
        "DELIVERY_TIMEOUT": 60,
    }
    assert set(settings.flags.model_dump().values()) == {True}
    assert settings.bucket_url == f"{tmp_path}/bucket"
    assert settings.lake_url == f"{tmp_path}/lake"


def test_values_come_from_the_environment():
    settings = load_settings(
        {
            "PIPELINE_CONFIG__MAX_BATCH_SIZE": "7",
            "FEATURE_FLAGS__enableMLScoring": "false",
            "AIQLEADS_LAKE_URL": "s3://x/y",
        }
    )
    assert (settings.pipeline.MAX_BATCH_SIZE, settings.flags.enableMLScoring) == (7, False)
    assert settings.lake_url == "s3://x/y"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PIPELINE_CONFIG__MAX_RETRIES", "99", ("PIPELINE_CONFIG__MAX_RETRIES", "int", "from 0 to 20")),
        ("PIPELINE_CONFIG__RETRY_DELAY", "soon", ("PIPELINE_CONFIG__RETRY_DELAY", "int")),
        ("FEATURE_FLAGS__enableEnrichment", "perhaps", ("FEATURE_FLAGS__enableEnrichment", "bool")),
        ("AIQLEADS_LEASE_SECONDS", "0", ("AIQLEADS_LEASE_SECONDS", "from 2 to 3600")),
        ("FEATURE_FLAGS__enableMLScorng", "true", ("is no setting", "FEATURE_FLAGS__enableMLScoring")),
    ],
)
def test_a_wrong_setting_stops_the_start_with_its_name(name, value, told):
    with pytest.raises(SettingsError) as error:
        load_settings({name: value})
    for word in told:
        assert word in str(error.value)


def test_all_faults_are_told_at_once():
    with pytest.raises(SettingsError) as error:
        load_settings({"PIPELINE_CONFIG__MAX_RETRIES": "x", "AIQLEADS_HOMES": "y"})
    assert "MAX_RETRIES" in str(error.value)
    assert "AIQLEADS_HOMES" in str(error.value)


def test_a_database_url_is_never_shown():
    settings = load_settings({"AIQLEADS_DATABASE_URL": "postgresql://u:hunter2@db/x"})
    assert "hunter2" not in repr(settings)


def test_secrets_are_looked_up_by_name_and_never_printed():
    environ = {"AIQLEADS_SECRET__CRM": "hunter2"}
    assert secret("crm", environ).get_secret_value() == "hunter2"
    assert "hunter2" not in repr(secret("crm", environ))
    with pytest.raises(SettingsError, match="AIQLEADS_SECRET__OTHER is not set"):
        secret("other", environ)
    load_settings(environ)  # a secret is no unknown setting
