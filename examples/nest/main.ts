import { Controller, Get, Module, Param, Post, Redirect } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { SessionManager } from 'sojourn'
import { Session, session } from 'sojourn/nest'

interface Data {
  name: string
  views: number
  cart: string[]
}

@Controller()
class Pages {
  @Get()
  index(@Session() session: Session<Data>) {
    session.increment('views')
    return { user: session.user, ...Object.fromEntries(session) }
  }

  @Post(':action{/:given}')
  @Redirect('/', 303)
  async change(@Param() params: Record<string, string>, @Session() session: Session<Data>) {
    const { action, given = '' } = params
    if (action === 'name') session.set('name', given)
    if (action === 'cart') await session.update('cart', (cart = []) => [...cart, given])
    if (action === 'login') session.login(given)
    if (action === 'logout') session.logout()
  }
}

@Module({ imports: [session(new SessionManager<Data>())], controllers: [Pages] })
class App {}

const app = await NestFactory.create(App, { logger: false })
await app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1')
console.log('Nest serves', await app.getUrl())
