-- How soon leads must be touched. grain: one row. inputs: compared.
SELECT
    round(avg(sla_before), 1) AS mean_minutes_before, round(avg(sla_after), 1) AS mean_minutes_after,
    count(*) FILTER (sla_before <= 60) AS within_hour_before, count(*) FILTER (sla_after <= 60) AS within_hour_after
FROM compared
