import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import type { Session } from 'sojourn'
import { escapeHtml } from 'sojourn/tornado'

/** What the page shows. */
export interface SessionView {
  readonly session: Session
  /** What the last button did. */
  readonly message: string | undefined
  /** The setting `cookies.expiresDays`. */
  readonly cookieDays: number | undefined
  /** The hidden field with the xsrf token. */
  readonly xsrfField: string
}

const DAY = 86_400_000
const HOUR = 3_600_000

const style = readFileSync(new URL('session-view.css', import.meta.url), 'utf8')
const styleHash = createHash('sha256').update(style).digest('base64')

/** The page needs nothing from anywhere: no script, no image, no font, no frame. */
export const securityHeaders: readonly (readonly [name: string, value: string])[] = [
  [
    'Content-Security-Policy',
    `default-src 'none'; style-src 'sha256-${styleHash}'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  ],
  ['Cache-Control', 'no-store'],
  ['Referrer-Policy', 'same-origin'],
  ['X-Content-Type-Options', 'nosniff'],
]

/** The page as HTML; everything in it that came from outside is escaped. */
export function sessionPage(view: SessionView): string {
  const { session, message } = view
  const user = session.user
  const state = !session.established ? 'No session' : user === undefined ? 'Anonymous' : 'Logged in'
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Your session</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<main>
<header>
<h1>Your session</h1>
<p class="state" data-state="${state}">${state}</p>
</header>
<p class="lead">${leadOf(view)}</p>
${message === undefined ? '' : `<p class="message" role="status">${escapeHtml(message)}</p>`}
${session.established ? recordOf(view) + valuesOf(session) : ''}
${actionsOf(view)}
</main>
</body>
</html>
`
}

function leadOf({ session }: SessionView): string {
  return session.established
    ? 'Your browser holds one cookie with a secret in it. This is everything that the server keeps under it.'
    : 'The server keeps nothing of you, and looking at this page does not change that. Store a value or log in to begin a session.'
}

function recordOf({ session, cookieDays }: SessionView): string {
  const { createdAt = 0, expiresAt = 0, deadline = 0, client, user, authenticatedAt } = session
  const idle = session.rememberFor ?? (cookieDays === undefined ? HOUR : cookieDays * DAY)
  const persistent = cookieDays !== undefined || session.rememberFor !== undefined
  // The idle time begins with every visit, noted at most once in a tenth of it.
  const seenAt = expiresAt === deadline ? undefined : Math.max(createdAt, expiresAt - idle)
  const rows: readonly (readonly [string, string])[] = [
    ['User', user === undefined ? '<span class="none">nobody</span>' : escapeHtml(user)],
    ['Logged in', authenticatedAt === undefined ? '' : timeOf(authenticatedAt)],
    ['Began', timeOf(createdAt)],
    ['Last seen', seenAt === undefined ? '' : timeOf(seenAt)],
    ['Expires', timeOf(expiresAt, ', unless you come back before')],
    ['Ends', timeOf(deadline, ', whatever happens')],
    ['Cookie', persistent ? 'kept when the browser is closed' : 'ends with the browser'],
    ['Cookie changed', times(session.generation ?? 0)],
    ['Browser', escapeHtml(client?.userAgent ?? 'not said')],
    ['Address', escapeHtml(client?.address ?? 'not known')],
    ['Public id', `<code>${session.id.slice(0, 12)}…</code><small>a hash of the secret</small>`],
  ]
  const shown = rows.filter(([, text]) => text !== '')
  return `<section aria-labelledby="record"><h2 id="record">The record</h2>
<dl>${shown.map(([name, text]) => `<div><dt>${name}</dt><dd>${text}</dd></div>`).join('\n')}</dl></section>`
}

function valuesOf(session: Session): string {
  const rows = [...session].map(([name, value]) => {
    const text = inspect(value, { depth: 4, maxStringLength: 500, breakLength: 60 })
    return `<tr><th scope="row">${escapeHtml(name)}</th><td><code>${escapeHtml(text)}</code></td></tr>`
  })
  const table = `<table><thead><tr><th scope="col">Name</th><th scope="col">Value</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table>`
  return `<section aria-labelledby="values"><h2 id="values">Values</h2>
${rows.length === 0 ? '<p class="none">None yet.</p>' : table}</section>`
}

function actionsOf({ session, xsrfField }: SessionView): string {
  const form = (action: string, content: string): string =>
    `<form method="post" action="/session/${action}">${xsrfField}${content}</form>`
  const field = (name: string, label: string, most: number): string =>
    `<label>${label}<input name="${name}" required maxlength="${most}" autocomplete="off"></label>`
  const button = (action: string, label: string, hint: string): string =>
    form(action, `<button>${label}</button><small>${hint}</small>`)
  const forms = [
    form(
      'set',
      `${field('name', 'Name', 64)}${field('value', 'Value', 500)}<button>Set value</button>`,
    ),
    form(
      'login',
      `${field('user', 'User', 64)}<button>Log in</button><small>This demo asks for no password.</small>`,
    ),
  ]
  const buttons = [
    button(
      'renew',
      'Renew',
      'A new cookie for the same session. The old one is good for a minute, for requests under way.',
    ),
    button('logout', 'Log out', 'User, values and cookie go.'),
    button('destroy', 'Destroy', 'The record is gone at once, for every copy of the cookie.'),
  ]
  return `<section aria-labelledby="try"><h2 id="try">Try it</h2>
<div class="forms">${forms.join('\n')}</div>
${session.established ? `<div class="buttons">${buttons.join('\n')}</div>` : ''}</section>`
}

function timeOf(at: number, hint = ''): string {
  const iso = new Date(at).toISOString()
  const text = iso.slice(0, 19).replace('T', ' ')
  return `<time datetime="${iso}">${text} UTC</time><small>${distance(at - Date.now())}${hint}</small>`
}

const UNITS = [
  ['day', DAY],
  ['hour', HOUR],
  ['minute', 60_000],
  ['second', 1000],
] as const

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always' })

function distance(ms: number): string {
  const [unit, length] = UNITS.find(([, size]) => Math.abs(ms) >= size * 0.95) ?? UNITS[3]
  const count = Math.round(ms / length)
  return count === 0 ? 'just now' : relative.format(count, unit)
}

function times(count: number): string {
  if (count === 0) return 'never'
  return count === 1 ? 'once' : `${count} times`
}
