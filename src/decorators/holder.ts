import { SessionError } from '../errors.ts'
import type { Session } from '../session.ts'

/** What a class needs to be decorated: what `SessionMixin` gives it, or a property of its own. */
export interface WithSession {
  readonly session: object
}

/** The data of the session that such a class has. */
export type DataOf<Holder> = Holder extends { readonly session: Session<infer Data> } ? Data : never

/** A decorated method. */
export type Method<This, Args extends unknown[], Result> = (this: This, ...args: Args) => Result

/** The session of an object, whatever its data is. */
export function sessionOf({ session }: WithSession): Session {
  return session as Session
}

/** @throws SessionError `ERR_SESSION_MISUSE` where decorators are compiled to the older proposal */
export function demandStandard(decorated: unknown, name: string): void {
  const kind = name === 'sessionValue' ? 'object' : 'function'
  const standard = typeof decorated === kind && decorated !== null && !hasConstructor(decorated)
  if (standard) return
  throw new SessionError(
    'ERR_SESSION_MISUSE',
    `@${name} is a standard decorator. Compile without experimentalDecorators, or use it as a function.`,
  )
}

// The older proposal hands over the prototype of the class.
function hasConstructor(decorated: unknown): boolean {
  return typeof decorated === 'object' && Object.hasOwn(decorated ?? {}, 'constructor')
}
