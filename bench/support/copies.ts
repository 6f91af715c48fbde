import type { Redis } from './engine.ts'

const BATCH = 20_000
const DIGITS = 12

// Each copy is a string of its own, made as a client's SET makes it.
const COPY = `
local value = redis.call('GET', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
for n = tonumber(ARGV[2]), tonumber(ARGV[3]) do
  redis.call('SET', ARGV[1] .. string.format('%0${DIGITS}d', n), value, 'PX', left)
end
`

/** Fills Redis with copies of a session: keys of the same length, the same text, the same end. */
export async function copySession(redis: Redis, key: string, count: number): Promise<void> {
  const start = key.slice(0, -DIGITS)
  for (let first = 1; first <= count; first += BATCH) {
    const last = Math.min(count, first + BATCH - 1)
    await redis.command('EVAL', COPY, '1', key, start, `${first}`, `${last}`)
  }
}

/** The longest string that is in Redis: a session, if nothing else is there. */
export async function anySession(redis: Redis): Promise<string> {
  const keys = (await redis.command('KEYS', '*')) as readonly string[]
  const sizes = await Promise.all(
    keys.map(
      async (key) => [key, Number(await redis.command('STRLEN', key).catch(() => 0))] as const,
    ),
  )
  const [found] = sizes.toSorted(([, left], [, right]) => right - left)
  if (found === undefined) throw new Error('There is no session in Redis.')
  return found[0]
}
