-- What an account wants to be shown at a login, as ferry.ParseLogin reads it.

ALTER TABLE users ADD COLUMN login TEXT NOT NULL DEFAULT 'any';
