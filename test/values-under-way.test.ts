import { describe, expect, test } from 'vitest'
import { SessionManager } from '../src/manager.ts'
import type { Session } from '../src/session.ts'
import { MemoryStore } from '../src/stores/memory.ts'

const SECRET = 'a secret for this test, 32 bytes and more'

interface Data {
  [name: string]: unknown
}

/** Commits what `first` does, and does `second` while the store has not answered; then commits that. */
async function during(
  first: (session: Session<Data>) => void,
  second: (session: Session<Data>) => void,
): Promise<{ seen: unknown; stored: unknown }> {
  const manager = new SessionManager<Data>({ secret: SECRET, store: new MemoryStore() })
  const begun = await manager.open(undefined)
  begun.set('here', 'yes').set('n', 1)
  const [[, line] = ['', '']] = await manager.commit(begun)
  const session = await manager.open(line.split(';')[0])
  first(session)
  const committing = manager.commit(session)
  second(session)
  await committing
  await manager.commit(session)
  const again = await manager.open(line.split(';')[0])
  return { seen: Object.fromEntries(session), stored: Object.fromEntries(again) }
}

describe('what is done while a commit is under way', () => {
  test.each<[string, (session: Session<Data>) => void, (session: Session<Data>) => void, object]>([
    ['set', (s) => s.set('a', 1), (s) => s.set('b', 2), { here: 'yes', n: 1, a: 1, b: 2 }],
    ['set again', (s) => s.set('a', 1), (s) => s.set('a', 2), { here: 'yes', n: 1, a: 2 }],
    ['delete', (s) => s.set('a', 1), (s) => s.delete('a', 'here'), { n: 1 }],
    [
      'set what is being deleted',
      (s) => s.delete('here'),
      (s) => s.set('here', 1),
      { n: 1, here: 1 },
    ],
    ['increment', (s) => s.increment('n'), (s) => s.increment('n', 5), { here: 'yes', n: 7 }],
    [
      'set over an increment',
      (s) => s.increment('n'),
      (s) => s.set('n', 50),
      { here: 'yes', n: 50 },
    ],
    ['clear', (s) => s.set('a', 1), (s) => s.clear(), {}],
    ['clear again', (s) => (s.clear(), s.set('a', 1)), (s) => s.clear(), {}],
    [
      'increment after a clear',
      (s) => s.increment('n'),
      (s) => (s.clear(), s.increment('n')),
      { n: 1 },
    ],
    ['set after a clear', (s) => s.clear(), (s) => s.set('a', 1), { a: 1 }],
    [
      'change in place',
      (s) => s.set('l', [1]),
      (s) => (s.get('l') as number[]).push(2),
      { here: 'yes', n: 1, l: [1, 2] },
    ],
  ])('is stored by the next one: %s', async (_title, first, second, wanted) => {
    expect(await during(first, second)).toEqual({ seen: wanted, stored: wanted })
  })
})

describe('a session that is sealed while its first commit is under way', () => {
  const begin = async () => {
    const manager = new SessionManager<Data>({ secret: SECRET, store: new MemoryStore() })
    const session = await manager.open(undefined)
    session.set('a', 1)
    const committing = manager.commit(session)
    manager.seal(session)
    const again = async () => {
      const [[, line] = ['', '']] = await committing
      return manager.open(line.split(';')[0])
    }
    return { manager, session, committing, again }
  }

  test('still gets its cookie, and may be written to', async () => {
    const { manager, session, committing, again } = await begin()
    session.set('b', 2)
    expect((await committing)[0]?.[0]).toBe('Set-Cookie')
    await manager.commit(session)
    expect(Object.fromEntries(await again())).toEqual({ a: 1, b: 2 })
  })

  test('cannot be logged in any more', async () => {
    const { session, committing } = await begin()
    expect(() => session.login('ann')).toThrow(/headers/)
    await committing
    expect(() => session.login('ann')).toThrow(/headers/)
  })

  test('can be ended', async () => {
    const { manager, session, committing, again } = await begin()
    session.destroy()
    await committing
    await manager.commit(session)
    expect((await again()).established).toBe(false)
  })
})
