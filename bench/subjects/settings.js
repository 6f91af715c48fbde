/**
 * What every measured process has in common.
 *
 * @module
 */

import { pathToFileURL } from 'node:url'

const here = process.env.BENCH_DIST ?? new URL('../../dist', import.meta.url).pathname

/**
 * A module of the package: `adapters/node`.
 * @param {string} path
 * @param {string} [dist] where the build is, if it is not that of this repository
 */
export function load(path, dist = here) {
  return import(pathToFileURL(`${dist}/${path}.js`).href)
}

/** Where Redis is. */
export const redisUrl = process.env.BENCH_REDIS_URL

/** Where the nodes of a cluster of Redis are. */
export const redisNodes = (process.env.BENCH_REDIS_NODES ?? '').split(' ').map((url) => ({ url }))

export const memcachedAddress = process.env.BENCH_MEMCACHED
export const postgresUrl = process.env.BENCH_POSTGRES_URL

/** A folder for what an embedded engine keeps. */
export const directory = process.env.BENCH_DIRECTORY

export const secret = 'a secret of at least 32 bytes: the benchmarks are no place for a good one'
/** Seconds that a session of a peer lives; sojourn's defaults are an hour of idleness and a day in all. */
export const lifetime = 3600

/** A cookie as long as one of sojourn, so that reading the headers costs the same without sessions. */
export const bareCookie = `__Host-Http-id=${'a'.repeat(103)}`

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
