-- One publisher at a time, to the end of the transaction.
LOCK TABLE aiqleads.rule_publications IN SHARE ROW EXCLUSIVE MODE
