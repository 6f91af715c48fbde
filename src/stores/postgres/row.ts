import { SessionError } from '../../errors.ts'
import type { ClientInfo, SessionId, SessionRecord } from '../../store.ts'
import type { Parameter, Row } from './client.ts'
import { FORMAT } from './schema.ts'

/** The record of a row. Drivers give a bigint as text, as a number or as a bigint: all will do. */
export function recordOf(row: Row): SessionRecord {
  checkFormat(row)
  return {
    createdAt: Number(row['created_at']),
    expiresAt: Number(row['expires_at']),
    deadline: Number(row['deadline']),
    generation: Number(row['generation']),
    renewedAt: Number(row['renewed_at']),
    fence: Number(row['fence']),
    values: valuesOf(row['data']),
    ...without({
      user: textOf(row['user_id']),
      authenticatedAt: numberOf(row['authenticated_at']),
      rememberFor: numberOf(row['remember_for']),
      client: clientOf(row),
    }),
  }
}

/** The parameters of `create`, in their order. */
export function parametersOf(id: SessionId, record: SessionRecord): Parameter[] {
  return [
    id,
    Date.now(),
    record.createdAt,
    record.expiresAt,
    record.deadline,
    record.generation,
    record.renewedAt,
    record.fence,
    record.user ?? null,
    record.authenticatedAt ?? null,
    record.rememberFor ?? null,
    record.client?.userAgent ?? null,
    record.client?.address ?? null,
    jsonOf(record.values),
  ]
}

/** A map as the text of a JSON object. A name such as `__proto__` is one like every other. */
export function jsonOf(entries: ReadonlyMap<string, unknown>): string {
  return entries.size === 0 ? '{}' : JSON.stringify(Object.fromEntries(entries))
}

/** @throws SessionError `ERR_SESSION_VERSION` for a row that a newer version has written */
export function checkFormat(row: Row): void {
  if (Number(row['format']) <= FORMAT) return
  throw new SessionError(
    'ERR_SESSION_VERSION',
    'The session was written by a newer version of sojourn. Update this process too; the session is kept as it is.',
  )
}

/** The error of a row whose values are not what this store writes. */
export function corrupt(cause?: unknown): SessionError {
  return new SessionError(
    'ERR_SESSION_CORRUPT',
    'The row of a session cannot be read. It is kept as it is; destroy the session to be rid of it.',
    { cause },
  )
}

function valuesOf(data: unknown): Map<string, string> {
  const values = new Map<string, string>()
  for (const [name, text] of Object.entries(objectOf(data))) {
    if (typeof text !== 'string') throw corrupt()
    values.set(name, text)
  }
  return values
}

function objectOf(data: unknown): object {
  try {
    const object: unknown = JSON.parse(String(data))
    if (typeof object === 'object' && object !== null && !Array.isArray(object)) return object
  } catch (cause) {
    throw corrupt(cause)
  }
  throw corrupt()
}

function clientOf(row: Row): ClientInfo | undefined {
  const userAgent = textOf(row['user_agent'])
  const address = textOf(row['address'])
  if (userAgent === undefined && address === undefined) return undefined
  return without({ userAgent, address })
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function numberOf(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value)
}

type Present<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> }

/** The fields that are there. */
function without<Fields extends object>(fields: Fields): Present<Fields> {
  const present: Present<Fields> = { ...fields }
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) Reflect.deleteProperty(present, name)
  }
  return present
}
