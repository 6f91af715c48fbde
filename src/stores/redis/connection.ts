import type * as Redis from 'redis'
import { Deadlines } from '../../deadline.ts'
import { SessionError } from '../../errors.ts'
import { commandsOf } from './client.ts'
import type { RedisCommands } from './client.ts'
import type { Link } from './link.ts'
import type { RedisAddress } from './settings.ts'
import { TRACKED } from './tracked-client.ts'
import type { TrackedClient } from './tracked-client.ts'

/** What is used of node-redis. */
interface Client {
  connect(): Promise<unknown>
  sendCommand(args: string[]): Promise<unknown>
  withCommandOptions(options: object): unknown
  close(): Promise<unknown>
  destroy(): void
  on(event: 'error', listener: (error: unknown) => void): unknown
}

// After a failure everybody fails at once for that many ms, instead of knocking again.
const REST = 100

/**
 * The connection of a store that was given an address: one, opened by the first command, opened again
 * by the first command after it was lost. While Redis cannot be reached, commands fail at once, and
 * nothing is queued, sent again or tried in the background.
 */
export class Connection implements Link {
  readonly where: string
  readonly prepared: Promise<unknown>
  readonly #address: RedisAddress
  readonly #deadline: number
  readonly #deadlines: Deadlines
  #client: Client | undefined
  #commands: RedisCommands | undefined
  #opening: Promise<RedisCommands> | undefined
  #failure: { readonly error: unknown; readonly until: number } | undefined
  #answers = 0
  #answersAtTimeout = -1
  #closed = false

  /** @param deadline - ms that opening a connection, and closing it, may take */
  constructor(address: RedisAddress, deadline: number) {
    this.prepared = load()
    this.prepared.catch(() => undefined)
    this.where = `Redis at ${address.host}:${address.port}`
    this.#address = address
    this.#deadline = deadline
    this.#deadlines = new Deadlines(deadline, this.where)
  }

  /** Sends one command, connecting first if need be. */
  send(key: string, args: string[]): Promise<unknown> {
    return (
      this.#commands?.send(key, args) ?? this.#opened().then((commands) => commands.send(key, args))
    )
  }

  read(key: string): Promise<unknown> {
    return this.#commands?.read(key) ?? this.#opened().then((commands) => commands.read(key))
  }

  replicas(key: string, ms: number): Promise<unknown> {
    return (
      this.#commands?.replicas(key, ms) ??
      this.#opened().then((commands) => commands.replicas(key, ms))
    )
  }

  answered(): void {
    this.#answers++
  }

  // With no answer since the last one that failed to come, the connection is dead: what waits fails,
  // and the next command connects anew.
  unanswered(): void {
    if (this.#answers === this.#answersAtTimeout) this.#drop()
    this.#answersAtTimeout = this.#answers
  }

  /** Answers that are due still come, for as long as a call may take. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#opening?.catch(() => undefined)
    const client = this.#forget()
    if (client === undefined) return
    await this.#deadlines.limit('close', client.close()).catch(() => client.destroy())
  }

  checkTrackable(): void {
    // It always can.
  }

  trackedClient(): Promise<TrackedClient> {
    return createClient(this.#address, this.#deadline, TRACKED)
  }

  #opened(): Promise<RedisCommands> {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #open(): Promise<RedisCommands> {
    if (this.#failure !== undefined && performance.now() < this.#failure.until)
      throw this.#failure.error
    try {
      this.#failure = undefined
      const client = await this.#connect()
      const commands = commandsOf(client, this.#deadline)
      if (this.#closed) client.destroy()
      else [this.#client, this.#commands] = [client, commands]
      return commands
    } catch (error) {
      this.#failure = { error, until: performance.now() + REST }
      throw error
    }
  }

  async #connect(): Promise<Client> {
    const client = await createClient(this.#address, this.#deadline)
    // An 'error' without a listener would end the process.
    client.on('error', () => this.#lost(client))
    try {
      await this.#deadlines.limit('connect', client.connect())
      return client
    } catch (error) {
      client.destroy()
      throw error
    }
  }

  #lost(client: Client): void {
    if (this.#client === client) this.#drop()
  }

  #drop(): void {
    this.#forget()?.destroy()
  }

  #forget(): Client | undefined {
    const client = this.#client
    this.#client = undefined
    this.#commands = undefined
    return client
  }
}

async function createClient(
  address: RedisAddress,
  deadline: number,
  options: Partial<typeof TRACKED> = {},
): Promise<Client & TrackedClient> {
  const redis = await load()
  const { host, port, username, password, db, tls } = address
  const where = { host, port, connectTimeout: deadline, reconnectStrategy: false } as const
  return redis.createClient({
    socket: tls === undefined ? where : { servername: host, ...tls, ...where, tls: true },
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    database: db,
    disableOfflineQueue: true,
    commandOptions: { timeout: 0 },
    maintNotifications: 'disabled',
    ...options,
  })
}

async function load(): Promise<typeof Redis> {
  try {
    return await import('redis')
  } catch (cause) {
    throw new SessionError(
      'ERR_SESSION_OPTION',
      'RedisStore needs the client library to connect by itself. Run: npm install redis. Or give it a connected client.',
      { cause },
    )
  }
}
