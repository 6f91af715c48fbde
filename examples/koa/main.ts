import Koa from 'koa'
import { SessionManager } from 'sojourn'
import { getSession, session } from 'sojourn/koa'

interface Data {
  name: string
  views: number
  cart: string[]
}

const sessions = new SessionManager<Data>()
const app = new Koa()
app.use(session(sessions))

app.use(async (context) => {
  const session = await getSession(context, sessions)
  const [, action, given = ''] = context.path.split('/').map(decodeURIComponent)
  if (context.method === 'GET') {
    session.increment('views')
    context.body = { user: session.user, ...Object.fromEntries(session) }
    return
  }
  if (action === 'name') session.set('name', given)
  if (action === 'cart') await session.update('cart', (cart = []) => [...cart, given])
  if (action === 'login') session.login(given)
  if (action === 'logout') session.logout()
  context.status = 303
  context.redirect('/')
})

const server = app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => {
  console.log('Koa serves', server.address())
})
