"""Everything outside the process, one class per outside thing. Never imports aiqleads_pipeline."""
