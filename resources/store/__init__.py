"""The operational store, PostgreSQL: what must be unique, leased, counted or remembered over batches.

One module per concern; all write through ``database.Store.transaction``, which names the write and checks the lease.
"""
