import { SessionError } from '../../errors.ts'

/** The table of a store, by its quoted names. */
export interface TableNames {
  /** With the schema, if there is one: `"web"."sessions"`. */
  readonly table: string
  readonly dueIndex: string
  /** The function that makes room for a session of a user, with the schema. */
  readonly roomFunction: string
  readonly userIndex: string
  /** The quoted schema, if one was given. */
  readonly schema?: string
}

/** The highest `format` of a row that this version reads. */
export const FORMAT = 1

/**
 * Checks the names, which become part of the statements, and quotes them.
 *
 * @throws SessionError `ERR_SESSION_OPTION`
 */
export function tableNames(schema: string | undefined, table: string): TableNames {
  if (schema !== undefined) checkName('schema', schema, 63)
  // PostgreSQL cuts names at 63 bytes, and the indexes are called after the table.
  checkName('table', table, 58)
  const indexes = { dueIndex: `"${table}_due"`, userIndex: `"${table}_user"` }
  const names = { table: `"${table}"`, roomFunction: `"${table}_room"`, ...indexes }
  if (schema === undefined) return names
  const within = (name: string): string => `"${schema}".${name}`
  return {
    ...names,
    table: within(names.table),
    roomFunction: within(names.roomFunction),
    schema: `"${schema}"`,
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
  RETURN evicted;
END $$;`

function checkName(option: string, name: string, longest: number): void {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && name.length <= longest) return
  throw new SessionError(
    'ERR_SESSION_OPTION',
    `${option} must be 1 to ${longest} letters, digits and underscores, and not begin with a digit.`,
  )
}
