-- Sets the variable `zip_states`: the states of the postal codes that begin with n, at place n + 1. Input: ref_us_zip_prefixes.
SET VARIABLE zip_states = (
    SELECT list(states ORDER BY number)
    FROM (
        SELECT number, list(state ORDER BY state) FILTER (state IS NOT NULL) AS states
        FROM range(1000) AS numbers (number)
        LEFT JOIN ref_us_zip_prefixes ON zip_prefix::INTEGER = number
        GROUP BY number
    )
)
