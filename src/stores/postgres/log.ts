import { eventOf, lifeOf, Registrations, WATCHERS } from '../../event-log.ts'
import type { Claim, EventLog, LoggedEvent } from '../../event-log.ts'
import type { SessionId, StoreEvent } from '../../store.ts'
import type { Parameter, Row } from './client.ts'
import { Gaps } from './gaps.ts'
import type { LogStatements } from './log-statements.ts'

/** Runs a statement as the calls of the store are run. */
export type CallStatement = (
  verb: string,
  statement: string,
  parameters: Parameter[],
) => Promise<readonly Row[]>

/** The log in the database as its readers see it. The clock of the server says until when an event is taken. */
export class PostgresLog implements EventLog {
  readonly #call: CallStatement
  readonly #statements: LogStatements
  readonly #registrations = new Registrations()
  readonly #gaps = new Gaps()

  constructor(call: CallStatement, statements: LogStatements) {
    this.#call = call
    this.#statements = statements
  }

  end(): Promise<number> {
    return this.#register('watch', WATCHERS)
  }

  async after(position: number, limit: number): Promise<readonly LoggedEvent[]> {
    await this.#stay('watch', WATCHERS)
    const { after } = this.#statements
    const missing = `{${this.#gaps.missing.join(',')}}`
    const rows = await this.#call('watch', after, [position, missing, limit])
    const entries = rows.map(loggedEventOf)
    this.#gaps.wereRead(
      position,
      entries.map((entry) => entry.position),
      performance.now(),
    )
    return entries
  }

  async join(group: string): Promise<void> {
    await this.#register('consume', group)
  }

  async claim(group: string, now: number, until: number): Promise<Claim | undefined> {
    await this.#stay('consume', group)
    const [row] = await this.#call('consume', this.#statements.claim, [group, until - now])
    return row && { ...loggedEventOf(row), group, tries: Number(row['tries']) }
  }

  async postpone({ group, position }: Claim, until: number): Promise<void> {
    const parameters = [group, position, until - Date.now()]
    await this.#call('consume', this.#statements.postpone, parameters)
  }

  async finish({ group, position }: Claim): Promise<void> {
    await this.#call('consume', this.#statements.finish, [group, position])
  }

  /** Answers where the log ends. */
  async #register(verb: string, name: string): Promise<number> {
    const [row] = await this.#call(verb, this.#statements.register, [name, lifeOf(name)])
    this.#registrations.wereTold(name, Date.now())
    return Number(row?.['position'])
  }

  async #stay(verb: string, name: string): Promise<void> {
    if (this.#registrations.isDue(name, Date.now())) await this.#register(verb, name)
  }
}

function loggedEventOf(row: Row): LoggedEvent {
  const { position, type, id, at, user_id: user } = row
  const owner = typeof user === 'string' ? user : undefined
  const event = eventOf(type as StoreEvent['type'], id as SessionId, Number(at), owner)
  return { position: Number(position), event }
}
