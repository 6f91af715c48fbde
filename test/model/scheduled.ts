import * as fc from 'fast-check'
import { expect } from 'vitest'
import type { SessionEvent } from '../../src/events.ts'
import { SessionManager } from '../../src/manager.ts'
import type { Session } from '../../src/session.ts'
import type { SessionId, SessionStore } from '../../src/store.ts'
import { CountingStore } from '../support/counting-store.ts'
import { SECRET } from '../support/stage.ts'

/** What one of the parallel requests does, beside setting a value of its own and adding to a number. */
export type Deed = 'set' | 'renew' | 'login' | 'logout' | 'destroy'

export const deeds: fc.Arbitrary<readonly Deed[]> = fc.array(
  fc.constantFrom<Deed>('set', 'set', 'renew', 'login', 'logout', 'destroy'),
  { minLength: 2, maxLength: 4 },
)

/** A store whose calls arrive when the scheduler says so, and whose answers come when it says so. */
class ScheduledStore extends CountingStore {
  constructor(inner: SessionStore, scheduler: fc.Scheduler) {
    super(
      new Proxy(inner, {
        get(target, name) {
          const member: unknown = Reflect.get(target, name, target)
          if (typeof member !== 'function') return member
          return async (...args: unknown[]) => {
            await scheduler.schedule(Promise.resolve(), `${String(name)} arrives`)
            const answer: unknown = await Reflect.apply(member, target, args)
            await scheduler.schedule(Promise.resolve(), `${String(name)} is answered`)
            return answer
          }
        },
      }),
    )
  }
}

interface Request {
  readonly deed: Deed
  readonly own: string
  readonly session: Session
  /** Whether the cookie still opened the session. */
  readonly opened: boolean
}

/** Parallel requests of one visitor, in an order of the scheduler's, and what must be true of their end. */
export async function race(
  store: SessionStore,
  scheduler: fc.Scheduler,
  wanted: readonly Deed[],
): Promise<void> {
  const plain = new SessionManager({ secret: SECRET, store })
  const first = await plain.open(undefined)
  first.set('base', 1)
  const cookie = cookieOf(await plain.commit(first))
  const events: SessionEvent[] = []
  const scheduled = new SessionManager({
    ...{ secret: SECRET, store: new ScheduledStore(store, scheduler) },
    observe: (event) => void events.push(event),
  })
  const requests = await scheduler.waitFor(
    Promise.all(wanted.map((deed, place) => run(scheduled, cookie, deed, `r${place}`))),
  )
  const dropped = new Set(
    events.flatMap((event) => (event.type === 'write-dropped' ? event.names : [])),
  )
  await judge({ store, plain, id: first.id, cookie, requests, dropped })
}

async function run(
  manager: SessionManager,
  cookie: string,
  deed: Deed,
  own: string,
): Promise<Request> {
  const session: Session = await manager.open(cookie)
  const opened = session.established
  if (deed === 'destroy' || deed === 'logout') session[deed]()
  else perform(session, deed, own)
  await manager.commit(session)
  return { deed, own, session, opened }
}

function perform(session: Session, deed: 'set' | 'renew' | 'login', own: string): void {
  session.set(own, true)
  session.increment('sum')
  if (deed === 'login') session.login(own)
  if (deed === 'renew') session.renew()
}

interface End {
  readonly store: SessionStore
  readonly plain: SessionManager
  readonly id: SessionId
  readonly cookie: string
  readonly requests: readonly Request[]
  readonly dropped: ReadonlySet<string>
}

async function judge({ store, plain, id, cookie, requests, dropped }: End): Promise<void> {
  const record = await store.load(id)
  const enders = requests.filter(({ deed, opened }) => opened && isEnd(deed))
  expect(record === undefined).toBe(enders.length > 0)
  const logins = requests.filter(({ deed, opened, own }) => {
    return opened && deed === 'login' && !dropped.has(own)
  })
  const writers = requests.filter(({ deed, opened }) => opened && !isEnd(deed))
  if (enders.length === 0 && logins.length === 0) expect([...dropped]).toEqual([])
  for (const { own, session } of requests.filter(({ deed }) => deed === 'login')) {
    if (dropped.has(own)) expect(await begunBy(store, session)).toEqual([own, true])
  }
  if (record === undefined) return
  const applied = writers.filter(({ own }) => !dropped.has(own))
  const values = new Map(applied.map(({ own }) => [own, 'true'] as const))
  const sum = applied.length === 0 ? [] : ([['sum', `${applied.length}`]] as const)
  expect(new Map(record.values)).toEqual(new Map([['base', '1'], ...values, ...sum]))
  // One login is good; of two that met, the later one began a session of its own.
  expect(record.user).toBe(logins.length === 0 ? undefined : logins[0]?.own)
  expect(logins.length).toBeLessThanOrEqual(1)
  // The first cookie is good for a while after one renewal, not after two.
  const { established } = await plain.open(cookie)
  expect(established).toBe(logins.length === 0 && record.generation <= 1)
}

// A login whose session was lost begins a new one: who is in it, and whether it has what was set.
async function begunBy(store: SessionStore, { id, user }: Session): Promise<unknown> {
  const begun = await store.load(id)
  return [begun?.user, user !== undefined && begun?.values.has(user)]
}

function isEnd(deed: Deed): deed is 'logout' | 'destroy' {
  return deed === 'logout' || deed === 'destroy'
}

function cookieOf(lines: readonly (readonly [string, string])[]): string {
  return lines.find(([name]) => name === 'Set-Cookie')?.[1].split(';', 1)[0] ?? ''
}
