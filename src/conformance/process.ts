import { type ChildProcess, fork } from 'node:child_process'
import { SessionError, type SessionErrorCode } from '../errors.ts'
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
import type { Answer, Call, Delivery, Hello, Verb } from './worker.ts'

const START_LIMIT = 30_000

type Listener = (event: StoreEvent) => void | Promise<void>

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** How a process of the kit is started. */
export interface ProcessOptions {
  /** A module that exports a function `store`. */
  readonly worker: URL
  readonly execArgv?: readonly string[] | undefined
  readonly env?: Readonly<Record<string, string>> | undefined
  /** ms by which the clock of the process is wrong. */
  readonly skew?: number
}

/** Another process with a store of its own, driven by messages. */
export class StoreProcess {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  readonly #listeners = new Map<number, Listener>()
  #outbox: Call[] = []
  #calls = 0

  private constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (messages: readonly (Answer | Delivery)[]) => {
      for (const message of messages) {
        if ('delivery' in message) void this.#deliver(message)
        else this.#settle(message)
      }
    })
    child.on('exit', (code, signal) =>
      this.#failAll(new Error(`the process of the kit ended (${signal ?? code})`)),
    )
    child.on('error', (error) => this.#failAll(error))
  }

  /** Starts a process and resolves with its store once that is ready. */
  static async start(options: ProcessOptions): Promise<RemoteStore> {
    const script = new URL(
      `./worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`,
      import.meta.url,
    )
    const child = fork(script, [options.worker.href, String(options.skew ?? 0)], {
      serialization: 'advanced',
      execArgv: [...(options.execArgv ?? process.execArgv)],
      env: { ...process.env, ...options.env },
    })
    const capabilities = await greeted(child)
    return new RemoteStore(new StoreProcess(child), capabilities)
  }

  /** Calls a verb of the store over there. Calls of one moment arrive there at one moment. */
  call(verb: Verb, ...args: readonly unknown[]): Promise<unknown> {
    if (!this.#child.connected) return Promise.reject(hasEnded())
    const call = ++this.#calls
    if (this.#outbox.length === 0) queueMicrotask(() => this.#send())
    this.#outbox.push({ call, verb, args })
    return new Promise((resolve, reject) => {
      this.#waiting.set(call, { resolve, reject })
    })
  }

  /** Calls a verb that listens over there; what the listener here throws is thrown there. */
  async listen(
    verb: 'watch' | 'consume',
    listener: Listener,
    ...args: readonly unknown[]
  ): Promise<StopListening> {
    const number = this.#calls + 1
    this.#listeners.set(number, listener)
    await this.call(verb, ...args)
    return async () => {
      await this.call('stop', number)
      this.#listeners.delete(number)
    }
  }

  /** Ends the process without warning, as a crash would. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await ended
  }

  #send(): void {
    const calls = this.#outbox
    this.#outbox = []
    // A process that has just ended cannot be sent to; answers of it may still be on their way.
    this.#child.send(calls, (error) => {
      if (error !== null) for (const { call } of calls) this.#fail(call, hasEnded(error))
    })
  }

  async #deliver({ listener, delivery, event }: Delivery): Promise<void> {
    const handled = async (): Promise<void> => this.#listeners.get(listener)?.(event)
    const failed = await handled().then(
      () => false,
      () => true,
    )
    // If the process has ended, nobody waits over there.
    await this.call('handled', delivery, failed).catch(() => undefined)
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.call)
    this.#waiting.delete(answer.call)
    if (answer.error === undefined) waiting?.resolve(answer.value)
    else waiting?.reject(errorOf(answer.error))
  }

  #fail(call: number, error: Error): void {
    this.#waiting.get(call)?.reject(error)
    this.#waiting.delete(call)
  }

  #failAll(error: Error): void {
    for (const call of this.#waiting.keys()) this.#fail(call, error)
  }
}

/** A store in another process. */
export class RemoteStore implements SessionStore {
  readonly capabilities: StoreCapabilities
  readonly #process: StoreProcess

  constructor(owner: StoreProcess, capabilities: StoreCapabilities) {
    this.#process = owner
    this.capabilities = capabilities
  }

  load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    return this.#call('load', id, touch)
  }

  create(id: SessionId, record: SessionRecord): Promise<boolean> {
    return this.#call('create', id, record)
  }

  commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    return this.#call('commit', id, change)
  }

  destroy(id: SessionId): Promise<boolean> {
    return this.#call('destroy', id)
  }

  swap(
    id: SessionId,
    name: string,
    before: string | undefined,
    after: string | undefined,
    generation?: number,
  ): Promise<boolean | 'gone' | 'stale'> {
    return this.#call('swap', id, name, before, after, generation)
  }

  take(id: SessionId, name: string, generation?: number): Promise<string | undefined> {
    return this.#call('take', id, name, generation)
  }

  sessionsOf(user: string): Promise<readonly SessionId[]> {
    return this.#call('sessionsOf', user)
  }

  list(cursor?: string): Promise<SessionPage> {
    return this.#call('list', cursor)
  }

  deleteExpired(limit: number): Promise<number> {
    return this.#call('deleteExpired', limit)
  }

  watch(listener: (event: StoreEvent) => void): Promise<StopListening> {
    return this.#process.listen('watch', listener)
  }

  consume(group: string, handler: Listener): Promise<StopListening> {
    return this.#process.listen('consume', handler, group)
  }

  tell(event: StoreEvent): Promise<void> {
    return this.#call('tell', event)
  }

  /** Closes the store over there and ends its process. */
  async close(): Promise<void> {
    await this.#process.call('close').catch(() => undefined)
    await this.#process.kill()
  }

  /** Ends the process without warning, as a crash would. */
  kill(): Promise<void> {
    return this.#process.kill()
  }

  #call<T>(verb: Verb, ...args: readonly unknown[]): Promise<T> {
    return this.#process.call(verb, ...args) as Promise<T>
  }
}

function greeted(child: ChildProcess): Promise<StoreCapabilities> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`the process of the kit was not ready within ${START_LIMIT} ms`))
    }, START_LIMIT)
    child.once('exit', (code) => {
      clearTimeout(timer)
      reject(
        new Error(
          `the process of the kit ended with ${code} before its store was open. See its output above.`,
        ),
      )
    })
    child.once('message', (hello: Hello) => {
      clearTimeout(timer)
      resolve(hello.capabilities)
    })
  })
}

function hasEnded(cause?: Error): Error {
  return new Error('the process of the kit has ended', { cause })
}

function errorOf(error: NonNullable<Answer['error']>): Error {
  if (error.code === undefined) return new Error(`${error.name}: ${error.message}`)
  return new SessionError(error.code as SessionErrorCode, error.message)
}
