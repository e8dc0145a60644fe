"""Rules from draft to force: compared, previewed on past leads, published whole, taken back.

Belongs here: the life of a set of rules. Does not belong here: what a rule may say (``rules``).
"""
