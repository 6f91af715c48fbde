import type { EngineAccess } from '../../../src/conformance/index.ts'
import type { SessionStore } from '../../../src/store.ts'
import { Lonely, Retrying, SwallowingErrors, Unreadable } from './engine.ts'

/** What the kit is given beside a broken store, so that it can be caught. */
export function accessTo(store: SessionStore): EngineAccess {
  return { ...faultsOf(store), ...looksInto(store) }
}

function faultsOf(store: SessionStore): EngineAccess {
  if (store instanceof SwallowingErrors) {
    const set = async (down: boolean): Promise<void> => void (store.down = down)
    return { stop: () => set(true), start: () => set(false) }
  }
  if (store instanceof Retrying) return { cutNextReply: async () => void (store.cut = true) }
  if (store instanceof Lonely) return { elsewhere: () => store }
  if (!(store instanceof Unreadable)) return {}
  return {
    corrupt: async (id) => void store.broken.add(id),
    fromTheFuture: async (id) => void store.future.add(id),
    dump: async () => '',
  }
}

function looksInto(store: SessionStore): EngineAccess {
  const dump = Reflect.get(store, 'dump') as (() => string) | undefined
  const immortal = Reflect.get(store, 'immortal') as (() => readonly string[]) | undefined
  return {
    ...(dump && { dump: async () => dump.call(store) }),
    ...(immortal && { immortal: async () => immortal.call(store) }),
  }
}
