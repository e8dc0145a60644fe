-- Sets the variable `currency_rates`: MAP of what stands beside an amount, in small letters, to US dollars.
-- Inputs: ref_currency_rates (code), ref_currency_marks (mark, code, shared_by: the home currencies that the mark
-- means instead of `code`), variable currency: what an amount without a mark is in.
SET VARIABLE currency_rates = (
    WITH marks AS (
        SELECT lower(code) AS mark, code FROM ref_currency_rates
        UNION ALL
        SELECT
            mark,
            CASE WHEN list_contains(string_split(shared_by, ' '), getvariable('currency')) THEN getvariable('currency') ELSE code END
        FROM ref_currency_marks
        UNION ALL
        SELECT '', getvariable('currency')
    )

    SELECT map(list(mark), list(usd_per_unit::DOUBLE))
    FROM marks
    JOIN ref_currency_rates ON ref_currency_rates.code = marks.code
)
