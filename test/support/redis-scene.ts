import { createClient } from 'redis'
import { afterAll, beforeAll } from 'vitest'
import { RedisStore } from '../../src/stores/redis.ts'
import { startRedis } from './redis.ts'
import type { RedisServer } from './redis.ts'

/** A server for the tests of one block, with a client and a store on it: all are there once a test begins. */
export class RedisScene {
  #server: RedisServer | undefined
  client!: ReturnType<typeof createClient>
  store!: RedisStore

  constructor() {
    beforeAll(async () => {
      this.#server = await startRedis()
      this.client = createClient({ url: this.#server.url })
      await this.client.connect()
      this.store = new RedisStore(this.client)
    })

    afterAll(async () => {
      this.client?.destroy()
      await this.#server?.stop()
    })
  }
}
