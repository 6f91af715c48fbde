import type { Route } from './+types/form'
import { Form, redirect } from 'react-router'
import { sessionContext } from '../session.server'

export function loader({ context }: Route.LoaderArgs) {
  return { user: context.get(sessionContext).user ?? 'nobody' }
}

export async function action({ request, context }: Route.ActionArgs) {
  const form = await request.formData()
  const session = context.get(sessionContext)
  if (form.get('do') === 'leave') session.logout()
  else session.set('name', String(form.get('name'))).login(String(form.get('name')))
  return redirect('/form', 303)
}

export default function Page({ loaderData }: Route.ComponentProps) {
  return (
    <Form method="post">
      <p id="greeting">{`Hello ${loaderData.user}`}</p>
      <input name="name" aria-label="name" />
      <button name="do" value="enter">
        Enter
      </button>
      <button name="do" value="leave">
        Leave
      </button>
    </Form>
  )
}
