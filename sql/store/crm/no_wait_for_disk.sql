-- A turn that is forgotten in a crash does no harm: this transaction need not wait for the disk.
SET LOCAL synchronous_commit = off
