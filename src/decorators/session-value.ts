import { SessionError } from '../errors.ts'
import { demandStandard, sessionOf } from './holder.ts'
import type { DataOf, WithSession } from './holder.ts'

type Stored<This, K extends string> = K extends keyof DataOf<This>
  ? Exclude<DataOf<This>[K], undefined>
  : never

/** No accessor is this, unless it has exactly the type of what is stored, or the fallback. */
type Fits<Stored, Fallback, Value> = [Stored] extends [never]
  ? 'the session has no value of this name'
  : [Value, Stored | Fallback] extends [Stored | Fallback, Value]
    ? unknown
    : 'the value in the session has another type'

/**
 * An accessor that reads and writes a value of the session. Without a fallback its type includes
 * `undefined`, which deletes the value when it is written.
 *
 * @example
 * @sessionValue('name') accessor name: string | undefined
 * @sessionValue('views', 0) accessor views!: number
 */
export function sessionValue<const K extends string, Fallback = undefined>(
  name: K,
  fallback?: Fallback,
) {
  return function <This extends WithSession, Value>(
    target: ClassAccessorDecoratorTarget<This, Value> & Fits<Stored<This, K>, Fallback, Value>,
    _context: ClassAccessorDecoratorContext<This, Value>,
  ): ClassAccessorDecoratorResult<This, Value> {
    demandStandard(target, 'sessionValue')
    return {
      get() {
        return sessionOf(this).get(name, fallback) as Value
      },
      set(value) {
        if (value === undefined) sessionOf(this).delete(name)
        else sessionOf(this).set(name, value)
      },
      init(value) {
        if (value === undefined) return value
        throw misplaced(name)
      },
    }
  }
}

// It would be evaluated before there is a session, for every request anew.
function misplaced(name: string): SessionError {
  return new SessionError(
    'ERR_SESSION_MISUSE',
    `An accessor of the session has no initial value: use @sessionValue('${name}', fallback).`,
  )
}
