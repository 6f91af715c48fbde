import { pythonInt } from './python-text.ts'

/** What an xsrf token on the wire says. */
export interface XsrfToken {
  readonly version: 1 | 2
  /** The secret, without its mask. */
  readonly token: Buffer
  /** Seconds since the epoch; version 1 has none. */
  readonly timestamp: number | undefined
}

/** The length of the secret in tokens that are made here, and the least one that is accepted. */
export const XSRF_TOKEN_BYTES = 16

const MASK_BYTES = 4

/**
 * Writes a token in Tornado's version 2: under a fresh mask, so that it is another text in every page
 * and compression tells nothing about it (BREACH).
 *
 * @param mask - 4 random bytes
 * @param timestamp - seconds since the epoch
 */
export function encodeXsrfToken(token: Buffer, mask: Buffer, timestamp: number): string {
  return `2|${mask.toString('hex')}|${applyMask(mask, token).toString('hex')}|${timestamp}`
}

/**
 * Reads a token of either version as Tornado does: what has no version is hex, or else the text
 * itself. Undefined for what is malformed. Nothing is authenticated; the caller compares two of them.
 */
export function decodeXsrfToken(text: string): XsrfToken | undefined {
  const [, version] = /^([1-9][0-9]*)\|/.exec(text) ?? []
  if (version === '2') return decodeVersion2(text)
  return version === undefined
    ? { version: 1, token: bytesOf(text), timestamp: undefined }
    : undefined
}

function decodeVersion2(text: string): XsrfToken | undefined {
  const [, maskText = '', maskedText = '', time = '', ...more] = text.split('|')
  const mask = hexBytes(maskText)
  const masked = hexBytes(maskedText)
  const timestamp = pythonInt(time)
  if (mask?.length !== MASK_BYTES || masked === undefined) return undefined
  if (timestamp === undefined || more.length > 0) return undefined
  return { version: 2, token: applyMask(mask, masked), timestamp }
}

function applyMask(mask: Buffer, bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte, index) => byte ^ (mask[index % MASK_BYTES] ?? 0)))
}

function bytesOf(text: string): Buffer {
  return hexBytes(text) ?? Buffer.from(text, 'utf8')
}

function hexBytes(text: string): Buffer | undefined {
  return /^(?:[0-9a-f]{2})*$/i.test(text) ? Buffer.from(text, 'hex') : undefined
}
