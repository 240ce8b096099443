-- Whether what was used has no price: the catalog did not have the model. The cost is then 0 and says nothing.
ALTER TABLE records ADD COLUMN unpriced BIGINT NOT NULL DEFAULT 0;
