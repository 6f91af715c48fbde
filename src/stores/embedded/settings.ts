import { resolve } from 'node:path'
import { parseDuration } from '../../duration.ts'
import type { Duration } from '../../duration.ts'
import { SessionError } from '../../errors.ts'
import { refuseUnknownNames } from '../../names.ts'
import type { StoreCapabilities } from '../../store.ts'

/** How an `EmbeddedStore` is set up. */
export interface EmbeddedStoreOptions {
  /**
   * The directory of its files, created with access for this user alone. On a local disk: the
   * processes that share it must be on one machine.
   * @default '.sojourn'
   */
  readonly path?: string
  /**
   * How often expired sessions are removed from the file; they are hidden at once.
   * @default '1m'
   */
  readonly sweepEvery?: Duration
  /**
   * Set this when `watch` or `consume` is used, in every process that shares the files: what happens
   * to sessions (type, id, time, user) is written to a log in the same transaction, and kept for a
   * day, 100,000 events at most. Other processes hear of it within half a second.
   * @default false
   */
  readonly events?: boolean
  /**
   * Bytes of address space (neither memory nor disk) that are reserved. Set this when that is limited,
   * as by `ulimit -v`. The file may grow beyond it.
   * @default 17_179_869_184
   */
  readonly mapSize?: number
  /**
   * The clock, in ms since the epoch. Set this in tests.
   * @default Date.now
   */
  readonly now?: () => number
}

/** The options as they are in force. */
export interface EmbeddedSettings {
  readonly directory: string
  readonly sweepEvery: number
  readonly events: boolean
  readonly mapSize: number
  readonly now: () => number
}

const NAMES = ['path', 'sweepEvery', 'events', 'mapSize', 'now']

const CAPABILITIES: StoreCapabilities = Object.freeze({
  engine: 'embedded',
  shared: 'machine',
  durable: 'engine',
  expiry: 'sweep',
  commit: 'atomic',
  clock: 'process',
  deadline: false,
  userIndex: true,
  list: true,
  userCap: true,
  events: 'none',
  expect: true,
})

/** @throws SessionError `ERR_SESSION_OPTION` */
export function settingsOf(options: EmbeddedStoreOptions): EmbeddedSettings {
  refuseUnknownNames(options, NAMES, 'EmbeddedStore')
  const { path = '.sojourn', sweepEvery = '1m', events = false, mapSize = 2 ** 34, now } = options
  return {
    directory: resolve(checkedPath(path)),
    sweepEvery: parseDuration(sweepEvery, 'sweepEvery'),
    events: checkedEvents(events),
    mapSize: checkedSize(mapSize),
    now: now ?? (() => Date.now()),
  }
}

/** What a store with these settings promises. */
export function capabilitiesOf({ events }: EmbeddedSettings): StoreCapabilities {
  return events ? Object.freeze({ ...CAPABILITIES, events: 'log' }) : CAPABILITIES
}

function checkedPath(path: unknown): string {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return path
  throw new SessionError('ERR_SESSION_OPTION', "path must be the path of a directory: '.sojourn'.")
}

function checkedEvents(events: unknown): boolean {
  if (typeof events === 'boolean') return events
  throw new SessionError('ERR_SESSION_OPTION', 'events must be true or false.')
}

function checkedSize(mapSize: number): number {
  if (Number.isSafeInteger(mapSize) && mapSize >= 2 ** 20) return mapSize
  throw new SessionError('ERR_SESSION_OPTION', 'mapSize must be a number of bytes from 1 MiB on.')
}
