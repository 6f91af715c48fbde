type Any<T> = 0 extends 1 & T ? true : false

type Same<A, B> =
  Any<A> extends Any<B> ? ([A] extends [B] ? ([B] extends [A] ? true : false) : false) : false

/** Compiles only if the type of the value is exactly this one: `isOf<string>()(value)`. */
export function isOf<Wanted>() {
  return <Given>(_given: Given, ..._wrong: Same<Wanted, Given> extends true ? [] : [never]): void =>
    undefined
}
