-- Grain: the one row of the migration mark. Inputs: none.
SELECT version_num FROM aiqleads.schema_version
