/** What every measured server has in common. */

/** Where Redis is. */
export const redisUrl = process.env.BENCH_REDIS_URL

/** A folder for what an embedded engine keeps. */
export const directory = process.env.BENCH_DIRECTORY

export const secret = 'a secret of at least 32 bytes: the benchmarks are no place for a good one'
export const day = 86_400_000

let views = 0

/** A number that no request before has written. */
export function nextView() {
  return ++views
}

/** The path of a request for a new session: `/begin/4096`. */
const BEGIN = /^\/begin\/(\d+)$/

/**
 * What a request is to do.
 * @param {string} path
 */
export function workOf(path) {
  if (path === '/read' || path === '/write') return { kind: path.slice(1) }
  const [, bytes = ''] = BEGIN.exec(path) ?? []
  return bytes === '' ? { kind: 'nothing' } : { kind: 'begin', bytes: Number(bytes) }
}

/**
 * The values of a session whose JSON has about that many bytes: `login` is what requests read, `views`
 * what they write; the others are small objects, 5 names in all below 1 KB and 20 from there on.
 * @param {number} bytes
 * @returns {Record<string, unknown>}
 */
export function sampleValues(bytes) {
  const values = { login: 'alice', views: 0 }
  const others = bytes < 1024 ? 3 : 18
  const each = Math.floor((bytes - JSON.stringify(values).length) / others)
  for (let number = 0; number < others; number++) {
    values[`item${number}`] = sampleItem(number, each - 11)
  }
  return values
}

function sampleItem(number, bytes) {
  const item = { id: 1000 + number, title: '' }
  item.title = 'lorem ipsum dolor sit '.repeat(4000).slice(0, bytes - JSON.stringify(item).length)
  return item
}
