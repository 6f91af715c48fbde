import type { Command } from './command.ts'

/** A command in the table: it is loaded when it is called. */
interface Listed {
  /** What it does, in one line. */
  readonly summary: string
  readonly load: () => Promise<Command>
}

/** Every command of the program, by its name. */
export const commands: Readonly<Record<string, Listed>> = {
  conformance: {
    summary: 'checks a store, or an adapter, against the contract',
    load: async () => (await import('./conformance.ts')).conformance,
  },
}
