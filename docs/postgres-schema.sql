-- The sessions of sojourn. Times are milliseconds since 1970, values are encoded text under their names.
-- Run it as one transaction; it changes nothing where everything is there already.
SELECT pg_advisory_xact_lock(7165054913321203);

CREATE TABLE IF NOT EXISTS "sojourn_sessions" (
  id text COLLATE "C" PRIMARY KEY,
  format smallint NOT NULL DEFAULT 1,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  deadline bigint NOT NULL,
  generation bigint NOT NULL,
  renewed_at bigint NOT NULL,
  fence bigint NOT NULL,
  user_id text COLLATE "C",
  authenticated_at bigint,
  remember_for bigint,
  user_agent text,
  address text,
  data jsonb NOT NULL CHECK (jsonb_typeof(data) = 'object'),
  due bigint GENERATED ALWAYS AS (expires_at >> 20) STORED
) WITH (fillfactor = 70);

CREATE INDEX IF NOT EXISTS "sojourn_sessions_due" ON "sojourn_sessions" (due);

CREATE INDEX IF NOT EXISTS "sojourn_sessions_user" ON "sojourn_sessions" (user_id) WHERE user_id IS NOT NULL;
