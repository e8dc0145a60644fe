-- Sets the variable `placeholders`: words that stand for nothing. Input: ref_placeholders.
SET VARIABLE placeholders = (SELECT list(word) FROM ref_placeholders)
