import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureBuilt } from './build.js'
import { root, runScript, say } from './tools.js'

/**
 * @typedef {import('../src/store.ts').StoreCapabilities} Capabilities
 * @typedef {(name: string) => Promise<Record<string, new (...args: any[]) => { capabilities: Capabilities }>>} Load
 *
 * A row of the table. What an engine promises only with an option is named as `more`.
 * @typedef {object} Engine
 * @property {string} call how a store is made
 * @property {string} needs what has to be installed
 * @property {(load: Load) => Promise<Capabilities[]>} promises without any option; and with `more`
 * @property {string} [more]
 */

/** Capabilities are there before a connection is. */
const NOWHERE = 'redis://127.0.0.1:1'

/** @type {Record<string, Engine>} */
const ENGINES = {
  embedded: {
    call: '`new EmbeddedStore({ path })`, the default',
    needs: 'nothing',
    more: '`events: true`',
    promises: (load) => each(load, 'embedded', 'EmbeddedStore', [[{}], [{ events: true }]]),
  },
  memory: {
    call: '`new MemoryStore()`',
    needs: 'nothing',
    promises: (load) => each(load, 'memory', 'MemoryStore', [[]]),
  },
  sqlite: {
    call: '`new SqliteStore(database)` or `(path)`',
    needs: 'Node 22.13, better-sqlite3 or libsql',
    promises: sqlite,
  },
  redis: {
    call: '`new RedisStore(client)` or `({ url })`',
    needs: 'node-redis, ioredis, iovalkey or GLIDE',
    promises: (load) => each(load, 'redis', 'RedisStore', [[{ url: NOWHERE }]]),
  },
  postgres: {
    call: '`new PostgresStore(pool)`',
    needs: 'pg or postgres',
    promises: (load) => each(load, 'postgres', 'PostgresStore', [[{ query: () => undefined }]]),
  },
  memcached: {
    call: '`new MemcachedStore({ servers })`',
    needs: 'nothing',
    promises: (load) => each(load, 'memcached', 'MemcachedStore', [[{ servers: ['127.0.0.1:1'] }]]),
  },
}

/**
 * A store that keeps nothing itself.
 * @typedef {object} Wrapper
 * @property {string} call
 * @property {string} needs
 * @property {[name: string, store: string, args: readonly unknown[]]} inner
 * @property {{ class: string, args: readonly unknown[] }} wrap
 */

/** @type {Record<string, Wrapper>} */
const WRAPPERS = {
  encrypted: {
    call: '`new EncryptedStore(store, { keys })`',
    needs: 'a store',
    inner: ['memory', 'MemoryStore', []],
    wrap: { class: 'EncryptedStore', args: [{ keys: 'a key for a table, which opens nothing' }] },
  },
  cached: {
    call: '`new CachedStore(redisStore)`',
    needs: 'a `RedisStore`',
    inner: ['redis', 'RedisStore', [{ url: NOWHERE }]],
    wrap: { class: 'CachedStore', args: [] },
  },
}

const SHARED = { process: 'one process', machine: 'one machine', network: 'all machines' }
const DURABLE = {
  no: 'nothing',
  process: 'a crash of the process',
  engine: 'as the engine is set up',
}

/**
 * What a capability means for whoever chooses an engine.
 * @type {readonly (readonly [string, (capabilities: Capabilities) => string])[]}
 */
const COLUMNS = [
  ['shared by', ({ shared }) => SHARED[shared]],
  ['a write survives', ({ durable }) => DURABLE[durable]],
  ['by user', ({ userIndex }) => mark(userIndex)],
  ['`maxPerUser`', ({ userCap }) => mark(userCap === true)],
  ['`list`', ({ list }) => mark(list)],
  ['`watch`', ({ events = 'none' }) => mark(events !== 'none')],
  ['`consume`', ({ events }) => mark(events === 'log')],
]

/**
 * The table of the README: what each engine promises, as its own capabilities have it. No server is asked.
 * @param {Load} load imports a store by its name
 */
export async function enginesTable(load) {
  const names = COLUMNS.map(([name]) => name)
  const head = ['import', 'store', ...names, 'needs']
  const rows = Object.entries(ENGINES).map(([name, engine]) => rowOf(name, engine, load))
  const wrappers = Object.entries(WRAPPERS).map(([name, each]) => wrapperRowOf(name, each, load))
  const all = [head, head.map(() => '---'), ...(await Promise.all([...rows, ...wrappers]))]
  return all.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/**
 * A text with another table between its marks.
 * @param {string} readme
 * @param {string} table
 */
export function withTable(readme, table) {
  return readme.replace(/(<!-- engines -->\n)[^]*?(\n<!-- \/engines -->)/, `$1${table}$2`)
}

/**
 * @param {string} name
 * @param {Engine} engine
 * @param {Load} load
 */
async function rowOf(name, { call, needs, more, promises }, load) {
  const [plain, fuller] = await promises(load)
  const cells = COLUMNS.map(([, cell]) => {
    const usual = plain === undefined ? '' : cell(plain)
    const most = fuller === undefined ? usual : cell(fuller)
    return usual === most ? usual : `with ${more}`
  })
  return [`\`sojourn/${name}\``, call, ...cells, needs]
}

/**
 * A store that wraps another one promises what that one promises, unless it says otherwise.
 * @param {string} name
 * @param {Wrapper} wrapper
 * @param {Load} load
 */
async function wrapperRowOf(name, { call, needs, inner, wrap }, load) {
  const stored = await made(load, ...inner)
  const wrapped = await made(load, name, wrap.class, [stored, ...wrap.args])
  const cells = COLUMNS.map(([, cell]) => {
    const [here, there] = [cell(wrapped.capabilities), cell(stored.capabilities)]
    return here === there ? '' : here
  })
  if (cells[0] === '') cells[0] = 'as the store in it'
  return [`\`sojourn/${name}\``, call, ...cells, needs]
}

/**
 * The capabilities of a store for each list of arguments.
 * @param {Load} load
 * @param {string} name
 * @param {string} Store
 * @param {unknown[][]} calls
 */
async function each(load, name, Store, calls) {
  return Promise.all(calls.map(async (args) => (await made(load, name, Store, args)).capabilities))
}

/**
 * @param {Load} load
 * @param {string} name
 * @param {string} Store
 * @param {readonly unknown[]} args
 */
async function made(load, name, Store, args) {
  const Made = (await load(name))[Store]
  if (Made === undefined) throw new TypeError(`${name} has no ${Store}.`)
  return new Made(...args)
}

/**
 * A file, since what a database in memory promises is less.
 * @param {Load} load
 */
async function sqlite(load) {
  const folder = mkdtempSync(join(tmpdir(), 'sojourn-table-'))
  const Database = createRequire(import.meta.url)('libsql')
  const database = new Database(join(folder, 'sessions.db'))
  try {
    return await each(load, 'sqlite', 'SqliteStore', [[database]])
  } finally {
    database.close()
    rmSync(folder, { recursive: true })
  }
}

/** @param {boolean} promised */
function mark(promised) {
  return promised ? 'yes' : '–'
}

if (process.argv[1] === import.meta.filename) {
  await runScript(async () => {
    await ensureBuilt()
    const table = await enginesTable((name) => import(`${root}dist/stores/${name}.js`))
    const file = `${root}README.md`
    writeFileSync(file, withTable(readFileSync(file, 'utf8'), table))
    say(table)
  })
}
