import { expect, test } from 'vitest'
import { decodeXsrfToken, encodeXsrfToken } from '../../src/tornado/xsrf.ts'
import { vectors } from './vectors.ts'

test.each(vectors.xsrf_encode)('a token is masked as Tornado does: $v2', (vector) => {
  const token = Buffer.from(vector.token_hex, 'hex')
  const mask = Buffer.from(vector.mask_hex, 'hex')
  expect(encodeXsrfToken(token, mask, vector.timestamp)).toBe(vector.v2)
  expect(decodeXsrfToken(vector.v2)?.token).toEqual(token)
  expect(decodeXsrfToken(vector.v1)?.token).toEqual(token)
})

test.each(vectors.xsrf_decode)('$input is read as Tornado does', (vector) => {
  const read = decodeXsrfToken(vector.input)
  expect(read?.version ?? null).toBe(vector.version)
  expect(read?.token.toString('hex') ?? null).toBe(vector.token_hex)
  expect(read?.timestamp ?? null).toBe(vector.timestamp)
})

test('a mask that has not four bytes is refused', () => {
  expect(decodeXsrfToken('2|a1b2c3|00|1')).toBeUndefined()
  expect(decodeXsrfToken('2||00|1')).toBeUndefined()
})
