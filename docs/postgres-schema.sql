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

-- Makes room for one more session of a user: the ids of those that were deleted for it, or null if the
-- user has the most that are allowed and none may be deleted. The caller holds the lock of the user; a
-- function sees what was committed before it was called, which the statement that calls it may not.
CREATE OR REPLACE FUNCTION "sojourn_sessions_room" (
  owner text, session text, most integer, evict boolean, at bigint
) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  surplus bigint;
  evicted text[];
BEGIN
  SELECT count(*) - most + 1 INTO surplus FROM "sojourn_sessions" AS t
    WHERE t.user_id = owner AND t.id <> session AND t.expires_at > at;
  IF surplus <= 0 THEN RETURN '{}'; END IF;
  IF NOT evict THEN RETURN NULL; END IF;
  WITH first AS (
    SELECT t.id FROM "sojourn_sessions" AS t
    WHERE t.user_id = owner AND t.id <> session AND t.expires_at > at
    ORDER BY t.expires_at LIMIT surplus FOR UPDATE
  ), gone AS (
    DELETE FROM "sojourn_sessions" AS t USING first WHERE t.id = first.id RETURNING t.id
  )
  SELECT coalesce(array_agg(gone.id), '{}') INTO evicted FROM gone;
  RETURN evicted;
END $$;
