import { H3, getRouterParams, redirect, serve } from 'h3'
import { SessionManager } from 'sojourn'
import { getSession, session } from 'sojourn/h3'

interface Data {
  name: string
  views: number
  cart: string[]
}

const sessions = new SessionManager<Data>()
const app = new H3()
app.use(session(sessions))

app.get('/', async (event) => {
  const session = await getSession(event, sessions)
  session.increment('views')
  return { user: session.user, ...Object.fromEntries(session) }
})

app.post('/:action/:given?', async (event) => {
  const session = await getSession(event, sessions)
  const { action, given = '' } = getRouterParams(event, { decode: true })
  if (action === 'name') session.set('name', given)
  if (action === 'cart') await session.update('cart', (cart = []) => [...cart, given])
  if (action === 'login') session.login(given)
  if (action === 'logout') session.logout()
  return redirect('/', 303)
})

const options = { port: Number(process.env['PORT'] ?? 3000), hostname: '127.0.0.1', silent: true }
const server = await serve(app, options).ready()
console.log('h3 serves', server.url)
