import express from 'express'
import { SessionManager } from 'sojourn'
import { getSession, session } from 'sojourn/express'

interface Data {
  name: string
  views: number
  cart: string[]
}

const sessions = new SessionManager<Data>()
const app = express()
app.use(session(sessions))

app.get('/', async (request, response) => {
  const session = await getSession(request, sessions)
  session.increment('views')
  response.json({ user: session.user, ...Object.fromEntries(session) })
})

app.post('/:action{/:given}', async (request, response) => {
  const session = await getSession(request, sessions)
  const { action, given = '' } = request.params
  if (action === 'name') session.set('name', given)
  if (action === 'cart') await session.update('cart', (cart = []) => [...cart, given])
  if (action === 'login') session.login(given)
  if (action === 'logout') session.logout()
  response.redirect(303, '/')
})

const server = app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => {
  console.log('Express serves', server.address())
})
