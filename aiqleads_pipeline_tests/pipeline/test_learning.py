"""Outcomes teach: a model comes into force, scores say which one, and nightly scores and the audit run."""

import random

import pytest


@pytest.fixture(scope="module")
def learned(house):
    """A source with enough closed leads: managers of busy leads buy."""
    rng = random.Random(7)
    lines, outcomes = ["Full Name,Email,Company,Job Title,Page Views,Country"], ["email,result"]
    for i in range(420):
        views = rng.randrange(40)
        email = f"p{i}@learner{i}-company.com"
        lines.append(f"Pat Learner{i},{email},Learner {i} Ltd,{'CEO' if i % 3 == 0 else 'Intern'},{views},US")
        won = rng.random() < (0.75 if views > 20 else 0.1)
        # No date: closed when the file came, so that all that is known of the lead was known before.
        outcomes.append(f"{email},{'won' if won else 'lost'}")
    leads = house.process("learners.csv", "\n".join(lines) + "\n", "learners")
    told = house.process("outcomes.csv", "\n".join(outcomes) + "\n", "outcomes")
    result = house.defs.resolve_job_def("retrain_model").execute_in_process(instance=house.instance)
    assert result.success
    assert house.outside.models.current(), "the model is unsound"
    return leads, told


def test_outcomes_find_their_leads(house, learned):
    leads, told = learned
    assert (leads.routed, told.status, told.received) == (420, "done", 420)


def test_the_next_batch_is_scored_by_the_model_and_says_so(house, learned, leads_csv):
    version = house.outside.models.current()
    summary = house.process("after.csv", leads_csv("after"), "after")
    rows = house.rows("scored_leads", summary.batch_id, "score_method", "model_version")
    assert set(rows) == {("model", version)}


def test_a_tampered_model_is_refused_and_rules_score(house, learned, leads_csv):
    version = house.outside.models.current()
    file = house.outside.models.folder / f"{version}.json"
    sound = file.read_bytes()
    try:
        file.write_bytes(sound[:-10])
        summary = house.process("tampered.csv", leads_csv("tampered"), "tampered")
        assert summary.status == "done"
        assert set(house.rows("scored_leads", summary.batch_id, "score_method")) == {("rules",)}
    finally:
        file.write_bytes(sound)


def test_open_leads_are_scored_anew(house, learned):
    assert house.defs.resolve_job_def("rescore_open_leads").execute_in_process(instance=house.instance).success
    assert house.outside.lake.batches("open_lead_scores")


def test_the_audit_writes_its_data_docs(house, learned):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the audit's library warns about itself while it is imported
        assert house.defs.resolve_job_def("audit_leads").execute_in_process(instance=house.instance).success
    docs = house.outside.settings.home / "audit/gx/uncommitted/data_docs/local_site/index.html"
    assert "html" in docs.read_text()[:200].lower()
