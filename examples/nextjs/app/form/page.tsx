import { redirect } from 'next/navigation'
import { changeSession, readSession } from '../../lib/session'

async function enter(form: FormData) {
  'use server'
  await changeSession((session) => {
    session.set('name', String(form.get('name')))
    session.login(String(form.get('name')))
  })
  redirect('/form')
}

async function leave() {
  'use server'
  await changeSession((session) => session.logout())
  redirect('/form')
}

export default async function Page() {
  const session = await readSession()
  return (
    <form>
      <p id="greeting">Hello {session.user ?? 'nobody'}</p>
      <input name="name" aria-label="name" />
      <button formAction={enter}>Enter</button>
      <button formAction={leave}>Leave</button>
    </form>
  )
}
