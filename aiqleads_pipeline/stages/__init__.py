"""The work itself, pure: DuckDB relations in, relations out. No Dagster, no network, no clock, no randomness.

Usable in a notebook: ``engine.open_engine`` gives a connection, ``read_parquet`` the input, each stage the rest.
"""
