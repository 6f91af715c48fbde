import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import Database from 'libsql'
import { Pool } from 'pg'
import { SessionManager } from '../../../src/manager.ts'
import type { SessionId, SessionStore, StoreEvent } from '../../../src/store.ts'
import { EmbeddedStore } from '../../../src/stores/embedded.ts'
import { PostgresStore } from '../../../src/stores/postgres.ts'
import { RedisStore } from '../../../src/stores/redis.ts'
import { SqliteStore } from '../../../src/stores/sqlite.ts'
import { SECRET } from '../../support/stage.ts'
import { Visitor } from '../../support/visitor.ts'

/** Where the sessions are. */
export interface Place {
  readonly engine: 'redis' | 'embedded' | 'embedded with a log' | 'sqlite' | 'postgres'
  /** The URL of the server, or the path of the files. */
  readonly at: string
}

/** What a process is asked to do with a session, as the client with this cookie. */
export interface Deed {
  readonly what: 'revoke' | 'logout' | 'login' | 'renew' | 'increment' | 'consume' | 'handled'
  readonly id: SessionId
  readonly cookie: string | undefined
}

/** What it has done. */
export interface Done {
  readonly cookie: string | undefined
  /** When the store had answered, in ms since the epoch. */
  readonly at: number
  /** What its consumer has been handed so far. */
  readonly handled: readonly StoreEvent[]
}

export function storeAt({ engine, at }: Place): SessionStore {
  switch (engine) {
    case 'redis':
      return new RedisStore({ url: at })
    case 'sqlite':
      return new SqliteStore(new Database(at))
    case 'postgres':
      return new PostgresStore(new Pool({ connectionString: at, max: 4 }))
    case 'embedded':
    case 'embedded with a log':
      return new EmbeddedStore({ path: at, events: engine === 'embedded with a log' })
  }
}

/** What the consumer of this process was handed. */
const handled: StoreEvent[] = []

/** Another process with a manager of its own over the same sessions. */
export class OtherProcess {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async start(place: Place): Promise<OtherProcess> {
    const child = fork(new URL(import.meta.url), [JSON.stringify(place)], {
      execArgv: ['--import', 'tsx'],
    })
    await once(child, 'message')
    return new OtherProcess(child)
  }

  async do(deed: Deed): Promise<Done> {
    const answer = once(this.#child, 'message')
    this.#child.send(deed)
    const [done] = (await answer) as [Done]
    return done
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.disconnect()
    await ended
  }
}

async function perform(sessions: SessionManager, { what, id, cookie }: Deed): Promise<Done> {
  const visitor = new Visitor(sessions, cookie)
  if (what === 'revoke') await sessions.revoke(id)
  else if (what === 'increment') await visitor.request((session) => session.increment('views'))
  else if (what === 'consume') await sessions.consume('mail', (event) => void handled.push(event))
  else if (what === 'login') await visitor.request((session) => session.login('alice'))
  else if (what !== 'handled') await visitor.request((session) => session[what]())
  return { cookie: visitor.cookie, at: Date.now(), handled }
}

async function serve(place: Place): Promise<void> {
  const sessions = new SessionManager({ secret: SECRET, store: storeAt(place) })
  await sessions.ready()
  const answer = async (deed: Deed) => process.send?.(await perform(sessions, deed))
  process.on('message', (deed: Deed) => void answer(deed))
  // A client of ours would keep the process alive.
  process.on('disconnect', () => void sessions.close().finally(() => process.exit()))
  process.send?.('ready')
}

if (process.argv[1] === import.meta.filename) void serve(JSON.parse(process.argv[2] ?? '') as Place)
