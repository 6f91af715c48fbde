import { SessionManager } from '../../manager.ts'
import type { SessionOptions } from '../../options.ts'
import { MemoryStore } from '../../stores/memory.ts'
import type { Check } from '../check.ts'
import type { Harness } from '../run.ts'
import { CheckApplication } from './application.ts'
import type { CheckData } from './application.ts'
import { CheckClient } from './client.ts'
import type { Protocol } from './client.ts'
import { TroubledStore } from './store.ts'

/** A check of an adapter. Its `run` is given an {@link AdapterHarness}. */
export interface AdapterCheck extends Check<
  `H${number}${string}` | `G${number}`,
  never,
  AdapterHarness
> {
  /** True if it needs the store for itself: it counts calls, or stops the store. */
  readonly alone?: true
}

/** What a server under test is started with. */
export interface ServeOptions {
  readonly manager: SessionManager<CheckData>
  readonly application: CheckApplication
  readonly protocol: Protocol
  /** The option `lazy` of the adapter; then sessions are given by `getSession`. */
  readonly lazy: boolean
  /** True if one proxy is in front that is to be believed: the server says so in its framework's way. */
  readonly proxied: boolean
}

/** A server that was started. */
export interface CheckServer {
  readonly port: number
  close(): Promise<void>
}

/** An adapter to check. */
export interface AdapterKitOptions {
  /**
   * Starts a server on 127.0.0.1 whose every route answers `application.answer(target, session)`. The
   * adapter's `skip` is true for paths below `/static/`.
   */
  readonly serve: (options: ServeOptions) => Promise<CheckServer>
  /** @default 'http/1.1' */
  readonly protocol?: Protocol
  /**
   * ms that every call of the store takes.
   * @default 0
   */
  readonly delay?: number
}

const SECRET = 'a secret for checks of adapters, only'

/** What the checks work with: servers in the framework, and clients that talk to them. */
export class AdapterHarness implements Harness<AdapterCheck> {
  readonly timeout = 30_000
  readonly delay: number
  readonly store: TroubledStore
  readonly application: CheckApplication = new CheckApplication()
  readonly manager: SessionManager<CheckData>
  readonly #options: AdapterKitOptions
  readonly #servers: CheckServer[] = []
  readonly #clients: CheckClient[] = []
  #port = 0

  private constructor(options: AdapterKitOptions) {
    this.#options = options
    this.delay = options.delay ?? 0
    this.store = new TroubledStore(new MemoryStore(), this.delay)
    this.manager = this.newManager()
  }

  static async open(options: AdapterKitOptions): Promise<AdapterHarness> {
    const harness = new AdapterHarness(options)
    harness.#port = await harness.serve(harness.manager)
    return harness
  }

  lacks(): undefined {}

  /** Another manager over the same store. */
  newManager(options: SessionOptions = {}): SessionManager<CheckData> {
    return new SessionManager({ secret: SECRET, store: this.store, ...options })
  }

  /** One more server; answers its port. */
  async serve(
    manager: ServeOptions['manager'],
    { lazy = false, proxied = false }: Partial<Pick<ServeOptions, 'lazy' | 'proxied'>> = {},
  ): Promise<number> {
    const { application } = this
    const protocol = this.#options.protocol ?? 'http/1.1'
    const server = await this.#options.serve({ manager, application, protocol, lazy, proxied })
    this.#servers.push(server)
    return server.port
  }

  /** A client with an empty jar. */
  client(port: number = this.#port): CheckClient {
    const client = new CheckClient(port, this.#options.protocol ?? 'http/1.1')
    this.#clients.push(client)
    return client
  }

  /** A client whose session holds these values. */
  async visitor(values: Readonly<Record<string, string>> = { here: 'yes' }): Promise<CheckClient> {
    const client = this.client()
    await (await client.send(`/set?${new URLSearchParams(values).toString()}`)).text()
    return client
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close()
    await Promise.all(this.#servers.map((server) => server.close()))
    await this.store.close()
  }
}
