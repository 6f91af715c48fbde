import type { Claim, EventLog, LoggedEvent } from '../../event-log.ts'
import type { StoreEvent } from '../../store.ts'

interface Lease {
  until: number
  tries: number
}

interface Group {
  /** The position of the last event that was handed out for the first time. */
  position: number
  readonly leases: Map<number, Lease>
}

/** How many events are kept for those who have not read them. */
export const MOST_EVENTS = 10_000

/** The newest events, in memory. None is kept before somebody listens. */
export class MemoryLog implements EventLog {
  readonly #events = new Map<number, StoreEvent>()
  readonly #groups = new Map<string, Group>()
  #position = 0
  #wanted = false

  append(event: StoreEvent): void {
    if (!this.#wanted) return
    this.#events.set(++this.#position, event)
    this.#events.delete(this.#position - MOST_EVENTS)
  }

  end(): number {
    this.#wanted = true
    return this.#position
  }

  after(position: number, limit: number): LoggedEvent[] {
    const found: LoggedEvent[] = []
    const first = Math.max(position, this.#position - MOST_EVENTS) + 1
    for (let at = first; at <= this.#position && found.length < limit; at++) {
      const event = this.#events.get(at)
      if (event !== undefined) found.push({ position: at, event })
    }
    return found
  }

  join(group: string): void {
    if (this.#groups.has(group)) return
    this.#groups.set(group, { position: this.end(), leases: new Map() })
  }

  claim(name: string, now: number, until: number): Claim | undefined {
    const group = this.#groups.get(name)
    if (group === undefined) return undefined
    const found = this.#due(group, now) ?? this.after(group.position, 1)[0]
    if (found === undefined) return undefined
    const tries = (group.leases.get(found.position)?.tries ?? 0) + 1
    group.position = Math.max(group.position, found.position)
    group.leases.set(found.position, { until, tries })
    return { ...found, group: name, tries }
  }

  postpone({ group, position }: Claim, until: number): void {
    const lease = this.#groups.get(group)?.leases.get(position)
    if (lease !== undefined) lease.until = until
  }

  finish({ group, position }: Claim): void {
    this.#groups.get(group)?.leases.delete(position)
  }

  clear(): void {
    this.#events.clear()
    this.#groups.clear()
  }

  #due({ leases }: Group, now: number): LoggedEvent | undefined {
    for (const [position, { until }] of leases) {
      const event = this.#events.get(position)
      if (event === undefined) leases.delete(position)
      else if (until <= now) return { position, event }
    }
    return undefined
  }
}
