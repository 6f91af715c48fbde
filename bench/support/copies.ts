import { Keys, TAGS } from '../../src/stores/redis/keys.ts'
import type { Redis } from './engine.ts'

const BATCH = 20_000
const DIGITS = 12
const ID_IN_KEY = 32
const ID_BEYOND = 'x'.repeat(11)
const BUCKETS = TAGS.length

// Each copy is a string of its own, made as a client's SET makes it.
const COPY = `
local value, left = redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])
for n = tonumber(ARGV[2]), tonumber(ARGV[3]) do
  redis.call('SET', ARGV[1] .. string.format('%0${DIGITS}d', n), value, 'PX', left)
end
`

// A session of sojourn is noted in the registry of its bucket, too.
const COPY_WITH_REGISTRY = `
local value, left = redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])
local ends = redis.call('TIME')[1] * 1000 + left
for n = tonumber(ARGV[1]), tonumber(ARGV[2]) do
  local bucket, id = 2 * (n % ${BUCKETS}) + 3, string.format('%0${ID_IN_KEY}d', n)
  redis.call('SET', ARGV[bucket] .. id, value, 'PX', left)
  redis.call('ZADD', ARGV[bucket + 1], string.format('%.0f', ends), id .. '${ID_BEYOND}')
end
`

/** The numbers of the first and the last copy. */
interface Range {
  readonly from: number
  readonly to: number
}

/** Fills Redis with copies of a session: keys of the same length, the same text, the same end. */
export async function copySession(redis: Redis, key: string, range: Range): Promise<void> {
  const isNoted = Number(await redis.command('EXISTS', ...registries())) > 0
  for (let first = range.from; first <= range.to; first += BATCH) {
    const [from, to] = [`${first}`, `${Math.min(range.to, first + BATCH - 1)}`]
    if (isNoted) await redis.command('EVAL', COPY_WITH_REGISTRY, '1', key, from, to, ...buckets())
    else await redis.command('EVAL', COPY, '1', key, key.slice(0, -DIGITS), from, to)
  }
}

function registries(): string[] {
  return new Keys('sojourn:').buckets.map(({ registry }) => registry)
}

/** With what the keys of each bucket begin, and where its registry is. */
function buckets(): string[] {
  return new Keys('sojourn:').buckets.flatMap(({ registry }, place) => [
    `sojourn:{${TAGS[place]}}`,
    registry,
  ])
}

/** The longest string that is in Redis: a session, if nothing else is there. */
export async function anySession(redis: Redis): Promise<string> {
  const keys = (await redis.command('KEYS', '*')) as readonly string[]
  const sizes = await Promise.all(
    keys.map(async (key) => [key, await lengthOf(redis, key)] as const),
  )
  const [found] = sizes.toSorted(([, left], [, right]) => right - left)
  if (found === undefined) throw new Error('There is no session in Redis.')
  return found[0]
}

/** 0 for what is no string. */
async function lengthOf(redis: Redis, key: string): Promise<number> {
  if ((await redis.command('TYPE', key)) !== 'string') return 0
  return Number(await redis.command('STRLEN', key))
}
