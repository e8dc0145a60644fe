-- The lead's id: a UUID of version 8 from the drop and the row, so that the same drop and row give the same id.
-- Inputs: the drop's key (decimal text of the 128 bits with row 0, see stages/reading/lead_ids.py), the row from 1.
CREATE OR REPLACE MACRO lead_id(drop_key, drop_row) AS (drop_key::UHUGEINT + drop_row::UHUGEINT)::UUID;
