import { cookies, headers } from 'next/headers'
import { SessionManager } from 'sojourn'
import type { Session } from 'sojourn'
import { session } from 'sojourn/fetch'

interface Data {
  name: string
  views: number
  cart: string[]
}

const secret = process.env['SESSION_SECRET']
/** Kept over reloads of modules in development, and shared by all bundles. */
const kept = globalThis as { sessions?: SessionManager<Data> }
const sessions = (kept.sessions ??= new SessionManager<Data>({ secret }))

export const withSession = session(sessions)

/** For server components, which can only read: nothing that is set here is stored. */
export async function readSession(): Promise<Session<Data>> {
  return sessions.open((await headers()).get('cookie') ?? undefined)
}

/** For server actions. What `act` did is stored, and the cookie set, when this resolves. */
export async function changeSession<T>(act: (session: Session<Data>) => T | Promise<T>) {
  const session = await readSession()
  const answer = await act(session)
  for (const [name, value] of await sessions.commit(session)) {
    if (name === 'Set-Cookie') (await cookies()).set(cookieOf(value))
  }
  return answer
}

function cookieOf(line: string) {
  const [[name, value], ...attributes] = line.split('; ').map((one) => one.split('='))
  const given = Object.fromEntries(attributes)
  const common = { name, value, path: '/', httpOnly: true, sameSite: 'lax' as const }
  const age = given['Max-Age']
  return { ...common, secure: 'Secure' in given, maxAge: age && Number(age) }
}
