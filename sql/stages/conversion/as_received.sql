-- Closed leads as the rules would have scored them on the day each was received, all moved to one moment, so that one
-- query scores them: every date keeps its age.
-- grain: one row per closed lead that is asked for; key: lead_id
-- inputs: ruled_leads (ENRICHED_LEADS, result, closed_at), ruled_places (lead_id, place: its row in time order)
-- variables: ruled_as_of: the moment that the leads are moved to
WITH
asked AS (
    SELECT
        l.*, p.place,
        getvariable('ruled_as_of')::TIMESTAMPTZ - l.received_at AS moved,
        -- As for the model: what a lead did after it was closed is not known yet.
        l.closed_at IS NULL OR l.closed_at >= l.received_at AS is_before_outcome
    FROM ruled_leads AS l
    INNER JOIN ruled_places AS p ON p.lead_id = l.lead_id
)
SELECT * EXCLUDE (moved, is_before_outcome) REPLACE (
    received_at + moved AS received_at,
    CASE WHEN is_before_outcome THEN last_activity_at + moved END AS last_activity_at,
    CASE WHEN is_before_outcome THEN created_at + moved END AS created_at,
    CASE WHEN is_before_outcome THEN consent_at + moved END AS consent_at,
    CASE WHEN is_before_outcome THEN page_views_count END AS page_views_count,
    CASE WHEN is_before_outcome THEN email_opens_count END AS email_opens_count,
    CASE WHEN is_before_outcome THEN form_submissions_count END AS form_submissions_count
)
FROM asked
