-- The id that a lead's delivery to a destination has on every attempt. Twin of resources.store.deliveries.delivery_id.
-- The lead's id without its nibbles 18 to 23 (row numbers from 2^36 on), with 24 bits of the destination's hash at its
-- end: a lead's deliveries lie side by side, ids ascend as leads do, version and variant are the lead's.
CREATE OR REPLACE TEMP MACRO delivery_id(lead_id, destination) AS
    (left(lead_id::VARCHAR, 20) || right(lead_id::VARCHAR, 9) || left(md5(destination), 6))::UUID;
