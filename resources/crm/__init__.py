"""CRMs: Salesforce and HubSpot through their own protocols, as destinations of leads and to be read back.

Belongs here: mapping fields, logging in, limits, requests and answers, jobs. Does not belong here: which deliveries
are due (the worker that drains the outbox), what a sales-ops person edits (``data/rules/crm/*.yaml``).
"""
