/**
 * The parts of which a request with a session consists, one by one: nanoseconds and bytes of the heap for
 * one call.
 *
 * @module
 */

import { createHmac, hash } from 'node:crypto'
import { Bench } from 'tinybench'
import { load, sampleValues, secret } from './settings.js'
import { managed } from './names.js'

// The clock is too coarse, and too dear, for one call.
const CALLS = 100

/** @returns {Promise<Record<string, { time: number, bytes: number }>>} of each part; needs --expose-gc */
export async function measure({ milliseconds, allocating }) {
  const parts = { ...REFERENCES, ...(await partsOfCookies()), ...(await partsOfValues()) }
  const whole = await wholeRequests()
  const bench = new Bench({ time: milliseconds, warmupTime: milliseconds / 2 })
  for (const [name, part] of Object.entries(parts)) bench.add(name, () => repeated(part))
  for (const [name, part] of Object.entries(whole)) bench.add(name, () => awaited(part))
  await bench.run()
  const found = {}
  for (const [name, part] of Object.entries({ ...parts, ...whole })) {
    const { latency } = bench.getTask(name).result
    found[name] = { time: (latency.p50 * 1e6) / CALLS, bytes: await allocated(part, allocating) }
  }
  return found
}

const text200 = JSON.stringify(sampleValues(200))
const text4096 = JSON.stringify(sampleValues(4096))
const value4096 = sampleValues(4096)

/** What Node itself takes for what cannot be had for less. */
const REFERENCES = {
  'node: SHA-256 of 64 characters': () => hash('sha256', text200.slice(0, 64), 'base64url'),
  'node: HMAC-SHA256 of 64 characters': () => {
    return createHmac('sha256', secret).update(text200.slice(0, 64)).digest('base64url')
  },
  'node: JSON.parse of 200 B': () => JSON.parse(text200),
  'node: JSON.parse of 4 KB': () => JSON.parse(text4096),
  'node: JSON.stringify of 4 KB': () => JSON.stringify(value4096),
}

async function partsOfCookies() {
  const { Keyring, resolveSecrets } = await load('keyring')
  const [{ CookieSigner, TokenSource }, { readCookie }] = [
    await load('token'),
    await load('cookie'),
  ]
  const signer = new CookieSigner(new Keyring(resolveSecrets(secret, true)), '__Host-Http-sid', '')
  const tokens = new TokenSource()
  const token = tokens.next()
  const value = signer.sign(token, 3)
  const header = `theme=dark; _ga=GA1.1.1234567890.1234567890; __Host-Http-sid=${value}; lang=en`
  return {
    'cookie: read': () => readCookie(header, '__Host-Http-sid'),
    'cookie: verify': () => signer.verify(value),
    'cookie: id of the token': () => signer.idOf(token),
    'cookie: new token': () => tokens.next(),
    'cookie: sign': () => signer.sign(token, 3),
  }
}

async function partsOfValues() {
  const [{ decode, encode }, { decide }] = [await load('codec'), await load('decide')]
  const { pack, unpack } = await load('stores/redis/packed')
  const at = Date.now()
  const recordOf = (bytes) => {
    const values = Object.entries(sampleValues(bytes)).map(([name, value]) => [name, encode(value)])
    const times = { createdAt: at, expiresAt: at, deadline: at, renewedAt: at }
    return { ...times, generation: 0, fence: 0, values: new Map(values) }
  }
  const record = recordOf(4096)
  const [small, large] = [200, 4096].map((bytes) => Buffer.from(pack(recordOf(bytes))))
  const item = sampleValues(4096).item0
  const text = encode(item)
  const situation = { record: 'live', intent: 'keep', changed: true, reissue: false }
  return {
    'codec: encode a short text': () => encode('alice'),
    'codec: decode a short text': () => decode('"alice"'),
    'codec: encode an object of 200 B': () => encode(item),
    'codec: decode an object of 200 B': () => decode(text),
    'record: unpack 200 B': () => unpack(small),
    'record: unpack 4 KB': () => unpack(large),
    'record: pack 4 KB': () => pack(record),
    decide: () => decide(situation),
  }
}

/** A request from its cookie to its header lines, with an engine that takes no time. */
async function wholeRequests() {
  const { manager, begin } = await managed('memory')
  const cookie = await begin((session) => {
    for (const [name, value] of Object.entries(sampleValues(200))) session.set(name, value)
  })
  let views = 0
  return {
    'request: reads': async () => {
      const session = await manager.open(cookie)
      session.get('login')
      return manager.commitNow(session)
    },
    'request: writes': async () => {
      const session = await manager.open(cookie)
      session.set('views', ++views)
      return manager.commitNow(session)
    },
    'request: no cookie': async () => manager.commitNow(await manager.open(undefined)),
  }
}

function repeated(part) {
  for (let call = 0; call < CALLS; call++) part()
}

async function awaited(part) {
  for (let call = 0; call < CALLS; call++) await part()
}

/** Nothing is collected in between: the process is started with a young generation that is large enough. */
async function allocated(part, calls) {
  globalThis.gc()
  const before = process.memoryUsage().heapUsed
  for (let call = 0; call < calls; call++) {
    const result = part()
    if (result instanceof Promise) await result
  }
  return Math.max(0, (process.memoryUsage().heapUsed - before) / calls)
}
