import { demand, show } from '../expect.ts'
import type { StoreCheck, StoreHarness } from '../harness.ts'
import { isSessionError } from '../../errors.ts'
import type { StoreEvent } from '../../store.ts'

const WORDS: Readonly<Record<string, readonly unknown[]>> = {
  shared: ['process', 'machine', 'network'],
  durable: ['no', 'process', 'engine'],
  expiry: ['engine', 'sweep'],
  commit: ['atomic', 'compare-and-set'],
  clock: ['engine', 'process'],
  deadline: [true, false],
  userIndex: [true, false],
  list: [true, false],
  expect: [true, false, undefined],
  userCap: [true, false, undefined],
  events: ['none', 'broadcast', 'log', undefined],
}

/** The clause on what a store declares. */
export const capabilityChecks: readonly StoreCheck[] = [
  {
    id: 'S67',
    level: 'MUST',
    clause:
      'A store declares what it can do, in the words of `StoreCapabilities`; what it declares is there, and what it does not declare is absent or throws `ERR_SESSION_UNSUPPORTED`.',
    title: 'capabilities say what is there',
    run: async (kit) => {
      const { capabilities, store } = kit
      for (const [name, words] of Object.entries(WORDS)) {
        const word: unknown = Reflect.get(capabilities, name)
        demand(words.includes(word), `the capability ${name} is ${show(word)}`)
      }
      demand(
        typeof capabilities.engine === 'string' && capabilities.engine !== '',
        'the capability engine is no name',
      )
      if (capabilities.expiry === 'sweep')
        demand(
          store.deleteExpired !== undefined,
          'expiry is declared as sweep, but there is no deleteExpired',
        )
      await demandOptional(capabilities.userIndex, {
        verb: 'sessionsOf',
        call: store.sessionsOf?.bind(store, 'alice'),
      })
      await demandOptional(capabilities.list, {
        verb: 'list',
        call: store.list?.bind(store, undefined),
      })
      await demandListening(kit)
    },
  },
]

async function demandListening(kit: StoreHarness): Promise<void> {
  const { store, capabilities } = kit
  const event: StoreEvent = { type: 'replayed', id: kit.id(), at: kit.now() }
  const isTold = (capabilities.events ?? 'none') !== 'none'
  const listener = (): void => undefined
  await demandOptional(isTold, { verb: 'watch', call: store.watch?.bind(store, listener) })
  await demandOptional(isTold, { verb: 'tell', call: store.tell?.bind(store, event) })
  await demandOptional(capabilities.events === 'log', {
    verb: 'consume',
    call: store.consume?.bind(store, `group-${event.id}`, listener),
  })
}

interface Optional {
  readonly verb: string
  readonly call: (() => Promise<unknown>) | undefined
}

async function demandOptional(declared: boolean, { verb, call }: Optional): Promise<void> {
  if (declared) demand(call !== undefined, `${verb} is declared, but there is none`)
  if (declared || call === undefined) return
  const error = await call().then(
    () => undefined,
    (reason: unknown) => reason,
  )
  demand(
    isSessionError(error) && error.code === 'ERR_SESSION_UNSUPPORTED',
    `${verb} is not declared, but does something`,
  )
}
