/**
 * Where answers of HTTP/1.1 end.
 *
 * @module
 */

const GAP = '\r\n\r\n'

/** What began to arrive is no answer that can be followed to its end. */
export class Unreadable extends Error {}

/**
 * How many characters the answer at the beginning of a text has; undefined: more of it is to come.
 *
 * @param {string} text what has arrived so far, as latin1
 */
export function lengthOf(text) {
  const gap = text.indexOf(GAP)
  if (gap === -1) return undefined
  const end = endOf(text, text.slice(0, gap + 2), gap + GAP.length)
  return end !== undefined && end <= text.length ? end : undefined
}

/** @param {string} text that begins with an answer */
export function statusOf(text) {
  return Number(text.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length))
}

/**
 * @param {string} text
 * @param {string} head
 * @param {number} body where it begins
 */
function endOf(text, head, body) {
  const [, length] = /\r\ncontent-length: *(\d+) *\r\n/i.exec(head) ?? []
  if (length !== undefined) return body + Number(length)
  if (/\r\ntransfer-encoding: *chunked *\r\n/i.test(head)) return endOfChunks(text, body)
  const status = statusOf(text)
  if (status === 204 || status === 304) return body
  throw new Unreadable(`an answer that does not say where it ends: ${head.slice(0, 200)}`)
}

/**
 * @param {string} text
 * @param {number} body
 */
function endOfChunks(text, body) {
  let at = body
  for (;;) {
    const line = text.indexOf('\r\n', at)
    if (line === -1) return undefined
    const size = Number.parseInt(text.slice(at, line), 16)
    if (Number.isNaN(size)) throw new Unreadable(`a chunk of size '${text.slice(at, line)}'`)
    // After the last chunk there may be trailers.
    if (size === 0) return positionAfter(text, GAP, line)
    at = line + 2 + size + 2
  }
}

/**
 * @param {string} text
 * @param {string} what
 * @param {number} from
 */
function positionAfter(text, what, from) {
  const place = text.indexOf(what, from)
  return place === -1 ? undefined : place + what.length
}
