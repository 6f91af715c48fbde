import { withSession } from '../../lib/session'

export const POST = withSession(
  async (_request, session, { params }: RouteContext<'/[...path]'>) => {
    const [action, given = ''] = (await params).path
    if (action === 'name') session.set('name', given)
    if (action === 'cart') await session.update('cart', (cart = []) => [...cart, given])
    if (action === 'login') session.login(given)
    if (action === 'logout') session.logout()
    return new Response(null, { status: 303, headers: { Location: '/' } })
  },
)
