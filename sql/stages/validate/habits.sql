-- Grain: one row: how this file writes dates and numbers. Input: view raw.
-- Per column what its unambiguous values give away; the caller decides from the counts.
SELECT
    count(*) FILTER (is_day_first(last_activity_at)) AS last_activity_at_day_first,
    count(*) FILTER (is_month_first(last_activity_at)) AS last_activity_at_month_first,
    count(*) FILTER (is_day_first(consent_at)) AS consent_at_day_first,
    count(*) FILTER (is_month_first(consent_at)) AS consent_at_month_first,
    count(*) FILTER (is_day_first(created_at)) AS created_at_day_first,
    count(*) FILTER (is_month_first(created_at)) AS created_at_month_first,
    count(*) FILTER (shows_decimal_comma(employee_count)) AS employee_count_comma,
    count(*) FILTER (shows_decimal_point(employee_count)) AS employee_count_point,
    count(*) FILTER (shows_decimal_comma(annual_revenue_usd)) AS annual_revenue_usd_comma,
    count(*) FILTER (shows_decimal_point(annual_revenue_usd)) AS annual_revenue_usd_point,
    count(*) FILTER (shows_decimal_comma(budget_usd)) AS budget_usd_comma,
    count(*) FILTER (shows_decimal_point(budget_usd)) AS budget_usd_point
FROM raw
