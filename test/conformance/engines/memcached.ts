import type { EngineAccess } from '../../../src/conformance/index.ts'
import { MemcachedStore } from '../../../src/stores/memcached.ts'
import { startCuttingProxy } from '../../support/cutting-proxy.ts'
import { type MemcachedServer, startMemcached } from '../../support/memcached.ts'
import type { StartedEngine } from '../engines.ts'

const PREFIX = 'sojourn:'

/** A memcached of its own, behind a proxy for this process. */
export async function startMemcachedEngine(): Promise<StartedEngine> {
  const server = await startMemcached()
  const proxy = await startCuttingProxy(server)
  const servers = [`${proxy.host}:${proxy.port}`]
  return {
    options: {
      store: () => new MemcachedStore({ servers }),
      worker: new URL('../workers/memcached.ts', import.meta.url),
      env: { KIT_MEMCACHED_SERVER: server.address },
      engine: {
        ...accessTo(server),
        ...faultsOf(server),
        elsewhere: () => new MemcachedStore({ servers, prefix: 'elsewhere:' }),
        cutNextReply: async () => proxy.cutNextReply(),
      },
    },
    stop: async () => {
      await proxy.close()
      await server.stop()
    },
  }
}

function accessTo(server: MemcachedServer): EngineAccess {
  const keys = async (): Promise<URLSearchParams[]> => {
    const lines = (await server.ask('lru_crawler metadump hash', 'END')).split(/\r?\n/)
    return lines
      .filter((line) => line.startsWith('key='))
      .map((line) => new URLSearchParams(line.replaceAll(' ', '&')))
  }
  return {
    dump: async () => {
      const names = (await keys()).map((key) => key.get('key'))
      let items = ''
      // One connection at a time: memcached turns away the thousandth.
      while (names.length > 0)
        items += await server.ask(`get ${names.splice(0, 20).join(' ')}`, 'END')
      return items
    },
    immortal: async () => {
      const left = (await keys()).filter((key) => key.get('exp') === '-1')
      return left.map((key) => key.get('key') ?? '')
    },
    corrupt: async (id) => {
      await server.ask(`set ${PREFIX}${id} 0 600 9\r\nno record`, 'STORED')
    },
    fromTheFuture: async (id) => {
      const item = await server.ask(`get ${PREFIX}${id}`, 'END')
      const bytes = item.slice(item.indexOf('\r\n') + 2, -'\r\nEND\r\n'.length)
      const later = `${bytes.slice(0, 1)}\x63${bytes.slice(2)}`
      await server.ask(`set ${PREFIX}${id} 0 600 ${later.length}\r\n${later}`, 'STORED')
    },
  }
}

function faultsOf(server: MemcachedServer): EngineAccess {
  return { stop: async () => server.pause(), start: async () => server.resume() }
}
