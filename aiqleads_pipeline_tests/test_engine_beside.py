"""A connection beside another has views of its own: two threads may name their inputs alike."""

from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages.engine import open_beside, open_engine


def test_views_of_the_same_name_are_two(tmp_path):
    with open_engine(Settings(HOME=tmp_path)) as con:
        con.sql("SELECT 1 AS a").create_view("routed", replace=True)
        lazy = con.sql("SELECT a FROM routed")
        with open_beside(con) as other:
            other.sql("SELECT 2 AS a").create_view("routed", replace=True)
            assert lazy.fetchall() == [(1,)]
            assert other.sql("SELECT a, delivery_id(uuid(), 'x') IS NOT NULL FROM routed").fetchall() == [(2, True)]
        assert con.sql("SELECT DISTINCT table_schema FROM information_schema.tables").fetchall() == [("main",)]
