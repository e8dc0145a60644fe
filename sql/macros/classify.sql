-- Size segments of companies. `minimums` is the struct of stages.classify: {small_employees, small_revenue_usd, ...}.

-- The least number of employees in a band of the contract.
CREATE OR REPLACE MACRO size_band_floor(employee_band) AS
    CASE employee_band WHEN '1-10' THEN 1 WHEN '11-50' THEN 11 WHEN '51-200' THEN 51 WHEN '201-500' THEN 201
        WHEN '501-1000' THEN 501 WHEN '1001-5000' THEN 1001 WHEN '5001-10000' THEN 5001 WHEN '10001+' THEN 10001 END;

-- The least revenue in a band of the contract, in US dollars.
CREATE OR REPLACE MACRO size_revenue_floor(revenue_band) AS
    CASE revenue_band WHEN '<1M' THEN 0 WHEN '1M-10M' THEN 1e6 WHEN '10M-50M' THEN 1e7 WHEN '50M-100M' THEN 5e7
        WHEN '100M-500M' THEN 1e8 WHEN '500M-1B' THEN 5e8 WHEN '1B+' THEN 1e9 END;

CREATE OR REPLACE MACRO size_segment(employees, revenue_usd, minimums) AS
    CASE WHEN employees >= minimums.enterprise_employees THEN 'enterprise'
         WHEN employees >= minimums.mid_market_employees THEN 'mid_market'
         WHEN employees >= minimums.small_employees THEN 'small'
         WHEN employees IS NOT NULL THEN 'micro'
         WHEN revenue_usd >= minimums.enterprise_revenue_usd THEN 'enterprise'
         WHEN revenue_usd >= minimums.mid_market_revenue_usd THEN 'mid_market'
         WHEN revenue_usd >= minimums.small_revenue_usd THEN 'small'
         WHEN revenue_usd IS NOT NULL THEN 'micro'
         ELSE 'unknown' END;

-- A postal code as territories compare it: US:94103, GB:SW1A1AA.
CREATE OR REPLACE MACRO territory_postal_key(country, postal_code) AS
    country || ':' || upper(replace(replace(postal_code, ' ', ''), '-', ''));
