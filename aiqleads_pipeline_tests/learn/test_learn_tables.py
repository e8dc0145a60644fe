"""Any labelled table: what leaks is refused by name, noise gives no model, labels that are unclear are refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from aiqleads_pipeline.stages.learning import LabelUnclear, Untrainable, label_table, learn, read_label
from aiqleads_pipeline.stages.learning.comparing import compare
from aiqleads_pipeline.stages.learning.document import answers_of, document_of
from aiqleads_pipeline.stages.learning.leaks import find_leaks

ROWS = 1500


def table_of(seed: int, **columns: np.ndarray) -> pa.Table:
    """Noise of four kinds and the columns given, all as text."""
    random = np.random.default_rng(seed)
    noise = {
        "row id": np.arange(ROWS) + 7000,
        "budget": np.where(random.random(ROWS) < 0.1, 9999, random.integers(1, 900, ROWS)),
        "spend": random.normal(size=ROWS).round(6),
        "colour": random.choice(["red", "blue", "Select"], ROWS),
        "city": random.choice([f"city {i}" for i in range(60)], ROWS),
    }
    cells = {
        name: [None if v is None else str(v) for v in values.tolist()] for name, values in (noise | columns).items()
    }
    return pa.table({name: pa.array(values, pa.string()) for name, values in cells.items()})


def test_chance_gives_no_model_and_refuses_no_column() -> None:
    won = np.random.default_rng(1).random(ROWS) < 0.3
    data = label_table(table_of(2, y=won), "y")
    trained = learn(data, seed=3)
    assert (trained.serves, trained.leaks) == ("prior", [])
    assert trained.metrics["auc"] == pytest.approx(0.5)
    assert "no model" in trained.warnings[0]
    assert data.left_out == {"row id": "an identifier: nearly every row has its own value"}
    assert set(data.missing) == {"budget", "colour"}


def test_what_knows_the_outcome_is_named_and_what_is_honest_is_not() -> None:
    random = np.random.default_rng(4)
    visits = random.poisson(3, ROWS)
    won = random.random(ROWS) < 1 / (1 + np.exp(-(visits - 3.5)))
    empty = random.random(ROWS) < 0.5
    leaky = {
        "copy": np.where(won, "A", "B"),
        "lost_note": np.where(won, None, random.choice(["price", "time"], ROWS)),
        "a": np.where(empty, "x", None),
        "b": np.where(empty ^ won, "x", None),
    }
    data = label_table(table_of(5, y=np.where(won, "won", "lost"), visits=visits, **leaky), "y")
    named = {leak.column for leak in find_leaks(data)[0]}
    assert {"copy", "lost_note"} <= named
    assert named & {"a", "b"}
    assert not named & {"visits", "budget", "colour", "city"}
    assert "copy" not in {leak.column for leak in find_leaks(data, ["copy"])[0]}


def test_a_stored_model_answers_for_the_text_it_learnt_from() -> None:
    random = np.random.default_rng(6)
    visits = random.poisson(3, ROWS)
    won = random.random(ROWS) < 1 / (1 + np.exp(-(visits - 3.0)))
    table = table_of(7, y=won, visits=visits)
    trained = learn(label_table(table, "y"), seed=1)
    assert trained.is_model
    document = document_of(trained, 1)
    assert document["version"] == document_of(learn(label_table(table, "y"), seed=1), 1)["version"]
    assert trained.fit is not None
    assert answers_of(document, table).tolist() == trained.fit.answers(trained.data, trained.serves).tolist()


@pytest.mark.parametrize("words", [("yes", "no"), ("WON", "Lost"), ("1", "0"), ("TRUE", "FALSE")], ids=lambda w: w[0])
def test_labels_speak_for_themselves(words: tuple[str, str]) -> None:
    told = read_label("y", pa.array([*words, None, "n/a", words[0]]))
    assert (told.won.tolist(), told.is_counted.tolist()) == (
        [True, False, False, False, True],
        [True, True, False, False, True],
    )


def test_unclear_labels_are_refused_with_their_values() -> None:
    with pytest.raises(LabelUnclear, match=r"3 values .*'hot'.*--positive"):
        read_label("y", pa.array(["hot", "warm", "cold"]))
    with pytest.raises(LabelUnclear, match="fewer than two"):
        read_label("y", pa.array(["yes", "yes", ""]))
    with pytest.raises(Untrainable, match="no column 'x'; there are: y"):
        label_table(pa.table({"y": ["1", "0"]}), "x")


def test_a_challenger_must_be_better_everywhere() -> None:
    random = np.random.default_rng(8)
    won = random.random(2000) < 0.3
    weak = np.clip(0.3 + 0.1 * (won - 0.3) + random.normal(0, 0.1, 2000), 0, 1)
    strong = np.clip(0.3 + 0.3 * (won - 0.3) + random.normal(0, 0.1, 2000), 0, 1)
    segments = ["fair" if i % 2 else "web" for i in range(2000)]
    assert compare(won, weak, strong, segments).is_better
    assert not compare(won, strong, weak, segments).is_better
    assert not compare(won[:50], weak[:50], strong[:50], segments[:50]).is_better
    mixed = np.where(np.asarray(segments) == "fair", random.random(2000), strong)
    assert "fair" in compare(won, np.where(np.asarray(segments) == "fair", weak, weak), mixed, segments).words
