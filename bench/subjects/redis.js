import { createClient, createCluster } from 'redis'
import { redisNodes, redisUrl } from './settings.js'

const WITHOUT_TIMERS = { commandOptions: { timeout: 0 } }

/** A client of node-redis without its timer for each command: the fastest settings there are. */
export function fastClient() {
  return connect(createClient({ url: redisUrl, ...WITHOUT_TIMERS }))
}

/** A client of node-redis as it is by default. */
export function defaultClient() {
  return connect(createClient({ url: redisUrl }))
}

/** A client of the cluster. */
export function clusterClient() {
  return connect(createCluster({ rootNodes: redisNodes, defaults: WITHOUT_TIMERS }))
}

/**
 * What libraries that bring no store for Redis of their own are given: one GET, one SET with a time to
 * live, the text as JSON.
 */
export async function jsonStore(seconds) {
  const client = await defaultClient()
  return {
    get: async (key) => {
      const text = await client.get(key)
      return text === null ? undefined : JSON.parse(text)
    },
    set: (key, value) => client.set(key, JSON.stringify(value), { EX: seconds }),
    remove: (key) => client.del(key),
  }
}

/**
 * Bytes that Redis receives for each of some runs.
 * @param {(n: number) => Promise<unknown>} run
 */
export async function redisInput(run, times) {
  const client = await defaultClient()
  const received = async () => Number(/net_input_bytes:(\d+)/.exec(await client.info('stats'))[1])
  // To ask is counted too.
  const [first, second] = [await received(), await received()]
  for (let n = 0; n < times; n++) await run(n)
  const asking = second - first
  const sent = (await received()) - second - asking
  await client.close()
  return sent / times
}

async function connect(client) {
  client.on('error', fail)
  await client.connect()
  return client
}

function fail(error) {
  throw error
}
