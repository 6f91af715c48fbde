/**
 * The statements of the store, one for each verb.
 *
 * Under READ COMMITTED a statement that meets a row which another one is changing waits, and then
 * sees the row as it has become: the locked row of `held` is what every decision of a statement rests on.
 *
 * @module
 */

import { FORMAT, NOW } from './schema.ts'
import type { TableNames } from './schema.ts'

/** The texts of all statements for one table. */
export interface Statements {
  readonly load: string
  readonly loadAndTouch: string
  readonly create: string
  readonly commit: string
  readonly commitTelling: string
  readonly commitWithin: string
  readonly destroy: string
  readonly swap: string
  readonly take: string
  readonly sessionsOf: string
  readonly list: string
  readonly deleteExpired: string
  readonly tell: string
}

/** The texts of all statements, with these names in them. */
export function statementsFor(names: TableNames): Statements {
  const { table, roomFunction, tellFunction: tell } = names
  return {
    load: load(table),
    loadAndTouch: loadAndTouch(table),
    create: create(table, tell),
    commit: commit(table, NO_CAP, NOTHING_TOLD),
    commitTelling: commit(table, NO_CAP, toldOfCommit(tell)),
    commitWithin: commit(table, capOf(roomFunction), toldOfCommit(tell)),
    destroy: destroy(table, tell),
    swap: swap(table),
    take: take(table),
    sessionsOf: `SELECT id FROM ${table} WHERE user_id = $1 AND expires_at > ${NOW}`,
    list: `SELECT id FROM ${table} WHERE id > $1 AND expires_at > ${NOW} ORDER BY id LIMIT $2`,
    deleteExpired: deleteExpired(names),
    tell: `SELECT ${tell}($1, $2, $3::bigint, $4)`,
  }
}

/** With how far the clock of the process is behind; a small difference is the time that a call takes. */
const clockSince = (at: string): string => `clock AS MATERIALIZED (
  SELECT c.now, CASE WHEN abs(c.now - ${at}) > 1000 THEN c.now - ${at} ELSE 0 END AS skew
  FROM (SELECT ${NOW} AS now) AS c
)`

/** Times are answered by the clock of the process. */
const META = `t.format, t.created_at - skew AS created_at, t.deadline - skew AS deadline, t.generation,
  t.renewed_at - skew AS renewed_at, t.fence, t.user_id, t.authenticated_at - skew AS authenticated_at,
  t.remember_for, t.user_agent, t.address, t.data::text AS data`

/** $1 id, $2 at */
const load = (table: string): string => `
WITH ${clockSince('$2::bigint')}
SELECT ${META}, t.expires_at - skew AS expires_at FROM ${table} AS t CROSS JOIN clock
WHERE t.id = $1 AND t.expires_at > clock.now`

/** $1 id, $2 generation, $3 at, $4 expiresAt, $5 whenBefore */
const loadAndTouch = (table: string): string => `
WITH ${clockSince('$3::bigint')}, touched AS (
  UPDATE ${table} AS t SET expires_at = least($4::bigint + clock.skew, t.deadline) FROM clock
  WHERE t.id = $1 AND t.generation = $2::bigint AND t.format <= ${FORMAT}
    AND t.expires_at > clock.now AND t.expires_at < $5::bigint + clock.skew
    AND t.expires_at < least($4::bigint + clock.skew, t.deadline)
  RETURNING t.expires_at
)
SELECT ${META}, coalesce((SELECT expires_at FROM touched), t.expires_at) - skew AS expires_at
FROM ${table} AS t CROSS JOIN clock
WHERE t.id = $1 AND t.expires_at > clock.now`

const COLUMNS = `format, created_at, expires_at, deadline, generation, renewed_at, fence, user_id,
  authenticated_at, remember_for, user_agent, address, data`
const EXCLUDED = COLUMNS.replaceAll(/\w+/g, 'excluded.$&')

/** A row that an upsert has inserted was locked by nobody; one that it has updated was, by itself. */
const WAS_REPLACED = `t.xmax <> '0'::xid`

/**
 * $1 id, $2 at, $3 createdAt, $4 expiresAt, $5 deadline, $6 generation, $7 renewedAt, $8 fence,
 * $9 user, $10 authenticatedAt, $11 rememberFor, $12 userAgent, $13 address, $14 values
 */
const create = (table: string, tell: string): string => `
WITH ${clockSince('$2::bigint')}, before AS MATERIALIZED (
  SELECT user_id FROM ${table} WHERE id = $1::text
), created AS (
  INSERT INTO ${table} AS t (id, ${COLUMNS})
  SELECT $1::text, ${FORMAT}, $3::bigint + skew, $4::bigint + skew, $5::bigint + skew, $6::bigint,
    $7::bigint + skew, $8::bigint, $9::text, $10::bigint + skew, $11::bigint, $12::text, $13::text,
    $14::text::jsonb
  FROM clock
  ON CONFLICT (id) DO UPDATE SET (${COLUMNS}) = (${EXCLUDED})
    WHERE t.expires_at <= ${NOW} AND t.format <= ${FORMAT}
  RETURNING CASE WHEN ${WAS_REPLACED} THEN
    ${tell}('expired', t.id, ${NOW}, (SELECT user_id FROM before)) END,
    ${tell}('created', t.id, ${NOW}, t.user_id)
)
SELECT EXISTS (SELECT FROM created) AS created,
  coalesce((SELECT format FROM ${table} WHERE id = $1::text), ${FORMAT}) AS format`

const MAX_SAFE = String(Number.MAX_SAFE_INTEGER)

/** What is counted from: a missing number is 0, anything but a safe integer in plain decimal text null. */
const NUMBER = `CASE WHEN d.text IS NULL THEN 0
    WHEN d.text ~ '^(0|-?[1-9][0-9]{0,15})$' AND abs(d.text::bigint) <= ${MAX_SAFE}
    THEN d.text::bigint END`

/**
 * $1 id, $2 generation, $3 at, $4 expiresAt, $5 deadline, $6 clear, $7 unset, $8 set, $9 add,
 * $10 expect, $11 rotate, $12 whether the user changes, $13 user, $14 whether rememberFor changes,
 * $15 rememberFor, and with a cap $16 most, $17 whether others are evicted
 */
const commit = (table: string, cap: Cap, told: string): string => `
WITH ${clockSince('$3::bigint')}${cap.lock}, held AS (
  SELECT t.id, t.format, t.fence > $2::bigint AS stale,
    NOT EXISTS (SELECT FROM jsonb_each_text($10::text::jsonb) AS e
      WHERE t.data ->> e.key IS DISTINCT FROM e.value) AS expected,
    t.data @? '$.* ? (@.type() != "string")' AS corrupt,
    ((CASE WHEN $6::boolean THEN '{}' ELSE t.data END)
      - ARRAY(SELECT jsonb_array_elements_text($7::text::jsonb))) || $8::text::jsonb AS draft,
    $11::text = 'fence' OR $11::text = 'renew' AND t.generation = $2::bigint AS grows,
    $3::bigint + skew AS at, $4::bigint + skew AS asked, $5::bigint + skew AS ending, skew
  FROM ${table} AS t CROSS JOIN clock ${cap.locked}
  WHERE t.id = $1 AND t.expires_at > clock.now
  FOR NO KEY UPDATE OF t
), sums AS (
  SELECT coalesce(jsonb_object_agg(a.key, s.sum::text), '{}') AS added,
    coalesce(bool_and(coalesce(abs(s.sum) <= ${MAX_SAFE}, false)), true) AS fit
  FROM held CROSS JOIN LATERAL jsonb_each_text($9::text::jsonb) AS a
  CROSS JOIN LATERAL (SELECT held.draft ->> a.key AS text) AS d
  CROSS JOIN LATERAL (SELECT ${NUMBER} + a.value::bigint AS sum) AS s
), allowed AS MATERIALIZED (
  SELECT ${cap.room} AS evicted FROM held CROSS JOIN sums CROSS JOIN clock
  WHERE held.format <= ${FORMAT} AND NOT held.stale AND NOT held.corrupt AND held.expected AND sums.fit
), changed AS (
  UPDATE ${table} AS t SET
    data = held.draft || sums.added,
    deadline = coalesce(held.ending, t.deadline),
    expires_at = CASE WHEN held.ending IS NULL
      THEN least(greatest(t.expires_at, held.asked), t.deadline)
      ELSE least(held.asked, held.ending) END,
    generation = t.generation + CASE WHEN held.grows THEN 1 ELSE 0 END,
    renewed_at = CASE WHEN held.grows THEN held.at ELSE t.renewed_at END,
    fence = CASE WHEN $11::text = 'fence' THEN t.generation + 1 ELSE t.fence END,
    user_id = CASE WHEN $12::boolean THEN $13::text ELSE t.user_id END,
    authenticated_at = CASE WHEN NOT $12::boolean THEN t.authenticated_at
      WHEN $13::text IS NOT NULL THEN held.at END,
    remember_for = CASE WHEN $14::boolean THEN $15::bigint ELSE t.remember_for END
  FROM held CROSS JOIN sums CROSS JOIN allowed
  WHERE t.id = held.id AND allowed.evicted IS NOT NULL
  RETURNING t.generation, t.expires_at - held.skew AS expires_at, t.deadline - held.skew AS deadline,
    ${told} AS told
)
SELECT held.format, held.stale, held.corrupt, held.expected, sums.fit, sums.added::text AS added,
  changed.generation, changed.expires_at, changed.deadline, array_to_json(allowed.evicted)::text AS evicted
FROM held CROSS JOIN sums LEFT JOIN allowed ON true LEFT JOIN changed ON true`

/** A commit that changes no more than values and times tells nothing, and costs nothing for it. */
const NOTHING_TOLD = 'false'

const toldOfCommit = (tell: string): string => `CASE
      WHEN $12::boolean OR $11::text = 'fence' THEN ${tell}('elevated', t.id, ${NOW}, t.user_id)
      WHEN held.grows THEN ${tell}('renewed', t.id, ${NOW}, t.user_id) END`

/** What a commit has in addition if the user may have only so many sessions. */
interface Cap {
  readonly lock: string
  readonly locked: string
  readonly room: string
}

const NO_CAP: Cap = { lock: '', locked: '', room: `'{}'::text[]` }

/** Logins of one user follow each other: the lock is taken before that of the row, and ends with the statement. */
const capOf = (roomFunction: string): Cap => ({
  lock: `, owner AS MATERIALIZED (
  SELECT pg_advisory_xact_lock(hashtextextended($13::text, 7165054913321203)) AS lock
)`,
  locked: 'CROSS JOIN owner',
  room: `${roomFunction}($13::text, held.id, $16::integer, $17::boolean, clock.now)`,
})

/** $1 id */
const destroy = (table: string, tell: string): string => `
WITH clock AS MATERIALIZED (SELECT ${NOW} AS now)
DELETE FROM ${table} AS t USING clock WHERE t.id = $1
RETURNING t.expires_at > clock.now AS live, ${tell}(
  CASE WHEN t.expires_at > clock.now THEN 'destroyed' ELSE 'expired' END, t.id, clock.now, t.user_id)`

/** $1 id, $2 name, $3 before, $4 after, $5 generation */
const swap = (table: string): string => `
WITH held AS (
  SELECT t.id, t.format, coalesce(t.fence > $5::bigint, false) AS stale,
    t.data ->> $2::text IS NOT DISTINCT FROM $3::text AS same
  FROM ${table} AS t WHERE t.id = $1 AND t.expires_at > ${NOW} FOR NO KEY UPDATE
), changed AS (
  UPDATE ${table} AS t SET data = CASE WHEN $4::text IS NULL THEN t.data - $2::text
    ELSE t.data || jsonb_build_object($2::text, $4::text) END
  FROM held
  WHERE t.id = held.id AND held.format <= ${FORMAT} AND NOT held.stale AND held.same
)
SELECT format, stale, same FROM held`

/** $1 id, $2 name, $3 generation */
const take = (table: string): string => `
WITH held AS (
  SELECT t.id, t.format, t.data ->> $2::text AS value FROM ${table} AS t
  WHERE t.id = $1 AND t.expires_at > ${NOW} AND t.data ->> $2::text IS NOT NULL
    AND coalesce(t.fence <= $3::bigint, true)
  FOR NO KEY UPDATE
), changed AS (
  UPDATE ${table} AS t SET data = t.data - $2::text FROM held
  WHERE t.id = held.id AND held.format <= ${FORMAT}
)
SELECT format, value FROM held`

/**
 * $1 limit. `due` is `expires_at` in steps of 17 minutes: what changes at every request has no index
 * of its own, so such a change stays within its page (a HOT update).
 */
const deleteExpired = ({ table, tellFunction, trimFunction }: TableNames): string => `
WITH clock AS MATERIALIZED (SELECT ${NOW} AS now), dead AS MATERIALIZED (
  SELECT t.id FROM ${table} AS t CROSS JOIN clock
  WHERE t.due <= clock.now >> 20 AND t.expires_at <= clock.now
  ORDER BY t.due LIMIT $1 FOR UPDATE OF t SKIP LOCKED
), deleted AS (
  DELETE FROM ${table} AS t USING dead, clock WHERE t.id = dead.id
  RETURNING ${tellFunction}('expired', t.id, clock.now, t.user_id)
)
SELECT count(*) AS deleted, ${trimFunction}() FROM deleted`
