-- The principals of SSH certificates that stand for an account, with a comma
-- between them; '' for its name alone.

ALTER TABLE users ADD COLUMN principals TEXT NOT NULL DEFAULT '';
