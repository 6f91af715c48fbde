import type { Actions, PageServerLoad } from './$types'
import { redirect } from '@sveltejs/kit'

export const load: PageServerLoad = ({ locals }) => ({ user: locals.session.user ?? 'nobody' })

export const actions: Actions = {
  enter: async ({ request, locals: { session } }) => {
    const name = String((await request.formData()).get('name'))
    session.set('name', name)
    session.login(name)
    redirect(303, '/form')
  },
  leave: ({ locals: { session } }) => {
    session.logout()
    redirect(303, '/form')
  },
}
