import { hash, timingSafeEqual } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

const BLOCK_BYTES = 64
const DIGEST_BYTES = 32
const TEXT_LENGTH = 43

/**
 * HMAC-SHA256 (RFC 2104) under one key, of ASCII texts that all begin in the same way. Two one-shot
 * hashes over buffers that hold the padded key and the beginning already: an Hmac object for each
 * text costs twice as much, and garbage.
 */
export class Mac {
  readonly #inner: Buffer
  readonly #outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES, 0x5c)
  readonly #start: number
  readonly #expected = Buffer.alloc(TEXT_LENGTH)
  readonly #given = Buffer.alloc(TEXT_LENGTH)

  /**
   * @param key - at most 64 bytes
   * @param beginning - what every text begins with
   * @param longest - characters that may follow the beginning
   */
  constructor(key: KeyObject, beginning: string, longest: number) {
    const start = BLOCK_BYTES + Buffer.byteLength(beginning)
    this.#start = start
    this.#inner = Buffer.alloc(start + longest, 0x36)
    for (const [index, byte] of key.export().entries()) {
      this.#inner[index] = 0x36 ^ byte
      this.#outer[index] = 0x5c ^ byte
    }
    this.#inner.write(beginning, BLOCK_BYTES)
  }

  /** The MAC of the beginning and an ASCII text after it, 43 characters of base64url. */
  of(text: string): string {
    const end = this.#start + this.#inner.write(text, this.#start, 'latin1')
    this.#outer.write(hash('sha256', this.#inner.subarray(0, end), 'binary'), BLOCK_BYTES, 'latin1')
    return hash('sha256', this.#outer, 'base64url')
  }

  /** Whether `mac`, which is ASCII, is that of a text; the time it takes does not tell how near it is. */
  verifies(text: string, mac: string): boolean {
    if (mac.length !== TEXT_LENGTH) return false
    this.#expected.write(this.of(text), 0, 'latin1')
    this.#given.write(mac, 0, 'latin1')
    return timingSafeEqual(this.#expected, this.#given)
  }
}
