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

-- What happened to sessions, in the order in which it is told. Rows are written only while somebody listens.
CREATE TABLE IF NOT EXISTS "sojourn_sessions_events" (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  type text NOT NULL,
  id text NOT NULL,
  at bigint NOT NULL,
  user_id text
);

-- Who listens, and until when that is known: groups by their names, all watchers as ''.
CREATE TABLE IF NOT EXISTS "sojourn_sessions_listeners" (
  name text COLLATE "C" PRIMARY KEY,
  until bigint NOT NULL
);

-- An event that a group has not handled yet, and until when one of its consumers has taken it.
CREATE TABLE IF NOT EXISTS "sojourn_sessions_deliveries" (
  name text COLLATE "C" NOT NULL,
  position bigint NOT NULL,
  until bigint NOT NULL DEFAULT 0,
  tries integer NOT NULL DEFAULT 0,
  PRIMARY KEY (name, position)
);

-- Removes some of the events beyond 100000 or older than a day, and what groups had left of them.
CREATE OR REPLACE FUNCTION "sojourn_sessions_trim" () RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  moment bigint := floor(date_part('epoch', clock_timestamp()) * 1000)::bigint;
  newest bigint;
BEGIN
  SELECT max(e.position) INTO newest FROM "sojourn_sessions_events" AS e;
  WITH first AS (
    SELECT e.position, e.at FROM "sojourn_sessions_events" AS e
    ORDER BY e.position LIMIT 1000 FOR UPDATE SKIP LOCKED
  ), old AS (
    DELETE FROM "sojourn_sessions_events" AS e USING first
    WHERE e.position = first.position
      AND (first.position <= newest - 100000 OR first.at < moment - 86400000)
    RETURNING e.position
  )
  DELETE FROM "sojourn_sessions_deliveries" AS d USING old WHERE d.position = old.position;
  DELETE FROM "sojourn_sessions_listeners" AS l WHERE l.until <= moment;
  RETURN newest IS NOT NULL;
END $$;

-- Adds an event to the log, if anybody listens, in the transaction of what it tells.
CREATE OR REPLACE FUNCTION "sojourn_sessions_tell" (
  kind text, session text, moment bigint, owner text
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  present bigint := floor(date_part('epoch', clock_timestamp()) * 1000)::bigint;
  place bigint;
BEGIN
  IF NOT EXISTS (SELECT FROM "sojourn_sessions_listeners" AS l WHERE l.until > present) THEN RETURN false; END IF;
  INSERT INTO "sojourn_sessions_events" AS e (type, id, at, user_id) VALUES (kind, session, moment, owner)
    RETURNING e.position INTO place;
  INSERT INTO "sojourn_sessions_deliveries" (name, position)
    SELECT l.name, place FROM "sojourn_sessions_listeners" AS l WHERE l.name <> '' AND l.until > present;
  IF place % 500 = 0 THEN PERFORM "sojourn_sessions_trim"(); END IF;
  RETURN true;
END $$;

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
  PERFORM "sojourn_sessions_tell"('evicted', e, at, owner) FROM unnest(evicted) AS e;
  RETURN evicted;
END $$;
