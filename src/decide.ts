import type { Intent } from './session-state.ts'

/** What is known when a request ends. */
export interface Situation {
  /** Whether the session was opened from a record. */
  readonly record: 'none' | 'live'
  readonly intent: Intent['kind']
  /** Whether values, or how long the visitor is remembered, would be written. */
  readonly changed: boolean
  /** Whether the cookie has to be sent again although nothing changed. */
  readonly reissue: boolean
}

/** One store call and one cookie action. */
export interface Decision {
  readonly call: 'nothing' | 'create' | 'commit' | 'destroy'
  readonly cookie: 'nothing' | 'issue' | 'delete'
}

/**
 * The policy at the end of a request, as a table.
 *
 * | record | intent | changed | store call | cookie |
 * |---|---|---|---|---|
 * | none | login | any | create | issue |
 * | none | keep, renew, logout | yes | create | issue |
 * | none | keep, renew, logout | no | nothing | nothing |
 * | none | destroy | any | nothing | nothing |
 * | live | destroy | any | destroy | delete |
 * | live | logout | no | destroy | delete |
 * | live | logout | yes | commit | issue |
 * | live | login, renew | any | commit | issue |
 * | live | keep | yes | commit | issue if due |
 * | live | keep | no | nothing | issue if due |
 */
export function decide({ record, intent, changed, reissue }: Situation): Decision {
  if (record === 'none') return intent === 'login' || changed ? begin(intent) : NOTHING
  const due = reissue ? 'issue' : 'nothing'
  switch (intent) {
    case 'destroy':
      return END
    case 'logout':
      return changed ? { call: 'commit', cookie: 'issue' } : END
    case 'login':
    case 'renew':
      return { call: 'commit', cookie: 'issue' }
    case 'keep':
      return { call: changed ? 'commit' : 'nothing', cookie: due }
  }
}

function begin(intent: Intent['kind']): Decision {
  return intent === 'destroy' ? NOTHING : { call: 'create', cookie: 'issue' }
}

const NOTHING: Decision = { call: 'nothing', cookie: 'nothing' }
const END: Decision = { call: 'destroy', cookie: 'delete' }

/** How a genuine cookie stands to the record it names. */
export type Standing = 'current' | 'grace' | 'refused'

/** What of a record says which generations of its cookie are good. */
interface Generations {
  readonly generation: number
  readonly fence: number
  readonly renewedAt: number
}

/**
 * Whether a cookie of a generation may use the record. The generation before the current one is good
 * for the grace period after a renewal, unless it is beyond the fence; a newer one than the record's
 * comes from a rotation that a failover lost, and is refused.
 *
 * @param grace - ms
 */
export function standingOf(
  { generation, fence, renewedAt }: Generations,
  presented: number,
  now: number,
  grace: number,
): Standing {
  if (presented === generation) return 'current'
  const inGrace = presented === generation - 1 && presented >= fence && now - renewedAt < grace
  return inGrace ? 'grace' : 'refused'
}

/**
 * What follows when the record ended, or was fenced, while the request ran. A login brings its own
 * authority and begins a session anew; what any other request set is dropped, and no cookie is sent:
 * it could erase that of a login that answered first.
 */
export function decideAfterLoss(intent: Intent['kind']): 'begin-anew' | 'drop' {
  return intent === 'login' ? 'begin-anew' : 'drop'
}
