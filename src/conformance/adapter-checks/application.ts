import { setTimeout as sleep } from 'node:timers/promises'
import type { Session } from '../../session.ts'

/** What the sessions of the checks may hold: anything under every name. */
export interface CheckData {
  [name: string]: unknown
}

/** A session of the checks. */
export type CheckSession = Session<CheckData>

/** What the application answers; the server under test sends it in the words of its framework. */
export interface CheckAnswer {
  readonly status: number
  /** Headers to append, several of one name among them. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Text to be sent at once, chunks to be streamed as they come, or nothing. */
  readonly body: string | AsyncIterable<string> | undefined
}

type Action = (
  session: CheckSession,
  query: URLSearchParams,
  application: CheckApplication,
) => CheckAnswer | Promise<CheckAnswer>

/** The error of a handler that fails. */
export class CheckFailure extends Error {}

/**
 * The application of the checks. A server under test answers every request with what `answer` makes
 * of it, and lets what `answer` throws take the framework's way.
 */
export class CheckApplication {
  readonly #parked = new Map<string, { arrived: () => void; go: Promise<void> }>()

  /**
   * @param target - path and query of the request
   * @param session - gives the session in the way the adapter does; only called if it is needed
   */
  async answer(
    target: string,
    session: () => CheckSession | Promise<CheckSession>,
  ): Promise<CheckAnswer> {
    const { pathname, searchParams } = new URL(target, 'http://localhost')
    const name = pathname.split('/')[1] ?? ''
    if (name === 'untouched' || name === 'static') return text('untouched')
    const action = ACTIONS[name]
    if (action === undefined) return { ...text('no such path'), status: 404 }
    return action(await session(), searchParams, this)
  }

  /** Announces a request that shall wait under the key that is answered. */
  expectParked(): {
    readonly key: string
    readonly arrived: Promise<void>
    readonly go: () => void
  } {
    const key = `place-${this.#parked.size}`
    const { promise: arrived, resolve: arrive } = withResolvers()
    const { promise: go, resolve: start } = withResolvers()
    this.#parked.set(key, { arrived: arrive, go })
    return { key, arrived, go: start }
  }

  /** Waits until the check lets the request go on. */
  async park(key: string): Promise<void> {
    const place = this.#parked.get(key)
    place?.arrived()
    await place?.go
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined
  const promise = new Promise<void>((settle) => (resolve = settle))
  return { promise, resolve }
}

const ACTIONS: Readonly<Record<string, Action>> = {
  /** Everything that is in the session. */
  values: (session) => json({ values: Object.fromEntries(session), user: session.user }),
  /** Who the session began with. */
  client: (session) => json({ ...session.client }),
  set: (session, query) => {
    store(session, query)
    return text('set')
  },
  begin: (session) => {
    const first = session.set('a', 1).set('a', 2).get('a')
    session.notifications.set('hello', 'once')
    return json({ first, views: session.increment('views') })
  },
  list: (session) => {
    session.set('list', ['a'])
    return text('begun')
  },
  /** Changes a value where it is. */
  push: (session) => {
    const list = session.get('list')
    if (Array.isArray(list)) list.push('b')
    return text('pushed')
  },
  increment: (session) => json({ views: session.increment('views') }),
  notified: async (session) => json({ hello: await session.notifications.take('hello') }),
  redirect: (session, query) => {
    store(session, query)
    return { status: 302, headers: [['Location', '/values']], body: 'moved' }
  },
  login: (session, query) => {
    session.login(query.get('user') ?? 'nobody')
    return { status: 303, headers: [['Location', '/values']], body: undefined }
  },
  logout: (session) => {
    session.logout()
    return text('logged out')
  },
  destroy: (session) => {
    session.destroy()
    return text('destroyed')
  },
  renew: (session) => {
    session.renew()
    return text('renewed')
  },
  throw: (session, query) => {
    store(session, query)
    throw new CheckFailure('This handler fails, as it should.')
  },
  'login-throw': (session, query) => {
    session.login(query.get('user') ?? 'nobody')
    throw new CheckFailure('This handler fails, as it should.')
  },
  status: (session, query) => {
    const status = Number(query.get('code'))
    query.delete('code')
    store(session, query)
    const body = status === 204 || status === 304 ? undefined : 'answered'
    return { status, headers: [['ETag', '"1"']], body }
  },
  cookies: (session, query) => {
    store(session, query)
    const headers = [
      ['Set-Cookie', 'app-one=1; Path=/'],
      ['Set-Cookie', 'app-two=2; Path=/'],
      ['Cache-Control', 'public, max-age=600'],
      ['Vary', 'Accept'],
    ] as const
    return { status: 200, headers, body: 'set' }
  },
  park: async (session, query, application) => {
    const key = query.get('key') ?? ''
    query.delete('key')
    await application.park(key)
    store(session, query)
    return text('parked')
  },
  /** Sets what the query says and begins to stream; when the check says so, it sets `late`. */
  stream: (session, query, application) => {
    const wait = waiting(query, application)
    store(session, query)
    return stream(streamed(session, wait, () => session.set('late', 'yes')))
  },
  'stream-login': (session, query, application) =>
    stream(streamed(session, waiting(query, application), () => session.login('late'))),
  /** Streams until the client has gone away. */
  events: (session, query) => {
    store(session, query)
    return stream(endless(session))
  },
}

function store(session: CheckSession, query: URLSearchParams): void {
  for (const [name, value] of query) session.set(name, value)
}

function waiting(query: URLSearchParams, application: CheckApplication): () => Promise<void> {
  const key = query.get('key')
  query.delete('key')
  return () => (key === null ? sleep(20) : application.park(key))
}

async function* streamed(
  session: CheckSession,
  wait: () => Promise<void>,
  change: () => void,
): AsyncIterable<string> {
  yield `data: ${session.get('early') as string}\n\n`
  await wait()
  yield `data: ${outcomeOf(change)}\n\n`
}

async function* endless(session: CheckSession): AsyncIterable<string> {
  yield 'data: begun\n\n'
  session.set('late', 'yes')
  for (let index = 0; index < 200; index++) {
    await sleep(10)
    yield `data: ${index}\n\n`
  }
}

function outcomeOf(change: () => void): string {
  try {
    change()
    return 'changed'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'failed'
  }
}

function text(body: string): CheckAnswer {
  return { status: 200, headers: [['Content-Type', 'text/plain; charset=utf-8']], body }
}

function json(value: object): CheckAnswer {
  return {
    status: 200,
    headers: [['Content-Type', 'application/json; charset=utf-8']],
    body: JSON.stringify(value),
  }
}

function stream(body: AsyncIterable<string>): CheckAnswer {
  return { status: 200, headers: [['Content-Type', 'text/event-stream']], body }
}
