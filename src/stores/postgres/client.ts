import { createHash } from 'node:crypto'
import { SessionError } from '../../errors.ts'

/** What a statement answered, one object for each row. */
export type Row = Readonly<Record<string, unknown>>

/** A parameter of a statement. Everything that has a shape of its own travels as text. */
export type Parameter = string | number | boolean | null

/** A `Pool` or a connected `Client` of the package `pg`, or whatever answers like one. */
export interface PgClient {
  query(query: {
    readonly name?: string
    readonly text: string
    readonly values?: Parameter[]
  }): PromiseLike<{ readonly rows: readonly Row[] }>
  on?(event: 'error', listener: (error: Error) => void): unknown
  listenerCount?(event: 'error'): number
}

/** A `sql` of the package `postgres` (postgres.js). */
export interface PostgresSql {
  unsafe(
    text: string,
    values?: Parameter[],
    options?: { readonly prepare?: boolean },
  ): PromiseLike<readonly Row[]>
}

/** Runs one statement, on whatever client there is. */
export type RunStatement = (text: string, values?: Parameter[]) => PromiseLike<readonly Row[]>

/**
 * The one thing the store needs of a client.
 *
 * @param prepare - whether statements with values are prepared once for each connection
 * @throws SessionError `ERR_SESSION_OPTION` for anything that is no client
 */
export function statementRunner(client: PgClient | PostgresSql, prepare: boolean): RunStatement {
  if (isPostgresSql(client)) {
    return (text, values) =>
      values === undefined ? client.unsafe(text) : client.unsafe(text, values, { prepare })
  }
  if (!isPgClient(client)) throw noClient()
  surviveIdleErrors(client)
  return async (text, values) => (await client.query(queryOf(text, values, prepare))).rows
}

function queryOf(
  text: string,
  values: Parameter[] | undefined,
  prepare: boolean,
): Parameters<PgClient['query']>[0] {
  if (values === undefined) return { text }
  return prepare ? { name: nameOf(text), text, values } : { text, values }
}

const names = new Map<string, string>()

/** A connection knows a prepared statement by its name: the same name always stands for the same text. */
function nameOf(text: string): string {
  const known = names.get(text)
  if (known !== undefined) return known
  const name = `sojourn_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
  names.set(text, name)
  return name
}

/**
 * A pool that loses an idle connection tells it as an `error` event, and without a listener that ends
 * the process. The store notices at its next call in any case.
 */
function surviveIdleErrors(client: PgClient): void {
  if (client.listenerCount?.('error') === 0) client.on?.('error', () => undefined)
}

function isPostgresSql(client: unknown): client is PostgresSql {
  return typeof client === 'function' && 'unsafe' in client && typeof client.unsafe === 'function'
}

function isPgClient(client: unknown): client is PgClient {
  return (
    typeof client === 'object' &&
    client !== null &&
    'query' in client &&
    typeof client.query === 'function'
  )
}

function noClient(): SessionError {
  return new SessionError(
    'ERR_SESSION_OPTION',
    'PostgresStore takes a client of yours: a Pool of the package pg, or a sql of the package postgres.',
  )
}
