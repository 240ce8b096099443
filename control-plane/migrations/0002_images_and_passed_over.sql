-- Pictures that an exchange made, and the steps of its plan that could not do what it needs (JSON).
ALTER TABLE records ADD COLUMN images BIGINT NOT NULL DEFAULT 0;
ALTER TABLE records ADD COLUMN passed_over TEXT NOT NULL DEFAULT '[]';
