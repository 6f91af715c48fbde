import { setTimeout as sleep } from 'node:timers/promises'
import { applyChange, isExpired, isStale, swapValue, touched } from '../change.ts'
import { Deadlines } from '../deadline.ts'
import { parseDuration } from '../duration.ts'
import type { Duration } from '../duration.ts'
import { SessionError, isSessionError } from '../errors.ts'
import { refuseUnknownNames } from '../names.ts'
import { packRecord, packedExpiry, unpackRecord } from '../record.ts'
import type {
  CommitOutcome,
  SessionChange,
  SessionId,
  SessionRecord,
  SessionStore,
  StoreCapabilities,
  Touch,
} from '../store.ts'
import { chooseServer, parseAddress } from './memcached/address.ts'
import { Connection } from './memcached/connection.ts'
import { closed, crowded } from './memcached/failures.ts'
import { addItem, getItem, removeItem, replaceItem } from './memcached/items.ts'
import type { Write } from './memcached/items.ts'

/** The options of a {@link MemcachedStore}. */
export interface MemcachedStoreOptions {
  /**
   * The servers: `host:port` (11211 if no port is given), `[::1]:port`, or the path of a socket. A
   * session is on one of them. Every process must be given the same names; their order does not matter.
   */
  readonly servers: readonly string[]
  /**
   * What keys begin with. Set this when several applications share the servers.
   * @default 'sojourn:'
   */
  readonly prefix?: string
  /**
   * How long a call may take.
   * @default '2s'
   */
  readonly deadline?: Duration
  /**
   * The clock, in ms since the epoch. Set this in tests.
   * @default Date.now
   */
  readonly now?: () => number
}

const OPTIONS = ['servers', 'prefix', 'deadline', 'now'] as const

/** A step that was decided on a record: what to answer, and what to write before that, if anything. */
interface Step<T> {
  readonly answer: T
  readonly record?: SessionRecord
}

/**
 * Keeps sessions in memcached 1.6 or later, one item for each session. A commit reads the item and
 * writes it if it is the same still; otherwise it tries again.
 *
 * Memcached forgets: at a restart everything, and when its memory is full what was not used for the
 * longest time. Such a session is gone, as if it had never been.
 */
export class MemcachedStore implements SessionStore {
  readonly capabilities: StoreCapabilities = {
    engine: 'memcached',
    shared: 'network',
    durable: 'no',
    expiry: 'engine',
    commit: 'compare-and-set',
    clock: 'process',
    deadline: true,
    userIndex: false,
    list: false,
    expect: true,
  }
  readonly #servers: readonly [Connection, ...Connection[]]
  readonly #prefix: string
  readonly #deadlines: Deadlines
  readonly #patience: number
  readonly #now: () => number
  #closed = false

  /** @throws SessionError `ERR_SESSION_OPTION` */
  constructor(options: MemcachedStoreOptions) {
    refuseUnknownNames(options, OPTIONS, 'MemcachedStore')
    const { servers, prefix = 'sojourn:', deadline = '2s', now = () => Date.now() } = options
    this.#patience = parseDuration(deadline, 'deadline')
    this.#servers = connectionsOf(servers, this.#patience)
    this.#prefix = checkedPrefix(prefix)
    this.#deadlines = new Deadlines(this.#patience, 'Memcached')
    this.#now = now
  }

  async load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    return this.#change('load', id, undefined, (record) => {
      const moved = touch === undefined ? undefined : touched(record, touch)
      return moved === undefined ? { answer: record } : { answer: moved, record: moved }
    })
  }

  create(id: SessionId, record: SessionRecord): Promise<boolean> {
    return this.#call('create', async () => {
      const { server, key } = this.#find(id)
      for (const attempt of this.#attempts()) {
        await pauseBefore(attempt)
        if (await addItem(server, key, this.#write(record))) return true
        const item = await getItem(server, key)
        if (item === undefined) continue
        if (packedExpiry(item.bytes) > this.#now()) return false
        const write = { ...this.#write(record), token: item.token }
        if ((await replaceItem(server, key, write)) === 'done') return true
      }
      throw crowded()
    })
  }

  async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    return this.#change<CommitOutcome>('commit', id, 'gone', (record) => {
      const applied = applyChange(record, change)
      if (applied === 'stale') return { answer: 'stale' }
      return { answer: applied.committed, record: applied.record }
    })
  }

  destroy(id: SessionId): Promise<boolean> {
    return this.#call('destroy', async () => {
      const { server, key } = this.#find(id)
      const bytes = await removeItem(server, key)
      return bytes !== undefined && endOf(bytes) > this.#now()
    })
  }

  swap(
    id: SessionId,
    name: string,
    before: string | undefined,
    after: string | undefined,
    generation?: number,
  ): Promise<boolean | 'gone' | 'stale'> {
    return this.#change<boolean | 'gone' | 'stale'>('swap', id, 'gone', (record) => {
      if (isStale(record, generation)) return { answer: 'stale' }
      const swapped = swapValue(record, name, before, after)
      return swapped === false ? { answer: false } : { answer: true, record: swapped }
    })
  }

  take(id: SessionId, name: string, generation?: number): Promise<string | undefined> {
    return this.#change('take', id, undefined, (record) => {
      const answer = isStale(record, generation) ? undefined : record.values.get(name)
      const taken = answer !== undefined && swapValue(record, name, answer, undefined)
      return taken === false ? { answer } : { answer, record: taken }
    })
  }

  async ready(): Promise<void> {
    await this.#call('ready', () =>
      Promise.all(this.#servers.map((server) => server.largestItem())),
    )
  }

  /** Ends the connections. */
  async close(): Promise<void> {
    this.#closed = true
    for (const server of this.#servers) server.close()
  }

  /**
   * Reads, decides, and writes what was decided if the item is the same still; if not, all over again.
   *
   * @param absent - the answer if there is no live record
   */
  #change<T>(
    verb: string,
    id: SessionId,
    absent: T,
    decide: (record: SessionRecord) => Step<T>,
  ): Promise<T> {
    return this.#call(verb, async () => {
      const { server, key } = this.#find(id)
      for (const attempt of this.#attempts()) {
        await pauseBefore(attempt)
        const item = await getItem(server, key)
        const record = item === undefined ? undefined : unpackRecord(item.bytes)
        if (item === undefined || record === undefined || isExpired(record, this.#now()))
          return absent
        const step = decide(record)
        if (step.record === undefined) return step.answer
        const write = { ...this.#write(step.record), token: item.token }
        const outcome = await replaceItem(server, key, write)
        if (outcome !== 'lost') return outcome === 'done' ? step.answer : absent
      }
      throw crowded()
    })
  }

  /** As many as the deadline allows: each lost one means that another writer has won. */
  *#attempts(): IterableIterator<number> {
    const until = performance.now() + this.#patience
    for (let attempt = 0; performance.now() < until; attempt++) yield attempt
  }

  #write(record: SessionRecord): Write {
    return { bytes: packRecord(record), expiresAt: record.expiresAt, now: this.#now() }
  }

  #find(id: SessionId): { readonly server: Connection; readonly key: string } {
    return { server: chooseServer(this.#servers, id), key: this.#prefix + id }
  }

  async #call<T>(verb: string, run: () => Promise<T>): Promise<T> {
    if (this.#closed) throw closed()
    return this.#deadlines.limit(verb, run())
  }
}

/** Writers that met are kept from meeting again. */
async function pauseBefore(attempt: number): Promise<void> {
  if (attempt > 2) await sleep(Math.random() * Math.min(attempt, 10))
}

/** When a record ends; one that cannot be read has not ended. */
function endOf(bytes: Uint8Array): number {
  try {
    return packedExpiry(bytes)
  } catch (error) {
    if (isSessionError(error)) return Number.POSITIVE_INFINITY
    throw error
  }
}

function connectionsOf(servers: unknown, patience: number): [Connection, ...Connection[]] {
  const addresses = (Array.isArray(servers) ? servers : [servers]).map(parseAddress)
  const [first, ...others] = addresses.map((address) => new Connection(address, patience))
  const names = new Set(addresses.map(({ name }) => name))
  if (first !== undefined && names.size === addresses.length) return [first, ...others]
  throw new SessionError(
    'ERR_SESSION_OPTION',
    'servers must name at least one server, and each only once.',
  )
}

function checkedPrefix(prefix: string): string {
  if (/^[\x21-\x7e]{0,200}$/.test(prefix)) return prefix
  throw new SessionError(
    'ERR_SESSION_OPTION',
    'prefix must be at most 200 characters of ASCII, without blanks: memcached takes no other keys.',
  )
}
