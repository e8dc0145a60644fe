"""Salesforce: one org with the REST API, sObject collections, SOQL, Bulk API 2.0 and its limits."""

from aiqleads_pipeline.sandbox.doubles.salesforce.service import Salesforce

__all__ = ["Salesforce"]
