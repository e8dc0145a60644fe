-- Grain: raw row. Key: lead_id. Inputs: view raw, table checked_places.
-- Every cell cleaned (`c_*`) beside the cell as received. Most rows have nothing unusual in them: one pattern over the
-- whole row finds that out, and only the others (`needs_care`) pay for a look at each cell.
WITH joined AS (
    SELECT *, concat_ws(chr(57344), '', external_id, lead_source, campaign, first_name, last_name, full_name, job_title, email,
        phone, linkedin_url, company_name, website, industry, employee_count, annual_revenue_usd, street, city, region,
        postal_code, country, product_interest, budget_usd, page_views_count, email_opens_count, form_submissions_count,
        last_activity_at, consent, consent_at, created_at, '') AS row_text
    FROM raw
),

judged AS (
    SELECT * EXCLUDE (row_text), strlen(row_text) > 600 OR strlen(message) > 500 OR regexp_matches(row_text,
        '[\x{00}-\x{1f}\x{7f}-\x{a0}\x{ad}\x{300}-\x{36f}\x{1100}-\x{11ff}\x{2000}-\x{200f}\x{2028}-\x{202f}\x{205f}-\x{206f}\x{212a}\x{212b}\x{3000}\x{3099}\x{309a}\x{feff}\x{fff9}-\x{fffb}\x{e0000}-\x{e007f}]|  |\x{e000} | \x{e000}|\x{e000}(?i:[-–—._?*/#!]+|#?n[/.\\]a[.!]?|na|nan|nil|null|\\n|none|none given|[(\[<](?:blank|none|null|empty|unknown|not set)[)\]>]|unknown|undefined|unbekannt|inconnu|keine?|tb[ad]|x{1,5}|test|testing|call me|call|no (?:phone|email|e-mail|mail|number|name|company|website)|not (?:provided|available|applicable|set|given|specified|known|disclosed)|withheld|private|#(?:ref|value|name|div/0|null|num)[!?])\x{e000}'
    ) AS needs_care
    FROM joined
),

cleaned AS (
    SELECT
        *,
        CASE WHEN needs_care THEN clean_cell(external_id) ELSE nullif(external_id, '') END AS c_external_id,
        CASE WHEN needs_care THEN clean_cell(lead_source) ELSE nullif(lead_source, '') END AS c_lead_source,
        CASE WHEN needs_care THEN clean_cell(campaign) ELSE nullif(campaign, '') END AS c_campaign,
        CASE WHEN needs_care THEN clean_cell(first_name) ELSE nullif(first_name, '') END AS c_first_name,
        CASE WHEN needs_care THEN clean_cell(last_name) ELSE nullif(last_name, '') END AS c_last_name,
        CASE WHEN needs_care THEN clean_cell(full_name) ELSE nullif(full_name, '') END AS c_full_name,
        CASE WHEN needs_care THEN clean_cell(job_title) ELSE nullif(job_title, '') END AS c_job_title,
        CASE WHEN needs_care THEN clean_cell(email) ELSE nullif(email, '') END AS c_email,
        CASE WHEN needs_care THEN clean_cell(phone) ELSE nullif(phone, '') END AS c_phone,
        CASE WHEN needs_care THEN clean_cell(linkedin_url) ELSE nullif(linkedin_url, '') END AS c_linkedin_url,
        CASE WHEN needs_care THEN clean_cell(company_name) ELSE nullif(company_name, '') END AS c_company_name,
        CASE WHEN needs_care THEN clean_cell(website) ELSE nullif(website, '') END AS c_website,
        CASE WHEN needs_care THEN clean_cell(industry) ELSE nullif(industry, '') END AS c_industry,
        CASE WHEN needs_care THEN clean_cell(employee_count) ELSE nullif(employee_count, '') END AS c_employee_count,
        CASE WHEN needs_care THEN clean_cell(annual_revenue_usd) ELSE nullif(annual_revenue_usd, '') END AS c_annual_revenue_usd,
        CASE WHEN needs_care THEN clean_cell(street) ELSE nullif(street, '') END AS c_street,
        CASE WHEN needs_care THEN clean_cell(city) ELSE nullif(city, '') END AS c_city,
        CASE WHEN needs_care THEN clean_cell(region) ELSE nullif(region, '') END AS c_region,
        CASE WHEN needs_care THEN clean_cell(postal_code) ELSE nullif(postal_code, '') END AS c_postal_code,
        CASE WHEN needs_care THEN clean_cell(country) ELSE nullif(country, '') END AS c_country,
        CASE WHEN needs_care OR is_unclean(message) THEN clean_lines(message) ELSE nullif(message, '') END AS c_message,
        CASE WHEN needs_care THEN clean_cell(product_interest) ELSE nullif(product_interest, '') END AS c_product_interest,
        CASE WHEN needs_care THEN clean_cell(budget_usd) ELSE nullif(budget_usd, '') END AS c_budget_usd,
        CASE WHEN needs_care THEN clean_cell(page_views_count) ELSE nullif(page_views_count, '') END AS c_page_views_count,
        CASE WHEN needs_care THEN clean_cell(email_opens_count) ELSE nullif(email_opens_count, '') END AS c_email_opens_count,
        CASE WHEN needs_care THEN clean_cell(form_submissions_count) ELSE nullif(form_submissions_count, '') END AS c_form_submissions_count,
        CASE WHEN needs_care THEN clean_cell(last_activity_at) ELSE nullif(last_activity_at, '') END AS c_last_activity_at,
        CASE WHEN needs_care THEN clean_cell(consent) ELSE nullif(consent, '') END AS c_consent,
        CASE WHEN needs_care THEN clean_cell(consent_at) ELSE nullif(consent_at, '') END AS c_consent_at,
        CASE WHEN needs_care THEN clean_cell(created_at) ELSE nullif(created_at, '') END AS c_created_at
    FROM judged
)

SELECT
    cleaned.*,
    place.own_country, place.home_country, place.region_code, place.us_region_code, place.calling_code, place.national_prefix
FROM cleaned
-- Every pair of texts is in the table once, so no row is lost or doubled.
JOIN checked_places AS place
    ON place.country_text = coalesce(cleaned.c_country, '') AND place.region_text = coalesce(cleaned.c_region, '')
