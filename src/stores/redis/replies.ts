import { conflict } from '../../change.ts'
import { SessionError } from '../../errors.ts'
import type { CommitOutcome, SessionChange } from '../../store.ts'
import { corrupt, newer } from './failures.ts'
import { checked, digits } from './packed.ts'
import { MOST_VALUES } from './set-script.ts'

const NOTHING_EXPECTED: NonNullable<SessionChange['expect']> = new Map()
const NOTHING_ADDED: ReadonlyMap<string, number> = new Map()

/**
 * The arguments of the script COMMIT.
 *
 * @param latest - the time of Redis after which the change is not applied any more
 */
export function commitArguments(change: SessionChange, latest?: number): string[] {
  const { at, generation, expiresAt, deadline, rotate = '', unset, set, add } = change
  const { clear = false, expect = NOTHING_EXPECTED } = change
  const end = deadline === undefined ? '' : digits(deadline)
  const times = `${digits(at)},${generation},${digits(expiresAt)},${end},${rotate}`
  const rest = `${rememberIn(change)},${clear ? '1' : ''},${expect.size},${unset.length},${set.size},${latest ?? ''}`
  const args = [`${times},${rest}`, userIn(change)]
  for (const [name, text] of expect) args.push(checked(name), maybe(text))
  args.push(...unset)
  for (const [name, text] of set) args.push(checked(name), checked(text))
  for (const [name, by] of add) args.push(checked(name), addend(name, by))
  return args
}

/** Whether a change sets some values and does nothing else: SET_VALUES is enough for it. */
export function setsOnly(change: SessionChange): boolean {
  const { user, deadline, rotate, rememberFor, expect, clear, unset, set, add } = change
  if (user !== undefined || deadline !== undefined || rotate !== undefined) return false
  if (rememberFor !== undefined || clear === true || (expect?.size ?? 0) > 0) return false
  return set.size <= MOST_VALUES && unset.length === 0 && add.size === 0
}

/** The arguments of the script SET_VALUES. */
export function setArguments({ at, generation, expiresAt, set }: SessionChange): string[] {
  const args = [`${digits(at)}${digits(expiresAt)}${generation}`]
  for (const [name, text] of set) args.push(checked(name), checked(text))
  return args
}

/** What COMMIT, or SET_VALUES, answered. @throws SessionError as {@link refusal}, `ERR_SESSION_CONFLICT`, `ERR_SESSION_NOT_A_NUMBER` */
export function commitOutcome(reply: string, { add }: SessionChange): CommitOutcome {
  if (reply === 'gone' || reply === 'stale') return reply
  if (reply === 'conflict') throw conflict()
  if (reply.startsWith('number,')) throw notANumber([...add.keys()][Number(reply.slice(7))] ?? '')
  const deadline = Number(reply.slice(26, 39))
  if (reply.length < 40 || Number.isNaN(deadline)) throw refusal(reply)
  const expiresAt = Number(reply.slice(13, 26))
  if (add.size === 0) {
    return { generation: Number(reply.slice(39)), expiresAt, deadline, added: NOTHING_ADDED }
  }
  const [generation = 0, ...sums] = reply.slice(39).split(',').map(Number)
  const added = new Map([...add.keys()].map((name, index) => [name, sums[index] ?? 0]))
  return { generation, expiresAt, deadline, added }
}

/** Who was logged in before a change with a user or a deadline, and what {@link commitOutcome} reads. */
export function ownerIn(reply: string): readonly [outcome: string, owner: string | undefined] {
  const end = reply.indexOf('\0')
  if (end < 0) return [reply, undefined]
  const owner = reply[end + 1] === '=' ? reply.slice(end + 2) : undefined
  return [reply.slice(0, end), owner]
}

/** Whether DESTROY ended a session, and who was logged in. */
export function destroyOutcome(
  reply: string,
): readonly [ended: boolean, owner: string | undefined] {
  const owner = reply[15] === '=' ? reply.slice(16) : undefined
  return [reply[14] === '1', owner]
}

/** True if CREATE found that many sessions of its bucket have ended. */
export function isDue(reply: string): boolean {
  return reply.endsWith(',1,')
}

/** What CREATE answered. @throws SessionError as {@link refusal} */
export function createOutcome(reply: string): boolean {
  const answer = reply[14]
  if (answer === '1' || answer === '0') return answer === '1'
  throw refusal(reply)
}

/** What SWAP answered. @throws SessionError as {@link refusal} */
export function swapOutcome(reply: string): boolean | 'gone' | 'stale' {
  if (reply === 'gone' || reply === 'stale') return reply
  if (reply === '1' || reply === '0') return reply === '1'
  throw refusal(reply)
}

/** What TAKE answered. @throws SessionError as {@link refusal} */
export function takeOutcome(reply: string): string | undefined {
  if (reply.startsWith('=')) return reply.slice(1)
  if (reply === 'gone' || reply === 'stale') return undefined
  throw refusal(reply)
}

/** An argument of SWAP: a text that may be absent. */
export function maybe(text: string | undefined): string {
  return text === undefined ? '' : `=${checked(text)}`
}

/** Why a script did not do its work: `ERR_SESSION_VERSION`, `ERR_SESSION_CORRUPT` or `ERR_SESSION_STORE`. */
function refusal(reply: string): SessionError {
  if (reply === 'newer') return newer()
  if (reply === 'corrupt') return corrupt()
  return new SessionError(
    'ERR_SESSION_STORE',
    'Redis answered a script with something else than the script says. Is there a proxy between?',
  )
}

function userIn({ user }: SessionChange): string {
  if (user === undefined) return ''
  return user === null ? '-' : `=${checked(user)}`
}

function rememberIn({ rememberFor }: SessionChange): string {
  if (rememberFor === undefined) return ''
  return rememberFor === null ? '-' : `${Math.floor(rememberFor)}`
}

function addend(name: string, by: number): string {
  if (!Number.isSafeInteger(by)) throw notANumber(name)
  return `${by}`
}

function notANumber(name: string): SessionError {
  return new SessionError(
    'ERR_SESSION_NOT_A_NUMBER',
    `'${name}' cannot be incremented: what it holds, or the sum, is not a safe integer. Set it to a number first.`,
  )
}
