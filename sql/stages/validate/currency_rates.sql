-- Sets the variable `currency_rates`: MAP of currency code to US dollars. Input: ref_currency_rates.
SET VARIABLE currency_rates = (SELECT map(list(code), list(usd_per_unit::DOUBLE)) FROM ref_currency_rates)
