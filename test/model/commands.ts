import * as fc from 'fast-check'
import type { World } from './world.ts'

/** The clock of a world, if it can be moved. */
export interface Scene {
  readonly world: World
  readonly advance: ((ms: number) => void) | undefined
}

type Nothing = Readonly<Record<string, never>>

/** One step of a world, after which everything must be true. */
class Step implements fc.AsyncCommand<Nothing, Scene> {
  readonly #text: string
  readonly #run: (scene: Scene) => Promise<void> | void

  constructor(text: string, run: (scene: Scene) => Promise<void> | void) {
    this.#text = text
    this.#run = run
  }

  check(): boolean {
    return true
  }

  async run(_model: Nothing, scene: Scene): Promise<void> {
    await this.#run(scene)
    await scene.world.check()
  }

  toString(): string {
    return this.#text
  }
}

const client = fc.nat(1)
const which = fc.nat(7)
const user = fc.constantFrom('alice', 'bob')
const name = fc.constantFrom('a', 'b', '__proto__', '')
const MINUTE = 60_000
// Within and beyond the grace, the idle time and the lifetime.
const MOMENTS = [0.5, 2, 50, 50, 50, 61, 181].map((minutes) => minutes * MINUTE)

const deed = fc.oneof(
  fc.record({ kind: fc.constantFrom('read' as const, 'renew', 'logout', 'destroy') }),
  fc.record({ kind: fc.constantFrom('set' as const, 'delete'), name, value: fc.nat(99) }),
  fc.record({ kind: fc.constant('set' as const), name, value: fc.nat(99) }),
  fc.record({ kind: fc.constant('login' as const), user }),
)

const begin = fc
  .tuple(client, client)
  .map(([who, node]) => new Step(`begin(${who}, ${node})`, ({ world }) => world.begin(who, node)))

const finish = fc
  .tuple(which, deed, fc.boolean())
  .map(
    ([n, what, arrives]) =>
      new Step(`finish(${n}, ${JSON.stringify(what)}, ${arrives})`, ({ world }) =>
        world.finish(n, what, arrives),
      ),
  )

const visit = fc
  .tuple(client, client, deed)
  .map(
    ([who, node, what]) =>
      new Step(`visit(${who}, ${node}, ${JSON.stringify(what)})`, ({ world }) =>
        world.visit(who, node, what),
      ),
  )

const others = [
  fc.constantFrom(...MOMENTS.slice(0, 5)).map(wait),

  which.map((n) => new Step(`abandon(${n})`, ({ world }) => world.abandon(n))),
  fc
    .tuple(client, which)
    .map(([who, n]) => new Step(`present(${who}, ${n})`, ({ world }) => world.present(who, n))),
  which.map((n) => new Step(`revoke(${n})`, ({ world }) => world.revoke(n))),
  user.map((who) => new Step(`revokeUser(${who})`, ({ world }) => world.revokeUser(who))),
  client.map((who) => new Step(`outage(${who})`, ({ world }) => world.outage(who))),
  fc.constantFrom(...MOMENTS).map(wait),
]

function wait(ms: number): Step {
  return new Step(`advance(${ms})`, ({ advance }) => advance?.(ms))
}

/** Sequences of steps: mostly requests, of which several may be under way at once. */
export const steps: fc.Arbitrary<Iterable<fc.AsyncCommand<Nothing, Scene>>> = fc.commands(
  [
    ...Array.from({ length: 6 }, () => visit),
    begin,
    begin,
    begin,
    finish,
    finish,
    finish,
    ...others,
  ],
  { maxCommands: 50, size: 'max' },
)
