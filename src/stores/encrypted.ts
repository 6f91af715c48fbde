import { setTimeout as sleep } from 'node:timers/promises'
import { addToText, conflict, isStale } from '../change.ts'
import { parseDuration } from '../duration.ts'
import type { Duration } from '../duration.ts'
import { SessionError, isSessionError } from '../errors.ts'
import { checkSecrets, Keyring } from '../keyring.ts'
import type { Secret } from '../keyring.ts'
import { refuseUnknownNames } from '../names.ts'
import type {
  CommitOutcome,
  SessionChange,
  SessionId,
  SessionRecord,
  SessionStore,
  StoreCapabilities,
  Touch,
} from '../store.ts'
import { Seal } from './encrypted/seal.ts'

/** The options of an {@link EncryptedStore}. */
export interface EncryptedStoreOptions {
  /**
   * One key, or `[current, ...older]`, each at least 32 random bytes: what is written is encrypted with
   * the first, what was written with the others can be read. An older key is needed until the last
   * session that was begun with it has ended.
   */
  readonly keys: Secret | readonly Secret[]
  /**
   * How long a change is tried again when others change the same value all the while.
   * @default '2s'
   */
  readonly deadline?: Duration
}

/**
 * Keeps the values of sessions encrypted in another store, which never sees one. Whoever reads that
 * store, its backups or its traffic learns the names of values and how long they are, who is logged in,
 * when and from where, and nothing else; whoever writes to it can make values unreadable, put back an
 * older value of the same name, or remove them, and cannot make any.
 *
 * A value that does not decrypt is `ERR_SESSION_CORRUPT`; nothing is ever taken for plain text.
 *
 * ```ts
 * new EncryptedStore(new RedisStore(client), { keys: process.env.SESSION_KEY })
 * ```
 */
export class EncryptedStore implements SessionStore {
  readonly capabilities: StoreCapabilities
  readonly sessionsOf?: NonNullable<SessionStore['sessionsOf']>
  readonly list?: NonNullable<SessionStore['list']>
  readonly deleteExpired?: NonNullable<SessionStore['deleteExpired']>
  readonly watch?: NonNullable<SessionStore['watch']>
  readonly consume?: NonNullable<SessionStore['consume']>
  readonly tell?: NonNullable<SessionStore['tell']>
  readonly ready?: NonNullable<SessionStore['ready']>
  readonly close?: NonNullable<SessionStore['close']>
  readonly #inner: SessionStore
  readonly #seal: Seal
  readonly #patience: number

  /**
   * @param inner - the store in which the sessions are
   * @throws SessionError `ERR_SESSION_OPTION`, `ERR_SESSION_SECRET`
   */
  constructor(inner: SessionStore, options: EncryptedStoreOptions) {
    refuseUnknownNames(options, ['keys', 'deadline'], 'EncryptedStore')
    this.#inner = checkedInner(inner)
    this.#seal = new Seal(keyringOf(options.keys))
    this.#patience = parseDuration(options.deadline ?? '2s', 'deadline')
    this.capabilities = {
      ...inner.capabilities,
      engine: `encrypted ${inner.capabilities.engine}`,
      commit: 'compare-and-set',
    }
    Object.assign(this, passedOn(inner))
  }

  async load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    const record = await this.#inner.load(id, touch)
    return record && { ...record, values: this.#decryptAll(id, record.values) }
  }

  create(id: SessionId, record: SessionRecord): Promise<boolean> {
    return this.#inner.create(id, { ...record, values: this.#encryptAll(id, record.values) })
  }

  commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const needsValues = change.add.size > 0 || change.expect !== undefined
    if (needsValues) return this.#retry(() => this.#commitReading(id, change))
    return this.#inner.commit(id, { ...change, set: this.#encryptAll(id, change.set) })
  }

  destroy(id: SessionId): Promise<boolean> {
    return this.#inner.destroy(id)
  }

  swap(
    id: SessionId,
    name: string,
    before: string | undefined,
    after: string | undefined,
    generation?: number,
  ): Promise<boolean | 'gone' | 'stale'> {
    return this.#retry(async () => {
      const record = await this.#inner.load(id)
      if (record === undefined) return 'gone'
      if (isStale(record, generation)) return 'stale'
      const sealed = record.values.get(name)
      if (this.#decrypt(id, name, sealed) !== before) return false
      const next = after === undefined ? undefined : this.#seal.encrypt(id, name, after)
      const outcome = await this.#inner.swap(id, name, sealed, next, generation)
      return outcome === false ? AGAIN : outcome
    })
  }

  async take(id: SessionId, name: string, generation?: number): Promise<string | undefined> {
    return this.#decrypt(id, name, await this.#inner.take(id, name, generation))
  }

  /**
   * A change that depends on what is stored: computed here, and written if that is the same still. The
   * same text is never encrypted to the same bytes twice, so equal bytes mean that nothing was written.
   */
  async #commitReading(
    id: SessionId,
    change: SessionChange,
  ): Promise<CommitOutcome | typeof AGAIN> {
    const record = await this.#inner.load(id)
    if (record === undefined) return 'gone'
    if (isStale(record, change.generation)) return 'stale'
    const expect = this.#expectedOf(id, record, change)
    const added = this.#addedTo(id, record, change)
    const sums = Array.from(added, ([name, sum]): [string, string] => [name, String(sum)])
    const set = this.#encryptAll(id, new Map([...change.set, ...sums]))
    try {
      const outcome = await this.#inner.commit(id, { ...change, set, add: new Map(), expect })
      return typeof outcome === 'string' ? outcome : { ...outcome, added }
    } catch (error) {
      if (isSessionError(error) && error.code === 'ERR_SESSION_CONFLICT') return AGAIN
      throw error
    }
  }

  /** The bytes that stand for what the change expects, and for the numbers to which it adds. */
  #expectedOf(
    id: SessionId,
    { values }: SessionRecord,
    change: SessionChange,
  ): Map<string, string | undefined> {
    const expected = new Map<string, string | undefined>()
    for (const [name, text] of change.expect ?? []) {
      if (this.#decrypt(id, name, values.get(name)) !== text) throw conflict()
      expected.set(name, values.get(name))
    }
    for (const name of change.add.keys()) {
      if (!isReplaced(name, change)) expected.set(name, values.get(name))
    }
    return expected
  }

  /** @throws SessionError `ERR_SESSION_NOT_A_NUMBER` */
  #addedTo(id: SessionId, { values }: SessionRecord, change: SessionChange): Map<string, number> {
    const sums = new Map<string, number>()
    for (const [name, by] of change.add) {
      const stored = isReplaced(name, change)
        ? change.set.get(name)
        : this.#decrypt(id, name, values.get(name))
      sums.set(name, addToText(name, stored, by))
    }
    return sums
  }

  #decrypt(id: SessionId, name: string, sealed: string | undefined): string | undefined {
    return sealed === undefined ? undefined : this.#seal.decrypt(id, name, sealed)
  }

  #encryptAll(id: SessionId, values: ReadonlyMap<string, string>): Map<string, string> {
    return mapped(values, (text, name) => this.#seal.encrypt(id, name, text))
  }

  #decryptAll(id: SessionId, values: ReadonlyMap<string, string>): Map<string, string> {
    return mapped(values, (sealed, name) => this.#seal.decrypt(id, name, sealed))
  }

  async #retry<T>(attempt: () => Promise<T | typeof AGAIN>): Promise<T> {
    const until = performance.now() + this.#patience
    for (let tries = 0; tries === 0 || performance.now() < until; tries++) {
      // Writers that met are kept from meeting again.
      if (tries > 2) await sleep(Math.random() * Math.min(tries, 10))
      const outcome = await attempt()
      if (outcome !== AGAIN) return outcome
    }
    throw conflict()
  }
}

const AGAIN: unique symbol = Symbol('again')

/** True if the change itself says what is under a name before it adds to it. */
function isReplaced(name: string, { clear, set, unset }: SessionChange): boolean {
  return clear === true || set.has(name) || unset.includes(name)
}

function mapped(
  values: ReadonlyMap<string, string>,
  change: (text: string, name: string) => string,
): Map<string, string> {
  return new Map(Array.from(values, ([name, text]) => [name, change(text, name)]))
}

type PassedOn = Pick<
  SessionStore,
  'sessionsOf' | 'list' | 'deleteExpired' | 'watch' | 'consume' | 'tell' | 'ready' | 'close'
>

/** The verbs that have to do with no value, as far as the inner store has them. */
function passedOn(inner: SessionStore): PassedOn {
  return {
    ...(inner.sessionsOf && { sessionsOf: inner.sessionsOf.bind(inner) }),
    ...(inner.list && { list: inner.list.bind(inner) }),
    ...(inner.deleteExpired && { deleteExpired: inner.deleteExpired.bind(inner) }),
    ...(inner.watch && { watch: inner.watch.bind(inner) }),
    ...(inner.consume && { consume: inner.consume.bind(inner) }),
    ...(inner.tell && { tell: inner.tell.bind(inner) }),
    ...(inner.ready && { ready: inner.ready.bind(inner) }),
    ...(inner.close && { close: inner.close.bind(inner) }),
  }
}

function keyringOf(keys: unknown): Keyring {
  const [current, ...older] = (Array.isArray(keys) ? keys : [keys]) as readonly Secret[]
  if (current === undefined) {
    throw new SessionError(
      'ERR_SESSION_SECRET',
      'EncryptedStore needs `keys`: at least 32 random bytes kept outside the code, other ones than `secret`. `openssl rand -base64 32` makes some.',
    )
  }
  checkSecrets([current, ...older], true)
  return new Keyring([current, ...older])
}

function checkedInner(inner: SessionStore): SessionStore {
  if (inner?.capabilities?.expect === true) return inner
  throw new SessionError(
    'ERR_SESSION_OPTION',
    'EncryptedStore takes a store that declares the capability `expect`: without it numbers could not be added to.',
  )
}
