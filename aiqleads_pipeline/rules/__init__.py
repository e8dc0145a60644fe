"""What a sales-ops person may edit (``data/rules/*.yaml``), read and checked: one module per file.

Belongs here: the models of the rules, their checks across files, their errors with line numbers. Does not belong
here: what a rule does to leads (``stages``).
"""
