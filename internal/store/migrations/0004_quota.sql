-- What an account may keep, in bytes and in files; 0: no limit of its own.

ALTER TABLE users ADD COLUMN quota_bytes BIGINT NOT NULL DEFAULT 0 CHECK (quota_bytes >= 0);
ALTER TABLE users ADD COLUMN quota_files BIGINT NOT NULL DEFAULT 0 CHECK (quota_files >= 0);

-- What the homes hold whose users have a quota. A home is a path of the host without
-- links. The state is 'exact': it is as the row says; 'open': a server changes it, and
-- knows better; 'recount': somebody has asked for it to be counted.

CREATE TABLE home_usage (
    home  TEXT   PRIMARY KEY,
    bytes BIGINT NOT NULL,
    files BIGINT NOT NULL,
    state TEXT   NOT NULL CHECK (state IN ('exact', 'open', 'recount'))
);

CREATE INDEX home_usage_state ON home_usage (state);
