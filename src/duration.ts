import { SessionError } from './errors.ts'

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

type Unit = keyof typeof UNITS

/** A length of time with its unit: `'500ms'`, `'30s'`, `'15m'`, `'1.5h'`, `'30d'`. Never a bare number. */
export type Duration = `${number}${Unit}`

const SHAPE = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/

/**
 * The milliseconds of a duration.
 *
 * @param text - the duration
 * @param name - what it is for, as the message shall call it: `idleTimeout`
 * @throws SessionError `ERR_SESSION_OPTION` for anything that is not a duration above zero
 */
export function parseDuration(text: string, name: string): number {
  const [, amount, unit] = SHAPE.exec(text) ?? []
  const ms = isUnit(unit) ? Math.round(Number(amount) * UNITS[unit]) : Number.NaN
  if (ms > 0 && Number.isSafeInteger(ms)) return ms
  throw new SessionError(
    'ERR_SESSION_OPTION',
    `${name} must be a duration above zero such as '30s', '15m', '1h' or '30d', not ${show(text)}.`,
  )
}

/** The shortest way to write a length in ms: `3600000` is `1h`, `90000` is `90s`. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (ms >= UNITS[unit] && ms % UNITS[unit] === 0) return `${ms / UNITS[unit]}${unit}`
  }
  return `${ms}ms`
}

function isUnit(text: string | undefined): text is Unit {
  return text !== undefined && text in UNITS
}

function show(value: unknown): string {
  return typeof value === 'string' ? `'${value.slice(0, 40)}'` : `a ${typeof value}`
}
