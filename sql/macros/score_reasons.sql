-- What the parts of a score say to a sales person, one macro per part. Texts are built from numbers and fixed words only,
-- never from what a lead wrote, so that they are safe inside JSON as they are.

CREATE OR REPLACE MACRO reason_days_ago(age_days) AS
    CASE WHEN age_days < 1 THEN 'today' WHEN age_days < 2 THEN 'yesterday'
         ELSE floor(age_days)::BIGINT || ' days ago' END;

CREATE OR REPLACE MACRO reason_usd(amount_usd) AS
    CASE WHEN amount_usd >= 1e6 THEN '$' || least(amount_usd / 1e6, 1e12)::DECIMAL(18, 1) || 'M'
         WHEN amount_usd >= 1e4 THEN '$' || round(amount_usd / 1e3)::BIGINT || 'k'
         ELSE '$' || round(amount_usd)::BIGINT END;

CREATE OR REPLACE MACRO reason_percent(prob) AS (100 * prob)::DECIMAL(5, 1) || ' %';

CREATE OR REPLACE MACRO reason_completeness(
        no_email, no_phone, no_person, no_company, no_title, no_industry, no_size, no_country) AS
    coalesce('Missing: ' || nullif(concat_ws(', ',
        CASE WHEN no_email THEN 'e-mail' END, CASE WHEN no_phone THEN 'valid phone' END,
        CASE WHEN no_person THEN 'name' END, CASE WHEN no_company THEN 'company' END,
        CASE WHEN no_title THEN 'job title' END, CASE WHEN no_industry THEN 'industry' END,
        CASE WHEN no_size THEN 'company size' END, CASE WHEN no_country THEN 'country' END), ''),
        'Everything needed to call is there');

CREATE OR REPLACE MACRO reason_freshness(activity_days, created_days, consent_days) AS
    CASE WHEN activity_days IS NOT NULL THEN 'Active ' || reason_days_ago(activity_days)
         WHEN created_days IS NOT NULL THEN 'Created ' || reason_days_ago(created_days)
         WHEN consent_days IS NOT NULL THEN 'Agreed to contact ' || reason_days_ago(consent_days)
         ELSE 'No date says how fresh it is' END;

CREATE OR REPLACE MACRO reason_source(score, closed_count) AS
    CASE WHEN coalesce(closed_count, 0) = 0 THEN 'No outcomes of this source yet'
         WHEN score >= 55 THEN 'Source turns out better than most'
         WHEN score <= 45 THEN 'Source turns out worse than most'
         ELSE 'Source turns out like most' END || coalesce(' (' || nullif(closed_count, 0) || ' outcomes)', '');

-- Counts are positive or null; null and 0 are not named.
CREATE OR REPLACE MACRO reason_engagement(views, opens, forms, activity_days, is_tracked) AS
    CASE WHEN coalesce(views, 0) + coalesce(opens, 0) + coalesce(forms, 0) > 0 THEN
            concat_ws(', ',
                CASE WHEN views > 0 THEN views || CASE WHEN views = 1 THEN ' page view' ELSE ' page views' END END,
                CASE WHEN opens > 0 THEN opens || CASE WHEN opens = 1 THEN ' e-mail opened' ELSE ' e-mails opened' END END,
                CASE WHEN forms > 0 THEN forms || CASE WHEN forms = 1 THEN ' form sent' ELSE ' forms sent' END END,
                'last seen ' || reason_days_ago(activity_days))
         WHEN activity_days IS NOT NULL THEN 'Last seen ' || reason_days_ago(activity_days)
         WHEN is_tracked THEN 'No activity at all'
         ELSE 'Activity is not tracked' END;

-- Fits are 0-100, null where the fact is unknown.
CREATE OR REPLACE MACRO reason_segment(industry, size, country, seniority, job_function, score, neutral) AS
    CASE WHEN coalesce(industry, size, country, seniority, job_function) IS NULL THEN 'Nothing known about its fit'
         WHEN score >= neutral THEN 'Like our ideal customer' || coalesce(' in ' || nullif(concat_ws(', ',
                CASE WHEN industry >= neutral THEN 'industry' END, CASE WHEN size >= neutral THEN 'size' END,
                CASE WHEN country >= neutral THEN 'country' END, CASE WHEN seniority >= neutral THEN 'seniority' END,
                CASE WHEN job_function >= neutral THEN 'job' END), ''), '')
         ELSE 'Unlike our ideal customer' || coalesce(' in ' || nullif(concat_ws(', ',
                CASE WHEN industry < neutral THEN 'industry' END, CASE WHEN size < neutral THEN 'size' END,
                CASE WHEN country < neutral THEN 'country' END, CASE WHEN seniority < neutral THEN 'seniority' END,
                CASE WHEN job_function < neutral THEN 'job' END), ''), '') END;

CREATE OR REPLACE MACRO reason_budget(budget_usd, ideal_from, ideal_to) AS
    CASE WHEN budget_usd IS NULL THEN 'No budget named'
         WHEN budget_usd < ideal_from THEN 'Budget of ' || reason_usd(budget_usd) || ' is small'
         WHEN budget_usd > ideal_to THEN 'Budget of ' || reason_usd(budget_usd) || ' is above our usual'
         ELSE 'Budget of ' || reason_usd(budget_usd) || ' fits' END;

CREATE OR REPLACE MACRO reason_intent(
        has_message, is_buying, is_interest, is_against, touches, forms, has_product, has_budget) AS
    coalesce(nullif(concat_ws(', ',
        CASE WHEN is_against THEN 'Message does not sound like a buyer' END,
        CASE WHEN is_buying THEN 'Message asks about buying' WHEN is_interest THEN 'Message shows interest'
             WHEN has_message AND NOT is_against THEN 'Wrote a message' END,
        CASE WHEN touches > 0 THEN 'Came back ' || touches || CASE WHEN touches = 1 THEN ' time' ELSE ' times' END END,
        CASE WHEN forms > 0 THEN forms || CASE WHEN forms = 1 THEN ' form sent' ELSE ' forms sent' END END,
        CASE WHEN has_product THEN 'Names a product' END,
        CASE WHEN has_budget THEN 'Names a budget' END), ''), 'No sign of wanting to buy');

-- `score` 50 is the mean: score / (100 - score) times the mean.
CREATE OR REPLACE MACRO reason_historical(score, is_known) AS
    CASE WHEN NOT is_known THEN 'No history of leads like this'
         ELSE 'Leads like this convert ' || least(score / greatest(100 - score, 0.1), 99)::DECIMAL(4, 1)
              || ' times as often as usual' END;

CREATE OR REPLACE MACRO reason_conversion(prob, usual_prob) AS
    reason_percent(prob) || ' likely to convert, usual is ' || reason_percent(usual_prob);

-- One entry of `reasons`: `points` as in the part's column, `effect` above or below a neutral part.
CREATE OR REPLACE MACRO reason_json(part, points, effect, text) AS
    concat('{"part":"', part, '","points":', points::DECIMAL(6, 2), ',"effect":', effect::DECIMAL(6, 1),
        ',"text":"', text, '"}');

-- A feature of the model in words: its value where that says more than its name. Names are code's, never a lead's.
CREATE OR REPLACE MACRO reason_feature_words(
        name, views, opens, forms, activity_days, created_days, message_log, budget_log, employees_log) AS
    CASE name
        WHEN 'page_views_count' THEN coalesce(views::BIGINT || ' page views', 'Page views unknown')
        WHEN 'email_opens_count' THEN coalesce(opens::BIGINT || ' e-mails opened', 'E-mail opens unknown')
        WHEN 'form_submissions_count' THEN coalesce(forms::BIGINT || ' forms sent', 'Forms unknown')
        WHEN 'activity_days' THEN coalesce('Active ' || reason_days_ago(activity_days), 'Last activity unknown')
        WHEN 'created_days' THEN coalesce('Created ' || reason_days_ago(created_days), 'Age unknown')
        WHEN 'message_length_log' THEN CASE WHEN message_log IS NULL THEN 'No message' ELSE 'Length of the message' END
        WHEN 'budget_log' THEN coalesce('Budget of ' || reason_usd(exp(budget_log) - 1), 'No budget named')
        WHEN 'employees_log' THEN CASE WHEN employees_log > 0 THEN 'Size of the company' ELSE 'Size unknown' END
        WHEN 'source' THEN 'Where it came from' WHEN 'source_channel' THEN 'How it came in'
        WHEN 'lead_source' THEN 'Its own word for its source' WHEN 'campaign' THEN 'Campaign'
        WHEN 'email_kind' THEN 'Kind of mailbox' WHEN 'phone_type' THEN 'Kind of phone' WHEN 'country' THEN 'Country'
        WHEN 'industry_code' THEN 'Industry' WHEN 'job_seniority' THEN 'Seniority' WHEN 'job_function' THEN 'Job'
        WHEN 'revenue_log' THEN 'Revenue of the company' WHEN 'consent_days' THEN 'Age of the consent'
        WHEN 'is_consent' THEN 'Consent' WHEN 'has_product_interest' THEN 'Whether it names a product'
        WHEN 'has_phone' THEN 'Whether there is a valid phone' WHEN 'has_email' THEN 'Whether there is an e-mail'
        WHEN 'has_company_domain' THEN 'Whether the company''s site is known'
        WHEN 'has_linkedin' THEN 'Whether there is a LinkedIn profile'
        ELSE replace(name, '_', ' ') END;

CREATE OR REPLACE MACRO reason_feature(name, effect, text) AS
    concat('{"feature":"', name, '","effect":', effect::DECIMAL(6, 1), ',"text":"', text, '"}');
