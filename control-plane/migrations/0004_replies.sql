-- The id under which a provider keeps the reply that was made, or that a call was about, and whether it is made in the background.
ALTER TABLE records ADD COLUMN reply TEXT;
ALTER TABLE records ADD COLUMN background BIGINT NOT NULL DEFAULT 0;
CREATE INDEX records_reply ON records (reply) WHERE reply IS NOT NULL;
