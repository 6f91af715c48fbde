import type { RequestHandler } from './$types'
import { redirect } from '@sveltejs/kit'

export const POST: RequestHandler = async ({ params, locals: { session } }) => {
  const [action, given = ''] = params.path.split('/')
  if (action === 'name') session.set('name', given)
  if (action === 'cart') await session.update('cart', (cart = []) => [...cart, given])
  if (action === 'login') session.login(given)
  if (action === 'logout') session.logout()
  redirect(303, '/')
}
