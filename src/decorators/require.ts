import { SessionError } from '../errors.ts'
import { demandStandard, sessionOf } from './holder.ts'
import type { DataOf, Method, WithSession } from './holder.ts'

/**
 * A method for visitors who have logged in. For others it throws `ERR_SESSION_REQUIRED`, status 401,
 * which the framework answers.
 *
 * @example
 * @requireUser
 * get() { this.write(`hello ${this.session.user}`) }
 */
export function requireUser<This extends WithSession, Args extends unknown[], Result>(
  method: Method<This, Args, Result>,
  _context?: ClassMethodDecoratorContext<This, Method<This, Args, Result>>,
): Method<This, Args, Result> {
  demandStandard(method, 'requireUser')
  return function (...args) {
    if (sessionOf(this).user === undefined) throw required('Nobody has logged in.')
    return method.apply(this, args)
  }
}

/**
 * A method for visitors who have a session, with values under all of these names. For others it throws
 * `ERR_SESSION_REQUIRED`, status 401.
 *
 * @example
 * @requireSession('cart')
 * post() { … }
 */
export function requireSession<K extends string = never>(...names: readonly K[]) {
  return function <This extends WithSession, Args extends unknown[], Result>(
    method: Method<This, Args, Result> & Holds<This, K>,
    _context?: ClassMethodDecoratorContext<This, Method<This, Args, Result>>,
  ): Method<This, Args, Result> {
    demandStandard(method, 'requireSession')
    return function (...args) {
      const session = sessionOf(this)
      const begun = session.established || session.size > 0
      const complete = names.every((name) => session.has(name))
      if (!begun || !complete) throw required('The session that this method needs is not there.')
      return method.apply(this, args)
    }
  }
}

/** No method is this, unless the session of the class has values of these names. */
type Holds<This, K extends string> = [K] extends [keyof DataOf<This>]
  ? unknown
  : 'the session has no value of this name'

function required(message: string): SessionError {
  return new SessionError('ERR_SESSION_REQUIRED', message)
}
