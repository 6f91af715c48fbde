import type { SessionError } from '../../errors.ts'
import type { Connection } from './connection.ts'
import { refused, tooLarge } from './failures.ts'
import type { Reply } from './replies.ts'

/** What is stored, and the token by which memcached knows this version of it. */
export interface Item {
  readonly bytes: Uint8Array
  readonly token: string
}

// What an item has beside its key and its bytes in memcached 1.6, and some to spare.
const ITEM_HEADER = 128
/** Longer lives are said as a point in time: memcached takes the number for one then. */
const THIRTY_DAYS = 2_592_000
const LATEST = 2_147_483_647
/** Seconds that an item outlives its session: clocks differ, and memcached counts in whole seconds. */
const MARGIN = 60

/** The item under a key, or undefined. */
export async function getItem(server: Connection, key: string): Promise<Item | undefined> {
  const { words, value } = await server.send(`mg ${key} v c`)
  if (words[0] === 'EN') return undefined
  const token = words.find((word) => word.startsWith('c'))?.slice(1)
  if (value === undefined || token === undefined) throw strange(server, words)
  return { bytes: value, token }
}

/** Keeps a new item. False if there is one already. */
export async function addItem(server: Connection, key: string, write: Write): Promise<boolean> {
  return (await put(server, key, { ...write, condition: 'ME' })) === 'HD'
}

/**
 * Writes an item if it still is the version that was read.
 *
 * @returns `lost` if another version is there by now, `gone` if there is none
 */
export async function replaceItem(
  server: Connection,
  key: string,
  { token, ...write }: Write & { readonly token: string },
): Promise<'done' | 'lost' | 'gone'> {
  const code = await put(server, key, { ...write, condition: `C${token}` })
  if (code === 'HD') return 'done'
  return code === 'EX' ? 'lost' : 'gone'
}

/** Removes an item and answers what it was; both are asked in one go. */
export async function removeItem(server: Connection, key: string): Promise<Uint8Array | undefined> {
  const [item, removed] = await Promise.all([getItem(server, key), server.send(`md ${key}`)])
  return removed.words[0] === 'HD' ? item?.bytes : undefined
}

/** Bytes that are to be written, and when they may be forgotten. */
export interface Write {
  readonly bytes: Uint8Array
  /** ms since the epoch. */
  readonly expiresAt: number
  readonly now: number
}

/** Memcached drops the old item when it refuses a new one: what is too large is not even sent. */
async function put(
  server: Connection,
  key: string,
  { bytes, expiresAt, now, condition }: Write & { readonly condition: string },
): Promise<string> {
  const limit = (await server.largestItem()) - ITEM_HEADER - key.length
  if (bytes.length > limit) throw tooLarge(server.name, bytes.length, limit)
  const life = lifeOf(expiresAt, now)
  const { words } = await server.send(`ms ${key} ${bytes.length} T${life} ${condition}`, bytes)
  const [code = ''] = words
  if (['HD', 'NS', 'EX', 'NF'].includes(code)) return code
  throw strange(server, words)
}

/** The `T` of an item: seconds from now on, or seconds since the epoch. */
export function lifeOf(expiresAt: number, now: number): number {
  const seconds = Math.ceil((expiresAt - now) / 1000) + MARGIN
  if (seconds <= THIRTY_DAYS) return Math.max(1, seconds)
  return Math.min(LATEST, Math.ceil(expiresAt / 1000) + MARGIN)
}

function strange(server: Connection, words: Reply['words']): SessionError {
  return refused(server.name, `An answer that is not understood: ${words.slice(0, 1).join()}`)
}
