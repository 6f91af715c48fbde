import fastify from 'fastify'
import { SessionManager } from 'sojourn'
import { getSession, session } from 'sojourn/fastify'

interface Data {
  name: string
  views: number
  cart: string[]
}

const sessions = new SessionManager<Data>()
const app = fastify()
await app.register(session(sessions))

app.get('/', async (request) => {
  const session = await getSession(request, sessions)
  session.increment('views')
  return { user: session.user, ...Object.fromEntries(session) }
})

app.post<{ Params: { action: string; given?: string } }>(
  '/:action/:given?',
  async (request, reply) => {
    const session = await getSession(request, sessions)
    const { action, given = '' } = request.params
    if (action === 'name') session.set('name', given)
    if (action === 'cart') await session.update('cart', (cart = []) => [...cart, given])
    if (action === 'login') session.login(given)
    if (action === 'logout') session.logout()
    return reply.redirect('/', 303)
  },
)

await app.listen({ port: Number(process.env['PORT'] ?? 3000), host: '127.0.0.1' })
console.log('Fastify serves', app.server.address())
