import { demand, demandEqual } from '../expect.ts'
import type { StoreCheck, StoreHarness } from '../harness.ts'
import type { SessionId, SessionStore, StopListening, StoreEvent } from '../../store.ts'
import { catchUp, Heard, placesOf, stopping, watching } from './heard.ts'

/** Clauses on groups of consumers, which share the events of a log. */
export const consumerChecks: readonly StoreCheck[] = [
  {
    id: 'S38f',
    level: 'MUST',
    needs: ['eventLog'],
    clause:
      'Every event is handed to one consumer of each group, whichever processes the consumers are in.',
    title: 'the consumers of a group share the events',
    run: async (kit) => {
      const groups = [nameOf(kit), nameOf(kit)]
      const heard = groups.map(() => new Heard(kit))
      const stops = await Promise.all(
        groups.flatMap((group, n) =>
          [...placesOf(kit), kit.other].map((store) => collect(store, { group, heard: heard[n] })),
        ),
      )
      await stopping(stops, async () => {
        const ids = await Promise.all(Array.from({ length: 24 }, () => kit.session()))
        for (const each of heard) for (const id of ids) await each.until('created', id)
        await catchUp(kit, heard)
        for (const each of heard) {
          const told = ids.map((id) => each.of(id).length)
          const once = ids.map(() => 1)
          demandEqual(told, once, 'how often 24 events were handed to a group')
        }
      })
    },
  },
  {
    id: 'S38g',
    level: 'MUST',
    needs: ['eventLog'],
    clause:
      'An event whose handler throws is handed out again, until one handler of the group has come to its end with it; other events do not wait for that.',
    title: 'a handler that throws gets the event again',
    run: async (kit) => {
      const heard = new Heard(kit)
      const id = kit.id()
      const stop = await kit.store.consume?.(nameOf(kit), async (event) => {
        heard.events.push(event)
        if (event.id === id && heard.of(id).length < 3) throw new Error('a handler that throws')
      })
      await stopping([stop], async () => {
        await kit.store.create(id, kit.record())
        await heard.until('created', id)
        await catchUp(kit, [heard])
        const wanted = 'an event whose handler threw twice was handed out a third time'
        await heard.untilTrue(() => heard.of(id).length === 3, { wanted, id })
        await catchUp(kit, [heard])
        demandEqual(heard.of(id).length, 3, 'how often an event was handed out')
      })
    },
  },
  {
    id: 'S38h',
    level: 'MUST',
    needs: ['shared', 'eventLog', 'worker'],
    clause:
      'An event whose consumer dies while handling it is handed to another consumer of the group.',
    title: 'an event survives the crash of its consumer',
    run: async (kit) => {
      const group = nameOf(kit)
      const doomed = await kit.start()
      const [dying, heard] = [new Heard(kit), new Heard(kit)]
      const unending = async (event: StoreEvent): Promise<void> => {
        dying.events.push(event)
        await new Promise(() => undefined)
      }
      try {
        await doomed.consume(group, unending)
        const id = await kit.session()
        await dying.until('created', id)
        await doomed.kill()
        const stop = await collect(kit.other, { group, heard })
        await stopping([stop], () => heard.until('created', id))
      } finally {
        await doomed.kill()
      }
    },
  },
  {
    id: 'S38i',
    level: 'MUST',
    needs: ['eventLog'],
    clause:
      'A group begins with the events after its first `consume`; from then on it gets also what happens while it has no consumer.',
    title: 'a group gets what it missed',
    run: async (kit) => {
      const group = nameOf(kit)
      const [first, second] = [new Heard(kit), new Heard(kit)]
      let earlier: SessionId | undefined
      await watching(kit, [kit.store], async (heard) => {
        earlier = await kit.session()
        await catchUp(kit, heard)
      })
      const stop = await collect(kit.store, { group, heard: first })
      await stopping([stop], () => catchUp(kit, [first]))
      const missed = await kit.session()
      const stopSecond = await collect(kit.other, { group, heard: second })
      await stopping([stopSecond], () => second.until('created', missed))
      demandEqual(first.of(missed), [], 'what a consumer was handed after it was stopped')
      const before = [...first.events, ...second.events].filter(({ id }) => id === earlier)
      demand(before.length === 0, 'a group was handed an event from before its first consume')
    },
  },
]

interface Collection {
  readonly group: string
  readonly heard: Heard | undefined
}

async function collect(
  store: SessionStore,
  { group, heard }: Collection,
): Promise<StopListening | undefined> {
  return store.consume?.(group, (event) => void heard?.events.push(event))
}

/** A group of this check alone. */
function nameOf(kit: StoreHarness): string {
  return `group-${kit.id()}`
}
