/** As Python's `int(text)` reads it, of which Tornado makes use: a sign, white space, `1_000`. */
const INTEGER = /^\s*([+-]?\d+(?:_\d+)*)\s*$/

/** The longest text of digits that Python's `int()` reads. */
const MOST_DIGITS = 4300

/** The number in a text, by Python's rules for `int()`; undefined where Python raises ValueError. */
export function pythonInt(text: string): number | undefined {
  const [, found] = INTEGER.exec(text) ?? []
  if (found === undefined) return undefined
  const digits = found.replaceAll('_', '')
  return digits.length > MOST_DIGITS ? undefined : Number(digits)
}

const BASE64_DIGIT = /^[A-Za-z0-9+/]$/

/**
 * Decodes base64 as leniently as Python does: what is not of the standard alphabet is skipped, what
 * follows the padding is ignored. Undefined where Python raises an error: the padding does not fit.
 */
export function pythonBase64(text: string): Buffer | undefined {
  let digits = ''
  let padding = 0
  for (const char of text) {
    if (char === '=') {
      const place = digits.length % 4
      if (place >= 2 && place + ++padding >= 4) return Buffer.from(digits, 'base64')
    } else if (BASE64_DIGIT.test(char)) {
      padding = 0
      digits += char
    }
  }
  return digits.length % 4 === 0 ? Buffer.from(digits, 'base64') : undefined
}
