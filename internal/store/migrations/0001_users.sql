-- Accounts, what they may do, and their public keys.
--
-- Plain SQL that SQLite and PostgreSQL both take. Truths are 0 and 1, times
-- are RFC 3339 in UTC ('' for none), rights are as ferry.ParseRights reads them.

CREATE TABLE counters (
    name  TEXT   PRIMARY KEY,
    value BIGINT NOT NULL
);

-- Every change of an account takes the next number as the account's version.
-- Counting over all accounts, and not each by itself, keeps an account that was
-- removed and made again from having a version that was seen before.
INSERT INTO counters (name, value) VALUES ('accounts', 0);

CREATE TABLE users (
    name           TEXT   PRIMARY KEY,
    version        BIGINT NOT NULL,
    hash           TEXT   NOT NULL,
    home           TEXT   NOT NULL,
    shared         BIGINT NOT NULL CHECK (shared IN (0, 1)),
    disabled       BIGINT NOT NULL CHECK (disabled IN (0, 1)),
    expires        TEXT   NOT NULL,
    charset        TEXT   NOT NULL,
    direct_uploads BIGINT NOT NULL CHECK (direct_uploads IN (0, 1)),
    max_sessions   BIGINT NOT NULL CHECK (max_sessions >= 0),
    upload_rate    BIGINT NOT NULL CHECK (upload_rate >= 0),
    download_rate  BIGINT NOT NULL CHECK (download_rate >= 0),
    created        TEXT   NOT NULL,
    changed        TEXT   NOT NULL
);

CREATE TABLE user_rules (
    user_name TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    prefix    TEXT NOT NULL,
    rights    TEXT NOT NULL,
    PRIMARY KEY (user_name, prefix)
);

CREATE TABLE user_keys (
    user_name   TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,
    line        TEXT NOT NULL,
    added       TEXT NOT NULL,
    PRIMARY KEY (user_name, fingerprint)
);
