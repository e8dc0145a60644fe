"""Thin Dagster wiring, one module per step: fetch inputs, call the stage, attach metadata. No logic about leads."""
