import { Deadlines } from '../deadline.ts'
import { parseDuration } from '../duration.ts'
import type { Duration } from '../duration.ts'
import { SessionError } from '../errors.ts'
import { Listeners } from '../listening.ts'
import type { EventHandler } from '../listening.ts'
import { refuseUnknownNames } from '../names.ts'
import type {
  CommitOutcome,
  SessionChange,
  SessionId,
  SessionPage,
  SessionRecord,
  SessionStore,
  StopListening,
  StoreCapabilities,
  StoreEvent,
  Touch,
} from '../store.ts'
import { Sweeper } from '../sweeping.ts'
import { capParameters, changeParameters, outcomeOf, touchParameters } from './postgres/change.ts'
import { statementRunner } from './postgres/client.ts'
import type { Parameter, PgClient, PostgresSql, Row, RunStatement } from './postgres/client.ts'
import { failure, wasUndone } from './postgres/failure.ts'
import { PostgresLog } from './postgres/log.ts'
import { logStatementsFor } from './postgres/log-statements.ts'
import { checkFormat, parametersOf, recordOf } from './postgres/row.ts'
import { schemaText, tableNames } from './postgres/schema.ts'
import { statementsFor } from './postgres/statements.ts'
import type { Statements } from './postgres/statements.ts'

export type { PgClient, PostgresSql } from './postgres/client.ts'

/** The options of a {@link PostgresStore}. */
export interface PostgresStoreOptions {
  /**
   * Set this when the table is in a schema of its own; `migrate` creates that too.
   * @default the first one of the search path
   */
  readonly schema?: string
  /**
   * The name of the table.
   * @default 'sojourn_sessions'
   */
  readonly table?: string
  /**
   * How long a call may take.
   * @default '2s'
   */
  readonly deadline?: Duration
  /**
   * How often expired sessions are removed; they are hidden at once.
   * @default '1m'
   */
  readonly sweepEvery?: Duration
  /**
   * Set this to false behind a pooler that does not keep prepared statements, such as PgBouncer
   * before 1.21 in transaction mode.
   * @default true
   */
  readonly prepare?: boolean
}

const OPTIONS = ['schema', 'table', 'deadline', 'sweepEvery', 'prepare'] as const
const PAGE = 500
const ATTEMPTS = 20
/** ms between two looks at what other processes have told. */
const LISTEN_EVERY = 400

/**
 * Keeps sessions in PostgreSQL 12 or later: a row for each session, one statement for each verb.
 * Create the table with {@link PostgresStore.migrate} once.
 *
 * ```ts
 * const store = new PostgresStore(new pg.Pool({ connectionString }))
 * await store.migrate()
 * ```
 */
export class PostgresStore implements SessionStore {
  readonly capabilities: StoreCapabilities = {
    engine: 'postgres',
    shared: 'network',
    durable: 'engine',
    expiry: 'sweep',
    commit: 'atomic',
    clock: 'engine',
    deadline: true,
    userIndex: true,
    list: true,
    userCap: true,
    events: 'log',
    expect: true,
  }
  readonly #run: RunStatement
  readonly #statements: Statements
  readonly #schemaText: string
  readonly #deadlines: Deadlines
  readonly #listeners: Listeners
  readonly #sweeper: Sweeper
  #closed = false

  /**
   * @param client - a `Pool` or a `Client` of the package `pg`, or a `sql` of the package `postgres`.
   * It stays yours: `close` does not end it
   * @throws SessionError `ERR_SESSION_OPTION`
   */
  constructor(client: PgClient | PostgresSql, options: PostgresStoreOptions = {}) {
    refuseUnknownNames(options, OPTIONS, 'PostgresStore')
    const { schema, table = 'sojourn_sessions', prepare = true } = options
    const { deadline = '2s', sweepEvery = '1m' } = options
    const names = tableNames(schema, table)
    this.#run = statementRunner(client, prepare)
    this.#statements = statementsFor(names)
    this.#schemaText = schemaText(names)
    this.#deadlines = new Deadlines(parseDuration(deadline, 'deadline'), 'PostgreSQL')
    const log = new PostgresLog((...call) => this.#call(...call), logStatementsFor(names))
    this.#listeners = new Listeners(log, LISTEN_EVERY)
    const every = parseDuration(sweepEvery, 'sweepEvery')
    this.#sweeper = new Sweeper((limit) => this.deleteExpired(limit), every)
  }

  /**
   * Creates the table and its indexes where they are missing. Run it once for each version, before
   * the first call; running it again, also from several processes at once, changes nothing.
   */
  async migrate(): Promise<void> {
    try {
      await this.#run(this.#schemaText)
    } catch (cause) {
      throw failure('migrate', cause)
    }
  }

  async load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    const { load, loadAndTouch } = this.#statements
    const [row] =
      touch === undefined
        ? await this.#call('load', load, [id, Date.now()])
        : await this.#call('load', loadAndTouch, [id, ...touchParameters(touch)])
    return row === undefined ? undefined : recordOf(row)
  }

  async create(id: SessionId, record: SessionRecord): Promise<boolean> {
    const parameters = parametersOf(id, record)
    const [row = {}] = await this.#call('create', this.#statements.create, parameters)
    checkFormat(row)
    this.#listeners.nudge()
    return row['created'] === true
  }

  async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const { commit, commitTelling, commitWithin } = this.#statements
    const cap = capParameters(change)
    const isTold = change.rotate !== undefined || change.user !== undefined
    const withoutCap = isTold ? commitTelling : commit
    const statement = cap === undefined ? withoutCap : commitWithin
    const parameters = [id, ...changeParameters(change), ...(cap ?? [])]
    const [row] = await this.#call('commit', statement, parameters)
    if (isTold) this.#listeners.nudge()
    return row === undefined ? 'gone' : outcomeOf(row, change)
  }

  async destroy(id: SessionId): Promise<boolean> {
    const [row] = await this.#call('destroy', this.#statements.destroy, [id])
    this.#listeners.nudge()
    return row?.['live'] === true
  }

  async swap(
    id: SessionId,
    name: string,
    before: string | undefined,
    after: string | undefined,
    generation?: number,
  ): Promise<boolean | 'gone' | 'stale'> {
    const parameters = [id, name, before ?? null, after ?? null, generation ?? null]
    const [row] = await this.#call('swap', this.#statements.swap, parameters)
    if (row === undefined) return 'gone'
    if (row['stale'] === true) return 'stale'
    checkFormat(row)
    return row['same'] === true
  }

  async take(id: SessionId, name: string, generation?: number): Promise<string | undefined> {
    const parameters = [id, name, generation ?? null]
    const [row] = await this.#call('take', this.#statements.take, parameters)
    if (row === undefined) return undefined
    checkFormat(row)
    return String(row['value'])
  }

  async sessionsOf(user: string): Promise<readonly SessionId[]> {
    return idsOf(await this.#call('sessionsOf', this.#statements.sessionsOf, [user]))
  }

  async list(cursor = ''): Promise<SessionPage> {
    const ids = idsOf(await this.#call('list', this.#statements.list, [cursor, PAGE]))
    const last = ids.at(-1)
    return last === undefined || ids.length < PAGE ? { ids } : { ids, cursor: last }
  }

  async deleteExpired(limit: number): Promise<number> {
    const { deleteExpired } = this.#statements
    const [row] = await this.#call('deleteExpired', deleteExpired, [limit])
    this.#listeners.nudge()
    return Number(row?.['deleted'])
  }

  /** Other processes hear of what happens within half a second. */
  async watch(listener: (event: StoreEvent) => void): Promise<StopListening> {
    return this.#listeners.watch(listener)
  }

  /**
   * Events come one after the other; one whose handler threw, or whose process died, comes again after
   * a pause. A consumer keeps its process alive. Events are kept for a day, 100,000 at most.
   */
  async consume(group: string, handler: EventHandler): Promise<StopListening> {
    return this.#listeners.consume(group, handler)
  }

  async tell({ type, id, at, user }: StoreEvent): Promise<void> {
    await this.#call('tell', this.#statements.tell, [type, id, at, user ?? null])
    this.#listeners.nudge()
  }

  async ready(): Promise<void> {
    await this.#call('ready', this.#statements.list, ['', 1])
  }

  /** Ends sweeping and listening, and refuses further calls. The client is yours to end. */
  async close(): Promise<void> {
    this.#closed = true
    this.#sweeper.stop()
    this.#listeners.close()
  }

  async #call(verb: string, statement: string, parameters: Parameter[]): Promise<readonly Row[]> {
    if (this.#closed) throw closed(verb)
    this.#sweeper.start()
    try {
      return await this.#deadlines.limit(verb, this.#attempt(statement, parameters))
    } catch (cause) {
      throw failure(verb, cause)
    }
  }

  async #attempt(statement: string, parameters: Parameter[]): Promise<readonly Row[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#run(statement, parameters)
      } catch (error) {
        if (attempt === ATTEMPTS || !wasUndone(error)) throw error
      }
    }
  }
}

function idsOf(rows: readonly Row[]): SessionId[] {
  return rows.map((row) => String(row['id']) as SessionId)
}

function closed(verb: string): SessionError {
  return new SessionError(
    'ERR_SESSION_CLOSED',
    `${verb} came after close(). Open a store that is still needed.`,
  )
}
