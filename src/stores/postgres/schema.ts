import { SessionError } from '../../errors.ts'
import { LONGEST_AGE, MOST_EVENTS } from '../../event-log.ts'

/** The table of a store, by its quoted names. */
export interface TableNames {
  /** With the schema, if there is one: `"web"."sessions"`. */
  readonly table: string
  readonly dueIndex: string
  /** The function that makes room for a session of a user, with the schema. */
  readonly roomFunction: string
  readonly userIndex: string
  /** The log of events, who listens to it, and what groups have not handled yet; with the schema. */
  readonly events: string
  readonly listeners: string
  readonly deliveries: string
  /** The functions that write to the log and shorten it, with the schema. */
  readonly tellFunction: string
  readonly trimFunction: string
  /** The quoted schema, if one was given. */
  readonly schema?: string
}

/** The highest `format` of a row that this version reads. */
export const FORMAT = 1

/** The clock of the server, which says what has expired. */
export const NOW = `floor(date_part('epoch', clock_timestamp()) * 1000)::bigint`

const LONGEST_NAME = 63 - '_deliveries'.length

/**
 * Checks the names, which become part of the statements, and quotes them.
 *
 * @throws SessionError `ERR_SESSION_OPTION`
 */
export function tableNames(schema: string | undefined, table: string): TableNames {
  if (schema !== undefined) checkName('schema', schema, 63)
  // PostgreSQL cuts names at 63 bytes, and what belongs to the table is called after it.
  checkName('table', table, LONGEST_NAME)
  const within = (name: string): string =>
    schema === undefined ? `"${name}"` : `"${schema}"."${name}"`
  return {
    table: within(table),
    dueIndex: `"${table}_due"`,
    userIndex: `"${table}_user"`,
    events: within(`${table}_events`),
    listeners: within(`${table}_listeners`),
    deliveries: within(`${table}_deliveries`),
    roomFunction: within(`${table}_room`),
    tellFunction: within(`${table}_tell`),
    trimFunction: within(`${table}_trim`),
    ...(schema !== undefined && { schema: `"${schema}"` }),
  }
}

/**
 * What `migrate()` runs, in one go: PostgreSQL makes it one transaction, and the lock lets only one
 * process at a time do it. It changes nothing where everything is there already.
 */
export function schemaText(names: TableNames): string {
  const schema =
    names.schema === undefined ? '' : `CREATE SCHEMA IF NOT EXISTS ${names.schema};\n\n`
  return `-- The sessions of sojourn. Times are milliseconds since 1970, values are encoded text under their names.
-- Run it as one transaction; it changes nothing where everything is there already.
SELECT pg_advisory_xact_lock(7165054913321203);

${schema}${tableText(names)}

${logText(names)}

${trimText(names)}

${tellText(names)}

${roomText(names)}
`
}

const tableText = (names: TableNames): string => `CREATE TABLE IF NOT EXISTS ${names.table} (
  id text COLLATE "C" PRIMARY KEY,
  format smallint NOT NULL DEFAULT ${FORMAT},
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

CREATE INDEX IF NOT EXISTS ${names.dueIndex} ON ${names.table} (due);

CREATE INDEX IF NOT EXISTS ${names.userIndex} ON ${names.table} (user_id) WHERE user_id IS NOT NULL;`

const logText = (
  names: TableNames,
): string => `-- What happened to sessions, in the order in which it is told. Rows are written only while somebody listens.
CREATE TABLE IF NOT EXISTS ${names.events} (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  type text NOT NULL,
  id text NOT NULL,
  at bigint NOT NULL,
  user_id text
);

-- Who listens, and until when that is known: groups by their names, all watchers as ''.
CREATE TABLE IF NOT EXISTS ${names.listeners} (
  name text COLLATE "C" PRIMARY KEY,
  until bigint NOT NULL
);

-- An event that a group has not handled yet, and until when one of its consumers has taken it.
CREATE TABLE IF NOT EXISTS ${names.deliveries} (
  name text COLLATE "C" NOT NULL,
  position bigint NOT NULL,
  until bigint NOT NULL DEFAULT 0,
  tries integer NOT NULL DEFAULT 0,
  PRIMARY KEY (name, position)
);`

const trimText = (
  names: TableNames,
): string => `-- Removes some of the events beyond ${MOST_EVENTS} or older than a day, and what groups had left of them.
CREATE OR REPLACE FUNCTION ${names.trimFunction} () RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  moment bigint := ${NOW};
  newest bigint;
BEGIN
  SELECT max(e.position) INTO newest FROM ${names.events} AS e;
  WITH first AS (
    SELECT e.position, e.at FROM ${names.events} AS e
    ORDER BY e.position LIMIT 1000 FOR UPDATE SKIP LOCKED
  ), old AS (
    DELETE FROM ${names.events} AS e USING first
    WHERE e.position = first.position
      AND (first.position <= newest - ${MOST_EVENTS} OR first.at < moment - ${LONGEST_AGE})
    RETURNING e.position
  )
  DELETE FROM ${names.deliveries} AS d USING old WHERE d.position = old.position;
  DELETE FROM ${names.listeners} AS l WHERE l.until <= moment;
  RETURN newest IS NOT NULL;
END $$;`

const tellText = (
  names: TableNames,
): string => `-- Adds an event to the log, if anybody listens, in the transaction of what it tells.
CREATE OR REPLACE FUNCTION ${names.tellFunction} (
  kind text, session text, moment bigint, owner text
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  present bigint := ${NOW};
  place bigint;
BEGIN
  IF NOT EXISTS (SELECT FROM ${names.listeners} AS l WHERE l.until > present) THEN RETURN false; END IF;
  INSERT INTO ${names.events} AS e (type, id, at, user_id) VALUES (kind, session, moment, owner)
    RETURNING e.position INTO place;
  INSERT INTO ${names.deliveries} (name, position)
    SELECT l.name, place FROM ${names.listeners} AS l WHERE l.name <> '' AND l.until > present;
  IF place % 500 = 0 THEN PERFORM ${names.trimFunction}(); END IF;
  RETURN true;
END $$;`

const roomText = (
  names: TableNames,
): string => `-- Makes room for one more session of a user: the ids of those that were deleted for it, or null if the
-- user has the most that are allowed and none may be deleted. The caller holds the lock of the user; a
-- function sees what was committed before it was called, which the statement that calls it may not.
CREATE OR REPLACE FUNCTION ${names.roomFunction} (
  owner text, session text, most integer, evict boolean, at bigint
) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  surplus bigint;
  evicted text[];
BEGIN
  SELECT count(*) - most + 1 INTO surplus FROM ${names.table} AS t
    WHERE t.user_id = owner AND t.id <> session AND t.expires_at > at;
  IF surplus <= 0 THEN RETURN '{}'; END IF;
  IF NOT evict THEN RETURN NULL; END IF;
  WITH first AS (
    SELECT t.id FROM ${names.table} AS t
    WHERE t.user_id = owner AND t.id <> session AND t.expires_at > at
    ORDER BY t.expires_at LIMIT surplus FOR UPDATE
  ), gone AS (
    DELETE FROM ${names.table} AS t USING first WHERE t.id = first.id RETURNING t.id
  )
  SELECT coalesce(array_agg(gone.id), '{}') INTO evicted FROM gone;
  PERFORM ${names.tellFunction}('evicted', e, at, owner) FROM unnest(evicted) AS e;
  RETURN evicted;
END $$;`

function checkName(option: string, name: string, longest: number): void {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && name.length <= longest) return
  throw new SessionError(
    'ERR_SESSION_OPTION',
    `${option} must be 1 to ${longest} letters, digits and underscores, and not begin with a digit.`,
  )
}
