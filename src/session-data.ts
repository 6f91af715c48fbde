/**
 * The data of your sessions, typed once for every framework:
 *
 * @example
 * declare module 'sojourn' {
 *   interface SessionData {
 *     login?: string
 *     cart?: string[]
 *   }
 * }
 */
export interface SessionData {}

/** `SessionData` once it is declared; before that every name is allowed and holds `unknown`. */
export type DefaultData = keyof SessionData extends never ? Record<string, unknown> : SessionData

/** A name of a value. */
export type Name<Data> = keyof Data & string
/** What is stored under a name. */
export type Value<Data, K extends keyof Data> = Exclude<Data[K], undefined>
/** A name of a number. */
export type NumberName<Data> = {
  [K in Name<Data>]: unknown extends Data[K] ? K : Value<Data, K> extends number ? K : never
}[Name<Data>]

/** Which values survive a login or a logout. */
export interface KeepOptions<Data> {
  readonly keep?: readonly Name<Data>[]
}
