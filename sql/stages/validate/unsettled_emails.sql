-- Grain: distinct address that the patterns leave to the library. Input: view raw.
SELECT DISTINCT email_candidate(clean_cell(email)) AS candidate
FROM raw
WHERE needs_email_library(lower(email)) AND needs_email_library(email_candidate(clean_cell(email)))
