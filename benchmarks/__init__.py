"""Measuring and breaking: benchmarks beside the floor and beside peers, and the crash drill. Not shipped."""
