import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { SessionManager } from 'sojourn'
import { session } from 'sojourn/hono'

interface Data {
  name: string
  views: number
  cart: string[]
}

const sessions = new SessionManager<Data>()

const app = new Hono()
  .use(session(sessions))
  .get('/', (c) => {
    const { session } = c.var
    session.increment('views')
    return c.json({ user: session.user, ...Object.fromEntries(session) })
  })
  .post('/:action/:given?', async (c) => {
    const { session } = c.var
    const { action, given = '' } = c.req.param()
    if (action === 'name') session.set('name', given)
    if (action === 'cart') await session.update('cart', (cart = []) => [...cart, given])
    if (action === 'login') session.login(given)
    if (action === 'logout') session.logout()
    return c.redirect('/', 303)
  })

const options = { port: Number(process.env['PORT'] ?? 3000), hostname: '127.0.0.1' }
serve({ fetch: app.fetch, ...options }, (address) => console.log('Hono serves', address))
