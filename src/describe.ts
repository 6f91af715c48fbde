import { formatDuration } from './duration.ts'
import type { Policy } from './policy.ts'
import type { StoreCapabilities } from './store.ts'

/** The policy in force, as a Markdown table (ASVS 5.0 7.1.1: the lifetimes are written down). */
export function describePolicy(
  policy: Policy,
  cookieName: string,
  capabilities: StoreCapabilities,
): string {
  const rows = [
    ['session', 'in force'],
    ...policyRows(policy, cookieName),
    ...storeRows(capabilities),
  ]
  const width = Math.max(...rows.map(([name = '']) => name.length))
  const lines = rows.map(([name = '', value = '']) => `| ${name.padEnd(width)} | ${value} |`)
  const rule = `| ${'-'.repeat(width)} | --- |`
  return [lines[0], rule, ...lines.slice(1)].join('\n')
}

function policyRows(policy: Policy, cookieName: string): string[][] {
  const { idle, lifetime, renewAfter, grace, onStoreFailure, limits, namespace } = policy
  const renewal =
    renewAfter === undefined
      ? 'at login and logout only'
      : `every ${formatDuration(renewAfter)}, the older one good for ${formatDuration(grace)}`
  return [
    ['ends without a request after', formatDuration(idle)],
    ['ends at the latest after', formatDuration(lifetime)],
    ['credential is renewed', renewal],
    ['cookie', `${cookieName}; ${attributes(policy)}`],
    ['namespace', namespace === '' ? 'none' : namespace],
    ['when the store fails', onStoreFailure === 'fail' ? 'error 503' : 'anonymous session'],
    ['a user has at most', sessionsPerUser(policy)],
    ['one value holds at most', `${limits.valueBytes} bytes`],
    ['a session holds at most', `${limits.names} names, ${limits.sessionSize} characters`],
  ]
}

function sessionsPerUser({ cap }: Policy): string {
  if (cap === undefined) return 'any number of sessions'
  return `${cap.most} sessions; ${cap.full === 'reject' ? 'then a login is refused' : 'the one that ends first makes room'}`
}

function attributes({ cookie }: Policy): string {
  const parts = [
    `Path=${cookie.path}`,
    cookie.domain === undefined ? 'this host only' : `Domain=${cookie.domain}`,
    cookie.secure ? 'Secure' : 'not Secure (development)',
    'HttpOnly',
    `SameSite=${cookie.sameSite}`,
    cookie.persistent ? 'persistent' : 'ends with the browser',
  ]
  return [...parts, ...(cookie.partitioned ? ['Partitioned'] : [])].join('; ')
}

function storeRows(capabilities: StoreCapabilities): string[][] {
  const { engine, shared, durable, expiry } = capabilities
  return [
    ['store', engine],
    [
      'shared by',
      { process: 'this process', machine: 'this machine', network: 'all machines' }[shared],
    ],
    [
      'a write survives',
      { no: 'nothing', process: 'a crash of the process', engine: 'what the engine survives' }[
        durable
      ],
    ],
    ['expired records are removed by', expiry === 'engine' ? 'the engine' : 'sweeping'],
  ]
}
