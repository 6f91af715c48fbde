import { serve } from '@hono/node-server'
import { Elysia } from 'elysia'
import { SessionManager } from 'sojourn'
import { session } from 'sojourn/elysia'

interface Data {
  name: string
  views: number
  cart: string[]
}

const sessions = new SessionManager<Data>()

const app = new Elysia()
  .use(session(sessions))
  .get('/', ({ session }) => {
    session.increment('views')
    return { user: session.user, ...Object.fromEntries(session) }
  })
  .post('/:action/:given?', async ({ session, params, set }) => {
    const { action, given = '' } = params
    if (action === 'name') session.set('name', given)
    if (action === 'cart') await session.update('cart', (cart = []) => [...cart, given])
    if (action === 'login') session.login(given)
    if (action === 'logout') session.logout()
    set.status = 303
    set.headers['location'] = '/'
  })

const options = { port: Number(process.env['PORT'] ?? 3000), hostname: '127.0.0.1' }
serve({ fetch: app.fetch, ...options }, (address) => console.log('Elysia serves', address))
