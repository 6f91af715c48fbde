import { execFile } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual, promisify } from 'node:util'
import * as fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { isSessionError } from '../../src/errors.ts'
import type { SessionId } from '../../src/store.ts'
import type { EmbeddedStore } from '../../src/stores/embedded.ts'
import { EmbeddedStage } from '../support/embedded.ts'
import { newId, newRecord, withCode } from '../support/records.ts'

const PAGE = 4096
const FLAGS_AT = 18
const isRoot = process.geteuid?.() === 0
const stage = new EmbeddedStage()
const files = new EmbeddedStage()
const records = new Map(
  Array.from({ length: 300 }, (_, index) => {
    const values = new Map([['a', `${index}`.repeat(index % 20 === 0 ? 3_000 : 100)]])
    return [newId(), newRecord({ values, user: `u${index % 7}` })]
  }),
)
let sound: Buffer

beforeAll(async () => {
  const path = await files.path()
  const store = files.open({ path })
  for (const [id, record] of records) await store.create(id, record)
  await store.close()
  sound = readFileSync(join(path, 'data.mdb'))
})
afterEach(() => stage.clear())
afterAll(() => files.clear())

async function directoryWith(data: Uint8Array): Promise<string> {
  const path = await stage.path()
  mkdirSync(path)
  writeFileSync(join(path, 'data.mdb'), data)
  return path
}

function passingFor(flag: number): Buffer {
  return changed((bytes) => (bytes[leafIn(bytes) + FLAGS_AT]! |= flag))
}

/** Where a leaf begins that has records. */
function leafIn(bytes: Buffer): number {
  const [id] = [...records.keys()]
  const pages = Array.from({ length: bytes.length / PAGE }, (_, page) => page * PAGE)
  const isLeaf = (at: number): boolean => (bytes[at + FLAGS_AT]! & 0x02) !== 0
  const found = pages
    .slice(2)
    .filter((at) => isLeaf(at) && bytes.subarray(at, at + PAGE).includes(id!))
  return found.at(-1)!
}

function changed(change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(sound)
  change(bytes)
  return bytes
}

async function runAs(script: string, path: string): Promise<Record<string, unknown>> {
  const url = new URL(`../support/${script}.ts`, import.meta.url)
  const command = `exec ${powers(script)} "$0" --import tsx "$1" "$2"`
  const args = ['-c', command, process.execPath, url.pathname, path]
  const { stdout } = await promisify(execFile)('bash', args, { timeout: 20_000 })
  return JSON.parse(stdout) as Record<string, unknown>
}

// Rights mean nothing to root, unless the capabilities are given up that make it so. To become
// another user would not do: that one may not be able to read the folder of the repository.
function powers(script: string): string {
  const without = '-dac_override,-dac_read_search'
  const powerless = script === 'embedded-powerless' && isRoot
  return powerless ? `setpriv --bounding-set=${without} --inh-caps=${without}` : ''
}

describe('a damaged file', () => {
  test.each<[string, () => Uint8Array]>([
    ['of other bytes', () => Buffer.alloc(100_000, 'not a database ')],
    ['of zeros', () => Buffer.alloc(100_000)],
    ['with a byte', () => Buffer.of(1)],
    ['cut off in its first page', () => sound.subarray(0, 100)],
    ['cut off after its first page', () => sound.subarray(0, PAGE)],
    ['cut off after its second page', () => sound.subarray(0, 2 * PAGE)],
    ['cut in half', () => sound.subarray(0, sound.length >> 1)],
    ['without its last quarter', () => sound.subarray(0, (sound.length * 3) >> 2)],
    ['with another magic number', () => changed((bytes) => bytes.writeUInt32LE(1, 24))],
    ['with an impossible page size', () => changed((bytes) => bytes.writeUInt32LE(3_000, 48))],
    ['of another version of LMDB', () => changed((bytes) => bytes.writeUInt32LE(1, 28))],
    ['with a leaf that passes for one of keys of one size', () => passingFor(0x20)],
    ['with a leaf that passes for a page within a page', () => passingFor(0x40)],
    [
      'with every page but the first two overwritten',
      () => changed((bytes) => bytes.fill(7, 2 * PAGE)),
    ],
  ])('%s is refused and stays as it is', async (_title, make) => {
    const data = make()
    const path = await directoryWith(data)
    const store = stage.open({ path })
    const refusal = withCode('ERR_SESSION_STORE', 'Nothing was overwritten')
    await expect(store.ready()).rejects.toThrow(refusal)
    await expect(store.load(newId())).rejects.toThrow(refusal)
    await expect(store.create(newId(), newRecord())).rejects.toThrow(refusal)
    expect(readFileSync(join(path, 'data.mdb')).equals(data)).toBe(true)
    expect(readdirSync(path)).toEqual(['data.mdb'])
  })

  test('is opened when it has been restored', async () => {
    const path = await directoryWith(Buffer.alloc(PAGE))
    const store = stage.open({ path })
    await expect(store.ready()).rejects.toThrow(withCode('ERR_SESSION_STORE'))
    writeFileSync(join(path, 'data.mdb'), sound)
    const [id, record] = [...records][0]!
    await expect.poll(() => store.load(id).catch(() => 'not yet')).toEqual(record)
  })

  test('an empty file is begun anew', async () => {
    const path = await directoryWith(new Uint8Array(0))
    expect(await stage.open({ path }).create(newId(), newRecord())).toBe(true)
  })

  test('either is refused, or every session in it is as it was or a clear error', async () => {
    const page = fc.integer({ min: 2, max: sound.length / PAGE - 1 })
    const overwritten = fc.tuple(
      page,
      fc.nat(PAGE - 64),
      fc.uint8Array({ minLength: 1, maxLength: 64 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(overwritten, { minLength: 1, maxLength: 3 }), async (damage) => {
        const data = changed((bytes) => {
          for (const [at, offset, garbage] of damage) bytes.set(garbage, at * PAGE + offset)
        })
        const outcomes = await outcomesOf(await directoryWith(data))
        expect(outcomes.get('other') ?? []).toEqual([])
        // A session can be lost only with the very bytes of its id.
        const lost = outcomes.get('lost') ?? []
        expect(lost.filter((id) => timesIn(data, id) === timesIn(sound, id))).toEqual([])
      }),
      { numRuns: 60 },
    )
  })
})

type Outcome = 'same' | 'error' | 'lost' | 'other'

/** The sessions of the file by what becomes of them. */
async function outcomesOf(path: string): Promise<Map<Outcome, SessionId[]>> {
  const store = stage.open({ path })
  const outcomes = new Map<Outcome, SessionId[]>()
  const refused = await store.ready().then(() => false, isSessionError)
  for (const id of refused ? [] : records.keys()) {
    const outcome = await outcomeOf(store, id)
    outcomes.set(outcome, [...(outcomes.get(outcome) ?? []), id])
  }
  await store.close()
  await rm(dirname(path), { recursive: true })
  return outcomes
}

async function outcomeOf(store: EmbeddedStore, id: SessionId): Promise<Outcome> {
  try {
    const record = await store.load(id)
    if (record === undefined) return 'lost'
    return isDeepStrictEqual(record, records.get(id)) ? 'same' : 'other'
  } catch (error) {
    return isSessionError(error) ? 'error' : 'other'
  }
}

function timesIn(data: Buffer, text: string): number {
  let times = 0
  for (let at = data.indexOf(text); at !== -1; at = data.indexOf(text, at + 1)) times++
  return times
}

describe('a place that cannot be used', () => {
  test('a file where the directory should be', async () => {
    const path = await stage.path()
    writeFileSync(path, 'mine')
    const refusal = withCode('ERR_SESSION_STORE', 'set the path of a directory')
    await expect(stage.open({ path }).ready()).rejects.toThrow(refusal)
    expect(readFileSync(path, 'utf8')).toBe('mine')
  })

  test('a path below a file', async () => {
    const path = await stage.path()
    writeFileSync(path, 'mine')
    const refusal = withCode('ERR_SESSION_STORE', 'A part of the path is a file')
    await expect(stage.open({ path: join(path, 'sessions') }).ready()).rejects.toThrow(refusal)
  })

  test('a directory where the file should be', async () => {
    const path = await stage.path()
    mkdirSync(join(path, 'data.mdb'), { recursive: true })
    const refusal = withCode('ERR_SESSION_STORE', 'data.mdb is a directory')
    await expect(stage.open({ path }).ready()).rejects.toThrow(refusal)
  })

  test('files of another user', async () => {
    const path = await directoryWith(sound)
    if (isRoot) chownSync(path, 65_534, 65_534)
    chmodSync(path, isRoot ? 0o700 : 0)
    const { code, message } = await runAs('embedded-powerless', path)
    chmodSync(path, 0o700)
    expect(code).toBe('ERR_SESSION_STORE')
    expect(message).toContain('Let the user of this process read and write it')
    expect(existsSync(join(path, 'lock.mdb'))).toBe(false)
  })
})
