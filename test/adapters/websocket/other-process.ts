import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { SessionManager } from '../../../src/manager.ts'
import type { SessionId, SessionStore } from '../../../src/store.ts'
import { EmbeddedStore } from '../../../src/stores/embedded.ts'
import { RedisStore } from '../../../src/stores/redis.ts'
import { SECRET } from '../../support/stage.ts'
import { Visitor } from '../../support/visitor.ts'

/** Where the sessions are. */
export interface Place {
  readonly engine: 'redis' | 'embedded'
  /** The URL of the server, or the path of the files. */
  readonly at: string
}

/** What a process is asked to do with a session, as the client with this cookie. */
export interface Deed {
  readonly what: 'revoke' | 'logout' | 'login' | 'renew' | 'increment'
  readonly id: SessionId
  readonly cookie: string | undefined
}

/** What it has done. */
export interface Done {
  readonly cookie: string | undefined
  /** When the store had answered, in ms since the epoch. */
  readonly at: number
}

export function storeAt({ engine, at }: Place): SessionStore {
  return engine === 'redis' ? new RedisStore({ url: at }) : new EmbeddedStore({ path: at })
}

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
  else if (what === 'login') await visitor.request((session) => session.login('alice'))
  else await visitor.request((session) => session[what]())
  return { cookie: visitor.cookie, at: Date.now() }
}

async function serve(place: Place): Promise<void> {
  const sessions = new SessionManager({ secret: SECRET, store: storeAt(place) })
  await sessions.ready()
  const answer = async (deed: Deed) => process.send?.(await perform(sessions, deed))
  process.on('message', (deed: Deed) => void answer(deed))
  process.on('disconnect', () => void sessions.close())
  process.send?.('ready')
}

if (process.argv[1] === import.meta.filename) void serve(JSON.parse(process.argv[2] ?? '') as Place)
