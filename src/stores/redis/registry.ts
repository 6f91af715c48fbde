import { SessionError } from '../../errors.ts'
import type { SessionId, SessionPage } from '../../store.ts'
import type { Calls } from './calls.ts'
import { bucketOf, TAGS } from './keys.ts'
import type { Bucket, Keys } from './keys.ts'
import type { Moving } from './moving.ts'
import { digits } from './packed.ts'
import { NOTE, SETTLE } from './scripts.ts'

/** How many buckets are looked at at once. */
const GROUP = 10
/** How many sessions of a bucket are looked at in one step, about. */
const STEP = 50
const DUE = 100
const CURSOR = /^(\d{1,2}):((?:\d*,){9}\d*)$/
const DONE = ''

/** Where a listing is: in a group of buckets, with the cursor of each, or DONE. */
interface Place {
  readonly group: number
  readonly cursors: readonly string[]
}

/** The registries of all buckets: which sessions there are, and which of them should have ended. */
export class Registry {
  readonly #calls: Calls
  readonly #keys: Keys
  readonly #moving: Moving
  readonly #settling = new Set<number>()

  constructor(parts: { readonly calls: Calls; readonly keys: Keys; readonly moving: Moving }) {
    this.#calls = parts.calls
    this.#keys = parts.keys
    this.#moving = parts.moving
  }

  /** Notes when a session ends. */
  async note(id: SessionId, expiresAt: number, deadline: number): Promise<void> {
    const { registry } = this.#keys.bucket(id)
    const args = [id, digits(expiresAt), digits(deadline)] as const
    await this.#calls.timed('note', NOTE, [registry], [Date.now(), ...args])
  }

  /** A session has ended otherwise. */
  async forget(id: SessionId): Promise<void> {
    const { registry } = this.#keys.bucket(id)
    await this.#calls.send('note', registry, ['ZREM', registry, id])
  }

  /** Some live sessions, and where to go on. */
  async list(cursor: string | undefined): Promise<SessionPage> {
    let place: Place | undefined = cursor === undefined ? startOf(0) : placeOf(cursor)
    const ids: SessionId[] = []
    while (ids.length === 0 && place !== undefined) {
      const found = await this.#step(place)
      ids.push(...found.ids)
      place = found.next
    }
    return place === undefined ? { ids } : { ids, cursor: textOf(place) }
  }

  /** Tells of sessions that have ended, in the bucket of a session, and forgets them. */
  tidy(id: SessionId): void {
    const index = bucketOf(id)
    if (this.#settling.has(index)) return
    this.#settling.add(index)
    this.#calls.later('expiry', () =>
      this.expire(index).finally(() => this.#settling.delete(index)),
    )
  }

  /** The same, in any bucket. */
  async expire(index: number): Promise<void> {
    const { registry } = this.#keys.buckets[index] as Bucket
    while (!this.#moving.has(registry)) {
      const now = `${Date.now() + this.#calls.clock.ahead}`
      const command = ['ZRANGEBYSCORE', registry, '-inf', now, 'LIMIT', '0', `${DUE}`]
      const due = (await this.#calls.send('expiry', registry, command)) as unknown[]
      const living = await this.#living('expiry', index, due.map(String) as SessionId[])
      if (due.length < DUE || living.length === due.length) return
    }
  }

  async #step({ group, cursors }: Place): Promise<{ ids: SessionId[]; next: Place | undefined }> {
    const scans = await Promise.all(
      cursors.map((cursor, n) => this.#scan(group * GROUP + n, cursor)),
    )
    const next = { group, cursors: scans.map((scan) => scan.cursor) }
    const isDone = next.cursors.every((cursor) => cursor === DONE)
    return { ids: scans.flatMap(({ ids }) => [...ids]), next: isDone ? startOf(group + 1) : next }
  }

  async #scan(
    index: number,
    cursor: string,
  ): Promise<{ readonly ids: readonly SessionId[]; readonly cursor: string }> {
    if (cursor === DONE) return { ids: [], cursor }
    const { registry } = this.#keys.buckets[index] as Bucket
    const command = ['ZSCAN', registry, cursor, 'COUNT', `${STEP}`]
    const [next, found] = (await this.#calls.send('list', registry, command)) as [
      unknown,
      unknown[],
    ]
    const ids = found.filter((_, n) => n % 2 === 0).map(String) as SessionId[]
    const living = await this.#living('list', index, ids)
    return { ids: living, cursor: String(next) === '0' ? DONE : String(next) }
  }

  async #living(
    verb: string,
    index: number,
    ids: readonly SessionId[],
  ): Promise<readonly SessionId[]> {
    if (ids.length === 0) return []
    const { registry, events } = this.#keys.buckets[index] as Bucket
    const records = ids.map((id) => this.#keys.record(id))
    const living = await this.#moving.inOneStep(
      registry,
      () => this.#calls.run(verb, SETTLE, [registry, events, ...records], ids),
      async () => (await Promise.all(records.map((key) => this.#isThere(verb, key)))).join(''),
    )
    return ids.filter((_, n) => living[n] === '1')
  }

  async #isThere(verb: string, key: string): Promise<string> {
    return String(await this.#calls.send(verb, key, ['EXISTS', key]))
  }
}

function startOf(group: number): Place | undefined {
  if (group * GROUP >= TAGS.length) return undefined
  return { group, cursors: Array.from({ length: GROUP }, () => '0') }
}

function placeOf(cursor: string): Place {
  const [, group, cursors] = CURSOR.exec(cursor) ?? []
  if (group !== undefined && cursors !== undefined && Number(group) * GROUP < TAGS.length) {
    return { group: Number(group), cursors: cursors.split(',') }
  }
  throw new SessionError(
    'ERR_SESSION_OPTION',
    'list was given a cursor that is not of a page of this store. Begin without one.',
  )
}

function textOf({ group, cursors }: Place): string {
  return `${group}:${cursors.join(',')}`
}
