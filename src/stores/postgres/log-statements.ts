import { NOW } from './schema.ts'
import type { TableNames } from './schema.ts'

/** The texts of the statements on the log of events. */
export interface LogStatements {
  readonly register: string
  readonly after: string
  readonly claim: string
  readonly postpone: string
  readonly finish: string
}

/** The texts of the statements, with these names in them. */
export function logStatementsFor(names: TableNames): LogStatements {
  return {
    register: register(names),
    after: after(names),
    claim: claim(names),
    postpone: `UPDATE ${names.deliveries} SET until = ${NOW} + $3::bigint
      WHERE name = $1 AND position = $2::bigint`,
    finish: `DELETE FROM ${names.deliveries} WHERE name = $1 AND position = $2::bigint`,
  }
}

/** $1 name, $2 ms */
const register = ({ listeners, events }: TableNames): string => `
WITH registered AS (
  INSERT INTO ${listeners} (name, until) VALUES ($1, ${NOW} + $2::bigint)
  ON CONFLICT (name) DO UPDATE SET until = excluded.until
)
SELECT coalesce(max(position), 0) AS position FROM ${events}`

/** $1 position, $2 lower positions that were missing, $3 limit */
const after = ({ events }: TableNames): string => `
SELECT position, type, id, at, user_id FROM ${events}
WHERE position > $1::bigint OR position = ANY($2::text::bigint[]) ORDER BY position LIMIT $3`

/** $1 group, $2 ms for which the event is taken. What another consumer is taking is passed over. */
const claim = ({ events, deliveries }: TableNames): string => `
WITH due AS (
  SELECT d.name, d.position FROM ${deliveries} AS d
  WHERE d.name = $1 AND d.until <= ${NOW} AND EXISTS (SELECT FROM ${events} AS e WHERE e.position = d.position)
  ORDER BY d.position LIMIT 1 FOR UPDATE OF d SKIP LOCKED
)
UPDATE ${deliveries} AS d SET until = ${NOW} + $2::bigint, tries = d.tries + 1
FROM due JOIN ${events} AS e ON e.position = due.position
WHERE d.name = due.name AND d.position = due.position
RETURNING d.position, d.tries, e.type, e.id, e.at, e.user_id`
