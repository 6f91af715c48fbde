// What Response.json() and new Response('text') say of their body.
const WHOLE = /^(?:application\/json(?:;|$)|text\/plain;charset=UTF-8$)/

/** True if all of a response is there with its headers, as far as that is told without a stream of its body. */
export function isWhole(response: Response): boolean {
  const { headers } = response
  if (headers.has('content-length')) return true
  const given = bodyGiven(response)
  return given === undefined ? WHOLE.test(headers.get('content-type') ?? '') : !isStream(given)
}

/**
 * What a response was made of, if it still knows. `@hono/node-server` replaces the global `Response` by
 * one that keeps its arguments, and sends text without a stream unless somebody has asked for `body`. It
 * keeps them in `[status, body, headers]`, under a symbol that it does not export; whoever keeps something
 * else there is asked for `body`, as every other response is.
 */
function bodyGiven(response: Response): unknown {
  const kept = Object.getOwnPropertySymbols(response).find(
    ({ description }) => description === 'cache',
  )
  const given: unknown = kept && Reflect.get(response, kept)
  return Array.isArray(given) && given.length === 3 ? given[1] : undefined
}

function isStream(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'getReader' in body
}
