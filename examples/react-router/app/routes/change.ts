import type { Route } from './+types/change'
import { redirect } from 'react-router'
import { sessionContext } from '../session.server'

export async function action({ params: { action, given = '' }, context }: Route.ActionArgs) {
  const session = context.get(sessionContext)
  if (action === 'name') session.set('name', given)
  if (action === 'cart') await session.update('cart', (cart = []) => [...cart, given])
  if (action === 'login') session.login(given)
  if (action === 'logout') session.logout()
  return redirect('/', 303)
}
