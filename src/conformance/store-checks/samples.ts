import type { SessionChange, SessionRecord } from '../../store.ts'
import type { StoreHarness } from '../harness.ts'

/** A record with something in every field. */
export function full(
  kit: StoreHarness,
  fields: { generation: number; fence: number },
): SessionRecord {
  const rest = {
    user: 'alice',
    authenticatedAt: kit.now() - 1000,
    rememberFor: 9000,
    client: { userAgent: 'Browser/1.0' },
  }
  return kit.holding({ a: '1', n: '5' }, { ...rest, ...fields })
}

/** One of the writers of a race in which one rotates. */
export interface Among {
  readonly n: number
  readonly round: number
  readonly rotate: 'renew' | 'fence'
}

/** The change of one of the writers: each sets its own name, one of them rotates. */
export function among(kit: StoreHarness, { n, round, rotate }: Among): SessionChange {
  return kit.setting({ [`key${n}`]: '1' }, isRotator(kit, n, round) ? { rotate } : {})
}

/** Whether it is this writer who rotates in this round. */
export function isRotator(kit: StoreHarness, n: number, round: number): boolean {
  return n === round % kit.writers.length
}
