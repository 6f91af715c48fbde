import type { Burst } from './generator.ts'
import type { Row } from './samples.ts'
import { median } from './statistics.ts'

/** What has been used so far: by the server and by Redis in microseconds, of the server's core in seconds. */
export interface Used {
  readonly user: number
  readonly system: number
  readonly redis: number
  readonly busy: number
}

/** Figures of one request, by their names. */
export type Cost = Readonly<Record<string, number>>

/** What one request of a burst took. */
export function costOf({ requests, seconds, p50, p99 }: Burst, before: Used, after: Used): Cost {
  const [user, system] = [after.user - before.user, after.system - before.system]
  const cpu = user + system
  return {
    cpu: cpu / requests,
    ...{ user: user / requests, system: system / requests },
    redisCpu: (after.redis - before.redis) / requests,
    rate: requests / seconds,
    ...{ p50, p99 },
    others: Math.max(0, (after.busy - before.busy - cpu / 1e6) / seconds),
  }
}

/** Of each figure. */
export function mediansOf(figures: Row['figures']): Cost {
  return Object.fromEntries(Object.entries(figures).map(([name, all]) => [name, median(all)]))
}
